"""How a mark is written in a cell, which words may be chosen at a leaf, and what is told about it."""

from decimal import Decimal

from config.messages import say
from documents.cell_texts import plain, tidy
from rules.criteria import (
    AreaClass,
    CriteriaSet,
    Criterion,
    LeafKind,
    Mark,
    NotApplicable,
    TotalMinByClass,
    VoteMin,
    folded,
)
from rules.scoring import judge

EXCEL_DIGITS = 15  # what a number of Excel holds

Value = str | Decimal | None


def is_same_worth(leaf: Criterion, one: Mark | None, other: Mark | None, step: Decimal | None) -> bool:
    """Say whether two marks come to the same: only another worth is an overruling that needs a reason.

    Raises BadMark for a mark that the leaf cannot have.
    """
    if one is None or other is None:
        return one is other
    return _worth(leaf, one, step) == _worth(leaf, other, step)


def _worth(leaf: Criterion, mark: Mark, step: Decimal | None) -> tuple[Decimal | None, bool | None, bool]:
    judged = judge(leaf, mark, step)
    is_left_out = mark.is_not_applicable and leaf.not_applicable is NotApplicable.OWN_GROUP
    return judged.points, judged.is_met, is_left_out


def shown(leaf: Criterion, mark: Mark | None) -> Value:
    """Return a mark as its cell holds it: a number where it is one, else the words that are read as it."""
    if mark is None:
        return None
    if mark.is_not_applicable:
        return say("workbook.word.not_applicable")
    if mark.choice is not None:
        return tidy(_choice_words(leaf, mark.choice))
    if mark.is_met is not None:
        return verdict_words()[mark.is_met]
    if mark.value is None:
        return None
    if mark.before is not None:
        return f"{plain(mark.before)};{plain(mark.value)}"
    if mark.waiver is not None:
        return tidy(f"{plain(mark.value)} ({mark.waiver})")
    fits = len(mark.value.normalize().as_tuple().digits) <= EXCEL_DIGITS
    return mark.value if fits else plain(mark.value)


def _choice_words(leaf: Criterion, choice: str) -> str:
    names = [{folded(option.code), folded(option.title)} for option in leaf.options]
    for option in leaf.options:
        # Two answers of one name, or one named like another's code, are told apart by their codes.
        if option.code == choice and sum(folded(option.title) in each for each in names) == 1:
            return option.title
    return choice


def answers(leaf: Criterion) -> tuple[str, ...]:
    """Return the words that may be chosen at a leaf; none where a number is typed."""
    met, not_met = verdict_words()[True], verdict_words()[False]
    match leaf.kind:
        case LeafKind.CHOICE:
            words: tuple[str, ...] = tuple(_choice_words(leaf, option.code) for option in leaf.options)
        case LeafKind.RATING_MIN:
            words = leaf.scale
        case LeafKind.YES_NO | LeafKind.REFER | LeafKind.COMPOUND:
            words = (met, not_met)
        case LeafKind.MUST_NOT_OCCUR:
            words = (met, not_met, *(f"1 ({waiver.code})" for waiver in leaf.waivers))
        case LeafKind.RATIO_MIN | LeafKind.COUNT_MIN | LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            words = (met, not_met)
        case _:
            words = ()
    if leaf.not_applicable is not None:
        words = (*words, say("workbook.word.not_applicable"))
    return tuple(tidy(each) or "" for each in words)


def how(leaf: Criterion, step: Decimal | None) -> str:
    """Return in one or several lines what is to be written at a leaf."""
    kind = (leaf.kind or LeafKind.POINTS).value
    said = [
        say(
            f"workbook.how.{kind}",
            minimum=_or_dash(leaf.minimum),
            rating=leaf.minimum_rating or "–",
            limit=_or_dash(leaf.limit),
            each=_or_dash(leaf.each),
        )
    ]
    if kind in (LeafKind.POINTS, LeafKind.BONUS, LeafKind.PENALTY) and step is not None:
        said.append(say("workbook.how.step", step=plain(step)))
    said += [f"- {each.title}: {plain(each.points)}" for each in leaf.options]
    said += [_band_words(each.from_value, each.below, each.points) for each in leaf.bands]
    said += [f"- {each.code}: {each.title}" for each in leaf.waivers]
    said += [f"- {each.code}. {each.title}" for each in leaf.children]
    if leaf.not_applicable is not None:
        said.append(say("workbook.how.not_applicable"))
    return "\n".join(said)


def _band_words(start: Decimal, below: Decimal | None, points: Decimal) -> str:
    code = "workbook.how.band" if below is not None else "workbook.how.top_band"
    return say(code, start=plain(start), below=_or_dash(below), points=plain(points))


def _or_dash(value: Decimal | None) -> str:
    return "–" if value is None else plain(value)


def area_classes(criteria: CriteriaSet) -> tuple[AreaClass, ...]:
    """Return the classes of area that a set tells apart."""
    return next((rule.classes for rule in criteria.rules if isinstance(rule, TotalMinByClass)), ())


def asks_votes(criteria: CriteriaSet) -> bool:
    """Say whether a set asks how the people of each group voted."""
    return any(isinstance(rule, VoteMin) for rule in criteria.rules)


def proposal_words() -> dict[bool, str]:
    """Return the words for proposed and not proposed."""
    return {True: say("workbook.word.proposed"), False: say("workbook.word.not_proposed")}


def verdict_words() -> dict[bool, str]:
    """Return the words for met and not met."""
    return {True: say("workbook.word.met"), False: say("workbook.word.not_met")}


def opinion_words() -> tuple[str, str]:
    """Return the words with which an agency agrees, and with which it gives another score."""
    return say("workbook.word.agree"), say("workbook.word.overrule")
