"""The real sets of `config/criteria/`: what is known of their results comes out, limit by limit."""

from decimal import Decimal
from pathlib import Path

import pytest

from config.criteria_file import gap_problems, read_criteria_file
from config.mark_texts import read_mark
from rules.criteria import LeafKind, Mark, Verdict
from rules.scoring import Assessment, Sheet, assess

CRITERIA = Path(__file__).parents[2] / "config/criteria"
SETS = {path.stem: read_criteria_file(path) for path in sorted(CRITERIA.glob("*.yaml"))}
ND122 = SETS["khu-dan-cu-van-hoa-nd122-2018"][0]
QD619 = SETS["tiep-can-phap-luat-qd619-2017"][0]
ANTT = ("antt-khu-dan-cu-tt124-2021", "antt-xa-phuong-tt124-2021")


@pytest.mark.parametrize(
    ("scores", "total"),
    [
        pytest.param(("15", "29,63", "21,25", "9,57", "20"), "95.45", id="Lai-Uyên"),
        pytest.param(("15", "28,70", "21,50", "10", "20"), "95.20", id="Trừ-Văn-Thố"),
    ],
)
def test_the_real_results_of_2017_come_out_to_the_last_digit(scores, total):
    marks = {leaf.code: read_mark(leaf, text) for leaf, text in zip(QD619.leaves(), scores, strict=True)}
    assert assess(QD619, Sheet("MẪU", marks=marks)).total == Decimal(total)


def meeting(leaf) -> Mark:
    """A mark with which a leaf is met, by its least."""
    match leaf.kind:
        case LeafKind.MUST_NOT_OCCUR:
            return Mark(value=Decimal(0))
        case LeafKind.RATIO_MIN | LeafKind.COUNT_MIN:
            return Mark(value=leaf.minimum)
        case LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            return Mark(value=Decimal(7), before=Decimal(7))
        case LeafKind.RATING_MIN:
            return Mark(choice=leaf.minimum_rating)
        case _:
            return Mark(is_met=True)


def failing(leaf) -> Mark:
    """A mark with which it is just not met."""
    match leaf.kind:
        case LeafKind.MUST_NOT_OCCUR:
            return Mark(value=Decimal(1))
        case LeafKind.RATIO_MIN | LeafKind.COUNT_MIN:
            return Mark(value=leaf.minimum - 1)
        case LeafKind.NOT_WORSE_THAN_LAST_YEAR:
            return Mark(value=Decimal(8), before=Decimal(7))
        case LeafKind.RATING_MIN:
            return Mark(choice=leaf.scale[leaf.scale.index(leaf.minimum_rating) - 1])
        case _:
            return Mark(is_met=False)


@pytest.mark.parametrize(
    ("name", "code"), [(name, leaf.code) for name in ANTT for leaf in SETS[name][0].leaves()]
)
def test_every_leaf_of_the_sets_of_security_alone_decides(name, code):
    criteria = SETS[name][0]
    good = {leaf.code: meeting(leaf) for leaf in criteria.leaves()}
    assert assess(criteria, Sheet("MẪU", marks=good)).verdict is Verdict.MET
    turned = next(leaf for leaf in criteria.leaves() if leaf.code == code)
    bad = assess(criteria, Sheet("MẪU", marks=good | {code: failing(turned)}))
    assert bad.verdict is Verdict.NOT_MET
    assert [reason.code for reason in bad.reasons] == [code]
    without = {leaf: mark for leaf, mark in good.items() if leaf != code}
    assert assess(criteria, Sheet("MẪU", marks=without)).verdict is Verdict.INCOMPLETE


def nd122(total: str, class_: str | None, **instead: str) -> Assessment:
    """Assess a residential area of this total: full points but for what is missing, shared out evenly."""
    share = Decimal(total) / 100
    marks = {leaf.code: Mark(value=leaf.max_points * share) for leaf in ND122.leaves()}
    marks |= {code: Mark(value=Decimal(points)) for code, points in instead.items()}
    return assess(ND122, Sheet("MẪU", class_, marks, votes_percent=Decimal(60)))


@pytest.mark.parametrize(
    ("total", "met_in"),
    [
        ("59.99", ()),
        ("60", ("mien-nui",)),
        ("79.99", ("mien-nui",)),
        ("80", ("mien-nui", "con-lai")),
        ("89.99", ("mien-nui", "con-lai")),
        ("90", ("mien-nui", "con-lai", "thanh-pho-truc-thuoc")),
    ],
)
@pytest.mark.parametrize("class_", ["mien-nui", "con-lai", "thanh-pho-truc-thuoc"])
def test_the_thresholds_of_decree_122_hold_by_class_of_area(total, met_in, class_):
    found = nd122(total, class_)
    assert found.total == Decimal(total)
    assert (found.verdict is Verdict.MET) == (class_ in met_in), found.reasons
    assert found.verdict is not Verdict.INCOMPLETE


def test_one_criterion_below_half_of_its_maximum_fails_the_whole():
    full = {leaf.code: Mark(value=leaf.max_points) for leaf in ND122.leaves()}
    for leaf in ND122.leaves():
        half = leaf.max_points / 2
        for points, verdict in ((half, Verdict.MET), (half - Decimal("0.01"), Verdict.NOT_MET)):
            marks = full | {leaf.code: Mark(value=points)}
            found = assess(ND122, Sheet("MẪU", "mien-nui", marks, votes_percent=Decimal(60)))
            assert found.verdict is verdict
        assert [(each.rule, each.code) for each in found.reasons] == [
            ("each_criterion_min_pct_of_max", leaf.code)
        ]


@pytest.mark.parametrize("name", SETS)
def test_a_set_runs_or_names_the_branch_that_is_missing(name):
    criteria, document = SETS[name]
    problems = gap_problems(criteria, document)
    assert bool(problems) == bool(criteria.gaps)
    missing = {
        "thon-to-dan-pho-van-hoa-nd86-2023": ("I", "II", "III", "IV-V"),
        "tiep-can-phap-luat-qd27-2025": ("2.6", "2.7"),
    }
    if name in missing:
        assert tuple(gap.code for gap in criteria.gaps) == missing[name]
    elif name == "tiep-can-phap-luat-qd25-2021":
        assert {"1.2", "2.1", "2.2"} <= {gap.code for gap in criteria.gaps}
    else:
        assert criteria.gaps == ()
    assert all(problem.line > 1 for problem in problems)
