"""Worlds that many tests begin in: made once on each kind of database, then put back as they were left."""

import sqlite3
from collections.abc import Callable, Hashable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import text
from sqlmodel import SQLModel

from models import tables  # noqa: F401  (makes the metadata whole)
from models.database import Database, database
from notifications.mailbox import Mailbox


@dataclass(frozen=True, slots=True)
class _Left:
    """All rows, as the database itself writes them, and the files of the mailbox."""

    rows: dict[str, bytes]
    counters: dict[str, int]
    letters: dict[str, bytes]


_KEPT: dict[Hashable, _Left] = {}


def once(key: Hashable, mailbox: Mailbox, make: Callable[[], object]) -> None:
    """Make a world in an empty database and an empty mailbox, or put back what the first of its key left.

    The program remembers nothing outside of the two: a test cannot tell one from the other.
    """
    here = database()
    assert _is_empty(here), "a world is made or put back before anything else happens"
    assert mailbox.letters() == []
    place = (here.dialect, key)
    if place in _KEPT:
        _put_back(here, mailbox, _KEPT[place])
        return
    make()
    keep = _keep_postgres if here.dialect == "postgresql" else _keep_sqlite
    rows, counters = keep(here)
    _KEPT[place] = _Left(rows, counters, {path.name: path.read_bytes() for path in mailbox.letters()})


def _is_empty(here: Database) -> bool:
    anything = " OR ".join(f"EXISTS (SELECT 1 FROM {name})" for name in SQLModel.metadata.tables)
    with here.transaction() as session:
        return not session.execute(text(f"SELECT {anything}")).scalar_one()


def _put_back(here: Database, mailbox: Mailbox, left: _Left) -> None:
    put = _put_postgres if here.dialect == "postgresql" else _put_sqlite
    put(here, left)
    for name, content in left.letters.items():
        (mailbox.folder / name).write_bytes(content)


def _file(here: Database) -> Path:
    return Path(str(here._engine.url.database))


def _keep_sqlite(here: Database) -> tuple[dict[str, bytes], dict[str, int]]:
    with closing(sqlite3.connect(_file(here))) as source, closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        return {"": copy.serialize()}, {}


def _put_sqlite(here: Database, left: _Left) -> None:
    here.close()
    for ending in ("-wal", "-shm"):
        _file(here).with_name(_file(here).name + ending).unlink(missing_ok=True)
    _file(here).write_bytes(left.rows[""])


def _connected(here: Database) -> psycopg.Connection:
    address = here._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address)


def _keep_postgres(here: Database) -> tuple[dict[str, bytes], dict[str, int]]:
    rows = {}
    with _connected(here) as connection:
        for name in SQLModel.metadata.tables:
            with connection.cursor().copy(f"COPY {name} TO STDOUT (FORMAT BINARY)") as copy:
                rows[name] = b"".join(bytes(part) for part in copy)
        counted = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        counters = dict(connection.execute(counted).fetchall())
    nothing = min(map(len, rows.values()))
    return {name: content for name, content in rows.items() if len(content) > nothing}, counters


def _put_postgres(here: Database, left: _Left) -> None:
    with _connected(here) as connection:
        # A replica's session asks no trigger, and looks for no row that another points to.
        connection.execute("SET session_replication_role = replica")
        for name, content in left.rows.items():
            with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(content)
        for name, last in left.counters.items():
            connection.execute("SELECT setval(%s, %s)", (name, last))
