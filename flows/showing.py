"""What the terminal shows a person: tables in Vietnamese, progress while it works."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from io import StringIO
from typing import Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from config.campaign_file import CampaignFile
from config.criteria_file import what_is_missing
from config.messages import say
from config.score_words import decimal_words
from flows.chronicle import Row, item_lateness, result
from flows.list_facts import iso
from models.campaigns import file_of, stage_facts
from models.database import Session
from models.extensions import requests_open
from models.leaders import count_waiting
from models.standings import standings, totals
from models.tables import Campaign
from rules.calendar import CITY
from rules.stages import Stage, blockers
from rules.work_items import ItemKind, ItemState

WEEKDAYS = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
WIDTH = 120


def checked(file: CampaignFile) -> None:
    """Say that a file is sound, what it holds and leaves open, and which years are only computed."""
    typer.echo(
        say(
            "done.checked",
            code=file.code,
            communes=len(file.owing),
            agencies=len(file.agencies),
            steps=len(file.ladders.remind) + len(file.ladders.escalate),
        )
    )
    if file.criteria.gaps:
        # Deadlines run without: an office may keep its scores elsewhere (docs/decisions/0014).
        open_ = "; ".join(f"{each.code} ({what_is_missing(each.what)})" for each in file.criteria.gaps)
        typer.echo(say("warning.criteria_gaps", title=file.criteria.title, gaps=open_))
    years = {file.self_assessment.opens_on.year, file.year}
    computed = sorted(years - file.calendar.decreed_years)
    if computed:
        typer.echo(say("warning.computed_year", years=", ".join(map(str, computed))))


@contextmanager
def progress(code: str) -> Iterator[Callable[[datetime], None]]:
    """Yield a function that shows on stderr, on one line where it can, which instant is being lived."""
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(say("progress.begins", code=code), highlight=False)
        yield lambda _: None
        return
    with console.status(say("progress.begins", code=code)) as status:

        def tell(instant: datetime) -> None:
            status.update(say("progress.at", at=when(instant)))

        yield tell


def print_timeline(file: CampaignFile, rows: Sequence[Row], told: dict[str, Any]) -> None:
    """Print the timeline and how it ended."""
    console = Console(width=None if Console().is_terminal else WIDTH, highlight=False)
    _timeline_to(console, file, rows, told)


def timeline_text(file: CampaignFile, rows: Sequence[Row], told: dict[str, Any]) -> str:
    """Return the same as plain text, for the summary left in the folder."""
    buffer = StringIO()
    _timeline_to(Console(file=buffer, width=WIDTH, highlight=False), file, rows, told)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _timeline_to(console: Console, file: CampaignFile, rows: Sequence[Row], told: dict[str, Any]) -> None:
    console.print(file.title, style="bold")
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(say("column.at"), no_wrap=True)
    table.add_column(say("column.what"), ratio=5)
    table.add_column(say("column.whom"), ratio=4)
    table.add_column(say("column.letters"), justify="right")
    shown = None
    for row in rows:
        at = when(row.at)
        table.add_row(at if at != shown else "", row.what, row.whom, str(row.letters or ""))
        shown = at
    console.print(table)
    names = {unit.code: unit.name for unit in file.units}
    ended = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("unit", "dossier", "received", "lateness"):
        ended.add_column(say(f"column.{column}"))
    for dossier in told["result"]["dossiers"]:
        received = dossier["received_at"]
        ended.add_row(
            names[dossier["unit"]],
            say("item_state.not_proposing" if dossier["not_proposing"] else f"item_state.{dossier['state']}"),
            when(datetime.fromisoformat(received)) if received else "",
            _lateness(dossier["lateness"]),
        )
    console.print(ended)
    if told["result"]["list"]:
        _list_to(console, told["result"]["list"], names)
    decision = told["result"]["decision"]
    console.print(
        say("result.decided", number=decision["number"], date=_iso_day(decision["date"]))
        if decision
        else say("result.undecided", stage=say(f"stage.{told['result']['stage']}"))
    )


def _list_to(console: Console, of: dict[str, Any], names: dict[str, str]) -> None:
    """Print a frozen list: how many are recognised, and of the others why they are not."""
    console.print(say("result.list", version=of["version"], recognised=of["recognised"], groups=of["groups"]))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("unit", "group", "points", "not_recognised_because"):
        table.add_column(say(f"column.{column}"))
    for each in of["results"]:
        if not each["recognised"]:
            why = "; ".join(reason["text"] for reason in each["reasons"])
            table.add_row(names[each["unit"]], each["group"], decimal_words(each["total"]), why)
    console.print(table)


def status(session: Session, campaigns: Iterable[Campaign], now: datetime, *, as_json: bool) -> None:
    """Print where campaigns stand: the stage, what it waits for, every item."""
    told = [_status(session, campaign, now) for campaign in campaigns]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if not told:
        typer.echo(say("status.none"))
        return
    console = Console(width=None if Console().is_terminal else WIDTH, highlight=False)
    for each in told:
        console.print(f"{each['campaign']} · {each['title']}", style="bold")
        waits = "; ".join(say(f"blocker.{blocker}") for blocker in each["waits_for"])
        nothing = "status.moves_on" if each["stage"] != Stage.CLOSED else "status.nothing"
        console.print(say("status.stage", stage=say(f"stage.{each['stage']}"), waits=waits or say(nothing)))
        if each["side_state"]:
            console.print(say(f"side_state.{each['side_state']}"))
        for asked in each["extension_requests"]:
            console.print(say("status.extension_asked", **asked))
        counted = each["dossiers"]
        console.print(say("status.dossiers", **counted))
        if each["waiting_release"]:
            console.print(say("status.waiting", count=each["waiting_release"]))
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for column in ("item", "unit", "state", "closes_at", "received", "lateness"):
            table.add_column(say(f"column.{column}"))
        for item in each["items"]:
            table.add_row(
                say(f"item.{item['kind']}"),
                item["unit_name"],
                say("item_state.not_proposing" if item["not_proposing"] else f"item_state.{item['state']}"),
                when(datetime.fromisoformat(item["closes_at"])) if item["closes_at"] else "",
                when(datetime.fromisoformat(item["done_at"])) if item["done_at"] else "",
                _lateness(item["lateness"]),
            )
        console.print(table)


def _lateness(found: str | None) -> str:
    return say(f"lateness.{found}") if found else ""


def _status(session: Session, campaign: Campaign, now: datetime) -> dict[str, Any]:
    standing = standings(session, campaign)
    counted = totals(session, campaign, ItemKind.DOSSIER)
    return {
        "campaign": campaign.code,
        "title": campaign.title,
        "stage": campaign.stage.value,
        "side_state": campaign.side_state.value if campaign.side_state else None,
        "mode": campaign.mode.value,
        "as_of": iso(now),
        "waits_for": [blocker.value for blocker in blockers(stage_facts(session, campaign, now=now))],
        "extension_requests": [
            {"item": item, "unit": unit, "asked_at": iso(asked_at), "reason": reason}
            for item, unit, asked_at, reason in requests_open(session, campaign)
        ],
        "waiting_release": count_waiting(session, campaign),
        "dossiers": {
            "units": counted.units,
            "handed_in": counted.handed_in,
            "on_time": counted.on_time,
            "late": counted.late,
            "not_proposing": counted.not_proposing,
            "open": counted.open,
            "waived": counted.waived,
            "extended": counted.extended,
        },
        "items": [
            {
                "item": item.name,
                "kind": item.kind.value,
                "unit": item.unit,
                "unit_name": item.unit_name,
                "stage": item.stage.value,
                "state": item.state.value,
                "wording": item.wording,
                "closes_at": iso(item.closes_at),
                "late_from": iso(item.late_from),
                "done_at": iso(item.done_at) if item.state is ItemState.DONE else None,
                "received_at": iso(item.first_received_at),
                "lateness": item_lateness(item, now),
                "not_proposing": item.is_not_proposing,
            }
            for item in standing
        ],
        "result": result(session, campaign, standing, now=now),
        "calendar_decreed_years": sorted(file_of(campaign).calendar.decreed_years),
    }


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under the headings of these columns, as wide as the terminal or a page."""
    console = Console(width=None if Console().is_terminal else WIDTH, highlight=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(say(f"column.{column}"))
    for row in rows:
        table.add_row(*row)
    console.print(table)


def day_words(day: date) -> str:
    """Return a day as a clerk reads it: `T2 22/11/2021`."""
    return f"{WEEKDAYS[day.weekday()]} {day:%d/%m/%Y}"


def when(instant: datetime) -> str:
    """Return an instant as a clerk reads it: `T2 22/11/2021 08:30`."""
    city = instant.astimezone(CITY)
    return f"{WEEKDAYS[city.weekday()]} {city:%d/%m/%Y %H:%M}"


def _iso_day(iso_day: str) -> str:
    year, month, day = iso_day.split("-")
    return f"{day}/{month}/{year}"
