"""Letters, made from queued notices; the outbox sends them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, literal, or_
from sqlmodel import Session, col, select, update

from models.database import UtcDateTime
from models.inserting import inserting, joined
from models.people import officers_of
from models.tables import Campaign, Contact, Letter, Notice
from rules.calendar import WorkingCalendar
from rules.notices import (
    DO_NOT_WAIT,
    URGENT_KIND,
    URGENT_REMINDER,
    Channel,
    LetterState,
    NoticeKind,
    NoticeState,
)
from rules.stages import Ower

ADDRESS_ON = {Channel.EMAIL: Contact.email, Channel.ZALO: Contact.zalo}


@dataclass(frozen=True, slots=True)
class Channels:
    """The campaign's order of channels, less those this installation cannot use."""

    default: tuple[Channel, ...]
    urgent: tuple[Channel, ...]


def make_letters(
    session: Session, campaign: Campaign, *, now: datetime, channels: Channels, calendar: WorkingCalendar
) -> int:
    """Put every queued notice into a letter; returns how many letters are new.

    A leader's lines of one day share one letter. Where his letter of the day has gone already the
    new line stays without one, and the next day's letter takes it (design.md §4: one digest a day).
    A notice whose recipient has no address on any channel fails, and the standing office is told.
    """
    goes_at = calendar.next_sending_time(now)
    is_urgent = or_(
        col(Notice.kind) == URGENT_KIND,
        and_(col(Notice.kind) == NoticeKind.REMINDER, col(Notice.step) == URGENT_REMINDER),
    )
    channel = case((is_urgent, _first_usable(channels.urgent)), else_=_first_usable(channels.default))
    is_digest = col(Notice.kind) == NoticeKind.ESCALATION
    key = joined(
        case(
            (
                is_digest,
                joined(f"{campaign.code}|digest|{calendar.day_of(goes_at)}|", Notice.role, "|", Contact.code),
            ),
            else_=Notice.key,
        ),
        "|",
        channel,
    )
    waiting = (
        select(  # type: ignore[call-overload]
            col(Notice.id).label("notice_id"),
            Notice.kind,
            Notice.role,
            Notice.contact_id,
            channel.label("channel"),
            _address(channel).label("address"),
            case((channel.is_(None), None), else_=key).label("letter_key"),
        )
        .join(Contact, col(Contact.id) == Notice.contact_id)
        .where(
            Notice.campaign_id == campaign.id,
            Notice.state == NoticeState.QUEUED,
            col(Notice.letter_id).is_(None),
        )
    ).subquery()
    _fail_unreachable(session, campaign, waiting, at=now)
    columns = ["key", "campaign_id", "kind", "role", "contact_id", "channel", "address", "state"]
    rows = (
        select(  # type: ignore[call-overload]
            waiting.c.letter_key,
            literal(campaign.id),
            waiting.c.kind,
            waiting.c.role,
            waiting.c.contact_id,
            waiting.c.channel,
            waiting.c.address,
            literal(LetterState.QUEUED.value),
            case(
                (waiting.c.kind.in_(DO_NOT_WAIT), literal(now, UtcDateTime())),
                else_=literal(goes_at, UtcDateTime()),
            ),
            literal(0),
        )
        .where(waiting.c.letter_key.is_not(None))
        .distinct()
    )
    made = session.execute(
        inserting(session, Letter)
        .from_select([*columns, "not_before", "attempts"], rows)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(col(Letter.id))
    ).all()
    letter_of = (
        select(Letter.id)
        .join(waiting, waiting.c.letter_key == Letter.key)
        .where(waiting.c.notice_id == Notice.id, Letter.state == LetterState.QUEUED)
        .scalar_subquery()
    )
    session.execute(
        update(Notice)
        .where(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.state) == NoticeState.QUEUED,
            col(Notice.letter_id).is_(None),
        )
        .values(letter_id=letter_of)
        .execution_options(synchronize_session=False)
    )
    return len(made)


def _first_usable(channels: Sequence[Channel]) -> Any:
    usable = [(ADDRESS_ON[channel].is_not(None), channel.value) for channel in channels]  # type: ignore[union-attr]
    return case(*usable, else_=None) if usable else literal(None)


def _address(channel: Any) -> Any:
    return case(*[(channel == each.value, column) for each, column in ADDRESS_ON.items()], else_=None)


def _fail_unreachable(session: Session, campaign: Campaign, waiting: Any, *, at: datetime) -> None:
    failed = session.execute(
        update(Notice)
        .where(
            col(Notice.id).in_(select(waiting.c.notice_id).where(waiting.c.letter_key.is_(None))),
        )
        .values(state=NoticeState.FAILED, settled_at=at, reason="no_address")
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    ).all()
    if failed:
        tell_standing_office(session, campaign, [row[0] for row in failed], at=at)


def tell_standing_office(
    session: Session, campaign: Campaign, notice_ids: Collection[int], *, at: datetime
) -> None:
    """Queue, for the officers of the standing office, what could not be said to whom."""
    officers = officers_of(session, campaign, Ower.STANDING_OFFICE)
    lost = session.execute(
        select(Notice, Contact.code)
        .join(Contact, col(Contact.id) == Notice.contact_id)
        .where(col(Notice.id).in_(notice_ids), Notice.kind != NoticeKind.UNDELIVERABLE)
    ).all()
    rows = [
        {
            "key": f"{notice.key}|undeliverable|{officer.code}",
            "campaign_id": campaign.id,
            "kind": NoticeKind.UNDELIVERABLE,
            "about": notice.about,
            "item_id": notice.item_id,
            "deadline_id": notice.deadline_id,
            "step": notice.step,
            "role": "standing_office",
            "contact_id": officer.id,
            "copy_no": 0,
            "state": NoticeState.QUEUED,
            "due_at": at,
            "reason": code,
        }
        for notice, code in lost
        for officer in officers
    ]
    if rows:
        session.execute(inserting(session, Notice).on_conflict_do_nothing(index_elements=["key"]), rows)
