"""A walked campaign of which all can be proved: early, late, extended, let off, silent, unreachable."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from config.script_file import Verb
from flows.campaign import tick
from flows.reminders import Reach
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction
from models.outbox import claim
from models.outcomes import Said, Tried, record
from notifications import mailbox as mailboxes
from notifications.mailbox import Mailbox
from rules.calendar import By
from rules.notices import Channel
from rules.work_items import Via
from tests import factories, worlds
from tests.walking import OPEN_GATE, Walk, at, begin

# Whose address the mail server does not know.
UNKNOWN = "f@mau.example"
NOW = "2021-11-29 09:00"


@contextmanager
def refusing_mailbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """Open a mailbox whose server refuses one recipient as unknown."""

    async def handle_rcpt(
        self: Any, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address == UNKNOWN:
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    monkeypatch.setattr(mailboxes._Keeper, "handle_RCPT", handle_rcpt, raising=False)
    with Mailbox(folder) as opened:
        yield opened


def walked(folder: Path, mailbox: Mailbox) -> Walk:
    """Walk a campaign whose dossiers are due before Monday 22/11/2021 to the end of its ladder.

    a hands in before any reminder, b late; c is given more time by a paper and hands in while a
    reminder waits to go; d is let off, e says nothing, and the only person of f cannot be reached.
    On Thursday the 18th nothing runs.
    """
    worlds.once("all that can be proved", mailbox, lambda: _walk(folder, mailbox))
    return Walk("mau-2021", mailbox)


def _walk(folder: Path, mailbox: Mailbox) -> None:
    lonely = factories.unit("f", contacts=[factories.contact("f", "officer")])
    of_units = [*factories.units(communes=("a", "b", "c", "d", "e")), lonely]
    walk = begin(folder, mailbox, of_units=of_units)
    walk.visit("2021-11-11 07:31")
    walk.do(Verb.SUBMIT, "2021-11-12 09:00", "a", number="12/BC", via=Via.PAPER)
    walk.do(Verb.WAIVE, "2021-11-12 10:00", "d", reasons=("mới sáp nhập",))
    walk.visit("2021-11-12 10:00")
    until = By(at("2021-11-26 00:00").date())
    walk.do(Verb.EXTEND, "2021-11-15 09:00", "c", term=until, reasons=("lũ",), number="7/CV-MẪU")
    walk.visit("2021-11-15 09:00", "2021-11-16 07:30", "2021-11-19 07:30", "2021-11-22 08:30")
    walk.do(Verb.SUBMIT, "2021-11-22 14:00", "b")
    walk.visit("2021-11-22 14:00", "2021-11-23 07:30", "2021-11-23 08:30")
    walk.tick("2021-11-25 07:30")
    walk.do(Verb.SUBMIT, "2021-11-25 07:40", "c")
    walk.visit("2021-11-25 07:41", "2021-11-25 08:30", "2021-11-26 07:30")


def over_zalo(folder: Path, mailbox: Mailbox) -> Walk:
    """Let the reminder of the last day wait for Zalo."""
    worlds.once("the last day waits for Zalo", mailbox, lambda: _wait_for_zalo(folder, mailbox))
    return Walk("mau-2021", mailbox)


def _wait_for_zalo(folder: Path, mailbox: Mailbox) -> None:
    contacts = [factories.contact("a", "officer", zalo="uid-a"), factories.contact("a.head", "unit_head")]
    of_units = [*factories.units(communes=()), factories.unit("a", contacts=contacts)]
    channels = {"default": ["email"], "urgent": ["zalo", "email"]}
    begin(folder, mailbox, of_units=of_units, channels=channels)
    tick(at("2021-11-19 07:30"), gate=OPEN_GATE, reach=Reach(frozenset(Channel)))


def answer(moment: str, *tries: Tried) -> int:
    """Claim the letter that waits for Zalo and write down what Zalo answered; returns its id."""
    now = at(moment)
    with transaction() as session:
        campaigns = [get_campaign(session, "mau-2021").id]
        (letter_id,) = claim(
            session,
            now=now,
            by="one",
            open_windows=campaigns,
            mail_domain="mau.example",
            channel=Channel.ZALO,
        )
    with transaction() as session:
        record(session, [Said(letter_id, tries, text="MẪU")], by="one", at=now)
    return letter_id


def issued(database: Database, work: Callable[[], object]) -> list[str]:
    """Return the statements that are issued while a function runs."""
    found: list[str] = []

    def listen(*given: Any) -> None:
        found.append(given[2])

    event.listen(database._engine, "before_cursor_execute", listen)
    work()
    event.remove(database._engine, "before_cursor_execute", listen)
    return found


def queued(folder: Path, code: str, communes: int) -> None:
    """Open a campaign with so many communes and let everything up to the first late step be queued."""
    of_units = factories.units(communes=[f"{code}-{number}" for number in range(communes)])
    for unit in of_units:
        unit["code"] = unit["code"] if unit["kind"] == "commune" else f"{code}-{unit['code']}"
    names = {"organiser": f"{code}-city", "standing_office": f"{code}-standing"}
    file = factories.campaign(folder, of_units, code=code, reviews={f"{code}-x": ["I"]}, **names)
    with transaction() as session:
        open_campaign(session, file, at=at("2021-11-11 07:30"), by=None)
    for moment in ("2021-11-11 07:30", "2021-11-16 07:30", "2021-11-22 08:30"):
        tick(at(moment), gate=OPEN_GATE)
