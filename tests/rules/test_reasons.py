"""Why a verdict is what it is: the leaf or the rule that decided, what it needed and what it got."""

from decimal import Decimal

import pytest

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
    Reference,
    TotalMin,
    TotalMinByClass,
    Verdict,
    Veto,
    Vetoes,
    VoteMin,
    Waiver,
)
from rules.scoring import Assessment, BadMark, Fault, Outcome, Sheet, assess, judge

D = Decimal
GONE = Mark(is_not_applicable=True)


def leaf(code: str, kind: LeafKind | None = None, points: str | None = None, **more) -> Criterion:
    return Criterion(code, "MẪU", None if points is None else D(points), kind, **more)


def of(value: str | int, **more) -> Mark:
    return Mark(value=D(value), **more)


def why(found: Assessment) -> list[tuple[str, str | None, str | None, str | None]]:
    return [(each.rule, each.code, each.need, each.got) for each in found.reasons]


# --- one leaf decides ----------------------------------------------------------------------------

CASE = (Waiver("bao-ngay", "báo ngay"),)
SCALE = ("yếu", "khá", "tốt")
KINDS = [
    (leaf("1", LeafKind.YES_NO), Mark(is_met=True), Mark(is_met=False), None, None),
    (leaf("1", LeafKind.MUST_NOT_OCCUR, waivers=CASE), of(3, waiver="bao-ngay"), of(1), "0", "1"),
    (leaf("1", LeafKind.RATIO_MIN, minimum=D("66.67")), of("66.67"), of("66.6699"), "66.67", "66.6699"),
    (leaf("1", LeafKind.RATIO_MIN, minimum=D(70)), Mark(is_met=True), Mark(is_met=False), None, None),
    (leaf("1", LeafKind.COUNT_MIN, minimum=D(2)), of(2), of(1), "2", "1"),
    (
        leaf("1", LeafKind.RATING_MIN, scale=SCALE, minimum_rating="khá"),
        Mark(choice="tốt"),
        Mark(choice="yếu"),
        "khá",
        "yếu",
    ),
    (leaf("1", LeafKind.NOT_WORSE_THAN_LAST_YEAR), of(7, before=D(7)), of(8, before=D(7)), "7", "8"),
    (
        leaf("1", LeafKind.REFER, refers_to=Reference("mau-khac")),
        Mark(is_met=True),
        Mark(is_met=False),
        None,
        None,
    ),
    (
        leaf("1", LeafKind.COMPOUND, children=(leaf("1.a", LeafKind.YES_NO),)),
        Mark(is_met=True),
        Mark(is_met=False),
        None,
        None,
    ),
]


@pytest.mark.parametrize(("asked", "good", "bad", "need", "got"), KINDS, ids=[each[0].kind for each in KINDS])
def test_a_leaf_that_is_not_met_is_the_reason_with_what_it_needed_and_got(asked, good, bad, need, got):
    criteria = CriteriaSet("mau", "MẪU", (asked, leaf("2", LeafKind.YES_NO)), method=Method.PASS_FAIL_ALL)
    other = {"2": Mark(is_met=True)}
    met = assess(criteria, Sheet("MẪU", marks={"1": good} | other))
    assert (met.verdict, met.total, why(met)) == (Verdict.MET, None, [("all_leaves", None, "2", "2")])
    not_met = assess(criteria, Sheet("MẪU", marks={"1": bad} | other))
    assert (not_met.verdict, why(not_met)) == (Verdict.NOT_MET, [(asked.kind, "1", need, got)])
    missing = assess(criteria, Sheet("MẪU", marks=other))
    assert (missing.verdict, why(missing)) == (Verdict.INCOMPLETE, [("missing", "1", None, None)])
    # In a set by points the same leaf brings all of its points or none.
    worth = Criterion(**{name: getattr(asked, name) for name in asked.__slots__} | {"max_points": D("2.5")})
    assert [judge(worth, each).points for each in (good, bad)] == [D("2.5"), 0]


def test_every_leaf_that_is_not_met_is_told_in_the_order_of_the_file():
    leaves = tuple(leaf(code, LeafKind.YES_NO) for code in ("b", "a", "c"))
    criteria = CriteriaSet("mau", "MẪU", leaves, method=Method.PASS_FAIL_ALL)
    marks = {"c": Mark(is_met=False), "a": Mark(is_met=True), "b": Mark(is_met=False)}
    assert [each.code for each in assess(criteria, Sheet("MẪU", marks=marks)).reasons] == ["b", "c"]


