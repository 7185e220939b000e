"""Alarms: raised once however many look, told again after a while if they stand, ended when all is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from models.inserting import inserting
from models.tables import Alarm


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong now: its key, its words, and how long it may stand before it is told again."""

    key: str
    words: str
    told_again_after: timedelta


@dataclass(frozen=True, slots=True)
class News:
    """What the operator is to be told now: what stands (new, or still after a while), and what is over."""

    standing: tuple[str, ...]
    over: tuple[str, ...]
    keys: tuple[str, ...]


def take_news(session: Session, found: Sequence[Wrong], *, at: datetime) -> News:
    """Record what is wrong now and return what somebody has to be told of it.

    It stays news until `note_told`, so that one look at a time may take it.
    """
    rows = {row.key: row for row in session.exec(select(Alarm).with_for_update())}
    standing, over, keys = [], [], []
    now = {each.key: each for each in found}
    for key, each in now.items():
        row, words = rows.get(key), each.words
        if row is None or row.over_at is not None:
            values = {"key": key, "words": words, "raised_at": at, "told_at": None, "over_at": None}
            statement = inserting(session, Alarm).values(**values)
            session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
        elif row.told_at is None or row.told_at + each.told_again_after <= at:
            row.words = words
            session.add(row)
        else:
            continue
        standing.append(words)
        keys.append(key)
    for key, row in rows.items():
        if key not in now and row.over_at is None:
            row.over_at = at
            session.add(row)
            over.append(row.words)
    session.flush()
    return News(tuple(standing), tuple(over), tuple(keys))


def note_told(session: Session, keys: Sequence[str], *, at: datetime) -> None:
    """Note that somebody was told of these; what is not noted is news again at the next look."""
    for row in session.exec(select(Alarm).where(col(Alarm.key).in_(keys))):
        row.told_at = at
        session.add(row)


def standing_alarms(session: Session) -> list[Alarm]:
    """Return what is wrong as last seen, the oldest first."""
    return list(
        session.exec(select(Alarm).where(col(Alarm.over_at).is_(None)).order_by(col(Alarm.raised_at)))
    )
