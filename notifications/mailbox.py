"""The embedded mailbox: a real SMTP server on loopback that keeps each letter as a file."""

import asyncio
import os
import re
import socket
from collections.abc import Awaitable
from contextlib import suppress
from datetime import UTC
from email.message import Message as Headers
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import mkstemp

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications.email import MailServer
from rules.calendar import CITY

LARGEST_LETTER = 25 * 1024 * 1024  # bytes
LONGEST_NAME = 64  # characters of a recipient in a file name, which may have 255 bytes in all


class Mailbox:
    """A mailbox that listens on loopback while it is open; with `port` 0 it takes any free one."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.host = "127.0.0.1"
        self.port = port
        self._controller: _Controller | None = None

    def __enter__(self) -> "Mailbox":
        self.folder.mkdir(parents=True, exist_ok=True)
        listening = socket.create_server((self.host, self.port))
        # Else the lines of an answer wait 40 ms for each other; asyncio does so only for its own sockets.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listening.getsockname()[1]
        self._controller = _Controller(_Keeper(self.folder), listening)
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def server(self, from_address: str) -> MailServer:
        """Return how to send to this mailbox; its port is known once it is open."""
        return MailServer(self.host, self.port, from_address, security="none")

    def letters(self) -> list[Path]:
        """Return the files of the letters kept so far, by name, which is by time."""
        return sorted(self.folder.glob("*.eml"))


class _Keeper:
    """Writes each letter to a file of its own before it says that it has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        headers = BytesHeaderParser().parsebytes(content)
        mark = sha256("".join(str(headers["Message-ID"] or "").split()).encode()).hexdigest()[:8]
        try:
            for recipient in envelope.rcpt_tos:
                _keep(self._folder, f"{_when(headers)}-{_whom(recipient)}-{mark}", content)
        except OSError as error:
            # A full disk is no fault of the recipient: the sender shall try again.
            return f"451 the letter could not be kept: {type(error).__name__}"
        # The id is part of the file's name, so that a letter in the delivery log can be found.
        return f"250 OK: queued as {mark}"


def _when(headers: Headers) -> str:
    try:
        sent_at = parsedate_to_datetime(str(headers["Date"]))
        # A `-0000` leaves the zone open; the instant is then one of UTC (RFC 5322 3.3).
        return f"{(sent_at if sent_at.tzinfo else sent_at.replace(tzinfo=UTC)).astimezone(CITY):%Y%m%d-%H%M}"
    except (TypeError, ValueError, OverflowError):
        return "undated"


def _whom(recipient: str) -> str:
    return re.sub(r"[^\w.-]", "_", recipient.rpartition("@")[0])[:LONGEST_NAME]


def _keep(folder: Path, stem: str, content: bytes) -> None:
    """Keep a letter whole or not at all; one more copy of the same letter gets a number."""
    handle, temporary = mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        for number in count(1):
            name = f"{stem}.eml" if number == 1 else f"{stem}-{number}.eml"
            with suppress(FileExistsError):
                # Unlike a rename, a link never takes another letter's place.
                os.link(temporary, folder / name)
                return
    finally:
        os.unlink(temporary)


class _Controller(Controller):
    """Serves on a socket that is bound already, so that a free port cannot be lost to another."""

    def __init__(self, keeper: _Keeper, listening: socket.socket) -> None:
        host, port = listening.getsockname()
        super().__init__(
            keeper,
            hostname=host,
            port=port,
            server_hostname="localhost",  # Otherwise every connection looks our own name up.
            data_size_limit=LARGEST_LETTER,
            enable_SMTPUTF8=True,
        )
        self._listening = listening

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)
