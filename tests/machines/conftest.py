"""Several machines on one: hosts with an address each, a PostgreSQL server, a Prefect server, workers, mail.

Where the kernel lets us, a host is a network namespace on a bridge, and a partition is its cable pulled;
elsewhere hosts share the loopback, and a partition is a process that stands still. Nothing else is shared
but addresses: each host has its own home, its own Prefect profile and its own clock.
"""

import asyncio
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from aiosmtpd.controller import Controller

POSTGRES = max(glob.glob("/usr/lib/postgresql/*/bin"), default="")
CLOCK = Path(__file__).with_name("clock.c")
NET = "10.213.77"
BRIDGE = "cnbr0"


def wait_until(holds: Callable[[], Any], within: float = 300.0, every: float = 0.3, why: str = "") -> Any:
    """Return the first true answer; fails when none came in time."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        with suppress(httpx.HTTPError, psutil.Error):
            if answer := holds():
                return answer
        time.sleep(every)
    raise AssertionError(f"nothing came of it within {within} seconds: {why}")


def run(*words: str, check: bool = True) -> int:
    return subprocess.run(words, check=check, capture_output=True).returncode


def may_make_hosts() -> bool:
    """Say whether network namespaces are permitted here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    made = run("ip", "netns", "add", "cnprobe", check=False) == 0
    if made:
        run("ip", "netns", "del", "cnprobe")
    return made


