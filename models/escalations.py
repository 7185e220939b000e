"""Escalation up the organisation: whom each rung of the ladder is told, and what is dropped at the top."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import Select, and_, case, exists, false, func, literal, null, or_, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from models import journal
from models.notices import (
    NO_INSTANT,
    NO_TEXT,
    insert_notices,
    instant,
    notice_rows,
)
from models.people import head_of, recipients
from models.steps import open_items_at, steps_due
from models.tables import (
    Campaign,
    CampaignUnit,
    Contact,
    DeadlineStep,
    Notice,
    StepRecipient,
    Unit,
    WorkItem,
)
from rules.calendar import WorkingCalendar
from rules.ladder import SENT_IF_SILENT_AT, IfSilent, Ladder, Release, Role, gate_of, levels
from rules.notices import AT_THE_TOP, NoticeKind, NoticeState
from rules.stages import Ower

# The standing head has at least this long to look before silence counts as consent.
LEAST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Gate:
    """Whose messages to leaders wait for the standing head: everybody's, or those about some units."""

    is_for_all: bool = True
    units: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rung:
    """A step that has fallen due in some version of a deadline, and to whom it and its copies go."""

    step: str
    days: int
    repeats: bool
    to: str
    release: Release
    if_silent: IfSilent
    copies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what on this day: the people of the campaign, its gate, and the clock."""

    people: Mapping[str, int]
    gate: Gate
    calendar: WorkingCalendar
    now: datetime


def queue_escalations(session: Session, campaign: Campaign, told: Told) -> int:
    """Queue the escalations that have fallen due, step by step up the ladder, each with its copies.

    A unit's head is found by the unit. Whoever owes the item himself, or was told of it by an
    earlier step, is passed over for the one above him; at the top the step is dropped and
    journaled (design.md §4). Returns how many notices were new.
    """
    queued = 0
    for rung in _rungs(session, campaign, told.now):
        queued += insert_notices(session, _addressed(campaign, rung, told))
        for number, recipient in enumerate(rung.copies, start=1):
            queued += insert_notices(session, _copied(campaign, rung, number, recipient, told))
        _journal_dropped(session, campaign, rung, told.now)
    return queued


def _rungs(session: Session, campaign: Campaign, now: datetime) -> list[Rung]:
    """Return the steps of escalation that have fallen due, the earliest in the ladder first."""
    rows: Any = session.execute(
        select(  # type: ignore[call-overload]
            DeadlineStep.step,
            DeadlineStep.repeats,
            StepRecipient.copy_no,
            StepRecipient.role,
            StepRecipient.release,
            StepRecipient.if_silent,
        )
        .join(StepRecipient, col(StepRecipient.step_id) == DeadlineStep.id)
        .where(col(DeadlineStep.id).in_(steps_due(campaign, Ladder.ESCALATE, now)))
        .distinct()
    ).all()
    rungs = [
        Rung(
            step=step,
            days=int(step.partition(":")[2]),
            repeats=repeats,
            to=role,
            release=release,
            if_silent=if_silent,
            copies=tuple(
                copy_role
                for of_step, _, copy_no, copy_role, _, _ in sorted(rows, key=lambda row: row[2])
                if of_step == step and copy_no > 0
            ),
        )
        for step, repeats, number, role, release, if_silent in rows
        if number == 0
    ]
    return sorted(rungs, key=lambda rung: rung.days)


def _addressed(campaign: Campaign, rung: Rung, told: Told) -> Select[Any]:
    """Select the notices of a step to the one person each goes to."""
    due = (
        open_items_at(campaign, Ladder.ESCALATE, told.now)
        .where(col(DeadlineStep.step) == rung.step)
        .subquery()
    )
    persons = [_person(role, due, told).label(f"person_{n}") for n, role in enumerate(levels(rung.to))]
    reach: Any = sqlalchemy.select(due, *persons).cte("reach").prefix_with("MATERIALIZED")
    role, contact = _recipient(campaign, rung, reach, told)
    found: Any = (
        sqlalchemy.select(reach, role.label("told_role"), contact.label("told_id"))
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    is_dropped = found.c.told_id.is_(None)
    # A step that is dropped leaves a row, so that it can be seen; it is in the name of its recipient.
    recipient = func.coalesce(found.c.told_id, literal(recipients(told.people, rung.to)))
    waits = true() if told.gate.is_for_all else found.c.unit_code.in_(told.gate.units or [""])
    needs_release, goes_by_itself = _gate(rung, found.c.told_role)
    needs_release = and_(needs_release, waits)
    return (
        notice_rows(
            campaign,
            NoticeKind.ESCALATION,
            about=found.c.item_name,
            item=found.c.item_id,
            deadline=found.c.deadline_id,
            version=found.c.version,
            step=rung.step,
            role=func.coalesce(found.c.told_role, rung.to),
            state=case(
                (is_dropped, NoticeState.SUPPRESSED.value),
                (found.c.is_before_opening, NoticeState.SUPERSEDED.value),
                (needs_release, NoticeState.WAITING_RELEASE.value),
                else_=NoticeState.QUEUED.value,
            ),
            due_at=found.c.fires_at,
            release_at=case(
                (
                    and_(~is_dropped, ~found.c.is_before_opening, needs_release, goes_by_itself),
                    instant(silence_ends(told.now, told.calendar)),
                ),
                else_=NO_INSTANT,
            ),
            reason=case((is_dropped, literal(AT_THE_TOP)), else_=NO_TEXT),
            settled_at=case((is_dropped, instant(told.now)), else_=NO_INSTANT),
        )
        .select_from(found)
        .join(Contact, col(Contact.id) == recipient)
        .where(true())  # as above
    )


def _recipient(
    campaign: Campaign, rung: Rung, due: Any, told: Told
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return in SQL the role and the person a step goes to for an item; NULL where it goes to nobody.

    A step that repeats goes to whoever the last step before it went to, if any did.
    """
    ways = _ways(campaign, rung, due, told)
    if not rung.repeats:
        return _first(ways)
    last = aliased(Notice)
    before = (
        select(last.role)
        .where(
            col(last.item_id) == due.c.item_id,
            col(last.deadline_id) == due.c.deadline_id,
            col(last.kind) == NoticeKind.ESCALATION,
            col(last.copy_no) == 0,
            func.coalesce(last.reason, "") != AT_THE_TOP,
        )
        .order_by(col(last.due_at).desc(), col(last.id).desc())
        .limit(1)
        .correlate(due)
        .scalar_subquery()
    )
    first_role, first_person = _first(ways)
    contact = case(
        *[(before == role, person) for role, person, _ in ways],
        else_=first_person,
    )
    return func.coalesce(before, first_role), contact


