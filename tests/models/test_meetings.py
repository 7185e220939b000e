"""The meeting on the list: invitation, papers ahead, quorum, opinions of those absent, and its votes."""

from collections.abc import Sequence

import pytest

from models import meetings
from models.campaigns import get_campaign
from models.database import transaction
from models.meetings import MeetingFallsShort, Vote
from models.permits import FromTheFuture
from models.results import freeze_list
from notifications.mailbox import Mailbox
from rules.meetings import Attendance, Ballot, MeetingGap
from tests import worlds
from tests.models.test_results import do, listed, walked
from tests.walking import Walk, at, rows

# 22/11/2021 is a Monday: three working days before it is Wednesday, 17/11.
CALLED, HELD = "2021-11-16 14:00", "2021-11-22 08:30"
MEMBERS = tuple(f"Họ Tên MẪU {n}" for n in range(1, 7))
RULES = {"meeting": {"quorum": "2/3", "papers_ahead": 3, "most_members": 7}}


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """A campaign in consolidation whose plan asks for a meeting; two of its groups would be recognised."""
    with Mailbox(tmp_path / "mail") as mailbox:
        worlds.once(
            "consolidation with a meeting", mailbox, lambda: walked(tmp_path, mailbox, consolidation=RULES)
        )
        yield Walk("mau-2021", mailbox)


def convene(walk: Walk, moment: str = CALLED, members: Sequence[str] = MEMBERS, **more) -> int:
    facts = {"holds_at": at("2021-11-22 08:00"), "members": members, "papers_sent_at": at(moment)}
    return do(walk, meetings.convene, moment, **(facts | more))


def hold(walk: Walk, *votes: Vote, present: Sequence[str] = MEMBERS, opinions=None) -> None:
    do(walk, meetings.hold_meeting, HELD, present=present, opinions=opinions or {}, votes=votes)


def freeze(walk: Walk) -> int:
    """Freeze the list; returns how many groups are recognised."""
    return do(walk, freeze_list, "2021-11-22 09:00").recognised


def lacks(walk: Walk) -> tuple[MeetingGap, ...]:
    """What keeps the list from being frozen; nothing of it is there."""
    with pytest.raises(MeetingFallsShort) as refused:
        freeze(walk)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(0,)]
    assert rows("SELECT list_frozen_at FROM campaigns") == [(None,)]
    return refused.value.gaps


def state(walk: Walk) -> meetings.MeetingState | None:
    with transaction() as session:
        return meetings.meeting_of(session, get_campaign(session, walk.code))


def journal(what: str) -> list[tuple]:
    return rows("SELECT done_by FROM journal WHERE what = :what", what=what)


def test_an_invitation_is_kept_with_who_was_invited_and_when_the_papers_went(walk):
    number = convene(walk, place="Hội trường MẪU", chair=MEMBERS[0], secretary=MEMBERS[1])
    found = state(walk)
    assert (number, found.number, found.place) == (1, 1, "Hội trường MẪU")
    assert found.invited_at == found.papers_sent_at == at(CALLED)
    assert found.holds_at == at("2021-11-22 08:00")
    assert [(each.person, each.attendance) for each in found.members] == [(each, None) for each in MEMBERS]
    assert (found.held_at, found.votes, found.gaps) == (None, (), (MeetingGap.NOT_HELD,))
    assert journal("meeting_convened") == [("MẪU",)]


def test_papers_sent_after_the_invitation_are_told_once_and_the_first_time_counts(walk):
    convene(walk, papers_sent_at=None)
    assert state(walk).gaps == (MeetingGap.PAPERS_NOT_SENT, MeetingGap.NOT_HELD)
    for moment in ("2021-11-17 16:30", "2021-11-19 08:00"):
        do(walk, meetings.send_papers, moment)
    assert state(walk).papers_sent_at == at("2021-11-17 16:30")
    assert state(walk).gaps == (MeetingGap.NOT_HELD,)
    assert len(journal("meeting_papers_sent")) == 1


def test_papers_that_came_a_day_too_late_keep_the_list_from_being_frozen(walk):
    convene(walk, papers_sent_at=None)
    do(walk, meetings.send_papers, "2021-11-18 00:00")
    hold(walk, Vote(6, 0))
    assert lacks(walk) == (MeetingGap.PAPERS_LATE,)


