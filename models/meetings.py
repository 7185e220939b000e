"""The meeting on the consolidated list (họp Hội đồng): called, its papers sent, held, voted on."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models import journal
from models.campaigns import file_of
from models.groups import get_group
from models.inserting import inserting
from models.permits import permit
from models.tables import (
    Campaign,
    GroupCase,
    Meeting,
    MeetingMember,
    MeetingVote,
    ResidentialGroup,
    Unit,
)
from rules.deeds import Deed
from rules.meetings import Attendance, Ballot, MeetingFacts, MeetingGap, gaps

# The vote on the whole list; a group voted on by itself has a row of its own.
WHOLE_LIST = "*"


class NoMeeting(Exception):
    """No meeting was called, or the last one was called off."""


class HeldAlready(Exception):
    """The meeting was held; a new one is called for what is left."""


class UnknownMember(Exception):
    """Nobody of this name was invited; `known` are those who were."""

    def __init__(self, person: str, known: tuple[str, ...]) -> None:
        super().__init__(person)
        self.person, self.known = person, known


class MemberTwice(Exception):
    """A member is named twice: invited twice, or both present and with an opinion in writing."""

    def __init__(self, person: str) -> None:
        super().__init__(person)
        self.person = person


class TooManyVotes(Exception):
    """More votes than members took part."""

    def __init__(self, subject: str, votes: int, members: int) -> None:
        super().__init__(f"{subject}: {votes} > {members}")
        self.subject, self.votes, self.members = subject, votes, members


class VotedTwice(Exception):
    """The minutes hold two votes on the same group, or two on the whole list."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.subject = subject


class MeetingFallsShort(Exception):
    """The plan asks for a meeting that settles the list; `gaps` says what it lacks."""

    def __init__(self, found: tuple[MeetingGap, ...]) -> None:
        super().__init__(", ".join(found))
        self.gaps = found


@dataclass(frozen=True, slots=True)
class Vote:
    """How the members voted on a group of a unit, or on the whole list where `unit` is None."""

    in_favour: int
    against: int
    abstained: int = 0
    unit: str | None = None
    group: str | None = None
    ballot: Ballot = Ballot.SHOW_OF_HANDS


def convene(
    session: Session,
    campaign: Campaign,
    *,
    holds_at: datetime,
    members: Sequence[str],
    place: str | None = None,
    chair: str | None = None,
    secretary: str | None = None,
    papers_sent_at: datetime | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Call the meeting (mời họp) and return its number; one that was called and not held is called off.

    Raises MemberTwice, DeedRefused.
    """
    permit(campaign, Deed.MEET, at=at, recorded_at=recorded_at)
    for person in members:
        if list(members).count(person) > 1:
            raise MemberTwice(person)
    earlier = _newest(session, campaign)
    if earlier is not None and earlier.held_at is None and earlier.called_off_because is None:
        earlier.called_off_because = "convened_again"
        session.add(earlier)
    number = (earlier.number if earlier else 0) + 1
    meeting = Meeting(
        campaign_id=campaign.id,
        number=number,
        holds_at=holds_at,
        place=place,
        chair=chair,
        secretary=secretary,
        invited_at=at,
        papers_sent_at=papers_sent_at,
    )
    session.add(meeting)
    session.flush()
    if members:
        session.execute(
            inserting(session, MeetingMember),
            [
                {"meeting_id": meeting.id, "person": person, "position": position}
                for position, person in enumerate(members)
            ],
        )
    journal.write(
        session,
        campaign,
        "meeting_convened",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "number": number,
            "holds_at": holds_at.isoformat(),
            "members": len(members),
            **({"papers_sent_at": papers_sent_at.isoformat()} if papers_sent_at else {}),
        },
    )
    return number


def send_papers(
    session: Session, campaign: Campaign, *, at: datetime, recorded_at: datetime, by: str | None
) -> None:
    """Record that the papers went to the members; the first time counts. Raises NoMeeting, HeldAlready."""
    permit(campaign, Deed.MEET, at=at, recorded_at=recorded_at)
    meeting = _called(session, campaign)
    if meeting.papers_sent_at is None:
        meeting.papers_sent_at = at
        session.add(meeting)
        session.flush()
        journal.write(
            session,
            campaign,
            "meeting_papers_sent",
            at=at,
            recorded_at=recorded_at,
            by=by,
            detail={"number": meeting.number},
        )


def hold_meeting(
    session: Session,
    campaign: Campaign,
    *,
    present: Sequence[str],
    opinions: Mapping[str, str],
    votes: Sequence[Vote],
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record the meeting as its minutes say: who was there, who wrote, how they voted.

    Whoever is in neither list was absent, unless his opinion came in writing before. Raises NoMeeting,
    HeldAlready, UnknownMember, MemberTwice, TooManyVotes, VotedTwice, UnknownGroup, DeedRefused; then
    nothing is recorded.
    """
    permit(campaign, Deed.MEET, at=at, recorded_at=recorded_at)
    meeting = _called(session, campaign)
    members = _members(session, meeting)
    known = tuple(member.person for member in members)
    for person in (*present, *opinions):
        if person not in known:
            raise UnknownMember(person, known)
    for person in present:
        if person in opinions or list(present).count(person) > 1:
            raise MemberTwice(person)
    in_writing = 0
    for member in members:
        if member.person in opinions:
            member.opinion, member.opinion_at = opinions[member.person], at
        if member.person in present:
            # Who came all the same has spoken there: what he wrote before is no vote of his own.
            member.attendance = Attendance.PRESENT
            member.opinion = member.opinion_at = None
        elif member.opinion is not None:
            member.attendance = Attendance.IN_WRITING
            in_writing += 1
        else:
            member.attendance = Attendance.ABSENT
        session.add(member)
    voted: set[str] = set()
    for vote in votes:
        put = _put_vote(session, campaign, meeting, vote, most=len(present) + in_writing, but_on=voted)
        voted.add(put)
    meeting.held_at = at
    session.add(meeting)
    session.flush()
    journal.write(
        session,
        campaign,
        "meeting_held",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "number": meeting.number,
            "members": len(members),
            "present": len(present),
            "in_writing": in_writing,
            "votes": len(votes),
        },
    )


