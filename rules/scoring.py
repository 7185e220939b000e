"""Scoring (chấm điểm): what a mark is worth, what a sheet comes to, and which rule decided by how much."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from rules.criteria import (
    ChildrenShare,
    CriteriaSet,
    Criterion,
    CriterionFloor,
    Judged,
    LeafKind,
    Levels,
    Mark,
    Method,
    NotApplicable,
    TotalMin,
    TotalMinByClass,
    Verdict,
    Vetoes,
    VoteMin,
)

HUNDRED = Decimal(100)
ZERO = Decimal(0)

# Where a set does not say the most a leaf brings: more than this is nobody's score, nor exactly reckoned.
BEYOND = Decimal(10) ** 9

# The finest points that are kept (ten-thousandths), and the finest of which a sum is still exact.
KEPT = Decimal("0.0001")
RECKONED = Decimal("0.000000000001")


class Fault(StrEnum):
    """What is wrong with a mark."""

    NEEDS_NUMBER = "needs_number"
    NEEDS_VERDICT = "needs_verdict"
    NEEDS_CHOICE = "needs_choice"
    NEEDS_LAST_YEAR = "needs_last_year"
    OUT_OF_RANGE = "out_of_range"
    NOT_WHOLE = "not_whole"
    NOT_A_STEP = "not_a_step"
    TOO_FINE = "too_fine"
    UNKNOWN_WAIVER = "unknown_waiver"
    NOT_APPLICABLE_HERE = "not_applicable_here"


class BadMark(Exception):
    """A mark that the leaf cannot have; `allowed` says what it can."""

    def __init__(self, leaf: str, fault: Fault, allowed: str = "") -> None:
        super().__init__(f"{leaf}: {fault} {allowed}".rstrip())
        self.leaf, self.fault, self.allowed = leaf, fault, allowed


def judge(leaf: Criterion, mark: Mark | None, step: Decimal | None = None, finest: Decimal = KEPT) -> Judged:
    """Return what a mark is worth at a leaf: points where it brings some, met or not where it asks that.

    A leaf without a mark comes to nothing, neither met nor not. Nothing is rounded before it is
    compared; bands hold their lower bound and not their upper one. `step` is the set's; points finer
    than `finest` are refused, not rounded.

    Raises BadMark for what the leaf cannot have.
    """
    if mark is None:
        return Judged()
    if mark.is_not_applicable:
        return _not_applicable(leaf)
    match leaf.kind:
        case None | LeafKind.POINTS | LeafKind.BONUS | LeafKind.PENALTY:
            return _points(leaf, mark, step, finest)
        case LeafKind.CHOICE:
            return _choice(leaf, mark)
        case LeafKind.RATIO_BANDS:
            return _bands(leaf, mark)
        case LeafKind.PER_OCCURRENCE:
            return _occurrences(leaf, mark)
        case LeafKind.YES_NO | LeafKind.REFER | LeafKind.COMPOUND:
            return _met(leaf, _verdict(leaf, mark))
        case LeafKind.MUST_NOT_OCCUR:
            return _must_not_occur(leaf, mark)
        case LeafKind.RATIO_MIN | LeafKind.COUNT_MIN:
            return _at_least(leaf, mark)
        case LeafKind.RATING_MIN:
            return _rating(leaf, mark)
        case LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            return _not_worse(leaf, mark)


def _not_applicable(leaf: Criterion) -> Judged:
    match leaf.not_applicable:
        case None:
            raise BadMark(leaf.code, Fault.NOT_APPLICABLE_HERE)
        case NotApplicable.OWN_GROUP:
            return Judged()
        case NotApplicable.PASS:
            return _met(leaf, True)
        case NotApplicable.FULL_POINTS:
            return Judged(points=leaf.max_points, is_met=None if brings_points_alone(leaf) else True)


def brings_points_alone(leaf: Criterion) -> bool:
    """Say whether a leaf brings points and asks for nothing to be met."""
    return leaf.kind in (
        None,
        *(LeafKind.POINTS, LeafKind.CHOICE, LeafKind.RATIO_BANDS, LeafKind.PER_OCCURRENCE),
        *(LeafKind.BONUS, LeafKind.PENALTY),
    )


def _met(leaf: Criterion, is_met: bool, need: str | None = None, got: str | None = None) -> Judged:
    points = None if leaf.max_points is None else leaf.max_points if is_met else ZERO
    return Judged(points, is_met, need, got)


def _number(leaf: Criterion, mark: Mark) -> Decimal:
    if mark.value is None or not mark.value.is_finite():
        raise BadMark(leaf.code, Fault.NEEDS_NUMBER)
    return mark.value


def _verdict(leaf: Criterion, mark: Mark) -> bool:
    if mark.is_met is None:
        raise BadMark(leaf.code, Fault.NEEDS_VERDICT)
    return mark.is_met


def _within(leaf: Criterion, value: Decimal, lowest: Decimal, highest: Decimal | None) -> None:
    if value < lowest or (highest is not None and value > highest):
        raise BadMark(leaf.code, Fault.OUT_OF_RANGE, f"{lowest}–{'' if highest is None else highest}")


def _points(leaf: Criterion, mark: Mark, step: Decimal | None, finest: Decimal) -> Judged:
    value = _number(leaf, mark)
    lowest, highest = point_limits(leaf)
    _within(leaf, value, ZERO if lowest is None else lowest, highest)
    if abs(value) >= BEYOND:
        raise BadMark(leaf.code, Fault.OUT_OF_RANGE, f"{lowest}–")
    if step and value % step:
        raise BadMark(leaf.code, Fault.NOT_A_STEP, str(step))
    if value != value.quantize(finest):
        raise BadMark(leaf.code, Fault.TOO_FINE, plain(finest))
    return Judged(points=value)


def point_limits(leaf: Criterion) -> tuple[Decimal | None, Decimal | None]:
    """Return the fewest and the most points a leaf can bring; None where its file does not say."""
    match leaf.kind:
        case LeafKind.BONUS:
            return ZERO, leaf.limit
        case LeafKind.PENALTY:
            return (None if leaf.limit is None else -leaf.limit), ZERO
        case LeafKind.PER_OCCURRENCE if leaf.each is not None and leaf.each < 0:
            return (None if leaf.limit is None else -leaf.limit), ZERO
        case LeafKind.PER_OCCURRENCE:
            return ZERO, leaf.limit if leaf.limit is not None else leaf.max_points
        case LeafKind.CHOICE if leaf.options:
            return min(each.points for each in leaf.options), max(each.points for each in leaf.options)
        case LeafKind.RATIO_BANDS if leaf.bands:
            return min(each.points for each in leaf.bands), max(each.points for each in leaf.bands)
    return ZERO, leaf.max_points


def _choice(leaf: Criterion, mark: Mark) -> Judged:
    for option in leaf.options:
        if mark.choice == option.code:
            return Judged(points=option.points, got=option.code)
    raise BadMark(leaf.code, Fault.NEEDS_CHOICE, ", ".join(option.code for option in leaf.options))


def _bands(leaf: Criterion, mark: Mark) -> Judged:
    value = _number(leaf, mark)
    _within(leaf, value, ZERO, HUNDRED)
    for band in leaf.bands:
        if value >= band.from_value and (band.below is None or value < band.below):
            return Judged(points=band.points, got=plain(value))
    raise BadMark(leaf.code, Fault.OUT_OF_RANGE)


def _occurrences(leaf: Criterion, mark: Mark) -> Judged:
    count = _count(leaf, mark)
    points = count * (leaf.each or ZERO)
    lowest, highest = point_limits(leaf)
    if highest is not None:
        points = min(points, highest)
    if lowest is not None:
        points = max(points, lowest)
    return Judged(points=points, got=plain(count))


def _count(leaf: Criterion, mark: Mark) -> Decimal:
    count = _number(leaf, mark)
    _within(leaf, count, ZERO, None)
    if count != count.to_integral_value():
        raise BadMark(leaf.code, Fault.NOT_WHOLE)
    return count


def _must_not_occur(leaf: Criterion, mark: Mark) -> Judged:
    if mark.value is None:
        return _met(leaf, _verdict(leaf, mark))
    count = _count(leaf, mark)
    known = tuple(waiver.code for waiver in leaf.waivers)
    if mark.waiver is not None and mark.waiver not in known:
        raise BadMark(leaf.code, Fault.UNKNOWN_WAIVER, ", ".join(known))
    return _met(leaf, count == 0 or mark.waiver is not None, "0", plain(count))


def _at_least(leaf: Criterion, mark: Mark) -> Judged:
    if mark.value is None:
        return _met(leaf, _verdict(leaf, mark))
    if leaf.kind is LeafKind.COUNT_MIN:
        value = _count(leaf, mark)
    else:
        value = _number(leaf, mark)
        _within(leaf, value, ZERO, HUNDRED)
    minimum = leaf.minimum if leaf.minimum is not None else ZERO
    return _met(leaf, value >= minimum, plain(minimum), plain(value))


def _rating(leaf: Criterion, mark: Mark) -> Judged:
    if mark.choice is None:
        return _met(leaf, _verdict(leaf, mark))
    if mark.choice not in leaf.scale:
        raise BadMark(leaf.code, Fault.NEEDS_CHOICE, ", ".join(leaf.scale))
    lowest = leaf.scale.index(leaf.minimum_rating) if leaf.minimum_rating in leaf.scale else 0
    return _met(leaf, leaf.scale.index(mark.choice) >= lowest, leaf.minimum_rating, mark.choice)


def _not_worse(leaf: Criterion, mark: Mark) -> Judged:
    if mark.value is None:
        return _met(leaf, _verdict(leaf, mark))
    if mark.before is None:
        raise BadMark(leaf.code, Fault.NEEDS_LAST_YEAR)
    _within(leaf, mark.value, ZERO, None)
    _within(leaf, mark.before, ZERO, None)
    return _met(leaf, mark.value <= mark.before, plain(mark.before), plain(mark.value))


def plain(value: Decimal) -> str:
    """Return a decimal as a program reads it: a point, no power of ten."""
    return format(value, "f")


class Outcome(StrEnum):
    """How a rule came out."""

    HELD = "held"
    FAILED = "failed"
    OPEN = "open"  # what is missing decides


@dataclass(frozen=True, slots=True)
class Reason:
    """What a rule needed and what it got; `code` is the criterion, leaf, class or case it is about."""

    rule: str
    code: str | None
    need: str | None
    got: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of one subject: its marks by leaf, its class of area, votes and vetoes; percentages."""

    subject: str
    class_: str | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    votes_percent: Decimal | None = None
    quorum_percent: Decimal | None = None
    vetoes: frozenset[str] = frozenset()
    children_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a sheet comes to: the total (None where nothing counts points), the verdict, and why.

    `reasons` are the rules that failed, or those still open, or, where it is met, those that held.
    """

    subject: str
    total: Decimal | None
    verdict: Verdict
    level: str | None
    reasons: tuple[Reason, ...]
    by_criterion: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class _Sum:
    """What a criterion has come to, the least and the most it still can, and what its floor is a share of."""

    points: Decimal
    least: Decimal | None
    most: Decimal | None
    base: Decimal | None


def assess(criteria: CriteriaSet, sheet: Sheet) -> Assessment:
    """Return what a sheet comes to by a set of criteria.

    A rule fails when even the best marks for what is missing could not save it, and holds when even the
    worst could not break it; between the two it is open. One failed rule makes the verdict "not met";
    else whatever is open or missing, in the sheet or in the set itself (its `gaps`), leaves it incomplete.
    A better mark never makes a verdict worse.

    Raises BadMark for a mark that its leaf cannot have.
    """
    judged = {
        leaf.code: judge(leaf, sheet.marks.get(leaf.code), criteria.step, RECKONED)
        for leaf in criteria.leaves()
    }
    sums = {branch.code: _sum(branch, sheet, judged) for branch in criteria.branches}
    counts = criteria.method is not Method.PASS_FAIL_ALL
    gaps = [Reason("gap", gap.code, None, gap.what, Outcome.OPEN) for gap in criteria.gaps]
    reasons = [*_of_leaves(criteria, sheet, judged), *_of_rules(criteria, sheet, sums), *gaps]
    failed = tuple(each for each in reasons if each.outcome is Outcome.FAILED)
    is_open = tuple(each for each in reasons if each.outcome is Outcome.OPEN)
    verdict = Verdict.NOT_MET if failed else Verdict.INCOMPLETE if is_open else Verdict.MET
    total = sum((each.points for each in sums.values()), ZERO) if counts else None
    return Assessment(
        sheet.subject,
        total,
        verdict,
        _level(criteria, total) if total is not None else None,
        failed or is_open or tuple(reasons),
        {code: each.points if counts else None for code, each in sums.items()},
    )


def _sum(branch: Criterion, sheet: Sheet, judged: Mapping[str, Judged]) -> _Sum:
    points, least, most, base = ZERO, ZERO, ZERO, branch.max_points
    bounded_below = bounded_above = True
    for leaf in branch.leaves():
        mark = sheet.marks.get(leaf.code)
        if _is_left_out(leaf, mark):
            base = None if base is None else base - (leaf.max_points or ZERO)
            continue
        if mark is not None:
            points += judged[leaf.code].points or ZERO
            continue
        lowest, highest = point_limits(leaf)
        bounded_below, bounded_above = (
            bounded_below and lowest is not None,
            bounded_above and highest is not None,
        )
        least, most = least + (lowest or ZERO), most + (highest or ZERO)
    return _Sum(
        points,
        points + least if bounded_below else None,
        points + most if bounded_above else None,
        base,
    )


def _is_left_out(leaf: Criterion, mark: Mark | None) -> bool:
    is_given = mark is not None and mark.is_not_applicable
    return is_given and leaf.not_applicable is NotApplicable.OWN_GROUP


def _of_leaves(criteria: CriteriaSet, sheet: Sheet, judged: Mapping[str, Judged]) -> Iterable[Reason]:
    leaves = criteria.leaves()
    for leaf in leaves:
        if leaf.code not in sheet.marks:
            yield Reason("missing", leaf.code, None, None, Outcome.OPEN)
        elif criteria.method is Method.PASS_FAIL_ALL and judged[leaf.code].is_met is False:
            kind = (leaf.kind or LeafKind.YES_NO).value
            yield Reason(kind, leaf.code, judged[leaf.code].need, judged[leaf.code].got, Outcome.FAILED)
    if criteria.method is Method.PASS_FAIL_ALL:
        asked = sum(not _is_left_out(leaf, sheet.marks.get(leaf.code)) for leaf in leaves)
        met = sum(each.is_met is True for each in judged.values())
        if met == asked:
            yield Reason("all_leaves", None, str(asked), str(met), Outcome.HELD)


def _of_rules(criteria: CriteriaSet, sheet: Sheet, sums: Mapping[str, _Sum]) -> Iterable[Reason]:
    total = _whole(sums.values())
    for rule in criteria.rules:
        match rule:
            case TotalMin(points=points):
                yield _threshold("total_min", None, points, points, total)
            case TotalMinByClass():
                yield _by_class(rule, sheet, total)
            case CriterionFloor(percent=percent):
                yield from _floors(percent, sums)
            case Vetoes():
                for code in sorted(sheet.vetoes):
                    yield Reason("veto", code, None, code, Outcome.FAILED)
            case VoteMin():
                yield from _votes(rule, sheet)
            case ChildrenShare(set_id=set_id, percent=percent):
                yield _share("children_share", set_id, percent, sheet.children_percent)
            case Levels():
                lowest = min(band.from_value for band in rule.bands)
                yield _threshold("level", _level(criteria, total.points), lowest, lowest, total)


def _whole(sums: Iterable[_Sum]) -> _Sum:
    parts = list(sums)
    least = [each.least for each in parts]
    most = [each.most for each in parts]
    return _Sum(
        sum((each.points for each in parts), ZERO),
        None if None in least else sum((each for each in least if each is not None), ZERO),
        None if None in most else sum((each for each in most if each is not None), ZERO),
        None,
    )


def _threshold(
    rule: str, code: str | None, fails_below: Decimal | None, holds_from: Decimal | None, total: _Sum
) -> Reason:
    """Return how a total stands to a threshold; the two bounds differ where the class is not known."""
    outcome = Outcome.OPEN
    if fails_below is not None and total.most is not None and total.most < fails_below:
        outcome = Outcome.FAILED
    elif holds_from is not None and total.least is not None and total.least >= holds_from:
        outcome = Outcome.HELD
    need = None if fails_below is None or fails_below != holds_from else plain(fails_below)
    return Reason(rule, code, need, plain(total.points), outcome)


def _by_class(rule: TotalMinByClass, sheet: Sheet, total: _Sum) -> Reason:
    known = [each.points for each in rule.classes if each.points is not None]
    for each in rule.classes:
        if each.code == sheet.class_:
            return _threshold("total_min_by_area", each.code, each.points, each.points, total)
    highest = max(known) if len(known) == len(rule.classes) and known else None
    return _threshold("total_min_by_area", None, min(known, default=None), highest, total)


def _floors(percent: Decimal, sums: Mapping[str, _Sum]) -> Iterable[Reason]:
    """Yield each criterion below its floor or not yet above it, or else the one that is nearest to it."""
    held: list[tuple[Decimal, Reason]] = []
    for code, each in sums.items():
        if each.base is None:
            continue
        floor = each.base * percent
        outcome = Outcome.OPEN
        if each.most is not None and each.most * HUNDRED < floor:
            outcome = Outcome.FAILED
        elif each.least is not None and each.least * HUNDRED >= floor:
            outcome = Outcome.HELD
        need = plain((floor / HUNDRED).normalize() + ZERO)
        reason = Reason("each_criterion_min_pct_of_max", code, need, plain(each.points), outcome)
        if outcome is Outcome.HELD:
            held.append((each.points * HUNDRED - floor, reason))
        else:
            yield reason
    if held and len(held) == len([each for each in sums.values() if each.base is not None]):
        yield min(held, key=lambda pair: pair[0])[1]


def _votes(rule: VoteMin, sheet: Sheet) -> Iterable[Reason]:
    yield _share("vote_min", None, rule.percent, sheet.votes_percent)
    if rule.quorum_percent is not None and sheet.quorum_percent is not None:
        yield _share("quorum", None, rule.quorum_percent, sheet.quorum_percent)


def _share(rule: str, code: str | None, need: Decimal, got: Decimal | None) -> Reason:
    if got is None:
        return Reason(rule, code, plain(need), None, Outcome.OPEN)
    outcome = Outcome.HELD if got >= need else Outcome.FAILED
    return Reason(rule, code, plain(need), plain(got), outcome)


def _level(criteria: CriteriaSet, total: Decimal) -> str | None:
    for rule in criteria.rules:
        if isinstance(rule, Levels):
            for band in rule.bands:
                if total >= band.from_value and (band.below is None or total < band.below):
                    return band.name
    return None