def test_a_meeting_held_before_its_day_leaves_less_time_for_the_papers(walk):
    # Called for Mon 29/11 with papers on Thu 18/11, and held on Mon 22/11: two working days after.
    convene(walk, "2021-11-18 14:00", holds_at=at("2021-11-29 08:00"))
    hold(walk, Vote(6, 0))
    assert lacks(walk) == (MeetingGap.PAPERS_LATE,)


def test_a_vote_on_one_group_is_none_on_the_others(walk):
    convene(walk)
    hold(walk, Vote(0, 6, unit="a", group="Bản MẪU a1"))
    assert lacks(walk) == (MeetingGap.NO_VOTE,)


def test_a_list_may_be_voted_on_group_by_group(walk):
    convene(walk)
    votes = [Vote(6, 0, unit=name[0], group=f"Bản MẪU {name}") for name in ("a1", "a2", "b1")]
    hold(walk, *votes)  # b2 is not proposed
    assert freeze(walk) == 2


@pytest.mark.parametrize(
    ("present", "gaps"),
    [pytest.param(4, None, id="four-of-six"), pytest.param(3, (MeetingGap.NO_QUORUM,), id="three-of-six")],
)
def test_two_thirds_of_those_invited_must_be_there_and_writing_is_not_being_there(walk, present, gaps):
    convene(walk)
    opinions = dict.fromkeys(MEMBERS[present:], "nhất trí")
    hold(walk, Vote(6, 0), present=MEMBERS[:present], opinions=opinions)
    if gaps is None:
        assert freeze(walk) == 2
    else:
        assert lacks(walk) == gaps


def test_every_absent_member_writes_his_opinion_before_or_after_the_meeting(walk):
    convene(walk)
    do(walk, meetings.add_opinion, "2021-11-19 08:00", MEMBERS[5], "nhất trí")
    hold(walk, Vote(5, 0), present=MEMBERS[:4])
    assert [each.attendance for each in state(walk).members] == [
        *[Attendance.PRESENT] * 4,
        Attendance.ABSENT,
        Attendance.IN_WRITING,
    ]
    assert lacks(walk) == (MeetingGap.OPINIONS_MISSING,)
    do(walk, meetings.add_opinion, "2021-11-22 08:50", MEMBERS[4], "không nhất trí với a1")
    assert freeze(walk) == 2
    assert [each.opinion for each in state(walk).members] == [
        *[None] * 4,
        "không nhất trí với a1",
        "nhất trí",
    ]


def test_who_wrote_before_and_came_all_the_same_was_there(walk):
    convene(walk)
    do(walk, meetings.add_opinion, "2021-11-19 08:00", MEMBERS[0], "sẽ vắng")
    hold(walk, Vote(6, 0))
    assert {each.attendance for each in state(walk).members} == {Attendance.PRESENT}
    assert rows("SELECT DISTINCT opinion, opinion_at FROM meeting_members") == [(None, None)]
    with pytest.raises(meetings.MemberTwice):
        do(walk, meetings.add_opinion, "2021-11-22 09:00", MEMBERS[0], "nhất trí")


def test_without_a_vote_the_meeting_settles_nothing(walk):
    convene(walk)
    hold(walk)
    assert lacks(walk) == (MeetingGap.NO_VOTE,)


def test_more_members_than_the_plan_allows_settle_nothing(walk):
    convene(walk, members=[f"MẪU {n}" for n in range(8)])
    hold(walk, Vote(8, 0), present=[f"MẪU {n}" for n in range(8)])
    assert lacks(walk) == (MeetingGap.TOO_MANY_MEMBERS,)


def test_a_meeting_says_at_once_all_it_lacks(walk):
    convene(walk, papers_sent_at=None)
    hold(walk, present=MEMBERS[:1])
    every = (
        MeetingGap.PAPERS_NOT_SENT,
        MeetingGap.NO_QUORUM,
        MeetingGap.OPINIONS_MISSING,
        MeetingGap.NO_VOTE,
    )
    assert lacks(walk) == state(walk).gaps == every


