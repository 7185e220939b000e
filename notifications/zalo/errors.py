"""What Zalo's error codes mean and what is done about each: three tables, one for each kind of host.

Restated from the codes Zalo publishes (zalo-contract.md §10 and §11). A code that stands in none is
tried twice more and then shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.sending import Outcome, Pause


class Action(StrEnum):
    """What is done about an error."""

    REFRESH = "refresh"  # another token, and once more
    CONFIG = "config"  # the channel is held and somebody is alarmed
    RETRY = "retry"  # later, with growing pauses
    RETRY_ONCE = "retry_once"
    REUPLOAD = "reupload"  # the next try uploads anew
    NEXT_MINUTE = "next_minute"
    TOMORROW = "tomorrow"
    NEXT_MONTH = "next_month"
    MORNING = "morning"
    RECIPIENT = "recipient"  # not this person this way
    PAYLOAD = "payload"  # not this message: a template or a text of ours is at fault
    UNSURE = "unsure"  # it may have gone


class Host(StrEnum):
    """The hosts that have tables of their own."""

    OA = "oa"
    ZBS = "zbs"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an action makes of a try."""

    outcome: Outcome
    pause: Pause | None = None
    most_tries: int | None = None
    is_shown: bool = False


MEANING: Mapping[Action, Meaning] = {
    # It has been renewed by then: a token that is refused twice is no matter of this letter.
    Action.REFRESH: Meaning(Outcome.CONFIGURATION),
    Action.CONFIG: Meaning(Outcome.CONFIGURATION),
    Action.RETRY: Meaning(Outcome.TRANSIENT, most_tries=5),
    Action.RETRY_ONCE: Meaning(Outcome.TRANSIENT, most_tries=2),
    Action.REUPLOAD: Meaning(Outcome.TRANSIENT, most_tries=2),
    Action.NEXT_MINUTE: Meaning(Outcome.TRANSIENT, Pause.NEXT_MINUTE),
    Action.TOMORROW: Meaning(Outcome.TRANSIENT, Pause.TOMORROW),
    Action.NEXT_MONTH: Meaning(Outcome.TRANSIENT, Pause.NEXT_MONTH),
    Action.MORNING: Meaning(Outcome.TRANSIENT, Pause.MORNING),
    Action.RECIPIENT: Meaning(Outcome.PERMANENT),
    Action.PAYLOAD: Meaning(Outcome.PERMANENT, is_shown=True),
    Action.UNSURE: Meaning(Outcome.UNKNOWN),
}
UNKNOWN_CODE = Meaning(Outcome.TRANSIENT, most_tries=3, is_shown=True)

INVALID_FIELD = -201
# A template that cannot go by UID may go by telephone: the message itself is sound.
NOT_BY_UID = -249

