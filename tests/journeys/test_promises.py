"""What holds for every campaign, whatever people do and whenever the machine stands still."""

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from sqlalchemy import text

from config.located import FileInvalid
from config.script_file import ScriptLine, Verb
from flows.campaign import tick
from flows.deeds import carry_out
from flows.delivery import deliver_letters
from flows.refusals import KNOWN
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.due_steps import Gate
from models.journal import verify
from notifications.mailbox import Mailbox
from rules.calendar import CITY
from tests import factories
from tests.drawn import PLANS, WALKS, Left, Plan
from tests.walking import FROM, Walk, rows

# The same seed for all: each promise is looked for in the same walks, and each is walked once.
promise = lambda test: seed(3701)(  # noqa: E731
    settings(
        max_examples=WALKS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(given(PLANS)(test))
)


@pytest.fixture(scope="module", autouse=True)
def template(tmp_path_factory):
    """A migrated file, to be copied for each walk."""
    path = tmp_path_factory.mktemp("promises") / "template.db"
    database = Database(f"sqlite:///{path}", is_scratch=True)
    database.migrate()
    database.close()
    TEMPLATE.append(path)
    yield
    TEMPLATE.clear()
    walked.cache_clear()


TEMPLATE: list[Path] = []


def left_by(plan: Plan) -> Left:
    """Return what a walk leaves behind; a plan whose file is refused is none."""
    left = walked(plan)
    if left is None:
        reject()
    return left


@cache
def walked(plan: Plan) -> Left | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        try:
            file = factories.campaign(path / "files", **plan.file())
        except FileInvalid:
            return None
        shutil.copy(TEMPLATE[0], path / "walk.db")
        database = Database(f"sqlite:///{path}/walk.db", is_scratch=True)
        with using(database), Mailbox(path / "mail") as mailbox:
            with transaction() as session:
                open_campaign(session, file, at=plan.instants()[0], by=None)
            left = _walk(plan, Walk(file.code, mailbox))
        database.close()
    return left


def _walk(plan: Plan, walk: Walk) -> Left:
    left, server = Left(plan), walk.mailbox.server(FROM)
    gate = Gate(is_for_all=False, units=frozenset(plan.gated))
    for now in plan.instants():
        acting = [deed for deed in plan.deeds if deed.at == now]
        lines = [deed.line() for deed in acting]
        if now == plan.quiet_from:
            # A suspended campaign goes on, so that the end of the walk shows what was owed.
            lines.append(ScriptLine(0, now, now, Verb.RESUME))
        for line in lines:
            with suppress(*KNOWN):
                carry_out(walk.code, line)
        if plan.works(now) and (not acting or any(deed.wakes for deed in acting)):
            left.failed += [now] * bool(tick(now, gate=gate).failed)
        if plan.delivers(now):
            before = len(walk.mailbox.letters())
            deliver_letters(now, server)
            left.mailed += [now] * (len(walk.mailbox.letters()) - before)
            left.untrue += _untrue(now)
    with transaction() as session:
        left.is_whole = verify(session, get_campaign(session, walk.code)).broken_at is None
    left.mails = [str(mail["Message-ID"]) for mail in walk.mails()]
    left.notices, left.letters, left.steps = _rows(NOTICES), _rows(LETTERS), _rows(STEPS)
    dropped = "SELECT json_extract(detail, '$.item'), json_extract(detail, '$.step') FROM journal"
    left.dropped = {(row[0], row[1]) for row in rows(f"{dropped} WHERE what = 'step_dropped'")}
    return left


NOTICES = """
    SELECT n.id, n.about, n.kind, n.step, n.state, n.reason, n.copy_no, n.deadline_id, n.item_id, n.due_at,
           n.settled_at, n.is_held, l.address, l.id AS letter, l.kind AS letter_kind, l.message_id
    FROM notices n LEFT JOIN letters l ON l.id = n.letter_id
"""
LETTERS = "SELECT id, address, kind, state, message_id, settled_at FROM letters WHERE state = 'sent'"
STEPS = """
    SELECT w.id AS item_id, w.name, w.deadline_id, w.acknowledged_at, s.step, s.ladder, s.fires_at, s.repeats
    FROM work_items w JOIN deadlines d ON d.id = w.deadline_id JOIN deadline_steps s ON s.deadline_id = d.id
    JOIN campaigns c ON c.id = w.campaign_id
    WHERE w.state = 'open' AND s.fires_at > w.opened_at AND s.fires_at > d.written_at AND c.stage <> 'closed'
"""
UNTRUE = """
    SELECT n.about, n.kind, n.step, w.state FROM notices n JOIN work_items w ON w.id = n.item_id
    WHERE n.state = 'said' AND n.settled_at = :now AND (
        (n.kind IN ('opening', 'reminder', 'escalation', 'returned') AND w.state <> 'open')
        OR (n.kind IN ('reminder', 'escalation', 'returned') AND n.deadline_id <> w.deadline_id)
    )
"""


def _rows(query: str) -> list[dict[str, Any]]:
    with transaction() as session:
        return [dict(row) for row in session.execute(text(query)).mappings()]


def _untrue(now: datetime) -> list[tuple]:
    stored = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return [(f"{now:%m-%d %H:%M}", *row) for row in rows(UNTRUE, now=stored)]


def _instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).astimezone(CITY)


