"""The one statement that consolidates a campaign says what the rules of scoring say, group by group."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.score_words import reason_text
from models.campaigns import file_of, get_campaign, open_campaign
from models.consolidation import consolidate
from models.database import transaction
from models.groups import groups_of
from models.marks import NewMark, give_marks
from models.sheets import known_of
from models.tables import ChildrenRecognised, GroupCase, ListVersion, VetoFound
from rules.criteria import Mark, Verdict
from rules.reviews import ScoreKind
from rules.scoring import assess
from tests import factories
from tests.walking import at, change, rows

NOW = at("2021-11-12 09:00")

POINTS = {
    "id": "mau-diem",
    "title": "Bộ tiêu chí MẪU theo điểm",
    "subject": "residential_group",
    "method": "points",
    "step": "0.5",
    "total_max": 30,
    "criteria": [
        {
            "code": "I",
            "title": "MẪU một",
            "max_points": 20,
            "children": [
                {"code": "I.1", "title": "MẪU", "max_points": 10},
                {"code": "I.2", "title": "MẪU", "max_points": 10, "not_applicable": "own_group"},
            ],
        },
        {"code": "II", "title": "MẪU hai", "max_points": 10, "not_applicable": "full_points"},
        {"code": "III", "title": "MẪU thưởng", "kind": "bonus", "limit": 2},
        {"code": "IV", "title": "MẪU phạt", "kind": "penalty", "limit": 3, "max_points": 0},
    ],
    "recognition": {
        "each_criterion_min_percent": 50,
        "total_min_by_area": [
            {"code": "cao", "area": "MẪU cao", "points": 24},
            {"code": "thap", "area": "MẪU thấp", "points": 15},
        ],
        "vote_min": {"percent": 60, "of": "attendees", "quorum_percent_of_invited": 60},
        "vetoes": None,
    },
}

PASS_FAIL = {
    "id": "mau-dat",
    "title": "Bộ tiêu chí MẪU đạt hay chưa",
    "subject": "residential_group",
    "method": "pass_fail_all",
    "criteria": [
        {
            "code": "1",
            "title": "MẪU",
            "children": [
                {"code": "1.1", "title": "MẪU", "kind": "yes_no"},
                {"code": "1.2", "title": "MẪU", "kind": "ratio_min", "minimum": 70, "not_applicable": "pass"},
                {"code": "1.3", "title": "MẪU", "kind": "must_not_occur"},
            ],
        }
    ],
    "recognition": {"vetoes": None, "children_share_min": {"set": "mau-khac", "percent": 70}},
}

LEVELS = {
    "id": "mau-bac",
    "title": "Bộ tiêu chí MẪU theo bậc",
    "subject": "residential_group",
    "method": "points_to_levels",
    "total_max": 30,
    "criteria": [
        {"code": "A", "title": "MẪU", "max_points": 20},
        {"code": "B", "title": "MẪU", "max_points": 10},
    ],
    "recognition": {
        "levels": [{"name": "cao", "from": 20}, {"name": "vừa", "from": 8, "below": 20}],
        "vote_min": {"percent": 50, "of": "invited"},
    },
}


def halves(low: int, high: int) -> st.SearchStrategy[Mark]:
    return st.integers(2 * low, 2 * high).map(lambda n: Mark(value=Decimal(n) / 2))


def numbers(*known: int) -> st.SearchStrategy[Mark]:
    return st.sampled_from([Mark(value=Decimal(n)) for n in known])


NONE = st.none()
NOT_APPLICABLE = st.just(Mark(is_not_applicable=True))
LEAVES = {
    "points": {
        "I.1": st.one_of(halves(3, 10), NONE),
        "I.2": st.one_of(halves(3, 10), halves(3, 10), NOT_APPLICABLE, NONE),
        "II": st.one_of(halves(4, 10), halves(4, 10), NOT_APPLICABLE, NONE),
        "III": st.one_of(halves(0, 2), NONE),
        "IV": st.one_of(halves(-3, 0), NONE),
    },
    "pass_fail": {
        "1.1": st.one_of(st.sampled_from([Mark(is_met=True), Mark(is_met=True), Mark(is_met=False)]), NONE),
        "1.2": st.one_of(
            st.sampled_from([Mark(value=Decimal(n)) for n in (69, 70, 100)]), NOT_APPLICABLE, NONE
        ),
        "1.3": st.one_of(st.sampled_from([Mark(value=Decimal(n)) for n in (0, 0, 1)]), NONE),
    },
    "levels": {"A": st.one_of(halves(0, 20), NONE), "B": st.one_of(halves(0, 10), NONE)},
}
GAPPED = {**LEVELS, "id": "mau-ho", "missing": [{"code": "C", "what": "MẪU: chưa có phụ lục"}]}
SETS = {"points": POINTS, "pass_fail": PASS_FAIL, "levels": LEVELS, "gapped": GAPPED}


def group(kind: str) -> st.SearchStrategy[dict]:
    """A group with its scores by kind, its case and whether something excludes it."""
    scores = st.fixed_dictionaries(LEAVES[kind])
    votes = st.one_of(
        st.none(),
        st.sampled_from([(0, 0, 0), (8, 0, 0), (10, 5, 5), (10, 6, 6), (10, 10, 6)]),
        st.tuples(st.integers(1, 20), st.integers(0, 10), st.integers(0, 10)).map(
            lambda drawn: (drawn[0] + drawn[1] + drawn[2], drawn[0] + drawn[1], drawn[0])
        ),
    )
    return st.fixed_dictionaries(
        {
            ScoreKind.SELF: scores,
            ScoreKind.AGENCY: scores,
            ScoreKind.CONSOLIDATED: st.one_of(st.just({}), st.just({}), scores),
            ScoreKind.FINAL: st.one_of(st.just({}), st.just({}), scores),
            "is_proposed": st.sampled_from([True, True, False]),
            "area_class": st.sampled_from([None, "cao", "thap"]),
            "votes": votes,
            # Known as a share alone; where people were counted, they are what counts.
            "votes_percent": st.sampled_from([None, *map(Decimal, ("59.99", "60", "100"))]),
            "vetoed": st.sampled_from([None, None, None, "stands", "lifted"]),
            # How many units below it has, and how many of them another list recognises.
            "children": st.sampled_from([None, (10, 10), (10, 7), (10, 6), (1, 0)]),
        }
    )


SIZE = 6


@pytest.fixture(params=["points", "pass_fail", "levels"])
def scored(request, database, tmp_path) -> str:
    """A campaign of one commune with six groups; its dossier counts as handed in."""
    units = factories.units(communes=("a",))
    for unit in units:
        if unit["code"] == "a":
            unit["groups"] = [f"Bản MẪU {n}" for n in range(SIZE)]
    branches = [each["code"] for each in SETS[request.param]["criteria"]]
    file = factories.campaign(tmp_path, units, scored_by=SETS[request.param], reviews={"x": branches})
    with transaction() as session:
        open_campaign(session, file, at=NOW, by="MẪU")
    return request.param


def put(campaign_code: str, drawn: list[dict]) -> None:
    """Leave only what was drawn."""
    for table in (
        "children_recognised",
        "results",
        "list_versions",
        "marks",
        "scores",
        "vetoes",
        "group_cases",
    ):
        change(f"DELETE FROM {table}")
    with transaction() as session:
        campaign = get_campaign(session, campaign_code)
        for of, each in zip(groups_of(session, campaign), drawn, strict=True):
            for kind in ScoreKind:
                marks = [
                    NewMark(of.id, leaf, mark, "MẪU") for leaf, mark in each[kind].items() if mark is not None
                ]
                give_marks(session, campaign, kind, marks, at=NOW, recorded_at=NOW, by="MẪU")
            invited, attended, in_favour = each["votes"] or (None, None, None)
            session.add(
                GroupCase(
                    campaign_id=campaign.id,
                    group_id=of.id,
                    is_proposed=each["is_proposed"],
                    reason="MẪU",
                    area_class=each["area_class"],
                    invited=invited,
                    attended=attended,
                    in_favour=in_favour,
                    votes_percent=each.get("votes_percent"),
                    recorded_at=NOW,
                )
            )
            if each["vetoed"]:
                session.add(
                    VetoFound(
                        campaign_id=campaign.id,
                        group_id=of.id,
                        code="MAU",
                        reason="MẪU",
                        found_at=NOW,
                        recorded_at=NOW,
                        **(LIFTED if each["vetoed"] == "lifted" else {}),
                    )
                )


LIFTED = {"lifted_at": NOW, "lifted_because": "MẪU"}


def add_children(session, campaign, version_id: int, drawn: list[dict]) -> None:
    """Record what a list says of the units below each group."""
    for of, each in zip(groups_of(session, campaign), drawn, strict=True):
        if each["children"]:
            children, recognised = each["children"]
            session.add(
                ChildrenRecognised(
                    campaign_id=campaign.id,
                    group_id=of.id,
                    version_id=version_id,
                    children=children,
                    recognised=recognised,
                )
            )
    session.flush()


def version(session, campaign) -> int:
    row = ListVersion(
        campaign_id=campaign.id,
        version=1,
        frozen_at=NOW,
        recorded_at=NOW,
        groups=0,
        recognised=0,
        hash="",
    )
    session.add(row)
    session.flush()
    return row.id


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_the_statement_says_of_every_group_what_the_rules_say(scored, data):
    drawn = data.draw(st.lists(group(scored), min_size=SIZE, max_size=SIZE))
    put("mau-2021", drawn)
    with transaction() as session:
        campaign = get_campaign(session, "mau-2021")
        version_id = version(session, campaign)
        add_children(session, campaign, version_id, drawn)
        assert consolidate(session, campaign, version_id) == SIZE
        known = known_of(session, campaign, groups_of(session, campaign))
        expected = [assess(file_of(campaign).criteria, each.sheet()) for each in known]
    said = rows("SELECT verdict, level, final_total FROM results ORDER BY group_id")
    for each, (verdict, level, total) in zip(expected, said, strict=True):
        assert Verdict(verdict) is each.verdict, each
        assert level == each.level
        assert (None if total is None else Decimal(total) / 10_000) == each.total


@pytest.mark.parametrize("scored", ["points"], indirect=True)
def test_the_statement_holds_on_every_limit_and_just_below_it(scored):
    full = {"I.1": 10, "I.2": 10, "II": 10, "III": 0, "IV": 0}
    limits = [
        # the total of its class, and half a point less
        ({**full, "I.2": 4}, "cao", (10, 10, 10), Verdict.MET),
        ({**full, "I.2": 3.5}, "cao", (10, 10, 10), Verdict.NOT_MET),
        # six of ten came and all were for it; five of ten came
        (full, "cao", (10, 6, 6), Verdict.MET),
        (full, "cao", (10, 5, 5), Verdict.NOT_MET),
        # six of ten were for it; five of nine are less than 60 per cent
        (full, "cao", (10, 10, 6), Verdict.MET),
        (full, "cao", (10, 9, 5), Verdict.NOT_MET),
        # the same where only the share is known
        (full, "cao", Decimal("60"), Verdict.MET),
        (full, "cao", Decimal("59.9999"), Verdict.NOT_MET),
        # half of a criterion, and half a point less, the total of its class being there
        ({**full, "I.1": 5, "I.2": 5}, "thap", (10, 10, 10), Verdict.MET),
        ({**full, "I.1": 5, "I.2": 4.5}, "thap", (10, 10, 10), Verdict.NOT_MET),
        # of a class not known: the total of every class, and less than that of one
        ({**full, "I.2": 4}, None, (10, 10, 10), Verdict.MET),
        ({**full, "I.2": 3.5}, None, (10, 10, 10), Verdict.INCOMPLETE),
        # as many people as live in a commune; one of them alone; nobody came
        (full, "cao", (90_000, 90_000, 54_000), Verdict.MET),
        (full, "cao", (90_000, 90_000, 53_999), Verdict.NOT_MET),
        (full, "cao", (90_000, 54_000, 54_000), Verdict.MET),
        (full, "cao", (90_000, 53_999, 53_999), Verdict.NOT_MET),
        (full, "cao", (1, 1, 1), Verdict.MET),
        (full, "cao", (10, 0, 0), Verdict.NOT_MET),
    ]
    for some in (limits[start : start + SIZE] for start in range(0, len(limits), SIZE)):
        put("mau-2021", [of_votes(votes) | of_points(points, area) for points, area, votes, _ in some])
        with transaction() as session:
            campaign = get_campaign(session, "mau-2021")
            consolidate(session, campaign, version(session, campaign))
        said = [row[0] for row in rows("SELECT verdict FROM results ORDER BY group_id")]
        assert said == [verdict.value for *_, verdict in some]


@pytest.mark.parametrize("scored", ["gapped"], indirect=True)
def test_by_a_set_that_is_not_known_whole_nobody_has_met_it(scored):
    good, poor = {"A": 20, "B": 10}, {"A": 1, "B": 1}
    put("mau-2021", [of_votes((10, 10, 10)) | of_points(points, None) for points in (good, poor, good) * 2])
    with transaction() as session:
        campaign = get_campaign(session, "mau-2021")
        consolidate(session, campaign, version(session, campaign))
        first, *_ = known_of(session, campaign, groups_of(session, campaign))
        found = assess(file_of(campaign).criteria, first.sheet())
    said = rows("SELECT verdict, is_recognised FROM results ORDER BY group_id")[:3]
    assert [(verdict, bool(recognised)) for verdict, recognised in said] == [
        ("incomplete", False),
        ("not_met", False),
        ("incomplete", False),
    ]
    assert [(each.rule, each.code, each.got) for each in found.reasons] == [
        ("gap", "C", "MẪU: chưa có phụ lục")
    ]
    (only,) = found.reasons
    text = reason_text(only.rule, only.code, only.need, only.got, only.outcome)
    assert text == "Tiêu chí C của bộ tiêu chí: MẪU: chưa có phụ lục; bổ sung theo văn bản rồi mới kết luận."


def of_votes(votes: tuple[int, int, int] | Decimal) -> dict:
    """How the people of a group voted: invited, there, in favour; or a share alone."""
    counted = isinstance(votes, tuple)
    return {"votes": votes if counted else None, "votes_percent": None if counted else votes}


def of_points(points: dict[str, float], area: str | None) -> dict:
    """A proposed group with the agency's scores, and nothing against it."""
    return {
        **{kind: {} for kind in ScoreKind},
        ScoreKind.AGENCY: as_marks(points),
        "is_proposed": True,
        "area_class": area,
        "vetoed": None,
    }


