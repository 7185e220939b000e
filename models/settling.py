"""What people do about letters: settle one of which nobody knows whether it went, send one again."""

from datetime import datetime

from sqlalchemy import func, literal
from sqlmodel import Session, col, select

from models import journal
from models.campaigns import get_campaign_by_id
from models.channels import address_of
from models.inserting import inserting, joined
from models.notices import NOTICE_COLUMNS, is_still_true, settle_notices
from models.tables import Contact, Letter, Notice
from rules.notices import LetterState, NoticeState
from rules.sending import Follows

HIGHEST_NUMBER = 2**31 - 1  # of a letter: no column of either database holds a higher one
# Letters that have left, or could not: what is still under way is nobody's to send again.
HAS_ENDED = (LetterState.SENT, LetterState.DELIVERED, LetterState.FAILED)


class UnknownLetter(Exception):
    """No letter has this number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class NotUncertain(Exception):
    """The letter is not one of which nobody knows whether it went; `state` says what it is."""

    def __init__(self, number: int, state: LetterState) -> None:
        super().__init__(f"{number}: {state}")
        self.number, self.state = number, state


class NotEnded(Exception):
    """The letter is still under way or was never sent, so there is nothing to send again."""

    def __init__(self, number: int, state: LetterState) -> None:
        super().__init__(f"{number}: {state}")
        self.number, self.state = number, state


class NoLongerTrue(Exception):
    """Nothing of what the letter said holds any more: whoever owed has handed in, or has another term."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class NobodyToSendTo(Exception):
    """The recipient has left or has no address on this channel any more."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(number)
        self.number, self.name = number, name


def send_uncertain(session: Session, number: int, *, at: datetime, by: str | None) -> Letter:
    """Let an uncertain letter go once more under the same identity; what is untrue by then drops out.

    Raises UnknownLetter and NotUncertain.
    """
    letter = _uncertain(session, number)
    letter.state, letter.not_before, letter.repeats = LetterState.QUEUED, at, letter.repeats + 1
    _note(session, letter, "letter_sent_again", at=at, by=by)
    return letter


def drop_uncertain(session: Session, number: int, *, at: datetime, by: str | None) -> Letter:
    """End an uncertain letter without sending it again; raises UnknownLetter and NotUncertain."""
    letter = _uncertain(session, number)
    letter.state, letter.settled_at = LetterState.FAILED, at
    settle_notices(session, [letter.id], NoticeState.FAILED, at=at)
    _note(session, letter, "letter_dropped", at=at, by=by)
    return letter


def resend(session: Session, number: int, *, at: datetime, by: str | None) -> Letter:
    """Send what a letter said to the same person once more, over the same channel; returns the new letter.

    It is composed anew, goes to the address recorded now, and carries the Message-ID of the first.
    Lines that are no longer true are left out. Raises UnknownLetter, NotEnded, NoLongerTrue and
    NobodyToSendTo.
    """
    letter = _get(session, number)
    if letter.state not in HAS_ENDED:
        raise NotEnded(number, letter.state)
    true_still = select(Notice.id).where(col(Notice.letter_id) == number, is_still_true())
    if session.exec(true_still.limit(1)).first() is None:
        raise NoLongerTrue(number)
    contact = session.exec(select(Contact).where(Contact.id == letter.contact_id)).one()
    address = address_of(contact, letter.channel) or (letter.address if letter.way else None)
    if contact.left_at is not None or address is None:
        raise NobodyToSendTo(number, contact.name)
    times = session.exec(
        select(func.count()).where(col(Letter.follows_id) == number, col(Letter.follows) == Follows.AGAIN)
    ).one()
    mark = f"|again:{times + 1}"
    again = Letter(
        key=letter.key + mark,
        campaign_id=letter.campaign_id,
        kind=letter.kind,
        role=letter.role,
        contact_id=letter.contact_id,
        channel=letter.channel,
        only_over=letter.only_over,
        follows=Follows.AGAIN,
        follows_id=letter.id,
        state=LetterState.QUEUED,
        not_before=at,
        repeats=letter.repeats + 1,
        address=address,
        message_id=letter.message_id,
    )
    session.add(again)
    session.flush()
    _copy_lines(session, letter, again, mark, at)
    _note(session, letter, "letter_resent", at=at, by=by)
    return again


def name_of(session: Session, letter: Letter) -> str:
    """Return the name of whom a letter goes to."""
    return session.exec(select(Contact.name).where(Contact.id == letter.contact_id)).one()


def _copy_lines(session: Session, letter: Letter, again: Letter, mark: str, at: datetime) -> None:
    """Queue once more what a letter said and is still true."""
    values = {
        "key": joined(Notice.key, mark),
        "state": literal(NoticeState.QUEUED.value),
        "due_at": literal(at, Notice.__table__.c.due_at.type),  # type: ignore[attr-defined]
        "settled_at": literal(None, Notice.__table__.c.settled_at.type),  # type: ignore[attr-defined]
    }
    rows = select(  # type: ignore[call-overload]
        *[values.get(name, getattr(Notice, name)) for name in NOTICE_COLUMNS],
        Notice.note,
        Notice.only_over,
        literal(again.id),
    ).where(col(Notice.letter_id) == letter.id, is_still_true())
    session.execute(
        inserting(session, Notice).from_select([*NOTICE_COLUMNS, "note", "only_over", "letter_id"], rows)
    )


def _get(session: Session, number: int) -> Letter:
    letter = session.exec(select(Letter).where(Letter.id == number).with_for_update()).one_or_none()
    if letter is None:
        raise UnknownLetter(number)
    return letter


def _uncertain(session: Session, number: int) -> Letter:
    letter = _get(session, number)
    if letter.state is not LetterState.UNCERTAIN:
        raise NotUncertain(number, letter.state)
    return letter


def _note(session: Session, letter: Letter, what: str, *, at: datetime, by: str | None) -> None:
    """Write into the campaign's journal what was done about a letter."""
    detail = {
        "letter": letter.message_id or letter.key,
        "to": name_of(session, letter),
        "channel": letter.channel.value,
    }
    campaign = get_campaign_by_id(session, letter.campaign_id)
    journal.write(session, campaign, what, at=at, by=by, detail=detail)
    session.add(letter)
    session.flush()
