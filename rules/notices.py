"""Notices and letters: the vocabulary that whoever queues, sends or shows them shares."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """Why something is said (nội dung cần thông báo)."""

    OPENING = "opening"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RETURNED = "returned"
    WAIVED = "waived"
    EXTENDED = "extended"
    AMENDED = "amended"
    RECEIPT = "receipt"
    UNDELIVERABLE = "undeliverable"
    DRAFT_WAITING = "draft_waiting"
    DECISION = "decision"


class NoticeState(StrEnum):
    """What became of what was owed to be said (design.md §5)."""

    WAITING_RELEASE = "waiting_release"
    QUEUED = "queued"
    SAID = "said"
    SUPERSEDED = "superseded"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


class LetterState(StrEnum):
    """What became of a letter (design.md §5); delivered is what a provider reports later."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    UNCERTAIN = "uncertain"


class Channel(StrEnum):
    """The ways a letter can take, as the campaign file names them."""

    EMAIL = "email"
    ZALO = "zalo"


NOTICE_MAY_FOLLOW: dict[NoticeState, frozenset[NoticeState]] = {
    NoticeState.WAITING_RELEASE: frozenset(
        {NoticeState.QUEUED, NoticeState.SUPERSEDED, NoticeState.SUPPRESSED}
    ),
    NoticeState.QUEUED: frozenset(
        {
            NoticeState.SAID,
            NoticeState.SUPERSEDED,
            NoticeState.SUPPRESSED,
            NoticeState.FAILED,
            NoticeState.WAITING_RELEASE,  # the standing head holds back what has not left yet
        }
    ),
    # Its letter came back from the recipient's server: it was not said after all.
    NoticeState.SAID: frozenset({NoticeState.FAILED, NoticeState.QUEUED}),
    NoticeState.SUPERSEDED: frozenset(),
    NoticeState.SUPPRESSED: frozenset(),
    NoticeState.FAILED: frozenset(),
}

LETTER_MAY_FOLLOW: dict[LetterState, frozenset[LetterState]] = {
    LetterState.QUEUED: frozenset({LetterState.SENDING, LetterState.SUPPRESSED}),
    LetterState.SENDING: frozenset(
        {
            LetterState.SENT,
            LetterState.QUEUED,
            LetterState.FAILED,
            LetterState.UNCERTAIN,
            LetterState.SUPPRESSED,
        }
    ),
    LetterState.UNCERTAIN: frozenset(
        {LetterState.QUEUED, LetterState.SENT, LetterState.DELIVERED, LetterState.FAILED}
    ),
    LetterState.SENT: frozenset({LetterState.DELIVERED, LetterState.FAILED}),
    LetterState.DELIVERED: frozenset(),
    LetterState.FAILED: frozenset(),
    LetterState.SUPPRESSED: frozenset(),
}

# Receipts and alarms answer somebody at once; everything else keeps office hours (design.md §4).
DO_NOT_WAIT = frozenset({NoticeKind.RECEIPT, NoticeKind.UNDELIVERABLE})

# What goes over the urgent channels first: the last day, and everything after it (design.md §5).
URGENT_KIND = NoticeKind.ESCALATION
URGENT_REMINDER = "before:0"

# A leader who was told of an item hears in his next digest that its term was extended; this line
# rides in that digest and never makes one (design.md §3).
RIDES_ALONG = "extended"

# Why a step was dropped: whoever it could go to owes the item himself or was told before.
AT_THE_TOP = "at_the_top"

# design.md §5: minutes before the next try after a passing failure, then hourly to 24 hours.
RETRY_MINUTES = (1, 5, 15, 60)
RETRY_FOR_HOURS = 24


def retry_after_minutes(attempts: int) -> int | None:
    """Return the minutes to wait after this many failed tries, or None when it is enough."""
    if attempts <= len(RETRY_MINUTES):
        return RETRY_MINUTES[attempts - 1]
    hours_waited = sum(RETRY_MINUTES) / 60 + (attempts - len(RETRY_MINUTES))
    return 60 if hours_waited <= RETRY_FOR_HOURS else None


def notice_key(
    *, campaign: str, kind: NoticeKind, about: str, step: str, version: int, recipient: str, copy: int
) -> str:
    """Return the text that makes a notice the only one of its kind; no part of it may be empty.

    `about` is an item (`dossier/san-thang`) or an event (`paper/3701/UBND-NV`), `step` a rung or
    `-`, `version` that of the deadline (0 without one), `recipient` the code of a contact.
    """
    parts = (campaign, kind.value, about, step, f"v{version}", recipient, f"c{copy}")
    if not all(parts):
        raise ValueError(f"a notice needs every part of its key: {parts}")
    return "|".join(parts)
