"""A set of criteria (bộ tiêu chí) read from its file: what adds up, and what the file leaves open."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from config.criteria_checks import BESIDE, Place, idle_rules, is_beside, misplaced, out_of_reach, shown
from config.criteria_shapes import BandShape, BranchShape, CriteriaShape, RecognitionShape
from config.located import FileInvalid, Located, Problem, read_located
from config.messages import say
from config.shaping import shaped
from rules.criteria import (
    AreaClass,
    Band,
    ChildrenShare,
    CriteriaSet,
    Criterion,
    CriterionFloor,
    Gap,
    LeafKind,
    Levels,
    Method,
    Option,
    Ranking,
    Reference,
    TotalMin,
    TotalMinByClass,
    Veto,
    Vetoes,
    VoteMin,
    Waiver,
    WholeRule,
)

# Kinds that bring points and are neither met nor not: nothing to ask where only that counts.
POINTS_ONLY = (LeafKind.POINTS, LeafKind.CHOICE, LeafKind.RATIO_BANDS, LeafKind.PER_OCCURRENCE, *BESIDE)

# What a leaf of each kind cannot be judged without.
NEEDS: dict[LeafKind, str] = {
    LeafKind.RATIO_BANDS: "bands",
    LeafKind.CHOICE: "options",
    LeafKind.RATIO_MIN: "minimum",
    LeafKind.COUNT_MIN: "minimum",
    LeafKind.RATING_MIN: "scale",
    LeafKind.REFER: "refers_to",
    LeafKind.PER_OCCURRENCE: "each",
    LeafKind.BONUS: "limit",
    LeafKind.PENALTY: "limit",
}


def read_criteria_file(path: Path) -> tuple[CriteriaSet, Located]:
    """Return the set of a file, and the document to point at; raises FileInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileInvalid([Problem(str(path), 1, say("file.not_utf8"))]) from None
    except (OSError, ValueError):
        raise FileInvalid([Problem(str(path), 1, say("file.not_found", name=str(path)))]) from None
    document = read_located(str(path), text)
    return read_criteria(document), document


def read_criteria(document: Located) -> CriteriaSet:
    """Return the set of a document; what it leaves open is listed in `gaps`.

    Raises FileInvalid for a code that stands twice, points that do not add up, bands that overlap
    or leave a hole, and whatever else no sheet could be scored by.
    """
    shape = shaped(CriteriaShape, document)
    problems = list(_problems(document, shape))
    if problems:
        raise FileInvalid(problems)
    return _as_set(shape)


def read_kept_criteria(document: Located) -> CriteriaSet:
    """Return the set of a campaign's kept copy, which was checked when the campaign was opened.

    A later program that checks more must not stop a campaign that is running.
    """
    return _as_set(shaped(CriteriaShape, document))


def _as_set(shape: CriteriaShape) -> CriteriaSet:
    return CriteriaSet(
        id=shape.id,
        title=shape.title,
        branches=tuple(_branch(each) for each in shape.criteria),
        method=shape.method,
        subject=shape.subject,
        version=shape.version,
        level_names=shape.levels,
        step=shape.step,
        total_max=shape.total_max,
        rules=tuple(_rules(shape.recognition)) if shape.recognition else (),
        ranking=_ranking(shape.recognition),
        gaps=(*_gaps(shape), *(Gap(each.code, each.what) for each in shape.missing)),
    )


def gap_problems(criteria: CriteriaSet, document: Located) -> list[Problem]:
    """Return a problem for every branch that keeps a set from being scored, where it stands in the file."""
    shape = shaped(CriteriaShape, document)
    places: dict[str, Place] = {each.code: ("missing", n) for n, each in enumerate(shape.missing)}
    places |= {branch.code: path for path, branch in _paths(("criteria",), shape.criteria)}
    return [
        document.problem(places[gap.code], "criteria.gap", code=gap.code, what=what_is_missing(gap.what))
        for gap in criteria.gaps
    ]


def what_is_missing(what: str) -> str:
    """Return what is missing at a branch in a clerk's words; the file's own words where it gives them."""
    known = ("kind", "points", "leaves", *set(NEEDS.values()))
    return say(f"criteria_gap.{what}") if what in known else what


def _problems(document: Located, shape: CriteriaShape) -> Iterator[Problem]:
    seen: set[str] = set()
    judged = _met_or_not(shape)
    for path, branch in _paths(("criteria",), shape.criteria):
        if branch.code in seen:
            yield document.problem(path, "criteria.code_twice", code=branch.code)
        seen.add(branch.code)
        if branch.code in judged and branch.kind in POINTS_ONLY:
            yield document.problem((*path, "kind"), "criteria.kind_of_points", code=branch.code)
        yield from _of_branch(document, shape, path, branch)
    yield from _of_total(document, shape)
    if shape.recognition is not None:
        yield from _of_recognition(document, shape.recognition)
    yield from idle_rules(document, shape, _most(shape))


