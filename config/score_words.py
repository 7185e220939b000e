"""What scores, reasons and missing parts are called where people read them."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from config.criteria_file import what_is_missing
from config.messages import say
from rules.criteria import LeafKind
from rules.dossiers import Missing
from rules.scoring import BadMark, Fault

# Reasons that the procedure gives, not the scores.
OF_THE_PROCEDURE = frozenset({"not_proposed", "not_listed", "meeting_vote"})

# Reasons that compare a number with a threshold, which the act may have and nobody has read.
MEASURED = frozenset({"total_min", "total_min_by_area", "total_min_any_area"})


def decimal_words(value: Decimal | str | None) -> str:
    """Return a decimal as people write it here, with a comma: `95,45`; a dash for none."""
    if value is None:
        return "–"
    return format(Decimal(value), "f").replace(".", ",")


# Kinds at which somebody may give the verdict instead of the figure: there is nothing to compare.
MAY_BE_A_VERDICT = frozenset(
    {
        *(LeafKind.MUST_NOT_OCCUR, LeafKind.RATIO_MIN, LeafKind.COUNT_MIN, LeafKind.RATING_MIN),
        LeafKind.NOT_WORSE_THAN_LAST_YEAR,
    }
)

# Faults whose `allowed` is figures, not codes.
WITH_FIGURES = frozenset({Fault.OUT_OF_RANGE, Fault.NOT_A_STEP, Fault.TOO_FINE})


def bad_mark_words(error: BadMark) -> str:
    """Return what is wrong with a mark and what its leaf takes; figures with a comma."""
    allowed = error.allowed.replace(".", ",") if error.fault in WITH_FIGURES else error.allowed
    known = f"bad_mark.{error.fault}"
    if error.fault is Fault.UNKNOWN_WAIVER and not allowed:
        known = "bad_mark.no_waiver"
    elif error.fault is Fault.OUT_OF_RANGE and allowed.endswith("–"):
        known, allowed = "bad_mark.out_of_open_range", allowed.removesuffix("–")
    return say(known, leaf=error.leaf, allowed=allowed)


def reason_text(
    rule: str, code: str | None, need: str | None, got: str | None, outcome: str = "failed"
) -> str:
    """Return what a rule needed and got, and by how much it fell short, in one sentence."""
    facts = {"code": code or "", "need": _shown(need), "got": _shown(got), "short": _short(need, got)}
    if rule == "gap":
        return say("reason_open.gap", code=code or "", what=what_is_missing(got or ""))
    known = "total_min_any_area" if rule == "total_min_by_area" and code is None else rule
    if outcome == "failed" and got is None and rule in MAY_BE_A_VERDICT:
        known = LeafKind.YES_NO
    if outcome == "open" and need is None and code is not None and known in MEASURED:
        return say(f"reason_unknown.{known}", **facts)
    if outcome == "open" and need is None and known == "total_min":
        return say(f"reason_unknown.{known}", **facts)
    return say(f"reason_{outcome}.{known}", **facts)


def why_words(reason: Mapping[str, Any]) -> str:
    """Return why a group is not recognised, by a reason as results keep it."""
    if reason["rule"] in OF_THE_PROCEDURE:
        return say(f"why.{reason['rule']}", got=reason["got"] or "")
    outcome = reason.get("outcome", "failed")
    return reason_text(reason["rule"], reason["code"], reason["need"], reason["got"], outcome)


def missing_words(missing: Missing) -> str:
    """Return what is missing of a dossier: the part, and how much of it where it is counted."""
    if missing.count is None:
        return missing.part.title
    return say(f"missing.{missing.part.part}", title=missing.part.title, count=missing.count)


def _shown(text: str | None) -> str:
    """Return a value with a decimal comma where it is a number, and as it is where it is a word."""
    if text is None:
        return "–"
    try:
        return decimal_words(Decimal(text))
    except InvalidOperation:
        return text


def _short(need: str | None, got: str | None) -> str:
    try:
        short = (Decimal(need or "") - Decimal(got or "")).normalize() + Decimal(0)
        return decimal_words(short)
    except InvalidOperation:
        return "–"
