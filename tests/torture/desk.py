"""An SMTP server in a process of its own that fails by plan and writes down what it has taken.

The plan goes by the number in the recipient's name and by how often he was tried: the same letters
fail in the same way, whoever sends them. What is taken is a line of the log before it is answered.
"""

import asyncio
import json
import multiprocessing
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

# Every so-many-th recipient, and what befalls him.
NEVER = 41  # 550 at RCPT
FULL_ONCE = 29  # 451 at RCPT, the first time
LATER_ONCE = 31  # 452 after DATA, the first time
DROPPED_BEFORE = 43  # taken, and the connection closed before the answer, the first time
DROPPED_UNREAD = 37  # the connection closed at DATA with nothing taken, the first time
SLOW = 97  # the answer takes its time
GOODBYE_AFTER = 150  # 421 after so many letters on one connection


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter the server has taken: to whom, which, how often it says it may have gone before."""

    recipient: str
    message_id: str
    repeat: int
    number: str
    is_answered: bool


def number_of(recipient: str) -> int:
    """Return the number in a recipient's name: `m-0042@mau.example` is 42; 0 for others."""
    digits = recipient.partition("@")[0].rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def is_(every: int, number: int) -> bool:
    """Say whether this number is one of every so many."""
    return number > 0 and number % every == 0


class _Desk:
    """Answers as planned."""

    def __init__(self, log: Path, *, is_kind: bool, pause: float) -> None:
        self._log, self._pause = log.open("a", encoding="utf-8"), pause
        self._tried: Counter[tuple[str, str]] = Counter()
        self._count = 0
        self._is_kind = is_kind

    def _first(self, what: str, recipient: str) -> bool:
        self._tried[what, recipient] += 1
        return self._tried[what, recipient] == 1

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        number = number_of(address)
        if not self._is_kind and is_(NEVER, number):
            return "550 5.1.1 no such user"
        if not self._is_kind and is_(FULL_ONCE, number) and self._first("full", address):
            return "451 4.2.2 try again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        (recipient,) = envelope.rcpt_tos
        number = number_of(recipient)
        await asyncio.sleep(self._pause)
        if self._is_kind:
            return f"250 OK: queued as {self._take(envelope, recipient)}"
        if is_(DROPPED_UNREAD, number) and self._first("unread", recipient):
            server.transport.abort()
            return "250 never heard"
        if is_(LATER_ONCE, number) and self._first("later", recipient):
            return "452 4.3.1 try again"
        if is_(SLOW, number):
            time.sleep(0.05)
        if is_(DROPPED_BEFORE, number) and self._first("dropped", recipient):
            self._take(envelope, recipient, is_answered=False)
            server.transport.abort()
            return "250 never heard"
        queued = self._take(envelope, recipient)
        session.count = getattr(session, "count", 0) + 1
        if session.count >= GOODBYE_AFTER:
            session.count = 0
            server.transport.write(f"250 OK: queued as {queued}\r\n421 too many letters\r\n".encode())
            server.transport.close()
        return f"250 OK: queued as {queued}"

    def _take(self, envelope: Envelope, recipient: str, *, is_answered: bool = True) -> str:
        headers = BytesHeaderParser().parsebytes(envelope.original_content or b"")
        self._count += 1
        queued = f"q{self._count:06d}"
        taken = [
            recipient,
            str(headers["Message-ID"]),
            int(headers["X-Congnhan-Repeat"] or 0),
            queued,
            is_answered,
        ]
        self._log.write(json.dumps(taken) + "\n")
        self._log.flush()
        return queued


class _Listening(Controller):
    """Serves on a socket that is bound already."""

    def __init__(self, desk: _Desk, listening: socket.socket) -> None:
        host, port = listening.getsockname()
        super().__init__(desk, hostname=host, port=port, server_hostname="localhost")
        self._listening = listening

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


def _serve(pipe: Connection, log: str, is_kind: bool, pause: float) -> None:
    sys.tracebacklimit = 0  # a connection that is aborted is no fault
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    controller = _Listening(_Desk(Path(log), is_kind=is_kind, pause=pause), listening)
    controller.start()
    pipe.send(listening.getsockname()[1])
    pipe.recv()
    controller.stop()


@dataclass(frozen=True, slots=True)
class Desk:
    """The server while it is up."""

    port: int
    log: Path

    def taken(self) -> list[Taken]:
        """Return what it has taken so far, in the order in which it was."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [Taken(*json.loads(line)) for line in lines]


@contextmanager
def desk(log: Path, *, is_kind: bool = False, pause: float = 0.0) -> Iterator[Desk]:
    """Yield a server that fails by plan, or with `is_kind` never; it takes each letter after a pause."""
    log.touch()
    mine, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(its, str(log), is_kind, pause), daemon=True
    )
    process.start()
    yield Desk(mine.recv(), log)
    mine.send("stop")
    process.join(10)
