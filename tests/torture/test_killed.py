"""Deliverers killed at any moment, two at a time: counted at the server, nothing is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.torture import crowd
from tests.torture.desk import Desk, desk
from tests.walking import at, rows

ROOT = Path(__file__).parent.parent.parent
LETTERS = int(os.environ.get("LETTERS_KILLED", "300"))
# `make torture` kills far more often, at other moments each time (SEED).
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SEED = int(os.environ.get("SEED", "20211111"))
LONGEST_LIFE = 1.2  # seconds from the first claim


@pytest.fixture
def kind(tmp_path) -> Iterator[Desk]:
    with desk(tmp_path / "taken.jsonl", is_kind=True) as server:
        yield server


@contextmanager
def two_deliverers(database, home: Path, now: datetime, port: int) -> Iterator[list[subprocess.Popen]]:
    """Yield two deliverers that begin at the same time."""
    environment = {**os.environ, "CONGNHAN_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["CONGNHAN_DATABASE_URL"] = database._engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.torture.deliverer", now.isoformat(), str(port)]
    both = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        for each in both:
            assert each.stdout.readline() == "ready\n"
        for each in both:
            each.stdin.write("go\n")
            each.stdin.flush()
        yield both
    finally:
        for each in both:
            each.kill()
            each.communicate()


def test_killed_at_any_moment_nothing_is_lost_or_doubled_unmarked(database, tmp_path, kind):
    chance = random.Random(SEED)
    crowd.queue(tmp_path / "files", LETTERS)
    now = at(crowd.OPENING)
    for _ in range(ROUNDS):
        with two_deliverers(database, tmp_path / "home", now, kind.port) as both:
            deaths = sorted((chance.uniform(0, LONGEST_LIFE), each) for each in both)
            began = time.monotonic()
            for moment, each in deaths:
                time.sleep(max(0, began + moment - time.monotonic()))
                each.send_signal(signal.SIGKILL)
        now += timedelta(minutes=6)  # the lease of what they had in hand is over
    for _ in range(3):
        with two_deliverers(database, tmp_path / "home", now, kind.port) as both:
            assert [each.wait(timeout=120) for each in both] == [0, 0]
        now += timedelta(minutes=6)
    crowd.check(kind.taken(), LETTERS)
    assert crowd.states() == {"sent": LETTERS}
    unsaid = """
        SELECT COUNT(*) FROM notices n JOIN contacts c ON c.id = n.contact_id
        WHERE n.state <> 'said' AND c.email LIKE 'm-%'
    """
    assert rows(unsaid) == [(0,)]
