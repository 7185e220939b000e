"""The account of a campaign: what was said to whom, in words and instants, without our own ids."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models.tables import Campaign, Contact, Letter, Notice, Unit, WorkItem
from rules.notices import Channel, NoticeKind, NoticeState


@dataclass(frozen=True, slots=True)
class NoticeAccount:
    """One notice as it ended: `at` is when it was said, or else when it fell due.

    `to` is the address it went to, or the person's name where there was none; `name` is his name;
    `letter` the id of
    the message that carried it, None where none did.
    """

    at: datetime
    kind: NoticeKind
    step: str
    item: str
    unit: str | None
    to: str
    name: str
    role: str
    channel: Channel | None
    state: NoticeState
    subject: str | None
    letter: str | None
    reason: str | None = None


def notices_of(session: Session, campaign: Campaign) -> list[NoticeAccount]:
    """Return every notice of a campaign, sorted by `at, kind, unit, item, step, to, channel`."""
    rows = session.execute(
        select(Notice, Letter, Contact, WorkItem, Unit)  # type: ignore[call-overload]
        .join(Contact, col(Contact.id) == Notice.contact_id)
        .outerjoin(Letter, col(Letter.id) == Notice.letter_id)
        .outerjoin(WorkItem, col(WorkItem.id) == Notice.item_id)
        .outerjoin(Unit, col(Unit.id) == WorkItem.unit_id)
        .where(Notice.campaign_id == campaign.id)
    )
    found = [
        NoticeAccount(
            at=notice.settled_at if notice.state is NoticeState.SAID else notice.due_at,
            kind=notice.kind,
            step="" if notice.step == "-" else notice.step,
            item=notice.about,
            unit=unit.code if unit else None,
            to=(letter.address if letter else None) or contact.email or contact.name,
            name=contact.name,
            role=notice.role,
            channel=letter.channel if letter else None,
            state=notice.state,
            subject=letter.subject if letter and notice.state is NoticeState.SAID else None,
            letter=letter.message_id if letter and notice.state is NoticeState.SAID else None,
            reason=notice.reason,
        )
        for notice, letter, contact, item, unit in rows
    ]
    return sorted(found, key=_order)


def _order(notice: NoticeAccount) -> tuple[datetime, str, str, str, str, str, str]:
    return (
        notice.at,
        notice.kind,
        notice.unit or "",
        notice.item,
        notice.step,
        notice.to,
        notice.channel or "",
    )
