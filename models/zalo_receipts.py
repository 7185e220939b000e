"""What Zalo reports of messages: reached, seen. A report may be here before the id it speaks of."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, func, select, update

from models.inserting import inserting
from models.notices import settle_notices
from models.tables import Letter, ZaloEvent
from rules.notices import Channel, LetterState, NoticeState
from rules.sending import tracking_id

REACHED, SEEN = "user_received_message", "user_seen_message"
MAY_BE_REPORTED = (LetterState.SENT, LetterState.DELIVERED, LetterState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Report:
    """A message has reached its reader, or he has seen it; `tracking_id` is ours, where Zalo repeats it."""

    event: str
    message_id: str
    happened_at: datetime
    tracking_id: str | None = None


def keep_event(
    session: Session,
    key: str,
    event: str,
    *,
    happened_at: datetime,
    at: datetime,
    message_id: str | None = None,
    tracking_id: str | None = None,
) -> bool:
    """Write an event down; False where it was told before."""
    row = {
        "key": key,
        "event": event,
        "message_id": message_id,
        "tracking_id": tracking_id,
        "happened_at": happened_at,
        "received_at": at,
    }
    kept = session.execute(
        inserting(session, ZaloEvent).values(**row).on_conflict_do_nothing().returning(col(ZaloEvent.key))
    ).first()
    return kept is not None


def take_reports(session: Session, reports: Iterable[Report], *, at: datetime) -> None:
    """Keep reports, each once, and let the letters they are about be delivered."""
    new = [
        report
        for report in reports
        if keep_event(
            session,
            f"{report.event}|{report.message_id}",
            report.event,
            happened_at=report.happened_at,
            at=at,
            message_id=report.message_id,
            tracking_id=report.tracking_id,
        )
    ]
    if not new:
        return
    named = [_named(report.tracking_id) for report in new if report.tracking_id]
    letters = session.exec(
        select(Letter.id).where(
            Letter.channel == Channel.ZALO,
            col(Letter.state).in_(MAY_BE_REPORTED),
            or_(col(Letter.provider_id).in_([report.message_id for report in new]), *named),
        )
    ).all()
    apply_receipts(session, [each for each in letters if each], at=at)


def apply_receipts(session: Session, letter_ids: Collection[int], *, at: datetime) -> set[int]:
    """Let those of these letters be delivered of which Zalo has reported; returns the others.

    One of which nobody knew whether it had gone is known to have arrived by its tracking id.
    """
    if not letter_ids:
        return set()
    letters = session.execute(
        select(Letter.id, Letter.provider_id, Letter.message_id, Letter.state)
        .where(
            col(Letter.id).in_(letter_ids),
            Letter.channel == Channel.ZALO,
            col(Letter.state).in_(MAY_BE_REPORTED),
        )
        .with_for_update()
    ).all()
    reports = _reports(session, letters)
    rows, settled = [], []
    for letter in letters:
        reached, seen, given = _of(letter, reports)
        if reached is None:
            continue
        is_uncertain = letter.state is LetterState.UNCERTAIN
        rows.append(
            {
                "id": letter.id,
                "state": LetterState.DELIVERED,
                "delivered_at": reached,
                "seen_at": seen,
                "provider_id": given or letter.provider_id,
            }
            | ({"settled_at": reached} if is_uncertain else {})
        )
        if is_uncertain:
            settled.append(letter.id)
    for is_settled in (True, False):
        of_kind = [row for row in rows if ("settled_at" in row) is is_settled]
        if of_kind:
            session.execute(update(Letter), of_kind)
    settle_notices(session, settled, NoticeState.SAID, at=at)
    return set(letter_ids) - {row["id"] for row in rows}


def catch_up(session: Session, *, at: datetime) -> None:
    """Apply reports that crossed with the writing down of the id they speak of."""
    crossed = session.exec(
        select(Letter.id).where(
            Letter.channel == Channel.ZALO,
            Letter.state == LetterState.SENT,
            col(Letter.provider_id).in_(
                select(ZaloEvent.message_id).where(col(ZaloEvent.event).in_([REACHED, SEEN]))
            ),
        )
    ).all()
    apply_receipts(session, [each for each in crossed if each], at=at)


def _reports(session: Session, letters: Iterable[Any]) -> list[ZaloEvent]:
    """Return what was reported about these letters, the earliest first."""
    ids = [letter.provider_id for letter in letters if letter.provider_id]
    tracked = [tracking_id(letter.message_id) for letter in letters if letter.message_id]
    return list(
        session.exec(
            select(ZaloEvent)
            .where(
                col(ZaloEvent.event).in_([REACHED, SEEN]),
                or_(col(ZaloEvent.message_id).in_(ids), col(ZaloEvent.tracking_id).in_(tracked)),
            )
            .order_by(col(ZaloEvent.happened_at))
        )
    )


def _of(letter: Any, reports: Iterable[ZaloEvent]) -> tuple[datetime | None, datetime | None, str | None]:
    """Return when a letter has reached its reader, when he saw it, and the id it has at Zalo."""
    is_uncertain = letter.state is LetterState.UNCERTAIN
    mine = [
        report
        for report in reports
        if (letter.provider_id and report.message_id == letter.provider_id)
        or (is_uncertain and report.tracking_id and report.tracking_id == tracking_id(letter.message_id))
    ]
    seen = next((report.happened_at for report in mine if report.event == SEEN), None)
    reached = min((report.happened_at for report in mine), default=None)
    return reached, seen, mine[0].message_id if mine else None


def _named(tracking: str) -> Any:
    """Match letters whose Message-ID begins with a tracking id; a range, so that an index answers."""
    return and_(
        col(Letter.message_id) >= f"<{tracking}@",
        col(Letter.message_id) < f"<{tracking}A",
        func.length(Letter.message_id) > 0,
    )
