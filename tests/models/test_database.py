"""The schema, its versions, and what a transaction promises."""

from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

from models.database import Database, DatabaseIsNewer, DatabaseUnreachable, newest_revision, transaction
from models.tables import Lease
from rules.calendar import CITY

NOON = datetime(2021, 11, 11, 12, tzinfo=CITY)


def test_migrations_make_exactly_the_tables(database):
    engine = database._engine
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing(database):
    before = database.revision()
    database.migrate()
    assert database.revision() == before is not None


def test_a_database_of_a_newer_program_is_refused_and_left_alone(database):
    with transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseIsNewer) as refused:
        database.migrate()
    assert (refused.value.revision, database.revision()) == ("9999", "9999")


def test_what_raises_leaves_nothing_behind(database):
    def fail() -> None:
        with transaction() as session:
            session.add(Lease(name="tick", holder="x", held_until=NOON))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with transaction() as session:
        assert session.exec(select(Lease)).all() == []


def test_an_instant_comes_back_as_the_same_moment_and_aware(database):
    with transaction() as session:
        session.add(Lease(name="tick", holder="x", held_until=NOON))
    with transaction() as session:
        kept = session.exec(select(Lease)).one().held_until
    assert kept == NOON
    assert kept.utcoffset() is not None


def test_a_naive_instant_is_refused(database):
    with pytest.raises(Exception, match="needs its time zone"), transaction() as session:
        session.add(Lease(name="tick", holder="x", held_until=datetime(2021, 11, 11)))  # noqa: DTZ001


def test_a_state_outside_the_vocabulary_is_refused_by_the_database_itself(database):
    statement = text(
        "INSERT INTO units (directory, code, valid_from, name, kind, relation, position)"
        " VALUES ('x', 'x', '2021-01-01', 'x', 'kingdom', 'peer', 0)"
    )
    with pytest.raises(Exception, match=r"(?i)check"), transaction() as session:
        session.execute(statement)


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path: Path):
    unreachable = Database("postgresql+psycopg://somebody:geheim@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnreachable) as refused:
        unreachable.migrate()
    assert "geheim" not in str(refused.value) + repr(unreachable)


def test_a_database_that_takes_nothing_is_said_in_its_own_words_without_the_statement(tmp_path: Path):
    shut = Database(f"sqlite:///{tmp_path}/shut.db")
    shut.migrate()

    def write() -> None:
        with shut.transaction() as session:
            session.execute(text("PRAGMA query_only = ON"))
            session.add(Lease(name="tick", holder="x", held_until=NOON))

    with pytest.raises(DatabaseUnreachable) as refused:
        write()
    assert str(refused.value) == "attempt to write a readonly database"


def test_sqlite_keeps_the_promises_that_are_off_by_default(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/x.db")
    with database.transaction() as session:
        pragmas = [
            session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        ]
    assert pragmas == [1, "wal", 2]


def test_a_scratch_file_that_was_just_migrated_refuses_what_points_to_nothing(tmp_path: Path):
    scratch = Database(f"sqlite:///{tmp_path}/x.db", is_scratch=True)
    scratch.migrate()  # looks away from such rows while it is at work
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), scratch.transaction() as session:
        session.execute(
            text("INSERT INTO item_terms (item_id, deadline_id, since) VALUES (1, 1, '2021-11-11')")
        )
    scratch.close()


def test_who_only_looks_waits_for_no_writer_and_changes_nothing(database):
    insert = text("INSERT INTO leases (name, holder, held_until) VALUES ('tick', 'x', '2021-11-11')")
    with database.transaction() as writing:
        writing.execute(insert)
        with database.reading() as session:  # would else wait for half a minute
            assert session.execute(text("SELECT COUNT(*) FROM leases")).scalar_one() == 0
        assert database.current_revision() == newest_revision()
        writing.rollback()
    with database.reading() as session:
        session.execute(insert)
    with database.reading() as session:
        assert session.execute(text("SELECT COUNT(*) FROM leases")).scalar_one() == 0


def test_a_look_at_what_is_not_there_is_refused_in_our_own_words(tmp_path: Path):
    empty = Database(f"sqlite:///{tmp_path}/geheim.db")
    with pytest.raises(DatabaseUnreachable) as refused, empty.reading() as session:
        session.execute(text("SELECT COUNT(*) FROM leases"))
    assert refused.value.words == "OperationalError"
    assert empty.current_revision() is None
