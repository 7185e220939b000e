"""`congnhan backup` and `congnhan restore`: everything in one file, proved when it comes back."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.messages import say
from flows.command_line import Json, app
from flows.list_facts import as_text
from models.backup import Manifest, back_up
from models.backup import restore as bring_back
from models.database import database

Archive = Annotated[Path, typer.Argument(metavar="FILE", help=say("help.archive"))]


@app.command(help=say("help.backup"))
def backup(file: Archive, as_json: Json = False) -> None:
    """Write the whole of the database and its files into one archive, while everything runs."""
    _show("done.backed_up", file, back_up(database(), file, at=datetime.now(UTC)), as_json=as_json)


@app.command(help=say("help.restore"))
def restore(file: Archive, as_json: Json = False) -> None:
    """Bring a backup into an empty database, and prove it."""
    _show("done.restored", file, bring_back(database(), file), as_json=as_json)


def _show(done: str, file: Path, manifest: Manifest, *, as_json: bool) -> None:
    if as_json:
        typer.echo(as_text(asdict(manifest)))
        return
    typer.echo(
        say(
            done,
            file=file,
            rows=manifest.rows,
            tables=len(manifest.tables),
            files=len(manifest.files),
            revision=manifest.revision,
        )
    )
