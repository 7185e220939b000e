"""Letters to a mail server that fails by plan: nobody is left out, nobody is written to twice unmarked."""

import os
from datetime import timedelta

import pytest

from flows.delivery import deliver_letters
from notifications.email import MailServer
from tests.torture import crowd
from tests.torture.desk import DROPPED_BEFORE, NEVER, desk, is_, number_of
from tests.walking import FROM, at, rows

# `make torture` sends all of them.
LETTERS = int(os.environ.get("LETTERS", "200"))


@pytest.fixture
def failing(tmp_path):
    with desk(tmp_path / "taken.jsonl") as server:
        yield server


def test_every_letter_ends_as_the_server_says(database, tmp_path, failing):
    crowd.queue(tmp_path / "files", LETTERS)
    server = MailServer("127.0.0.1", failing.port, FROM, security="none", timeout=5)
    for minutes in (0, 1, 2, 7, 13, 29, 45, 100):
        deliver_letters(at(crowd.OPENING) + timedelta(minutes=minutes), server)
    everybody = [f"m-{number:05d}@mau.example" for number in range(1, LETTERS + 1)]
    unreachable = [each for each in everybody if is_(NEVER, number_of(each))]
    reachable = [each for each in everybody if each not in set(unreachable)]
    times = crowd.check(failing.taken(), LETTERS, unreachable=unreachable)
    # Doubled are those whose answer was lost after they had been taken, and no others.
    lost = [each for each in reachable if is_(DROPPED_BEFORE, number_of(each))]
    assert {each for each, number in times.items() if number > 1} == set(lost)
    assert crowd.states() == {"sent": len(reachable), "failed": len(unreachable)}
    told = rows("SELECT COUNT(*) FROM notices WHERE kind = 'undeliverable'")
    assert told == [(len(unreachable),)]
