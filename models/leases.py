"""What only one may do at a time: a row says who does it, and until when he is believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from sqlmodel import Session, col, delete, update

from models.database import transaction
from models.inserting import inserting
from models.tables import Lease

LEASE = timedelta(minutes=5)


def take(session: Session, name: str, holder: str, *, at: datetime) -> bool:
    """Take the lease where nobody holds it, or his time is over; say whether it was taken."""
    row = {"name": name, "holder": holder, "held_until": at + LEASE}
    won = session.execute(
        inserting(session, Lease).values(**row).on_conflict_do_nothing().returning(col(Lease.name))
    ).all()
    if won:
        return True
    return bool(
        session.execute(
            update(Lease)
            .where(col(Lease.name) == name, col(Lease.held_until) <= at)
            .values(holder=holder, held_until=at + LEASE)
            .returning(col(Lease.name))
        ).all()
    )


@contextmanager
def only_one(name: str, *, at: datetime) -> Iterator[bool]:
    """Yield True to the one who may work, False to whoever comes while he does.

    The lease is given back at the end; one whose holder died ends by itself after five minutes.
    """
    holder = uuid4().hex
    with transaction() as session:
        taken = take(session, name, holder, at=at)
    try:
        yield taken
    finally:
        if taken:
            with transaction() as session:
                session.execute(delete(Lease).where(col(Lease.name) == name, col(Lease.holder) == holder))
