"""A workbook of scores is made: only what is to be filled is open, and each cell says its limits."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.protection import WorkbookProtection

from config.messages import catalogue, say
from documents.cell_texts import escaped, is_too_long, tidy
from documents.score_book_answers import Value, area_classes, opinion_words, proposal_words
from documents.score_book_layout import (
    FIRST_ROW,
    FORMAT,
    STAMP_SHEET,
    VOTES,
    BookColumn,
    asked_of,
    layout_hash,
    listed_columns,
    listed_values,
    scored_columns,
    scored_values,
)
from documents.score_book_limits import (
    Limit,
    Limits,
    Lists,
    count_limit,
    mark_limit,
    text_limit,
    words_limit,
)
from documents.score_book_rows import BookRefused, BookStamp, CellProblem, GroupRow
from documents.sheets import dress, fixed_bytes, text_cell
from rules.criteria import CriteriaSet, Criterion, LeafKind

# More than that is not taken back (documents/safe_workbook.py), and nobody scrolls through it.
MOST_CELLS = 400_000
LISTS_FROM = 4  # the column of the hidden sheet from which the lists stand
WIDE = 110

# Cells in which a number is typed; all others are text, so that Excel makes no date of `1/2`.
NUMBERS = frozenset(
    {
        *(None, LeafKind.POINTS, LeafKind.BONUS, LeafKind.PENALTY, LeafKind.RATIO_MIN, LeafKind.RATIO_BANDS),
        *(LeafKind.COUNT_MIN, LeafKind.MUST_NOT_OCCUR, LeafKind.PER_OCCURRENCE),
    }
)


def write_book(
    stamp: BookStamp,
    title: str,
    criteria: CriteriaSet,
    leaves: Sequence[Criterion],
    groups: Sequence[GroupRow],
    *,
    unit_name: str | None = None,
    deadline: str | None = None,
) -> bytes:
    """Return the workbook for these leaves of these groups; the same values give the same bytes.

    `unit_name` (else the unit's code) and `deadline` are told as they stand. What is known of the
    groups already stands in the cells. Raises BookRefused where the workbook would not be taken back:
    too many rows, a text too long for a cell.
    """
    _check_size(stamp, criteria, leaves, groups)
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = tidy(title), ""
    # A password would have to be kept and told to be of use, and stops nobody: Excel takes it off in a
    # minute. The protection keeps people from slips; what comes back is checked cell by cell.
    book.security = WorkbookProtection(lockStructure=True)
    _write_guide(book.create_sheet(say("workbook.sheet.guide")), stamp, title, unit_name, deadline)
    lists = Lists(STAMP_SHEET, LISTS_FROM)
    _write_listed(book, stamp, title, criteria, groups, lists)
    _write_scored(book, stamp, title, criteria, leaves, groups, lists)
    _write_stamp(book, stamp, layout_hash(stamp, criteria, leaves, groups), lists)
    return fixed_bytes(book)


def _write_guide(
    page: Any, stamp: BookStamp, title: str, unit_name: str | None, deadline: str | None
) -> None:
    dress(page, [WIDE], title)
    page.freeze_panes = None
    page.print_title_rows = None
    told = [
        say(code, unit=unit_name or stamp.unit, campaign=stamp.campaign)
        for code in catalogue()
        if code.startswith(f"workbook.guide.{stamp.kind}.")
    ]
    if deadline:
        told.insert(0, say("workbook.guide.deadline", deadline=deadline))
    for number, line in enumerate((title, *told)):
        cell = text_cell(page, escaped(tidy(line) or ""))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if number == 0:
            cell.font = Font(bold=True, size=14)
        page.row_dimensions[number + 1].height = _height(line, WIDE) + (6 if number == 0 else 0)
        page.append([cell])
    page.protection.sheet = True


def _write_listed(
    book: Any, stamp: BookStamp, title: str, criteria: CriteriaSet, groups: Sequence[GroupRow], lists: Lists
) -> None:
    sheet = _Sheet(
        book, say("workbook.sheet.listed"), title, listed_columns(stamp.kind, criteria), Limits(lists)
    )
    words = proposal_words()
    limits = {
        "area_class": words_limit("area_class", [tidy(each.title) or "" for each in area_classes(criteria)]),
        "proposed": words_limit("proposed", [words[True], words[False]]),
        "not_proposed_reason": text_limit("not_proposed_reason"),
        **{each: count_limit(each) for each in VOTES},
    }
    for group in groups:
        sheet.append(listed_values(criteria, group), limits, frozenset(VOTES))
    sheet.close()


def _write_scored(
    book: Any,
    stamp: BookStamp,
    title: str,
    criteria: CriteriaSet,
    leaves: Sequence[Criterion],
    groups: Sequence[GroupRow],
    lists: Lists,
) -> None:
    columns = scored_columns(stamp.kind)
    sheet = _Sheet(book, say("workbook.sheet.scored"), title, columns, Limits(lists))
    texts = {
        each: text_limit(each)
        for each in ("self_explanation", "self_evidence", "agency_reason", "agency_evidence", "request")
    }
    texts["opinion"] = words_limit("opinion", opinion_words())
    asked = asked_of(criteria, leaves)
    limits = {}
    for each in asked:
        limit = mark_limit(each.leaf, criteria.step)
        limits[each.leaf.code] = {**texts, "self_mark": limit, "agency_mark": limit}
    for group in groups:
        for each in asked:
            numbers = frozenset({"self_mark", "agency_mark"} if each.leaf.kind in NUMBERS else ())
            values = scored_values(stamp.kind, criteria, each, group)
            sheet.append(values, limits[each.leaf.code], numbers)
    sheet.close()


# The height of a line of text and the most a row can have, in points; the thin grey grid around every cell.
LINE, HIGHEST = 15, 405
_THIN = Side("thin", "B7B7B7")
GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


def _height(text: str, width: int) -> float:
    """Return how high a text stands in a column: programs do not measure the rows of a locked sheet again."""
    lines = sum(ceil((len(line) + 1) / (width - 1)) for line in text.splitlines() or [""])
    return min(LINE * lines + 2, HIGHEST)


class _Sheet:
    """A sheet of rows under way: cells to fill are yellow and open, all others are locked."""

    def __init__(
        self, book: Any, name: str, title: str, columns: Sequence[BookColumn], limits: Limits
    ) -> None:
        self._page, self._columns, self._limits = book.create_sheet(name), columns, limits
        self._row = FIRST_ROW
        self._wrapped = Alignment(horizontal="left", vertical="top", wrap_text=True)
        self._open, self._bold = Protection(locked=False), Font(bold=True)
        self._yellow, self._blue = (
            PatternFill("solid", fgColor="FFF9DB"),
            PatternFill("solid", fgColor="DDE6F0"),
        )
        dress(self._page, [each.width for each in columns], title)
        self._widths = [each.width for each in columns]
        self._fit(1, [each.heading for each in columns])
        self._page.append([self._heading(each) for each in columns])

    def append(
        self, values: Mapping[str, Value], limits: Mapping[str, Limit], numbers: frozenset[str]
    ) -> None:
        """Write a row; `numbers` names the columns whose cells to fill take numbers."""
        cells = []
        for place, column in enumerate(self._columns, start=1):
            cell = self._cell(values[column.key])
            if column.is_filled:
                cell.protection, cell.fill = self._open, self._yellow
                if column.key not in numbers:
                    cell.number_format = "@"
                self._limits.add(get_column_letter(place), self._row, limits[column.key])
            cells.append(cell)
        self._fit(self._row, [values[each.key] for each in self._columns])
        self._page.append(cells)
        self._row += 1

    def close(self) -> None:
        """Put the limits into the sheet and lock what is not to be filled."""
        self._page.data_validations.dataValidation.extend(self._limits.rules())
        self._page.auto_filter.ref = f"A1:{get_column_letter(len(self._columns))}{self._row - 1}"
        protection = self._page.protection
        protection.sheet = True
        # Widths, heights and the filter stay free: they alter nothing that is read back.
        protection.formatColumns = protection.formatRows = protection.autoFilter = False

    def _fit(self, row: int, values: Sequence[Value]) -> None:
        heights = [
            _height(str(value or ""), width) for value, width in zip(values, self._widths, strict=True)
        ]
        self._page.row_dimensions[row].height = max(heights)

    def _heading(self, column: BookColumn) -> Any:
        cell = text_cell(self._page, column.heading)
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = GRID
        cell.font, cell.fill = self._bold, self._yellow if column.is_filled else self._blue
        return cell

    def _cell(self, value: Value) -> Any:
        if isinstance(value, Decimal):
            cell = WriteOnlyCell(self._page, float(value))
        else:
            cell = text_cell(self._page, escaped(value)) if value else WriteOnlyCell(self._page, None)
        cell.alignment, cell.border = self._wrapped, GRID
        return cell


def _write_stamp(book: Any, stamp: BookStamp, digest: str, lists: Lists) -> None:
    page = book.create_sheet(STAMP_SHEET)
    page.sheet_state = "veryHidden"
    page.protection.sheet = True
    rows = [
        ("format", FORMAT),
        ("kind", stamp.kind.value),
        ("campaign", stamp.campaign),
        ("unit", stamp.unit),
        ("version", str(stamp.version)),
        ("criteria", stamp.criteria),
        ("layout", digest),
    ]
    height = max(len(rows), *(len(words) for words in lists.columns), 0)
    for row in range(height):
        known = rows[row] if row < len(rows) else (None, None)
        listed = [words[row] if row < len(words) else None for words in lists.columns]
        page.append([text_cell(page, escaped(each)) if each else None for each in (*known, None, *listed)])


def _check_size(
    stamp: BookStamp, criteria: CriteriaSet, leaves: Sequence[Criterion], groups: Sequence[GroupRow]
) -> None:
    cells = len(groups) * len(leaves) * len(scored_columns(stamp.kind))
    if cells > MOST_CELLS:
        raise BookRefused([CellProblem("", "", say("workbook.problem.too_many_rows", rows=len(groups)))])
    problems = []
    asked = asked_of(criteria, leaves)
    for group in groups:
        rows = [listed_values(criteria, group)]
        rows += [scored_values(stamp.kind, criteria, each, group) for each in asked]
        for value in (value for row in rows for value in row.values()):
            if isinstance(value, str) and is_too_long(value):
                text = say("workbook.problem.text_too_long", group=group.name, start=value[:40])
                problems.append(CellProblem("", "", text))
    if problems:
        raise BookRefused(problems)
