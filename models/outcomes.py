"""What became of letters: receipts are written down in batches, and what follows from them is queued."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import literal
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from models.channels import address_of
from models.holds import hold, let_pass
from models.inserting import inserting
from models.letters import BY_EMAIL
from models.notices import settle_notices
from models.tables import Contact, Letter, Notice, Try
from models.telling import tell_of_channel, tell_of_letters
from models.zalo_receipts import apply_receipts
from rules.notices import Channel, LetterState, NoticeState
from rules.sending import Follows, Outcome, Pause, Verdict, Way, costs_a_try, verdict


@dataclass(frozen=True, slots=True)
class Tried:
    """What one way answered about a letter; the same facts as notifications.receipts.Receipt."""

    outcome: Outcome
    code: str = ""
    provider_id: str = ""
    words: str = ""
    way: Way | None = Way.EMAIL
    pause: Pause | None = None
    most_tries: int | None = None
    is_shown: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one letter said and what its ways answered, the last of them deciding."""

    letter_id: int
    tries: tuple[Tried, ...]
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[Mapping[str, str], ...] = ()

    @property
    def last(self) -> Tried:
        """The answer that decides."""
        return self.tries[-1]


@dataclass(frozen=True, slots=True)
class _Settled:
    """The letters of a batch by what has become of them."""

    said: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    uncertain: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)


def record(session: Session, said: Sequence[Said], *, by: str, at: datetime) -> None:
    """Write down what happened to letters that were claimed by this sender.

    `rules.sending.verdict` says what an answer makes of a letter. A letter that has failed goes over
    the person's next channel; after the last the standing office is told. What nobody may send again
    unasked is told it as well, and so is a channel that cannot be used as it is set up.
    """
    claimed = {
        row.id: row
        for row in session.execute(
            select(Letter.id, Letter.attempts, Letter.channel, Letter.not_before).where(
                col(Letter.id).in_([one.letter_id for one in said]), Letter.claimed_by == by
            )
        )
    }
    # Where the lease of one ended another sender has it, and what he records counts.
    mine = [one for one in said if one.letter_id in claimed]
    if not mine:
        return
    settled = _Settled()
    rows = []
    for one in mine:
        letter = claimed[one.letter_id]
        found = verdict(
            one.last.outcome,
            channel=letter.channel,
            attempts=letter.attempts,
            at=at,
            pause=one.last.pause,
            most_tries=one.last.most_tries,
        )
        rows.append(_row(one, letter, found, at))
        _sort(settled, one, found, letter.channel)
    _write(session, mine, rows, at)
    settle_notices(session, settled.said, NoticeState.SAID, at=at)
    told = apply_failures(session, settled.failed, cause="failed", at=at)
    of_zalo = [one.letter_id for one in mine if claimed[one.letter_id].channel is Channel.ZALO]
    unreported = apply_receipts(session, of_zalo, at=at)
    tell_of_letters(session, set(settled.uncertain) & unreported, cause="uncertain", at=at)
    tell_of_letters(session, set(settled.shown) - told, cause="shown", at=at)
    _hold_or_let_pass(session, mine, claimed, at)


def _row(one: Said, letter: Any, found: Verdict, at: datetime) -> dict[str, Any]:
    last = one.last
    costs = costs_a_try(last.outcome)
    return {
        "id": one.letter_id,
        "state": found.state,
        "attempts": letter.attempts if costs else letter.attempts - 1,
        "claimed_by": None,
        "lease_until": None,
        "way": last.way,
        "outcome_code": last.code,
        "provider_id": last.provider_id,
        "provider_words": last.words,
        "subject": one.subject,
        "text": one.text,
        "html": one.html,
        "attachments": [dict(each) for each in one.attachments],
        "not_before": found.not_before or letter.not_before,
        "settled_at": at if found.state in (LetterState.SENT, LetterState.FAILED) else None,
    }


def _sort(settled: _Settled, one: Said, found: Verdict, channel: Channel) -> None:
    if found.state is LetterState.SENT:
        settled.said.append(one.letter_id)
    elif found.state is LetterState.FAILED:
        settled.failed.append(one.letter_id)
    elif found.state is LetterState.UNCERTAIN and found.not_before is None:
        settled.uncertain.append(one.letter_id)
    has_ended = found.state in (LetterState.SENT, LetterState.FAILED)
    if any(each.is_shown for each in one.tries) and has_ended:
        settled.shown.append(one.letter_id)


def _write(session: Session, mine: Sequence[Said], rows: list[dict[str, Any]], at: datetime) -> None:
    session.execute(update(Letter), rows)
    tries = [
        {
            "letter_id": one.letter_id,
            "way": each.way,
            "tried_at": at,
            "outcome": each.outcome,
            "code": each.code,
            "provider_id": each.provider_id,
            "words": each.words,
        }
        for one in mine
        for each in one.tries
        if each.outcome is not Outcome.NOT_TRIED
    ]
    if tries:
        session.execute(inserting(session, Try), tries)


