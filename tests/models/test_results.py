"""The list: what keeps it from being frozen, its versions and their hash, and why each group is on it."""

import pytest

from config.script_file import Verb
from models import dossiers, meetings, reviews, settled_scores, vetoes
from models.campaigns import get_campaign
from models.database import transaction
from models.disagreements import disagreements
from models.marks import ReasonMissing
from models.meetings import Vote
from models.results import (
    ChangedWithoutReason,
    NothingFrozen,
    ResultsIncomplete,
    UnknownVersion,
    freeze_list,
    list_hash,
    results_of,
    versions_of,
)
from models.reviews import AgencyMark
from models.settled_scores import SettledMark
from notifications.mailbox import Mailbox
from rules.meetings import MeetingGap
from rules.reviews import ScoreKind
from rules.stages import PaperRole
from tests import factories
from tests.scored import CRITERIA, mark
from tests.scored import marks as self_marks
from tests.walking import Walk, at, begin, change, rows

RULED = CRITERIA | {
    "recognition": {"total_min": 80, "each_criterion_min_percent": 50, "vetoes": None},
}
MEETING = {"meeting": {"quorum": "2/3", "papers_ahead": 3}}
MEMBERS = ("Họ Tên MẪU 1", "Họ Tên MẪU 2", "Họ Tên MẪU 3")
NOW = "2021-11-22 09:00"


def walked(tmp_path, mailbox, **more) -> Walk:
    """Communes a and b with two groups each, up to consolidation; agency x has looked at everything."""
    units = factories.units()
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}1", f"Bản MẪU {unit['code']}2"]
    stages = factories.campaign_data()["stages"] | more
    walk = begin(
        tmp_path / "files",
        mailbox,
        of_units=units,
        scored_by=RULED,
        reviews={"x": ["I", "II"]},
        stages=stages,
    )
    for commune in ("a", "b"):
        names = [f"Bản MẪU {commune}1", f"Bản MẪU {commune}2"]
        cases = [
            dossiers.Case(name, name != "Bản MẪU b2", reason="chưa đủ hộ" if name == "Bản MẪU b2" else "")
            for name in names
        ]
        marks = [each for name in names for each in self_marks(name, I="40", II="45")]
        do(walk, dossiers.assess_self, "2021-11-12 09:00", commune, cases=cases, marks=marks)
        walk.do(Verb.SUBMIT, "2021-11-15 09:00", commune)
    walk.visit("2021-11-15 13:30")
    found = [
        AgencyMark("a", "Bản MẪU a2", "I", mark("34,99"), "thiếu minh chứng"),
        AgencyMark("a", "Bản MẪU a1", "II", mark("41"), "thiếu biên bản"),
    ]
    do(walk, reviews.assess, "2021-11-16 09:00", "x", found)
    walk.do(Verb.REVIEW, "2021-11-16 10:00", "x", agree=True, by="MẪU thẩm định")
    walk.visit("2021-11-16 13:30")
    assert rows("SELECT stage FROM campaigns") == [("consolidation",)]
    return walk


@pytest.fixture
def walk(database, tmp_path):
    with Mailbox(tmp_path / "mail") as mailbox:
        yield walked(tmp_path, mailbox)


@pytest.fixture
def with_meeting(database, tmp_path):
    with Mailbox(tmp_path / "mail") as mailbox:
        yield walked(tmp_path, mailbox, consolidation=MEETING)


def do(walk: Walk, deed, moment: str, *args, **more):
    with transaction() as session:
        now = at(moment)
        campaign = get_campaign(session, walk.code)
        return deed(session, campaign, *args, **{"at": now, "recorded_at": now, "by": "MẪU", **more})


def freeze(walk: Walk, moment: str = NOW, **more):
    return do(walk, freeze_list, moment, **more)


def settle(walk: Walk, group: str, leaf: str, points: str, *, kind=ScoreKind.CONSOLIDATED, reason="MẪU"):
    settled = [SettledMark("a", group, leaf, mark(points), reason)]
    return do(walk, settled_scores.settle_scores, NOW, kind, settled)


def listed(walk: Walk, version: int | None = None) -> dict[str, tuple]:
    """Each group with whether it is recognised, its total and the rules that kept it off."""
    with transaction() as session:
        _, found = results_of(session, get_campaign(session, walk.code), version)
    return {
        each.group.split()[-1]: (
            each.is_recognised,
            str(each.final_total),
            [(reason["rule"], reason["code"]) for reason in each.reasons],
        )
        for each in found
    }


