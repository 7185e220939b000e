"""The board in the Prefect UI: per campaign a table, its progress, and submissions against the deadline."""

import json
import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, cast

from prefect.artifacts import (
    Artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
)

from config.messages import say
from flows.showing import day_words, when
from models.campaigns import get_campaign_by_id, running_campaigns
from models.database import transaction
from models.progress import Progress, progress_of
from models.standings import Standing, standings, totals
from models.tables import Campaign
from rules.stages import Stage
from rules.work_items import ItemKind, ItemState

LOG = logging.getLogger("congnhan")
BAR = "█"
WIDEST = 40  # characters of a bar
MOST_ROWS = 400  # of a board: a country's stands in `congnhan status`
MOST_DAYS = 60


def show_boards() -> int:
    """Bring the artifacts of every running campaign up to date; returns how many were new."""
    new = 0
    with transaction() as session:
        ids = running_campaigns(session)
    for campaign_id in ids:
        try:
            with transaction() as session:
                campaign = get_campaign_by_id(session, campaign_id)
                progress, items = progress_of(session, campaign), standings(session, campaign)
        except Exception as error:  # whatever is wrong with one, the others have their boards
            LOG.warning("campaign %d has no board: %s", campaign_id, type(error).__name__)
            continue
        new += _show(campaign, progress, items)
    return new


def _show(campaign: Campaign, progress: Progress, items: Sequence[Standing]) -> int:
    counted = progress.counted
    described = say(
        "board.described",
        title=campaign.title,
        stage=say(f"stage.{campaign.stage}"),
        handed_in=counted.handed_in,
        units=counted.units,
    )
    rows = table(items)
    text = chart(campaign.title, progress)
    made = [
        _put(f"bang-{campaign.code}", rows, lambda key: create_table_artifact(rows, key, described)),
        _put(f"bieu-do-{campaign.code}", text, lambda key: create_markdown_artifact(text, key, described)),
    ]
    if counted.units:
        share = round(100 * (counted.handed_in + counted.waived) / counted.units, 1)
        made.append(
            _put(
                f"tien-do-{campaign.code}",
                share,
                lambda key: create_progress_artifact(share, key, described),
            )
        )
    return sum(made)


def _put(key: str, data: Any, create: Any) -> bool:
    """Make the next version of an artifact, unless it would say what the last one says."""
    last = cast(Artifact | None, Artifact.get(key))
    if last is not None and _same(last.data, data):
        return False
    create(key)
    return True


def _same(kept: Any, data: Any) -> bool:
    if isinstance(data, str) or not isinstance(kept, str):
        return bool(kept == data)
    return bool(json.loads(kept) == data)


def table(items: Sequence[Standing]) -> list[dict[str, str]]:
    """Return a row for each item of the present and the past stages, those still owed first."""
    ordered = sorted(
        items, key=lambda each: (each.state is not ItemState.OPEN, list(Stage).index(each.stage))
    )
    return [
        {
            say("column.item"): say(f"item.{each.kind}"),
            say("column.unit"): each.unit_name,
            say("column.state"): say(f"item_state.{each.state}"),
            say("column.closes_at"): when(each.closes_at) if each.closes_at else "",
            say("column.received"): when(each.first_received_at) if each.first_received_at else "",
        }
        for each in ordered[:MOST_ROWS]
    ]


def chart(title: str, progress: Progress) -> str:
    """Return submissions over time as a chart of bars in Markdown, the deadline among the days."""
    units = progress.counted.units
    came_in_all = progress.days[-1].there if progress.days else 0
    lines = [f"# {title}", "", say("board.there", handed_in=came_in_all, units=units), ""]
    by_day = {each.day: each for each in progress.days}
    marked = {progress.opened_on: say("board.opens")}
    if progress.closes_on:
        marked[progress.closes_on] = say("board.closes")
    if progress.late_from and progress.late_from != progress.closes_on:
        marked[progress.late_from] = say("board.late_from")
    shown: list[tuple[date, int, int]] = []
    there = 0
    for day in _days(by_day, marked):
        came = by_day[day].came if day in by_day else 0
        there = by_day[day].there if day in by_day else there
        shown.append((day, came, there))
    lines += ["```"]
    for day, came, there in shown:
        bar = BAR * max(round(WIDEST * there / units), 1 if there else 0) if units else ""
        count = (
            say("board.day", there=there, units=units, came=came) if came else say("board.same", there=there)
        )
        note = f"  ◀ {marked[day]}" if day in marked else ""
        lines.append(f"{day_words(day)}  {bar:<{WIDEST}}  {count}{note}")
    return "\n".join([*lines, "```"])


def _days(by_day: dict[date, Any], marked: dict[date, str]) -> list[date]:
    """Return every day of interest: those on which something came, and those that are marked."""
    wanted = sorted({*by_day, *marked})
    if not wanted or (wanted[-1] - wanted[0]).days >= MOST_DAYS:
        return wanted
    return [wanted[0] + timedelta(days=n) for n in range((wanted[-1] - wanted[0]).days + 1)]


def dossiers_in_words() -> str:
    """Return how many dossiers of all running campaigns are there: `4/7 hồ sơ`."""
    there = units = 0
    with transaction() as session:
        for campaign_id in running_campaigns(session):
            counted = totals(session, get_campaign_by_id(session, campaign_id), ItemKind.DOSSIER)
            there, units = there + counted.handed_in, units + counted.units
    return say("board.dossiers", there=there, units=units)
