"""An official account's tokens: sealed pairs, one at a time, and a history without their values.

Whoever renews writes down first which token he is about to spend, so that a crash leaves evidence.
Every change of a pair names the pair it was read as: one that has been replaced meanwhile is left.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlmodel import Session, col, select, update

from models.inserting import inserting
from models.sealing import Seal
from models.tables import TokenEntry, ZaloToken
from rules.sending import TokenState, TokenTurn
from rules.tokens import Pair, TokenFacts


@dataclass(frozen=True, slots=True)
class KeptPair:
    """The pair of an account, opened; `stored` is the refresh token as it lies in the database."""

    oa_id: str
    app_id: str
    facts: TokenFacts
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    stored: str = field(repr=False)


def keep_consented(
    session: Session, app_id: str, oa_id: str, pair: Pair, seal: Seal, *, at: datetime, words: str = ""
) -> None:
    """Keep the pair an administrator's consent gave, in place of any other; the account works again."""
    row = {
        **_sealed(pair, seal, at=at),
        "app_id": app_id,
        "state": TokenState.WORKING,
        "rotated_at": None,
    }
    session.execute(
        inserting(session, ZaloToken)
        .values(oa_id=oa_id, **row)
        .on_conflict_do_update(index_elements=["oa_id"], set_=row)
    )
    _log(session, oa_id, TokenTurn.CONSENTED, words, at)


def find_facts(session: Session, oa_id: str) -> TokenFacts | None:
    """Return what is known of an account's tokens, or None where nobody ever consented; needs no key."""
    row = _find(session, oa_id)
    return _facts(row) if row else None


def find_pair(session: Session, oa_id: str, seal: Seal) -> KeptPair | None:
    """Return the pair of an account, or None where nobody ever consented; raises WrongKey."""
    row = _find(session, oa_id)
    if row is None or row.access_token is None or row.refresh_token is None:
        return None
    return KeptPair(
        oa_id,
        row.app_id,
        _facts(row),
        seal.opened(row.access_token),
        seal.opened(row.refresh_token),
        row.refresh_token,
    )


def begin_renewal(session: Session, kept: KeptPair, *, at: datetime) -> bool:
    """Write down that this refresh token is about to be spent; False where the pair has been replaced."""
    return _change(
        session,
        kept,
        TokenTurn.REFRESH_STARTED,
        f"try {kept.facts.tries + 1}",
        at,
        refresh_started_at=at,
        spending=sha256(kept.refresh_token.encode()).hexdigest(),
        tries=kept.facts.tries + 1,
        reason=None,
    )


def finish_renewal(session: Session, kept: KeptPair, pair: Pair, seal: Seal, *, at: datetime) -> bool:
    """Keep the new pair, which counts from `at`; False where the kept one has been replaced meanwhile.

    It is kept even where the account was given up meanwhile: what Zalo gave last is what works.
    """
    return _change(
        session,
        kept,
        TokenTurn.REFRESHED,
        "",
        at,
        **_sealed(pair, seal, at=at),
        state=TokenState.WORKING,
        rotated_at=at,
    )


def note_lost(session: Session, kept: KeptPair, reason: str, *, at: datetime) -> bool:
    """Note that nobody knows whether the refresh token was spent; what was begun stays begun."""
    return _change(session, kept, TokenTurn.NOT_REFRESHED, reason, at, reason=reason)


def note_unspent(session: Session, kept: KeptPair, reason: str, *, at: datetime) -> bool:
    """Note that the refresh token was certainly not spent: as if this renewal had not been begun."""
    facts = kept.facts
    return _change(
        session,
        kept,
        TokenTurn.NOT_REFRESHED,
        reason,
        at,
        refresh_started_at=facts.started_at,
        tries=facts.tries,
        reason=reason,
        **({} if facts.started_at else {"spending": None}),
    )


def need_consent(session: Session, kept: KeptPair, reason: str, *, at: datetime) -> bool:
    """Give the pair up: it is not tried again before an administrator has consented anew."""
    state = TokenState.NEEDS_CONSENT
    return _change(session, kept, TokenTurn.NEEDS_CONSENT, reason, at, state=state, reason=reason)


def history(session: Session, oa_id: str, *, last: int) -> list[TokenEntry]:
    """Return the last so many lines of an account's history, the newest first."""
    return list(
        session.exec(
            select(TokenEntry)
            .where(TokenEntry.oa_id == oa_id)
            .order_by(col(TokenEntry.id).desc())
            .limit(last)
        )
    )


def _find(session: Session, oa_id: str) -> ZaloToken | None:
    # Read anew each time: a row this session has seen before may be another's by now.
    return session.get(ZaloToken, oa_id, populate_existing=True)


def _facts(row: ZaloToken) -> TokenFacts:
    if row.refresh_issued_at is None:
        raise ValueError("a pair of tokens without the time it was issued")
    return TokenFacts(
        row.state, row.refresh_issued_at, row.expires_at, row.refresh_started_at, row.tries, row.reason
    )


def _sealed(pair: Pair, seal: Seal, *, at: datetime) -> dict[str, Any]:
    """Return the columns of a new pair, with nothing left of an earlier renewal."""
    return {
        "access_token": seal.sealed(pair.access_token),
        "refresh_token": seal.sealed(pair.refresh_token),
        "expires_at": None if pair.expires_in is None else at + timedelta(seconds=pair.expires_in),
        "refresh_issued_at": at,
        "refresh_started_at": None,
        "spending": None,
        "tries": 0,
        "reason": None,
    }


def _change(
    session: Session, kept: KeptPair, what: TokenTurn, words: str, at: datetime, **values: Any
) -> bool:
    changed = session.execute(
        update(ZaloToken)
        .where(col(ZaloToken.oa_id) == kept.oa_id, col(ZaloToken.refresh_token) == kept.stored)
        .values(**values)
        .returning(col(ZaloToken.oa_id))
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        _log(session, kept.oa_id, what, words, at)
    return bool(changed)


def _log(session: Session, oa_id: str, what: TokenTurn, words: str, at: datetime) -> None:
    session.add(TokenEntry(oa_id=oa_id, at=at, what=what, words=words))
    session.flush()
