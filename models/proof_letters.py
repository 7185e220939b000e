"""The letters in a proof: what carried a notice over one channel after the other, with every try."""

from typing import Any

from sqlalchemy import and_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from models.delivery_log import WITHOUT_WORDS, tries_of
from models.tables import Letter, Notice
from rules.notices import LetterState
from rules.proof import Attempt, Sending
from rules.sending import Follows, Outcome


def chains(session: Session, notices: Any) -> dict[int, tuple[Sending, ...]]:
    """Return, by the id of a letter of these notices, what failed on the channels before it, then itself.

    Letters are numbered by the time of their first try. One that somebody asked to be sent again has
    lines of its own and begins a chain.
    """
    its_own = select(Notice.letter_id).where(notices, col(Notice.letter_id).is_not(None))
    link: Any = select(Letter.id, Letter.follows, Letter.follows_id).where(col(Letter.id).in_(its_own))
    links = link.cte("links", recursive=True)
    before = aliased(Letter)
    links = links.union(
        select(before.id, before.follows, before.follows_id).join(
            links, and_(links.c.follows_id == before.id, links.c.follows == Follows.NEXT_CHANNEL)
        )
    )
    ids = select(links.c.id)
    rows = session.exec(select(Letter).where(col(Letter.id).in_(ids)).options(*WITHOUT_WORDS)).all()
    tries = tries_of(session, ids)
    began = {
        row.id: tries[row.id][0].at if tries[row.id] else row.settled_at or row.not_before for row in rows
    }
    in_order = sorted(rows, key=lambda row: (began[row.id], row.key))
    sendings = {row.id: _sending(number, row, tries[row.id]) for number, row in enumerate(in_order, start=1)}
    earlier = {row.id: row.follows_id for row in rows if row.follows is Follows.NEXT_CHANNEL}
    return {row.id: _chain(row.id, sendings, earlier) for row in rows}


def _sending(number: int, row: Letter, tries: tuple[Attempt, ...]) -> Sending:
    return Sending(
        number=number,
        channel=row.channel,
        way=row.way,
        address=row.address,
        state=row.state,
        not_before=row.not_before,
        message_id=row.message_id,
        subject=row.subject,
        provider_id=row.provider_id,
        settled_at=row.settled_at,
        delivered_at=row.delivered_at,
        seen_at=row.seen_at,
        follows=row.follows,
        repeats=row.repeats,
        tries=tries or _only_try(row),
    )


def _only_try(row: Letter) -> tuple[Attempt, ...]:
    """Return the answer kept with a letter of the time before each try was kept, if it was ever tried."""
    if row.outcome_code is None or row.settled_at is None:
        return ()
    outcome = Outcome.PERMANENT if row.state is LetterState.FAILED else Outcome.ACCEPTED
    words = row.provider_words or ""
    return (Attempt(row.settled_at, row.way, outcome, row.outcome_code, row.provider_id or "", words),)


def _chain(
    letter_id: int, sendings: dict[int, Sending], earlier: dict[int, int | None]
) -> tuple[Sending, ...]:
    found = [sendings[letter_id]]
    while (letter_id := earlier.get(letter_id) or 0) in sendings:
        found.insert(0, sendings[letter_id])
    return tuple(found)
