"""Commands for the people of a campaign: places taken, deputies, the list brought up to date."""

from pathlib import Path
from typing import Annotated

import typer

from config.campaign_file import read_directory
from config.messages import say
from flows.command_line import At, ByWhom, Code, Force, Now, UnitCode, about, app, day, moment
from models import directory, replacements
from models.campaigns import file_of

Person = Annotated[str, typer.Argument(metavar="PERSON", help=say("help.person"))]
Title = Annotated[str, typer.Option("--title", metavar="TEXT", help=say("help.person_title"))]
Email = Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help=say("help.email"))]
Phone = Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help=say("help.phone"))]
Zalo = Annotated[str | None, typer.Option("--zalo", metavar="ID", help=say("help.zalo"))]


@app.command("replace-contact", help=say("help.replace_contact"))
def replace_contact(
    code: Code,
    unit: UnitCode,
    person: Person,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help=say("help.new_name"))],
    title: Title,
    email: Email = None,
    phone: Phone = None,
    zalo: Zalo = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Let somebody take a person's place."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        replacements.replace_contact(
            session,
            campaign,
            unit,
            person,
            replacements.NewPerson(name, title, email, phone, zalo),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.contact_replaced", unit=unit, name=name))


@app.command(help=say("help.deputise"))
def deputise(
    code: Code,
    unit: UnitCode,
    person: Person,
    first_day: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help=say("help.absent_from"))],
    last_day: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help=say("help.absent_until"))
    ] = None,
    deputy: Annotated[str | None, typer.Option("--deputy", metavar="NAME", help=say("help.deputy"))] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help=say("help.person_title"))
    ] = None,
    email: Email = None,
    phone: Phone = None,
    zalo: Zalo = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that a person is absent and who stands in for him."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        replacements.deputise(
            session,
            campaign,
            unit,
            person,
            deputy=replacements.NewPerson(deputy, title or "", email, phone, zalo) if deputy else None,
            first_day=day(first_day),
            last_day=day(last_day) if last_day else None,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.deputised", unit=unit, name=person))


@app.command("directory", help=say("help.directory"))
def update(
    code: Code,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("help.units_file"))],
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Bring the people and groups of a campaign's units up to date from a units file."""
    when = moment(at, now, force=force)
    units = read_directory(file)
    with about(code) as (session, campaign):
        kept = file_of(campaign)
        changes = directory.update_directory(
            session,
            campaign,
            units,
            directory=kept.organiser,
            today=kept.calendar.day_of(when.at),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(
        say(
            "done.directory",
            came=changes.came,
            left=changes.left,
            opened=changes.groups_opened,
            closed=changes.groups_closed,
        )
    )
