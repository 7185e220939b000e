"""Commands of the meeting on the list: call it, send its papers, record its minutes and opinions."""

import json
from typing import Annotated

import typer

from config.messages import say
from flows.command_line import (
    BAD_USAGE,
    At,
    ByWhom,
    Code,
    Force,
    Json,
    Now,
    about,
    app,
    instant,
    moment,
    refuse,
    said,
)
from flows.list_facts import iso
from flows.refusals import shown
from models import meetings
from models.meetings import MeetingState, Vote
from rules.meetings import Ballot

meeting_app = typer.Typer(help=say("help.meeting"), no_args_is_help=True, rich_markup_mode=None)
app.add_typer(meeting_app, name="meeting")

People = Annotated[list[str] | None, typer.Option("--member", metavar="NAME", help=say("help.member"))]


@meeting_app.command(help=say("help.convene"))
def convene(
    code: Code,
    holds_at: Annotated[str, typer.Option("--on", metavar="T", help=say("help.holds_at"))],
    members: People = None,
    place: Annotated[str | None, typer.Option("--place", help=say("help.place"))] = None,
    chair: Annotated[str | None, typer.Option("--chair", metavar="NAME", help=say("help.chair"))] = None,
    secretary: Annotated[
        str | None, typer.Option("--secretary", metavar="NAME", help=say("help.secretary"))
    ] = None,
    papers: Annotated[bool, typer.Option("--with-papers", help=say("help.with_papers"))] = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Call the meeting."""
    when = moment(at, now, force=force)
    on = instant(holds_at)
    with about(code) as (session, campaign):
        number = meetings.convene(
            session,
            campaign,
            holds_at=on,
            members=members or (),
            place=place,
            chair=chair,
            secretary=secretary,
            papers_sent_at=when.at if papers else None,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.convened", number=number, on=shown(on), members=len(members or ())))


@meeting_app.command(help=say("help.papers"))
def papers(code: Code, at: At = None, by: ByWhom = None, now: Now = None, force: Force = False) -> None:
    """Record that the papers of the meeting went to its members."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        meetings.send_papers(session, campaign, at=when.at, recorded_at=when.recorded_at, by=by)
    typer.echo(say("done.papers_sent"))


@meeting_app.command(help=say("help.hold_meeting"))
def hold(
    code: Code,
    present: Annotated[
        list[str] | None, typer.Option("--present", metavar="NAME", help=say("help.present"))
    ] = None,
    opinion: Annotated[
        list[str] | None, typer.Option("--opinion", metavar="NAME=TEXT", help=say("help.opinion"))
    ] = None,
    vote: Annotated[
        list[str] | None, typer.Option("--vote", metavar="[UNIT/GROUP=]Y-N[-A]", help=say("help.vote"))
    ] = None,
    secret: Annotated[bool, typer.Option("--secret", help=say("help.secret_ballot"))] = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record the meeting as its minutes say."""
    when = moment(at, now, force=force)
    ballot = Ballot.SECRET if secret else Ballot.SHOW_OF_HANDS
    votes = [_vote(text, ballot) for text in vote or ()]
    opinions: dict[str, str] = {}
    for person, words in (_opinion(text) for text in opinion or ()):
        if person in opinions:
            raise meetings.MemberTwice(person)
        opinions[person] = words
    with about(code) as (session, campaign):
        meetings.hold_meeting(
            session,
            campaign,
            present=present or (),
            opinions=opinions,
            votes=votes,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
        state = meetings.meeting_of(session, campaign)
    typer.echo(say("done.meeting_held"))
    if state is not None:
        _print_gaps(state)


@meeting_app.command("opinion", help=say("help.add_opinion"))
def opinion(
    code: Code,
    person: Annotated[str, typer.Argument(metavar="NAME", help=say("help.member"))],
    words: Annotated[str, typer.Argument(metavar="TEXT", help=say("help.words"), callback=said)],
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record the opinion in writing of a member who was absent."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        meetings.add_opinion(
            session, campaign, person, words, at=when.at, recorded_at=when.recorded_at, by=by
        )
    typer.echo(say("done.opinion", person=person))


@meeting_app.command(help=say("help.show_meeting"))
def show(code: Code, as_json: Json = False) -> None:
    """Show the meeting: who took part, how they voted, what it still lacks."""
    with about(code) as (session, campaign):
        state = meetings.meeting_of(session, campaign)
    if as_json:
        typer.echo(json.dumps(None if state is None else _as_json(state), ensure_ascii=False, indent=2))
        return
    if state is None:
        typer.echo(say("meeting.none"))
        return
    typer.echo(say("meeting.head", number=state.number, on=shown(state.holds_at), place=state.place or "–"))
    for member in state.members:
        took_part = say(f"attendance.{member.attendance or 'unknown'}")
        typer.echo(f"  {member.person}: {took_part}")
    for vote in state.votes:
        typer.echo(
            say(
                "meeting.vote",
                subject=f"{vote.unit}/{vote.group}" if vote.unit else say("meeting.whole_list"),
                yes=vote.in_favour,
                no=vote.against,
                none=vote.abstained,
            )
        )
    _print_gaps(state)


def _print_gaps(state: MeetingState) -> None:
    for gap in state.gaps:
        typer.echo(say(f"meeting_gap.{gap}"))


def _opinion(text: str) -> tuple[str, str]:
    person, mark, words = text.partition("=")
    if not mark or not person.strip() or not words.strip():
        refuse(say("usage.opinion", text=text), BAD_USAGE)
    return person.strip(), words.strip()


def _vote(text: str, ballot: Ballot) -> Vote:
    subject, mark, counts = text.rpartition("=")
    numbers = counts.split("-")
    if len(numbers) not in (2, 3) or not all(number.isdigit() for number in numbers):
        refuse(say("usage.vote", text=text), BAD_USAGE)
    unit, _, group = subject.partition("/")
    if mark and not unit:
        refuse(say("usage.vote", text=text), BAD_USAGE)
    in_favour, against, *abstained = (int(number) for number in numbers)
    return Vote(in_favour, against, abstained[0] if abstained else 0, unit or None, group or None, ballot)


def _as_json(state: MeetingState) -> dict[str, object]:
    return {
        "number": state.number,
        "holds_at": iso(state.holds_at),
        "place": state.place,
        "invited_at": iso(state.invited_at),
        "papers_sent_at": iso(state.papers_sent_at),
        "held_at": iso(state.held_at),
        "members": [
            {
                "person": member.person,
                "attendance": member.attendance.value if member.attendance else None,
                "opinion": member.opinion,
            }
            for member in state.members
        ],
        "votes": [
            {
                "unit": vote.unit,
                "group": vote.group,
                "in_favour": vote.in_favour,
                "against": vote.against,
                "abstained": vote.abstained,
                "ballot": vote.ballot.value,
            }
            for vote in state.votes
        ],
        "gaps": [gap.value for gap in state.gaps],
    }
