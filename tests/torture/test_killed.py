"""Deliverers killed at any moment, two at a time: counted at the server, nothing is lost or doubled."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml

from flows.zalo_tokens import KeptTokens
from models.sealing import Seal, new_key
from notifications.mailbox import Mailbox
from notifications.zalo.oauth import OAuth
from notifications.zalo.platform import ZaloAddresses, ZaloApp
from rules.tokens import Pair
from tests import zalo
from tests.torture import crowd
from tests.torture.deliverer import Deliverer, started
from tests.torture.desk import Desk, desk
from tests.walking import at, begin, rows

ROOT = Path(__file__).parent.parent.parent
LETTERS = int(os.environ.get("LETTERS_KILLED", "150"))
# `make torture` kills far more often, at other moments each time (SEED).
ROUNDS = int(os.environ.get("ROUNDS", "1"))
SEED = int(os.environ.get("SEED", "20211111"))
LONGEST_LIFE = 0.8  # seconds from the first claim


@pytest.fixture
def kind(tmp_path) -> Iterator[Desk]:
    with desk(tmp_path / "taken.jsonl", is_kind=True) as server:
        yield server


@contextmanager
def two_deliverers(
    database, home: Path, now: datetime, port: int, **settings: str
) -> Iterator[list[Deliverer]]:
    """Yield two deliverers that are ready to begin at the same time."""
    environment = {**os.environ, "CONGNHAN_HOME": str(home), **settings}
    environment["CONGNHAN_DATABASE_URL"] = database._engine.url.render_as_string(hide_password=False)
    both: list[Deliverer] = []
    try:
        both += [started(environment, now, port), started(environment, now, port)]
        yield both
    finally:
        for each in both:
            each.process.kill()
            each.wait(10)


def claimers() -> set[tuple]:
    """Return who has had letters in hand."""
    return set(rows("SELECT DISTINCT claimed_by FROM letters"))


def kill(both: list[Deliverer], chance: random.Random) -> None:
    """Let them go and kill each at some moment of its life."""
    earlier = claimers()
    for each in both:
        each.go()
    while claimers() == earlier and any(each.process.is_alive() for each in both):
        time.sleep(0.01)
    deaths = sorted(((chance.uniform(0, LONGEST_LIFE), each) for each in both), key=lambda death: death[0])
    began = time.monotonic()
    for moment, each in deaths:
        time.sleep(max(0, began + moment - time.monotonic()))
        each.process.kill()


def codes(both: list[Deliverer]) -> list[int | None]:
    """Let them go and return how they end."""
    for each in both:
        each.go()
    return [each.wait(timeout=120) for each in both]


def test_killed_at_any_moment_nothing_is_lost_or_doubled_unmarked(database, tmp_path, kind):
    chance = random.Random(SEED)
    crowd.queue(tmp_path / "files", LETTERS)
    now = at(crowd.OPENING)
    for _ in range(ROUNDS):
        with two_deliverers(database, tmp_path / "home", now, kind.port) as both:
            kill(both, chance)
        now += timedelta(minutes=6)  # the lease of what they had in hand is over
    for _ in range(2):
        with two_deliverers(database, tmp_path / "home", now, kind.port) as both:
            assert codes(both) == [0, 0]
        now += timedelta(minutes=6)
    crowd.check(kind.taken(), LETTERS)
    assert crowd.states() == {"sent": LETTERS}
    unsaid = """
        SELECT COUNT(*) FROM notices n JOIN contacts c ON c.id = n.contact_id
        WHERE n.state <> 'said' AND c.email LIKE 'm-%'
    """
    assert rows(unsaid) == [(0,)]


def test_killed_before_a_slow_server_only_what_was_under_way_is_doubled(database, tmp_path):
    crowd.queue(tmp_path / "files", 60)
    now, connections = at(crowd.OPENING), 4
    with desk(tmp_path / "slowly.jsonl", is_kind=True, pause=0.15) as slow:
        with two_deliverers(database, tmp_path / "home", now, slow.port) as (one, _):
            one.go()
            while len(slow.taken()) < 24:
                time.sleep(0.01)
            one.process.kill()
        now += timedelta(minutes=6)
        with two_deliverers(database, tmp_path / "home", now, slow.port) as (_, other):
            other.go()
            assert other.wait(timeout=120) == 0
        times = crowd.check(slow.taken(), 60)
    # Eight answers may not have been written down yet, a few be on their way into the database, and each
    # connection have a letter in its hands.
    assert sum(times.values()) - len(times) <= 8 + 2 * connections
    assert crowd.states() == {"sent": 60}


UID = 9007199254740993000


@contextmanager
def zalo_process(folder: Path, people: int) -> Iterator[dict[str, str]]:
    """Yield the fake in a process of its own that knows so many people who have just written to it."""
    seed = folder / "people.yaml"
    users = [{"uid": str(UID + number), "last_interaction": "now"} for number in range(people)]
    seed.write_text(yaml.safe_dump({"users": users}))
    process = subprocess.Popen(
        [
            sys.executable,
            *("-m", "notifications.zalo.fake"),
            *("--seed", str(seed), "--state", str(folder / "messages.jsonl")),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def test_killed_over_zalo_nobody_has_a_message_twice_and_the_rest_is_known(
    database, tmp_path, kind, monkeypatch
):
    people, chance = max(LETTERS // 3, 60), random.Random(SEED + 1)
    of_units = zalo.units(**{f"xa-{number:05d}": str(UID + number) for number in range(people)})
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=of_units)
        zalo.remind(walk)
    (tmp_path / "messages.jsonl").touch()
    with zalo_process(tmp_path, people) as told:
        key = new_key()
        settings = {
            f"CONGNHAN_ZALO_{name}": value
            for name, value in (
                ("APP_ID", told["app_id"]),
                ("OA_ID", told["oa_id"]),
                ("APP_SECRET", told["app_secret"]),
                ("OA_URL", told["oa"]),
                ("ZBS_URL", told["zbs"]),
                ("OAUTH_URL", told["oauth"]),
                ("BOT_URL", told["bot"]),
                ("PER_MINUTE", "0"),
            )
        } | {"CONGNHAN_SECRET_KEY": key}
        now = at(zalo.LAST_DAY)
        app = ZaloApp(told["app_id"], told["oa_id"], told["app_secret"])
        account = OAuth(ZaloAddresses(oauth=told["oauth"]), app, 5.0)
        KeptTokens(account, Seal(key), now=now).keep(Pair(told["access_token"], told["refresh_token"]))
        for _ in range(ROUNDS):
            with two_deliverers(database, tmp_path / "home", now, kind.port, **settings) as both:
                kill(both, chance)
            now += timedelta(minutes=6)
        for _ in range(1):
            with two_deliverers(database, tmp_path / "home", now, kind.port, **settings) as both:
                assert codes(both) == [0, 0]
            now += timedelta(minutes=6)
    lines = (tmp_path / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    times = Counter(json.loads(line)["to"] for line in lines)
    assert [uid for uid, number in times.items() if number > 1] == []
    states = {
        address: state
        for address, state in rows(
            "SELECT address, state FROM letters WHERE channel = 'zalo' AND kind = 'reminder'"
        )
    }
    assert len(states) == people
    assert set(states.values()) <= {"sent", "uncertain"}
    # Whoever had nothing is known to the office as uncertain; whoever is said to have it has it.
    assert {uid for uid, state in states.items() if state == "sent"} <= set(times)
    uncertain = [uid for uid, state in states.items() if state == "uncertain"]
    assert len(uncertain) <= 2 * ROUNDS
    told_of = rows("SELECT COUNT(*) FROM notices WHERE kind = 'undeliverable' AND reason LIKE 'uncertain%'")
    assert told_of == [(len(uncertain),)]