def add_opinion(
    session: Session,
    campaign: Campaign,
    person: str,
    words: str,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record the opinion in writing of a member who was absent.

    Raises NoMeeting, UnknownMember, MemberTwice where he was there, DeedRefused.
    """
    permit(campaign, Deed.MEET, at=at, recorded_at=recorded_at)
    meeting = _newest(session, campaign)
    if meeting is None or meeting.called_off_because is not None:
        raise NoMeeting
    members = {member.person: member for member in _members(session, meeting)}
    if person not in members:
        raise UnknownMember(person, tuple(members))
    member = members[person]
    if member.attendance is Attendance.PRESENT:
        raise MemberTwice(person)
    member.attendance, member.opinion, member.opinion_at = Attendance.IN_WRITING, words, at
    session.add(member)
    session.flush()
    journal.write(
        session,
        campaign,
        "opinion_in_writing",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={"number": meeting.number, "person": person},
    )


def check_meeting(session: Session, campaign: Campaign) -> int | None:
    """Return the id of the meeting that settles the list, None where the plan asks for none.

    Raises MeetingFallsShort with everything that keeps it from settling the list.
    """
    rules = file_of(campaign).meeting
    meeting = _newest(session, campaign)
    counts = meeting is not None and meeting.called_off_because is None
    if rules is not None:
        found = gaps(
            rules, _facts(session, meeting) if meeting and counts else None, file_of(campaign).calendar
        )
        if found:
            raise MeetingFallsShort(found)
    return meeting.id if meeting and counts and meeting.held_at else None


def _facts(session: Session, meeting: Meeting) -> MeetingFacts:
    took_part = [member.attendance for member in _members(session, meeting)]
    held_at = meeting.held_at
    return MeetingFacts(
        members=len(took_part),
        present=took_part.count(Attendance.PRESENT),
        in_writing=took_part.count(Attendance.IN_WRITING),
        papers_sent_at=meeting.papers_sent_at,
        # Held before its day it left less time for the papers than the invitation said.
        holds_at=meeting.holds_at if held_at is None else min(meeting.holds_at, held_at),
        is_held=held_at is not None,
        has_vote=_is_voted_on(session, meeting),
    )


def _is_voted_on(session: Session, meeting: Meeting) -> bool:
    """Say whether the list was voted on: as a whole, or else each group that is proposed."""
    subjects = select(MeetingVote.subject).where(MeetingVote.meeting_id == meeting.id)
    if session.exec(subjects.where(MeetingVote.subject == WHOLE_LIST)).first() is not None:
        return True
    own = select(MeetingVote.group_id).where(MeetingVote.meeting_id == meeting.id)
    proposed = select(GroupCase.group_id).where(
        GroupCase.campaign_id == meeting.campaign_id, col(GroupCase.is_proposed)
    )
    without = proposed.where(
        col(GroupCase.group_id).not_in(own.where(col(MeetingVote.group_id).is_not(None)))
    )
    return (
        session.exec(subjects.limit(1)).first() is not None and session.exec(without.limit(1)).first() is None
    )


def _put_vote(
    session: Session, campaign: Campaign, meeting: Meeting, vote: Vote, *, most: int, but_on: Container[str]
) -> str:
    """Record a vote by at most so many members, on nothing in `but_on`; returns what it is on."""
    group = get_group(session, campaign, vote.unit, vote.group) if vote.unit else None
    name = group.name if group else WHOLE_LIST
    subject = str(group.id) if group else WHOLE_LIST
    cast = vote.in_favour + vote.against + vote.abstained
    if cast > most:
        raise TooManyVotes(name, cast, most)
    if subject in but_on:
        raise VotedTwice(name)
    session.add(
        MeetingVote(
            meeting_id=meeting.id,
            subject=subject,
            group_id=group.id if group else None,
            in_favour=vote.in_favour,
            against=vote.against,
            abstained=vote.abstained,
            ballot=vote.ballot,
        )
    )
    return subject


def _members(session: Session, meeting: Meeting) -> Sequence[MeetingMember]:
    return session.exec(
        select(MeetingMember)
        .where(MeetingMember.meeting_id == meeting.id)
        .order_by(col(MeetingMember.position))
    ).all()


def _newest(session: Session, campaign: Campaign) -> Meeting | None:
    return session.exec(
        select(Meeting)
        .where(Meeting.campaign_id == campaign.id)
        .order_by(col(Meeting.number).desc())
        .limit(1)
        .with_for_update()
    ).first()


def _called(session: Session, campaign: Campaign) -> Meeting:
    """Return the meeting that was called and is still to be held."""
    meeting = _newest(session, campaign)
    if meeting is None or meeting.called_off_because is not None:
        raise NoMeeting
    if meeting.held_at is not None:
        raise HeldAlready
    return meeting


@dataclass(frozen=True, slots=True)
class Member:
    """A member as he took part."""

    person: str
    attendance: Attendance | None
    opinion: str | None


@dataclass(frozen=True, slots=True)
class MeetingState:
    """A meeting as it stands: who took part, how they voted, what it still lacks."""

    number: int
    holds_at: datetime
    place: str | None
    invited_at: datetime
    papers_sent_at: datetime | None
    held_at: datetime | None
    members: tuple[Member, ...]
    votes: tuple[Vote, ...]
    gaps: tuple[MeetingGap, ...]


def meeting_of(session: Session, campaign: Campaign) -> MeetingState | None:
    """Return the newest meeting of a campaign, or None where none was called or it was called off."""
    meeting = _newest(session, campaign)
    if meeting is None or meeting.called_off_because is not None:
        return None
    rules = file_of(campaign).meeting
    votes = session.execute(
        select(MeetingVote, Unit.code, ResidentialGroup.name)
        .outerjoin(ResidentialGroup, col(ResidentialGroup.id) == MeetingVote.group_id)
        .outerjoin(Unit, col(Unit.id) == ResidentialGroup.unit_id)
        .where(MeetingVote.meeting_id == meeting.id)
        .order_by(col(MeetingVote.id))
    )
    return MeetingState(
        number=meeting.number,
        holds_at=meeting.holds_at,
        place=meeting.place,
        invited_at=meeting.invited_at,
        papers_sent_at=meeting.papers_sent_at,
        held_at=meeting.held_at,
        members=tuple(Member(row.person, row.attendance, row.opinion) for row in _members(session, meeting)),
        votes=tuple(
            Vote(row.in_favour, row.against, row.abstained, unit, group, row.ballot)
            for row, unit, group in votes
        ),
        gaps=gaps(rules, _facts(session, meeting), file_of(campaign).calendar) if rules else (),
    )
