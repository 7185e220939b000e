"""Commands of the web application: serve it, and make a code with which a person links his Zalo."""

from typing import Annotated

import typer
import uvicorn

from config.messages import say
from flows.command_line import ByWhom, Code, UnitCode, about, app, now_or
from models.database import database
from models.replacements import find_person
from models.zalo_people import VALID_FOR, make_code

# By its name: flows know no pages (they meet in the database).
APPLICATION = "portal.app:create_app"


@app.command("web", help=say("help.portal"))
@app.command(help=say("help.portal"))
def portal(
    host: Annotated[str, typer.Option("--host", help=say("help.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help=say("help.port"))] = 8200,
) -> None:
    """Serve the web application until it is stopped."""
    database().migrate()
    typer.echo(say("done.portal", host=host, port=port))
    uvicorn.run(APPLICATION, factory=True, host=host, port=port, access_log=False, log_level="warning")


@app.command(help=say("help.link"))
def link(
    code: Code,
    unit: UnitCode,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=say("help.link_name"))],
    by: ByWhom = None,
) -> None:
    """Print a one-time code that a person sends to the official account, or to the bot, to be linked."""
    at = now_or()
    with about(code) as (session, campaign):
        person = find_person(session, campaign, unit, name)
        made = make_code(session, person, at=at, by=by)
    typer.echo(say("done.link", name=person.name, code=made, days=VALID_FOR.days))
