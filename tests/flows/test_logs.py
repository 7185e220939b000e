"""Logs as JSON: a line for each letter with the ids of what it is about, and nobody's address."""

import json
import logging
import os
import subprocess
import sys

from flows.logs import write_logs


def test_each_letter_has_a_line_with_its_campaign_item_and_notice(opened, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "flows.console", "tick", "--now", "2021-11-11T07:30"],
        env=os.environ | {"CONGNHAN_LOG": "json", "CONGNHAN_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    sent = [line for line in lines if line["message"] == "a letter was tried"]
    assert sorted(item for line in sent for item in line["item"]) == ["dossier/a", "dossier/b"]
    for line in sent:
        assert line["campaign"] == opened
        assert line["outcome"] == "accepted"
        assert line["notice"]
        assert isinstance(line["letter"], int)
    turns = [line["campaign"] for line in lines if line["message"] == "a campaign had its turn"]
    assert turns == [opened]
    assert "mau.example" not in done.stderr


def test_addresses_that_are_asked_are_not_written_down():
    write_logs()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)
