"""Commands about letters that have left: settle an uncertain one, send one again, read what came back."""

from enum import StrEnum
from typing import Annotated

import typer

from config.messages import say
from flows.command_line import ByWhom, Force, Now, app, refuse, simulated
from flows.returned import read_returned
from models.database import database, transaction
from models.settling import HIGHEST_NUMBER, drop_uncertain, name_of, resend, send_uncertain


class How(StrEnum):
    """What is done with a letter of which nobody knows whether it has gone."""

    SEND = "send"
    DROP = "drop"


Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=HIGHEST_NUMBER, help=say("help.letter"))]


@app.command("settle", help=say("help.settle"))
def settle_letter(
    number: Number,
    how: Annotated[How, typer.Argument(help=say("help.settle_how"))],
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Send an uncertain letter once more, or drop it."""
    at = simulated(now, force=force)
    database().migrate()
    with transaction() as session:
        deed = send_uncertain if how is How.SEND else drop_uncertain
        letter = deed(session, number, at=at, by=by)
        typer.echo(say(f"done.settled_{how}", number=number, name=name_of(session, letter)))


@app.command("resend", help=say("help.resend"))
def resend_letter(number: Number, by: ByWhom = None, now: Now = None, force: Force = False) -> None:
    """Send what a letter said once more, as far as it is still true."""
    at = simulated(now, force=force)
    database().migrate()
    with transaction() as session:
        again = resend(session, number, at=at, by=by)
        typer.echo(say("done.resent", number=number, name=name_of(session, again), again=again.id))


@app.command(help=say("help.bounces"))
def bounces(now: Now = None, force: Force = False) -> None:
    """Read the mailbox to which undeliverable mail comes back."""
    at = simulated(now, force=force)
    database().migrate()
    count = read_returned(at)
    if count is None:
        refuse(say("refused.no_bounce_mailbox"))
    typer.echo(say("done.bounces", count=count))
