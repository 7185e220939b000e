"""What every command shares: its options, the clock, the campaign it is about, how it refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from config.messages import say
from config.settings import settings
from models import campaigns as kept
from models.database import Session, database, transaction
from models.tables import Campaign
from rules.calendar import CITY, By, WithinWorkingDays, Wording
from rules.letters import Paper
from rules.work_items import ItemKind

DONE, REFUSED, BAD_USAGE = 0, 1, 2

app = typer.Typer(
    help=say("help.congnhan"),
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def said(text: str) -> str:
    """Return what a person must say where it is asked for; blank words say nothing."""
    if not text.strip():
        refuse(say("usage.blank"), BAD_USAGE)
    return text


File = Annotated[Path, typer.Argument(metavar="FILE", help=say("help.file"))]
Code = Annotated[str, typer.Argument(metavar="CODE", help=say("help.code"))]
UnitCode = Annotated[str, typer.Argument(metavar="UNIT", help=say("help.unit"))]
UnitCodes = Annotated[list[str], typer.Argument(metavar="UNIT...", help=say("help.units"))]
OfUnit = Annotated[str | None, typer.Option("--unit", metavar="UNIT", help=say("help.unit"))]
OfStep = Annotated[str | None, typer.Option("--step", metavar="STEP", help=say("help.step"))]
Item = Annotated[ItemKind, typer.Option("--item", help=say("help.item"))]
ByWhom = Annotated[str | None, typer.Option("--by", metavar="NAME", help=say("help.by"))]
At = Annotated[str | None, typer.Option("--at", metavar="T", help=say("help.at"))]
Now = Annotated[str | None, typer.Option("--now", metavar="T", help=say("help.now"))]
Force = Annotated[bool, typer.Option("--force", help=say("help.force"))]
Json = Annotated[bool, typer.Option("--json", help=say("help.json"))]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("help.reason"), callback=said)]
Until = Annotated[str | None, typer.Option("--until", metavar="T", help=say("help.until"))]
Within = Annotated[int | None, typer.Option("--within", metavar="N", min=1, help=say("help.within"))]
Number = Annotated[str | None, typer.Option("--number", metavar="N", help=say("help.number"))]
PaperNumber = Annotated[str, typer.Option("--number", metavar="N", help=say("help.paper_number"))]
PaperDate = Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help=say("help.paper_date"))]
PaperKind = Annotated[str, typer.Option("--kind", metavar="KIND", help=say("help.paper_kind"))]
PaperTitle = Annotated[str | None, typer.Option("--title", help=say("help.paper_title"))]
SignedBy = Annotated[str | None, typer.Option("--signed-by", help=say("help.signed_by"))]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a deed happened and when it is recorded; both aware."""

    at: datetime
    recorded_at: datetime


def moment(at: str | None, now: str | None, *, force: bool) -> Moment:
    """Return when a deed happened, which is now where nothing else is said, and that it is recorded now."""
    recorded_at = simulated(now, force=force)
    return Moment(instant(at) if at else recorded_at, recorded_at)


@contextmanager
def about(code: str) -> Iterator[tuple[Session, Campaign]]:
    """Yield a session and the campaign of this code; commits at the end or rolls back."""
    database().migrate()
    with transaction() as session:
        yield session, kept.get_campaign(session, code)


def now_or(text: str | None = None) -> datetime:
    """Return the instant that was named, or that of the wall clock."""
    return instant(text) if text else datetime.now(UTC)


def simulated(text: str | None, *, force: bool) -> datetime:
    """Return a named instant, refused where letters would really go out as if it were that time."""
    if text and settings().smtp_host and not force:
        refuse(say("refused.simulated_clock"))
    return now_or(text)


def instant(text: str) -> datetime:
    """Return the instant a person wrote, in city time unless it says otherwise."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        refuse(say("usage.instant", text=text), BAD_USAGE)
    return read if read.tzinfo else read.replace(tzinfo=CITY)


def day(text: str) -> date:
    """Return the day a person wrote."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(say("usage.day", text=text), BAD_USAGE)


def term(until: str | None, within: int | None, *, today: date) -> Wording | None:
    """Return the term a person set: until a day or an hour of it, or so many working days from today."""
    if until is not None and within is not None:
        refuse(say("usage.one_term"), BAD_USAGE)
    if within is not None:
        return WithinWorkingDays(within, today)
    if until is None:
        return None
    if "T" not in until:
        return By(day(until))
    at = instant(until).astimezone(CITY)
    return By(at.date(), at.time())


def paper(
    number: str, issued_on: str, kind: str, title: str | None = None, signed_by: str | None = None
) -> Paper:
    """Return the paper a person named; one without a number is no paper yet."""
    if not number.strip():
        refuse(say("refused.PaperWithoutNumber"), BAD_USAGE)
    return Paper(kind, number.strip(), day(issued_on), title, signed_by)


def refuse(line: str, code: int = REFUSED) -> NoReturn:
    """End the command with one line on stderr."""
    typer.echo(line, err=True)
    raise typer.Exit(code)
