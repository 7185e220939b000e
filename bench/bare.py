"""What is measured, and beside it the bare SQL of somebody who knew beforehand what is due.

The campaign is the first of its database, and its code is that of `tests.factories`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, bindparam, text

from models.database import Database, UtcDateTime
from rules.calendar import CITY

DUE = """
    FROM work_items i
    JOIN deadlines v ON v.id = i.deadline_id
    JOIN deadline_steps s ON s.deadline_id = v.id
    JOIN contacts c ON c.unit_id = i.unit_id AND c.role = '{told}' AND c.left_at IS NULL
    WHERE i.campaign_id = 1 AND i.state = 'open' AND s.ladder = '{ladder}'
      AND s.fired_at IS NULL AND s.fires_at <= :now AND s.fires_at > i.opened_at
"""
COUNTED = "SELECT count(*)" + DUE
NOTICES = (
    """
    INSERT INTO notices (key, campaign_id, kind, about, item_id, deadline_id, step, role, contact_id,
                         copy_no, state, due_at, is_held)
    SELECT 'mau-2021|{kind}|' || i.name || '|' || s.step || '|v' || v.version || '|' || c.code || '|c0',
           1, '{kind}', i.name, i.id, v.id, s.step, '{told}', c.id, 0, 'queued', s.fires_at, false
"""
    + DUE
)
LETTERS = """
    INSERT INTO letters (key, campaign_id, kind, role, contact_id, channel, address, state, not_before,
                         attempts)
    SELECT {letter_key}, 1, '{kind}', '{told}', c.id, 'email', c.email, 'queued', :now, 0
    FROM notices JOIN contacts c ON c.id = notices.contact_id
    WHERE notices.campaign_id = 1 AND notices.state = 'queued' AND notices.letter_id IS NULL {grouped}
"""
TIED = """
    UPDATE notices SET letter_id = (
        SELECT l.id FROM contacts c JOIN letters l ON l.key = {letter_key} WHERE c.id = notices.contact_id)
    WHERE campaign_id = 1 AND state = 'queued' AND letter_id IS NULL
"""
FIRED = """
    UPDATE deadline_steps SET fired_at = :now
    WHERE fired_at IS NULL AND fires_at <= :now
      AND deadline_id IN (SELECT id FROM deadlines WHERE campaign_id = 1)
"""
WRITTEN = (NOTICES, LETTERS, TIED, FIRED)

REMINDERS = {
    "kind": "reminder",
    "ladder": "remind",
    "told": "officer",
    "letter_key": "notices.key || '|' || c.code || '|email'",
    "grouped": "",
}
ESCALATIONS = {
    "kind": "escalation",
    "ladder": "escalate",
    "told": "unit_head",
    "letter_key": "'mau-2021|digest|2021-11-23|' || c.code || '|email'",  # the tick's own may be another
    "grouped": "GROUP BY c.id, c.code, c.email",  # one digest for each leader, whatever the lines
}

# What a run leaves, for comparing: ids and the keys of letters may differ, all else must not. What
# stood in the template was sent, so what is queued is new.
LEFT = {
    "notices": """
        SELECT n.key, n.campaign_id, n.kind, n.about, n.item_id, n.deadline_id, n.step, n.role,
               n.contact_id, n.copy_no, n.state, n.due_at, n.release_at, n.settled_at, n.reason, n.note,
               n.is_held, l.contact_id
        FROM notices n LEFT JOIN letters l ON l.id = n.letter_id WHERE n.state = 'queued' ORDER BY n.key
    """,
    "letters": """
        SELECT campaign_id, kind, role, contact_id, channel, address, state, not_before, attempts,
               claimed_by, lease_until, message_id, subject, settled_at
        FROM letters WHERE state = 'queued' ORDER BY contact_id, kind
    """,
    "states": """
        SELECT 'notice', state, count(*) FROM notices GROUP BY state
        UNION ALL SELECT 'letter', state, count(*) FROM letters GROUP BY state ORDER BY 1, 2
    """,
    "steps": "SELECT deadline_id, step, fired_at FROM deadline_steps ORDER BY 1, 2",
    "journal entries": "SELECT number FROM journal",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A tick of a campaign that stands as a template of this name, and the bare statements beside it."""

    name: str
    template: str
    now: datetime
    bare: tuple[TextClause, ...]


def _bare(statements: tuple[str, ...], values: dict[str, str]) -> tuple[TextClause, ...]:
    """Return statements in which `:now` is an instant, stored as the product stores one."""
    # A text refuses the type of a parameter that it does not name.
    return tuple(
        text(filled).bindparams(bindparam("now", type_=UtcDateTime())) if ":now" in filled else text(filled)
        for filled in (each.format(**values) for each in statements)
    )


CASES = (
    Case("reminders", "reminders", datetime(2021, 11, 17, 7, 30, tzinfo=CITY), _bare(WRITTEN, REMINDERS)),
    Case(
        "escalations", "escalations", datetime(2021, 11, 23, 8, 30, tzinfo=CITY), _bare(WRITTEN, ESCALATIONS)
    ),
    Case(
        "nothing",
        "escalations",
        datetime(2021, 11, 23, 8, 15, tzinfo=CITY),
        (*_bare((COUNTED,), REMINDERS), *_bare((COUNTED,), ESCALATIONS)),
    ),
)


def do(database: Database, case: Case) -> None:
    """Run the bare statements of a case in one transaction."""
    with database.transaction() as session:
        for statement in case.bare:
            result = session.connection().execute(statement, {"now": case.now})
            if result.returns_rows:
                result.all()


def left(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return what stands in the database that a tick may have written, without the ids."""
    with database.transaction() as session:
        connection = session.connection()
        return {what: [tuple(row) for row in connection.execute(text(asked))] for what, asked in LEFT.items()}