TABLES: Mapping[Host, Mapping[Action, Mapping[int, str]]] = {
    Host.OA: {
        Action.NEXT_MINUTE: {-32: "more calls than a minute may hold"},
        Action.REUPLOAD: {-100: "an upload has expired"},
        Action.RETRY_ONCE: {-200: "sending failed"},
        Action.RETRY: {-214: "an article is being processed"},
        Action.REFRESH: {-216: "the access token is invalid", -220: "the access token has expired"},
        Action.TOMORROW: {
            -211: "the account's quota is used up",
            -218: "this person may receive no more today",
            -311: "the quota of replies is used up",
        },
        Action.MORNING: {-234: "not between 22:00 and 06:00"},
        Action.RECIPIENT: {
            -213: "does not follow the account",
            -217: "has blocked invitations",
            -227: "banned, or away for more than 45 days",
            -230: "has not been in touch for seven days",
            -232: "the interaction has expired",
            -244: "has restricted this kind of message",
            -305: "beyond 48 hours after the last interaction",
        },
        Action.PAYLOAD: {
            INVALID_FIELD: "a field is invalid",
            -210: "a parameter is over its limit",
            -233: "a kind of message that is invalid or not supported",
            -240: "the second version of messages was shut down",
            -248: "against the rules of the platform",
            NOT_BY_UID: "the template cannot go by UID",
        },
        Action.CONFIG: {
            -202: "invalid MAC",
            -204: "the account is disabled",
            -205: "the account does not exist",
            -209: "the application is not activated for this",
            -212: "the application has not registered for this",
            -219: "the application was removed or disabled",
            -221: "the account needs to be verified",
            -223: "the account has not authorized this",
            -224: "the account needs a larger package",
            -235: "not for this type of account",
            -237: "the group is disabled, its pack has expired",
            -238: "the group's pack is in use already",
            -241: "the group's pack is disabled",
            -242: "the proof of the application's secret is invalid",
            -320: "the application is not linked to a business wallet",
            -321: "the wallet is empty",
            -403: "the account is not in the group",
        },
    },
    Host.ZBS: {
        Action.UNSURE: {-100: "unknown error; it may have gone all the same"},
        Action.REFRESH: {-124: "the access token is invalid"},
        Action.MORNING: {-133: "this template not between 22:00 and 06:00"},
        Action.TOMORROW: {
            -144: "the account's quota of the day is used up",
            -1441: "the account's quota of promotion is used up",
            -147: "the template's quota of the day is used up",
            -1472: "this person may receive no more promotion today",
            -160: "the quota of templates or uploads is used up",
        },
        Action.NEXT_MONTH: {-1471: "this person may receive no more promotion this month"},
        Action.RECIPIENT: {
            -108: "not a telephone number",
            -110: "this Zalo is too old, or none",
            -114: "inactive, refusing, or with an outdated Zalo",
            -118: "no Zalo account, or a disabled one",
            -119: "cannot receive",
            -134: "has not agreed to receive",
            -139: "has opted out of this kind of message",
            -140: "not eligible for this kind of message",
            -141: "refuses messages of the account",
        },
        Action.PAYLOAD: {
            -106: "the method is not supported",
            -107: "no such message",
            -109: "no such template",
            -1091: "the template cannot be edited",
            -111: "the template's data are empty",
            -112: "the template's data are invalid",
            -1121: "a parameter is over its length",
            -1122: "a parameter is missing",
            -1123: "no QR code can be made of it",
            -1124: "a parameter's form is wrong",
            -113: "a button is invalid",
            -1131: "a button is invalid",
            -116: "the text is invalid",
            -121: "the body is empty",
            -122: "the body is not JSON",
            **dict.fromkeys((-123, -128, -129), "the RSA encryption is at fault"),
            -130: "over a length",
            -132: "a parameter is invalid",
            **dict.fromkeys((-148, -149, -1491, -150, -151, -152), "journeys, or encryption end to end"),
            -153: "the data are not as specified",
            -158: "the file is too large",
            -159: "the file's format is not supported",
            -161: "the sending mode is invalid",
            -162: "the sending mode is not allowed for this",
        },
        Action.CONFIG: {
            -101: "the application is invalid",
            -102: "the application does not exist",
            -103: "the application is not activated",
            -104: "the application's secret is invalid",
            -105: "the application is not linked to the account",
            -115: "the wallet does not hold enough",
            -117: "the account may not use the template",
            -120: "the account has no permission for this",
            **dict.fromkeys((-1201, -1202), "the account's package does not hold this"),
            -1241: "the proof of the application's secret is invalid",
            -125: "the account's id is invalid",
            -126: "the developer's wallet is empty",
            -127: "a test template, for administrators only",
            -131: "the template is not approved",
            -135: "the account has no permission to send templates",
            -1351: "the account is blocked for a violation",
            -136: "the account is not linked to a wallet",
            -137: "the wallet cannot be charged",
            -138: "the application has no permission for this",
            -1381: "the extension has no permission for this",
            -142: "there is no RSA key",
            -143: "there is an RSA key already",
            -145: "the account may not send this kind of content",
            -146: "the template was disabled for low quality",
        },
    },
    Host.BOT: {
        Action.CONFIG: {401: "the bot's token is invalid"},
        # Where its words name the chat it is the person who cannot be reached.
        Action.PAYLOAD: {400: "bad request", 404: "not found"},
        # A limit of a minute passes; a quota of a day leaves the letter to the next channel.
        Action.RETRY: {403: "internal error", 408: "timeout", 429: "the quota is used up"},
    },
}
_FOUND: Mapping[tuple[Host, int], tuple[Action, str]] = {
    (host, code): (action, words)
    for host, actions in TABLES.items()
    for action, codes in actions.items()
    for code, words in codes.items()
}


def action(host: Host, code: int, said: str = "") -> Action | None:
    """Return what is done about a code of a host, None where it is unknown.

    `said` are the words that came with it: they tell whose fault an invalid field is.
    """
    if host is Host.BOT and 500 <= code < 600:
        return Action.RETRY
    found, _ = _FOUND.get((host, code), (None, ""))
    if found is Action.PAYLOAD and _names_the_person(host, code, said.lower()):
        return Action.RECIPIENT
    return found


def meaning(host: Host, code: int, said: str = "") -> Meaning:
    """Return what a code of a host makes of a try."""
    found = action(host, code, said)
    return MEANING[found] if found else UNKNOWN_CODE


def in_words(host: Host, code: int) -> str:
    """Return what a code means, in words of ours."""
    return _FOUND.get((host, code), (None, "unknown code"))[1]


def wants_another_token(host: Host, code: int) -> bool:
    """Say whether a code means that the access token is no longer good."""
    return action(host, code) is Action.REFRESH


def _names_the_person(host: Host, code: int, said: str) -> bool:
    if host is Host.BOT:
        return "chat" in said
    return code == INVALID_FIELD and "user_id" in said
