"""What became of a notice as far as is known, and why something that had fallen due was not sent."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.notices import AT_THE_TOP, LetterState, NoticeKind, NoticeState


class Fate(StrEnum):
    """What became of a notice as far as is known; a server's acceptance is not called delivery."""

    WAITING_RELEASE = "waiting_release"
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    SUPPRESSED = "suppressed"


SAID = (Fate.ACCEPTED, Fate.DELIVERED)
UNKNOWN = (Fate.UNCERTAIN, Fate.SENDING)
WAITING = (Fate.WAITING_RELEASE, Fate.HELD, Fate.QUEUED)
NOT_SENT = (Fate.SUPERSEDED, Fate.SUPPRESSED)


class Unsent(StrEnum):
    """Why something that had fallen due was not sent, or not over this channel."""

    HANDED_IN = "handed_in"
    WAIVED = "waived"
    NEW_TERM = "new_term"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    AT_THE_TOP = "at_the_top"
    NEWER = "newer"
    BEFORE_OPENING = "before_opening"
    NO_ADDRESS = "no_address"
    BESIDES = "besides"
    NO_LONGER_TRUE = "no_longer_true"


def fate(state: NoticeState, letter: LetterState | None, *, is_held: bool = False) -> Fate:
    """Return what became of a notice in this state whose letter is in that one."""
    match state:
        case NoticeState.SAID:
            return Fate.DELIVERED if letter is LetterState.DELIVERED else Fate.ACCEPTED
        case NoticeState.WAITING_RELEASE:
            return Fate.HELD if is_held else Fate.WAITING_RELEASE
        case NoticeState.QUEUED if letter in (LetterState.UNCERTAIN, LetterState.SENDING):
            return Fate(letter.value)
    return Fate(state.value)


@dataclass(frozen=True, slots=True)
class History:
    """What happened to an item that ends what is to be said about it, with when it was recorded."""

    created_at: datetime
    events: tuple[tuple[datetime, Unsent], ...] = field(default_factory=tuple)

    def why(
        self,
        state: NoticeState,
        *,
        kind: NoticeKind,
        copy: int,
        due_at: datetime,
        settled_at: datetime | None,
        reason: str | None,
    ) -> Unsent | None:
        """Return why a notice was not sent, or failed without a letter's fault; None for any other.

        What was suppressed, was so because of the last thing that had happened by then.
        """
        if state is NoticeState.FAILED:
            return Unsent(reason) if reason in (Unsent.NO_ADDRESS, Unsent.BESIDES) else None
        if state is NoticeState.SUPERSEDED:
            was_over = settled_at is None and (kind is NoticeKind.OPENING or due_at <= self.created_at)
            return Unsent.BEFORE_OPENING if was_over else Unsent.NEWER
        if state is not NoticeState.SUPPRESSED:
            return None
        if reason == AT_THE_TOP:
            return Unsent.AT_THE_TOP
        found = Unsent.NO_LONGER_TRUE
        for at, what in sorted(self.events, key=lambda event: event[0]):
            is_known = settled_at is not None and at <= settled_at
            if is_known and (copy > 0 or what is not Unsent.ACKNOWLEDGED):
                found = what
        return found
