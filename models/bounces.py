"""Letters that came back: what a mail server took and could not deliver after all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select, update

from models.inserting import inserting
from models.outcomes import apply_failures
from models.tables import Letter, Notice, Try
from models.telling import tell_of_letters
from rules.notices import Channel, LetterState, NoticeState
from rules.sending import Outcome, Way

# What may come back: what has left, and what may have.
MAY_COME_BACK = (LetterState.SENT, LetterState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class CameBack:
    """What a report says of one letter: its Message-ID, the recipient, a status (`5.1.1`) and words."""

    message_id: str
    recipient: str
    status: str
    words: str


def record_bounces(session: Session, came_back: Sequence[CameBack], *, at: datetime) -> int:
    """Mark the letters that came back as failed; returns how many were.

    A report counts only where it speaks of the address the letter went to, and once: one that is
    read again changes nothing. What the letter had to say goes over the person's next channel, and
    the standing office is told in any case.
    """
    reports = {(each.message_id, each.recipient.casefold()): each for each in came_back}
    found = session.exec(
        select(Letter)
        .where(
            col(Letter.message_id).in_({message_id for message_id, _ in reports}),
            Letter.channel == Channel.EMAIL,
            col(Letter.state).in_(MAY_COME_BACK),
        )
        .order_by(col(Letter.id))
        .with_for_update()
    ).all()
    # A letter that was sent again has the name of the first; the report is about the last.
    last = {(each.message_id, each.address.casefold()): each for each in found}
    returned = {key: letter for key, letter in last.items() if key in reports}
    if not returned:
        return 0
    rows, tries = [], []
    for key, letter in returned.items():
        report = reports[key]
        rows.append(
            {
                "id": letter.id,
                "state": LetterState.FAILED,
                "settled_at": at,
                "outcome_code": report.status,
                "provider_words": report.words,
            }
        )
        tries.append(
            {
                "letter_id": letter.id,
                "way": Way.EMAIL,
                "tried_at": at,
                "outcome": Outcome.PERMANENT,
                "code": report.status,
                "provider_id": letter.provider_id or "",
                "words": report.words,
            }
        )
    session.execute(update(Letter), rows)
    session.execute(inserting(session, Try), tries)
    letter_ids = [letter.id for letter in returned.values()]
    # It was not said after all: what is still true may be said another way.
    session.execute(
        update(Notice)
        .where(col(Notice.letter_id).in_(letter_ids), col(Notice.state) == NoticeState.SAID)
        .values(state=NoticeState.QUEUED, settled_at=None)
        .execution_options(synchronize_session=False)
    )
    apply_failures(session, letter_ids, cause="came_back", at=at)
    tell_of_letters(session, letter_ids, cause="came_back", at=at)
    return len(letter_ids)
