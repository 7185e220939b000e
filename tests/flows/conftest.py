"""Prefect's own harness: a real server on loopback, for the few tests that run real flow runs."""

import sys
from collections.abc import Iterator

import pytest
from prefect.testing.utilities import prefect_test_harness

from flows.console import main


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command in this process; returns its exit code, what it printed and its complaints."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["congnhan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command
