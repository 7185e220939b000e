"""How a campaign is getting on, for a board: what was handed in on which day, against the deadline."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from models.campaigns import file_of
from models.deadlines import version_of_stage
from models.standings import totals
from models.tables import Campaign, Submission, WorkItem
from rules.calendar import CITY
from rules.letters import Totals
from rules.stages import Stage
from rules.work_items import ItemKind


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which dossiers came: how many, and how many there were at its end."""

    day: date
    came: int
    there: int


@dataclass(frozen=True, slots=True)
class Progress:
    """The dossiers of a campaign, counted; `closes_on` is None before the stage has begun."""

    counted: Totals
    days: tuple[Day, ...]
    opened_on: date
    closes_on: date | None
    late_from: date | None


def progress_of(session: Session, campaign: Campaign) -> Progress:
    """Return how many dossiers came on which city day, by their first handing-in."""
    received = session.exec(
        select(Submission.received_at)
        .join(WorkItem, col(WorkItem.id) == Submission.item_id)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == ItemKind.DOSSIER, Submission.round == 1)
    ).all()
    came = Counter(instant.astimezone(CITY).date() for instant in received)
    days, there = [], 0
    for day in sorted(came):
        there += came[day]
        days.append(Day(day, came[day], there))
    version = version_of_stage(session, campaign, Stage.SELF_ASSESSMENT)
    return Progress(
        counted=totals(session, campaign, ItemKind.DOSSIER),
        days=tuple(days),
        opened_on=file_of(campaign).self_assessment.opens_on,
        closes_on=version.closes_at.astimezone(CITY).date() if version else None,
        late_from=version.late_from.astimezone(CITY).date() if version else None,
    )
