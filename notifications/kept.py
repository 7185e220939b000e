"""The letters that the embedded mailbox has kept: listed, looked through and read.

Whoever reaches the mailbox's port may have written them: nothing in one is believed, and what cannot
be read is left out rather than raised.
"""

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

HEAD = 64 * 1024  # bytes of a letter in which its headers are looked for
SHOWN = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID")
BLANK_LINE = re.compile(rb"\r?\n\r?\n")
DATED = re.compile(r"\d{8}-\d{4}")

# What the library raises for parts that were made to be unreadable; the list has grown with its bugs.
UNREADABLE = (
    MessageError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter in the list; `sent_at` is None where its date cannot be read, texts are then empty."""

    name: str
    sent_at: datetime | None
    to: str
    subject: str


@dataclass(frozen=True, slots=True)
class KeptAttachment:
    """A file that came with a letter; its name is made of printable characters and holds no folder."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """A letter as it was received: headers in the order of `SHOWN`; a text that it has not is None."""

    letter: KeptLetter
    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    attachments: tuple[KeptAttachment, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    path: str
    changed_ns: int
    size: int

    @property
    def age(self) -> tuple[str, int, str]:
        """What letters are ordered by: the minute in the name, then when the file was written."""
        minute = self.name[:13] if DATED.match(self.name) else ""
        return (minute, self.changed_ns, self.name)


class KeptLetters:
    """The letters in a folder, newest first, as it was looked at once; a missing folder holds none."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(_files(folder), key=lambda file: file.age, reverse=True)

    def find(self, wanted: str) -> list[str]:
        """Return the names of the letters in whose recipient, subject or name every wanted word stands.

        Case is not looked at, and a word without accents finds those with them.
        """
        words = _plain(wanted).split()
        if not words:
            return [file.name for file in self._files]
        return [file.name for file in self._files if _has(file, words)]

    def letters(self, names: list[str]) -> list[KeptLetter]:
        """Return these letters, in this order."""
        by_name = {file.name: file for file in self._files}
        return [_head(by_name[name]) for name in names]

    def open(self, name: str) -> OpenLetter | None:
        """Return the letter of this name, or None where the folder holds none: no name is a path."""
        for file in self._files:
            if file.name == name:
                with suppress(OSError):
                    return _opened(file, Path(file.path).read_bytes())
        return None


def _files(folder: Path) -> Iterator[_File]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        with suppress(OSError):
            # A link could lead anywhere, and the mailbox makes none that stays.
            if entry.name.endswith(".eml") and entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield _File(_clean(entry.name), entry.path, stat.st_mtime_ns, stat.st_size)


def _has(file: _File, words: list[str]) -> bool:
    letter = _head(file)
    said = _plain(f"{letter.to} {letter.subject} {letter.name}")
    both = f"{said} {_without_accents(said)}"
    return all(word in both for word in words)


# A file never changes once it is there; a list of ten thousand is then searched in a blink.
@lru_cache(maxsize=20_000)
def _head(file: _File) -> KeptLetter:
    """Return what the list shows of a letter; one that is gone meanwhile shows its name."""
    start = b""
    with suppress(OSError), open(file.path, "rb") as opened:
        start = opened.read(HEAD)
    headers = _parsed_headers(start)
    return KeptLetter(file.name, _sent_at(headers), _header(headers, "To"), _header(headers, "Subject"))


def _opened(file: _File, raw: bytes) -> OpenLetter:
    headers = _parsed_headers(raw)
    texts: dict[str, str] = {}
    attachments: list[KeptAttachment] = []
    for part in _leaves_of(raw):
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in texts and not _is_attached(part):
            text = _clean(_bytes(part).decode(_charset(part), "replace"))
            texts[kind] = text.replace("\r\n", "\n")
        else:
            attachments.append(KeptAttachment(_file_name(part, len(attachments) + 1), _bytes(part)))
    return OpenLetter(
        letter=_head(file),
        headers=tuple((name, value) for name in SHOWN if (value := _header(headers, name))),
        text=texts.get("text/plain"),
        html=texts.get("text/html"),
        attachments=tuple(attachments),
        raw=raw,
    )


def _parsed_headers(content: bytes) -> Any:
    try:
        # The parser would also go through what follows the headers, line by line.
        return BytesHeaderParser(policy=default).parsebytes(BLANK_LINE.split(content, maxsplit=1)[0])
    except UNREADABLE:
        return EmailMessage()


def _leaves_of(raw: bytes) -> list[EmailMessage]:
    """Return the parts that hold something; a letter that cannot be taken apart has none."""
    try:
        return list(_leaves(message_from_bytes(raw, policy=default)))
    except UNREADABLE:
        return []


def _leaves(part: Any) -> Iterator[EmailMessage]:
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for inner in part.get_payload():
            yield from _leaves(inner)
    else:
        yield part


def _header(message: Any, name: str) -> str:
    """Return a header as it is read, on one line; empty where there is none or it cannot be read."""
    try:
        return " ".join(_clean(str(message[name] or "")).split())
    except UNREADABLE:
        return ""


def _sent_at(headers: Any) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(headers, "Date"))
        # A `-0000` leaves the zone open; the instant is then one of UTC (RFC 5322 3.3).
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (*UNREADABLE, OverflowError):
        return None


def _is_attached(part: EmailMessage) -> bool:
    try:
        return part.get_content_disposition() == "attachment"
    except UNREADABLE:
        return True


def _bytes(part: EmailMessage) -> bytes:
    try:
        if part.is_multipart():  # a letter within the letter
            return b"\n".join(bytes(inner) for inner in part.get_payload() if isinstance(inner, EmailMessage))
        content = part.get_payload(decode=True)
    except UNREADABLE:
        return b""
    return content if isinstance(content, bytes) else b""


def _charset(part: EmailMessage) -> str:
    try:
        charset = str(part.get_content_charset() or "utf-8")
        b"".decode(charset)
    except UNREADABLE:
        return "utf-8"
    # A codec that is no alphabet turns bytes into bytes; `decode` refuses it only where there are some.
    return charset if charset.startswith(("utf", "us-ascii", "iso-", "windows-", "koi8-")) else "utf-8"


def _file_name(part: EmailMessage, number: int) -> str:
    """Return the name a file was given, without any folder; one that has none is called by its number."""
    try:
        given = _clean(str(part.get_filename() or ""))
    except UNREADABLE:
        given = ""
    printable = "".join(each for each in given if each.isprintable())
    name = re.split(r"[/\\]", printable)[-1].strip(" .")[:120]
    return name or f"{number}.bin"


def _clean(text: str) -> str:
    """Return the text without what UTF-8 cannot hold: raw bytes of a header, halves of a character."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _without_accents(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(each for each in apart if not unicodedata.combining(each))
