"""The tokens of the official account: given out as kept, renewed ahead of time by one process at a time.

A refresh token is good once. So whoever spends it holds the lease, has written down and committed that
he is about to, keeps what comes back before he hands it out, and no transaction waits for Zalo.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from config.settings import settings
from flows.running import Elapsed, stopwatch
from flows.servers import zalo_addresses, zalo_app
from models import tokens
from models.database import Session, transaction
from models.leases import only_one
from models.sealing import Seal, WrongKey
from models.tokens import KeptPair
from notifications.zalo.oauth import (
    Answer,
    AppRefused,
    Lost,
    NotReached,
    OAuth,
    Refused,
    is_token,
    seconds_of,
)
from notifications.zalo.platform import NeedsConsent, NotRenewed
from rules.sending import TokenState
from rules.tokens import MOST_TRIES, PAUSE, NextTry, Pair, Setback, is_due, is_usable, next_try

# Seconds between two looks while another process renews; after the last the letter is put off instead.
LOOKS = (0.2, 0.3, 0.5, 1.0, 2.0, 3.0, 3.0)
# What Zalo gave it gives once: it is written again, after so many seconds, where the database stumbles.
STUMBLES = (0.1, 0.5, 2.0, 5.0)


class NoZaloAccount(Exception):
    """No official account is set up in this installation."""


class NotExchanged(Exception):
    """The code of a consent gave no tokens; the text is as `rules.tokens.read_reason` reads it."""


class NotAPair(Exception):
    """What was handed in is not an access token and a refresh token; nothing quotes it."""


class Turn(StrEnum):
    """What came of looking whether the tokens are to be renewed."""

    RENEWED = "renewed"
    NOT_DUE = "not_due"
    ELSEWHERE = "elsewhere"  # another process is at it
    PUT_OFF = "put_off"  # it did not work now, and is tried again
    NEEDS_CONSENT = "needs_consent"


@dataclass(frozen=True, slots=True)
class Renewal:
    """What came of it; `reason` is as `rules.tokens.read_reason` reads it, where there is one."""

    turn: Turn
    reason: str = ""


class KeptTokens:
    """The tokens of one account as `ZaloSender` asks for them; `now` is when this was made.

    `elapsed` says how long ago that was, by a stopwatch unless told; `looks` are the pauses, in
    seconds, in which it waits for another process that renews.
    """

    def __init__(
        self,
        oauth: OAuth,
        seal: Seal,
        *,
        now: datetime,
        elapsed: Elapsed | None = None,
        looks: Sequence[float] = LOOKS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._oauth, self._seal = oauth, seal
        self._made_at, self._elapsed = now, elapsed or stopwatch()
        self._looks, self._sleep = looks, sleep

    def current(self) -> str:
        """Return the access token as it is kept, without asking Zalo; raises NeedsConsent.

        One that has run out is given too while it can be renewed: that Zalo refuses it begins that.
        """
        kept = self._readable()
        if kept.facts.state is TokenState.NEEDS_CONSENT and not is_usable(kept.facts, now=self._now()):
            raise NeedsConsent(kept.facts.reason)
        return kept.access_token

    def renewed(self, refused: str) -> str:
        """Return another access token than the refused one; raises NeedsConsent, NotRenewed.

        Where somebody has renewed it already, or is at it and soon done, nothing is spent.
        """
        for pause in (*self._looks, None):
            kept = self._readable()
            if not self._is_worn(kept, refused):
                return kept.access_token
            renewal = self._renew(lambda found: self._is_worn(found, refused))
            match renewal.turn:
                case Turn.RENEWED | Turn.NOT_DUE:
                    return self._readable().access_token
                case Turn.NEEDS_CONSENT:
                    raise NeedsConsent(renewal.reason)
                case Turn.PUT_OFF:
                    raise NotRenewed(renewal.reason)
            if pause is not None:
                self._sleep(pause)
        raise NotRenewed(Setback.ELSEWHERE.because())

    def renew_if_due(self) -> Renewal:
        """Renew the pair where it is old enough, or a renewal of it broke off; raises WrongKey."""
        return self._renew(lambda kept: is_due(kept.facts, now=self._now()))

    def renew_now(self) -> Renewal:
        """Renew the pair because a person wants it, however lately it was tried; raises WrongKey."""
        return self._renew(lambda _: True, pause=timedelta(0))

    def exchange(self, code: str, verifier: str) -> None:
        """Hand in the code of a consent and keep the pair it gives; raises NotExchanged."""
        answer = self._oauth.exchange(code, verifier)
        if not isinstance(answer, Pair):
            raise NotExchanged(_reason(answer))
        self.keep(answer, words="from a code")

    def keep(self, pair: Pair, *, words: str = "") -> None:
        """Keep the pair that an administrator's consent gave, in place of any other."""
        app, at = self._oauth.app, self._now()

        def write(session: Session) -> None:
            tokens.keep_consented(session, app.app_id, app.oa_id, pair, self._seal, at=at, words=words)

        self._write(write)

    def _renew(self, is_wanted: Callable[[KeptPair], bool], *, pause: timedelta = PAUSE) -> Renewal:
        with only_one(f"zalo-token:{self._oauth.app.oa_id}", at=self._now()) as is_mine:
            if not is_mine:
                return Renewal(Turn.ELSEWHERE)
            at = self._now()
            with transaction() as session:
                kept = self._find(session)
                if kept is None:
                    return Renewal(Turn.NEEDS_CONSENT, Setback.NO_PAIR.because())
                if not is_wanted(kept):
                    return Renewal(Turn.NOT_DUE)
                if kept.facts.state is TokenState.NEEDS_CONSENT:
                    return Renewal(Turn.NEEDS_CONSENT, kept.facts.reason or "")
                match next_try(kept.facts, now=at, pause=pause):
                    case NextTry.LATER:
                        return Renewal(Turn.PUT_OFF, kept.facts.reason or "")
                    case NextTry.NEVER:
                        reason = Setback.BROKEN_OFF.because(f"{MOST_TRIES} tries")
                        return _given_up(session, kept, reason, at=at)
                if not tokens.begin_renewal(session, kept, at=at):
                    return Renewal(Turn.NOT_DUE)  # somebody has consented this very moment
            return self._settle(kept, self._oauth.refresh(kept.refresh_token), began_at=at)

    def _settle(self, kept: KeptPair, answer: Answer, *, began_at: datetime) -> Renewal:
        """Write down what Zalo answered; a new pair is committed when this returns."""
        if isinstance(answer, Pair):
            pair = answer

            def write(session: Session) -> None:
                # Its life is counted from before it was asked for, so rather too short.
                tokens.finish_renewal(session, kept, pair, self._seal, at=began_at)

            self._write(write)
            return Renewal(Turn.RENEWED)
        at, reason = self._now(), _reason(answer)
        with transaction() as session:
            match answer:
                case Refused():
                    return _given_up(session, kept, reason, at=at)
                case Lost() if kept.facts.tries + 1 >= MOST_TRIES:
                    return _given_up(session, kept, reason, at=at)
                case Lost():
                    tokens.note_lost(session, kept, reason, at=at)
                case NotReached() | AppRefused():
                    tokens.note_unspent(session, kept, reason, at=at)
        return Renewal(Turn.PUT_OFF, reason)

    def _write(self, write: Callable[[Session], None]) -> None:
        for pause in STUMBLES:
            try:
                with transaction() as session:
                    write(session)
                return
            except Exception:
                self._sleep(pause)
        with transaction() as session:
            write(session)

    def _find(self, session: Session) -> KeptPair | None:
        """Return the pair that was consented to for this application, if there is one."""
        kept = tokens.find_pair(session, self._oauth.app.oa_id, self._seal)
        return kept if kept and kept.app_id == self._oauth.app.app_id else None

    def _readable(self) -> KeptPair:
        try:
            with transaction() as session:
                kept = self._find(session)
        except WrongKey:
            raise NeedsConsent(Setback.WRONG_KEY.because()) from None
        if kept is None:
            raise NeedsConsent(Setback.NO_PAIR.because())
        return kept

    def _is_worn(self, kept: KeptPair, refused: str) -> bool:
        return kept.access_token == refused or not is_usable(kept.facts, now=self._now())

    def _now(self) -> datetime:
        return self._made_at + self._elapsed()


