"""Steps that have fallen due: queued as notices once, for every item that is open, in one statement each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, exists, func, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from models.escalations import Gate, Told, queue_escalations
from models.notices import (
    insert_notices,
    instant,
    is_officer_of,
    notice_rows,
    settle_unsaid,
)
from models.steps import anything_due, open_items_at
from models.tables import (
    Campaign,
    Contact,
    DeadlineStep,
    DeadlineVersion,
    Notice,
)
from rules.calendar import WorkingCalendar
from rules.ladder import Ladder
from rules.notices import AT_THE_TOP, NoticeKind, NoticeState

__all__ = ["Gate", "Queued", "queue_due"]


@dataclass(frozen=True, slots=True)
class Queued:
    """How many notices were queued, and how many others they superseded: waiting ones, and missed ones."""

    reminders: int
    escalations: int
    superseded: int


def queue_due(
    session: Session,
    campaign: Campaign,
    *,
    now: datetime,
    people: Mapping[str, int],
    gate: Gate,
    calendar: WorkingCalendar,
) -> Queued:
    """Queue every step that has fallen due and was not queued before; none is ever queued again.

    `people` gives the contact for each role of the campaign and each person named in its file.
    """
    if not _anything_unfired(session, campaign, now):
        return Queued(0, 0, 0)
    before = _superseded(session, campaign)
    reminders = _queue_reminders(session, campaign, now=now)
    escalations = queue_escalations(session, campaign, Told(people, gate, calendar, now))
    _mark_fired(session, campaign, now=now)
    _supersede_older(session, campaign, now=now)
    return Queued(reminders, escalations, _superseded(session, campaign) - before)


def _queue_reminders(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Queue the reminders that have fallen due, the newest of each item; older ones are superseded.

    A reminder that comes after `late_from` is superseded too where an escalation will speak
    instead (design.md §4). Returns how many notices were new.
    """
    if not anything_due(session, campaign, Ladder.REMIND, now):
        return 0
    has_escalation = exists().where(
        col(DeadlineStep.deadline_id) == DeadlineVersion.id, col(DeadlineStep.ladder) == Ladder.ESCALATE
    )
    due = open_items_at(campaign, Ladder.REMIND, now).add_columns(
        and_(DeadlineVersion.late_from <= instant(now), has_escalation.correlate(DeadlineVersion)).label(
            "is_past"
        )
    )
    rows_due = due.subquery()
    newest = func.dense_rank().over(partition_by=rows_due.c.item_id, order_by=rows_due.c.fires_at.desc())
    overtaken = or_(newest > 1, rows_due.c.is_past, rows_due.c.is_before_opening)
    rows = (
        notice_rows(
            campaign,
            NoticeKind.REMINDER,
            about=rows_due.c.item_name,
            item=rows_due.c.item_id,
            deadline=rows_due.c.deadline_id,
            version=rows_due.c.version,
            step=rows_due.c.step,
            state=case((overtaken, NoticeState.SUPERSEDED.value), else_=NoticeState.QUEUED.value),
            due_at=rows_due.c.fires_at,
        )
        .select_from(rows_due)
        .join(Contact, is_officer_of(rows_due.c.unit_id))
        .where(true())  # SQLite reads ON CONFLICT after a bare join as part of the join
    )
    return insert_notices(session, rows)


def _superseded(session: Session, campaign: Campaign) -> int:
    """Return how many notices of a campaign were superseded: after an outage many are as they are written."""
    counted = select(func.count()).where(
        Notice.campaign_id == campaign.id, Notice.state == NoticeState.SUPERSEDED
    )
    return session.exec(counted).one()


def _anything_unfired(session: Session, campaign: Campaign, now: datetime) -> bool:
    """Say whether a step has fallen due that no tick has seen; most ticks find none."""
    due = (
        select(DeadlineStep.id)
        .join(DeadlineVersion, col(DeadlineVersion.id) == DeadlineStep.deadline_id)
        .where(
            DeadlineVersion.campaign_id == campaign.id,
            col(DeadlineStep.fired_at).is_(None),
            DeadlineStep.fires_at <= now,
        )
        .limit(1)
    )
    return session.exec(due).first() is not None


def _mark_fired(session: Session, campaign: Campaign, *, now: datetime) -> None:
    """Note that every step due by now has been queued for the items that were open; none fires again."""
    versions = select(DeadlineVersion.id).where(DeadlineVersion.campaign_id == campaign.id)
    session.execute(
        update(DeadlineStep)
        .where(
            col(DeadlineStep.deadline_id).in_(versions),
            col(DeadlineStep.fired_at).is_(None),
            col(DeadlineStep.fires_at) <= now,
        )
        .values(fired_at=now)
        .execution_options(synchronize_session=False)
    )


def _supersede_older(session: Session, campaign: Campaign, *, now: datetime) -> None:
    """Mark as superseded what has not been said and has been overtaken.

    An escalation is overtaken by a newer one to the same person about the same item; a reminder
    by a newer reminder, and by the first late step.
    """
    newer = aliased(Notice)
    overtaken = exists().where(
        col(newer.item_id) == col(Notice.item_id),
        col(newer.due_at) > col(Notice.due_at),
        func.coalesce(newer.reason, "") != AT_THE_TOP,
        or_(
            and_(
                col(newer.kind) == col(Notice.kind),
                col(newer.contact_id) == col(Notice.contact_id),
                col(newer.deadline_id) == col(Notice.deadline_id),
            ),
            and_(
                col(Notice.kind) == NoticeKind.REMINDER,
                col(newer.kind) == NoticeKind.ESCALATION,
            ),
        ),
    )
    settle_unsaid(
        session,
        NoticeState.SUPERSEDED,
        and_(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.kind).in_([NoticeKind.REMINDER, NoticeKind.ESCALATION]),
            overtaken,
        ),
        at=now,
    )
