"""`congnhan sheets`: workbooks for communes and agencies made, and read back; criteria from a table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from config.criteria_file import read_criteria, what_is_missing
from config.located import read_located
from config.messages import say
from config.shapes import SLUG
from documents.criteria_table import read_criteria_table
from documents.criteria_yaml import criteria_yaml
from documents.score_book import BookRefused
from documents.workbook_refusals import WorkbookRefused
from flows.command_line import (
    BAD_USAGE,
    At,
    ByWhom,
    Code,
    Force,
    Json,
    Now,
    UnitCode,
    about,
    app,
    moment,
    refuse,
)
from flows.score_books import made, taken
from models.books import book_units
from rules.stages import Ower

sheets_app = typer.Typer(help=say("help.sheets"), no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sheets_app, name="sheets")

Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help=say("help.sheets_out"))]


@sheets_app.command("export", help=say("help.sheets_export"))
def export(
    code: Code,
    units: Annotated[
        list[str] | None, typer.Argument(metavar="[UNIT...]", help=say("help.sheets_units"))
    ] = None,
    agencies: Annotated[bool, typer.Option("--agencies", help=say("help.sheets_agencies"))] = False,
    out: Folder = Path("so-cham-diem"),
    as_json: Json = False,
) -> None:
    """Write a workbook for each of these units; without any, for all communes or all agencies."""
    books = {}
    with about(code) as (session, campaign):
        for unit in units or book_units(session, campaign, Ower.AGENCY if agencies else Ower.COMMUNE):
            try:
                books[unit] = made(session, campaign, unit)
            except BookRefused as refused:
                refuse("\n".join(f"{unit}: {problem}" for problem in refused.problems))
    out.mkdir(parents=True, exist_ok=True)
    written = {unit: out / f"{code}-{unit}.xlsx" for unit in books}
    for unit, content in books.items():
        written[unit].write_bytes(content)
    if as_json:
        found = [{"unit": unit, "file": str(path)} for unit, path in written.items()]
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        typer.echo(say("done.sheets_exported", count=len(written), out=out))


@sheets_app.command("import", help=say("help.sheets_import"))
def import_(
    code: Code,
    unit: UnitCode,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("help.sheets_file"))],
    as_json: Json = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record what was filled into a workbook: all of it, or nothing and every error by sheet and cell."""
    when = moment(at, now, force=force)
    try:
        with about(code) as (session, campaign):
            found = taken(session, campaign, unit, file, at=when.at, recorded_at=when.recorded_at, by=by)
            is_frozen = campaign.list_frozen_at is not None
    except WorkbookRefused as refused:
        _refuse(file, [str(refused)])
    except BookRefused as refused:
        _refuse(file, [str(problem) for problem in refused.problems])
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        typer.echo(
            say(
                "done.sheets_imported",
                unit=unit,
                scores=found.scores,
                groups=found.groups,
                requests=found.requests,
            )
        )
        if is_frozen and found.scores:
            typer.echo(say("done.freeze_again", code=code))


@sheets_app.command("criteria", help=say("help.sheets_criteria"))
def criteria(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("help.sheets_file"))],
    set_id: Annotated[str, typer.Option("--id", metavar="ID", help=say("help.criteria_id"))],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help=say("help.criteria_title"))],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=say("help.criteria_out"))],
) -> None:
    """Write a criteria file from a table of criteria in Excel; what the table leaves open stays open."""
    if not SLUG.fullmatch(set_id):
        refuse(say("file.not_a_slug", got=set_id), BAD_USAGE)
    if out.is_file():
        # What was completed by hand from the act is in no table.
        refuse(say("done.criteria_not_overwritten", file=out))
    try:
        text = criteria_yaml(read_criteria_table(file), set_id=set_id, title=title)
    except WorkbookRefused as refused:
        _refuse(file, [str(refused)])
    except BookRefused as refused:
        _refuse(file, [str(problem) for problem in refused.problems])
    read = read_criteria(read_located(str(out), text))
    out.write_text(text, encoding="utf-8")
    typer.echo(say("done.criteria_written", file=out, leaves=len(read.leaves())))
    for gap in read.gaps:
        typer.echo(f"  {gap.code}: {what_is_missing(gap.what)}")


def _refuse(file: Path, lines: list[str]) -> NoReturn:
    for line in lines:
        typer.echo(f"{file}: {line}", err=True)
    raise typer.Exit(BAD_USAGE)