class Hosts:
    """The network: this machine is its first host and the bridge of all others."""

    def __init__(self) -> None:
        self.are_real = may_make_hosts()
        self.here = f"{NET}.1" if self.are_real else "127.0.0.1"
        self._names: list[str] = []

    def __enter__(self) -> "Hosts":
        if self.are_real:
            self._clear()
            run("ip", "link", "add", BRIDGE, "type", "bridge")
            run("ip", "addr", "add", f"{self.here}/24", "dev", BRIDGE)
            run("ip", "link", "set", BRIDGE, "up")
        return self

    def __exit__(self, *_: object) -> None:
        if self.are_real:
            self._clear()

    def add(self, name: str) -> None:
        """Add a host."""
        self._names.append(name)
        if not self.are_real:
            return
        number = len(self._names) + 1
        run("ip", "netns", "add", f"cn-{name}")
        run("ip", "link", "add", f"cn{number}", "type", "veth", "peer", "name", "eth0", "netns", f"cn-{name}")
        run("ip", "link", "set", f"cn{number}", "master", BRIDGE, "up")
        inside = ("ip", "-n", f"cn-{name}")
        run(*inside, "addr", "add", f"{NET}.{number}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "link", "set", "lo", "up")

    def on(self, name: str, command: Sequence[str]) -> list[str]:
        """Return a command as it is run on a host."""
        return ["ip", "netns", "exec", f"cn-{name}", *command] if self.are_real else list(command)

    def cut(self, name: str, *, pulled: bool) -> bool:
        """Pull the cable of a host, or put it back; False where there is none."""
        if self.are_real:
            number = self._names.index(name) + 2
            run("ip", "link", "set", f"cn{number}", "down" if pulled else "up")
        return self.are_real

    def _clear(self) -> None:
        for number, name in enumerate(("worker1", "worker2"), start=2):
            run("ip", "netns", "del", f"cn-{name}", check=False)
            # A namespace whose processes were left running keeps its cable plugged in.
            run("ip", "link", "del", f"cn{number}", check=False)
        run("ip", "link", "del", BRIDGE, check=False)


class Postgres:
    """Debian's PostgreSQL with one data folder; it can be stopped hard and started again."""

    def __init__(self, host: str, port: int) -> None:
        assert POSTGRES, "Debian's postgresql is missing: apt-get install postgresql postgresql-contrib"
        self._host, self._port = host, port
        # Not below the test's own folder: the server runs as somebody else, who has to reach it.
        self._folder = Path(tempfile.mkdtemp(prefix="congnhan-pg-"))
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else ""
        if self._user:
            shutil.chown(self._folder, self._user)
        self._as(
            "initdb", "-D", str(self._folder), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        with (self._folder / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {NET}.0/24 trust\nhost all all 127.0.0.0/8 trust\n")
        self.start()
        for name in ("congnhan", "prefect"):
            self._as("createdb", "-h", host, "-p", str(port), "-U", "postgres", name)

    def remove(self) -> None:
        """Stop the server and leave nothing of it."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str, driver: str = "postgresql") -> str:
        return f"{driver}://postgres@{self._host}:{self._port}/{name}"

    def start(self) -> None:
        options = f"-h {self._host} -p {self._port} -k {self._folder} -c max_connections=200"
        log = str(self._folder / "log")
        self._as("pg_ctl", "-D", str(self._folder), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._as("pg_ctl", "-D", str(self._folder), "-w", "-m", "immediate", "stop", check=False)

    def _as(self, program: str, *words: str, check: bool = True) -> None:
        command = [f"{POSTGRES}/{program}", *words]
        user = {"user": self._user} if self._user else {}
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", check=False, **user
        )
        assert not check or done.returncode == 0, done.stderr.decode()


class Counter:
    """A real SMTP server that keeps every letter it took, and may take its time over each."""

    def __init__(self, host: str, port: int) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.pause = 0.0
        self._controller = Controller(self, hostname=host, port=port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.original_content)
        await asyncio.sleep(self.pause)
        self.taken.append((envelope.rcpt_tos[0], str(mail["Message-ID"]), str(mail["Subject"])))
        return "250 OK"

    def __enter__(self) -> "Counter":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


class Worker:
    """A host with a Prefect worker on it: its own home, its own profile, and a clock some seconds ahead."""

    def __init__(self, hosts: Hosts, name: str, folder: Path, settings: dict[str, str], ahead: int) -> None:
        self.hosts, self.name = hosts, name
        hosts.add(name)
        home = folder / name
        home.mkdir()
        self.log = home / "log"
        self.environment = settings | {
            "CONGNHAN_HOME": str(home / "var"),
            "PREFECT_HOME": str(home / "prefect"),
            **_clock(home, ahead),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        words = [
            sys.executable,
            "-m",
            "prefect",
            "worker",
            "start",
            "--pool",
            "congnhan",
            "--type",
            "process",
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.hosts.on(self.name, [*words, "--name", self.name]),
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def runs(self) -> list[psutil.Process]:
        """Return the processes of flow runs that are at work on this host."""
        found = []
        for each in self._all():
            with suppress(psutil.Error):
                if "prefect.flow_engine" in each.cmdline() or "prefect.engine" in each.cmdline():
                    found.append(each)
        return found

    def kill(self) -> None:
        """Kill the worker and everything it runs, as a power cut does."""
        # Each run leads a session of its own, so a signal to the worker's group would spare them all.
        everything = self._all()
        for each in everything:
            with suppress(psutil.Error):
                each.kill()
        self.process.wait()
        psutil.wait_procs(everything, timeout=30)

    def stand_still(self, *, still: bool) -> None:
        """Cut the host off, or bring it back."""
        if not self.hosts.cut(self.name, pulled=still):
            for each in self._all():
                with suppress(psutil.Error):
                    each.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    def _all(self) -> list[psutil.Process]:
        """Return the worker's process, first, and all that come from it."""
        with suppress(psutil.NoSuchProcess):
            worker = psutil.Process(self.process.pid)
            return [worker, *worker.children(recursive=True)]
        return []


def _clock(home: Path, ahead: int) -> dict[str, str]:
    """Return the settings under which a host reads a clock that is some seconds ahead."""
    # Not Debian's libfaketime: under it a Python program either cannot sleep or waits for locks too long.
    library = home / "clock.so"
    run("cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(CLOCK), "-ldl")
    return {"LD_PRELOAD": str(library), "SECONDS_AHEAD": str(ahead)}


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    with Hosts() as hosts:
        yield hosts
