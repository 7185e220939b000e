"""What is taken over from another campaign's frozen list, and who ranks within the quota of one."""

from decimal import Decimal

import pytest
from sqlmodel import select

from models.campaigns import get_campaign, open_campaign
from models.consolidation import judgements
from models.database import transaction
from models.groups import groups_of
from models.permits import DeedRefused
from models.rankings import NoRanking, ranking_of
from models.referrals import NothingToTakeOver, take_over
from models.results import NothingFrozen
from models.sheets import known_of
from models.tables import Campaign, GroupCase, GroupResult, ListVersion
from rules.criteria import Verdict
from rules.ranking import Standing
from tests import factories
from tests.walking import at, change, rows

NOW = at("2021-11-12 09:00")


def leaf(code: str, **more) -> dict:
    return {"code": code, "title": "MẪU", **more}


OF_GROUPS = {
    "id": "mau-to",
    "title": "Bộ MẪU của tổ, bản",
    "subject": "residential_group",
    "method": "points",
    "total_max": 100,
    "criteria": [leaf("I", max_points=100)],
    "recognition": {"ranking": {"max_share_percent": 50, "tie_break": "votes", "years_in_a_row": 2}},
}
OF_COMMUNES = {
    "id": "mau-xa",
    "title": "Bộ MẪU của xã",
    "subject": "commune",
    "method": "pass_fail_all",
    "criteria": [leaf("1", kind="yes_no")],
}
REFERRING = {
    "id": "mau-chuan",
    "title": "Bộ MẪU dẫn chiếu",
    "subject": "commune",
    "method": "pass_fail_all",
    "criteria": [
        leaf("1", kind="refer", refers_to={"set": "mau-xa"}),
        leaf("2", kind="refer", refers_to={"set": "mau-xa", "criteria": ["1"]}),
    ],
    "recognition": {"children_share_min": {"set": "mau-to", "percent": 50}},
}
UNITS = factories.units(communes=("a", "b", "c"))
for each in UNITS:
    if each["kind"] == "commune":
        each["groups"] = [f"Bản MẪU {each['code']}{n}" for n in range(2)]


def opened(folder, code: str, criteria: dict, **more) -> None:
    branches = [each["code"] for each in criteria["criteria"]]
    file = factories.campaign(
        folder / code, UNITS, scored_by=criteria, code=code, reviews={"x": branches}, **more
    )
    with transaction() as session:
        campaign = open_campaign(session, file, at=NOW, by="MẪU", past=True)
        campaign.stage = "consolidation"
        session.add(campaign)


def frozen(code: str, version: int = 1, **recognised: int | bool) -> None:
    """Freeze a list in which a group (`a0`) or commune (`a`) is recognised, with so many points."""
    with transaction() as session:
        campaign = get_campaign(session, code)
        row = ListVersion(
            campaign_id=campaign.id,
            version=version,
            frozen_at=NOW,
            recorded_at=NOW,
            reason="MẪU",
            groups=0,
            recognised=0,
            hash="0" * 64,
        )
        campaign.list_frozen_at = NOW
        session.add_all([campaign, row])
        session.flush()
        for group in groups_of(session, campaign):
            points = recognised.get(group.name.split()[-1], recognised.get(group.unit, False))
            session.add(
                GroupResult(
                    version_id=row.id,
                    group_id=group.id,
                    is_proposed=True,
                    is_recognised=bool(points),
                    verdict=Verdict.MET if points else Verdict.NOT_MET,
                    final_total=None if isinstance(points, bool) else Decimal(points),
                )
            )


def taken(other: str):
    with transaction() as session:
        campaign, of = get_campaign(session, "chuan-2021"), get_campaign(session, other)
        return take_over(session, campaign, of, at=NOW, recorded_at=NOW, by="MẪU")


@pytest.fixture
def campaigns(database, tmp_path):
    opened(tmp_path, "to-2021", OF_GROUPS)
    opened(tmp_path, "xa-2021", OF_COMMUNES)
    opened(tmp_path, "chuan-2021", REFERRING)


def settled() -> dict[str, str]:
    return dict(
        rows(
            "SELECT g.name, s.consolidated_is FROM scores s JOIN residential_groups g ON g.id = s.group_id"
            " WHERE s.leaf = '1' AND s.consolidated_is IS NOT NULL"
        )
    )


def test_a_leaf_takes_over_the_result_of_the_same_unit_from_the_newest_list(campaigns):
    frozen("xa-2021", a=True, b=True)
    assert taken("xa-2021").scores == 3
    assert settled() == {"xã MẪU a": "met", "xã MẪU b": "met", "xã MẪU c": "not_met"}
    # A leaf that refers to some criteria only is left to its agency.
    assert rows("SELECT DISTINCT leaf FROM scores") == [("1",)]
    assert rows("SELECT DISTINCT reason FROM marks") == [
        ("Theo danh sách đã chốt của đợt xa-2021, bản 1 (mã 000000000000).",)
    ]
    frozen("xa-2021", version=2, a=True, c=True)
    taken("xa-2021")
    assert settled() == {"xã MẪU a": "met", "xã MẪU b": "not_met", "xã MẪU c": "met"}


