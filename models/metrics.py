"""What a monitor asks for: how many letters, notices and items stand where, and how old the oldest is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from models.campaigns import campaigns_that_send
from models.outbox import waiting_since
from models.pulses import TICK, last_beat
from models.tables import Campaign, Letter, Notice, WorkItem
from rules.notices import DO_NOT_WAIT, Channel, LetterState, NoticeState
from rules.stages import Stage
from rules.work_items import ItemKind, ItemState


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted, in numbers and codes: nothing here names a person.

    `ready_since` is when the oldest letter of a channel that may leave now was first free to go; a
    channel without one is missing. `ticked_at` is None where nobody knows.
    """

    letters: Mapping[tuple[Channel, LetterState], int]
    ready_since: Mapping[Channel, datetime]
    notices_waiting_release: int
    ticked_at: datetime | None
    stages: Mapping[str, Stage]
    items: Mapping[tuple[str, ItemKind, ItemState], int]


def figures(session: Session, *, now: datetime) -> Figures:
    """Return every figure, in a number of statements that does not grow with letters and items."""
    return Figures(
        letters=_letters(session),
        ready_since=_ready_since(session, now),
        notices_waiting_release=session.exec(
            select(func.count()).select_from(Notice).where(Notice.state == NoticeState.WAITING_RELEASE)
        ).one(),
        ticked_at=last_tick(session),
        stages={code: Stage(stage) for code, stage in session.exec(select(Campaign.code, Campaign.stage))},
        items=_items(session),
    )


def last_tick(session: Session) -> datetime | None:
    """Return when the last tick came to its end; None where none ever has."""
    return last_beat(session, TICK)


def _letters(session: Session) -> dict[tuple[Channel, LetterState], int]:
    """Count the letters of each channel in each state, those of which there are none with 0."""
    counted = session.execute(
        select(Letter.channel, Letter.state, func.count()).group_by(col(Letter.channel), col(Letter.state))
    )
    none = {(channel, state): 0 for channel in Channel for state in LetterState}
    return none | {(Channel(channel), LetterState(state)): count for channel, state, count in counted}


def _ready_since(session: Session, now: datetime) -> dict[Channel, datetime]:
    """Find the oldest unsent letter of each channel that neither its hour nor the office's hours hold.

    One that a held channel, a tick that has not come or a failed try holds back counts: that is what is
    looked for.
    """
    letters = waiting_since(now).c
    oldest = session.execute(
        select(letters.channel, func.min(letters.since))
        .where(
            or_(
                letters.kind.in_(DO_NOT_WAIT),
                letters.campaign_id.in_(campaigns_that_send(session, now)),
            )
        )
        .group_by(letters.channel)
    )
    return {Channel(channel): since for channel, since in oldest}


def _items(session: Session) -> dict[tuple[str, ItemKind, ItemState], int]:
    counted = session.execute(
        select(Campaign.code, WorkItem.kind, WorkItem.state, func.count())
        .join(Campaign, col(Campaign.id) == WorkItem.campaign_id)
        .group_by(col(Campaign.code), col(WorkItem.kind), col(WorkItem.state))
    )
    return {(code, ItemKind(kind), ItemState(state)): count for code, kind, state, count in counted}