def _reason(answer: Refused | AppRefused | Lost | NotReached) -> str:
    match answer:
        case Refused():
            return (Setback.REFUSED if answer.said else Setback.SPENT).because(answer.said)
        case AppRefused():
            return Setback.APP_REFUSED.because(answer.said)
        case Lost():
            return Setback.LOST.because(answer.words)
        case NotReached():
            return Setback.NOT_REACHED.because(answer.words)


def _given_up(session: Session, kept: KeptPair, reason: str, *, at: datetime) -> Renewal:
    if tokens.need_consent(session, kept, reason, at=at):
        return Renewal(Turn.NEEDS_CONSENT, reason)
    return Renewal(Turn.NOT_DUE)  # somebody has consented meanwhile: what was refused counts no more


def refresh_ahead(now: datetime) -> Renewal:
    """Renew the account's tokens where they are due; raises NoZaloAccount, KeyUnusable, WrongKey."""
    return kept_tokens(now).renew_if_due()


def kept_tokens(now: datetime) -> KeptTokens:
    """Return the tokens of this installation's account; raises NoZaloAccount, KeyUnusable."""
    return KeptTokens(account(), seal(), now=now)


def pair_of(text: str) -> Pair:
    """Return the pair somebody copied: two lines, or JSON as Zalo gives it; raises NotAPair."""
    expires_in = None
    try:
        told = json.loads(text)
        found = [told["access_token"], told["refresh_token"]]
        expires_in = seconds_of(told.get("expires_in"))
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        found = text.split()
    if len(found) != 2 or found[0] == found[1] or not all(map(is_token, found)):
        raise NotAPair
    return Pair(found[0], found[1], expires_in)


def account() -> OAuth:
    """Return where this installation's account gets tokens; raises NoZaloAccount."""
    app = zalo_app()
    if app is None:
        raise NoZaloAccount
    return OAuth(zalo_addresses(), app, settings().zalo_timeout)


def seal() -> Seal:
    """Return what opens this installation's tokens; raises NoZaloAccount, KeyUnusable."""
    key = settings().secret_key
    if key is None:
        raise NoZaloAccount
    return Seal(key.get_secret_value())
