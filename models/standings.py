"""How the items of a campaign stand: who has handed in, who is late, who still owes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.tables import (
    Campaign,
    DeadlineVersion,
    ItemTerm,
    Submission,
    Unit,
    WorkItem,
)
from rules.letters import Totals
from rules.stages import Stage
from rules.work_items import ItemKind, ItemState, VersionCause


@dataclass(frozen=True, slots=True)
class Standing:
    """How one item stands, for people to read."""

    name: str
    unit: str
    unit_name: str
    kind: ItemKind
    stage: Stage
    state: ItemState
    opened_at: datetime
    done_at: datetime | None
    version: int | None
    wording: str | None
    closes_at: datetime | None
    late_from: datetime | None
    is_not_proposing: bool
    first_received_at: datetime | None = None
    first_late_from: datetime | None = None
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """A version of a deadline that an item is or was under."""

    item: str
    unit: str
    kind: ItemKind
    version: int
    wording: str
    closes_at: datetime
    late_from: datetime


def terms(session: Session, campaign: Campaign) -> list[Term]:
    """Return every version of every item's deadline, by what is late first."""
    rows = session.execute(
        select(WorkItem, Unit.code, DeadlineVersion)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .join(ItemTerm, col(ItemTerm.item_id) == WorkItem.id)
        .join(DeadlineVersion, col(DeadlineVersion.id) == ItemTerm.deadline_id)
        .where(WorkItem.campaign_id == campaign.id)
        .order_by(
            col(DeadlineVersion.late_from),
            col(WorkItem.kind),
            col(WorkItem.name),
            col(DeadlineVersion.version),
        )
    )
    return [
        Term(
            item.name,
            code,
            item.kind,
            version.version,
            version.wording,
            version.closes_at,
            version.late_from,
        )
        for item, code, version in rows
    ]


def standings(session: Session, campaign: Campaign) -> list[Standing]:
    """Return how every item stands, by stage as they were created and units in official order."""
    last = (
        select(Submission.item_id, func.max(Submission.round).label("round"))
        .group_by(col(Submission.item_id))
        .subquery()
    )
    first, first_version = aliased(Submission), aliased(DeadlineVersion)
    rows = session.execute(
        select(  # type: ignore[call-overload]
            WorkItem,
            Unit,
            DeadlineVersion,
            Submission.is_not_proposing,
            first.received_at,
            first_version.late_from,
            last.c.round,
        )
        .select_from(WorkItem)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == WorkItem.deadline_id)
        .outerjoin(last, last.c.item_id == WorkItem.id)
        .outerjoin(
            Submission, and_(col(Submission.item_id) == last.c.item_id, col(Submission.round) == last.c.round)
        )
        .outerjoin(first, and_(col(first.item_id) == col(WorkItem.id), col(first.round) == 1))
        .outerjoin(first_version, col(first_version.id) == first.deadline_id)
        .where(WorkItem.campaign_id == campaign.id)
        .order_by(_stage_order(), col(Unit.position), col(WorkItem.id))
    )
    return [
        Standing(
            name=item.name,
            unit=unit.code,
            unit_name=unit.name,
            kind=item.kind,
            stage=item.stage,
            state=item.state,
            opened_at=item.opened_at,
            done_at=item.done_at,
            version=version.version if version else None,
            wording=version.wording if version else None,
            closes_at=version.closes_at if version else None,
            late_from=version.late_from if version else None,
            is_not_proposing=bool(is_not_proposing),
            first_received_at=first_received_at,
            first_late_from=first_late_from,
            rounds=rounds or 0,
        )
        for item, unit, version, is_not_proposing, first_received_at, first_late_from, rounds in rows
    ]


def _stage_order() -> Any:
    return case(*[(col(WorkItem.stage) == stage, place) for place, stage in enumerate(Stage)])


def totals(session: Session, campaign: Campaign, kind: ItemKind) -> Totals:
    """Count in one statement how many items of a kind are in, on time, late, still owed.

    The first handing-in decides lateness, the last one whether anybody is proposed.
    """
    is_done = col(WorkItem.state) == ItemState.DONE
    first = (
        select(
            Submission.item_id,
            Submission.received_at,
            Submission.deadline_id,
        )
        .where(Submission.round == 1)
        .subquery()
    )
    rounds = (
        select(Submission.item_id, func.max(Submission.round).label("round"))
        .group_by(col(Submission.item_id))
        .subquery()
    )
    last, version = aliased(Submission), aliased(DeadlineVersion)
    is_late = and_(is_done, first.c.received_at >= DeadlineVersion.late_from)
    row = session.execute(
        select(  # type: ignore[call-overload]
            func.count(),
            _count(is_done),
            _count(is_late),
            _count(and_(is_done, col(last.is_not_proposing))),
            _count(col(WorkItem.state) == ItemState.WAIVED),
            _count(col(WorkItem.state) == ItemState.OPEN),
            _count(version.cause == VersionCause.EXTENDED),
        )
        .select_from(WorkItem)
        .outerjoin(first, first.c.item_id == WorkItem.id)
        .outerjoin(rounds, rounds.c.item_id == WorkItem.id)
        .outerjoin(last, and_(col(last.item_id) == rounds.c.item_id, col(last.round) == rounds.c.round))
        .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == first.c.deadline_id)
        .outerjoin(version, col(version.id) == WorkItem.deadline_id)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == kind)
    ).one()
    units, done, late, not_proposing, waived, still_open, extended = row
    return Totals(
        units=units,
        handed_in=done,
        on_time=done - late,
        late=late,
        not_proposing=not_proposing,
        waived=waived,
        extended=extended,
        open=still_open,
    )


def count_open(session: Session, campaign: Campaign, stage: Stage) -> int:
    """Count the open items of a stage."""
    return session.exec(
        select(func.count())
        .select_from(WorkItem)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.stage == stage,
            WorkItem.state == ItemState.OPEN,
        )
    ).one()


def _count(which: Any) -> Any:
    return func.coalesce(func.sum(case((which, 1), else_=0)), 0)
