"""The fake as a process: what it prints, what its seed sows, and that it keeps what it has accepted."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from notifications.zalo.fake import FakeZalo
from notifications.zalo.fake.__main__ import sown
from tests.notifications.zalo.fake.asking import CS, consultation

ROOT = Path(__file__).parents[4]
SEED = """
users:
  - uid: 3000000000000000003
    last_interaction: now
phones:
  84912000001:
  84912000002: {opted_out: true}
templates:
  - template_id: 500001
    params: [{name: don_vi, max_length: 30}, {name: thoi_han, type: DATE, max_length: 20}]
groups:
  g-mau: {name: MẪU}
chats:
  c-mau:
faults: {every: 2, kind: code, of: -200}
"""


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    """Yield what the process prints first, and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "notifications.zalo.fake", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def consulted(told: dict[str, str]) -> int:
    answered = httpx.post(
        told["oa"] + CS, json=consultation(), headers={"access_token": told["access_token"]}, trust_env=False
    )
    return int(answered.json()["error"])


def test_process_tells_how_it_is_reached_and_keeps_what_it_accepts(tmp_path: Path) -> None:
    seed, state = tmp_path / "seed.yaml", tmp_path / "messages.jsonl"
    seed.write_text(SEED, encoding="utf-8")
    with running("--seed", str(seed), "--state", str(state)) as (told, process):
        assert sorted(told) == [
            "access_token", "app_id", "app_secret", "bot", "bot_token", "oa", "oa_id", "oa_secret",
            "oauth", "refresh_token", "zbs",
        ]  # fmt: skip
        # Every second message has the fault of the seed.
        assert [consulted(told) for _ in range(4)] == [0, -200, 0, -200]
        process.kill()
        process.wait()
    lines = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    assert [(line["host"], line["to"], line["body"]) for line in lines] == [
        ("oa", "3000000000000000003", consultation())
    ] * 2
    assert len({line["id"] for line in lines}) == 2


def test_process_ends_with_its_input_and_needs_no_seed(tmp_path: Path) -> None:
    empty = tmp_path / "seed.yaml"
    empty.write_text("# nothing\n")
    with running("--seed", str(empty)) as (told, process):
        assert consulted(told) == -201
        process.communicate("", timeout=10)
        assert process.returncode == 0


def test_seed_may_be_sown_twice(zalo: FakeZalo) -> None:
    seed: dict[str, Any] = yaml.safe_load(SEED)
    for _ in range(2):
        for known in (zalo.users, zalo.phones, zalo.templates, zalo.groups, zalo.chats):
            known.clear()
        sown(zalo, seed)
        assert (set(zalo.users), set(zalo.phones)) == (
            {"3000000000000000003"},
            {"84912000001", "84912000002"},
        )
        assert [param.name for param in zalo.templates["500001"].params] == ["don_vi", "thoi_han"]
        assert (zalo.groups["g-mau"].name, zalo.chats) == ("MẪU", {"c-mau": "MẪU"})
        assert [zalo.phones[number].opted_out for number in sorted(zalo.phones)] == [False, True]


@pytest.mark.parametrize(
    "written", ["2026-11-20 02:00:00", "2026-11-20T02:00:00Z", "'2026-11-20T09:00:00+07:00'"]
)
def test_time_in_a_seed_is_an_instant(zalo: FakeZalo, written: str) -> None:
    sown(zalo, yaml.safe_load(f"users: [{{uid: '7', last_interaction: {written}}}]"))
    assert zalo.users["7"].last_interaction == datetime(2026, 11, 20, 2, tzinfo=UTC)
