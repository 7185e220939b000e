"""Which steps of a campaign have fallen due, and for which open items."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, or_, true
from sqlmodel import Session, col, select

from models.notices import (
    instant,
)
from models.tables import (
    Campaign,
    DeadlineStep,
    DeadlineVersion,
    Unit,
    WorkItem,
)
from rules.ladder import Ladder
from rules.work_items import ItemState


def anything_due(session: Session, campaign: Campaign, ladder: Ladder, now: datetime) -> bool:
    """Say whether any step of this ladder has fallen due and was not queued yet."""
    is_due = steps_due(campaign, ladder, now)
    return bool(session.execute(select(is_due.exists())).scalar_one())


def steps_due(campaign: Campaign, ladder: Ladder, now: datetime) -> Any:
    """Select the ids of the steps of a campaign that have fallen due and were not queued yet."""
    return (
        select(DeadlineStep.id)
        .join(DeadlineVersion, col(DeadlineVersion.id) == DeadlineStep.deadline_id)
        .where(
            DeadlineVersion.campaign_id == campaign.id,
            DeadlineStep.ladder == ladder,
            col(DeadlineStep.fired_at).is_(None),
            DeadlineStep.fires_at <= instant(now),
        )
    )


def open_items_at(campaign: Campaign, ladder: Ladder, now: datetime, step: str | None = None) -> Select[Any]:
    """Select each open item with each of its steps, or with one of them, whose moment has come.

    A step whose moment is not after the opening of its item does not fire for it; a campaign
    opened after its deadlines keeps a record of such steps as superseded. One that repeats stops
    once the item's message was acknowledged.
    """
    is_before_opening = col(DeadlineStep.fires_at) <= col(WorkItem.opened_at)
    fires = true() if campaign.records_past_steps else ~is_before_opening
    due: Select[Any] = (
        select(  # type: ignore[call-overload]
            literal(campaign.id).label("campaign_id"),
            col(WorkItem.id).label("item_id"),
            col(WorkItem.name).label("item_name"),
            col(WorkItem.unit_id).label("unit_id"),
            col(Unit.code).label("unit_code"),
            col(Unit.kind).label("unit_kind"),
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
            col(DeadlineStep.fired_at).is_(None),
            DeadlineStep.fires_at <= instant(now),
            true() if step is None else col(DeadlineStep.step) == step,
            or_(~col(DeadlineStep.repeats), col(WorkItem.acknowledged_at).is_(None)),
            fires,
        )
    )
    return due
