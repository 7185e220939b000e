"""What people typed into the cells of a workbook, as texts and marks, or why it cannot be read."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from openpyxl.cell.cell import Cell

from config.mark_texts import plain_number, read_mark
from config.messages import say
from config.score_words import bad_mark_words
from documents.cell_texts import LONGEST_TEXT, is_too_long, plain, tidy, unescaped
from rules.criteria import Criterion, LeafKind, Mark
from rules.scoring import BadMark, judge

RATIOS = (LeafKind.RATIO_MIN, LeafKind.RATIO_BANDS)
MOST_PEOPLE = 1_000_000  # that meet: a commune has a tenth of them


class BadCell(Exception):
    """A cell cannot be read; `str` says why and what to do."""

    def __init__(self, code: str, /, **facts: object) -> None:
        super().__init__(say(f"workbook.problem.{code}", **facts))


def text_of(cell: Cell | None) -> str | None:
    """Return the text of a cell, a number or a day as people write it; None where it is blank.

    Raises BadCell for a formula, an error of Excel, and TRUE or FALSE.
    """
    value = _value(cell)
    if isinstance(value, datetime):
        return f"{value:%d/%m/%Y %H:%M}".removesuffix(" 00:00")
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, time | timedelta):
        return str(value)
    if isinstance(value, Decimal):
        return plain(value)
    if value is not None and is_too_long(value):
        raise BadCell("too_long", most=f"{LONGEST_TEXT:,}".replace(",", "."))
    return value


def mark_of(cell: Cell | None, leaf: Criterion, step: Decimal | None) -> Mark | None:
    """Return the mark of a cell, None where it is blank.

    Raises BadCell for what the leaf cannot have, and for a day: Excel makes one of `1/2`.
    """
    value = _value(cell)
    if value is None:
        return None
    if isinstance(value, Decimal):
        value = plain(_in_percent(value, cell, leaf))
    if not isinstance(value, str):
        raise BadCell("date")
    try:
        mark = read_mark(leaf, value)
        judge(leaf, mark, step)
    except BadMark as error:
        raise BadCell("mark", got=value[:40], what=bad_mark_words(error)) from None
    return mark


def count_of(cell: Cell | None) -> int | None:
    """Return the number of people in a cell, None where it is blank; raises BadCell for anything else."""
    value = _value(cell)
    if value is None:
        return None
    try:
        number = value if isinstance(value, Decimal) else plain_number(str(value))
    except InvalidOperation:
        raise BadCell("not_a_count", got=str(value)[:40]) from None
    if not 0 <= number <= MOST_PEOPLE or number != number.to_integral_value():
        raise BadCell("not_a_count", got=plain(number)[:40])
    return int(number)


def _value(cell: Cell | None) -> str | Decimal | date | time | timedelta | None:
    if cell is None or cell.value is None:
        return None
    value = cell.value
    if cell.data_type == "f" or not isinstance(value, str | bool | int | float | date | time | timedelta):
        raise BadCell("formula")
    if cell.data_type == "e":
        raise BadCell("error", got=str(value))
    if isinstance(value, bool):
        raise BadCell("boolean")
    if isinstance(value, str):
        return tidy(unescaped(value))
    if isinstance(value, int | float):
        return exact(value)
    return value


def exact(number: float) -> Decimal:
    """Return a number of Excel as it shows it: binary fractions to the 15 digits that it keeps.

    9.57 is 9.57, and what was computed and pasted as 0.30000000000000004 is 0.3. Raises BadCell for
    one that is larger than any number of Excel.
    """
    try:
        shown = Decimal(format(number, ".15g"))
    except OverflowError:
        raise BadCell("error", got="#NUM!") from None
    if not shown.is_finite():
        raise BadCell("error", got="#NUM!")
    # Written out: one of the size of 1E+30 is no number of Excel's fifteen digits, and wrong at any leaf.
    return Decimal(format(shown, "f"))


def _in_percent(value: Decimal, cell: Cell | None, leaf: Criterion) -> Decimal:
    """Excel keeps what is typed as `95%` as 0,95 and remembers the sign in the format of the cell."""
    if cell is None or "%" not in (cell.number_format or ""):
        return value
    if leaf.kind not in RATIOS:
        raise BadCell("percent")
    return exact(float(value * 100))
