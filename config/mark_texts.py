"""Marks as people type them in a table, a command or a workbook, read for the leaf they are about."""

import re
from decimal import Decimal, InvalidOperation

from rules.criteria import Criterion, LeafKind, Mark, folded
from rules.scoring import BadMark, Fault

MET = frozenset(map(folded, ("đạt", "x", "met", "pass", "true", "đúng")))
NOT_MET = frozenset(map(folded, ("chưa đạt", "không đạt", "not_met", "not met", "fail", "false", "sai")))
YES = frozenset(map(folded, ("có", "yes", "y")))
NO = frozenset(map(folded, ("không", "no", "n")))
# What is said of a thing that must not occur, beside yes and no.
OCCURRED = frozenset(map(folded, ("xảy ra", "có xảy ra", "đã xảy ra")))
NOT_OCCURRED = frozenset(map(folded, ("không xảy ra", "không để xảy ra", "chưa xảy ra", "không có")))
NOT_APPLICABLE = frozenset(
    map(folded, ("KAD", "n/a", "na", "không áp dụng", "không phát sinh", "not_applicable"))
)

# One and nought as a program writes them into a table of decimals.
ONE, ZERO = frozenset(("1", "1.0", "1,0")), frozenset(("0", "0.0", "0,0"))

# What stands in a cell where there is nothing to name.
NOTHING = frozenset(map(folded, ("không", "không có", "no", "none", "0", "-", "–")))

# Thousands set apart by blanks, as people write them: `1 200`.
GROUPED = re.compile(r"[+-]?\d{1,3}(?:\s\d{3})+(?:[.,]\d+)?")

# An occurrence that a case excuses: `1 (bat-kha-khang)`.
WITH_CASE = re.compile(r"(?P<count>[^()]+)\((?P<case>[^()]+)\)")

ABOUT_A_NUMBER = frozenset(
    {
        *(LeafKind.RATIO_MIN, LeafKind.RATIO_BANDS, LeafKind.COUNT_MIN, LeafKind.MUST_NOT_OCCUR),
        *(LeafKind.NOT_WORSE_THAN_LAST_YEAR, LeafKind.PER_OCCURRENCE),
    }
)


def read_mark(leaf: Criterion, text: str) -> Mark | None:
    """Return the mark a text means at a leaf, None where it is blank; raises BadMark.

    Numbers take a point or a comma, a share also `95%` or `19/20`. "Đạt" and "chưa đạt" give the
    verdict itself at any leaf that is met or not. "Có" and "không" answer a question: at a leaf
    that asks what must not occur they say that it did, or did not. `KAD` is not applicable. Last
    year and this year stand as `12;10`.
    """
    said = text.strip()
    word = folded(said)
    if not word:
        return None
    if word in NOT_APPLICABLE:
        return Mark(is_not_applicable=True)
    match leaf.kind:
        case None | LeafKind.POINTS | LeafKind.BONUS | LeafKind.PENALTY:
            return Mark(value=_number(leaf, said))
        case LeafKind.CHOICE:
            return Mark(choice=_one_of(leaf, said, {each.code: each.title for each in leaf.options}))
        case LeafKind.RATING_MIN if word not in MET | NOT_MET or word in map(folded, leaf.scale):
            # "Đạt" may be a rating itself, and one below the minimum.
            return Mark(choice=_rating(leaf, said))
        case LeafKind.PER_OCCURRENCE:
            return Mark(value=_number(leaf, said))
        case LeafKind.RATIO_BANDS:
            return Mark(value=_share(leaf, said))
    verdict = _verdict(leaf, word)
    if verdict is not None:
        return Mark(is_met=verdict)
    match leaf.kind:
        case LeafKind.RATIO_MIN:
            return Mark(value=_share(leaf, said))
        case LeafKind.MUST_NOT_OCCUR:
            return _occurrences(leaf, said)
        case LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            return _two_years(leaf, said)
        case LeafKind.COUNT_MIN:
            return Mark(value=_number(leaf, said))
    raise BadMark(leaf.code, Fault.NEEDS_VERDICT)


