"""Delivery: send what is queued, write down what happened. Several may run side by side."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from uuid import uuid4

from config.settings import settings
from flows.running import Elapsed, Run, plainly, standing_still
from models.campaigns import campaigns_that_send
from models.database import Session, transaction
from models.facts import Claimed, letters_to_say
from models.holds import hold_unusable
from models.letter_ids import ids_of_letters
from models.outbox import channels_waiting, claim, recover
from models.outcomes import Said, Tried, record
from notifications.compose import compose
from notifications.deliver import MailPool
from notifications.email import MailServer
from notifications.messages import Message
from notifications.receipts import Receipt
from notifications.zalo.compose import compose_zalo
from notifications.zalo.platform import ZaloMessage, ZaloRecipient
from notifications.zalo.sender import ZaloSender
from rules.notices import Channel
from rules.sending import BEGUN_WITHIN, Outcome, parse_zalo_address

LOG = logging.getLogger("congnhan")

# As many answers as these are written down even before the last letter of a batch has been composed.
RECORDED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Begun:
    """A letter handed to its channel: `said` says how it went, once there is an answer (None: there is)."""

    said: Callable[[], Said]
    answer: Future[Receipt] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether `said` need not wait."""
        return self.answer is None or self.answer.done()


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How many letters had each outcome (`accepted`, `transient`, …)."""

    outcomes: tuple[tuple[str, int], ...] = ()

    @property
    def sent(self) -> int:
        """How many letters were accepted."""
        return dict(self.outcomes).get(Outcome.ACCEPTED, 0)


def deliver_letters(
    now: datetime,
    server: MailServer,
    *,
    zalo: ZaloSender | None = None,
    run: Run = plainly,
    elapsed: Elapsed = standing_still,
) -> DeliveryReport:
    """Send every letter that may leave now, batch by batch; `elapsed` is the time since `now`.

    E-mail goes first, then Zalo, which takes one letter at a time, then what Zalo has left to e-mail.
    """
    with transaction() as session:
        recover(session, now=now)
        waiting = channels_waiting(session, now=now)
    outcomes: Counter[str] = Counter()
    if not waiting:
        return DeliveryReport()
    chosen = settings()
    with MailPool(server, connections=chosen.mail_connections, per_minute=chosen.mail_per_minute) as mails:
        turn = _Turn(now, elapsed, mails, zalo)
        order = (Channel.EMAIL, Channel.ZALO, Channel.EMAIL) if Channel.ZALO in waiting else (Channel.EMAIL,)
        for channel in order:
            while turn.may_use(channel) and (claimed_ids := turn.claim(channel)) is not None:
                if claimed_ids:
                    outcomes.update(run(turn.send_batch, claimed_ids))
    return DeliveryReport(tuple(sorted(outcomes.items())))


class _Turn:
    """One deliverer at work: what it sends over, and under which name it claims letters."""

    def __init__(
        self, began_at: datetime, elapsed: Elapsed, mails: MailPool, zalo: ZaloSender | None
    ) -> None:
        self._began_at, self._elapsed, self._mails, self._zalo = began_at, elapsed, mails, zalo
        self._name = uuid4().hex

    def _now(self) -> datetime:
        return self._began_at + self._elapsed()

    def may_use(self, channel: Channel) -> bool:
        """Say whether there is anything to send over; a channel that is not set up here is held."""
        if channel is Channel.EMAIL:
            return not self._mails.is_unreachable
        if self._zalo is None:
            with transaction() as session:
                hold_unusable(session, channel, at=self._now())
        return self._zalo is not None

    def claim(self, channel: Channel) -> list[int] | None:
        """Claim a batch and commit; None when nothing is left that may leave now."""
        now = self._now()
        with transaction() as session:
            return claim(
                session,
                now=now,
                by=self._name,
                channel=channel,
                open_windows=campaigns_that_send(session, now),
                mail_domain=settings().mail_domain,
            )

    def send_batch(self, claimed_ids: list[int]) -> list[str]:
        """Send claimed letters with no transaction open, record what happened and commit.

        Returns the outcome of each letter.
        """
        now, within = self._now(), BEGUN_WITHIN.total_seconds()
        with transaction() as session:
            claimed = letters_to_say(
                session, claimed_ids, now=now, mail_domain=settings().mail_domain, link=settings().portal_url
            )
        # Each is handed over as soon as it is composed, and each answer is written down as soon as it is
        # there, with the others that have come meanwhile: what a crash leaves in doubt is the letters
        # that were under way, and a slow server makes them no more.
        begun: list[_Begun] = []
        outcomes: list[str] = []
        for letter in claimed:
            begun.append(self._begin(letter, within))
            if sum(each.is_answered for each in begun) >= RECORDED_AT_ONCE:
                begun = self._record_answered(begun, outcomes)
        while begun:
            if not any(each.is_answered for each in begun):
                wait([each.answer for each in begun if each.answer], return_when=FIRST_COMPLETED)
            begun = self._record_answered(begun, outcomes)
        return outcomes

    def _record_answered(self, begun: Sequence[_Begun], outcomes: list[str]) -> list[_Begun]:
        """Write down what has been answered and commit, add the outcomes; returns what is under way."""
        answered = [each for each in begun if each.is_answered]
        said = [each.said() for each in answered]
        with transaction() as session:
            record(session, said, by=self._name, at=self._now())
            _log(session, said)
        outcomes += [one.last.outcome.value for one in said]
        return [each for each in begun if each not in answered]

    def _begin(self, letter: Claimed, within: float) -> _Begun:
        """Compose a letter and hand it to its channel.

        A letter whose template fails is this installation's fault: it is held and tried again, and
        the others of its batch go all the same.
        """
        if letter.says is None:
            return _unsaid(letter, "no facts")
        try:
            if letter.channel is Channel.ZALO:
                return self._begin_zalo(letter, compose_zalo(letter.says, _recipient(letter)))
            message = compose(
                letter.says,
                from_name=settings().mail_from_name,
                to_address=letter.address,
                repeats=letter.repeats,
            )
        except Exception as error:  # whatever a template raises, the others have their deadlines too
            LOG.error("letter %d cannot be composed", letter.letter_id, exc_info=error)
            return _unsaid(letter, type(error).__name__)
        answer = self._mails.send(message, within=within)
        return _Begun(partial(_mailed, letter, message, answer), answer)

    def _begin_zalo(self, letter: Claimed, message: ZaloMessage) -> _Begun:
        assert self._zalo is not None
        receipts = self._zalo.send(message)
        tries = tuple(_tried(receipt) for receipt in receipts)
        said = receipts[-1].said or message.text
        return _Begun(partial(Said, letter.letter_id, tries, text=said))


def _log(session: Session, said: Sequence[Said]) -> None:
    """Write a line for each letter: its ids and what came of it, no address and no words."""
    if not LOG.isEnabledFor(logging.INFO):
        return
    about = ids_of_letters(session, [one.letter_id for one in said])
    for one in said:
        known = about.get(one.letter_id)
        extra: dict[str, object] = {"letter": one.letter_id, "outcome": one.last.outcome.value}
        if known:
            extra |= {"campaign": known.campaign, "notice": known.notices, "item": known.items}
        LOG.info("a letter was tried", extra=extra)


def _recipient(letter: Claimed) -> ZaloRecipient:
    """Return how a person is reached over Zalo, from what is recorded of him."""
    linked = parse_zalo_address(letter.zalo) if letter.zalo else None
    return ZaloRecipient(
        uid=linked.uid if linked else None,
        group_id=linked.group_id if linked else None,
        chat_id=linked.chat_id if linked else None,
        phone=letter.phone,
        last_interaction_at=letter.last_interaction_at,
    )


def _mailed(letter: Claimed, message: Message, answer: Future[Receipt]) -> Said:
    """Return what a mail said and how it went; waits for the answer."""
    return Said(
        letter_id=letter.letter_id,
        tries=(_tried(answer.result()),),
        subject=message.subject,
        text=message.text,
        html=message.html,
        attachments=tuple(
            {"filename": each.filename, "sha256": sha256(each.content).hexdigest()}
            for each in message.attachments
        ),
    )


def _unsaid(letter: Claimed, words: str) -> _Begun:
    """Return the account of a letter that was not even composed."""
    return _Begun(partial(Said, letter.letter_id, (Tried(Outcome.CONFIGURATION, words=words, way=None),)))


def _tried(receipt: Receipt) -> Tried:
    return Tried(
        outcome=receipt.outcome,
        code=receipt.code,
        provider_id=receipt.provider_id,
        words=receipt.words,
        way=receipt.way,
        pause=receipt.pause,
        most_tries=receipt.most_tries,
        is_shown=receipt.is_shown,
    )
