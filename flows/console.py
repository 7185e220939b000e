"""The `congnhan` command: the operator's way in. It reads the clock, once per command."""

import sys
import unicodedata
from os.path import exists
from pathlib import Path
from typing import Annotated

import typer

from config.campaign_file import read_campaign
from config.located import FileInvalid
from config.messages import say
from config.settings import SettingsInvalid
from flows import (
    backup_commands,
    deed_commands,
    deploy_command,
    directory_commands,
    doctor_command,
    dossier_commands,
    foretelling,
    journal_view,
    letter_commands,
    log_commands,
    meeting_commands,
    portal_command,
    practice_command,
    result_commands,
    review_commands,
    score_command,
    serve_command,
    sheets_commands,
    showing,
    watch_command,
    zalo_commands,
)
from flows.campaign import tick as run_tick
from flows.command_line import (
    BAD_USAGE,
    DONE,
    REFUSED,
    At,
    ByWhom,
    Code,
    File,
    Force,
    Json,
    Now,
    OfUnit,
    about,
    app,
    day,
    instant,
    now_or,
    refuse,
    simulated,
)
from flows.delivery import deliver_letters
from flows.example import last_working_day, write_example
from flows.journal_view import Asked
from flows.logs import write_logs
from flows.refusals import KNOWN, line_for
from flows.rehearse_command import rehearse_to_folder
from flows.running import standing_still, stopwatch
from flows.servers import mail_server, reach
from flows.zalo_sending import zalo_sender
from models import campaigns as kept
from models.database import database, transaction
from models.pulses import TICK, beat

__all__ = [
    "app",
    "backup_commands",
    "deed_commands",
    "deploy_command",
    "directory_commands",
    "doctor_command",
    "dossier_commands",
    "letter_commands",
    "log_commands",
    "main",
    "meeting_commands",
    "portal_command",
    "practice_command",
    "result_commands",
    "review_commands",
    "score_command",
    "serve_command",
    "sheets_commands",
    "watch_command",
    "zalo_commands",
]


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
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("help.dry_run"))] = False,
    at: At = None,
    by: ByWhom = None,
) -> None:
    """Open a campaign from its file, or say what opening it would bring."""
    now = now_or(at)
    read = read_campaign(file)
    if dry_run:
        foretelling.foretell(read)
        return
    database().migrate()
    with transaction() as session:
        kept.open_campaign(session, read, at=now, by=by, past=past)
    typer.echo(say("done.opened", code=read.code, title=read.title))


@app.command(help=say("help.tick"))
def tick(now: Now = None, force: Force = False) -> None:
    """Run one tick, then deliver what may leave."""
    at = simulated(now, force=force)
    database().migrate()
    with mail_server() as server, zalo_sender(at) as zalo:
        report = run_tick(at, reach=reach())
        if not report.is_alone:
            typer.echo(say("done.tick_elsewhere"))
            return
        with transaction() as session:
            beat(session, TICK, at=at)
        delivered = deliver_letters(at, server, zalo=zalo, elapsed=standing_still if now else stopwatch())
    typer.echo(
        say(
            "done.tick",
            campaigns=len(report.campaigns),
            letters=report.letters,
            superseded=report.superseded,
            sent=delivered.sent,
            unsent=sum(count for outcome, count in delivered.outcomes if outcome != "accepted"),
        )
    )
    if report.failed:
        refuse(say("refused.tick_failed", codes=", ".join(report.failed)))


@app.command(help=say("help.status"))
def status(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help=say("help.code"))] = None,
    as_json: Json = False,
    now: Now = None,
) -> None:
    """Say where a campaign stands, or all of them."""
    at = now_or(now)
    database().migrate()
    with transaction() as session:
        chosen = [kept.get_campaign(session, code)] if code else kept.campaigns(session)
        showing.status(session, chosen, at, as_json=as_json)


@app.command(help=say("help.example"))
def example(
    opens_on: Annotated[
        str | None, typer.Option("--opens-on", metavar="YYYY-MM-DD", help=say("help.opens_on"))
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help=say("help.example_out"))] = Path("vi-du"),
) -> None:
    """Write the letter's campaign with its dates moved."""
    written = write_example(day(opens_on) if opens_on else last_working_day(now_or()), out)
    typer.echo(say("done.example", campaign=written.campaign, script=written.script))


@app.command(help=say("help.journal"))
def journal(
    code: Code,
    verify: Annotated[bool, typer.Option("--verify", help=say("help.verify"))] = False,
    as_json: Json = False,
    unit: OfUnit = None,
    what: Annotated[str | None, typer.Option("--what", metavar="WHAT", help=say("help.what"))] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="T", help=say("help.since"))] = None,
    until: Annotated[str | None, typer.Option("--before", metavar="T", help=say("help.before"))] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help=say("help.done_by"))] = None,
) -> None:
    """Show the audit trail, or prove that nothing in it was changed."""
    which = Asked(unit, what, by, instant(since) if since else None, instant(until) if until else None)
    with about(code) as (session, campaign):
        if verify:
            is_whole = journal_view.verified(session, campaign, as_json=as_json)
        else:
            is_whole = True
            journal_view.show(session, campaign, which, as_json=as_json)
    if not is_whole:
        raise typer.Exit(REFUSED)


def is_text(argument: str) -> bool:
    """Say whether an argument is UTF-8 throughout; bytes that are not can be neither kept nor printed."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def main() -> None:
    """Run a command; whatever a user can do wrong ends in one line and the exit code of design.md §8."""
    write_logs()
    if any(not is_text(each) for each in sys.argv):
        typer.echo(say("usage.not_text"), err=True)
        sys.exit(BAD_USAGE)
    # Some systems type decomposed letters; a file keeps the name under which it lies there.
    sys.argv = [each if exists(each) else unicodedata.normalize("NFC", each) for each in sys.argv]
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
