"""Backup and restore (sao lưu, khôi phục): the whole database and its files in one archive, proved by hash.

The archive is the same whichever database it was taken from, so that one of SQLite is restored into
PostgreSQL and the other way round. It is taken from one snapshot while others go on writing.
"""

import base64
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from gzip import BadGzipFile
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, func, select, text
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    StatementError,
)

from config.settings import settings
from models.database import REVISIONS, Database
from models.file_store import kept_path

FORMAT = 1
MANIFEST = "manifest.json"
AT_A_TIME = 1_000
# What an archive that is damaged, or was made by somebody else, raises where it is read.
UNREADABLE = (
    *(tarfile.TarError, BadGzipFile, zlib.error, EOFError, NotADirectoryError, FileExistsError),
    *(ValueError, LookupError, TypeError, AttributeError),
)
# What a database says of a row that cannot be one of ours.
IMPOSSIBLE = (DataError, IntegrityError, InterfaceError, ProgrammingError)
# One row as its columns have it.
Row = dict[str, Any]


class NotABackup(Exception):
    """The file is no backup of this program, or it is damaged; `part` says where."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


class BackupIsNewer(Exception):
    """The backup was taken by a newer program."""

    def __init__(self, revision: str) -> None:
        super().__init__(revision)
        self.revision = revision


class FileMissing(Exception):
    """A file that a dossier names is not there, or no longer what it was: no backup would be whole."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows a table has, and the SHA-256 over them."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds; `files` gives the size of each by its SHA-256."""

    format: int
    revision: str
    taken_at: str
    dialect: str
    tables: dict[str, Counted] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(each.rows for each in self.tables.values())


def back_up(database: Database, path: Path, *, at: datetime) -> Manifest:
    """Write the whole of a database and its files into an archive, and return what it holds.

    The archive stands under its name only once it is whole, readable by its owner alone. Raises
    FileMissing, OSError.
    """
    database.migrate()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as unfinished,
        TemporaryDirectory() as folder,
    ):
        try:
            manifest = _write(database, unfinished, Path(folder), at)
            unfinished.flush()
            os.fsync(unfinished.fileno())
            os.replace(unfinished.name, path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise
    return manifest


def _write(database: Database, out: Any, folder: Path, at: datetime) -> Manifest:
    with database.snapshot() as connection:
        revision = connection.execute(text(f"SELECT version_num FROM {REVISIONS}")).scalar_one()
        manifest = Manifest(FORMAT, revision, at.astimezone(UTC).isoformat(), database.dialect)
        tables = _tables(connection)
        for table in tables:
            lines = (_as_line(table, row) for row in _rows(connection, table))
            manifest.tables[table.name] = _spool(folder / table.name, lines)
        kept = next((table for table in tables if table.name == "kept_files"), None)
        digests = [] if kept is None else connection.execute(select(kept.c.sha256)).scalars().all()
    for digest in sorted(digests):
        if _hash(kept_path(digest)) != digest:
            raise FileMissing(digest)
        manifest.files[digest] = kept_path(digest).stat().st_size
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        content = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        about = tarfile.TarInfo(MANIFEST)
        about.size, about.mtime, about.mode = len(content), int(at.timestamp()), 0o600
        archive.addfile(about, io.BytesIO(content))
        for name in manifest.tables:
            archive.add(folder / name, f"tables/{name}.jsonl")
        for digest in manifest.files:
            archive.add(kept_path(digest), f"files/{digest}")
    return manifest


def _tables(connection: Connection) -> list[Table]:
    """Return the tables as the database has them, whoever is pointed to before who points."""
    known = MetaData()
    known.reflect(connection)
    return [table for table in known.sorted_tables if table.name != REVISIONS]


def _rows(connection: Connection, table: Table) -> Iterable[Any]:
    key = list(table.primary_key.columns) or list(table.columns)
    return connection.execute(select(table).order_by(*key).execution_options(yield_per=AT_A_TIME))


def _spool(path: Path, lines: Iterable[str]) -> Counted:
    with path.open("w", encoding="utf-8") as file:

        def kept() -> Iterator[str]:
            for line in lines:
                file.write(f"{line}\n")
                yield line

        return _counted(kept())


def _counted(lines: Iterable[str]) -> Counted:
    """Count lines and hash them in whatever order they come: databases sort texts differently."""
    together, count = 0, 0
    for line in lines:
        count += 1
        together = (together + int.from_bytes(sha256(line.encode()).digest())) % 2**256
    return Counted(count, f"{together:064x}")


def _as_line(table: Table, row: Any) -> str:
    said = {column.name: _said(column, row._mapping[column]) for column in table.columns}
    return json.dumps(said, ensure_ascii=False, sort_keys=True)


def _said(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, Decimal):
        return str(value)
    if _is(column, "BOOLEAN"):
        return bool(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _is(column: Column[Any], kind: str) -> bool:
    return str(column.type).upper().startswith(kind)


def restore(database: Database, path: Path) -> Manifest:
    """Bring a backup into an empty database and its files into their place, prove both, and migrate.

    Everything happens in one transaction: what fails leaves the database as empty as it was. Raises
    NotABackup, HoldsSomething, BackupIsNewer, OSError.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        manifest = _unpack(path, folder)
        if not database.knows(manifest.revision):
            raise BackupIsNewer(manifest.revision)
        with database.emptied_to(manifest.revision) as connection:
            tables = _tables(connection)
            if {table.name for table in tables} != set(manifest.tables):
                raise NotABackup("tables")
            for table in tables:
                try:
                    _load(connection, table, folder / "tables" / f"{table.name}.jsonl")
                except (*UNREADABLE, *IMPOSSIBLE):
                    raise NotABackup(table.name) from None
                except StatementError as error:
                    # A value that its column cannot hold never reached the database.
                    if isinstance(error, DBAPIError):
                        raise
                    raise NotABackup(table.name) from None
            if database.dialect == "postgresql":
                _set_sequences(connection, tables)
            elif connection.execute(text("PRAGMA foreign_key_check")).first():
                raise NotABackup("links")
            for table in tables:
                read_back = _counted(_as_line(table, row) for row in _rows(connection, table))
                if read_back != manifest.tables[table.name]:
                    raise NotABackup(table.name)
            for digest in manifest.files:
                _put_back(folder / "files" / digest, digest)
    database.migrate()
    return manifest


