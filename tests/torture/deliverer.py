"""A deliverer in a process of its own: it says that it is ready, waits for a word, and delivers once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from config.settings import settings
from flows.delivery import deliver_letters
from flows.zalo_sending import zalo_sender
from notifications.email import MailServer
from tests.processes import PROCESSES
from tests.walking import FROM


@dataclass(frozen=True, slots=True)
class Deliverer:
    """A deliverer that was started."""

    process: Any
    pipe: Connection

    def go(self) -> None:
        """Let it deliver."""
        self.pipe.send("go")

    def wait(self, timeout: float) -> int | None:
        """Return the code with which it ended; None if it still runs after so many seconds."""
        self.process.join(timeout)
        return self.process.exitcode


def started(environment: Mapping[str, str], now: datetime, port: int) -> Deliverer:
    """Start a deliverer at a moment, for a mail server at a port; returns it when it is ready."""
    mine, its = PROCESSES.Pipe()
    process = PROCESSES.Process(target=_deliver, args=(dict(environment), now, port, its))
    process.start()
    its.close()
    assert mine.recv() == "ready"
    return Deliverer(process, mine)


def _deliver(environment: dict[str, str], now: datetime, port: int, pipe: Connection) -> None:
    os.environ.clear()
    os.environ.update(environment)
    settings.cache_clear()
    pipe.send("ready")
    pipe.recv()
    with zalo_sender(now) as zalo:
        deliver_letters(now, MailServer("127.0.0.1", port, FROM, security="none", timeout=5), zalo=zalo)