def _verdict(leaf: Criterion, word: str) -> bool | None:
    if word in MET:
        return True
    if word in NOT_MET:
        return False
    if leaf.kind is LeafKind.MUST_NOT_OCCUR:
        # The answer is to "did it occur?".
        return False if word in YES | OCCURRED else True if word in NO | NOT_OCCURRED else None
    if word in YES or (word in ONE and leaf.kind not in ABOUT_A_NUMBER):
        return True
    if word in NO or (word in ZERO and leaf.kind not in ABOUT_A_NUMBER):
        return False
    return None


def _number(leaf: Criterion, text: str) -> Decimal:
    try:
        return plain_number(text)
    except InvalidOperation:
        raise BadMark(leaf.code, Fault.NEEDS_NUMBER) from None


def plain_number(text: str) -> Decimal:
    """Return the number that people write, with a point or a comma; raises InvalidOperation.

    Powers of ten and digits grouped by underscores are for programs: `9_5` is a slip, not 95, and
    so is `9 5`; only thousands are set apart by blanks.
    """
    bare = text.strip()
    if GROUPED.fullmatch(bare):
        bare = "".join(bare.split())
    if "_" in bare or "e" in bare.lower() or len(bare.split()) != 1:
        raise InvalidOperation
    number = Decimal(bare.replace(",", "."))
    if not number.is_finite():
        raise InvalidOperation
    return number


def _share(leaf: Criterion, text: str) -> Decimal:
    """Return a percentage: `95`, `95%`, or the share of two counts, `19/20`."""
    part, mark, whole = text.partition("/")
    if not mark:
        return _number(leaf, text.removesuffix("%"))
    total = _number(leaf, whole)
    if total <= 0:
        raise BadMark(leaf.code, Fault.NEEDS_NUMBER)
    return _number(leaf, part) * 100 / total


def _occurrences(leaf: Criterion, text: str) -> Mark:
    found = WITH_CASE.fullmatch(text)
    if found is None:
        return Mark(value=_number(leaf, text))
    known = {each.code: each.title for each in leaf.waivers}
    case = found["case"].strip()
    return Mark(value=_number(leaf, found["count"].strip()), waiver=_named(case, known) or case)


def _two_years(leaf: Criterion, text: str) -> Mark:
    before, mark, now = text.partition(";")
    if not mark:
        raise BadMark(leaf.code, Fault.NEEDS_LAST_YEAR)
    return Mark(value=_number(leaf, now), before=_number(leaf, before))


def _rating(leaf: Criterion, said: str) -> str:
    # A scale may itself be of digits: its words come before the places on it.
    place = int(said) if said.isdecimal() and len(said) < 4 else 0
    if said not in leaf.scale and 1 <= place <= len(leaf.scale):
        return leaf.scale[place - 1]
    return _one_of(leaf, said, {each: each for each in leaf.scale})


def _one_of(leaf: Criterion, said: str, known: dict[str, str]) -> str:
    found = _named(said, known)
    if found is None:
        raise BadMark(leaf.code, Fault.NEEDS_CHOICE, ", ".join(known))
    return found


def _named(said: str, known: dict[str, str]) -> str | None:
    """Return the code that is meant; one written exactly so comes first, for `d` and `đ` fold alike."""
    if said in known:
        return said
    word = folded(said)
    return next((code for code, title in known.items() if word in (folded(code), folded(title))), None)


def mark_text(mark: Mark) -> str:
    """Return the text that is read as this mark again; decimals with a comma."""
    if mark.is_not_applicable:
        return "KAD"
    if mark.choice is not None:
        return mark.choice
    if mark.is_met is not None:
        return "đạt" if mark.is_met else "chưa đạt"
    if mark.value is None:
        return ""
    value = _plain(mark.value)
    if mark.before is not None:
        return f"{_plain(mark.before)};{value}"
    return f"{value} ({mark.waiver})" if mark.waiver else value


def _plain(value: Decimal) -> str:
    return format(value, "f").replace(".", ",")
