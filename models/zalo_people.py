"""Who writes to the official account: his interaction window, and the one-time code that links him."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import or_
from sqlmodel import Session, col, select, update

from models import journal
from models.inserting import inserting
from models.tables import Campaign, CampaignUnit, Contact, LinkCode, Unit, ZaloUser
from rules.stages import Stage

# Letters and digits that nobody takes for one another.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 8
VALID_FOR = timedelta(days=7)

# Whoever guesses is not listened to for a while.
MOST_WRONG, WRONG_WITHIN = 10, timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Linked:
    """Whose Zalo account has just been linked."""

    contact_id: int
    name: str


class PersonHasLeft(Exception):
    """Nobody who has left his unit is linked; `name` says who."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def note_interaction(session: Session, uid: str, *, at: datetime, follows: bool | None = None) -> None:
    """Write down that a person wrote to the account, or follows it or no longer does."""
    session.execute(inserting(session, ZaloUser).values(uid=uid, wrong_codes=0).on_conflict_do_nothing())
    later = or_(col(ZaloUser.last_interaction_at).is_(None), col(ZaloUser.last_interaction_at) < at)
    if follows is not False:
        session.execute(
            update(ZaloUser).where(col(ZaloUser.uid) == uid, later).values(last_interaction_at=at)
        )
    if follows is not None:
        session.execute(update(ZaloUser).where(col(ZaloUser.uid) == uid).values(is_follower=follows))


def make_code(session: Session, contact: Contact, *, at: datetime, by: str | None) -> str:
    """Return a new code for a person, good for a week and once; older ones of his are void.

    Raises PersonHasLeft. Only its hash is kept.
    """
    if contact.left_at is not None:
        raise PersonHasLeft(contact.name)
    session.execute(
        update(LinkCode)
        .where(col(LinkCode.contact_id) == contact.id, col(LinkCode.used_at).is_(None))
        .values(expires_at=at)
    )
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    session.add(
        LinkCode(
            code_hash=_hash(code), contact_id=contact.id, made_at=at, expires_at=at + VALID_FOR, made_by=by
        )
    )
    session.flush()
    return code


def redeem(session: Session, text: str, address: str, *, uid: str, at: datetime) -> Linked | None:
    """Link whoever sent a text that holds a code that is good; None where it holds none.

    `address` is what his contact is given: his UID, or `bot:` and the chat. An account that was
    linked to somebody else is his no longer: one person, one account. Wrong codes are counted.
    """
    words = [word.strip(".,;:!?()[]\"'").upper() for word in text.split()]
    tried = [word for word in words if len(word) == LENGTH and set(word) <= set(ALPHABET)]
    if not tried or _is_ignored(session, uid, at):
        return None
    used = session.execute(
        update(LinkCode)
        .where(
            col(LinkCode.code_hash).in_([_hash(word) for word in tried]),
            col(LinkCode.used_at).is_(None),
            col(LinkCode.expires_at) > at,
        )
        .values(used_at=at)
        .returning(col(LinkCode.contact_id))
        .execution_options(synchronize_session=False)
    ).first()
    contact = session.exec(select(Contact).where(Contact.id == used[0])).one() if used else None
    if contact is None or contact.left_at is not None:
        _count_wrong(session, uid, at)
        return None
    if address.startswith("bot:") and contact.zalo and ":" not in contact.zalo:
        return None  # the official account reaches him already, and tells when it has
    session.execute(
        update(Contact)
        .where(col(Contact.zalo) == address, col(Contact.id) != contact.id)
        .values(zalo=None)
        .execution_options(synchronize_session=False)
    )
    contact.zalo = address
    session.add(contact)
    session.flush()
    _journal(session, contact, at)
    return Linked(contact.id, contact.name)


def _is_ignored(session: Session, uid: str, at: datetime) -> bool:
    user = session.exec(select(ZaloUser).where(ZaloUser.uid == uid)).one_or_none()
    return (
        user is not None
        and user.wrong_codes >= MOST_WRONG
        and user.wrong_since is not None
        and at - user.wrong_since < WRONG_WITHIN
    )


def _count_wrong(session: Session, uid: str, at: datetime) -> None:
    session.execute(inserting(session, ZaloUser).values(uid=uid, wrong_codes=0).on_conflict_do_nothing())
    is_old = or_(col(ZaloUser.wrong_since).is_(None), col(ZaloUser.wrong_since) <= at - WRONG_WITHIN)
    session.execute(
        update(ZaloUser).where(col(ZaloUser.uid) == uid, is_old).values(wrong_codes=0, wrong_since=at)
    )
    session.execute(
        update(ZaloUser).where(col(ZaloUser.uid) == uid).values(wrong_codes=ZaloUser.wrong_codes + 1)
    )


def _journal(session: Session, contact: Contact, at: datetime) -> None:
    """Write the link into the journal of every running campaign that has the person's unit."""
    unit = session.exec(select(Unit).where(Unit.id == contact.unit_id)).one()
    its = select(CampaignUnit.campaign_id).where(CampaignUnit.unit_id == unit.id)
    running = select(Campaign).where(col(Campaign.id).in_(its), Campaign.stage != Stage.CLOSED)
    for campaign in session.exec(running.order_by(col(Campaign.id))).all():
        journal.write(
            session,
            campaign,
            "zalo_linked",
            at=at,
            by=contact.name,
            unit=unit.code,
            detail={"to": contact.name},
        )


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()
