"""Keeps the parts of the service running: starts each, restarts what dies, ends all of them together."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a part that died is started again
STEADY_AFTER = 60.0  # seconds after which a part counts as running well
PATIENCE = 25.0  # seconds a part has to end by itself
POLL = 0.5
LARGEST_LOG = 10 * 1024 * 1024
SET_PDEATHSIG = 1  # prctl(2)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service: a process of its own, which writes to a log of its own."""

    name: str
    command: Sequence[str]


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started: float
    pause: float = FIRST_PAUSE
    due: float | None = field(default=None)


class Supervisor:
    """Runs parts until it is told to end; `tell` hears of each that died, with its exit code."""

    def __init__(self, environment: Mapping[str, str], logs: Path, tell: Callable[[str, int], None]) -> None:
        self._environment, self._logs, self._tell = dict(environment), logs, tell
        self._running: list[_Running] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, part: Part) -> None:
        """Start a part; it is restarted whenever it dies, after a pause that grows."""
        self._running.append(_Running(part, self._spawn(part), time.monotonic()))

    def is_running(self, name: str) -> bool:
        """Say whether a part runs at this moment."""
        return any(each.part.name == name and each.process.poll() is None for each in self._running)

    def keep(self, ended: Event) -> None:
        """Keep everything running until `ended` is set."""
        while not ended.wait(POLL):
            for each in self._running:
                self._look_after(each)

    def stop(self) -> None:
        """End all parts, the last one started first; what does not end by itself is killed."""
        for each in reversed(self._running):
            end(each.process)
        self._running.clear()

    def _look_after(self, each: _Running) -> None:
        now = time.monotonic()
        if each.due is not None:
            if now >= each.due:
                each.process, each.started, each.due = self._spawn(each.part), now, None
            return
        code = each.process.poll()
        if code is None:
            if now - each.started > STEADY_AFTER:
                each.pause = FIRST_PAUSE
            return
        self._tell(each.part.name, code)
        _end_group(each.process.pid, patience=0)
        each.due, each.pause = now + each.pause, min(each.pause * 2, LONGEST_PAUSE)

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        path = self._logs / f"{part.name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            return subprocess.Popen(
                part.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A session of its own: Ctrl-C reaches us alone, and whatever it starts ends with it.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it has started: asked first, killed when its time is over."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    _end_group(process.pid, patience=PATIENCE if process.poll() is not None else 0)
    process.wait()


def _end_group(group: int, *, patience: float) -> None:
    """Wait for the rest of a process group to end, then kill it."""
    until = time.monotonic() + patience
    while _is_there(group):
        if time.monotonic() >= until:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            return
        time.sleep(0.1)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the supervisor is killed: nothing is left behind."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(SET_PDEATHSIG, signal.SIGTERM)
