"""What an answer of a channel makes of a letter: sent, tried again, on another way, held, failed."""

from enum import StrEnum

from rules.notices import NoticeKind


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
