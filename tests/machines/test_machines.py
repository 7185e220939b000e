"""A campaign on several machines, disturbed in every way, says what it says undisturbed, and once."""

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter as Counting
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from config.script_file import ScriptLine, Verb
from flows.campaign import tick
from flows.deeds import carry_out
from flows.delivery import deliver_letters
from models.campaigns import open_campaign
from models.database import Database, using
from notifications.email import MailServer
from rules.calendar import CITY
from rules.stages import PaperRole
from tests import factories
from tests.machines.conftest import Counter, Hosts, Postgres, Worker, wait_until

COMMUNES = [f"x{n:02d}" for n in range(40)]
SMTP_PORT, PG_PORT, API_PORT = 25250, 25432, 24200
CONNECTIONS = 4
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
# The stage, whether a tick is still at work on what it entails, and whether a letter waits; asked at once,
# since a scheduled tick on another machine may have entered the stage and not yet written its letters.
SETTLED = """
    SELECT stage,
           EXISTS (SELECT 1 FROM leases WHERE name = 'tick' AND held_until > now()),
           EXISTS (SELECT 1 FROM letters WHERE state IN ('queued', 'sending', 'uncertain'))
    FROM campaigns
"""

IN_HAND = "SELECT 1 FROM letters WHERE state = 'sending' LIMIT 1"
TICKING = "SELECT EXISTS (SELECT 1 FROM leases WHERE name = 'tick' AND held_until > now())"
# What was owed and what became of it, in which stage the campaign ended and by which papers.
RESULT = """
    SELECT name || ' ' || state FROM work_items
    UNION ALL SELECT 'stage ' || stage FROM campaigns
    UNION ALL SELECT 'paper ' || number FROM papers
    ORDER BY 1
"""
# How often nobody knew whether a letter had gone, for each that this befell.
IN_DOUBT = """
    SELECT l.message_id, COUNT(*) FROM letters l JOIN tries t ON t.letter_id = l.id
    WHERE t.outcome = 'unknown' GROUP BY l.message_id
"""