# --- not applicable ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "points", "is_met"),
    [
        (leaf("1", None, "4", not_applicable=NotApplicable.FULL_POINTS), 4, None),
        (leaf("1", LeafKind.RATIO_BANDS, "4", not_applicable=NotApplicable.FULL_POINTS), 4, None),
        (leaf("1", LeafKind.YES_NO, "4", not_applicable=NotApplicable.FULL_POINTS), 4, True),
        (leaf("1", LeafKind.RATIO_MIN, not_applicable=NotApplicable.PASS), None, True),
        (leaf("1", LeafKind.RATIO_MIN, "4", not_applicable=NotApplicable.PASS), 4, True),
        (leaf("1", None, "4", not_applicable=NotApplicable.OWN_GROUP), None, None),
    ],
)
def test_what_is_not_applicable_is_worth_what_the_leaf_says(asked, points, is_met):
    found = judge(asked, GONE)
    assert (found.points, found.is_met) == (points, is_met)


@pytest.mark.parametrize("kind", [None, *LeafKind])
def test_a_leaf_that_says_nothing_of_it_is_always_applicable(kind):
    with pytest.raises(BadMark) as refused:
        judge(leaf("1", kind, "4"), GONE)
    assert refused.value.fault is Fault.NOT_APPLICABLE_HERE


def test_a_leaf_of_its_own_group_is_left_out_and_not_missed():
    apart = leaf("2", LeafKind.YES_NO, not_applicable=NotApplicable.OWN_GROUP)
    criteria = CriteriaSet("mau", "MẪU", (leaf("1", LeafKind.YES_NO), apart), method=Method.PASS_FAIL_ALL)
    found = assess(criteria, Sheet("MẪU", marks={"1": Mark(is_met=True), "2": GONE}))
    assert (found.verdict, why(found)) == (Verdict.MET, [("all_leaves", None, "1", "1")])
    apart = leaf("2", None, "20", not_applicable=NotApplicable.OWN_GROUP)
    criteria = CriteriaSet("mau", "MẪU", (leaf("1", None, "30"), apart), rules=(TotalMin(D(31)),))
    found = assess(criteria, Sheet("MẪU", marks={"1": of(30), "2": GONE}))
    assert (found.total, found.verdict, why(found)) == (
        30,
        Verdict.NOT_MET,
        [("total_min", None, "31", "30")],
    )


# --- rules on the whole --------------------------------------------------------------------------

TWO = (leaf("I", None, "60"), leaf("II", None, "40"))
BY_CLASS = TotalMinByClass(
    (AreaClass("cao", "MẪU", D(90)), AreaClass("thap", "MẪU", D(60)), AreaClass("chua-ro", "MẪU", None))
)
KNOWN = TotalMinByClass(BY_CLASS.classes[:2])
LEVELS = Levels((Band(D(30), D(70), D(0), "vừa"), Band(D(70), None, D(0), "cao")))
FINE = D("59.999999999999999999999999999")


def whole(rule, first: str | int, second: str | int | None, **more) -> Assessment:
    marks = {"I": of(first)} | ({} if second is None else {"II": of(second)})
    return assess(CriteriaSet("mau", "MẪU", TWO, rules=(rule,)), Sheet("MẪU", marks=marks, **more))


