"""A database of the first release, with data in it, becomes one of today with all of it."""

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from models import journal
from models.campaigns import get_campaign
from models.database import Database, _alembic, _upgrade, newest_revision, transaction, using

WHEN = "2021-11-11 00:30:00"
ROWS = f"""
INSERT INTO units (id, code, valid_from, name, kind, relation, position) VALUES
 (1, 'city', '2021-01-01', 'UBND MẪU', 'government', 'subordinate', 0),
 (2, 'a', '2021-01-01', 'xã MẪU a', 'commune', 'subordinate', 1);
INSERT INTO residential_groups (id, unit_id, position, name) VALUES (1, 2, 0, 'Tổ dân phố MẪU 01');
INSERT INTO contacts (id, code, unit_id, position, role, name, title) VALUES
 (1, 'a.1', 2, 0, 'officer', 'MẪU a', 'chuyên viên');
INSERT INTO campaigns (id, code, title, stage, mode, late_policy, files, opened_at, records_past_steps) VALUES
 (1, 'mau-2021', 'MẪU', 'self_assessment', 'dossier', 'accept_flagged', '{{}}', '{WHEN}', FALSE);
INSERT INTO campaign_units (campaign_id, unit_id, part, branches) VALUES
 (1, 1, 'organiser', '[]'), (1, 2, 'commune', '[]');
INSERT INTO stage_entries (campaign_id, stage, entered_at) VALUES (1, 'self_assessment', '{WHEN}');
INSERT INTO deadlines (id, campaign_id, stage, version, wording, closes_at, late_from, written_at) VALUES
 (1, 1, 'self_assessment', 1, 'before: 2021-11-22', '2021-11-19 10:00:00', '2021-11-21 17:00:00', '{WHEN}');
INSERT INTO deadline_steps (id, deadline_id, ladder, step, fires_at, wants_draft) VALUES
 (1, 1, 'remind', 'before:3', '2021-11-16 00:30:00', FALSE),
 (2, 1, 'remind', 'before:1', '2021-11-18 00:30:00', FALSE);
INSERT INTO work_items (id, campaign_id, stage, kind, unit_id, name, deadline_id, state, opened_at) VALUES
 (1, 1, 'self_assessment', 'dossier', 2, 'dossier/a', 1, 'open', '{WHEN}');
INSERT INTO letters (id, key, campaign_id, kind, role, contact_id, channel, state, not_before, attempts,
 address, outcome_code) VALUES
 (1, 'sent', 1, 'reminder', 'officer', 1, 'email', 'sent', '{WHEN}', 1, 'a@mau.example', '250'),
 (2, 'waiting', 1, 'opening', 'officer', 1, 'email', 'queued', '{WHEN}', 0, 'a@mau.example', NULL);
INSERT INTO notices (id, key, campaign_id, kind, about, item_id, deadline_id, step, role, contact_id, copy_no,
 state, due_at) VALUES
 (1, 'k', 1, 'reminder', 'dossier/a', 1, 1, 'before:3', 'officer', 1, 0, 'said', '2021-11-16 00:30:00');
INSERT INTO journal (campaign_id, happened_at, recorded_at, done_by, what, unit, stage, detail) VALUES
 (1, '{WHEN}', '{WHEN}', 'MẪU', 'opened', NULL, 'planning', '{{"title": "MẪU"}}'),
 (1, '{WHEN}', '2021-11-12 01:02:03', NULL, 'handed_in', 'a', 'self_assessment', '{{"late": false}}');
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request, tmp_path: Path):
    """A database of revision 0001 with a campaign in it."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/old.db"
    else:
        address = request.getfixturevalue("empty_postgres")
    database = Database(address, is_scratch=True)
    with database._engine.connect() as connection:
        configuration = _alembic()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001")
        for statement in ROWS.split(";\n"):
            if statement.strip():
                connection.execute(text(statement.replace(":", "\\:")))
        connection.commit()
    yield database
    database.close()


def counts(database: Database) -> dict[str, int]:
    tables = ("units", "residential_groups", "contacts", "campaigns", "deadlines", "deadline_steps")
    with database.transaction() as session:
        return {
            name: session.execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()
            for name in (
                *tables,
                "work_items",
                "notices",
                "letters",
                "journal",
                "campaign_units",
                "stage_entries",
            )
        }


def one(database: Database, query: str) -> tuple:
    with database.transaction() as session:
        return tuple(session.execute(text(query)).one())


def test_every_row_is_kept(old):
    before = counts(old)
    old.migrate()
    assert counts(old) == before


@pytest.mark.parametrize(
    "revision", [each.revision for each in ScriptDirectory.from_config(_alembic()).walk_revisions()]
)
def test_from_every_version_with_data_in_it_the_way_leads_to_today(old, revision):
    before = counts(old)
    with old._altering() as connection:
        _upgrade(connection, revision)
    assert old.revision() == revision
    assert counts(old) == before
    old.migrate()
    assert old.revision() == newest_revision()
    assert counts(old) == before
    with using(old), transaction() as session:
        assert journal.verify(session, get_campaign(session, "mau-2021")).broken_at is None


def test_what_the_new_columns_say_follows_from_what_there_was(old):
    old.migrate()
    assert one(old, "SELECT MIN(directory), MAX(directory) FROM units") == ("city", "city")
    assert one(old, "SELECT cause, replaces_id FROM deadlines") == ("entered", None)
    assert one(old, "SELECT item_id, deadline_id FROM item_terms") == (1, 1)
    assert one(old, "SELECT campaign_id, group_id FROM campaign_groups") == (1, 1)
    fired = "SELECT SUM(CASE WHEN fired_at IS NULL THEN 0 ELSE 1 END), COUNT(*) FROM deadline_steps"
    assert one(old, fired) == (1, 2)  # the one of which somebody was told


def test_what_had_left_had_gone_by_mail(old):
    old.migrate()
    said = "SELECT way, next_channels, repeats, follows FROM letters WHERE id = {}"
    assert one(old, said.format(1)) == ("email", "", 0, None)
    assert one(old, said.format(2)) == (None, "", 0, None)


def test_the_journal_is_bound_from_its_first_entry(old):
    old.migrate()
    with using(old), transaction() as session:
        verdict = journal.verify(session, get_campaign(session, "mau-2021"))
    assert (verdict.entries, verdict.broken_at) == (2, None)


def test_a_new_kind_of_item_is_taken_and_an_unknown_one_is_not(old):
    old.migrate()
    insert = (
        "INSERT INTO work_items (id, campaign_id, stage, kind, unit_id, name, state, opened_at)"
        f" VALUES (9, 1, 'closed', '{{}}', 2, '{{}}/a.1', 'open', '{WHEN}')"
    )
    with old.transaction() as session:
        session.execute(text(insert.format("complaint", "complaint").replace(":", "\\:")))
    with pytest.raises(Exception, match=r"(?i)check"), old.transaction() as session:
        session.execute(text(insert.format("wish", "wish").replace(":", "\\:")))