def campaign(folder: Path) -> Path:
    """A campaign of forty communes that opens today, in an office that works day and night."""
    today = datetime.now(CITY).date()
    days = [(today + timedelta(days=n)).isoformat() for n in range(-10, 60)]
    data = factories.campaign_data(
        calendar={
            "office_hours": ["00:00", "23:59"],
            "sending_windows": [["00:00", "23:59"]],
            "overrides": [{"date": day, "working": True, "source": "MẪU"} for day in days],
        },
        stages={
            "self_assessment": {"opens_on": days[10], "due": {"before": days[30]}, "wait_for_all": True},
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
        legal_basis=[
            {"number": f"{role}/MẪU", "date": days[9], "kind": "CV", "role": role}
            for role in ("plan", "team", "launch")
        ],
    )
    return factories.write_campaign(folder, data, factories.units(COMMUNES))


def deeds(today: str) -> dict[str, list[list[str]]]:
    """What people do, part by part, as commands."""
    paper = ["--date", today, "--kind", "QĐ"]
    return {
        "hand in": [["submit", "mau-2021", unit] for unit in COMMUNES],
        "review": [["review", "mau-2021", "x"]],
        "conclude": [
            ["conclude", "mau-2021"],
            ["register", "mau-2021", "--role", "submission", "--number", "1/TTr-MẪU", *paper],
        ],
        "decide": [["register", "mau-2021", "--role", "decision", "--number", "2/QĐ-MẪU", *paper]],
    }


class Site:
    """The whole installation: the servers here, the workers on hosts of their own."""

    def __init__(self, hosts: Hosts, folder: Path) -> None:
        self.hosts, self.folder = hosts, folder
        self.postgres = Postgres(hosts.here, PG_PORT)
        self.smtp = Counter(hosts.here, SMTP_PORT)
        self.api = f"http://{hosts.here}:{API_PORT}/api"
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PREFECT_", "CONGNHAN_"))
        }
        self.settings = kept | {
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "CONGNHAN_DATABASE_URL": self.postgres.url("congnhan"),
            "CONGNHAN_SMTP_HOST": hosts.here,
            "CONGNHAN_SMTP_PORT": str(SMTP_PORT),
            "CONGNHAN_SMTP_SECURITY": "none",
            "CONGNHAN_MAIL_CONNECTIONS": str(CONNECTIONS),
        }
        self.engine: subprocess.Popen[bytes] | None = None
        self.start_engine()
        self.command("deploy")
        self.workers = [
            Worker(hosts, "worker1", folder, self.settings, ahead=0),
            Worker(hosts, "worker2", folder, self.settings, ahead=120),
        ]

    def start_engine(self) -> None:
        words = ["server", "start", "--host", self.hosts.here, "--port", str(API_PORT)]
        more = {
            "PREFECT_HOME": str(self.folder / "engine"),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.postgres.url("prefect", "postgresql+asyncpg"),
        }
        with (self.folder / "engine.log").open("ab") as log:
            self.engine = subprocess.Popen(
                [sys.executable, "-m", "prefect", *words],
                env=self.settings | more,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        health = f"{self.api}/health"
        wait_until(lambda: httpx.get(health, timeout=3).status_code == 200, within=180, why="engine")

    def stop_engine(self) -> None:
        self.engine.kill()
        self.engine.wait()

    def command(self, *words: str) -> str:
        """Run a command here, beside the servers."""
        settings = self.settings | {"CONGNHAN_HOME": str(self.folder / "here")}
        done = subprocess.run(
            [sys.executable, "-m", "flows.console", *words],
            env=settings | {"PREFECT_HOME": str(self.folder / "here-prefect")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = (
            httpx.get(f"{self.api}{path}", timeout=20)
            if body is None
            else httpx.post(f"{self.api}{path}", json=body, timeout=20)
        )
        answer.raise_for_status()
        return answer.json()

    def force(self, name: str) -> str:
        """Ask for a run of a deployment now; returns its id."""
        deployment = wait_until(lambda: self.ask(f"/deployments/name/{name}"))
        return str(self.ask(f"/deployments/{deployment['id']}/create_flow_run", {})["id"])

    def state(self, run_id: str) -> str:
        return str(self.ask(f"/flow_runs/{run_id}")["state_type"])

    def rows(self, query: str) -> list[tuple]:
        with psycopg.connect(self.postgres.url("congnhan")) as connection:
            return connection.execute(query).fetchall()

    def settle(self, why: str, *, until: str) -> None:
        """Tick and deliver until a stage is reached and nothing waits to be sent any more."""

        def is_settled() -> bool:
            for name in ("campaign-tick/sweep", "deliver-letters/delivery"):
                run_id = self.force(name)
                wait_until(lambda of=run_id: self.state(of) in ENDED, within=240, why=f"{why}: {name}")
            return self.rows(SETTLED) == [(until, False, False)]

        wait_until(is_settled, within=600, why=why)

    def stop(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.stop_engine()
        self.postgres.remove()


def undisturbed(folder: Path) -> tuple[Counting, list[tuple]]:
    """Run the same campaign on one machine with nothing in its way; returns what was said, and the result."""
    database = Database(f"sqlite:///{folder}/plain.db")
    with Counter("127.0.0.1", SMTP_PORT + 1) as smtp, using(database):
        database.migrate()
        file = factories.read_campaign(campaign(folder / "plain-files"))
        now = datetime.now(CITY)
        with database.transaction() as session:
            open_campaign(session, file, at=now, by="MẪU")
        server = MailServer("127.0.0.1", SMTP_PORT + 1, "congnhan@mau.example", security="none")

        def turn() -> None:
            moment = datetime.now(CITY)
            tick(moment)
            deliver_letters(moment, server)
            tick(moment)
            deliver_letters(moment, server)

        turn()
        for words in deeds(now.date().isoformat()).values():
            for each in words:
                _by_hand(each)
            turn()
        turn()
        said = Counting((to, subject) for to, _, subject in smtp.taken)
    database.close()
    with closing(sqlite3.connect(folder / "plain.db")) as plain:
        return said, sorted(plain.execute(RESULT).fetchall())


def _by_hand(words: list[str]) -> None:
    now, verb = datetime.now(CITY), Verb(words[0])
    facts: dict[str, Any] = {}
    if verb in (Verb.SUBMIT, Verb.REVIEW):
        facts = {"units": (words[2],)}
    elif verb is Verb.REGISTER:
        named = dict(zip(words[2::2], words[3::2], strict=True))
        facts = {
            "roles": (PaperRole(named["--role"]),),
            "number": named["--number"],
            "issued_on": date.fromisoformat(named["--date"]),
            "kind": named["--kind"],
        }
    carry_out("mau-2021", ScriptLine(0, now, now, verb, **facts))


@pytest.fixture
def site(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("site")
    site = Site(hosts, folder)
    with site.smtp:
        try:
            yield site
        finally:
            site.stop()


def test_a_disturbed_campaign_says_what_an_undisturbed_one_says(site, tmp_path):
    expected, result = undisturbed(tmp_path)
    today = datetime.now(CITY).date().isoformat()
    parts = deeds(today)
    two = site.workers[1]
    killed_in_delivery = 0

    # Two ticks at once, on two machines whose clocks are two minutes apart, beside the scheduled ones. The
    # mail server takes its time from the start: a scheduled delivery may be the one that is under way below.
    site.smtp.pause = 5.0
    site.command("open", str(campaign(site.folder / "files")), "--by", "MẪU")
    both = [site.force("campaign-tick/sweep") for _ in range(2)]
    wait_until(lambda: all(site.state(run) == "COMPLETED" for run in both), why="two ticks at once")
    all_made = [(len(COMMUNES),)]
    wait_until(
        lambda: site.rows("SELECT COUNT(*) FROM letters") == all_made, why="the letters of the opening"
    )

    # A worker dies in a delivery, its letters half sent.
    site.force("deliver-letters/delivery")
    wait_until(
        lambda: len(site.smtp.taken) >= 6 and site.rows(IN_HAND), every=0.05, why="a delivery under way"
    )
    for worker in site.workers:
        if worker.runs():
            worker.kill()
            worker.start()
            killed_in_delivery += 1
    assert killed_in_delivery
    assert site.rows(IN_HAND), "no letter was in the hands of the dead"
    site.smtp.pause = 0.0
    _lease_over(site)
    site.settle("after a worker died in a delivery", until="self_assessment")
    # What came twice was in the hands of the dead: on each connection one letter under way, and one that was
    # answered and not yet written down.
    assert _again(site) <= killed_in_delivery * 2 * CONNECTIONS

    # A worker dies in a tick, and the engine is restarted in the middle of the campaign.
    for words in parts["hand in"]:
        site.command(*words)
    site.force("campaign-tick/sweep")
    wait_until(lambda: site.rows(TICKING) == [(True,)], every=0.05, why="a tick at work")
    for worker in site.workers:
        if worker.runs():
            worker.kill()
            worker.start()
    site.stop_engine()
    site.start_engine()
    _lease_over(site)
    site.settle("after a worker died in a tick and the engine was restarted", until="agency_review")

    # One worker is cut off for a while; the other goes on, and nothing is doubled when it is back.
    two.stand_still(still=True)
    for words in parts["review"]:
        site.command(*words)
    site.settle("with one worker cut off", until="consolidation")
    two.stand_still(still=False)

    # The database is restarted while runs are at work.
    for words in parts["conclude"]:
        site.command(*words)
    site.force("campaign-tick/sweep")
    wait_until(lambda: site.rows(TICKING) == [(True,)], every=0.05, why="a tick at work")
    site.postgres.stop()
    time.sleep(3)
    site.postgres.start()
    wait_until(lambda: site.ask("/deployments/count", {}) > 0, why="the engine after the database")
    _lease_over(site)
    site.settle("after the database was restarted", until="decision")
    for words in parts["decide"]:
        site.command(*words)
    site.settle("the end", until="closed")

    # Nothing is lost; what came twice is the same letter under the same Message-ID, and only where our own
    # rows say that nobody knew whether it had gone.
    said = Counting((to, subject) for to, _, subject in site.smtp.taken)
    assert set(said) == set(expected)
    identities = Counting(identity for _, identity, _ in site.smtp.taken)
    in_doubt = dict(site.rows(IN_DOUBT))
    assert {i: n for i, n in identities.items() if n > 1 + in_doubt.get(i, 0)} == {}
    assert in_doubt, "nobody died with a letter in hand"
    once = Counting({(to, subject) for to, _, subject in site.smtp.taken})
    by_identity = Counting((to, subject) for (to, _, subject) in {each for each in site.smtp.taken})
    assert by_identity == expected, by_identity - expected
    assert set(once) == set(expected)
    states = dict(site.rows("SELECT state, COUNT(*) FROM letters GROUP BY state"))
    assert set(states) <= {"sent", "delivered"}, states
    assert sorted(site.rows(RESULT)) == result


def _again(site: Site) -> int:
    """Return how many letters came that had come before."""
    return len(site.smtp.taken) - len({identity for _, identity, _ in site.smtp.taken})


def _lease_over(site: Site) -> None:
    """Let the leases of the dead run out at once: five minutes are the program's, not the test's."""
    # What was claimed stays claimed; only the time that a dead sender is believed is shortened.
    with psycopg.connect(site.postgres.url("congnhan")) as connection:
        connection.execute("UPDATE leases SET held_until = now()")
        connection.execute("UPDATE letters SET lease_until = now() WHERE lease_until IS NOT NULL")
