"""`congnhan deploy`: the work pool and the deployments of prefect.yaml, at the addressed Prefect server."""

from typing import Annotated

import typer

from config.messages import say
from flows.command_line import app, refuse
from models.database import database


@app.command(help=say("help.deploy"))
def deploy(
    settle: Annotated[bool, typer.Option("--settle", help=say("help.deploy_settle"))] = False,
) -> None:
    """Bring the schema up to date, create the work pool and bring every deployment up to date.

    A program older than the database puts no deployments of its own in the way of the newer one.
    """
    database().migrate()
    # Prefect takes seconds to import; every other command does without it.
    from flows import deploying  # noqa: PLC0415

    try:
        settled = deploying.settle_left_behind() if settle else 0
        names = deploying.deploy_all()
    except deploying.NOT_REACHED as error:
        refuse(say("refused.no_engine", words=type(error).__name__))
    typer.echo(say("done.deployed", count=len(names), settled=settled))
