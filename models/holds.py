"""Channels this installation cannot use as it is set up: held, tried again, released."""

from datetime import datetime

from sqlmodel import Session, col, delete, select, update

from models.inserting import inserting
from models.tables import ChannelHold, Letter
from models.telling import tell_of_channel
from rules.notices import Channel, LetterState
from rules.sending import HELD_FOR

NOT_SET_UP = "the channel is not set up in this installation"


def find_hold(session: Session, channel: Channel) -> ChannelHold | None:
    """Return the hold of a channel, or None where it may be used."""
    return session.exec(select(ChannelHold).where(ChannelHold.channel == channel)).one_or_none()


def holds(session: Session) -> list[ChannelHold]:
    """Return every channel that is held."""
    return list(session.exec(select(ChannelHold).order_by(col(ChannelHold.channel))))


def hold(session: Session, channel: Channel, *, code: str, words: str, at: datetime) -> bool:
    """Hold a channel for a few minutes; say whether it was free before, so that somebody is alarmed once."""
    row = {"channel": channel, "since": at, "until": at + HELD_FOR, "code": code, "words": words}
    is_new = session.execute(
        inserting(session, ChannelHold)
        .values(**row)
        .on_conflict_do_nothing()
        .returning(col(ChannelHold.channel))
    ).first()
    if is_new is None:
        session.execute(
            update(ChannelHold)
            .where(col(ChannelHold.channel) == channel)
            .values(until=at + HELD_FOR, code=code, words=words)
        )
    return is_new is not None


def let_pass(session: Session, channel: Channel) -> None:
    """End the hold of a channel: something has gone over it again."""
    session.execute(delete(ChannelHold).where(col(ChannelHold.channel) == channel))


def hold_unusable(session: Session, channel: Channel, *, at: datetime) -> None:
    """Hold a channel that is not set up here where letters wait for it, and alarm once."""
    waiting = session.exec(
        select(Letter.id).where(
            Letter.channel == channel, Letter.state == LetterState.QUEUED, Letter.not_before <= at
        )
    ).all()
    if waiting and hold(session, channel, code="", words=NOT_SET_UP, at=at):
        tell_of_channel(session, [each for each in waiting if each], channel, at=at)
