"""The engine, the transaction and the schema's version; SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

from config.settings import settings

__all__ = ["Database", "DatabaseIsNewer", "DatabaseUnreachable", "Session", "UtcDateTime", "transaction"]

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = "alembic_version"
MIGRATION_LOCK = 8_370_190_146  # any constant: it names our advisory lock in PostgreSQL
ONLY_LOOKS = "congnhan_only_looks"  # the mark of a connection whose transaction may not write


class DatabaseIsNewer(Exception):
    """The database was written by a newer version of the program; `revision` is the one it stands at."""

    def __init__(self, revision: str) -> None:
        super().__init__(f"the database stands at revision {revision}, which this program does not know")
        self.revision = revision


class DatabaseUnreachable(Exception):
    """The database did not answer; `words` are its own, without address or password."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class HoldsSomething(Exception):
    """A database that was to be empty holds rows; `table` names the first table that does."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


# What a database that is away looks like, when it is opened and in the middle of something.
AWAY = (DatabaseUnreachable, DBAPIError)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC; a naive one is refused, since nobody could say what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, without its zone for SQLite, which keeps none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs its time zone: {value}")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One database, by its SQLAlchemy address; a PostgreSQL address names the psycopg driver.

    A scratch one need not survive a power failure, and does not wait for the disk; what it has opened
    stays open until it is closed.
    """

    def __init__(self, url: str, *, is_scratch: bool = False) -> None:
        try:
            self._engine = _engine(url, is_scratch=is_scratch)
        except (ArgumentError, ImportError) as error:
            # The words of the driver would repeat the address, and a password in it.
            raise DatabaseUnreachable(type(error).__name__) from None

    def __repr__(self) -> str:
        return f"Database({self._engine.url.render_as_string(hide_password=True)})"

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session that commits at the end, or rolls back what raised.

        Raises DatabaseUnreachable where the database goes away meanwhile, is full, locked or only to be read.
        """
        with Session(self._engine, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except OperationalError as error:
                session.rollback()
                raise DatabaseUnreachable(_first_line(error)) from error
            except BaseException:
                session.rollback()
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that only looks: it waits for nobody who writes, and what it changes is lost.

        Raises DatabaseUnreachable where no answer comes, or only that there is no such table.
        """
        try:
            with Session(self._engine.execution_options(**{ONLY_LOOKS: True})) as session:
                yield session
        except SQLAlchemyError as error:
            raise DatabaseUnreachable(type(error).__name__) from None

    def current_revision(self) -> str | None:
        """Return what `revision` does, waiting for nobody who writes; raises DatabaseUnreachable."""
        with self.reading() as session:
            return MigrationContext.configure(session.connection()).get_current_revision()

    def revision(self) -> str | None:
        """Return the revision the schema stands at; None in a database with no schema of ours."""
        with self._connected() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; does nothing when it is there already.

        Raises DatabaseIsNewer where another, newer program has been, DatabaseUnreachable where
        no answer comes.
        """
        scripts = _scripts()
        current = self.revision()
        if current == scripts.get_current_head():
            return
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise DatabaseIsNewer(current)
        with self._altering() as connection:
            _upgrade(connection, "head")

    def knows(self, revision: str) -> bool:
        """Say whether this program has been at a revision; one of a newer program it does not know."""
        return revision in {script.revision for script in _scripts().walk_revisions()}

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database, while others go on writing."""
        options: dict[str, Any] = {ONLY_LOOKS: True}
        if self.dialect == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._connected() as connection:
            yield connection.execution_options(**options)

    @contextmanager
    def emptied_to(self, revision: str) -> Iterator[Connection]:
        """Yield a connection to a schema of an older revision with nothing in it; commits at the end.

        A schema that stands there already is made anew. Raises HoldsSomething where a table has a row
        or is not of ours.
        """
        with self._altering() as connection:
            known = MetaData()
            known.reflect(connection)
            for table in known.sorted_tables:
                if table.name == REVISIONS:
                    continue
                is_ours = table.name in SQLModel.metadata.tables
                if not is_ours or connection.execute(select(table).limit(1)).first():
                    raise HoldsSomething(table.name)
            known.drop_all(connection)
            if self.dialect == "postgresql":
                connection.execute(text("DROP FUNCTION IF EXISTS journal_is_append_only()"))
            _upgrade(connection, revision)
            yield connection

    @contextmanager
    def _altering(self) -> Iterator[Connection]:
        """Yield a connection on which the schema may be altered, by one program at a time."""
        with self._connected() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            else:
                # SQLite alters a table by making it anew; what points to it must look away meanwhile.
                # The setting is read outside a transaction and ends with the connection: none gets it next.
                connection.detach()
                connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
            yield connection
            if self.dialect == "sqlite" and connection.execute(text("PRAGMA foreign_key_check")).first():
                raise RuntimeError("the migration left a row that points to nothing")
            connection.commit()

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        try:
            connection = self._engine.connect()
        except DBAPIError as error:
            raise DatabaseUnreachable(_first_line(error)) from None
        with connection:
            yield connection


def _first_line(error: DBAPIError) -> str:
    """Return the database's own words, without the statement and what was in it."""
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]


def _upgrade(connection: Connection, revision: str) -> None:
    configuration = _alembic()
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, revision)


def newest_revision() -> str | None:
    """Return the revision to which `migrate` brings a schema: the one this program was written for."""
    return _scripts().get_current_head()


_chosen: ContextVar[Database | None] = ContextVar("database", default=None)


@cache
def _installed(url: str) -> Database:
    return Database(url)


def database() -> Database:
    """Return the database in use: the one chosen by `using`, else that of this installation."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    try:
        settings().home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnreachable(f"{settings().home}: {error.strerror}") from None
    return _installed(settings().database)


@contextmanager
def using(chosen: Database) -> Iterator[Database]:
    """Use another database inside this block: a rehearsal's scratch one, a test's."""
    token = _chosen.set(chosen)
    try:
        yield chosen
    finally:
        _chosen.reset(token)


@contextmanager
def transaction() -> Iterator[Session]:
    """Yield a session on the database in use; commits at the end or rolls back."""
    with database().transaction() as session:
        yield session


def _alembic() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    return configuration


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_alembic())


def _engine(url: str, *, is_scratch: bool) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    # A file opened anew for each transaction costs little and leaves no lock behind. A scratch file, of
    # which nobody else wants anything, saves that little thousands of times.
    engine = create_engine(url, poolclass=QueuePool if is_scratch else NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver's own BEGIN comes too late and is not IMMEDIATE; ours is issued below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA synchronous = {'OFF' if is_scratch else 'FULL'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A reader that turns writer in mid-transaction would fail; so every transaction may write,
        # but for one that says from the outset that it only looks.
        only_looks = connection.get_execution_options().get(ONLY_LOOKS)
        connection.exec_driver_sql("BEGIN" if only_looks else "BEGIN IMMEDIATE")

    return engine
