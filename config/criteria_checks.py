"""What a criteria file says and no sheet could mean: keys left unread, points out of reach, idle rules."""

from collections.abc import Iterator
from decimal import Decimal

from config.criteria_shapes import BranchShape, CriteriaShape, RecognitionShape
from config.located import Located, Problem
from rules.criteria import LeafKind, Method, words_of

Place = tuple[str | int, ...]

# The kinds that a key says something to; at any other it would be left unread.
KINDS_OF_KEY = {
    "minimum": (LeafKind.RATIO_MIN, LeafKind.COUNT_MIN),
    "bands": (LeafKind.RATIO_BANDS,),
    "options": (LeafKind.CHOICE,),
    "scale": (LeafKind.RATING_MIN,),
    "minimum_rating": (LeafKind.RATING_MIN,),
    "each": (LeafKind.PER_OCCURRENCE,),
    "limit": (LeafKind.PER_OCCURRENCE, LeafKind.BONUS, LeafKind.PENALTY),
    "exceptions": (LeafKind.MUST_NOT_OCCUR,),
    "refers_to": (LeafKind.REFER,),
}

# Points beside the maximum: they are no part of what a branch adds up to.
BESIDE = (LeafKind.BONUS, LeafKind.PENALTY)

# Rules that compare points.
OF_POINTS = ("total_min", "total_min_by_area", "each_criterion_min_percent", "levels")


def shown(value: Decimal) -> str:
    """Return a figure as people write it."""
    return format(value, "f").replace(".", ",")


def is_beside(branch: BranchShape) -> bool:
    """Say whether a leaf brings or takes points beside the maximum; so does one that only takes them off."""
    takes = branch.kind is LeafKind.PER_OCCURRENCE and branch.each is not None and branch.each < 0
    return branch.kind in BESIDE or takes


def misplaced(document: Located, path: Place, branch: BranchShape) -> Iterator[Problem]:
    """Yield every key of a branch that its kind leaves unread."""
    for key, kinds in KINDS_OF_KEY.items():
        if key in branch.model_fields_set and getattr(branch, key) and branch.kind not in kinds:
            yield document.problem(
                (*path, key),
                "criteria.key_of_another_kind",
                code=branch.code,
                key=key,
                kinds=", ".join(kinds),
            )
    if branch.not_applicable is not None and branch.children and branch.kind is not LeafKind.COMPOUND:
        yield document.problem(
            (*path, "not_applicable"), "criteria.not_applicable_above_leaves", code=branch.code
        )


def out_of_reach(document: Located, path: Place, branch: BranchShape) -> Iterator[Problem]:
    """Yield where no answer, band or number of occurrences brings the maximum, and bands of no percentage."""
    for place, band in enumerate(branch.bands):
        if not 0 <= band.start <= 100:
            yield document.problem((*path, "bands", place), "criteria.band_of_no_share")
    for place, rating in enumerate(branch.scale):
        if rating in branch.scale[:place]:
            yield document.problem((*path, "scale", place), "criteria.code_twice", code=rating)
    most = _most(branch)
    if branch.max_points is not None and most is not None and most < branch.max_points:
        yield document.problem(
            path, "criteria.less_than_max", code=branch.code, most=shown(most), whole=shown(branch.max_points)
        )


def _most(branch: BranchShape) -> Decimal | None:
    """Return the most a leaf brings by its answers, bands or occurrences; None where that is not said."""
    points: list[Decimal | None] = []
    match branch.kind:
        case LeafKind.CHOICE:
            points = [each.points for each in branch.options]
        case LeafKind.RATIO_BANDS:
            points = [each.points for each in branch.bands]
        case LeafKind.PER_OCCURRENCE if branch.each:
            return branch.limit if branch.each > 0 else Decimal(0)
    known = [each for each in points if each is not None]
    return max(known) if known and len(known) == len(points) else None


def idle_rules(document: Located, shape: CriteriaShape, most: Decimal | None) -> Iterator[Problem]:
    """Yield every rule on the whole that nobody could meet; `most` is the most a total can come to."""
    rules = shape.recognition
    if shape.method is Method.POINTS_TO_LEVELS and (rules is None or not rules.levels):
        yield document.problem(("method",), "criteria.no_levels")
    if rules is None:
        return
    path = ("recognition",)
    if shape.method is Method.PASS_FAIL_ALL:
        for key in OF_POINTS:
            if key in rules.model_fields_set:
                yield document.problem((*path, key), "criteria.points_rule_in_pass_fail", key=key)
        return
    for place, points in _thresholds(rules):
        if points is not None and most is not None and points > most:
            yield document.problem(
                (*path, *place), "criteria.threshold_out_of_reach", points=shown(points), most=shown(most)
            )
    for number, level in enumerate(rules.levels):
        if level.name is None:
            yield document.problem((*path, "levels", number), "criteria.level_without_name")
    yield from _names_of_classes(document, rules)


def _thresholds(rules: RecognitionShape) -> Iterator[tuple[Place, Decimal | None]]:
    yield ("total_min",), rules.total_min
    for number, each in enumerate(rules.total_min_by_area):
        yield ("total_min_by_area", number), each.points


def _names_of_classes(document: Located, rules: RecognitionShape) -> Iterator[Problem]:
    """Each class of area goes by names of its own: of two with one name the first would be taken."""
    owner: dict[str, int] = {}
    for number, each in enumerate(rules.total_min_by_area):
        for name in (each.code, each.area, *each.aliases):
            if owner.setdefault(words_of(name), number) != number and name != each.code:
                path = ("recognition", "total_min_by_area", number)
                yield document.problem(path, "criteria.class_name_twice", name=name)