def _unpack(path: Path, folder: Path) -> Manifest:
    """Unpack an archive and prove every part of it; raises NotABackup, BackupIsNewer."""
    try:
        with tarfile.open(path, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        manifest = _read(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError:
        if not path.exists():
            raise
        raise NotABackup(MANIFEST) from None
    except UNREADABLE:
        raise NotABackup(path.name) from None
    expected = {MANIFEST, *(f"tables/{name}.jsonl" for name in manifest.tables)}
    expected |= {f"files/{digest}" for digest in manifest.files}
    found = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if not each.is_dir()}
    for name in sorted(found ^ expected):
        raise NotABackup(name)
    for name, counted in manifest.tables.items():
        if _counted(_lines(folder / "tables" / f"{name}.jsonl")) != counted:
            raise NotABackup(name)
    for digest in manifest.files:
        if _hash(folder / "files" / digest) != digest:
            raise NotABackup(digest[:12])
    return manifest


def _read(said: Any) -> Manifest:
    """Return what a manifest says; raises what UNREADABLE names where it is none, BackupIsNewer."""
    if isinstance(said["format"], int) and said["format"] > FORMAT:
        raise BackupIsNewer(str(said["revision"]))
    tables = {name: Counted(**each) for name, each in said["tables"].items()}
    manifest = Manifest(**(said | {"tables": tables, "files": dict(said["files"])}))
    if manifest.format != FORMAT or not isinstance(manifest.revision, str):
        raise ValueError(manifest.format)
    return manifest


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise NotABackup(path.stem)
    with path.open("rb") as file:
        for line in file:
            try:
                yield line.decode().removesuffix("\n")
            except UnicodeDecodeError:
                raise NotABackup(path.stem) from None


def _hash(path: Path) -> str | None:
    if not path.is_file():
        return None
    seen = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            seen.update(chunk)
    return seen.hexdigest()


def _load(connection: Connection, table: Table, path: Path) -> None:
    rows = (
        {name: _meant(table.c[name], value) for name, value in json.loads(line).items()}
        for line in _lines(path)
    )
    own = [
        column.name
        for column in table.columns
        if any(key.column.table is table for key in column.foreign_keys)
    ]
    for batch in _in_parts(_pointed_to_first(rows, own) if own else rows):
        connection.execute(table.insert(), batch)


def _in_parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch


def _pointed_to_first(rows: Iterable[Row], own: list[str]) -> Iterator[Row]:
    """Yield rows of a table that points to itself, each after those that it points to."""
    there: set[Any] = set()
    waiting = list(rows)
    while waiting:
        ready = [row for row in waiting if all(row[name] is None or row[name] in there for name in own)]
        if not ready:
            raise NotABackup("links")
        yield from ready
        there |= {row["id"] for row in ready}
        waiting = [row for row in waiting if row["id"] not in there]


def _meant(column: Column[Any], value: Any) -> Any:
    if value is None or not isinstance(value, str):
        return value
    if isinstance(column.type, DateTime):
        aware = datetime.fromisoformat(value)
        return aware if column.type.timezone else aware.replace(tzinfo=None)
    if _is(column, "DATE"):
        return datetime.fromisoformat(value).date()
    if _is(column, "BYTEA") or _is(column, "BLOB"):
        return base64.b64decode(value)
    return value


def _set_sequences(connection: Connection, tables: Iterable[Table]) -> None:
    for table in tables:
        for column in table.primary_key:
            name = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"),
                {"table": table.name, "column": column.name},
            ).scalar_one()
            highest = connection.execute(select(func.max(column))).scalar_one()
            if name is not None and highest is not None:
                connection.execute(text("SELECT setval(:name, :highest)"), {"name": name, "highest": highest})


def _put_back(source: Path, digest: str) -> None:
    place = kept_path(digest)
    if place.is_file() and _hash(place) == digest:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=settings().home / "files", delete=False) as copy:
        copy.write(source.read_bytes())
        copy.flush()
        os.fsync(copy.fileno())
    os.replace(copy.name, place)