def test_each_group_is_recognised_or_not_and_why(walk):
    do(walk, vetoes.veto, NOW, "b", "ky-luat", group="Bản MẪU b1", reason="Thông báo MẪU 01")
    frozen = freeze(walk)
    assert (frozen.version, frozen.groups, frozen.recognised) == (1, 4, 1)
    assert listed(walk) == {
        "a1": (True, "81", []),
        "a2": (False, "79.99", [("total_min", None)]),
        "b1": (False, "85", [("veto", "ky-luat")]),
        "b2": (False, "85", [("not_proposed", None)]),
    }


def test_what_has_not_changed_stays_the_version_it_was(walk):
    first = freeze(walk)
    again = freeze(walk, "2021-11-22 10:00")
    assert (again.version, again.hash, again.frozen_at) == (1, first.hash, first.frozen_at)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(1,)]


def test_a_change_after_freezing_is_a_version_with_a_reason_and_the_first_stays(walk):
    first, before = freeze(walk), listed(walk)
    settle(walk, "Bản MẪU a2", "I", "36", reason="đã bổ sung minh chứng")
    with pytest.raises(ChangedWithoutReason):
        freeze(walk)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(1,)]
    second = freeze(walk, reason="bổ sung minh chứng của a2")
    assert (second.version, second.recognised, second.reason) == (2, 3, "bổ sung minh chứng của a2")
    assert second.hash != first.hash
    assert listed(walk)["a2"] == (True, "81", [])
    assert listed(walk, 1) == before
    with transaction() as session:
        campaign = get_campaign(session, walk.code)
        assert [each.hash for each in versions_of(session, campaign)] == [first.hash, second.hash]
        with pytest.raises(UnknownVersion):
            results_of(session, campaign, 3)


def test_the_hash_is_of_the_content_and_of_nothing_else(walk):
    frozen = freeze(walk)

    version_id = rows("SELECT id FROM list_versions")[0][0]

    def now() -> str:
        with transaction() as session:
            return list_hash(session, get_campaign(session, walk.code), version_id)

    assert now() == frozen.hash
    for statement in (
        "UPDATE results SET is_recognised = NOT is_recognised WHERE final_total = 810000",
        "UPDATE results SET final_total = final_total + 1 WHERE final_total = 799900",
        "UPDATE scores SET agency_points = agency_points + 1 WHERE agency_points = 349900",
    ):
        before = now()
        change(statement)
        assert now() != before, statement


def test_groups_without_a_result_are_named_and_left_off_only_with_a_reason(walk):
    change("DELETE FROM scores WHERE leaf = 'II' AND agency_points = 410000")
    with pytest.raises(ResultsIncomplete) as refused:
        freeze(walk)
    assert refused.value.groups == ("Bản MẪU a1",)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(0,)]
    assert freeze(walk, reason="a1 rút hồ sơ").recognised == 1
    assert listed(walk)["a1"] == (
        False,
        "40",
        [("missing", "II"), ("total_min", None), ("each_criterion_min_pct_of_max", "II")],
    )


def test_settling_departs_from_the_agency_with_a_reason_and_final_from_both(walk):
    with pytest.raises(ReasonMissing):
        settle(walk, "Bản MẪU a2", "I", "35", reason=None)
    settle(walk, "Bản MẪU a2", "I", "35", reason="thống nhất tại cuộc họp trù bị")
    settle(walk, "Bản MẪU a2", "I", "38", kind=ScoreKind.FINAL, reason="theo biên bản")
    assert rows(
        "SELECT self_points / 10000, agency_points, consolidated_points / 10000, final_points / 10000"
        " FROM scores WHERE final_is IS NOT NULL"
    ) == [(40, 349_900, 35, 38)]
    assert freeze(walk).recognised == 3
    assert listed(walk)["a2"] == (True, "83", [])


def test_disagreements_come_by_how_much_they_change_a_verdict(walk):
    settle(walk, "Bản MẪU a1", "I", "50", reason="MẪU")
    with transaction() as session:
        found = disagreements(session, get_campaign(session, walk.code))
    # 5.01 points decide over a2; 10 and 4 points over a1 change nothing but the total.
    assert [(each.group, each.leaf, each.changes_the_result, str(each.change)) for each in found] == [
        ("Bản MẪU a2", "I", True, "5.01"),
        ("Bản MẪU a1", "I", False, "10"),
        ("Bản MẪU a1", "II", False, "4"),
    ]
    assert found[0].verdict.value == "not_met"
    assert found[0].verdict_as_self.value == "met"
    assert {kind.value: str(side.points) for kind, side in found[1].sides.items()} == {
        "self": "40",
        "agency": "40",
        "consolidated": "50",
    }


def test_nothing_is_shown_before_it_is_frozen(walk):
    with transaction() as session, pytest.raises(NothingFrozen):
        results_of(session, get_campaign(session, walk.code))


def convene(walk: Walk, **more) -> None:
    do(
        walk,
        meetings.convene,
        "2021-11-16 14:00",
        holds_at=at("2021-11-22 08:00"),
        members=MEMBERS,
        **{"papers_sent_at": at("2021-11-16 14:00"), **more},
    )


