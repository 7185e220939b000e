"""The outbox: letters are claimed by one sender at a time and settled by their receipts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, not_, or_, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from models.campaigns import get_campaign_by_id
from models.letters import tell_standing_office
from models.notices import suppress_untrue
from models.tables import DeadlineStep, DeadlineVersion, Letter, Notice
from rules.notices import (
    DO_NOT_WAIT,
    RIDES_ALONG,
    Channel,
    LetterState,
    NoticeKind,
    NoticeState,
    retry_after_minutes,
)

LEASE = timedelta(minutes=5)

# What a newer step takes the place of.
OF_A_STEP = (NoticeKind.REMINDER, NoticeKind.ESCALATION)


# design.md §5: what may be sent a second time under the same identity, and what a person must decide.
SENT_AGAIN_WHEN_UNCERTAIN = (Channel.EMAIL,)


def recover(session: Session, *, now: datetime) -> int:
    """Find letters whose sender died with them in hand; returns how many.

    They are uncertain: they may have gone. E-mail goes again under the same Message-ID, so that a
    mail program shows it once; anything else waits for a person.
    """
    lost = session.execute(
        update(Letter)
        .where(col(Letter.state) == LetterState.SENDING, col(Letter.lease_until) < now)
        .values(state=LetterState.UNCERTAIN, claimed_by=None, lease_until=None)
        .returning(col(Letter.id))
        .execution_options(synchronize_session=False)
    ).all()
    session.execute(
        update(Letter)
        .where(
            col(Letter.state) == LetterState.UNCERTAIN,
            col(Letter.channel).in_(SENT_AGAIN_WHEN_UNCERTAIN),
            col(Letter.not_before) <= now,
        )
        .values(state=LetterState.QUEUED)
        .execution_options(synchronize_session=False)
    )
    return len(lost)


def claim(
    session: Session, *, now: datetime, by: str, open_windows: Collection[int], limit: int
) -> list[int] | None:
    """Claim letters that may leave now and return their ids; commit before sending them.

    Returns None when there was nothing to claim. `open_windows` are the campaigns whose sending
    window is open; receipts and alarms of the others go all the same. Reminders and reports wait
    where steps have fallen due that no tick has queued: after an outage the newest goes, whoever
    wakes first. Lines that are no longer true drop out, and a letter left empty is suppressed.
    """
    ready = (
        select(Letter.id)
        .where(
            Letter.state == LetterState.QUEUED,
            Letter.not_before <= now,
            or_(col(Letter.kind).in_(DO_NOT_WAIT), col(Letter.campaign_id).in_(open_windows)),
            ~and_(col(Letter.kind).in_(OF_A_STEP), _waits_for_a_tick(now)),
        )
        .order_by(col(Letter.not_before), col(Letter.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # Two statements: PostgreSQL may run a locking subquery more than once and claim past the limit.
    ready_ids = session.exec(ready).all()
    claimed = [
        row[0]
        for row in session.execute(
            update(Letter)
            .where(col(Letter.id).in_(ready_ids), col(Letter.state) == LetterState.QUEUED)
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
    suppress_untrue(session, letter_ids=claimed, at=now)
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
    return sorted(letter_id for letter_id in claimed if letter_id not in empty)


@dataclass(frozen=True, slots=True)
class Said:
    """What one letter said and what its channel answered; `outcome` as in notifications.receipts."""

    letter_id: int
    outcome: str
    code: str
    provider_id: str
    words: str
    subject: str
    text: str
    html: str
    message_id: str
    attachments: tuple[Mapping[str, str], ...] = ()


def record(session: Session, said: Sequence[Said], *, by: str, at: datetime) -> None:
    """Write down what happened to letters that were claimed by this sender.

    Accepted is sent; transient goes back with a pause, for a day at most; permanent fails, and the
    standing office is told; configuration goes back too, since it is not the recipient's fault;
    unknown is uncertain, and tried again as a passing failure is where the channel allows it.
    """
    claimed = {
        letter_id: (attempts, campaign_id, not_before)
        for letter_id, attempts, campaign_id, not_before in session.execute(
            select(Letter.id, Letter.attempts, Letter.campaign_id, Letter.not_before).where(
                col(Letter.id).in_([one.letter_id for one in said]), Letter.claimed_by == by
            )
        )
    }
    rows = []
    settled: dict[NoticeState, list[int]] = {NoticeState.SAID: [], NoticeState.FAILED: []}
    for one in said:
        if one.letter_id not in claimed:
            continue  # its lease ended and another sender has it; what he records counts
        attempts, _, planned = claimed[one.letter_id]
        state, not_before = _outcome(one, attempts, at)
        rows.append(
            {
                "id": one.letter_id,
                "state": state,
                "claimed_by": None,
                "lease_until": None,
                "outcome_code": one.code,
                "provider_id": one.provider_id,
                "provider_words": one.words,
                "subject": one.subject,
                "text": one.text,
                "html": one.html,
                "message_id": one.message_id or None,
                "attachments": [dict(each) for each in one.attachments],
                "not_before": not_before or planned,
                "settled_at": at if not_before is None else None,
            }
        )
        if state is LetterState.SENT:
            settled[NoticeState.SAID].append(one.letter_id)
        elif state is LetterState.FAILED:
            settled[NoticeState.FAILED].append(one.letter_id)
    if rows:
        session.execute(update(Letter), rows)
    for notice_state, letter_ids in settled.items():
        if letter_ids:
            session.execute(
                update(Notice)
                .where(col(Notice.letter_id).in_(letter_ids), col(Notice.state) == NoticeState.QUEUED)
                .values(state=notice_state, settled_at=at)
                .execution_options(synchronize_session=False)
            )
    failed = settled[NoticeState.FAILED]
    for campaign_id in sorted({claimed[letter_id][1] for letter_id in failed}):
        campaign = get_campaign_by_id(session, campaign_id)
        lost = session.exec(
            select(Notice.id).where(
                col(Notice.letter_id).in_(failed), Notice.campaign_id == campaign_id, true()
            )
        )
        tell_standing_office(session, campaign, [each for each in lost if each], cause="failed", at=at)


def _outcome(one: Said, attempts: int, at: datetime) -> tuple[LetterState, datetime | None]:
    match one.outcome:
        case "accepted":
            return LetterState.SENT, None
        case "permanent":
            return LetterState.FAILED, None
        case "configuration":
            return LetterState.QUEUED, at + timedelta(minutes=5)
    pause = retry_after_minutes(attempts)
    if pause is None:
        return LetterState.FAILED, None
    again = LetterState.UNCERTAIN if one.outcome == "unknown" else LetterState.QUEUED
    return again, at + timedelta(minutes=pause)


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
