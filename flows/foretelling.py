"""The dry run before opening: who will get what and when if nobody hands anything in, in a clerk's words."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import typer

from config.campaign_file import CampaignFile, UnitSpec
from config.messages import say
from documents.words import step_words
from flows.chronicle import unit_words
from flows.rehearsal import rehearse
from flows.showing import day_words, plain_table, progress, when
from models.account import NoticeAccount, notices_of
from models.campaigns import get_campaign
from models.database import Database, transaction, using
from rules.calendar import CITY
from rules.ladder import GATES, IfSilent, Release, Role
from rules.notices import AT_THE_TOP, NoticeKind, NoticeState
from rules.work_items import ItemKind

MOST_NAMES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """Notices that say the same thing to the same kind of reader at one instant."""

    at: datetime
    what: str
    whom: str
    about: str
    gate: str


def foretell(file: CampaignFile) -> None:
    """Rehearse a campaign in which nobody hands anything in, and print what everybody would get.

    The rehearsal runs the ticks that the campaign will run, so what it tells is what they will do.
    """
    with tempfile.TemporaryDirectory(prefix="congnhan-") as folder:
        database = Database(f"sqlite:///{folder}/rehearsal.db", is_scratch=True)
        with progress(file.code) as tell:
            rehearse(file, (), database=database, letters=Path(folder) / "letters", tell=tell)
        with using(database), transaction() as session:
            notices = notices_of(session, get_campaign(session, file.code))
        database.close()
    typer.echo(say("foretold.title", code=file.code, title=file.title))
    plain_table(
        ("when", "what", "who", "whom", "release"),
        [(when(each.at), each.what, each.whom, each.about, each.gate) for each in told(notices, file)],
    )
    for warning in warnings(file, notices):
        typer.echo(warning)


def told(notices: Iterable[NoticeAccount], file: CampaignFile) -> list[Told]:
    """Return what would be said, instant by instant, like notices put together."""
    said = sorted(
        (each for each in notices if each.state is NoticeState.SAID),
        key=lambda each: (each.at, each.kind, each.step, each.role),
    )
    found = []
    for (at, kind, step, role), group in groupby(
        said, key=lambda each: (each.at, each.kind, each.step, each.role)
    ):
        same = list(group)
        found.append(
            Told(
                at=at,
                what=say(f"foretold.{kind}", step=step_words(step)),
                whom=_readers(same, role),
                about=unit_words(same, file),
                gate=_gate(file, kind, step, role),
            )
        )
    return found


def _readers(notices: Sequence[NoticeAccount], role: str) -> str:
    names = sorted({each.name for each in notices})
    title = say(f"role.{role}") if role in set(Role) else ""
    if len(names) > MOST_NAMES:
        return say("foretold.many", role=title, count=len(names))
    return f"{title}: {', '.join(names)}" if title else ", ".join(names)


def _gate(file: CampaignFile, kind: NoticeKind, step: str, role: str) -> str:
    """Return how a message to a leader gets past the head of the standing office."""
    if kind is not NoticeKind.ESCALATION:
        return ""
    known = [each for each in file.ladders.escalate if each.name == step]
    release, if_silent = known[0].gate(known[0].to) if known else GATES.get(Role(role), GATES[Role.CHAIRMAN])
    if release is Release.AUTO:
        return say("foretold.auto")
    return say("foretold.send" if if_silent is IfSilent.SEND else "foretold.hold")


def warnings(file: CampaignFile, notices: Sequence[NoticeAccount]) -> list[str]:
    """Return what a clerk should know before opening: who cannot be reached, which days may yet change."""
    found = []
    units = [*file.owing, *file.agencies, *(u for u in file.units if u.code == file.standing_office)]
    unreachable = [unit for unit in units if not any(_can_be_written(unit, role) for role in ("officer",))]
    if unreachable:
        names = ", ".join(unit.name for unit in unreachable)
        found.append(say("foretold.unreachable", count=len(unreachable), names=names))
    dropped = sorted({each.step for each in notices if each.reason == AT_THE_TOP})
    if dropped:
        found.append(say("foretold.dropped", steps=", ".join(step_words(step) for step in dropped)))
    days = sorted({each.at.astimezone(CITY).date() for each in notices})
    undecreed = [day for day in days if day.year not in file.calendar.decreed_years]
    if undecreed:
        found.append(
            say(
                "foretold.undecreed",
                years=", ".join(str(year) for year in sorted({day.year for day in undecreed})),
                days=", ".join(day_words(day) for day in undecreed),
            )
        )
    resting = _days_off(file, days)
    if resting:
        found.append(say("foretold.days_off", days=", ".join(day_words(day) for day in resting)))
    if file.owing and not file.calendar.is_working_day(file.self_assessment.opens_on):
        found.append(say("foretold.opens_on_rest", day=day_words(file.self_assessment.opens_on)))
    if not any(each.item.startswith(f"{ItemKind.DOSSIER}/") for each in notices):
        found.append(say("foretold.nothing"))
    return found


def _can_be_written(unit: UnitSpec, role: str) -> bool:
    return any(contact.email for contact in unit.contacts if contact.role == role)


def _days_off(file: CampaignFile, days: Sequence[date]) -> list[date]:
    """Return the weekdays off and the Saturdays worked between the first and the last of these days."""
    if not days:
        return []
    span = range(days[0].toordinal(), days[-1].toordinal() + 1)
    between = [date.fromordinal(number) for number in span]
    return [day for day in between if (day.weekday() < 5) != file.calendar.is_working_day(day)]
