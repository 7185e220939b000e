"""What an answer of a channel makes of a letter: sent, tried again, on another way, held, failed."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from rules.calendar import CITY
from rules.notices import Channel, LetterState, NoticeKind, retry_after_minutes

# How long whoever claims letters is believed to be at work on them (design.md §5).
LEASE = timedelta(minutes=5)

# A letter is begun only while what the slowest server may take still ends within the lease.
BEGUN_WITHIN = timedelta(seconds=90)

# How many letters one claim takes: e-mail a batch, Zalo one at a time (design.md §5).
CLAIMED_AT_ONCE = {Channel.EMAIL: 100, Channel.ZALO: 1}

# A channel that the installation cannot use as it is set up is tried again after this long.
HELD_FOR = timedelta(minutes=5)

# What may be sent a second time under the same identity; what is not here waits for a person.
SENT_AGAIN_WHEN_UNCERTAIN = frozenset({Channel.EMAIL})

# What also goes by official e-mail wherever else it goes (design.md §5); beside these kinds the
# letter with a draft of the urging paper.
ALWAYS_BY_EMAIL = frozenset(
    {NoticeKind.OPENING, NoticeKind.AMENDED, NoticeKind.EXTENDED, NoticeKind.DECISION}
)


class Outcome(StrEnum):
    """What the answer to one try means for whoever sent (design.md §5)."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"  # trying again later can help
    PERMANENT = "permanent"  # this recipient cannot be reached this way
    CONFIGURATION = "configuration"  # the installation is at fault, not the recipient
    UNKNOWN = "unknown"  # it may have gone
    NOT_TRIED = "not_tried"  # it certainly has not gone: nothing was handed to anybody


class Pause(StrEnum):
    """When a letter that was put off may be tried again, where the answer itself says so."""

    NEXT_MINUTE = "next_minute"
    MORNING = "morning"  # 06:05 city time, when Zalo delivers again
    TOMORROW = "tomorrow"  # 00:05 city time, when quotas begin anew
    NEXT_MONTH = "next_month"


# A letter that a quota puts off from day to day goes over the next channel after so many tries.
MOST_QUOTA_TRIES = 3

MORNING, AFTER_MIDNIGHT = time(6, 5), time(0, 5)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a letter after a try: its state, and when it may go again (None: never by itself)."""

    state: LetterState
    not_before: datetime | None = None


def verdict(
    outcome: Outcome,
    *,
    channel: Channel,
    attempts: int,
    at: datetime,
    pause: Pause | None = None,
    most_tries: int | None = None,
) -> Verdict:
    """Return what an answer makes of a letter that has now been tried this many times (design.md §5).

    What was not tried and what fails by the installation's fault goes back without having cost a
    try. What may have gone goes again where the channel allows it, and else waits for a person.
    """
    match outcome:
        case Outcome.ACCEPTED:
            return Verdict(LetterState.SENT)
        case Outcome.PERMANENT:
            return Verdict(LetterState.FAILED)
        case Outcome.NOT_TRIED:
            return Verdict(LetterState.QUEUED, at)
        case Outcome.CONFIGURATION:
            return Verdict(LetterState.QUEUED, at + HELD_FOR)
        case Outcome.UNKNOWN if channel not in SENT_AGAIN_WHEN_UNCERTAIN:
            return Verdict(LetterState.UNCERTAIN)
    if pause in (Pause.TOMORROW, Pause.NEXT_MONTH):
        most_tries = min(most_tries or MOST_QUOTA_TRIES, MOST_QUOTA_TRIES)
    minutes = retry_after_minutes(attempts)
    if minutes is None or (most_tries is not None and attempts >= most_tries):
        return Verdict(LetterState.FAILED)
    again = resumes(at, pause) if pause else at + timedelta(minutes=minutes)
    is_unknown = outcome is Outcome.UNKNOWN
    return Verdict(LetterState.UNCERTAIN if is_unknown else LetterState.QUEUED, again)


def costs_a_try(outcome: Outcome) -> bool:
    """Say whether a try counts; one that was not made, or that the installation spoiled, does not."""
    return outcome not in (Outcome.NOT_TRIED, Outcome.CONFIGURATION)


def resumes(at: datetime, pause: Pause) -> datetime:
    """Return when a letter that was put off goes on: an aware instant after `at`.

    The hours of Zalo are taken to be those of the city (zalo-contract.md §10).
    """
    today = at.astimezone(CITY).date()
    match pause:
        case Pause.NEXT_MINUTE:
            return at + timedelta(minutes=1)
        case Pause.MORNING:
            morning = _on(today, MORNING)
            return morning if morning > at else _on(today + timedelta(days=1), MORNING)
        case Pause.TOMORROW:
            return _on(today + timedelta(days=1), AFTER_MIDNIGHT)
        case Pause.NEXT_MONTH:
            return _on((today.replace(day=1) + timedelta(days=32)).replace(day=1), AFTER_MIDNIGHT)


def _on(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=CITY)


class Way(StrEnum):
    """The ways a letter can take; those of Zalo are tried in this order where each can work."""

    EMAIL = "email"
    ZALO_GROUP = "zalogmf"
    ZALO_BOT = "zalobot"
    ZALO_OA = "zalooa"  # consultation message, inside the interaction window
    ZBS_UID = "zalozbs_uid"
    ZBS_PHONE = "zalozbs_phone"


# design.md §5: never in a Zalo group: lists of late units, scores, facts on security or discipline.
# What is left is what the office says to everybody alike.
MAY_GO_TO_A_GROUP = frozenset({NoticeKind.OPENING, NoticeKind.AMENDED, NoticeKind.DECISION})


class Follows(StrEnum):
    """Why a letter follows another one with the same lines to the same person."""

    NEXT_CHANNEL = "next_channel"
    AGAIN = "again"  # somebody asked for it


class TokenState(StrEnum):
    """Whether the official account's tokens work, or an administrator has to consent again."""

    WORKING = "working"
    NEEDS_CONSENT = "needs_consent"


class TokenTurn(StrEnum):
    """What happened to the tokens of an account."""

    CONSENTED = "consented"
    REFRESH_STARTED = "refresh_started"
    REFRESHED = "refreshed"
    NOT_REFRESHED = "not_refreshed"
    NEEDS_CONSENT = "needs_consent"


def tracking_id(message_id: str) -> str:
    """Return what names a letter where 48 plain characters may: its Message-ID before the @."""
    return message_id.strip("<>").partition("@")[0]


@dataclass(frozen=True, slots=True)
class ZaloAddress:
    """Where somebody is reached over Zalo; exactly one of these is there."""

    uid: str | None = None
    group_id: str | None = None
    chat_id: str | None = None


def parse_zalo_address(text: str) -> ZaloAddress:
    """Return what a contact's `zalo` means: a bare id at our account, `group:…` or `bot:…`."""
    kind, mark, rest = text.partition(":")
    if not mark:
        return ZaloAddress(uid=text)
    return ZaloAddress(group_id=rest) if kind == "group" else ZaloAddress(chat_id=rest)