def apply_failures(session: Session, letter_ids: Collection[int], *, cause: str, at: datetime) -> set[int]:
    """Let what these failed letters had to say go over the next channel, or end it and tell of it.

    The notices of the letters are queued still. What goes by e-mail besides need not fall back to it.
    Returns the letters of which the standing office was told.
    """
    if not letter_ids:
        return set()
    _follow_over_next_channel(session, letter_ids, at=at)
    besides = aliased(Notice)
    session.execute(
        update(Notice)
        .where(
            col(Notice.letter_id).in_(letter_ids),
            col(Notice.state) == NoticeState.QUEUED,
            select(besides.id).where(col(besides.key) == col(Notice.key) + literal(BY_EMAIL)).exists(),
        )
        .values(state=NoticeState.FAILED, settled_at=at, reason="besides")
        .execution_options(synchronize_session=False)
    )
    lost = {
        row[0]
        for row in session.execute(
            update(Notice)
            .where(col(Notice.letter_id).in_(letter_ids), col(Notice.state) == NoticeState.QUEUED)
            .values(state=NoticeState.FAILED, settled_at=at)
            .returning(col(Notice.letter_id))
            .execution_options(synchronize_session=False)
        )
    }
    tell_of_letters(session, lost, cause=cause, at=at)
    return lost


def _follow_over_next_channel(session: Session, letter_ids: Collection[int], *, at: datetime) -> None:
    """Write, for each failed letter that has a channel left, the one that follows it, and move its lines."""
    rows = []
    failed = select(Letter, Contact).join(Contact, col(Contact.id) == Letter.contact_id)
    for letter, contact in session.execute(
        failed.where(col(Letter.id).in_(letter_ids), Letter.next_channels != "").execution_options(
            populate_existing=True
        )
    ):
        left = [Channel(each) for each in letter.next_channels.split(",")]
        usable = [each for each in left if address_of(contact, each)]
        if not usable:
            continue
        after = left[left.index(usable[0]) + 1 :]
        rows.append(
            {
                "key": f"{letter.key}|{usable[0].value}",
                "campaign_id": letter.campaign_id,
                "kind": letter.kind,
                "role": letter.role,
                "contact_id": contact.id,
                "channel": usable[0],
                "next_channels": ",".join(each.value for each in after),
                "follows": Follows.NEXT_CHANNEL,
                "follows_id": letter.id,
                "state": LetterState.QUEUED,
                "not_before": at,
                "attempts": 0,
                "repeats": 0,
                "address": address_of(contact, usable[0]),
            }
        )
    if not rows:
        return
    session.execute(inserting(session, Letter).on_conflict_do_nothing(index_elements=["key"]), rows)
    following, besides = aliased(Letter), aliased(Notice)
    session.execute(
        update(Notice)
        .where(
            col(Notice.letter_id).in_([row["follows_id"] for row in rows]),
            col(Notice.state) == NoticeState.QUEUED,
            ~select(besides.id).where(col(besides.key) == col(Notice.key) + literal(BY_EMAIL)).exists(),
        )
        .values(
            letter_id=select(following.id)
            .where(
                col(following.follows_id) == Notice.letter_id,
                col(following.follows) == Follows.NEXT_CHANNEL,
            )
            .correlate(Notice)
            .scalar_subquery()
        )
        .execution_options(synchronize_session=False)
    )


def _hold_or_let_pass(
    session: Session, mine: Sequence[Said], claimed: Mapping[int, Any], at: datetime
) -> None:
    """Hold a channel that cannot be used as it is set up; release one that has answered otherwise."""
    of_channel: dict[Channel, list[Said]] = {}
    for one in mine:
        of_channel.setdefault(claimed[one.letter_id].channel, []).append(one)
    for channel, of_it in of_channel.items():
        # A letter that could not even be composed says nothing about its channel.
        at_fault = [
            one for one in of_it if one.last.outcome is Outcome.CONFIGURATION and one.last.way is not None
        ]
        if at_fault:
            last = at_fault[0].last
            if hold(session, channel, code=last.code, words=last.words, at=at):
                tell_of_channel(session, [one.letter_id for one in at_fault], channel, at=at)
        elif any(_has_answered(one.last) for one in of_it):
            let_pass(session, channel)


def _has_answered(last: Tried) -> bool:
    """Say whether a provider has taken a letter, or refused this one alone; what we refuse has no code."""
    return last.outcome is Outcome.ACCEPTED or (last.outcome is Outcome.PERMANENT and last.code != "")
