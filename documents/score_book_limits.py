"""What Excel lets people type into a cell of a workbook of scores: lists, limits, and a word of advice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from config.messages import say
from documents.cell_texts import LONGEST_TEXT, plain
from documents.score_book_answers import answers
from rules.criteria import Criterion, LeafKind
from rules.scoring import point_limits

# What Excel shows of each; a longer one makes it repair the file.
LONGEST_TITLE, LONGEST_ADVICE = 32, 255
MOST_AREAS = 200  # of one rule: their addresses stand in one attribute

POINTS = (None, LeafKind.POINTS, LeafKind.BONUS, LeafKind.PENALTY)
COUNTS = (LeafKind.COUNT_MIN, LeafKind.MUST_NOT_OCCUR, LeafKind.PER_OCCURRENCE)
WHOLE = "AND(ISNUMBER({cell}),{cell}>=0,{cell}=INT({cell}))"
RATIOS = (LeafKind.RATIO_MIN, LeafKind.RATIO_BANDS)


@dataclass(frozen=True, slots=True)
class Limit:
    """What a cell takes: `formula` speaks of the cell as `{cell}`; `words` are offered as a list.

    `is_strict` False only asks back: the cell also takes what no list can hold.
    """

    type: Literal["list", "custom", "decimal", "textLength"]
    advice: str
    formula: str | None = None
    upper: str | None = None
    words: tuple[str, ...] = ()
    is_strict: bool = True


def text_limit(key: str) -> Limit:
    """Return the limit of a column of text."""
    return Limit("textLength", say(f"workbook.advice.{key}"), str(LONGEST_TEXT))


def words_limit(key: str, words: Sequence[str]) -> Limit:
    """Return the limit of a column in which one of these words is chosen."""
    return Limit("list", say(f"workbook.advice.{key}"), words=tuple(words))


def count_limit(key: str) -> Limit:
    """Return the limit of a column in which people are counted."""
    return Limit("custom", say(f"workbook.advice.{key}"), WHOLE)


def mark_limit(leaf: Criterion, step: Decimal | None) -> Limit:
    """Return what the cell of a mark at this leaf takes."""
    words = answers(leaf)
    if leaf.kind in POINTS:
        return _of_points(leaf, step, words)
    if leaf.kind in RATIOS:
        return _of_number("AND(ISNUMBER({cell}),{cell}>=0,{cell}<=100)", say("workbook.advice.ratio"), words)
    if leaf.kind in COUNTS and not leaf.waivers:
        return _of_number(WHOLE, say("workbook.advice.count"), words)
    if leaf.kind is LeafKind.MUST_NOT_OCCUR:
        return Limit("list", say("workbook.advice.occurrences"), words=words, is_strict=False)
    if leaf.kind is LeafKind.NOT_WORSE_THAN_LAST_YEAR:
        return Limit("list", say("workbook.advice.two_years"), words=words, is_strict=False)
    return Limit("list", say("workbook.advice.choice"), words=words)


def _of_points(leaf: Criterion, step: Decimal | None, words: tuple[str, ...]) -> Limit:
    lowest, highest = point_limits(leaf)
    low = "–" if lowest is None else plain(lowest)
    high = "–" if highest is None else plain(highest)
    advice = say("workbook.advice.points", lowest=low, highest=high)
    if step is None and not words and lowest is not None and highest is not None:
        return Limit("decimal", advice, format(lowest, "f"), format(highest, "f"))
    tests = ["ISNUMBER({cell})"]
    tests += [] if lowest is None else [f"{{cell}}>={lowest:f}"]
    tests += [] if highest is None else [f"{{cell}}<={highest:f}"]
    if step is not None:
        # Excel counts in binary: 0,3 is not three times 0,1 to it.
        tests.append(f"ABS({{cell}}/{step:f}-ROUND({{cell}}/{step:f},0))<0.000001")
        advice = f"{advice} {say('workbook.how.step', step=plain(step))}"
    return _of_number(f"AND({','.join(tests)})", advice, words)


def _of_number(test: str, advice: str, words: tuple[str, ...]) -> Limit:
    """Return the limit of a cell that takes a number by this test, or one of a few words."""
    if not words:
        return Limit("custom", advice, test)
    known = ",".join(f'{{cell}}="{word}"' for word in words)
    asked = say("workbook.advice.or_words", words=" / ".join(words))
    return Limit("custom", f"{advice} {asked}", f"OR({test},{known})")


class Limits:
    """The limits of one sheet under way: cells of the same limit share one rule of Excel."""

    def __init__(self, lists: "Lists") -> None:
        self._lists = lists
        self._rows: dict[tuple[str, Limit], list[int]] = {}

    def add(self, column: str, row: int, limit: Limit) -> None:
        """Put a cell under a limit."""
        self._rows.setdefault((column, limit), []).append(row)

    def rules(self) -> Iterator[DataValidation]:
        """Yield the rules of Excel, each for cells of one column."""
        for (column, limit), rows in self._rows.items():
            areas = list(_areas(column, rows))
            for start in range(0, len(areas), MOST_AREAS):
                yield self._rule(limit, areas[start : start + MOST_AREAS])

    def _rule(self, limit: Limit, areas: Sequence[str]) -> DataValidation:
        formula = self._lists.place(limit.words) if limit.type == "list" else limit.formula
        first = areas[0].partition(":")[0]
        return DataValidation(
            type=limit.type,
            operator="lessThanOrEqual" if limit.type == "textLength" else "between",
            formula1=formula.replace("{cell}", first) if formula else None,
            formula2=limit.upper,
            allow_blank=True,
            sqref=" ".join(areas),
            showErrorMessage=True,
            showInputMessage=True,
            errorStyle="stop" if limit.is_strict else "warning",
            errorTitle=say("workbook.advice.wrong")[:LONGEST_TITLE],
            error=limit.advice[:LONGEST_ADVICE],
            promptTitle=say("workbook.advice.title")[:LONGEST_TITLE],
            prompt=limit.advice[:LONGEST_ADVICE],
        )


class Lists:
    """The lists that cells offer; they stand on a hidden sheet, for words may hold commas."""

    def __init__(self, sheet: str, first_column: int) -> None:
        self._sheet, self._first = sheet, first_column
        self.columns: list[tuple[str, ...]] = []

    def place(self, words: tuple[str, ...]) -> str:
        """Return where a list stands, after putting it there if it is new."""
        if words not in self.columns:
            self.columns.append(words)
        letter = get_column_letter(self._first + self.columns.index(words))
        return f"'{self._sheet}'!${letter}$1:${letter}${len(words)}"


def _areas(column: str, rows: Sequence[int]) -> Iterator[str]:
    """Yield the addresses of these rows, those that follow each other as one."""
    start = end = rows[0]
    for row in [*rows[1:], None]:
        if row == end + 1:
            end = row
            continue
        yield f"{column}{start}" if start == end else f"{column}{start}:{column}{end}"
        if row is not None:
            start = end = row
