"""Steps that have fallen due: queued as notices, the newest for each recipient, in one statement each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, exists, false, func, literal, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.notices import NO_INSTANT, insert_notices, instant, is_officer_of, notice_rows, settle_unsaid
from models.tables import (
    Campaign,
    Contact,
    DeadlineStep,
    DeadlineVersion,
    Notice,
    StepRecipient,
    Unit,
    WorkItem,
)
from rules.calendar import WorkingCalendar
from rules.ladder import SENT_IF_SILENT_AT, IfSilent, Ladder, Release, Role
from rules.notices import NoticeKind, NoticeState
from rules.work_items import ItemState

# The standing head has at least this long to look before silence counts as consent.
LEAST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whose messages to leaders wait for the standing head: everybody's, or those about some units."""

    is_for_all: bool = True
    units: frozenset[str] = frozenset()


def queue_reminders(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Queue the reminders that have fallen due, the newest of each item; older ones are superseded.

    A reminder that comes after `late_from` is superseded too where an escalation will speak
    instead (design.md §4). Returns how many notices were new.
    """
    has_escalation = exists().where(
        col(DeadlineStep.deadline_id) == DeadlineVersion.id, col(DeadlineStep.ladder) == Ladder.ESCALATE
    )
    due = _due_steps(campaign, Ladder.REMIND, now).add_columns(
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


def queue_escalations(
    session: Session,
    campaign: Campaign,
    *,
    now: datetime,
    people: Mapping[str, int],
    gate: Gate,
    calendar: WorkingCalendar,
) -> int:
    """Queue the escalations that have fallen due, for each recipient the newest of an item.

    `people` gives the contact for each role of the campaign and each person named in its file;
    a unit's head is found by the unit. A head who is missing is replaced by the standing office.
    Returns how many notices were new.
    """
    today = calendar.day_of(now)
    due = _due_steps(campaign, Ladder.ESCALATE, now).subquery()
    head, deputy = aliased(Contact), aliased(Contact)
    unit_head = (
        select(head.id)
        .where(head.unit_id == due.c.unit_id, col(head.role).in_(["unit_head", "chairman"]))
        .order_by(col(head.position))
        .limit(1)
        .correlate(due)
        .scalar_subquery()
    )
    standing_office = people[Role.STANDING_OFFICE]
    known = {role: person for role, person in people.items() if role != Role.UNIT_HEAD}
    meant = case(
        (col(StepRecipient.role) == Role.UNIT_HEAD.value, func.coalesce(unit_head, standing_office)),
        *[(col(StepRecipient.role) == role, literal(person)) for role, person in sorted(known.items())],
        else_=literal(standing_office),
    )
    addressed = (
        select(due, StepRecipient, meant.label("meant_id"))  # type: ignore[call-overload]
        .select_from(due)
        .join(StepRecipient, col(StepRecipient.step_id) == due.c.step_id)
    ).subquery()
    stand_in = (
        select(deputy.id)
        .where(
            deputy.acting_for_id == addressed.c.meant_id,
            col(deputy.acting_from) <= today,
            or_(col(deputy.acting_until).is_(None), col(deputy.acting_until) >= today),
        )
        .order_by(col(deputy.position))
        .limit(1)
        .correlate(addressed)
        .scalar_subquery()
    )
    told = (
        select(addressed, func.coalesce(stand_in, addressed.c.meant_id).label("contact_id")).select_from(
            addressed
        )
    ).subquery()
    newest = func.dense_rank().over(
        partition_by=(told.c.item_id, told.c.contact_id), order_by=told.c.fires_at.desc()
    )
    waits = true() if gate.is_for_all else told.c.unit_code.in_(gate.units) if gate.units else false()
    needs_release = and_(told.c.release == Release.STANDING_HEAD.value, waits)
    goes_by_itself = and_(needs_release, told.c.if_silent == IfSilent.SEND.value)
    rows = (
        notice_rows(
            campaign,
            NoticeKind.ESCALATION,
            about=told.c.item_name,
            item=told.c.item_id,
            deadline=told.c.deadline_id,
            version=told.c.version,
            step=told.c.step,
            role=told.c.role,
            copy_no=told.c.copy_no,
            state=case(
                (or_(newest > 1, told.c.is_before_opening), NoticeState.SUPERSEDED.value),
                (needs_release, NoticeState.WAITING_RELEASE.value),
                else_=NoticeState.QUEUED.value,
            ),
            due_at=told.c.fires_at,
            release_at=case((goes_by_itself, instant(silence_ends(now, calendar))), else_=NO_INSTANT),
        )
        .select_from(told)
        .join(Contact, col(Contact.id) == told.c.contact_id)
        .where(true())  # as above
    )
    return insert_notices(session, rows)


def silence_ends(now: datetime, calendar: WorkingCalendar) -> datetime:
    """Return when a message that is sent if the standing head is silent goes: at 10:00, or half an
    hour from now where a late tick would leave him less (design.md §4)."""
    usual: time = SENT_IF_SILENT_AT
    return max(calendar.at(calendar.day_of(now), usual), now + LEAST_PAUSE)


def supersede_older(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Mark as superseded what has not been said and has been overtaken; returns how many.

    An escalation is overtaken by a newer one to the same person about the same item; a reminder
    by a newer reminder, and by the first late step.
    """
    newer = aliased(Notice)
    overtaken = exists().where(
        col(newer.item_id) == col(Notice.item_id),
        col(newer.due_at) > col(Notice.due_at),
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
    return settle_unsaid(
        session,
        NoticeState.SUPERSEDED,
        and_(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.kind).in_([NoticeKind.REMINDER, NoticeKind.ESCALATION]),
            overtaken,
        ),
        at=now,
    )


def _due_steps(campaign: Campaign, ladder: Ladder, now: datetime) -> Select[Any]:
    """Select each open item with each of its steps whose moment has come.

    A step whose moment is not after the opening of its item does not fire for it; a campaign
    opened after its deadlines keeps a record of such steps as superseded.
    """
    is_before_opening = col(DeadlineStep.fires_at) <= col(WorkItem.opened_at)
    fires = true() if campaign.records_past_steps else ~is_before_opening
    due: Select[Any] = (
        select(  # type: ignore[call-overload]
            col(WorkItem.id).label("item_id"),
            col(WorkItem.name).label("item_name"),
            col(WorkItem.unit_id).label("unit_id"),
            col(Unit.code).label("unit_code"),
            col(DeadlineVersion.id).label("deadline_id"),
            col(DeadlineVersion.version).label("version"),
            col(DeadlineStep.id).label("step_id"),
            col(DeadlineStep.step).label("step"),
            col(DeadlineStep.fires_at).label("fires_at"),
            is_before_opening.label("is_before_opening"),
        )
        .select_from(WorkItem)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .join(DeadlineVersion, col(DeadlineVersion.id) == WorkItem.deadline_id)
        .join(DeadlineStep, col(DeadlineStep.deadline_id) == DeadlineVersion.id)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.state == ItemState.OPEN,
            DeadlineStep.ladder == ladder,
            DeadlineStep.fires_at <= instant(now),
            fires,
        )
    )
    return due
