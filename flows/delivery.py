"""Delivery: send what is queued, write down what happened. Several may run side by side."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from config.settings import settings
from flows.running import Run, plainly
from models.campaigns import campaigns_that_send
from models.database import transaction
from models.facts import Claimed, letters_to_say
from models.outbox import Said, claim, record, recover
from notifications.compose import compose
from notifications.deliver import deliver
from notifications.email import MailServer
from notifications.messages import Message
from notifications.receipts import Outcome, Receipt

LOG = logging.getLogger("congnhan")
BATCH = 50


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How many letters had each outcome (`accepted`, `transient`, …)."""

    outcomes: tuple[tuple[str, int], ...] = ()

    @property
    def sent(self) -> int:
        """How many letters were accepted."""
        return dict(self.outcomes).get("accepted", 0)


def deliver_letters(now: datetime, server: MailServer, *, run: Run = plainly) -> DeliveryReport:
    """Send every letter that may leave now, batch by batch."""
    with transaction() as session:
        recover(session, now=now)
    deliverer = uuid4().hex
    outcomes: Counter[str] = Counter()
    while (claimed_ids := _claim(now, deliverer)) is not None:
        if claimed_ids:
            outcomes.update(run(send_batch, claimed_ids, now, server, deliverer))
    return DeliveryReport(tuple(sorted(outcomes.items())))


def _claim(now: datetime, deliverer: str) -> list[int] | None:
    """Claim a batch and commit; None when nothing is left that may leave now."""
    with transaction() as session:
        return claim(
            session,
            now=now,
            by=deliverer,
            open_windows=campaigns_that_send(session, now),
            limit=BATCH,
        )


def send_batch(claimed_ids: list[int], now: datetime, server: MailServer, deliverer: str) -> list[str]:
    """Send claimed letters with no transaction open, record what happened and commit.

    Returns the outcome of each letter.
    """
    with transaction() as session:
        claimed = letters_to_say(
            session,
            claimed_ids,
            now=now,
            mail_domain=settings().mail_domain,
            link=settings().portal_url,
        )
    messages, unsayable = _composed(claimed)
    receipts = list(deliver([message for _, message in messages], server))
    said = [*_said(messages, receipts), *unsayable]
    with transaction() as session:
        record(session, said, by=deliverer, at=now)
    return [one.outcome for one in said]


def _composed(claimed: Sequence[Claimed]) -> tuple[list[tuple[Claimed, Message]], list[Said]]:
    """Return the messages of a batch, and an account of the letters that could not be composed.

    A letter whose template fails is this installation's fault: it is held and tried again, and the
    others of its batch go all the same.
    """
    messages, unsayable = [], []
    for letter in claimed:
        if letter.says is None:
            unsayable.append(_unsaid(letter, "no facts"))
            continue
        try:
            message = compose(letter.says, from_name=settings().mail_from_name, to_address=letter.address)
        except Exception as error:  # whatever a template raises, the others have their deadlines too
            LOG.error("letter %d cannot be composed", letter.letter_id, exc_info=error)
            unsayable.append(_unsaid(letter, type(error).__name__))
        else:
            messages.append((letter, message))
    return messages, unsayable


def _unsaid(letter: Claimed, words: str) -> Said:
    """Return the account of a letter that was not even composed."""
    return Said(
        letter_id=letter.letter_id,
        outcome=Outcome.CONFIGURATION.value,
        code="",
        provider_id="",
        words=words,
        subject="",
        text="",
        html="",
        message_id=letter.says.message_id if letter.says else "",
    )


def _said(messages: Sequence[tuple[Claimed, Message]], receipts: Sequence[Receipt]) -> list[Said]:
    return [
        Said(
            letter_id=letter.letter_id,
            outcome=receipt.outcome.value,
            code=receipt.code,
            provider_id=receipt.provider_id,
            words=receipt.words,
            subject=message.subject,
            text=message.text,
            html=message.html,
            message_id=message.message_id,
            attachments=tuple(
                {"filename": each.filename, "sha256": sha256(each.content).hexdigest()}
                for each in message.attachments
            ),
        )
        for (letter, message), receipt in zip(messages, receipts, strict=True)
    ]
