"""A terminal on which words are shown as they are, and tables for it."""

import re
from collections.abc import Iterable
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from config.messages import say
from flows.showing import WIDTH

# What a server or Zalo says could move the cursor or colour what follows.
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]+")


def screen() -> Console:
    """Return a console on which no bracket or colon means anything, as wide as the terminal or a page."""
    width = None if Console().is_terminal else WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def clean(text: str) -> str:
    """Return the text without control characters; only line ends stay."""
    return CONTROLS.sub(" ", text)


class CleanTable(Table):
    """A table whose cells are shown without control characters."""

    def add_row(self, *cells: Any, **more: Any) -> None:
        super().add_row(*(clean(cell) for cell in cells), **more)


def columns(headings: Iterable[tuple[str, int | None]]) -> CleanTable:
    """Return a table with these headings and widths; None takes what is left."""
    table = CleanTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name, width in headings:
        table.add_column(say(f"column.{name}"), width=width, overflow="fold", ratio=None if width else 1)
    return table