def test_the_next_meeting_settles_what_the_last_one_could_not(walk):
    convene(walk)
    hold(walk, Vote(1, 0), present=MEMBERS[:1])
    assert MeetingGap.NO_QUORUM in lacks(walk)
    assert convene(walk, "2021-11-22 08:40", holds_at=at("2021-11-26 08:00")) == 2
    assert lacks(walk) == (MeetingGap.NOT_HELD,)
    do(
        walk,
        meetings.hold_meeting,
        "2021-11-26 08:30",
        present=MEMBERS,
        opinions={},
        votes=[Vote(6, 0)],
    )
    assert do(walk, freeze_list, "2021-11-26 09:00").recognised == 2
    # The first one was held: it is kept as it was, nobody has called it off.
    assert rows("SELECT number, called_off_because, held_at IS NULL FROM meetings ORDER BY number") == [
        (1, None, False),
        (2, None, False),
    ]
    assert rows(
        "SELECT m.number FROM list_versions v JOIN meetings m ON m.id = v.meeting_id WHERE v.version = 1"
    ) == [(2,)]


def test_the_vote_on_a_group_goes_before_the_one_on_the_list(walk):
    convene(walk)
    hold(
        walk,
        Vote(0, 6, ballot=Ballot.SECRET),
        Vote(4, 2, unit="a", group="Bản MẪU a1"),
        Vote(6, 0, unit="a", group="Bản MẪU a2"),
    )
    assert freeze(walk) == 1
    assert {
        group: (recognised, [rule for rule, _ in why]) for group, (recognised, _, why) in listed(walk).items()
    } == {
        "a1": (True, []),
        "a2": (False, ["total_min"]),  # no vote lifts a group above a threshold
        "b1": (False, ["meeting_vote"]),
        "b2": (False, ["not_proposed"]),
    }
    assert [
        (each.in_favour, each.against, each.unit, each.group, each.ballot) for each in state(walk).votes
    ] == [
        (0, 6, None, None, Ballot.SECRET),
        (4, 2, "a", "Bản MẪU a1", Ballot.SHOW_OF_HANDS),
        (6, 0, "a", "Bản MẪU a2", Ballot.SHOW_OF_HANDS),
    ]


def test_who_abstains_has_voted_so_that_half_of_all_is_not_enough(walk):
    convene(walk)
    hold(walk, Vote(3, 2, 1))
    assert freeze(walk) == 0


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param({"present": ["Họ Tên MẪU 9"]}, meetings.UnknownMember, id="not-invited"),
        pytest.param({"opinions": {"Họ Tên MẪU 9": "nhất trí"}}, meetings.UnknownMember, id="writes"),
        pytest.param({"opinions": {MEMBERS[0]: "nhất trí"}}, meetings.MemberTwice, id="there-and-in-writing"),
        pytest.param({"present": MEMBERS + MEMBERS[:1]}, meetings.MemberTwice, id="there-twice"),
        pytest.param({"votes": [Vote(6, 1)]}, meetings.TooManyVotes, id="more-votes-than-members"),
        pytest.param({"votes": [Vote(6, 0), Vote(5, 1)]}, meetings.VotedTwice, id="two-votes-on-the-list"),
        pytest.param(
            {"votes": [Vote(6, 0, unit="b", group="Bản MẪU b1"), Vote(0, 6, unit="b", group="Bản MẪU b1")]},
            meetings.VotedTwice,
            id="two-votes-on-a-group",
        ),
    ],
)
def test_minutes_that_cannot_be_are_refused_whole(walk, more, error):
    convene(walk)
    before = rows("SELECT COUNT(*) FROM journal")
    facts = {"present": MEMBERS, "opinions": {}, "votes": [Vote(6, 0)]}
    with pytest.raises(error):
        do(walk, meetings.hold_meeting, HELD, **(facts | more))
    assert rows("SELECT held_at FROM meetings") == [(None,)]
    assert rows("SELECT DISTINCT attendance, opinion FROM meeting_members") == [(None, None)]
    assert rows("SELECT COUNT(*) FROM meeting_votes") == [(0,)]
    assert rows("SELECT COUNT(*) FROM journal") == before


def test_nothing_is_recorded_of_a_meeting_that_is_still_to_come(walk):
    convene(walk)
    with pytest.raises(FromTheFuture):
        do(
            walk,
            meetings.hold_meeting,
            HELD,
            present=MEMBERS,
            opinions={},
            votes=[],
            recorded_at=at("2021-11-22 08:29"),
        )
