"""The `congnhan` command: the operator's way in. It reads the clock, once per command."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from config.campaign_file import read_campaign
from config.located import FileInvalid
from config.messages import say
from config.settings import SettingsInvalid, settings
from flows import showing
from flows.campaign import tick as run_tick
from flows.delivery import deliver_letters
from flows.refusals import KNOWN, line_for
from flows.rehearse_command import rehearse_to_folder
from flows.servers import mail_server
from models import campaigns as kept
from models import notices as kept_notices
from models.database import Session, database, transaction
from models.papers import register_paper
from models.tables import Campaign
from models.work_items import hand_in
from rules.calendar import CITY
from rules.letters import Paper
from rules.stages import PaperRole
from rules.work_items import ItemKind, Via

DONE, REFUSED, BAD_USAGE = 0, 1, 2

app = typer.Typer(
    help=say("help.congnhan"),
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(metavar="FILE", help=say("help.file"))]
Code = Annotated[str, typer.Argument(metavar="CODE", help=say("help.code"))]
UnitCode = Annotated[str, typer.Argument(metavar="UNIT", help=say("help.unit"))]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help=say("help.by"))]
At = Annotated[str | None, typer.Option("--at", metavar="T", help=say("help.at"))]
Now = Annotated[str | None, typer.Option("--now", metavar="T", help=say("help.now"))]
Force = Annotated[bool, typer.Option("--force", help=say("help.force"))]
Json = Annotated[bool, typer.Option("--json", help=say("help.json"))]
ViaOption = Annotated[Via, typer.Option("--via", help=say("help.via"))]
Scratch = Annotated[str | None, typer.Option("--database", metavar="URL", help=say("help.scratch"))]
Number = Annotated[str | None, typer.Option("--number", metavar="N", help=say("help.number"))]


@app.command(help=say("help.check"))
def check(file: File) -> None:
    """Validate a campaign file with all it refers to."""
    showing.checked(read_campaign(file))


@app.command(help=say("help.rehearse"))
def rehearse(
    file: File,
    script: Annotated[Path | None, typer.Option("--script", metavar="S", help=say("help.script"))] = None,
    as_json: Json = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help=say("help.out"))] = None,
    scratch: Annotated[
        str | None, typer.Option("--database", metavar="URL", help=say("help.scratch"))
    ] = None,
) -> None:
    """Run the whole campaign on a simulated clock in a scratch database."""
    rehearse_to_folder(file, script, as_json=as_json, out=out, scratch=scratch)


@app.command("open", help=say("help.open"))
def open_(
    file: File,
    past: Annotated[bool, typer.Option("--past", help=say("help.past"))] = False,
    at: At = None,
    by: By = None,
) -> None:
    """Open a campaign from its file."""
    now = _now(at)
    read = read_campaign(file)
    database().migrate()
    with transaction() as session:
        kept.open_campaign(session, read, at=now, by=by, past=past)
    typer.echo(say("done.opened", code=read.code, title=read.title))


@app.command(help=say("help.tick"))
def tick(now: Now = None, force: Force = False) -> None:
    """Run one tick, then deliver what may leave."""
    at = _simulated(now, force=force)
    database().migrate()
    with mail_server() as server:
        report = run_tick(at)
        if not report.is_alone:
            typer.echo(say("done.tick_elsewhere"))
            return
        delivered = deliver_letters(at, server)
    typer.echo(
        say(
            "done.tick",
            campaigns=len(report.campaigns),
            letters=report.letters,
            sent=delivered.sent,
            unsent=sum(count for outcome, count in delivered.outcomes if outcome != "accepted"),
        )
    )
    if report.failed:
        _refuse(say("refused.tick_failed", codes=", ".join(report.failed)))


@app.command(help=say("help.status"))
def status(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help=say("help.code"))] = None,
    as_json: Json = False,
    now: Now = None,
) -> None:
    """Say where a campaign stands, or all of them."""
    at = _now(now)
    database().migrate()
    with transaction() as session:
        chosen = [kept.get_campaign(session, code)] if code else kept.campaigns(session)
        showing.status(session, chosen, at, as_json=as_json)


@app.command(help=say("help.submit"))
def submit(
    code: Code,
    unit: UnitCode,
    at: At = None,
    by: By = None,
    via: ViaOption = Via.PAPER,
    number: Number = None,
    nothing: Annotated[bool, typer.Option("--nothing", help=say("help.nothing"))] = False,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record a dossier that was handed in, at the time it was received."""
    _hand_in(code, ItemKind.DOSSIER, unit, at, by, via, number, now, force=force, nothing=nothing)
    typer.echo(say("done.submitted", unit=unit, code=code))


