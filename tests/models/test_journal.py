"""The audit trail: nothing in it can be changed, and what was changed anyway is found."""

import pytest
from sqlalchemy import text

from models import journal
from models.campaigns import get_campaign, open_campaign
from models.database import transaction
from tests import factories
from tests.walking import at, rows


@pytest.fixture
def code(database, tmp_path) -> str:
    """A campaign with a journal of some entries."""
    file = factories.campaign(tmp_path / "files")
    with transaction() as session:
        open_campaign(session, file, at=at("2021-11-11 07:30"), by="MẪU")
        for number in range(3):
            journal.write(
                session,
                get_campaign(session, file.code),
                "released",
                at=at(f"2021-11-12 09:0{number}"),
                recorded_at=at("2021-11-15 09:00"),
                by="MẪU",
                unit="a",
                detail={"notices": number, "step": "after:0"},
            )
    return file.code


def verified(code: str) -> int | None:
    with transaction() as session:
        return journal.verify(session, get_campaign(session, code)).broken_at


def do(statement: str) -> None:
    with transaction() as session:
        session.execute(text(statement))


REFUSED = {
    "update": "UPDATE journal SET done_by = 'x'",
    "delete": "DELETE FROM journal WHERE number = 2",
    "delete-all": "DELETE FROM journal",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
def test_the_database_itself_refuses_to_change_an_entry(code, statement):
    before = rows("SELECT * FROM journal ORDER BY id")
    with pytest.raises(Exception, match="append-only"):
        do(statement)
    assert rows("SELECT * FROM journal ORDER BY id") == before


def test_entries_cannot_be_emptied_or_replaced_either(code, database):
    if database.dialect == "postgresql":
        statement = "TRUNCATE journal"
    else:
        columns = "campaign_id, happened_at, recorded_at, what, stage, detail, number, hash"
        statement = f"INSERT OR REPLACE INTO journal (id, {columns}) SELECT 1, {columns} FROM journal LIMIT 1"
    before = rows("SELECT * FROM journal ORDER BY id")
    with pytest.raises(Exception, match="append-only"):
        do(statement)
    assert rows("SELECT * FROM journal ORDER BY id") == before


def test_a_journal_nobody_touched_is_whole(code):
    assert verified(code) is None
    assert [row[0] for row in rows("SELECT number FROM journal ORDER BY number")] == list(
        range(1, rows("SELECT length FROM journal_heads")[0][0] + 1)
    )


def disarm(database) -> None:
    """Take away what protects the journal, as somebody with all rights could."""
    if database.dialect == "postgresql":
        do("ALTER TABLE journal DISABLE TRIGGER USER")
        return
    for name in ("journal_no_update", "journal_no_delete", "journal_no_replace"):
        do(f"DROP TRIGGER {name}")


TAMPERING = {
    "who": ("UPDATE journal SET done_by = 'x' WHERE number = 4", 4),
    "when": (
        "UPDATE journal SET recorded_at = happened_at WHERE number = (SELECT MAX(number) FROM journal)",
        -1,
    ),
    "what": ("UPDATE journal SET detail = '{}' WHERE number = 3", 3),
    "taken-out": ("DELETE FROM journal WHERE number = 3", 3),
    "cut-off": ("DELETE FROM journal WHERE number = (SELECT MAX(number) FROM journal)", -1),
    "put-in": (
        "INSERT INTO journal (campaign_id, happened_at, recorded_at, what, stage, detail, number, hash)"
        " SELECT campaign_id, happened_at, recorded_at, what, stage, detail, number + 1, hash FROM journal"
        " WHERE number = (SELECT MAX(number) FROM journal)",
        0,
    ),
}


@pytest.mark.parametrize(("statement", "broken_at"), TAMPERING.values(), ids=TAMPERING)
def test_what_was_tampered_with_is_found(code, database, statement, broken_at):
    length = rows("SELECT length FROM journal_heads")[0][0]
    disarm(database)
    do(statement)
    expected = {-1: length, 0: length + 1}.get(broken_at, broken_at)
    assert verified(code) == expected


def test_an_entry_keeps_when_it_happened_and_when_it_was_recorded(code):
    with transaction() as session:
        entry = list(journal.events(session, get_campaign(session, code)))[-1]
    assert (entry.happened_at, entry.recorded_at) == (at("2021-11-12 09:02"), at("2021-11-15 09:00"))
    assert (entry.by, entry.unit, entry.detail) == ("MẪU", "a", {"notices": 2, "step": "after:0"})


def test_each_campaign_has_a_journal_of_its_own(code, tmp_path):
    with transaction() as session:
        other = factories.campaign(tmp_path / "other", code="other")
        open_campaign(session, other, at=at("2021-11-11 07:30"), by=None)
    assert verified("other") is None
    assert rows("SELECT MIN(number) FROM journal GROUP BY campaign_id") == [(1,), (1,)]
