"""One sheet of a workbook of scores on its way back: which row is whose, and what must not have changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter

from config.messages import say
from documents.book_cells import BadCell, text_of
from documents.cell_texts import plain
from documents.safe_workbook import filled_rows
from documents.score_book_answers import Value
from documents.score_book_layout import FIRST_ROW, BookColumn
from documents.score_book_rows import CellProblem

Key = tuple[str | None, ...]


@dataclass(slots=True)
class Problems:
    """What is wrong so far, in whatever order it was found."""

    found: list[tuple[int, int, int, CellProblem]] = field(default_factory=list)

    def add(self, sheet: "Place", row: int, column: int, text: str) -> None:
        """Note what is wrong with a cell; with a whole sheet where its row is 0."""
        cell = f"{get_column_letter(column)}{row}" if row else ""
        self.found.append((sheet.order, row, column, CellProblem(sheet.name, cell, text)))

    def in_order(self) -> list[CellProblem]:
        """Return the problems by sheet, row and column."""
        return [problem for *_, problem in sorted(self.found, key=lambda each: each[:3])]


@dataclass(frozen=True, slots=True)
class Place:
    """A sheet by its name, and where it stands among those that are read."""

    name: str
    order: int


@dataclass(slots=True)
class BookTable:
    """The rows of a sheet by their keys, found wherever they stand."""

    place: Place
    columns: Sequence[BookColumn]
    keys: Sequence[str]
    problems: Problems
    rows: dict[Key, tuple[int, Mapping[int, Cell]]] = field(default_factory=dict)

    def read(self, book: Workbook, expected: Mapping[Key, Mapping[str, Value]]) -> None:
        """Find the rows that are expected, and note what is doubled, missing, inserted or changed."""
        if self.place.name not in book.sheetnames:
            self._note(0, 0, "no_sheet")
            return
        sheet: Any = book[self.place.name]
        for area in sheet.merged_cells.ranges:
            self._note(area.min_row, area.min_col, "merged", area=str(area))
        filled = filled_rows(sheet)
        if not self._has_headings(filled.get(1, {})):
            return
        self._find_rows(filled, expected)
        for key, values in expected.items():
            if key in self.rows:
                self._check_fixed(*self.rows[key], values)
            else:
                self._note(0, 0, "row_missing", key=_words(key))

    def cell(self, key: Key, column: str) -> Cell | None:
        """Return the cell of a row; None where it is blank."""
        return self.rows[key][1].get(self._number(column))

    def note(self, key: Key, column: str, text: str) -> None:
        """Note what is wrong with the cell of a row."""
        self.problems.add(self.place, self.rows[key][0], self._number(column), text)

    def _number(self, column: str) -> int:
        return next(n for n, each in enumerate(self.columns, start=1) if each.key == column)

    def _note(self, row: int, column: int, code: str, **facts: object) -> None:
        self.problems.add(self.place, row, column, say(f"workbook.problem.{code}", **facts))

    def _has_headings(self, cells: Mapping[int, Cell]) -> bool:
        """Say whether every column stands in its place; only then anything can be said of the rows."""
        is_right = True
        for number, column in enumerate(self.columns, start=1):
            if _fixed_text(cells.get(number)) != column.heading:
                self._note(1, number, "heading", want=column.heading)
                is_right = False
        return is_right

    def _find_rows(
        self, filled: Mapping[int, Mapping[int, Cell]], expected: Mapping[Key, Mapping[str, Value]]
    ) -> None:
        last = max(filled, default=0)
        for row in range(FIRST_ROW, last + 1):
            if row not in filled:
                self._note(row, 1, "blank_row")
                if row > len(expected) + FIRST_ROW:
                    # One word for the gap before something far below.
                    break
        for row, cells in filled.items():
            if row < FIRST_ROW:
                continue
            key = tuple(_fixed_text(cells.get(self._number(each))) for each in self.keys)
            if key not in expected:
                self._note(row, 1, "row_unknown")
            elif key in self.rows:
                self._note(row, 1, "row_twice", key=_words(key), first=self.rows[key][0])
            else:
                self.rows[key] = (row, cells)

    def _check_fixed(self, row: int, cells: Mapping[int, Cell], values: Mapping[str, Value]) -> None:
        for number, column in enumerate(self.columns, start=1):
            if column.is_filled or column.key in self.keys:
                continue
            want = _as_text(values[column.key])
            if _fixed_text(cells.get(number)) != want:
                self._note(row, number, "locked", want=(want or "")[:60])
        for number in cells:
            if number > len(self.columns):
                self._note(row, number, "outside")


def _as_text(value: Value) -> str | None:
    return plain(value.normalize()) if isinstance(value, Decimal) else value


def _fixed_text(cell: Cell | None) -> str | None:
    """Return what a cell that nobody fills says; what cannot be read is not what we wrote."""
    try:
        return text_of(cell)
    except BadCell as error:
        return f"\0{error}"


def _words(key: Key) -> str:
    return ", ".join(each or "–" for each in key)