def hold(walk: Walk, *votes: Vote, present=MEMBERS, opinions=None) -> None:
    do(
        walk,
        meetings.hold_meeting,
        "2021-11-22 08:30",
        present=present,
        opinions=opinions or {},
        votes=votes or (Vote(3, 0),),
    )


def gaps(walk: Walk) -> tuple[MeetingGap, ...]:
    with pytest.raises(meetings.MeetingFallsShort) as refused:
        freeze(walk)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(0,)]
    return refused.value.gaps


def test_a_list_waits_for_the_meeting_the_plan_asks_for(with_meeting):
    assert gaps(with_meeting) == (MeetingGap.NOT_CALLED,)
    convene(with_meeting, papers_sent_at=None)
    assert set(gaps(with_meeting)) >= {MeetingGap.PAPERS_NOT_SENT, MeetingGap.NOT_HELD}
    do(with_meeting, meetings.send_papers, "2021-11-16 16:00")
    hold(with_meeting, Vote(1, 0), present=MEMBERS[:1], opinions={MEMBERS[1]: "nhất trí"})
    assert set(gaps(with_meeting)) == {MeetingGap.NO_QUORUM, MeetingGap.OPINIONS_MISSING}


def test_a_meeting_with_quorum_votes_and_written_opinions_settles_the_list(with_meeting):
    convene(with_meeting)
    hold(with_meeting, Vote(2, 0), present=MEMBERS[:2])
    assert gaps(with_meeting) == (MeetingGap.OPINIONS_MISSING,)
    do(with_meeting, meetings.add_opinion, "2021-11-22 08:50", MEMBERS[2], "nhất trí danh sách")
    assert freeze(with_meeting).recognised == 2
    with transaction() as session:
        state = meetings.meeting_of(session, get_campaign(session, with_meeting.code))
    assert [(each.attendance.value, each.opinion) for each in state.members] == [
        ("present", None),
        ("present", None),
        ("in_writing", "nhất trí danh sách"),
    ]


def test_a_group_the_meeting_votes_against_is_not_recognised_and_a_tie_is_against(with_meeting):
    convene(with_meeting)
    hold(
        with_meeting,
        Vote(3, 0),
        Vote(1, 1, unit="b", group="Bản MẪU b1"),
        Vote(2, 1, unit="a", group="Bản MẪU a2"),
    )
    freeze(with_meeting)
    assert listed(with_meeting) == {
        "a1": (True, "81", []),
        "a2": (False, "79.99", [("total_min", None)]),  # no vote lifts a group above a threshold
        "b1": (False, "85", [("meeting_vote", None)]),
        "b2": (False, "85", [("not_proposed", None)]),
    }


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"present": ("Họ Tên MẪU 9",)}, meetings.UnknownMember),
        ({"opinions": {MEMBERS[0]: "nhất trí"}}, meetings.MemberTwice),
        ({"votes": (Vote(4, 0),)}, meetings.TooManyVotes),
    ],
)
def test_minutes_that_cannot_be_leave_nothing_behind(with_meeting, more, error):
    convene(with_meeting)
    with pytest.raises(error):
        do(
            with_meeting,
            meetings.hold_meeting,
            "2021-11-22 08:30",
            **{"present": MEMBERS, "opinions": {}, "votes": (), **more},
        )
    assert rows("SELECT held_at FROM meetings") == [(None,)]
    assert rows("SELECT COUNT(*) FROM meeting_votes") == [(0,)]


def test_after_the_decision_nothing_is_settled_or_frozen_again(walk):
    freeze(walk)
    for role, number in ((PaperRole.SUBMISSION, "1/TTr-MẪU"), (PaperRole.DECISION, "2/QĐ-MẪU")):
        walk.do(Verb.REGISTER, "2021-11-22 10:00", number=number, roles=(role,), kind="QĐ")
        walk.visit("2021-11-22 10:30")
    assert rows("SELECT stage FROM campaigns") == [("closed",)]
    with pytest.raises(Exception, match="wrong_stage"):
        settle(walk, "Bản MẪU a2", "I", "36")
    with pytest.raises(Exception, match="wrong_stage"):
        freeze(walk, reason="MẪU")
    bodies = [
        mail.get_body(("plain",)).get_content() for mail in walk.mails() if "Kết quả" in mail["Subject"]
    ]
    told = next(body for body in bodies if "Bản MẪU a2" in body)
    assert "- Bản MẪU a1: đủ điều kiện công nhận;" in told
    assert "- Bản MẪU a2: chưa đủ điều kiện công nhận, lý do: " in told
    assert "79,99" in told
    assert "Bản MẪU b1" not in told
