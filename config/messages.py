"""The sentences an operator reads on the terminal: one catalogue, in Vietnamese."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


def say(code: str, /, **facts: Any) -> str:
    """Return the sentence of this code with its facts filled in; raises KeyError for what is missing."""
    return catalogue()[code].format_map(facts)


@cache
def catalogue() -> dict[str, str]:
    """Return every sentence by its dotted code."""
    text = files("config").joinpath("messages.yaml").read_text(encoding="utf-8")
    return dict(_flat("", yaml.safe_load(text)))


def _flat(prefix: str, tree: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{key}.", value)
        else:
            found.append((f"{prefix}{key}", value))
    return found
