"""When an official account's tokens are renewed, and what may be tried after a renewal that broke off."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rules.sending import TokenState

# At four fifths of its life, which is 20 of the 25 hours Zalo gives: the rest is for what goes wrong.
RENEWED_AFTER = 0.8

# What renews a pair is itself good for three months (zalo-contract.md §2.6).
RENEWABLE_FOR = timedelta(days=90)

# A renewal whose answer was lost is tried again after this long, so that all tries fall within the
# five hours for which the old access token is still good.
PAUSE = timedelta(minutes=90)
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """An access token and what renews it, once; `expires_in` is in seconds, None where nobody said it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int | None = field(default=None, repr=False)


class Setback(StrEnum):
    """Why tokens were not renewed; stored before the words of whoever refused."""

    REFUSED = "refused"  # Zalo takes this refresh token no more
    SPENT = "spent"  # Zalo answered with nothing: it has been used before
    LOST = "lost"  # it may have been used: the answer did not arrive or cannot be read
    BROKEN_OFF = "broken_off"  # whoever was at it has died, each time
    NOT_REACHED = "not_reached"  # nothing was handed over
    APP_REFUSED = "app_refused"  # Zalo refused the application before it looked at the token
    NO_PAIR = "no_pair"  # nobody has consented yet for this application
    WRONG_KEY = "wrong_key"  # the installation's key does not open what is kept
    ELSEWHERE = "elsewhere"  # another process is at it

    def because(self, words: str = "") -> str:
        """Return the reason as it is stored and told."""
        return f"{self}: {words}".removesuffix(": ")


def read_reason(reason: str) -> tuple[Setback, str]:
    """Return a stored reason as the setback it was and the words of whoever refused."""
    kind, _, words = reason.partition(": ")
    return Setback(kind), words


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What is known of an account's tokens, without their values.

    `started_at` stands where a renewal was begun that nobody has finished, and `tries` counts those
    of this pair. `reason` is that of the last setback; begun and no reason: whoever began it has died.
    """

    state: TokenState
    issued_at: datetime
    expires_at: datetime | None = None
    started_at: datetime | None = None
    tries: int = 0
    reason: str | None = None


class NextTry(StrEnum):
    """Whether a renewal may be begun."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"


def is_usable(facts: TokenFacts, *, now: datetime) -> bool:
    """Say whether the access token can still be good; one of unknown age is until Zalo refuses it."""
    return facts.expires_at is None or now < facts.expires_at


def renews_at(facts: TokenFacts) -> datetime:
    """Return when the pair is renewed ahead of time; one of unknown age at once."""
    if facts.expires_at is None:
        return facts.issued_at
    return facts.issued_at + RENEWED_AFTER * (facts.expires_at - facts.issued_at)


def is_due(facts: TokenFacts, *, now: datetime) -> bool:
    """Say whether the pair is to be renewed now; one whose renewal broke off is, whatever its age."""
    return facts.started_at is not None or renews_at(facts) <= now


def next_try(facts: TokenFacts, *, now: datetime, pause: timedelta = PAUSE) -> NextTry:
    """Return whether the holder of the lease may spend the refresh token now.

    One that may be spent already is tried again: at once where whoever began has died, after a pause
    where the answer was lost, three times in all.
    """
    if facts.started_at is None:
        return NextTry.NOW
    if facts.tries >= MOST_TRIES:
        return NextTry.NEVER
    was_lost = facts.reason is not None and read_reason(facts.reason)[0] is Setback.LOST
    if was_lost and now < facts.started_at + pause:
        return NextTry.LATER
    return NextTry.NOW
