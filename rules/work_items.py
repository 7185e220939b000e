"""Work items (nhiệm vụ): what one unit owes by a deadline, and what may be done with it."""

from datetime import datetime
from enum import StrEnum

from rules.calendar import Deadline


class ItemKind(StrEnum):
    """What is owed. The value is the first half of an item's name: `dossier/san-thang`."""

    PLAN = "plan"
    TEAM_DECISION = "team_decision"
    NOMINATION = "nomination"
    DOSSIER = "dossier"
    REVIEW = "review"
    RESULT = "result"
    MINUTES = "minutes"
    SUBMISSION = "submission"
    DECISION = "decision"


class ItemState(StrEnum):
    """Where an item stands; only an open one is reminded of."""

    OPEN = "open"
    DONE = "done"
    WAIVED = "waived"
    CANCELLED = "cancelled"


MAY_FOLLOW: dict[ItemState, frozenset[ItemState]] = {
    ItemState.OPEN: frozenset({ItemState.DONE, ItemState.WAIVED, ItemState.CANCELLED}),
    ItemState.DONE: frozenset({ItemState.OPEN}),  # a return asks for it again
    ItemState.WAIVED: frozenset(),
    ItemState.CANCELLED: frozenset(),
}


class Via(StrEnum):
    """How a dossier reached the office."""

    PORTAL = "portal"
    DOCUMENT_SYSTEM = "document_system"
    PAPER = "paper"
    POST = "post"


class LatePolicy(StrEnum):
    """What becomes of a dossier that comes late (design.md §2)."""

    ACCEPT_FLAGGED = "accept_flagged"
    REFUSE = "refuse"


class Lateness(StrEnum):
    """How an item stands against its deadline; computed, never stored."""

    ON_TIME = "on_time"
    LATE = "late"
    NOT_DUE = "not_due"
    OVERDUE = "overdue"
    NO_DEADLINE = "no_deadline"


def may_become(current: ItemState, wanted: ItemState) -> bool:
    """Say whether an item in one state may pass to another."""
    return wanted in MAY_FOLLOW[current]


def lateness(deadline: Deadline | None, *, done_at: datetime | None, now: datetime) -> Lateness:
    """Return how an item stands at `now`; what was received before `late_from` is on time."""
    if deadline is None:
        return Lateness.NO_DEADLINE
    if done_at is not None:
        return Lateness.LATE if deadline.is_late(done_at) else Lateness.ON_TIME
    return Lateness.OVERDUE if deadline.is_late(now) else Lateness.NOT_DUE
