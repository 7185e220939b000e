"""What a mark is worth at each kind of leaf, what the rules on the whole say, and what always holds."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.criteria import (
    AreaClass,
    Band,
    ChildrenShare,
    CriteriaSet,
    Criterion,
    CriterionFloor,
    LeafKind,
    Levels,
    Mark,
    Method,
    NotApplicable,
    Option,
    TotalMin,
    TotalMinByClass,
    Verdict,
    Veto,
    Vetoes,
    VoteMin,
    Waiver,
)
from rules.scoring import BadMark, Fault, Outcome, Sheet, assess, judge

D = Decimal


def leaf(kind: LeafKind | None = None, code: str = "1", **more) -> Criterion:
    return Criterion(code, "MẪU", kind=kind, **more)


def of(value: str | int, **more) -> Mark:
    return Mark(value=D(value), **more)


RATIO = leaf(LeafKind.RATIO_MIN, minimum=D(70))
BANDS = leaf(
    LeafKind.RATIO_BANDS,
    max_points=D(5),
    bands=(Band(D(0), D(50), D(0)), Band(D(50), D(90), D("2.5")), Band(D(90), None, D(5))),
)
RATING = leaf(LeafKind.RATING_MIN, scale=("yếu", "đạt", "khá", "tốt"), minimum_rating="khá")
MUST_NOT = leaf(LeafKind.MUST_NOT_OCCUR, waivers=(Waiver("tu-phat-hien", "tự phát hiện"),))
TIMES = leaf(LeafKind.PER_OCCURRENCE, each=D("0.5"), limit=D(2))
MINUS = leaf(LeafKind.PER_OCCURRENCE, each=D(-1), limit=D(3))
CHOICE = leaf(LeafKind.CHOICE, options=(Option("a", "MẪU", D(1)), Option("b", "MẪU", D(4))))


@pytest.mark.parametrize(
    ("criterion", "mark", "points", "is_met"),
    [
        (leaf(LeafKind.YES_NO), Mark(is_met=True), None, True),
        (leaf(LeafKind.YES_NO, max_points=D(3)), Mark(is_met=False), 0, False),
        (leaf(LeafKind.YES_NO, max_points=D(3)), Mark(is_met=True), 3, True),
        (MUST_NOT, of(0), None, True),
        (MUST_NOT, of(1), None, False),
        (MUST_NOT, of(1, waiver="tu-phat-hien"), None, True),
        (RATIO, of("69.99"), None, False),
        (RATIO, of(70), None, True),
        (BANDS, of("49.9999"), 0, None),
        (BANDS, of(50), "2.5", None),
        (BANDS, of("89.9999"), "2.5", None),
        (BANDS, of(90), 5, None),
        (BANDS, of(100), 5, None),
        (leaf(LeafKind.COUNT_MIN, minimum=D(2)), of(1), None, False),
        (leaf(LeafKind.COUNT_MIN, minimum=D(2)), of(2), None, True),
        (RATING, Mark(choice="đạt"), None, False),
        (RATING, Mark(choice="khá"), None, True),
        (leaf(LeafKind.NOT_WORSE_THAN_LAST_YEAR), of(5, before=D(5)), None, True),
        (leaf(LeafKind.NOT_WORSE_THAN_LAST_YEAR), of(6, before=D(5)), None, False),
        (leaf(LeafKind.REFER), Mark(is_met=False), None, False),
        (leaf(LeafKind.COMPOUND), Mark(is_met=True), None, True),
        (leaf(max_points=D(10)), of("9.57"), "9.57", None),
        (TIMES, of(3), "1.5", None),
        (TIMES, of(9), 2, None),
        (MINUS, of(2), -2, None),
        (MINUS, of(9), -3, None),
        (leaf(LeafKind.BONUS, limit=D(5)), of(4), 4, None),
        (leaf(LeafKind.PENALTY, limit=D(5)), of(-4), -4, None),
        (CHOICE, Mark(choice="b"), 4, None),
    ],
)
def test_a_mark_is_worth_what_its_leaf_says(criterion, mark, points, is_met):
    found = judge(criterion, mark)
    assert found.is_met is is_met
    assert found.points == (None if points is None else D(points))


@pytest.mark.parametrize(
    ("criterion", "mark", "fault"),
    [
        (leaf(max_points=D(10)), of("10.01"), Fault.OUT_OF_RANGE),
        (leaf(max_points=D(10)), of(-1), Fault.OUT_OF_RANGE),
        (leaf(max_points=D(10)), Mark(), Fault.NEEDS_NUMBER),
        (leaf(max_points=D(10)), of("NaN"), Fault.NEEDS_NUMBER),
        (leaf(max_points=D(10)), of("1.23456"), Fault.TOO_FINE),
        (leaf(LeafKind.YES_NO), of(1), Fault.NEEDS_VERDICT),
        (RATIO, of(101), Fault.OUT_OF_RANGE),
        (BANDS, of(101), Fault.OUT_OF_RANGE),
        (leaf(LeafKind.COUNT_MIN, minimum=D(2)), of("1.5"), Fault.NOT_WHOLE),
        (RATING, Mark(choice="giỏi"), Fault.NEEDS_CHOICE),
        (CHOICE, Mark(choice="c"), Fault.NEEDS_CHOICE),
        (MUST_NOT, of(1, waiver="khac"), Fault.UNKNOWN_WAIVER),
        (leaf(LeafKind.NOT_WORSE_THAN_LAST_YEAR), of(5), Fault.NEEDS_LAST_YEAR),
        (leaf(LeafKind.PENALTY, limit=D(5)), of(1), Fault.OUT_OF_RANGE),
        (leaf(LeafKind.YES_NO), Mark(is_not_applicable=True), Fault.NOT_APPLICABLE_HERE),
    ],
)
def test_a_mark_that_a_leaf_cannot_have_is_refused(criterion, mark, fault):
    with pytest.raises(BadMark) as refused:
        judge(criterion, mark)
    assert refused.value.fault is fault


def test_a_mark_is_a_step_of_the_set_or_refused():
    assert judge(leaf(max_points=D(10)), of("9.25"), D("0.25")).points == D("9.25")
    with pytest.raises(BadMark) as refused:
        judge(leaf(max_points=D(10)), of("9.3"), D("0.25"))
    assert refused.value.fault is Fault.NOT_A_STEP


def test_not_applicable_means_what_the_leaf_says():
    gone = Mark(is_not_applicable=True)
    assert judge(leaf(LeafKind.YES_NO, not_applicable=NotApplicable.PASS), gone).is_met is True
    assert judge(leaf(max_points=D(4), not_applicable=NotApplicable.FULL_POINTS), gone).points == 4
    # Left out of its own group: half of the remaining 6 points is the floor, not half of 10.
    group = Criterion(
        "I",
        "MẪU",
        D(10),
        children=(
            leaf(code="I.1", max_points=D(6)),
            leaf(code="I.2", max_points=D(4), not_applicable=NotApplicable.OWN_GROUP),
        ),
    )
    criteria = CriteriaSet("mau", "MẪU", (group,), rules=(CriterionFloor(D(50)),))
    for points, verdict in ((3, Verdict.MET), ("2.99", Verdict.NOT_MET)):
        assert assess(criteria, Sheet("MẪU", marks={"I.1": of(points), "I.2": gone})).verdict is verdict


TWO = CriteriaSet("mau", "MẪU", (leaf(code="I", max_points=D(50)), leaf(code="II", max_points=D(50))))
FULL = {"I": of(40), "II": of(40)}


def ruled(*rules, **sheet):
    return assess(replace(TWO, rules=rules), Sheet("MẪU", **({"marks": FULL} | sheet)))


BY_CLASS = TotalMinByClass((AreaClass("cao", "MẪU", D(90)), AreaClass("thap", "MẪU", D(60))))
VOTE = VoteMin(D(60), "attendees", D("66.67"))


@pytest.mark.parametrize(
    ("rule", "sheet", "verdict", "why"),
    [
        (TotalMin(D(80)), {}, Verdict.MET, ("total_min", None, "80", "80")),
        (TotalMin(D("80.0001")), {}, Verdict.NOT_MET, ("total_min", None, "80.0001", "80")),
        (TotalMin(None), {}, Verdict.INCOMPLETE, ("total_min", None, None, "80")),
        (BY_CLASS, {"class_": "cao"}, Verdict.NOT_MET, ("total_min_by_area", "cao", "90", "80")),
        (BY_CLASS, {"class_": "thap"}, Verdict.MET, ("total_min_by_area", "thap", "60", "80")),
        (BY_CLASS, {}, Verdict.INCOMPLETE, ("total_min_by_area", None, None, "80")),
        (
            CriterionFloor(D(81)),
            {},
            Verdict.NOT_MET,
            ("each_criterion_min_pct_of_max", "I", "40.5", "40"),
        ),
        (
            Vetoes((Veto("ky-luat", "MẪU"),)),
            {"vetoes": {"ky-luat"}},
            Verdict.NOT_MET,
            ("veto", "ky-luat", None, "ky-luat"),
        ),
        (VOTE, {"votes_percent": D(60)}, Verdict.MET, ("vote_min", None, "60", "60")),
        (VOTE, {"votes_percent": D("59.99")}, Verdict.NOT_MET, ("vote_min", None, "60", "59.99")),
        (VOTE, {}, Verdict.INCOMPLETE, ("vote_min", None, "60", None)),
        (
            VOTE,
            {"votes_percent": D(90), "quorum_percent": D("66.66")},
            Verdict.NOT_MET,
            ("quorum", None, "66.67", "66.66"),
        ),
        (
            ChildrenShare("mau-con", D(70)),
            {"children_percent": D("69.9")},
            Verdict.NOT_MET,
            ("children_share", "mau-con", "70", "69.9"),
        ),
        (ChildrenShare("mau-con", D(70)), {}, Verdict.INCOMPLETE, ("children_share", "mau-con", "70", None)),
    ],
)
def test_a_rule_on_the_whole_decides_and_says_by_how_much(rule, sheet, verdict, why):
    found = ruled(rule, **sheet)
    assert found.verdict is verdict
    assert why in [(each.rule, each.code, each.need, each.got) for each in found.reasons]


def test_what_is_missing_matters_only_where_it_could_still_decide():
    # 40 and at most 50 more cannot come to 95; they may come to 80; 40 is 40 whatever comes.
    for points, verdict in ((95, Verdict.NOT_MET), (80, Verdict.INCOMPLETE)):
        assert ruled(TotalMin(D(points)), marks={"I": of(40)}).verdict is verdict
    half = ruled(TotalMin(D(40)), marks={"I": of(40)})
    assert half.verdict is Verdict.INCOMPLETE
    assert [(each.rule, each.code) for each in half.reasons] == [("missing", "II")]


def test_all_that_failed_is_told_not_only_the_first():
    found = ruled(TotalMin(D(90)), CriterionFloor(D(90)), Vetoes(None), vetoes=frozenset({"bat-ky"}))
    assert [each.rule for each in found.reasons] == [
        "total_min",
        "each_criterion_min_pct_of_max",
        "each_criterion_min_pct_of_max",
        "veto",
    ]
    assert {each.outcome for each in found.reasons} == {Outcome.FAILED}


# A set with every kind of leaf and every rule, and for each leaf its marks from the worst to the best.
LADDERS: dict[str, tuple[Criterion, list[Mark]]] = {
    "p": (leaf(code="p", max_points=D(20)), [of(n) for n in (0, "9.99", 10, "19.99", 20)]),
    "b": (replace(BANDS, code="b"), [of(n) for n in (0, "49.99", 50, "89.99", 90, 100)]),
    "o": (replace(TIMES, code="o"), [of(n) for n in range(6)]),
    "m": (replace(MINUS, code="m"), [of(n) for n in range(5, -1, -1)]),
    "c": (replace(CHOICE, code="c"), [Mark(choice="a"), Mark(choice="b")]),
    "y": (leaf(LeafKind.YES_NO, "y", max_points=D(5)), [Mark(is_met=False), Mark(is_met=True)]),
    "r": (replace(RATIO, code="r", max_points=D(5)), [of(n) for n in (0, "69.99", 70, 100)]),
    "t": (replace(RATING, code="t", max_points=D(5)), [Mark(choice=name) for name in RATING.scale]),
    "n": (
        leaf(LeafKind.NOT_WORSE_THAN_LAST_YEAR, "n", max_points=D(5)),
        [of(n, before=D(3)) for n in (9, 4, 3, 0)],
    ),
    "+": (leaf(LeafKind.BONUS, "+", limit=D(2)), [of(n) for n in (0, 1, 2)]),
    "-": (leaf(LeafKind.PENALTY, "-", limit=D(2)), [of(n) for n in (-2, -1, 0)]),
}
EVERY = CriteriaSet(
    "mau",
    "MẪU",
    (
        Criterion("I", "MẪU", D(25), children=(LADDERS["p"][0], LADDERS["y"][0])),
        *(each for code, (each, _) in LADDERS.items() if code not in "py"),
    ),
    rules=(
        TotalMinByClass((AreaClass("cao", "MẪU", D(45)), AreaClass("thap", "MẪU", D(30)))),
        CriterionFloor(D(50)),
        Vetoes(None),
        VoteMin(D(60), "attendees", D(50)),
        Levels((Band(D(30), D(45), D(0), "vừa"), Band(D(45), None, D(0), "cao"))),
    ),
)
BETTER = {Verdict.NOT_MET: 0, Verdict.INCOMPLETE: 1, Verdict.MET: 2}
METHODS = st.sampled_from([Method.POINTS, Method.PASS_FAIL_ALL])


@st.composite
def pairs(draw):
    """Two sheets of which the second is at least as good at every leaf, and in everything else equal."""
    worse, better = {}, {}
    for code, (_, ladder) in LADDERS.items():
        if draw(st.integers(0, 9)):
            low = draw(st.integers(0, len(ladder) - 1))
            worse[code], better[code] = ladder[low], ladder[draw(st.integers(low, len(ladder) - 1))]
    sheet = Sheet(
        "MẪU",
        draw(st.sampled_from([None, "cao", "thap"])),
        worse,
        draw(st.sampled_from([None, D(59), D(60)])),
        draw(st.sampled_from([None, D(49), D(50)])),
        draw(st.sampled_from([frozenset(), frozenset({"x"})])),
    )
    return sheet, replace(sheet, marks=better)


@given(pairs(), METHODS)
def test_a_better_mark_never_makes_a_verdict_worse(pair, method):
    criteria = replace(EVERY, method=method)
    worse, better = (assess(criteria, sheet) for sheet in pair)
    assert BETTER[better.verdict] >= BETTER[worse.verdict]
    if worse.total is not None:
        assert better.total >= worse.total


@given(pairs(), METHODS)
def test_a_mark_that_comes_in_only_settles_what_was_open(pair, method):
    criteria, sheet = replace(EVERY, method=method), pair[0]
    for code in sheet.marks:
        without = replace(sheet, marks={leaf: mark for leaf, mark in sheet.marks.items() if leaf != code})
        before, after = assess(criteria, without).verdict, assess(criteria, sheet).verdict
        assert before in (Verdict.INCOMPLETE, after)


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_marks_and_of_criteria_never_matters(pair, random):
    sheet = pair[0]
    shuffled, branches = list(sheet.marks.items()), list(EVERY.branches)
    random.shuffle(shuffled)
    random.shuffle(branches)
    one = assess(EVERY, sheet)
    other = assess(replace(EVERY, branches=tuple(branches)), replace(sheet, marks=dict(shuffled)))
    assert (one.verdict, one.total, one.level) == (other.verdict, other.total, other.level)
    assert set(one.reasons) == set(other.reasons) or one.verdict is Verdict.MET


@given(pairs())
def test_the_parts_come_to_the_total(pair):
    found = assess(EVERY, pair[0])
    marks = {code: judge(each, pair[0].marks.get(code)).points or D(0) for code, (each, _) in LADDERS.items()}
    assert found.total == sum(marks.values()) == sum(found.by_criterion.values())
    assert found.by_criterion["I"] == marks["p"] + marks["y"]
