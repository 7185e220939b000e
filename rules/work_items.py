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
    COMPLAINT = "complaint"


# A dossier sent back for completion has this long, counted from the day of the request; an agency
# has as long for a dossier that joins its concluded review (design.md §2).
RETURN_WORKING_DAYS = 3
REVIEW_AGAIN_WORKING_DAYS = 3

# A first complaint is settled within 30 days of its acceptance: Luật Khiếu nại 2011, Điều 28.
COMPLAINT_DAYS = 30


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


class VersionCause(StrEnum):
    """Why a version of a deadline was written."""

    ENTERED = "entered"  # the stage was entered
    AMENDED = "amended"
    EXTENDED = "extended"
    RETURNED = "returned"
    REOPENED = "reopened"  # a dossier joined a concluded review
    COMPLAINT = "complaint"


# Versions that hold for a whole stage, not for single units.
OF_THE_STAGE = (VersionCause.ENTERED, VersionCause.AMENDED)


class ExtensionState(StrEnum):
    """What became of a request for more time (đề nghị gia hạn)."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


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
