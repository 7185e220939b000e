"""Who did what, when it happened and when it was recorded; written in the transaction of the deed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from models.tables import Campaign, JournalEntry
from rules.stages import Stage


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the journal as others read it; instants are aware, `by` None is the tick."""

    happened_at: datetime
    recorded_at: datetime
    what: str
    unit: str | None
    stage: Stage
    by: str | None
    detail: dict[str, Any] = field(default_factory=dict)


def write(
    session: Session,
    campaign: Campaign,
    what: str,
    *,
    at: datetime,
    by: str | None,
    recorded_at: datetime | None = None,
    unit: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a line; `at` is when it happened, `recorded_at` when it was entered if that was later."""
    session.add(
        JournalEntry(
            campaign_id=campaign.id,
            happened_at=at,
            recorded_at=recorded_at or at,
            done_by=by,
            what=what,
            unit=unit,
            stage=campaign.stage,
            detail=detail or {},
        )
    )
    session.flush()


def events(session: Session, campaign: Campaign) -> Iterable[Event]:
    """Return the campaign's lines in the order in which they were written."""
    rows = session.exec(
        select(JournalEntry).where(JournalEntry.campaign_id == campaign.id).order_by(col(JournalEntry.id))
    )
    return [
        Event(row.happened_at, row.recorded_at, row.what, row.unit, row.stage, row.done_by, row.detail)
        for row in rows
    ]
