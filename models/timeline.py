"""What is coming in a campaign: each instant at which something will change, and for how many units."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import distinct, func
from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile
from models.campaigns import file_of, opens_on
from models.deadlines import stage_late_from
from models.tables import Campaign, DeadlineStep, DeadlineVersion, Notice, WorkItem
from rules.calendar import CalendarEnds, NoWorkingDay, counted_from, deadline
from rules.ladder import fire_times
from rules.notices import NoticeState
from rules.stages import Stage
from rules.work_items import ItemState

# What the coming instants are called that are no step of a ladder.
OPENING, LATE_FROM, RELEASE = "opening", "late_from", "release"


@dataclass(frozen=True, slots=True)
class Coming:
    """What happens at one instant: `what` names a step (`before:1`) or one of the above."""

    at: datetime
    what: str
    units: int


def coming(session: Session, campaign: Campaign, *, now: datetime) -> list[Coming]:
    """Return what is coming, in the order of time; several things at one instant stand side by side.

    A campaign that has not begun shows the steps of its self-assessment as its file has them. Nothing
    comes in one that is suspended, cancelled or closed.
    """
    if campaign.side_state is not None or campaign.stage is Stage.CLOSED:
        return []
    file = file_of(campaign)
    found = [
        Coming(fires_at, step, units)
        for fires_at, step, units in session.execute(
            select(DeadlineStep.fires_at, DeadlineStep.step, func.count(distinct(col(WorkItem.unit_id))))
            .join(WorkItem, col(WorkItem.deadline_id) == DeadlineStep.deadline_id)
            .where(
                WorkItem.campaign_id == campaign.id,
                WorkItem.state == ItemState.OPEN,
                DeadlineStep.fires_at > now,
                DeadlineStep.fires_at > WorkItem.opened_at,
            )
            .group_by(col(DeadlineStep.fires_at), col(DeadlineStep.step))
        )
    ]
    if campaign.stage in (Stage.PLANNING, Stage.TEAM):
        found += _before_it_begins(session, campaign, file)
    found += _terms_that_end(session, campaign)
    found += [
        Coming(release_at, RELEASE, count)
        for release_at, count in session.execute(
            select(Notice.release_at, func.count())
            .where(
                Notice.campaign_id == campaign.id,
                Notice.state == NoticeState.WAITING_RELEASE,
                col(Notice.release_at).is_not(None),
            )
            .group_by(col(Notice.release_at))
        )
        if release_at is not None
    ]
    return sorted((each for each in found if each.at > now), key=lambda each: (each.at, each.what))


def _terms_that_end(session: Session, campaign: Campaign) -> list[Coming]:
    """Return when each term ends and for how many, extended ones too; and when the stage may be left."""
    still_open = (WorkItem.campaign_id == campaign.id, WorkItem.state == ItemState.OPEN)
    units = func.count(distinct(col(WorkItem.unit_id)))
    found = [
        Coming(late_from, LATE_FROM, count)
        for late_from, count in session.execute(
            select(DeadlineVersion.late_from, units)
            .join(WorkItem, col(WorkItem.deadline_id) == DeadlineVersion.id)
            .where(*still_open)
            .group_by(col(DeadlineVersion.late_from))
        )
    ]
    late_from = stage_late_from(session, campaign, campaign.stage)
    if late_from is not None and late_from not in {each.at for each in found}:
        owing = select(units).where(*still_open, WorkItem.stage == campaign.stage)
        found.append(Coming(late_from, LATE_FROM, session.exec(owing).one()))
    return found


def _before_it_begins(session: Session, campaign: Campaign, file: CampaignFile) -> list[Coming]:
    """Return the opening and the steps of the self-assessment, foretold from the file."""
    day, calendar, units = opens_on(session, campaign), file.calendar, len(file.owing)
    found = [Coming(calendar.at(day, calendar.office_hours[0]), OPENING, units)]
    try:
        meant = deadline(counted_from(file.due[Stage.SELF_ASSESSMENT], day), calendar)
        steps = fire_times(file.ladders, meant, calendar)
    except (CalendarEnds, NoWorkingDay):
        return found
    return [
        *found,
        *(Coming(at, step.name, units) for step, at in steps),
        Coming(meant.late_from, LATE_FROM, units),
    ]
