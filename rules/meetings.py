"""Meetings (họp Hội đồng): quorum, papers sent ahead, and what a vote comes to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from rules.calendar import WorkingCalendar


class Attendance(StrEnum):
    """How an invited member took part."""

    PRESENT = "present"
    ABSENT = "absent"
    IN_WRITING = "in_writing"  # absent, with an opinion in writing


class Ballot(StrEnum):
    """How a vote was taken; the meeting decides which (Nghị định 122/2018/NĐ-CP)."""

    SHOW_OF_HANDS = "show_of_hands"
    SECRET = "secret"


@dataclass(frozen=True, slots=True)
class MeetingRules:
    """What a campaign asks of the meeting that settles its list.

    `quorum` is the share of members who must be present (2/3: Thông tư 09/2021/TT-BTP), `in_favour`
    the share of those voting a group needs, `papers_ahead` how many working days before the meeting
    its papers are with the members.
    """

    quorum: Fraction = Fraction(2, 3)
    in_favour: Fraction = Fraction(1, 2)
    papers_ahead: int = 3
    most_members: int = 15


class MeetingGap(StrEnum):
    """What keeps a meeting from settling the list."""

    NOT_CALLED = "not_called"
    NOT_HELD = "not_held"
    TOO_MANY_MEMBERS = "too_many_members"
    PAPERS_NOT_SENT = "papers_not_sent"
    PAPERS_LATE = "papers_late"
    NO_QUORUM = "no_quorum"
    OPINIONS_MISSING = "opinions_missing"
    NO_VOTE = "no_vote"


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """What was counted of one meeting.

    `holds_at` is the day the papers must be ahead of; `has_vote` says whether all that is proposed
    was voted on, as a whole or group by group.
    """

    members: int
    present: int
    in_writing: int
    papers_sent_at: datetime | None
    holds_at: datetime
    is_held: bool
    has_vote: bool


def has_quorum(rules: MeetingRules, *, members: int, present: int) -> bool:
    """Say whether enough members are present; an opinion in writing is no presence."""
    return members > 0 and Fraction(present, members) >= rules.quorum


def is_carried(rules: MeetingRules, *, in_favour: int, against: int, abstained: int = 0) -> bool:
    """Say whether a vote is carried: more than the asked share of all votes cast, abstentions included."""
    cast = in_favour + against + abstained
    return cast > 0 and Fraction(in_favour, cast) > rules.in_favour


def gaps(
    rules: MeetingRules, facts: MeetingFacts | None, calendar: WorkingCalendar
) -> tuple[MeetingGap, ...]:
    """Return all that keeps a meeting from settling the list; nothing when it may."""
    if facts is None:
        return (MeetingGap.NOT_CALLED,)
    found = []
    if facts.members > rules.most_members:
        found.append(MeetingGap.TOO_MANY_MEMBERS)
    if facts.papers_sent_at is None and rules.papers_ahead:
        found.append(MeetingGap.PAPERS_NOT_SENT)
    elif facts.papers_sent_at is not None and not _in_time(rules, facts, facts.papers_sent_at, calendar):
        found.append(MeetingGap.PAPERS_LATE)
    if not facts.is_held:
        return (*found, MeetingGap.NOT_HELD)
    if not has_quorum(rules, members=facts.members, present=facts.present):
        found.append(MeetingGap.NO_QUORUM)
    if facts.present + facts.in_writing < facts.members:
        found.append(MeetingGap.OPINIONS_MISSING)
    if not facts.has_vote:
        found.append(MeetingGap.NO_VOTE)
    return tuple(found)


def _in_time(rules: MeetingRules, facts: MeetingFacts, sent_at: datetime, calendar: WorkingCalendar) -> bool:
    day = calendar.day_of(facts.holds_at)
    return calendar.day_of(sent_at) <= calendar.working_day_before(day, rules.papers_ahead)
