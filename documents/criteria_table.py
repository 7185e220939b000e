"""A table of criteria in Excel (phụ lục bộ tiêu chí) read into a tree, every problem by its cell."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter

from config.messages import say
from documents.book_cells import BadCell, exact, text_of
from documents.cell_texts import plain
from documents.criteria_outline import CodeNotUnderstood, LevelSkipped, Outline, bare, unique_codes, worded
from documents.criteria_rows import CriteriaRow, CriteriaTable
from documents.criteria_words import (
    AMOUNT,
    HEADING_OF,
    HEADINGS,
    KIND_OF,
    KINDS,
    LOOKED_AT,
    NAMED,
    NOT_APPLICABLE_OF,
    TOTAL,
)
from documents.safe_workbook import filled_rows, open_workbook
from documents.score_book_rows import BookRefused, CellProblem
from rules.criteria import LeafKind, folded


def read_criteria_table(path: Path) -> CriteriaTable:
    """Return the tree of the first sheet that has a table of criteria.

    Columns are known by their Vietnamese or English headings, the depth of a row by a column "Cấp"
    or by how its code is written (1, 1.1, 1.1.a; I, 1, a). Rows of totals are checked and left out.
    Raises WorkbookRefused for a file that is not opened, BookRefused with every problem by its cell.
    """
    book = open_workbook(path)
    for sheet in book.worksheets:
        filled = filled_rows(sheet)
        for number in sorted(filled)[:LOOKED_AT]:
            columns = _columns(filled[number])
            if "title" in columns.values() and {"code", "level"} & set(columns.values()):
                return _Reading(sheet.title, columns).table(number, filled)
    raise BookRefused([CellProblem("", "", say("workbook.table.no_heading"))])


def _columns(cells: Mapping[int, Cell]) -> dict[int, str]:
    found = {}
    for number, cell in cells.items():
        text = folded(re.sub(r"\([^)]*\)", " ", str(cell.value)))
        key = HEADING_OF.get(" ".join(text.split()).strip(" .:*"))
        if key is not None:
            found[number] = key
    titles = [number for number, key in found.items() if key == "title"]
    if len(titles) == 2 and not {"code", "level"} & set(found.values()):
        # The form of Decision 25/2021: "Tiêu chí, chỉ tiêu" holds the codes, "Nội dung" what is asked.
        found[titles[0]] = "code"
    return found


class _Reading:
    """A table under way; all that is wrong with it is gathered."""

    def __init__(self, sheet: str, columns: Mapping[int, str]) -> None:
        self._sheet, self._columns = sheet, columns
        self._outline = Outline()
        self._problems: list[CellProblem] = []
        self._rows: list[CriteriaRow] = []
        self._totals: list[tuple[int, str, str, Decimal | None]] = []

    def table(self, heading: int, filled: Mapping[int, Mapping[int, Cell]]) -> CriteriaTable:
        """Return the tree below the row of headings; raises BookRefused."""
        keys = list(self._columns.values())
        for number, key in self._columns.items():
            if keys.count(key) > 1:
                at = f"{get_column_letter(number)}{heading}"
                self._problem(at, "heading_twice", name=HEADINGS[key][0])
        if self._problems:
            raise BookRefused(self._problems)
        for row in sorted(filled):
            # Each page of a table in Word has its headings again.
            if row > heading and _columns(filled[row]) != self._columns:
                self._read_row(row, filled[row])
        if not self._rows:
            self._problem("", "empty")
        self._name()
        tree = self._tree()
        total = self._check(tree)
        if self._problems:
            raise BookRefused(self._problems)
        return CriteriaTable(tuple(tree), total)

    def _problem(self, cell: str, code: str, /, **facts: object) -> None:
        self._problems.append(CellProblem(self._sheet, cell, say(f"workbook.table.{code}", **facts)))

    def _read_row(self, row: int, cells: Mapping[int, Cell]) -> None:
        at = {key: f"{get_column_letter(number)}{row}" for number, key in self._columns.items()}
        by_key = {key: cells.get(number) for number, key in self._columns.items()}
        said = {key: self._text(at[key], cell) for key, cell in by_key.items()}
        title, (word, code) = one_line(said.get("title")), worded(said.get("code") or "")
        if not any(said.values()) or _is_numbering(said):
            return
        total = TOTAL.fullmatch(folded(title or said.get("code") or ""))
        if total is not None and not said.get("level") and (not code or not title):
            points = self._amount(at, by_key, said, "max_points")
            self._totals.append((len(self._rows), at.get("max_points", ""), total["rest"], points))
            return
        if title is None:
            self._problem(at["title"], "no_title")
            return
        depth = self._depth(at, said, code, word)
        if depth is None:
            return
        found = CriteriaRow(code or self._ordinal(depth), title, depth, at)
        found.max_points = self._amount(at, by_key, said, "max_points")
        if KIND_OF.get(_kind_word(said)) is LeafKind.RATING_MIN:
            found.kind, found.minimum_rating = LeafKind.RATING_MIN, _rating(said.get("minimum"))
        else:
            found.minimum = self._amount(at, by_key, said, "minimum")
            found.kind = self._kind(at, by_key, said, found.minimum)
        self._check_amounts(found)
        found.unit, found.evidence = said.get("unit"), said.get("evidence")
        meant = said.get("not_applicable")
        if meant is not None:
            found.not_applicable = NOT_APPLICABLE_OF.get(folded(meant))
            if found.not_applicable is None:
                self._problem(at["not_applicable"], "unknown_not_applicable", got=meant[:40])
        self._rows.append(found)

    def _text(self, at: str, cell: Cell | None) -> str | None:
        try:
            return text_of(cell)
        except BadCell as error:
            self._problems.append(CellProblem(self._sheet, at, str(error)))
            return None

    def _depth(
        self, at: Mapping[str, str], said: Mapping[str, str | None], code: str, word: str
    ) -> int | None:
        last = self._rows[-1].depth if self._rows else -1
        if "level" in said:
            text = said["level"] or ""
            if not text.isdecimal() or not 1 <= int(text) <= last + 2:
                self._problem(at["level"], "level", got=text[:40], most=last + 2)
                return None
            return int(text) - 1
        if not code:
            self._problem(at["code"], "no_code")
            return None
        try:
            return self._outline.depth(code, word)
        except CodeNotUnderstood:
            self._problem(at["code"], "code_not_understood", got=code[:40])
        except LevelSkipped:
            self._problem(at["code"], "level_skipped", got=code[:40])
        return None

    def _amount(
        self,
        at: Mapping[str, str],
        cells: Mapping[str, Cell | None],
        said: Mapping[str, str | None],
        key: str,
    ) -> Decimal | None:
        """Return a number of points, or a threshold: a share as its percentage."""
        text = said.get(key)
        if text is None:
            return None
        found = AMOUNT.fullmatch(" ".join(folded(text).split()))
        if found is None:
            self._problem(at[key], "not_a_number", got=text[:40])
            return None
        number = Decimal(found["number"].replace(",", ".").replace("−", "-"))
        return exact(float(number * 100)) if _in_percent(cells.get(key)) else number

    def _check_amounts(self, row: CriteriaRow) -> None:
        if row.max_points is not None and row.max_points < 0 and row.kind is not LeafKind.PENALTY:
            self._problem(row.cells["max_points"], "negative")
        if row.minimum is not None and row.minimum < 0:
            self._problem(row.cells["minimum"], "negative")
        if row.kind is LeafKind.RATIO_MIN and row.minimum is not None and row.minimum > 100:
            self._problem(row.cells["minimum"], "more_than_all")
        if row.minimum is not None and row.kind not in (LeafKind.RATIO_MIN, LeafKind.COUNT_MIN, None):
            self._problem(row.cells["minimum"], "minimum_of_another_kind")

    def _kind(
        self,
        at: Mapping[str, str],
        cells: Mapping[str, Cell | None],
        said: Mapping[str, str | None],
        minimum: Decimal | None,
    ) -> LeafKind | None:
        """Return the kind a row names; a threshold alone is that of a share or of a count."""
        word = said.get("kind")
        if word is None:
            is_share = "%" in (said.get("minimum") or "") or _in_percent(cells.get("minimum"))
            if minimum is None:
                return None
            return LeafKind.RATIO_MIN if is_share else LeafKind.COUNT_MIN
        kind = KIND_OF.get(_kind_word(said))
        if kind is None:
            names = ", ".join(words[0] for words in KINDS.values())
            self._problem(at["kind"], "unknown_kind", got=word[:40], known=names)
        return kind

    def _ordinal(self, depth: int) -> str:
        """Return which of its siblings the next row is, for one without a code of its own."""
        siblings = 1
        for row in reversed(self._rows):
            if row.depth < depth:
                break
            siblings += row.depth == depth
        return str(siblings)

    def _name(self) -> None:
        """Give every row a code of its own."""
        codes = unique_codes((row.code, row.depth) for row in self._rows)
        first: dict[str, str] = {}
        for row, code in zip(self._rows, codes, strict=True):
            row.code = code
            at = row.cells.get("code", row.cells["title"])
            if code in first:
                self._problem(at, "code_twice", code=code, first=first[code])
            first.setdefault(code, at)

    def _tree(self) -> list[CriteriaRow]:
        tops: list[CriteriaRow] = []
        above: list[CriteriaRow] = []
        for row in self._rows:
            del above[row.depth :]
            (above[-1].children if above else tops).append(row)
            above.append(row)
        return tops

    def _check(self, tree: list[CriteriaRow]) -> Decimal | None:
        """Check what is added up, and return the total that the table states."""
        total = None
        for place, (before, at, rest, points) in enumerate(self._totals):
            if points is None:
                continue
            is_last = place == len(self._totals) - 1 and before == len(self._rows)
            branch = self._branch_of(before, rest, points if is_last else None)
            parts = tree if branch is None else branch.children or [branch]
            if not self._compare(at, parts, points):
                continue
            if branch is None:
                total = points
            elif branch.max_points is None:
                branch.max_points = points
        for row in self._rows:
            if row.max_points is not None and row.children and row.kind is not LeafKind.COMPOUND:
                self._compare(row.cells["max_points"], row.children, row.max_points)
            if row.children and row.kind not in (None, LeafKind.COMPOUND):
                self._problem(row.cells["kind"], "kind_above_leaves", code=row.code)
        return total

    def _branch_of(self, before: int, rest: str, closing: Decimal | None) -> CriteriaRow | None:
        """Return the branch that a row of totals is about; None for the whole table.

        `closing` are the points of a row that closes the table: it is about the whole, unless it
        sums up the last branch and not all of them.
        """
        named = NAMED.search(rest)
        if named is not None:
            code = bare(named["code"])
            return next((row for row in self._rows if folded(row.code) == code), None)
        tops = [row for row in self._rows[:before] if row.depth == 0]
        if not tops or (closing is not None and not _is_sum_of_last(tops, closing)):
            return None
        return tops[-1]

    def _compare(self, at: str, parts: list[CriteriaRow], whole: Decimal) -> bool:
        """Say whether parts add up to a whole, as far as they are known; note it where they do not."""
        total, are_known = _sum(parts)
        if total is None or total == whole or (not are_known and total < whole):
            return True
        self._problem(at, "does_not_add_up", parts=plain(total), whole=plain(whole))
        return False


def _sum(parts: list[CriteriaRow]) -> tuple[Decimal | None, bool]:
    """Return the points of these rows, None where none has any, and whether all of them have some."""
    counted = [row for row in parts if row.kind not in (LeafKind.BONUS, LeafKind.PENALTY)]
    known = [row.max_points for row in counted if row.max_points is not None]
    return (sum(known, Decimal(0)) if known else None), len(known) == len(counted)


def _is_sum_of_last(tops: list[CriteriaRow], points: Decimal) -> bool:
    return _sum(tops)[0] != points and bool(tops[-1].children) and _sum(tops[-1].children)[0] == points


def one_line(text: str | None) -> str | None:
    """Return a text as one line: cells of annexes are broken where their columns were narrow."""
    return None if text is None else " ".join(text.split())


def _kind_word(said: Mapping[str, str | None]) -> str:
    return re.sub(r"\s*/\s*", "/", folded(one_line(said.get("kind")) or ""))


def _rating(text: str | None) -> str | None:
    """Return the rating a threshold names: `từ khá trở lên` is `khá`."""
    words = re.sub(r"^(?:từ|ít nhất)\s+|\s+trở lên$", "", one_line(text) or "", flags=re.IGNORECASE)
    return words or None


def _is_numbering(said: Mapping[str, str | None]) -> bool:
    """Say whether this is the row below the headings that numbers the columns: (1), (2), 5=3+4."""
    texts = [text for text in said.values() if text]
    return bool(said.get("title")) and all(re.fullmatch(r"\(?\d+\)?(?:=[\d+()]+)?", text) for text in texts)


def _in_percent(cell: Cell | None) -> bool:
    """Excel keeps `80%` as 0,8 and remembers the sign in the format of the cell."""
    if cell is None or not isinstance(cell.value, int | float):
        return False
    return "%" in (cell.number_format or "")