@pytest.mark.parametrize(
    ("rule", "marks", "more", "verdict", "reason"),
    [
        (TotalMin(D(80)), ("49.9999", 30), {}, Verdict.NOT_MET, ("total_min", None, "80", "79.9999")),
        (TotalMin(D(80)), ("50.0000", 30), {}, Verdict.MET, ("total_min", None, "80", "80.0000")),
        (KNOWN, (60, "29.99"), {"class_": "cao"}, Verdict.NOT_MET, ("total_min_by_area", "cao", "90", "89.99")),
        (KNOWN, (60, 30), {"class_": "cao"}, Verdict.MET, ("total_min_by_area", "cao", "90", "90")),
        # Whatever its class is, 59.99 is too little and 90 enough; between them it depends.
        (KNOWN, (30, "29.99"), {}, Verdict.NOT_MET, ("total_min_by_area", None, None, "59.99")),
        (KNOWN, (60, 30), {}, Verdict.MET, ("total_min_by_area", None, None, "90")),
        (KNOWN, (60, "29.99"), {}, Verdict.INCOMPLETE, ("total_min_by_area", None, None, "89.99")),
        (BY_CLASS, (60, 40), {}, Verdict.INCOMPLETE, ("total_min_by_area", None, None, "100")),
        (BY_CLASS, (60, 40), {"class_": "chua-ro"}, Verdict.INCOMPLETE, ("total_min_by_area", "chua-ro", None, "100")),
        (CriterionFloor(D(50)), (60, "19.9999"), {}, Verdict.NOT_MET, ("each_criterion_min_pct_of_max", "II", "20", "19.9999")),
        # Where all hold, the one nearest to its floor is told.
        (CriterionFloor(D(50)), (35, 21), {}, Verdict.MET, ("each_criterion_min_pct_of_max", "II", "20", "21")),
        (CriterionFloor(D("33.33")), ("19.998", 40), {}, Verdict.MET, ("each_criterion_min_pct_of_max", "I", "19.998", "19.998")),
        (CriterionFloor(D("33.33")), ("19.9979", 40), {}, Verdict.NOT_MET, ("each_criterion_min_pct_of_max", "I", "19.998", "19.9979")),
        (VoteMin(D(60), "attendees"), (0, 0), {"votes_percent": FINE}, Verdict.NOT_MET, ("vote_min", None, "60", str(FINE))),
        (VoteMin(D(60), "attendees", D(50)), (0, 0), {"votes_percent": D(60), "quorum_percent": D(50)}, Verdict.MET, ("quorum", None, "50", "50")),
        (VoteMin(D(60), "attendees", D(50)), (0, 0), {"votes_percent": D(60), "quorum_percent": D("49.99")}, Verdict.NOT_MET, ("quorum", None, "50", "49.99")),
        (ChildrenShare("mau-con", D(70)), (0, 0), {"children_percent": D(70)}, Verdict.MET, ("children_share", "mau-con", "70", "70")),
        (ChildrenShare("mau-con", D(70)), (0, 0), {"children_percent": D("69.99")}, Verdict.NOT_MET, ("children_share", "mau-con", "70", "69.99")),
        (LEVELS, (29, "0.99"), {}, Verdict.NOT_MET, ("level", None, "30", "29.99")),
        (LEVELS, (30, "39.99"), {}, Verdict.MET, ("level", "vừa", "30", "69.99")),
        (LEVELS, (30, 40), {}, Verdict.MET, ("level", "cao", "30", "70")),
        # A leaf is missing, but the best it could bring would save nothing.
        (TotalMin(D("80.01")), (40, None), {}, Verdict.NOT_MET, ("total_min", None, "80.01", "40")),
        (TotalMin(D(80)), (40, None), {}, Verdict.INCOMPLETE, ("total_min", None, "80", "40")),
    ],
)  # fmt: skip
def test_a_rule_holds_from_its_limit_on_and_nothing_is_rounded(rule, marks, more, verdict, reason):
    found = whole(rule, *marks, **more)
    assert found.verdict is verdict, found.reasons
    assert reason in why(found)
    assert {each.outcome for each in found.reasons} == {
        {
            Verdict.MET: Outcome.HELD,
            Verdict.NOT_MET: Outcome.FAILED,
            Verdict.INCOMPLETE: Outcome.OPEN,
        }[verdict]
    }


def test_a_veto_excludes_whatever_the_points_and_although_marks_are_missing():
    rule = Vetoes((Veto("ky-luat", "MẪU"), Veto("hinh-su", "MẪU")))
    for second in (40, None):
        found = whole(rule, 60, second, vetoes=frozenset({"ky-luat", "hinh-su"}))
        assert found.verdict is Verdict.NOT_MET
        assert why(found) == [("veto", "hinh-su", None, "hinh-su"), ("veto", "ky-luat", None, "ky-luat")]
    assert whole(rule, 60, 40).verdict is Verdict.MET


def test_bonus_and_penalty_count_up_to_their_limits_and_only_in_the_total():
    beside = (leaf("+", LeafKind.BONUS, limit=D(5)), leaf("-", LeafKind.PENALTY, limit=D(3)))
    criteria = CriteriaSet("mau", "MẪU", (*TWO, *beside), rules=(TotalMin(D(80)), CriterionFloor(D(50))))
    marks = {"I": of(50), "II": of(28)}
    found = assess(criteria, Sheet("MẪU", marks=marks | {"+": of(5), "-": of(-3)}))
    assert (found.total, found.verdict) == (80, Verdict.MET)
    assert dict(found.by_criterion) == {"I": 50, "II": 28, "+": 5, "-": -3}
    for wrong in ({"+": of("5.01")}, {"+": of(-1)}, {"-": of("-3.01")}, {"-": of("0.01")}):
        with pytest.raises(BadMark) as refused:
            assess(criteria, Sheet("MẪU", marks=marks | wrong))
        assert refused.value.fault is Fault.OUT_OF_RANGE
    # Until the penalty is known it may still cost the total its limit.
    found = assess(criteria, Sheet("MẪU", marks=marks | {"+": of(4)}))
    assert ("total_min", None, "80", "82") in why(found)
    assert found.verdict is Verdict.INCOMPLETE


def test_a_figure_beyond_all_reckoning_is_refused_where_the_set_names_no_limit():
    for step in (None, D("0.25")):
        with pytest.raises(BadMark) as refused:
            judge(leaf("1"), of("9" * 40), step)
        assert refused.value.fault is Fault.OUT_OF_RANGE
