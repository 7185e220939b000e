"""Whoever watches over the application hears which part of it does not work, and nothing more."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from config.settings import settings
from models.database import Database, transaction, using
from portal import waiting
from tests.serving import Answer, serving
from tests.walking import change, rows

SILENT = "postgresql+psycopg://somebody:geheim@127.0.0.1:{port}/nothing"


def asked(path: str = "/healthz") -> tuple[int, dict]:
    with serving() as site:
        answer = site.get(path)
    assert answer.headers["content-type"] == "application/json"
    return answer.status, json.loads(answer.body)


@contextmanager
def nobody_answering() -> Iterator[int]:
    """Yield a port at which connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_migrated_database_is_well_and_says_its_revision(database):
    [(revision,)] = rows("SELECT version_num FROM alembic_version")
    assert asked() == (200, {"status": "ok", "database": "ok", "revision": revision})


@pytest.mark.parametrize("revision", [pytest.param("0001", id="older"), pytest.param("9999", id="newer")])
def test_a_database_at_another_revision_is_not_migrated(database, revision):
    change("UPDATE alembic_version SET version_num = :revision", revision=revision)
    assert asked() == (503, {"status": "unavailable", "database": "not_migrated", "revision": revision})


def test_an_empty_sqlite_file_is_not_migrated(tmp_path: Path):
    with using(Database(f"sqlite:///{tmp_path}/empty.db")):
        assert asked() == (503, {"status": "unavailable", "database": "not_migrated", "revision": None})


def test_an_empty_postgresql_database_is_not_migrated(empty_postgres: str):
    empty = Database(empty_postgres)
    with using(empty):
        assert asked() == (503, {"status": "unavailable", "database": "not_migrated", "revision": None})
    empty.close()


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("postgresql+psycopg://somebody:geheim@127.0.0.1:1/nothing", id="nobody-listens"),
        pytest.param("sqlite:////proc/geheim/congnhan.db", id="no-such-folder"),
        pytest.param("sqlite:///{folder}/rubbish.db", id="no-database"),
    ],
)
def test_a_database_that_does_not_answer_is_unreachable_in_our_own_words(address: str, tmp_path: Path):
    (tmp_path / "rubbish.db").write_bytes(b"geheim " * 1000)
    with using(Database(address.format(folder=tmp_path))), serving() as site:
        answer = site.get("/healthz")
    assert answer.status == 503
    assert json.loads(answer.body) == {"status": "unavailable", "database": "unreachable", "revision": None}
    assert b"geheim" not in answer.body


def test_an_address_that_nobody_understands_is_unreachable(monkeypatch):
    monkeypatch.setenv("CONGNHAN_DATABASE_URL", "geheim://x")
    settings.cache_clear()
    assert asked() == (503, {"status": "unavailable", "database": "unreachable", "revision": None})


def test_a_database_that_keeps_silent_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 0.2)
    with nobody_answering() as port, using(Database(SILENT.format(port=port))), serving() as site:
        answers: list[Answer] = [site.get(path) for path in ("/healthz", "/metrics", "/health")]
    assert [answer.status for answer in answers] == [503, 200, 200]
    assert json.loads(answers[0].body)["database"] == "unreachable"
    assert "congnhan_up 0.0\n" in answers[1].text


def test_whoever_writes_does_not_make_a_look_wait(database, monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE", 5.0)
    with serving() as site, transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = version_num"))
        assert site.get("/healthz").status == 200
        assert "congnhan_up 1.0\n" in site.get("/metrics").text


def test_that_the_application_answers_needs_no_database():
    with using(Database("postgresql+psycopg://somebody@127.0.0.1:1/nothing")):
        assert asked("/health") == (200, {"status": "ok"})
