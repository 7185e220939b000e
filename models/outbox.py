"""The outbox: letters are claimed by one sender at a time; what became of them is in `models.outcomes`."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Subquery, and_, exists, func, not_, or_, type_coerce
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from models.database import UtcDateTime
from models.holds import find_hold
from models.inserting import inserting
from models.notices import suppress_untrue
from models.tables import DeadlineStep, DeadlineVersion, Letter, Notice, Try
from models.telling import tell_of_letters
from models.zalo_receipts import apply_receipts, catch_up
from rules.letters import message_id
from rules.notices import DO_NOT_WAIT, RIDES_ALONG, Channel, LetterState, NoticeKind, NoticeState
from rules.sending import CLAIMED_AT_ONCE, LEASE, SENT_AGAIN_WHEN_UNCERTAIN, Outcome

# What is still to be said, or may have to be.
UNSAID = (LetterState.QUEUED, LetterState.SENDING, LetterState.UNCERTAIN)

# What a newer step takes the place of.
OF_A_STEP = (NoticeKind.REMINDER, NoticeKind.ESCALATION)


def recover(session: Session, *, now: datetime) -> int:
    """Find letters whose sender died with them in hand; returns how many.

    They are uncertain: they may have gone. E-mail goes again under the same Message-ID, so that a
    mail program shows it once; anything else waits for a person, and the standing office is told.
    """
    lost = session.execute(
        update(Letter)
        .where(col(Letter.state) == LetterState.SENDING, col(Letter.lease_until) < now)
        .values(state=LetterState.UNCERTAIN, claimed_by=None, lease_until=None)
        .returning(col(Letter.id), col(Letter.channel))
        .execution_options(synchronize_session=False)
    ).all()
    if lost:
        session.execute(
            inserting(session, Try),
            [
                {"letter_id": lost_id, "tried_at": now, "outcome": Outcome.UNKNOWN}
                | {"way": None, "code": "", "provider_id": "", "words": ""}
                for lost_id, _ in lost
            ],
        )
        held = [lost_id for lost_id, channel in lost if channel not in SENT_AGAIN_WHEN_UNCERTAIN]
        # What was reported before anybody knew that its sender had died has arrived.
        tell_of_letters(session, apply_receipts(session, held, at=now), cause="uncertain", at=now)
    session.execute(
        update(Letter)
        .where(
            col(Letter.state) == LetterState.UNCERTAIN,
            col(Letter.channel).in_(SENT_AGAIN_WHEN_UNCERTAIN),
            col(Letter.not_before) <= now,
        )
        .values(state=LetterState.QUEUED, repeats=Letter.repeats + 1)
        .execution_options(synchronize_session=False)
    )
    catch_up(session, at=now)
    return len(lost)


def channels_waiting(session: Session, *, now: datetime) -> set[Channel]:
    """Return the channels for which letters wait that need wait no longer, whatever else holds them."""
    waiting = select(Letter.channel).where(Letter.state == LetterState.QUEUED, Letter.not_before <= now)
    return {Channel(row[0]) for row in session.execute(waiting.distinct())}


def waiting_since(now: datetime) -> Subquery:
    """Return the letters that should have left by now, each with the instant from which it could have.

    One that was tried waits from its first try, however often it has been put off since; one that is
    tried again by itself, or whose sender died with it in hand, waits as well.
    """
    tried = (
        select(Try.letter_id, func.min(Try.tried_at).label("first"))
        .join(Letter, col(Letter.id) == Try.letter_id)
        .where(col(Letter.state).in_(UNSAID))
        .group_by(col(Try.letter_id))
        .subquery()
    )
    since = func.coalesce(tried.c.first, Letter.not_before)
    goes_again = col(Letter.channel).in_(SENT_AGAIN_WHEN_UNCERTAIN)
    return (
        select(
            Letter.campaign_id,
            Letter.channel,
            Letter.kind,
            type_coerce(since, UtcDateTime).label("since"),
        )
        .outerjoin(tried, tried.c.letter_id == Letter.id)
        .where(
            or_(
                col(Letter.state) == LetterState.QUEUED,
                and_(col(Letter.state) == LetterState.UNCERTAIN, goes_again),
                and_(col(Letter.state) == LetterState.SENDING, col(Letter.lease_until) < now),
            ),
            since <= now,
        )
        .subquery()
    )


def claim(
    session: Session,
    *,
    now: datetime,
    by: str,
    open_windows: Collection[int],
    mail_domain: str,
    channel: Channel = Channel.EMAIL,
    limit: int | None = None,
) -> list[int] | None:
    """Claim letters that may leave now over a channel and return their ids; commit before sending them.

    Returns None when there was nothing to claim, or nothing may go over this channel now. One claim
    takes what `rules.sending.CLAIMED_AT_ONCE` says, and a single letter where the channel was held.
    `open_windows` are the campaigns whose sending window is open; receipts and alarms of the others
    go all the same. Reminders and reports wait where steps have fallen due that no tick has queued:
    after an outage the newest goes, whoever wakes first. Lines that are no longer true drop out, and
    a letter left empty is suppressed.
    """
    hold = find_hold(session, channel)
    if hold is not None and now < hold.until:
        return None
    ready = (
        select(Letter.id, Letter.key, Letter.message_id)
        .where(
            Letter.state == LetterState.QUEUED,
            Letter.channel == channel,
            Letter.not_before <= now,
            or_(col(Letter.kind).in_(DO_NOT_WAIT), col(Letter.campaign_id).in_(open_windows)),
            ~and_(col(Letter.kind).in_(OF_A_STEP), _waits_for_a_tick(now)),
        )
        .order_by(col(Letter.not_before), col(Letter.id))
        .limit(1 if hold is not None else limit or CLAIMED_AT_ONCE[channel])
        .with_for_update(skip_locked=True)
    )
    # Two statements: PostgreSQL may run a locking subquery more than once and claim past the limit.
    found = session.execute(ready).all()
    claimed = [
        row[0]
        for row in session.execute(
            update(Letter)
            .where(col(Letter.id).in_([each.id for each in found]), col(Letter.state) == LetterState.QUEUED)
            .values(
                state=LetterState.SENDING,
                claimed_by=by,
                lease_until=now + LEASE,
                attempts=Letter.attempts + 1,
            )
            .returning(col(Letter.id))
            .execution_options(synchronize_session=False)
        )
    ]
    if not claimed:
        return None
    # Committed before it is sent: what comes back names the letter by it, whatever becomes of the sender.
    named = [
        {"id": each.id, "message_id": message_id(each.key, mail_domain)}
        for each in found
        if each.message_id is None and each.id in set(claimed)
    ]
    if named:
        session.execute(update(Letter), named)
    suppress_untrue(session, letter_ids=claimed, at=now)
    return sorted(set(claimed) - _emptied(session, claimed, now))


def _emptied(session: Session, claimed: list[int], now: datetime) -> set[int]:
    """Suppress the letters that have nothing left to say, and return their ids."""
    # What only rides along is nothing to write a letter for.
    has_lines = exists().where(
        col(Notice.letter_id) == Letter.id,
        col(Notice.state) == NoticeState.QUEUED,
        col(Notice.step) != RIDES_ALONG,
    )
    empty = {
        row[0]
        for row in session.execute(
            update(Letter)
            .where(col(Letter.id).in_(claimed), not_(has_lines))
            .values(state=LetterState.SUPPRESSED, settled_at=now, claimed_by=None, lease_until=None)
            .returning(col(Letter.id))
            .execution_options(synchronize_session=False)
        )
    }
    if empty:
        session.execute(
            update(Notice)
            .where(col(Notice.letter_id).in_(empty), col(Notice.state) == NoticeState.QUEUED)
            .values(letter_id=None)
            .execution_options(synchronize_session=False)
        )
    return empty


def _waits_for_a_tick(now: datetime) -> ColumnElement[bool]:
    """Match letters of a campaign in which steps have fallen due that no tick has queued yet."""
    return exists().where(
        col(DeadlineVersion.campaign_id) == Letter.campaign_id,
        col(DeadlineStep.deadline_id) == DeadlineVersion.id,
        col(DeadlineStep.fired_at).is_(None),
        col(DeadlineStep.fires_at) <= now,
    )


def next_not_before(session: Session, *, after: datetime) -> datetime | None:
    """Return the next instant at which a queued letter may leave, or None."""
    return session.exec(
        select(Letter.not_before)
        .where(col(Letter.state).in_([LetterState.QUEUED, LetterState.UNCERTAIN]), Letter.not_before > after)
        .order_by(col(Letter.not_before))
        .limit(1)
    ).first()
