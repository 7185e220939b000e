"""`congnhan rehearse`: a scratch database, the rehearsal, and what it leaves in a folder."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import typer

from config.campaign_file import read_campaign
from config.messages import say
from config.script_file import read_script
from config.settings import with_driver
from flows import showing
from flows.chronicle import chronicle, timeline
from flows.rehearsal import rehearse
from models.campaigns import get_campaign
from models.database import Database, transaction, using


def rehearse_to_folder(
    file: Path, script: Path | None, *, as_json: bool, out: Path | None, scratch: str | None
) -> None:
    """Rehearse a campaign, print its timeline or its object, and leave letters and summary in `out`."""
    read = read_campaign(file)
    lines = read_script(script, read) if script else ()
    with _folder(out) as folder, _scratch(scratch) as database:
        letters = folder / "letters"
        if letters.exists():
            shutil.rmtree(letters)  # an earlier rehearsal's letters would be taken for this one's
        with showing.progress(read.code) as tell:
            ended_at = _run(read, lines, database, letters, tell)
        with using(database), transaction() as session:
            campaign = get_campaign(session, read.code)
            told = chronicle(session, campaign, now=ended_at)
            rows = timeline(session, campaign)
        text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
        if out is not None:
            (folder / "rehearsal.json").write_text(text, encoding="utf-8")
            (folder / say("file.summary")).write_text(
                showing.timeline_text(read, rows, told), encoding="utf-8"
            )
        if as_json:
            typer.echo(text, nl=False)
            return
        showing.print_timeline(read, rows, told)
        if out is not None:
            count = len(list(letters.glob("*.eml")))
            typer.echo(say("done.rehearsed", folder=folder, letters=count))


def _run(read, lines, database, letters, tell) -> datetime:  # type: ignore[no-untyped-def]
    last: list[datetime] = []

    def heard(instant: datetime) -> None:
        last[:] = [instant]
        tell(instant)

    rehearse(read, lines, database=database, letters=letters, tell=heard)
    return last[0]


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="congnhan-") as folder:
        yield Path(folder)


@contextmanager
def _scratch(url: str | None) -> Iterator[Database]:
    """Yield an empty database: a named one, refused when it is not empty, or a file that is removed."""
    with tempfile.TemporaryDirectory(prefix="congnhan-") as folder:
        address = with_driver(url) if url else f"sqlite:///{folder}/rehearsal.db"
        database = Database(address, is_scratch=True)
        try:
            if database.revision() is not None:
                typer.echo(say("refused.scratch_not_empty"), err=True)
                raise typer.Exit(1)
            yield database
        finally:
            database.close()
