"""Who did what, when it happened and when it was recorded; written in the transaction of the deed.

Nothing is changed or removed here; each entry is bound to the one before it (`rules.trail`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from models.inserting import inserting
from models.tables import Campaign, JournalEntry, JournalHead
from rules.stages import Stage
from rules.trail import BEGINNING, Entry, entry_hash


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
    number: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be written about one unit, or about the campaign."""

    what: str
    unit: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a journal is whole: how many entries it has, the last hash, and the first broken entry."""

    entries: int
    hash: str
    broken_at: int | None


def begin(session: Session, campaign: Campaign) -> None:
    """Begin the journal of a campaign that has just been recorded."""
    session.add(JournalHead(campaign_id=campaign.id, length=0, hash=BEGINNING))
    session.flush()


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
    write_all(session, campaign, [Line(what, unit, detail or {})], at=at, by=by, recorded_at=recorded_at)


def write_all(
    session: Session,
    campaign: Campaign,
    lines: Sequence[Line],
    *,
    at: datetime,
    by: str | None,
    recorded_at: datetime | None = None,
) -> None:
    """Add lines that were caused by one deed, in one statement.

    The head of the journal is locked until the transaction ends: two deeds never bind to one entry.
    """
    if not lines:
        return
    session.flush()
    head = session.exec(
        select(JournalHead)
        .where(JournalHead.campaign_id == campaign.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    rows = []
    for line in lines:
        entry = Entry(
            campaign=campaign.code,
            number=head.length + 1,
            happened_at=at,
            recorded_at=recorded_at or at,
            by=by,
            what=line.what,
            unit=line.unit,
            stage=campaign.stage.value,
            detail=line.detail,
        )
        head.length, head.hash = entry.number, entry_hash(head.hash, entry)
        rows.append(
            {
                "campaign_id": campaign.id,
                "number": entry.number,
                "happened_at": entry.happened_at,
                "recorded_at": entry.recorded_at,
                "done_by": entry.by,
                "what": entry.what,
                "unit": entry.unit,
                "stage": campaign.stage,
                "detail": line.detail,
                "hash": head.hash,
            }
        )
    session.execute(inserting(session, JournalEntry), rows)
    session.add(head)
    session.flush()


def events(session: Session, campaign: Campaign) -> Iterable[Event]:
    """Return the campaign's lines in the order in which they were written."""
    rows = session.exec(
        select(JournalEntry).where(JournalEntry.campaign_id == campaign.id).order_by(col(JournalEntry.number))
    )
    return [
        Event(
            row.happened_at,
            row.recorded_at,
            row.what,
            row.unit,
            row.stage,
            row.done_by,
            row.detail,
            row.number,
            row.hash,
        )
        for row in rows
    ]


def verify(session: Session, campaign: Campaign) -> Verdict:
    """Compute every hash anew and say whether the journal is whole, or where it first is not.

    An entry that is missing, added, moved or altered breaks it; entries cut off at its end are
    found by the length and hash that the head keeps.
    """
    head = session.exec(select(JournalHead).where(JournalHead.campaign_id == campaign.id)).one_or_none()
    before, number = BEGINNING, 0
    for event in events(session, campaign):
        number += 1
        entry = Entry(
            campaign=campaign.code,
            number=number,
            happened_at=event.happened_at,
            recorded_at=event.recorded_at,
            by=event.by,
            what=event.what,
            unit=event.unit,
            stage=event.stage,
            detail=event.detail,
        )
        expected = entry_hash(before, entry)
        if event.number != number or event.hash != expected:
            return Verdict(number, before, broken_at=number)
        before = expected
    if head is None or (head.length, head.hash) != (number, before):
        return Verdict(number, before, broken_at=number + 1)
    return Verdict(number, before, broken_at=None)
