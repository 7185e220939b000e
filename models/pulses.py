"""Pulses: when the tick, the delivery, the watchdog last came to the end of their work."""

from datetime import datetime

from sqlmodel import Session, col, select

from models.inserting import inserting
from models.tables import Pulse

TICK, DELIVERY, WATCH = "tick", "delivery", "watch"


def beat(session: Session, name: str, *, at: datetime) -> None:
    """Record that a part of the program came to the end of its work at this instant; the later one stays."""
    statement = inserting(session, Pulse).values(name=name, at=at)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": statement.excluded.at},
            where=col(Pulse.at) < statement.excluded.at,
        )
    )


def last_beat(session: Session, name: str) -> datetime | None:
    """Return when it last did; None where it never has."""
    return session.exec(select(Pulse.at).where(Pulse.name == name)).one_or_none()
