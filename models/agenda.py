"""What comes next: the instants at which something can change, and what is still to fire."""

from datetime import datetime

from sqlalchemy import exists, or_
from sqlmodel import Session, col, func, select

from models.campaigns import file_of, opens_on
from models.deadlines import stage_late_from
from models.notices import makes_a_letter
from models.outbox import next_not_before
from models.tables import Campaign, DeadlineStep, Letter, Notice, WorkItem
from rules.notices import LetterState, NoticeState
from rules.stages import Stage
from rules.work_items import ItemState


def next_instant(session: Session, campaign: Campaign, *, after: datetime) -> datetime | None:
    """Return the first instant after this one at which a tick or a delivery may change something.

    Steps of open items, the opening day, the `late_from` of the present stage, letters that wait
    and windows that open for them, messages that go when the standing head is silent. Nothing
    changes by itself in a campaign that is suspended or cancelled.
    """
    if campaign.side_state is not None:
        return None
    calendar = file_of(campaign).calendar
    later = [next_step(session, campaign, after=after), next_not_before(session, after=after)]
    if campaign.stage in (Stage.PLANNING, Stage.TEAM):
        later.append(calendar.midnight(opens_on(session, campaign)))
    later.append(stage_late_from(session, campaign, campaign.stage))
    later.append(
        session.exec(
            select(func.min(Notice.release_at)).where(
                Notice.campaign_id == campaign.id, Notice.state == NoticeState.WAITING_RELEASE
            )
        ).one()
    )
    if _waits_for_window(session, campaign):
        opening = calendar.next_sending_time(after)
        # A letter that may leave now and has not is waiting for another day, as a second digest does.
        later.append(opening if opening > after else _next_day(campaign, after))
    return min((instant for instant in later if instant is not None and instant > after), default=None)


def next_step(
    session: Session, campaign: Campaign, *, after: datetime, but: Stage | None = None
) -> datetime | None:
    """Return when the next step of an open item fires, leaving one stage's items out of account."""
    query = (
        select(func.min(DeadlineStep.fires_at))
        .join(WorkItem, col(WorkItem.deadline_id) == DeadlineStep.deadline_id)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.state == ItemState.OPEN,
            DeadlineStep.fires_at > after,
            DeadlineStep.fires_at > WorkItem.opened_at,
        )
    )
    if but is not None:
        query = query.where(WorkItem.stage != but)
    return session.exec(query).one()


def _waits_for_window(session: Session, campaign: Campaign) -> bool:
    is_unposted = exists().where(col(Notice.campaign_id) == campaign.id, makes_a_letter())
    is_unsent = exists().where(
        col(Letter.campaign_id) == campaign.id, col(Letter.state) == LetterState.QUEUED
    )
    return bool(session.execute(select(or_(is_unposted, is_unsent))).scalar_one())


def _next_day(campaign: Campaign, after: datetime) -> datetime:
    calendar = file_of(campaign).calendar
    tomorrow = calendar.working_day_after(calendar.day_of(after), 1)
    return calendar.next_sending_time(calendar.midnight(tomorrow))
