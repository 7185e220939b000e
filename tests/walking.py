"""A campaign led through time from outside: deeds, ticks and deliveries, and what they left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from sqlalchemy import text

from config.script_file import ScriptLine, Verb
from flows.campaign import TickReport, tick
from flows.deeds import carry_out
from flows.delivery import deliver_letters
from models.campaigns import open_campaign
from models.database import transaction
from models.due_steps import Gate
from notifications.mailbox import Mailbox
from rules.calendar import CITY
from rules.letters import Paper
from tests import factories, worlds

OPEN_GATE = Gate(is_for_all=False)
FROM = "office@mau.example"


def at(moment: str) -> datetime:
    """Read `2021-11-16 07:30` as a moment in the city."""
    return datetime.fromisoformat(moment).replace(tzinfo=CITY)


def shown(value: Any) -> str:
    """Show an instant as either database returns it: `11-16 07:30`."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return f"{value.astimezone(CITY):%m-%d %H:%M}"


def rows(query: str, **values: Any) -> list[tuple]:
    """Return what a query of the test's own finds."""
    with transaction() as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def change(statement: str, **values: Any) -> None:
    """Change rows behind the program's back."""
    with transaction() as session:
        session.execute(text(statement), values)


@dataclass
class Walk:
    """One campaign and the mailbox into which its letters go."""

    code: str
    mailbox: Mailbox

    def tick(self, moment: str, gate: Gate = OPEN_GATE) -> TickReport:
        """Let one tick run."""
        return tick(at(moment), gate=gate)

    def deliver(self, moment: str) -> int:
        """Let one deliverer run; returns how many letters were accepted."""
        return deliver_letters(at(moment), self.mailbox.server(FROM)).sent

    def visit(self, *moments: str, gate: Gate = OPEN_GATE) -> None:
        """Let a tick and a deliverer run at each of these moments."""
        for moment in moments:
            self.tick(moment, gate)
            self.deliver(moment)

    def do(self, verb: Verb, moment: str, unit: str | None = None, **facts: Any) -> None:
        """Let somebody do something; what is refused raises."""
        now = at(moment)
        units = facts.pop("units", (unit,) if unit else ())
        carry_out(self.code, ScriptLine(0, facts.pop("happened_at", now), now, verb, units, **facts))

    def told(self, item: str, *kinds: str, state: str = "said") -> list[tuple[str, str, str]]:
        """Return what was said about an item: when, which step or kind, to whom."""
        found = rows(
            """
            SELECT n.settled_at, CASE n.step WHEN '-' THEN n.kind ELSE n.step END, c.code, n.kind
            FROM notices n JOIN contacts c ON c.id = n.contact_id JOIN campaigns p ON p.id = n.campaign_id
            WHERE n.about = :item AND n.state = :state AND p.code = :code ORDER BY n.settled_at, n.id
            """,
            item=item,
            state=state,
            code=self.code,
        )
        return [(shown(when), what, whom) for when, what, whom, kind in found if not kinds or kind in kinds]

    def steps(self, item: str, state: str) -> list[str]:
        """Return the steps about an item that are in a state, in the order in which they fell due."""
        query = """
            SELECT n.step FROM notices n JOIN campaigns p ON p.id = n.campaign_id
            WHERE n.about = :item AND n.state = :state AND p.code = :code
            AND n.kind IN ('reminder', 'escalation') ORDER BY n.due_at, n.id
        """
        return [row[0] for row in rows(query, item=item, state=state, code=self.code)]

    def letters(self, whom: str | None = None) -> list[tuple[str, str]]:
        """Return when each letter in the mailbox was dated and the name of whom it went to."""
        found = []
        for path in self.mailbox.letters():
            day, clock, person, _ = path.stem.split("-", 3)
            found.append((f"{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:]}", person))
        return [each for each in found if whom is None or each[1] == whom]

    def mails(self) -> list[EmailMessage]:
        """Return the letters in the mailbox as they were received."""
        return [message_from_bytes(path.read_bytes(), policy=default) for path in self.mailbox.letters()]


def begin(
    folder: Path,
    mailbox: Mailbox,
    moment: str = "2021-11-11 07:30",
    of_units: Sequence[dict[str, Any]] | None = None,
    past: bool = False,
    **more: Any,
) -> Walk:
    """Open a small campaign and let its first tick and delivery run."""
    file = factories.campaign(folder, of_units, **more)
    with transaction() as session:
        open_campaign(session, file, at=at(moment), by="MẪU", past=past)
    walk = Walk(file.code, mailbox)
    walk.visit(moment)
    return walk


def begun(
    folder: Path,
    mailbox: Mailbox,
    of_units: Sequence[dict[str, Any]] | None = None,
    then: Sequence[str] = (),
) -> Walk:
    """Begin a campaign as `begin` does and visit it then; of equal ones only the first is led there."""
    key = f"begun {of_units} {then}"
    worlds.once(key, mailbox, lambda: begin(folder, mailbox, of_units=of_units).visit(*then))
    return Walk("mau-2021", mailbox)


def dated(opens_on: str, due: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return what a campaign file says where it opens and ends on other days, its papers being there."""
    return {
        "legal_basis": [
            {"number": f"{role}/MẪU", "date": opens_on, "kind": "CV", "role": role}
            for role in ("plan", "team", "launch")
        ],
        "stages": {
            "self_assessment": {"opens_on": opens_on, "due": due, "wait_for_all": False},
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
    } | more


def paper(number: str, moment: str) -> Paper:
    """Return a made-up paper of that day."""
    return Paper("CV", number, at(moment).date())