def doubles(keys: list[tuple]) -> list[tuple]:
    """Return what occurs more than once."""
    return [key for key, count in Counter(keys).items() if count > 1]


@promise
def test_no_tick_fails_and_the_journal_is_whole(plan):
    left = left_by(plan)
    assert left.failed == []
    assert left.is_whole


@promise
def test_each_is_told_of_each_step_and_version_once(plan):
    said = [each for each in left_by(plan).notices if each["state"] == "said" and each["step"] != "-"]
    assert (
        doubles([(each["about"], each["step"], each["deadline_id"], each["address"]) for each in said]) == []
    )


@promise
def test_nothing_is_said_of_what_is_done_or_of_an_old_term(plan):
    assert left_by(plan).untrue == []


@promise
def test_letters_leave_in_the_windows_of_working_days(plan):
    left = left_by(plan)
    outside = [
        (each["kind"], each["settled_at"])
        for each in left.letters
        if each["kind"] not in ("receipt", "undeliverable")
        and not plan.may_send(_instant(each["settled_at"]))
    ]
    assert outside == []
    assert Counter(left.mailed) == Counter(_instant(each["settled_at"]) for each in left.letters)


@promise
def test_a_leader_gets_one_digest_a_day(plan):
    digests = [each for each in left_by(plan).letters if each["kind"] == "escalation"]
    assert doubles([(each["address"], _instant(each["settled_at"]).date()) for each in digests]) == []


@promise
def test_each_notice_that_was_said_lies_in_the_mailbox_once(plan):
    left = left_by(plan)
    said = {each["message_id"] for each in left.notices if each["state"] == "said"}
    assert doubles([(mark,) for mark in left.mails]) == []
    assert sorted(left.mails) == sorted(said)
    assert sorted(left.mails) == sorted(each["message_id"] for each in left.letters)


@promise
def test_what_is_owed_to_be_said_is_said_or_is_known_to_wait(plan):
    left = left_by(plan)
    missing = []
    for step in left.steps:
        if _instant(step["fires_at"]) >= plan.quiet_from or (step["repeats"] and step["acknowledged_at"]):
            continue
        of_item = [
            each
            for each in left.notices
            if each["item_id"] == step["item_id"] and each["kind"] in ("reminder", "escalation")
        ]
        told = [
            each
            for each in of_item
            if (each["deadline_id"], each["step"], each["copy_no"]) == (step["deadline_id"], step["step"], 0)
        ]
        if not any(_is_settled(each, of_item, left) for each in told):
            missing.append((step["name"], step["step"], step["fires_at"], [each["state"] for each in told]))
    assert missing == []


def _is_settled(notice: dict, of_item: list[dict], left: Left) -> bool:
    """Say whether a notice was said, waits for the standing head, or has a good reason to be neither."""
    if notice["state"] == "said":
        return True
    if notice["state"] == "waiting_release":
        return bool(notice["is_held"]) or notice["about"].partition("/")[2] in left.plan.gated
    if notice["reason"] == "at_the_top":
        return (notice["about"], notice["step"]) in left.dropped
    if notice["state"] == "superseded":
        newer = [each for each in of_item if each["due_at"] > notice["due_at"]]
        to_come = [
            each
            for each in left.steps
            if each["item_id"] == notice["item_id"] and each["fires_at"] > notice["due_at"]
        ]
        return bool(to_come) or any(each["state"] in ("said", "queued", "waiting_release") for each in newer)
    return False
