"""The whole service as an operator starts it: real processes, a real Prefect server, ports of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect.testing.utilities import prefect_test_harness

# What Prefect's own client asks again after, and how often.
BUSY = (
    httpx.codes.REQUEST_TIMEOUT,
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
)
MOST_ATTEMPTS = 6


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_until(holds: Callable[[], Any], within: float = 240.0, every: float = 0.5) -> Any:
    """Return the first true answer; fails when none came in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            answer = holds()
        except httpx.HTTPError:
            answer = None
        if answer:
            return answer
        time.sleep(every)
    raise AssertionError(f"nothing came of it within {within} seconds")


class Service:
    """One `congnhan serve` in a folder, and how to speak to it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.home = folder, folder / "var"
        self.web_port, self.engine_port = free_port(), free_port()
        self.web = f"http://127.0.0.1:{self.web_port}"
        self.api = f"http://127.0.0.1:{self.engine_port}/api"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        self.environment = kept | {"CONGNHAN_HOME": str(self.home)} | settings
        self.said = folder / "said.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self.auth: tuple[str, str] | None = None

    def start(self) -> None:
        words = ["serve", "--web-port", str(self.web_port), "--prefect-port", str(self.engine_port)]
        before = len(self.words()) if self.said.exists() else 0
        with self.said.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flows.console", *words],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: "Ctrl-C" in self.words()[before:] or self.process.poll() is not None, within=600)
        assert self.process.poll() is None, self.words()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(150)

    def words(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def command(self, *words: object) -> str:
        """Run a command of the program in another terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "flows.console", *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the Prefect server; one that says it is busy is asked again, as Prefect's own client does.

        On SQLite it answers 503 where a reader of its own became a writer after another wrote: nothing was
        done, and the same question is welcome a moment later.
        """
        method, more = ("GET", {}) if body is None else ("POST", {"json": body})
        for attempt in range(1, MOST_ATTEMPTS + 1):
            answer = httpx.request(method, f"{self.api}{path}", timeout=60, auth=self.auth, **more)
            if answer.status_code not in BUSY or attempt == MOST_ATTEMPTS:
                break
            time.sleep(float(answer.headers.get("Retry-After", 2**attempt)))
        answer.raise_for_status()
        return answer.json()

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        return self.ask("/flow_runs/filter", {"limit": 200, **filters})

    def force(self, name: str) -> str:
        """Ask for a run of a deployment now; returns its id."""
        deployment = self.ask(f"/deployments/name/{name}")
        return str(self.ask(f"/deployments/{deployment['id']}/create_flow_run", {})["id"])

    def fill_in(self, name: str, **form: Any) -> dict[str, Any]:
        """Fill in a form of the Prefect UI and wait for how its run ends."""
        deployment = self.ask(f"/deployments/name/{name}")
        run = self.ask(f"/deployments/{deployment['id']}/create_flow_run", {"parameters": {"form": form}})
        done = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        return wait_until(
            lambda: (found := self.ask(f"/flow_runs/{run['id']}"))["state_type"] in done and found
        )


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=300):
        yield


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of this module's own, with nothing configured."""
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        service.start()
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
