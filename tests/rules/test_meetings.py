"""The meeting that settles a list: quorum, papers ahead, what a vote comes to."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest

from rules.calendar import CITY, WorkingCalendar
from rules.meetings import MeetingFacts, MeetingGap, MeetingRules, gaps, has_quorum, is_carried

CALENDAR = WorkingCalendar(years=frozenset({2021}))
RULES = MeetingRules()

# Papers on Tue 30/11/2021 are three working days before Fri 03/12/2021.
HELD = MeetingFacts(
    members=9,
    present=7,
    in_writing=2,
    papers_sent_at=datetime(2021, 11, 30, 16, 0, tzinfo=CITY),
    holds_at=datetime(2021, 12, 3, 14, 0, tzinfo=CITY),
    is_held=True,
    has_vote=True,
)


def test_a_meeting_with_everything_settles_the_list():
    assert gaps(RULES, HELD, CALENDAR) == ()


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        pytest.param({"present": 5, "in_writing": 4}, (MeetingGap.NO_QUORUM,), id="five-of-nine"),
        pytest.param({"present": 6, "in_writing": 3}, (), id="six-of-nine-are-two-thirds"),
        pytest.param({"in_writing": 1}, (MeetingGap.OPINIONS_MISSING,), id="an-absent-one-wrote-nothing"),
        pytest.param({"has_vote": False}, (MeetingGap.NO_VOTE,), id="no-vote"),
        pytest.param({"papers_sent_at": None}, (MeetingGap.PAPERS_NOT_SENT,), id="no-papers"),
        pytest.param(
            {"papers_sent_at": datetime(2021, 12, 1, 7, 30, tzinfo=CITY)},
            (MeetingGap.PAPERS_LATE,),
            id="papers-wed-two-working-days-before",
        ),
        pytest.param(
            {
                "papers_sent_at": datetime(2021, 12, 1, 23, 59, tzinfo=CITY),
                "holds_at": datetime(2021, 12, 6, 8, 0, tzinfo=CITY),
            },
            (),
            id="a-weekend-between-counts-no-day",
        ),
        pytest.param({"is_held": False}, (MeetingGap.NOT_HELD,), id="called-not-held"),
        pytest.param(
            {"members": 16, "present": 16, "in_writing": 0}, (MeetingGap.TOO_MANY_MEMBERS,), id="sixteen"
        ),
    ],
)
def test_a_meeting_says_all_it_lacks(change, missing):
    assert gaps(RULES, replace(HELD, **change), CALENDAR) == missing


def test_no_meeting_is_the_only_gap_where_none_was_called():
    assert gaps(RULES, None, CALENDAR) == (MeetingGap.NOT_CALLED,)


def test_no_papers_are_asked_for_where_the_plan_asks_for_none():
    assert gaps(MeetingRules(papers_ahead=0), replace(HELD, papers_sent_at=None), CALENDAR) == ()


@pytest.mark.parametrize(
    ("members", "present", "enough"),
    [(3, 2, True), (3, 1, False), (15, 10, True), (15, 9, False), (0, 0, False)],
)
def test_two_thirds_of_the_members_are_a_quorum(members, present, enough):
    assert has_quorum(RULES, members=members, present=present) is enough


@pytest.mark.parametrize(
    ("in_favour", "against", "abstained", "carried"),
    [
        pytest.param(4, 4, 0, False, id="half-is-not-more-than-half"),
        pytest.param(5, 4, 0, True, id="five-of-nine"),
        pytest.param(5, 4, 1, False, id="who-abstains-has-voted"),
        pytest.param(0, 0, 0, False, id="nobody-voted"),
    ],
)
def test_a_vote_is_carried_by_more_than_the_asked_share(in_favour, against, abstained, carried):
    assert is_carried(RULES, in_favour=in_favour, against=against, abstained=abstained) is carried


def test_a_share_is_compared_exactly():
    """2 of 3 is not more than 2/3, whatever a rounded 0.6667 would say."""
    assert not is_carried(MeetingRules(in_favour=Fraction(2, 3)), in_favour=2, against=1)