def _ways(
    campaign: Campaign, rung: Rung, due: Any, told: Told
) -> list[tuple[str, ColumnElement[Any], ColumnElement[bool]]]:
    """Return each level a step may rise to: the role, the person, and whether he may be told.

    `due` has the person of each level, found once.
    """
    ways: list[tuple[str, ColumnElement[Any], ColumnElement[bool]]] = []
    for n, role in enumerate(levels(rung.to)):
        person = due.c[f"person_{n}"]
        # A step to the officer is meant for whoever owes.
        may = literal(True) if role == Role.OFFICER else and_(~_owes(person, due), ~_was_told(person, due))
        ways.append((role, person, may))
    return ways


def _first(
    ways: list[tuple[str, ColumnElement[Any], ColumnElement[bool]]],
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return (
        case(*[(may, literal(role)) for role, _, may in ways], else_=NO_TEXT),
        case(*[(may, person) for _, person, may in ways], else_=null()),
    )


def _person(role: str, due: Any, told: Told) -> ColumnElement[Any]:
    standing_office = told.people[Role.STANDING_OFFICE]
    today = told.calendar.day_of(told.now)
    if role == Role.UNIT_HEAD:
        head = head_of(due, today=today, standing_office=standing_office)
        return func.coalesce(head, _owers_head(due), literal(standing_office))
    if role == Role.OFFICER:
        return func.coalesce(_officer(due), literal(standing_office))
    return literal(recipients(told.people, role))


def _officer(due: Any) -> ColumnElement[Any]:
    officer = aliased(Contact)
    return (
        select(officer.id)
        .where(
            col(officer.unit_id) == due.c.unit_id,
            col(officer.role) == "officer",
            col(officer.left_at).is_(None),
        )
        .order_by(col(officer.position), col(officer.id))
        .limit(1)
        .correlate(due)
        .scalar_subquery()
    )


def _owers_head(due: Any) -> ColumnElement[Any]:
    """Return in SQL the officer of a residential group, who is also its head (tổ trưởng, trưởng bản)."""
    return case((due.c.unit_kind == "group", _officer(due)), else_=null())


def _owes(person: ColumnElement[Any], due: Any) -> ColumnElement[bool]:
    """Say in SQL whether a person owes the item himself: the officers of its unit, and the chairman
    where the organiser owes the decision. An officer who stands in for his head is told as head."""
    ower, part = aliased(Contact), aliased(CampaignUnit)
    is_organiser = exists().where(
        col(part.campaign_id) == due.c.campaign_id,
        col(part.unit_id) == col(ower.unit_id),
        col(part.part) == Ower.ORGANISER,
    )
    return exists().where(
        col(ower.id) == person,
        col(ower.unit_id) == due.c.unit_id,
        or_(
            and_(col(ower.role) == "officer", col(ower.acting_for_id).is_(None)),
            and_(col(ower.role) == "chairman", is_organiser.correlate(ower, due)),
        ),
    )


def _was_told(person: ColumnElement[Any], due: Any) -> ColumnElement[bool]:
    """Say in SQL whether an earlier step of this ladder was addressed to a person."""
    earlier = aliased(Notice)
    return exists().where(
        col(earlier.item_id) == due.c.item_id,
        col(earlier.deadline_id) == due.c.deadline_id,
        col(earlier.kind) == NoticeKind.ESCALATION,
        col(earlier.contact_id) == person,
        col(earlier.copy_no) == 0,
        col(earlier.step) != due.c.step,
        col(earlier.state) != NoticeState.SUPERSEDED,
        func.coalesce(earlier.reason, "") != AT_THE_TOP,
    )


def _gate(rung: Rung, told_role: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Say in SQL whether a message waits for the standing head, and whether silence lets it go.

    A step that has risen has the gate of the level it has risen to.
    """
    needs, goes = [], []
    for role in levels(rung.to):
        release, if_silent = (rung.release, rung.if_silent) if role == rung.to else gate_of(role)
        needs.append((told_role == role, literal(release is Release.STANDING_HEAD)))
        goes.append((told_role == role, literal(if_silent is IfSilent.SEND)))
    return case(*needs, else_=false()), case(*goes, else_=false())


def _copied(campaign: Campaign, rung: Rung, number: int, recipient: str, told: Told) -> Select[Any]:
    """Select the copies of a step that has just been queued; they wait for, and go with, what they copy.

    Nobody gets a copy of what is addressed to him, or two copies.
    """
    original, other = aliased(Notice), aliased(Notice)
    due = (
        open_items_at(campaign, Ladder.ESCALATE, told.now)
        .where(col(DeadlineStep.step) == rung.step)
        .subquery()
    )
    person = _person(recipient, due, told)
    found = (
        select(due, person.label("told_id"), original.state, original.release_at)  # type: ignore[call-overload]
        .select_from(due)
        .join(
            original,
            and_(
                col(original.item_id) == due.c.item_id,
                col(original.deadline_id) == due.c.deadline_id,
                col(original.step) == rung.step,
                col(original.kind) == NoticeKind.ESCALATION,
                col(original.copy_no) == 0,
                func.coalesce(original.reason, "") != AT_THE_TOP,
            ),
        )
    ).subquery()
    has_it = exists().where(
        col(other.item_id) == found.c.item_id,
        col(other.deadline_id) == found.c.deadline_id,
        col(other.step) == rung.step,
        col(other.kind) == NoticeKind.ESCALATION,
        col(other.contact_id) == found.c.told_id,
    )
    return (
        notice_rows(
            campaign,
            NoticeKind.ESCALATION,
            about=found.c.item_name,
            item=found.c.item_id,
            deadline=found.c.deadline_id,
            version=found.c.version,
            step=rung.step,
            role=recipient,
            copy_no=number,
            state=found.c.state,
            due_at=found.c.fires_at,
            release_at=found.c.release_at,
        )
        .select_from(found)
        .join(Contact, col(Contact.id) == found.c.told_id)
        .where(~has_it)
    )


def _journal_dropped(session: Session, campaign: Campaign, rung: Rung, now: datetime) -> None:
    dropped = session.execute(
        select(Unit.code, Notice.about)
        .join(WorkItem, col(WorkItem.id) == Notice.item_id)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .where(
            Notice.campaign_id == campaign.id,
            Notice.state == NoticeState.SUPPRESSED,
            Notice.reason == AT_THE_TOP,
            Notice.step == rung.step,
            col(Notice.settled_at) == now,
        )
        .order_by(col(Unit.position))
    )
    journal.write_all(
        session,
        campaign,
        [journal.Line("step_dropped", unit, {"item": about, "step": rung.step}) for unit, about in dropped],
        at=now,
        by=None,
    )


def silence_ends(now: datetime, calendar: WorkingCalendar) -> datetime:
    """Return when a message that is sent if the standing head is silent goes: at 10:00, or half an
    hour after he can have read of it where that leaves him less (design.md §4)."""
    reads = calendar.next_sending_time(now)
    usual: time = SENT_IF_SILENT_AT
    return max(calendar.at(calendar.day_of(reads), usual), reads + LEAST_PAUSE)