@app.command(help=say("help.review"))
def review(
    code: Code,
    unit: UnitCode,
    at: At = None,
    by: By = None,
    via: ViaOption = Via.PORTAL,
    number: Number = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that an agency has concluded its review."""
    _hand_in(code, ItemKind.REVIEW, unit, at, by, via, number, now, force=force)
    typer.echo(say("done.reviewed", unit=unit, code=code))


@app.command(help=say("help.conclude"))
def conclude(code: Code, at: At = None, by: By = None) -> None:
    """Freeze the consolidated list."""
    with _campaign(code) as (session, campaign):
        kept.freeze_list(session, campaign, at=_now(at), by=by)
    typer.echo(say("done.concluded", code=code))


@app.command("go-on", help=say("help.go_on"))
def go_on(
    code: Code,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("help.reason"))],
    at: At = None,
    by: By = None,
) -> None:
    """Go on without what is missing, giving the reason."""
    with _campaign(code) as (session, campaign):
        kept.go_on(session, campaign, at=_now(at), by=by, reason=reason)
    typer.echo(say("done.gone_on", code=code))


@app.command(help=say("help.release"))
def release(
    code: Code,
    unit: Annotated[str | None, typer.Option("--unit", metavar="UNIT", help=say("help.unit"))] = None,
    step: Annotated[str | None, typer.Option("--step", metavar="STEP", help=say("help.step"))] = None,
    at: At = None,
    by: By = None,
) -> None:
    """Let messages to leaders go that wait for the standing head."""
    with _campaign(code) as (session, campaign):
        released = kept_notices.release(session, campaign, unit=unit, step=step, at=_now(at), by=by)
    typer.echo(say("done.released", count=released))


@app.command(help=say("help.register"))
def register(
    code: Code,
    number: Annotated[str, typer.Option("--number", metavar="N", help=say("help.paper_number"))],
    issued_on: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help=say("help.paper_date"))],
    role: Annotated[list[PaperRole], typer.Option("--role", help=say("help.paper_role"))],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=say("help.paper_kind"))] = "CV",
    title: Annotated[str | None, typer.Option("--title", help=say("help.paper_title"))] = None,
    signed_by: Annotated[str | None, typer.Option("--signed-by", help=say("help.signed_by"))] = None,
    at: At = None,
    by: By = None,
) -> None:
    """Register an issued paper with the roles it plays."""
    now = _now(at)
    if not number.strip():
        _refuse(say("refused.PaperWithoutNumber"), BAD_USAGE)
    with _campaign(code) as (session, campaign):
        register_paper(
            session,
            campaign,
            Paper(kind, number.strip(), _day(issued_on), title, signed_by),
            role,
            today=kept.file_of(campaign).calendar.day_of(now),
            at=now,
            by=by,
        )
    typer.echo(say("done.registered", number=number.strip(), code=code))


def _hand_in(
    code: str,
    kind: ItemKind,
    unit: str,
    at: str | None,
    by: str | None,
    via: Via,
    number: str | None,
    now: str | None,
    *,
    force: bool,
    nothing: bool = False,
) -> None:
    """Record what was handed in: received `at`, or now, which is when it is recorded."""
    recorded_at = _simulated(now, force=force)
    with _campaign(code) as (session, campaign):
        hand_in(
            session,
            campaign,
            kind,
            unit,
            at=_instant(at) if at else recorded_at,
            recorded_at=recorded_at,
            by=by,
            via=via,
            number=number,
            is_not_proposing=nothing,
        )


class _campaign:
    """Yield a session and the campaign of this code; commits at the end or rolls back."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._open = transaction()

    def __enter__(self) -> tuple[Session, Campaign]:
        database().migrate()
        session = self._open.__enter__()
        return session, kept.get_campaign(session, self._code)

    def __exit__(self, *problem: object) -> None:
        self._open.__exit__(*problem)  # type: ignore[arg-type]


def _now(text: str | None = None) -> datetime:
    """Return the instant that was named, or that of the wall clock."""
    return _instant(text) if text else datetime.now(UTC)


def _simulated(text: str | None, *, force: bool) -> datetime:
    """Return a named instant, refused where letters would really go out as if it were that time."""
    if text and settings().smtp_host and not force:
        _refuse(say("refused.simulated_clock"))
    return _now(text)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        _refuse(say("usage.instant", text=text), BAD_USAGE)
    return instant if instant.tzinfo else instant.replace(tzinfo=CITY)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _refuse(say("usage.day", text=text), BAD_USAGE)


def _refuse(line: str, code: int = REFUSED) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)


def main() -> None:
    """Run a command; whatever a user can do wrong ends in one line and the exit code of design.md §8."""
    try:
        code = app(standalone_mode=False)
    except FileInvalid as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        code = BAD_USAGE
    except SettingsInvalid as error:
        typer.echo(str(error), err=True)
        code = BAD_USAGE
    except typer.exceptions.TyperException as error:
        typer.echo(say("usage.wrong", words=error.format_message()), err=True)
        code = BAD_USAGE
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(say("refused.interrupted"), err=True)
        code = REFUSED
    except OSError as error:
        typer.echo(say("refused.os", name=error.filename or "", words=error.strerror or ""), err=True)
        code = REFUSED
    except KNOWN as error:
        typer.echo(line_for(error), err=True)
        code = REFUSED
    sys.exit(code if isinstance(code, int) else DONE)


if __name__ == "__main__":
    main()
