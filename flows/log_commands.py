"""Commands that show what was sent: the delivery log, and the proof of one deadline."""

from pathlib import Path
from typing import Annotated

import typer

from config.messages import say
from documents.proof import proof_workbook
from flows.command_line import Code, Json, Now, OfUnit, about, app, instant, now_or
from flows.delivery_log_view import log_as_json, print_log
from flows.proof_view import print_proof, proof_as_json
from models.campaigns import get_campaign
from models.database import database, transaction
from models.delivery_log import Asked, logged_letters
from models.holds import holds
from models.proof import proof_of
from rules.notices import LetterState
from rules.stages import Stage

# How many letters the log shows unless all are asked for.
NEWEST = 200


@app.command(help=say("help.notices"))
def notices(
    code: Annotated[str | None, typer.Argument(metavar="CODE", help=say("help.code"))] = None,
    as_json: Json = False,
    state: Annotated[LetterState | None, typer.Option("--state", help=say("help.letter_state"))] = None,
    unit: OfUnit = None,
    since: Annotated[str | None, typer.Option("--since", metavar="T", help=say("help.sent_since"))] = None,
    until: Annotated[str | None, typer.Option("--before", metavar="T", help=say("help.sent_before"))] = None,
    everything: Annotated[bool, typer.Option("--all", help=say("help.all_letters"))] = False,
) -> None:
    """Show the delivery log: what went to whom over what, and what came of it."""
    asked = Asked(code, state, unit, instant(since) if since else None, instant(until) if until else None)
    database().migrate()
    with transaction() as session:
        if code is not None:
            get_campaign(session, code)
        held = holds(session)
        # One more than is shown tells whether there are more.
        found = logged_letters(session, asked, holds=held, newest=None if everything else NEWEST + 1)
    shown = found if everything else found[-NEWEST:]
    if as_json:
        typer.echo(log_as_json(shown))
    else:
        print_log(shown, held)
    if len(shown) < len(found):
        typer.echo(say("log.more", shown=len(shown)), err=True)


@app.command(help=say("help.proof"))
def proof(
    code: Code,
    stage: Annotated[Stage, typer.Option("--stage", help=say("help.proof_stage"))] = Stage.SELF_ASSESSMENT,
    as_json: Json = False,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help=say("help.xlsx"))] = None,
    now: Now = None,
) -> None:
    """Show, for one deadline, what every unit was told and how it answered."""
    at = now_or(now)
    with about(code) as (session, campaign):
        found = proof_of(session, campaign, stage, now=at)
    if xlsx is not None:
        xlsx.write_bytes(proof_workbook(found))
    if as_json:
        typer.echo(proof_as_json(found))
    elif xlsx is not None:
        typer.echo(say("done.proof_written", file=xlsx, units=found.tally().units))
    else:
        print_proof(found)
