"""The delivery log: every letter with its tries, in a number of statements that does not grow with them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, select

from models.tables import Campaign, ChannelHold, Contact, Letter, Notice, Try, Unit, WorkItem
from rules.notices import Channel, LetterState, NoticeKind
from rules.proof import Attempt
from rules.sending import Follows, Way

# What a letter said is long, and a log does not show it.
WITHOUT_WORDS = (defer(Letter.text), defer(Letter.html), defer(Letter.attachments))  # type: ignore[arg-type]

# Words by letter, each once, in their order.
_Words = dict[int, dict[str, None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which letters are asked for; None asks for all. Instants are those of `LoggedLetter.at`.

    A unit is asked for its own letters and those that speak of what it owes.
    """

    campaign: str | None = None
    state: LetterState | None = None
    unit: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoggedLetter:
    """A letter as the log shows it; `number` is what `settle` and `resend` take.

    `steps` and `items` are those of its lines, or of the letter that took them over. `held` is the
    hold of the channel over which it waits to go.
    """

    number: int
    campaign: str
    state: LetterState
    kind: NoticeKind
    steps: tuple[str, ...]
    items: tuple[str, ...]
    to: str
    title: str
    unit: str
    unit_name: str
    role: str
    address: str
    channel: Channel
    way: Way | None
    not_before: datetime
    settled_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    attempts: int
    repeats: int
    message_id: str | None
    subject: str | None
    code: str | None
    provider_id: str | None
    provider_words: str | None
    follows: Follows | None
    follows_number: int | None
    tries: tuple[Attempt, ...]
    held: ChannelHold | None

    @property
    def at(self) -> datetime:
        """When it was settled, else from when it may go."""
        return self.settled_at or self.not_before


def logged_letters(
    session: Session, asked: Asked, *, holds: Iterable[ChannelHold], newest: int | None
) -> list[LoggedLetter]:
    """Return the letters that are asked for, at most so many of the newest, in the order of time."""
    held = {hold.channel: hold for hold in holds}
    chosen = _chosen(asked, newest)
    rows = session.execute(
        select(Letter, Campaign.code, Contact, Unit)
        .join(Campaign, col(Campaign.id) == Letter.campaign_id)
        .join(Contact, col(Contact.id) == Letter.contact_id)
        .join(Unit, col(Unit.id) == Contact.unit_id)
        .where(col(Letter.id).in_(chosen))
        .options(*WITHOUT_WORDS)
        .order_by(_when(), col(Letter.id))
    ).all()
    tries = tries_of(session, chosen)
    steps, items = _lines(session, chosen)
    return [
        LoggedLetter(
            number=letter.id,
            campaign=campaign,
            state=letter.state,
            kind=letter.kind,
            steps=tuple(steps[letter.id]),
            items=tuple(items[letter.id]),
            to=contact.name,
            title=contact.title,
            unit=unit.code,
            unit_name=unit.name,
            role=letter.role,
            address=letter.address,
            channel=letter.channel,
            way=letter.way,
            not_before=letter.not_before,
            settled_at=letter.settled_at,
            delivered_at=letter.delivered_at,
            seen_at=letter.seen_at,
            attempts=letter.attempts,
            repeats=letter.repeats,
            message_id=letter.message_id,
            subject=letter.subject,
            code=letter.outcome_code,
            provider_id=letter.provider_id,
            provider_words=letter.provider_words,
            follows=letter.follows,
            follows_number=letter.follows_id,
            tries=tries[letter.id],
            held=held.get(letter.channel) if letter.state is LetterState.QUEUED else None,
        )
        for letter, campaign, contact, unit in rows
    ]


def tries_of(session: Session, letter_ids: Select[Any]) -> dict[int, tuple[Attempt, ...]]:
    """Return the tries of these letters in their order; one that was never tried has none."""
    found: dict[int, tuple[Attempt, ...]] = defaultdict(tuple)
    for row in session.exec(
        select(Try).where(col(Try.letter_id).in_(letter_ids)).order_by(col(Try.letter_id), col(Try.id))
    ):
        attempt = Attempt(row.tried_at, row.way, row.outcome, row.code, row.provider_id, row.words)
        found[row.letter_id] = (*found[row.letter_id], attempt)
    return found


def _chosen(asked: Asked, newest: int | None) -> Select[Any]:
    """Select the ids of the letters that are asked for."""
    which: Any = select(Letter.id)
    if asked.campaign is not None:
        which = which.join(Campaign, col(Campaign.id) == Letter.campaign_id).where(
            Campaign.code == asked.campaign
        )
    if asked.state is not None:
        which = which.where(Letter.state == asked.state)
    if asked.unit is not None:
        which = which.where(or_(_is_to(asked.unit), _is_about(asked.unit)))
    if asked.since is not None:
        which = which.where(_when() >= asked.since)
    if asked.before is not None:
        which = which.where(_when() < asked.before)
    if newest is not None:
        which = which.order_by(_when().desc(), col(Letter.id).desc()).limit(newest)
    # Once more around it: a limit must stand in a subquery of its own.
    inner = which.subquery()
    return select(inner.c.id)


def _when() -> Any:
    return func.coalesce(col(Letter.settled_at), col(Letter.not_before))


def _is_to(unit: str) -> Any:
    return (
        select(Contact.id)
        .join(Unit, col(Unit.id) == Contact.unit_id)
        .where(col(Contact.id) == Letter.contact_id, Unit.code == unit)
        .exists()
    )


def _is_about(unit: str) -> Any:
    return (
        select(Notice.id)
        .join(WorkItem, col(WorkItem.id) == Notice.item_id)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .where(col(Notice.letter_id) == Letter.id, Unit.code == unit)
        .exists()
    )


def _lines(session: Session, chosen: Select[Any]) -> tuple[_Words, _Words]:
    """Return the steps and the items of each letter's lines: by when they fell due, then in official order.

    The lines of a letter that has failed are those of the one that goes over the next channel.
    """
    next_one = aliased(Letter)
    lines: Any = (Notice.step, Notice.about, Notice.item_id, Notice.due_at, Notice.id)
    own: Any = select(col(Notice.letter_id).label("letter_id"), *lines).where(
        col(Notice.letter_id).in_(chosen)
    )
    taken_over: Any = (
        select(col(next_one.follows_id), *lines)
        .join(next_one, col(next_one.id) == Notice.letter_id)
        .where(col(next_one.follows_id).in_(chosen), next_one.follows == Follows.NEXT_CHANNEL)
    )
    both = own.union_all(taken_over).subquery()
    steps: _Words = defaultdict(dict)
    items: _Words = defaultdict(dict)
    for letter_id, step, about in session.execute(
        select(both.c.letter_id, both.c.step, both.c.about)
        .outerjoin(WorkItem, col(WorkItem.id) == both.c.item_id)
        .outerjoin(Unit, col(Unit.id) == WorkItem.unit_id)
        .order_by(both.c.due_at, func.coalesce(col(Unit.position), -1), both.c.about, both.c.id)
    ):
        steps[letter_id][step] = items[letter_id][about] = None
    return steps, items
