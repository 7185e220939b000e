"""What holds for the real sets whatever the marks: better is never worse, parts are the whole."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from config.criteria_file import read_criteria_file
from rules.criteria import Criterion, LeafKind, Mark, Method, Verdict
from rules.scoring import Sheet, assess, judge

SHIPPED = Path(config.__file__).parent / "criteria"
D = Decimal
# Every set that runs; the others leave branches open.
SETS = {
    name: read_criteria_file(SHIPPED / f"{name}.yaml")[0]
    for name in (
        "antt-khu-dan-cu-tt124-2021",
        "antt-xa-phuong-tt124-2021",
        "khu-dan-cu-van-hoa-nd122-2018",
        "ntm-dak-lak-qd2126-2014-tc1",
        "ocop-qd148-2023",
        "tiep-can-phap-luat-qd619-2017",
    )
}
CLASSES = {
    "khu-dan-cu-van-hoa-nd122-2018": (None, "thanh-pho-truc-thuoc", "mien-nui", "con-lai"),
    "tiep-can-phap-luat-qd619-2017": (None, "loai-1", "loai-3"),
}
ORDER = {Verdict.NOT_MET: 0, Verdict.INCOMPLETE: 1, Verdict.MET: 2}


def ladder(leaf: Criterion) -> list[Mark]:
    """Return marks of a leaf from the worst to the best, those at its limit among them."""
    match leaf.kind:
        case LeafKind.YES_NO | LeafKind.REFER | LeafKind.COMPOUND:
            return [Mark(is_met=False), Mark(is_met=True)]
        case LeafKind.MUST_NOT_OCCUR:
            excused = [Mark(value=D(1), waiver=each.code) for each in leaf.waivers]
            return [Mark(value=D(3)), Mark(value=D(1)), *excused, Mark(value=D(0))]
        case LeafKind.RATIO_MIN:
            assert leaf.minimum is not None
            return [Mark(value=each) for each in (D(0), leaf.minimum - D("0.01"), leaf.minimum, D(100))]
        case LeafKind.COUNT_MIN:
            return [Mark(value=D(each)) for each in range(4)]
        case LeafKind.RATING_MIN:
            return [Mark(choice=each) for each in leaf.scale]
        case LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            return [Mark(value=D(each), before=D(7)) for each in (9, 8, 7, 0)]
    assert leaf.kind in (None, LeafKind.POINTS)
    assert leaf.max_points is not None
    half, full = leaf.max_points / 2, leaf.max_points
    return [Mark(value=each) for each in (D(0), half - D("0.01"), half, full - D("0.01"), full)]


LADDERS = {name: {leaf.code: ladder(leaf) for leaf in each.leaves()} for name, each in SETS.items()}


@dataclass(frozen=True)
class Pair:
    """Two sheets by one set, of which the second is at least as good at every leaf."""

    name: str
    worse: Sheet
    better: Sheet


@st.composite
def pairs(draw: st.DrawFn, names: tuple[str, ...] = tuple(SETS)) -> Pair:
    name = draw(st.sampled_from(names))
    # Mostly good marks: by bad ones everything fails and nothing is told apart.
    lowest = draw(st.sampled_from([0.0, 0.4, 0.8]))
    missing = draw(st.sampled_from([0, 0, 1, 3]))
    worse: dict[str, Mark] = {}
    better: dict[str, Mark] = {}
    for code, steps in LADDERS[name].items():
        low = draw(st.integers(min(int(lowest * len(steps)), len(steps) - 1), len(steps) - 1))
        worse[code], better[code] = steps[low], steps[draw(st.integers(low, len(steps) - 1))]
    for code in draw(st.lists(st.sampled_from(sorted(worse)), min_size=missing, max_size=missing)):
        worse.pop(code, None)
        better.pop(code, None)
    sheet = Sheet(
        "MẪU",
        draw(st.sampled_from(CLASSES.get(name, (None,)))),
        worse,
        draw(st.sampled_from([None, D("59.99"), D(60), D(100)])),
        vetoes=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"mau"})])),
    )
    return Pair(name, sheet, replace(sheet, marks=better))


@pytest.mark.parametrize("name", SETS)
def test_the_ladders_themselves_only_go_up(name):
    for leaf in SETS[name].leaves():
        for low, high in pairwise(LADDERS[name][leaf.code]):
            worse, better = judge(leaf, low, SETS[name].step), judge(leaf, high, SETS[name].step)
            assert (better.points or 0, better.is_met or False) >= (worse.points or 0, worse.is_met or False)


@given(pairs())
def test_a_better_mark_never_makes_a_verdict_worse(pair):
    worse, better = assess(SETS[pair.name], pair.worse), assess(SETS[pair.name], pair.better)
    assert ORDER[better.verdict] >= ORDER[worse.verdict], (worse.reasons, better.reasons)
    assert worse.total is None or better.total >= worse.total


@given(pairs())
def test_a_mark_that_comes_in_never_turns_what_was_settled(pair):
    criteria, sheet = SETS[pair.name], pair.worse
    after = assess(criteria, sheet).verdict
    for code in sheet.marks:
        rest = {each: mark for each, mark in sheet.marks.items() if each != code}
        assert assess(criteria, replace(sheet, marks=rest)).verdict in (Verdict.INCOMPLETE, after)


def mixed(branch: Criterion, random) -> Criterion:
    """Return a branch whose children stand in another order, at every depth."""
    children = [mixed(each, random) for each in branch.children]
    random.shuffle(children)
    return replace(branch, children=tuple(children))


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_criteria_leaves_and_marks_never_matters(pair, random):
    criteria, marks = SETS[pair.name], list(pair.worse.marks.items())
    branches = [mixed(each, random) for each in criteria.branches]
    random.shuffle(branches)
    random.shuffle(marks)
    one = assess(criteria, pair.worse)
    other = assess(replace(criteria, branches=tuple(branches)), replace(pair.worse, marks=dict(marks)))
    assert (one.verdict, one.total, one.level) == (other.verdict, other.total, other.level)
    assert dict(one.by_criterion) == dict(other.by_criterion)
    if one.verdict is not Verdict.MET:  # of the floors that hold, equally near ones may be told
        assert sorted(map(repr, one.reasons)) == sorted(map(repr, other.reasons))


def added_up(branch: Criterion, marks: Mapping[str, Mark]) -> Decimal:
    """Return the points of a branch by a sum of our own, level by level."""
    if branch.children:
        return sum((added_up(each, marks) for each in branch.children), D(0))
    mark = marks.get(branch.code)
    return D(0) if mark is None or mark.value is None else mark.value


@given(pairs(tuple(name for name, each in SETS.items() if each.method is not Method.PASS_FAIL_ALL)))
def test_the_parts_come_to_the_total_at_every_level(pair):
    criteria = SETS[pair.name]
    found = assess(criteria, pair.better)
    parts = {branch.code: added_up(branch, pair.better.marks) for branch in criteria.branches}
    assert dict(found.by_criterion) == parts
    assert found.total == sum(parts.values())


@given(pairs())
def test_a_verdict_always_has_a_reason_that_fits_it(pair):
    found = assess(SETS[pair.name], pair.worse)
    outcomes = {each.outcome.value for each in found.reasons}
    fitting = {Verdict.MET: {"held"}, Verdict.NOT_MET: {"failed"}, Verdict.INCOMPLETE: {"open"}}
    assert outcomes == fitting[found.verdict]