def _of_branch(
    document: Located, shape: CriteriaShape, path: Place, branch: BranchShape
) -> Iterator[Problem]:
    is_compound = branch.kind is LeafKind.COMPOUND
    if branch.children and branch.kind is not None and not is_compound:
        yield document.problem((*path, "kind"), "criteria.kind_above_leaves", code=branch.code)
    if is_compound and not branch.children:
        yield document.problem(path, "criteria.compound_without_parts", code=branch.code)
    if shape.method is Method.PASS_FAIL_ALL and branch.max_points is not None:
        yield document.problem((*path, "max_points"), "criteria.points_in_pass_fail", code=branch.code)
    parts = [_worth(each) for each in branch.children if not is_beside(each)]
    known = [each for each in parts if each is not None]
    if branch.max_points is not None and parts and not is_compound:
        total = sum(known, Decimal(0))
        if (len(known) == len(parts) and total != branch.max_points) or total > branch.max_points:
            yield document.problem(
                path,
                "criteria.parts_do_not_add_up",
                code=branch.code,
                parts=shown(total),
                whole=shown(branch.max_points),
            )
    if shape.step is not None and branch.max_points is not None and branch.max_points % shape.step:
        yield document.problem(
            (*path, "max_points"), "criteria.not_a_step", code=branch.code, step=shown(shape.step)
        )
    yield from _of_bands(document, (*path, "bands"), branch.bands)
    if branch.bands:
        lowest = min(range(len(branch.bands)), key=lambda place: branch.bands[place].start)
        if branch.bands[lowest].start > 0:
            yield document.problem((*path, "bands", lowest), "criteria.band_without_bottom")
    yield from _of_points(document, path, branch)
    yield from misplaced(document, path, branch)
    yield from out_of_reach(document, path, branch)
    for name in ("options", "exceptions"):
        codes = [each.code for each in getattr(branch, name)]
        for place, code in enumerate(codes):
            if code in codes[:place]:
                yield document.problem((*path, name, place), "criteria.code_twice", code=code)
    if branch.scale and branch.minimum_rating is not None and branch.minimum_rating not in branch.scale:
        yield document.problem(
            (*path, "minimum_rating"), "criteria.not_on_scale", rating=branch.minimum_rating
        )
    if branch.kind is LeafKind.RATIO_MIN and branch.minimum is not None and branch.minimum > 100:
        yield document.problem((*path, "minimum"), "criteria.not_a_percentage")


def _of_points(document: Located, path: Place, branch: BranchShape) -> Iterator[Problem]:
    """No answer, no band and no number of occurrences brings more than the leaf can hold."""
    if branch.max_points is None:
        return
    if branch.kind is LeafKind.PER_OCCURRENCE and branch.each is not None and branch.each > 0:
        most = branch.limit
        if most is not None and most > branch.max_points:
            yield document.problem(
                (*path, "limit"), "criteria.more_than_max", code=branch.code, points=shown(most)
            )
    for name, points in (
        ("options", [each.points for each in branch.options]),
        ("bands", [each.points for each in branch.bands]),
    ):
        for place, each in enumerate(points):
            if each is not None and each > branch.max_points:
                yield document.problem(
                    (*path, name, place), "criteria.more_than_max", code=branch.code, points=shown(each)
                )


def _of_total(document: Located, shape: CriteriaShape) -> Iterator[Problem]:
    tops = [_worth(each) for each in shape.criteria if not is_beside(each)]
    known = [each for each in tops if each is not None]
    if shape.total_max is None or not known:
        return
    total = sum(known, Decimal(0))
    if (len(known) == len(tops) and total != shape.total_max) or total > shape.total_max:
        yield document.problem(
            ("total_max",),
            "criteria.total_does_not_add_up",
            parts=shown(total),
            whole=shown(shape.total_max),
        )


def _of_bands(document: Located, path: Place, bands: Sequence[BandShape]) -> Iterator[Problem]:
    """Bands touch each other: each begins where another ends, and only the topmost has no end."""
    if not bands:
        return
    order = sorted(range(len(bands)), key=lambda place: bands[place].start)
    for lower, upper in pairwise(order):
        start = bands[upper].start
        if bands[lower].below != start:
            yield document.problem((*path, lower), "criteria.bands_do_not_touch", start=shown(start))
    if bands[order[-1]].below is not None:
        yield document.problem((*path, order[-1]), "criteria.band_without_top")


def _of_recognition(document: Located, shape: RecognitionShape) -> Iterator[Problem]:
    path = ("recognition",)
    for name, codes in (
        ("vetoes", [each.code for each in shape.vetoes or ()]),
        ("total_min_by_area", [each.code for each in shape.total_min_by_area]),
    ):
        for place, code in enumerate(codes):
            if code in codes[:place]:
                yield document.problem((*path, name, place), "criteria.code_twice", code=code)
    if shape.total_min is not None and shape.total_min_by_area:
        yield document.problem((*path, "total_min"), "criteria.two_thresholds")
    yield from _of_bands(document, (*path, "levels"), shape.levels)