def as_marks(points: dict[str, float]) -> dict[str, Mark]:
    return {leaf: Mark(value=Decimal(str(number))) for leaf, number in points.items()}


@pytest.mark.parametrize("scored", ["points"], indirect=True)
def test_the_four_totals_stand_side_by_side_and_a_departure_counts_only_where_it_was_made(scored):
    own = {"I.1": 10, "I.2": 9, "II": 8, "III": 1, "IV": 0}
    found = {"I.1": 9, "I.2": 9, "II": 7, "III": 1, "IV": -1}
    each = {
        ScoreKind.SELF: as_marks(own),
        ScoreKind.AGENCY: as_marks(found),
        ScoreKind.CONSOLIDATED: as_marks({"II": 7.5}),
        ScoreKind.FINAL: as_marks({"I.1": 9.5}),
        "is_proposed": True,
        "area_class": "cao",
        "votes": (10, 10, 10),
        "vetoed": None,
    }
    put("mau-2021", [each] * SIZE)
    with transaction() as session:
        campaign = get_campaign(session, "mau-2021")
        consolidate(session, campaign, version(session, campaign))
    assert set(rows("SELECT self_total, agency_total, consolidated_total, final_total FROM results")) == {
        (280_000, 250_000, 255_000, 260_000)
    }