def test_the_share_of_children_decides_in_the_rules_and_in_the_statement_alike(campaigns):
    frozen("to-2021", a0=80, a1=80, b0=80)
    assert taken("to-2021").shares == 3
    counted = rows(
        "SELECT g.name, r.children, r.recognised FROM children_recognised r"
        " JOIN residential_groups g ON g.id = r.group_id ORDER BY g.name"
    )
    assert counted == [("xã MẪU a", 2, 2), ("xã MẪU b", 2, 1), ("xã MẪU c", 2, 0)]
    assert verdicts() == {"a": "incomplete", "b": "incomplete", "c": "not_met"}
    frozen("to-2021", version=2, c0=80)
    assert taken("to-2021").of.version == 2
    assert verdicts() == {"a": "not_met", "b": "not_met", "c": "incomplete"}


def verdicts() -> dict[str, str]:
    with transaction() as session:
        campaign = get_campaign(session, "chuan-2021")
        groups = {group.id: group.unit for group in groups_of(session, campaign)}
        judged = judgements(campaign)
        shares = {
            known.group.unit: known.sheet().children_percent
            for known in known_of(session, campaign, groups_of(session, campaign))
        }
        assert None not in shares.values()
        return {groups[row.group_id]: row.verdict for row in session.execute(select(judged))}


def test_what_cannot_be_taken_over_is_refused(campaigns):
    with pytest.raises(NothingFrozen):
        taken("xa-2021")
    frozen("chuan-2021", a=True)
    with pytest.raises(NothingToTakeOver) as refused:
        taken("chuan-2021")
    assert refused.value.known == ("mau-xa", "mau-to")
    frozen("xa-2021", a=True)
    change("UPDATE campaigns SET stage = 'closed', closed_at = opened_at WHERE code = 'chuan-2021'")
    with pytest.raises(DeedRefused):
        taken("xa-2021")
    assert rows("SELECT COUNT(*) FROM scores") == [(0,)]


def ranking(code: str, years=None) -> dict[str, tuple[int | None, Standing]]:
    with transaction() as session:
        found = ranking_of(session, get_campaign(session, code), years)
    return {each.candidate.subject[-2:]: (each.place, each.standing) for _, each in found}


def test_the_frozen_lists_of_earlier_years_say_for_how_many_years_running(campaigns, tmp_path):
    opened(tmp_path, "to-2020", OF_GROUPS, stages=earlier("2020"))
    opened(tmp_path, "to-2019", OF_GROUPS, stages=earlier("2019"))
    frozen("to-2021", a0=80, a1=90, b0=85, b1=95)
    assert ranking("to-2021") == dict.fromkeys(("a0", "a1", "b0", "b1"), (None, Standing.YEARS_UNKNOWN))
    frozen("to-2020", a0=80, a1=80, b0=80)
    assert ranking("to-2021") == {
        "a1": (1, Standing.CHOSEN),
        "b0": (2, Standing.CHOSEN),
        "a0": (3, Standing.BEYOND),
        "b1": (None, Standing.TOO_FEW_YEARS),
    }
    assert ranking("to-2021", {("b", "Bản MẪU b1"): 6})["b1"] == (1, Standing.CHOSEN)


def earlier(year: str) -> dict:
    data = factories.campaign_data()["stages"]
    data["self_assessment"] |= {"opens_on": f"{year}-11-11", "due": {"before": f"{year}-11-22"}}
    return data


def test_votes_break_a_tie_of_the_list(campaigns):
    frozen("to-2021", a0=80, a1=80)
    with transaction() as session:
        campaign = session.exec(select(Campaign).where(Campaign.code == "to-2021")).one()
        for group, percent in zip(groups_of(session, campaign), (70, 90), strict=False):
            session.add(
                GroupCase(
                    campaign_id=campaign.id,
                    group_id=group.id,
                    is_proposed=True,
                    votes_percent=Decimal(percent),
                    recorded_at=NOW,
                )
            )
    years = {("a", f"Bản MẪU a{n}"): 2 for n in range(2)}
    assert ranking("to-2021", years) == {"a1": (1, Standing.CHOSEN), "a0": (2, Standing.BEYOND)}


def test_a_set_without_a_ranking_ranks_nobody(campaigns):
    frozen("xa-2021", a=True)
    with pytest.raises(NoRanking):
        ranking("xa-2021")