def _worth(branch: BranchShape) -> Decimal | None:
    """Return the maximum of a branch: what it says, or what its parts come to where all are known."""
    if branch.max_points is not None or branch.kind is LeafKind.COMPOUND:
        return branch.max_points
    parts = [_worth(each) for each in branch.children if not is_beside(each)]
    known = [each for each in parts if each is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(parts) else None


def _most(shape: CriteriaShape) -> Decimal | None:
    """Return the most a total can come to, with every bonus; None where that is not known."""
    tops = [_worth(each) for each in shape.criteria if not is_beside(each)]
    extra = [each.limit for _, each in _paths((), shape.criteria) if each.kind is LeafKind.BONUS]
    if None in tops or None in extra:
        return None
    return sum((each for each in (*tops, *extra) if each is not None), Decimal(0))


def _met_or_not(shape: CriteriaShape) -> set[str]:
    """Return the codes of the branches where only met or not counts: all, or the parts of compounds."""
    tops = [branch for _, branch in _paths((), shape.criteria)]
    if shape.method is not Method.PASS_FAIL_ALL:
        tops = [part for each in tops if each.kind is LeafKind.COMPOUND for part in each.children]
    return {branch.code for _, branch in _paths((), tops)}


def _branch(shape: BranchShape) -> Criterion:
    return Criterion(
        code=shape.code,
        title=shape.title,
        # What stands beside the maximum has none of its own: no floor is a share of it.
        max_points=None if is_beside(shape) else _worth(shape),
        kind=shape.kind,
        children=tuple(_branch(child) for child in shape.children),
        minimum=shape.minimum,
        bands=tuple(_band(each) for each in shape.bands),
        options=tuple(Option(each.code, each.title, each.points) for each in shape.options),
        scale=shape.scale,
        minimum_rating=shape.minimum_rating,
        each=shape.each,
        limit=shape.limit,
        waivers=tuple(Waiver(each.code, each.title) for each in shape.exceptions),
        not_applicable=shape.not_applicable,
        refers_to=Reference(shape.refers_to.set, tuple(shape.refers_to.criteria))
        if shape.refers_to
        else None,
        evidence=shape.evidence,
        unit=shape.unit,
    )


def _band(shape: BandShape) -> Band:
    return Band(shape.start, shape.below, shape.points or Decimal(0), shape.name)


def _rules(shape: RecognitionShape) -> Iterator[WholeRule]:
    said = shape.model_fields_set
    if shape.total_min_by_area:
        yield TotalMinByClass(
            tuple(
                AreaClass(each.code, each.area, each.points, each.aliases) for each in shape.total_min_by_area
            )
        )
    elif "total_min" in said:
        yield TotalMin(shape.total_min)
    if shape.each_criterion_min_percent is not None:
        yield CriterionFloor(shape.each_criterion_min_percent)
    if "vetoes" in said:
        known = None if shape.vetoes is None else tuple(Veto(each.code, each.title) for each in shape.vetoes)
        yield Vetoes(known)
    if shape.vote_min is not None:
        yield VoteMin(shape.vote_min.percent, shape.vote_min.of, shape.vote_min.quorum_percent_of_invited)
    if shape.children_share_min is not None:
        yield ChildrenShare(shape.children_share_min.set, shape.children_share_min.percent)
    if shape.levels:
        yield Levels(tuple(_band(each) for each in shape.levels))


def _ranking(shape: RecognitionShape | None) -> Ranking | None:
    if shape is None or shape.ranking is None:
        return None
    each = shape.ranking
    return Ranking(each.max_share_percent, each.tie_break, each.years_in_a_row)


def _gaps(shape: CriteriaShape) -> Iterator[Gap]:
    """Yield what nobody could score: a leaf without kind or points, or without what its kind needs."""
    named = {each.code for each in shape.missing}
    judged = _met_or_not(shape)
    for _, branch in _paths(("criteria",), shape.criteria):
        if (branch.children and branch.kind is not LeafKind.COMPOUND) or branch.code in named:
            continue
        what = _lacks(branch)
        if shape.method is Method.SET_BY_PROVINCE:
            yield Gap(branch.code, "leaves")
        elif branch.code in judged and branch.kind is None:
            yield Gap(branch.code, "kind")
        elif branch.code not in judged and branch.max_points is None and not is_beside(branch):
            yield Gap(branch.code, "points")
        elif what is not None:
            yield Gap(branch.code, what)


def _lacks(branch: BranchShape) -> str | None:
    """Return what a leaf cannot be judged without, by its kind, and does not have."""
    need = NEEDS.get(branch.kind) if branch.kind is not None else None
    if need is not None and not getattr(branch, need):
        return need
    if branch.kind is LeafKind.RATIO_BANDS and any(each.points is None for each in branch.bands):
        return "bands"
    if branch.kind is LeafKind.RATING_MIN and branch.minimum_rating is None:
        return "minimum"
    return None


def _paths(path: Place, branches: Sequence[Any]) -> Iterator[tuple[Place, Any]]:
    for place, branch in enumerate(branches):
        yield (*path, place), branch
        yield from _paths((*path, place, "children"), branch.children)
