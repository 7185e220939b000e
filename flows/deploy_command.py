"""`congnhan deploy`: the work pool and the deployments of prefect.yaml, at the addressed Prefect server."""

from typing import Annotated

import typer

from config.messages import say
from flows.command_line import app, refuse


@app.command(help=say("help.deploy"))
def deploy(
    settle: Annotated[bool, typer.Option("--settle", help=say("help.deploy_settle"))] = False,
) -> None:
    """Create the work pool and bring every deployment up to date."""
    # Prefect takes seconds to import; every other command does without it.
    from flows import deploying  # noqa: PLC0415

    try:
        settled = deploying.settle_left_behind() if settle else 0
        names = deploying.deploy_all()
    except deploying.NOT_REACHED as error:
        refuse(say("refused.no_engine", words=type(error).__name__))
    typer.echo(say("done.deployed", count=len(names), settled=settled))
