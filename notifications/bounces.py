"""Mail that came back: reports of delivery (RFC 3464) read from a mailbox over IMAP."""

import re
import ssl
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from imaplib import IMAP4
from typing import Literal

from imap_tools.consts import MailMessageFlags
from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted

LONGEST_WORDS = 500
LARGEST_REPORT = 1024 * 1024  # bytes; of a larger one only the headers are read
AT_ONCE = 50
CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
MESSAGE_ID = re.compile(r"<[^<>\s@]+@[^<>\s]+>")
STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
RETURNED_PARTS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")


@dataclass(frozen=True, slots=True)
class ImapServer:
    """A mailbox and how to open it; encryption is verified, `timeout` is in seconds."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    _: KW_ONLY
    security: Literal["none", "starttls", "tls"] = "tls"
    folder: str = "INBOX"
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter that could not be delivered: its Message-ID, to whom, a status (`5.1.1`) and words."""

    message_id: str
    recipient: str
    status: str
    words: str


class BounceMailboxFailed(Exception):
    """The mailbox could not be read; `words` hold no secret.

    `is_configuration` says that it is set up wrongly: trying again alone is idle.
    """

    def __init__(self, words: str, *, is_configuration: bool) -> None:
        super().__init__(words)
        self.words, self.is_configuration = words, is_configuration


class BounceMailbox:
    """A mailbox that is open while the block lasts; every failure is BounceMailboxFailed."""

    def __init__(self, server: ImapServer) -> None:
        self._server = server
        self._box: BaseMailBox | None = None

    def __enter__(self) -> "BounceMailbox":
        server = self._server
        try:
            self._box = self._dialled()
            self._box.login(server.user, server.password, initial_folder=server.folder)
        except Exception as error:
            self._leave()
            raise _failed(error) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def unread(self) -> Iterator[tuple[str, tuple[Bounce, ...]]]:
        """Yield the uid and the bounces of each mail that nobody has read; none for one that is no report.

        Reading marks nothing: what is not `done` comes again.
        """
        assert self._box is not None
        try:
            for uid in self._box.uids("UNSEEN"):
                yield uid, parse_report(self._fetched(uid))
        except (ImapToolsError, IMAP4.error, OSError) as error:
            raise _failed(error) from None

    def done(self, uids: Iterable[str]) -> None:
        """Mark mails as read; call it once what they say is committed."""
        assert self._box is not None
        try:
            self._box.flag(list(uids), MailMessageFlags.SEEN, True)
        except (ImapToolsError, IMAP4.error, OSError) as error:
            raise _failed(error) from None

    def _dialled(self) -> BaseMailBox:
        server = self._server
        context = ssl.create_default_context()
        if server.security == "tls":
            return MailBox(server.host, server.port, timeout=server.timeout, ssl_context=context)
        if server.security == "starttls":
            return MailBoxStartTls(server.host, server.port, timeout=server.timeout, ssl_context=context)
        return MailBoxUnencrypted(server.host, server.port, timeout=server.timeout)

    def _fetched(self, uid: str) -> bytes:
        assert self._box is not None
        sized = self._box.client.uid("fetch", uid, "(RFC822.SIZE)")[1]
        found = re.search(rb"RFC822\.SIZE (\d+)", b"".join(each for each in sized if isinstance(each, bytes)))
        is_large = found is not None and int(found[1]) > LARGEST_REPORT
        what = "(BODY.PEEK[HEADER])" if is_large else "(BODY.PEEK[])"
        data = self._box.client.uid("fetch", uid, what)[1]
        return next((each[1] for each in data if isinstance(each, tuple)), b"")

    def _leave(self) -> None:
        if self._box is not None:
            with suppress(Exception):
                self._box.logout()
            self._box = None


def _failed(error: Exception) -> BounceMailboxFailed:
    """Return what a failure means; a server may repeat what it was sent, so its words are not kept."""
    is_configuration = isinstance(error, MailboxLoginError | ImapToolsError | ssl.SSLError)
    return BounceMailboxFailed(type(error).__name__, is_configuration=is_configuration)


def parse_report(raw: bytes) -> tuple[Bounce, ...]:
    """Return what a report says has failed for good; nothing for a mail that is no such report."""
    try:
        mail = message_from_bytes(raw, policy=compat32)
        if mail.get_content_type() == "multipart/report":
            return _standard(mail)
        return _older(mail) if mail["X-Failed-Recipients"] else ()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ()  # a mail so broken that nobody knows what it says


def _standard(mail: Message) -> tuple[Bounce, ...]:
    parts = list(mail.walk())
    statuses = [part for part in parts if part.get_content_type() in STATUS_PARTS]
    message_id = _original_id(mail, parts)
    if not statuses or message_id is None:
        return ()
    said = _human_words(parts)
    found = []
    for group in (each for part in statuses for each in _groups(part)):
        if _field(group, "Action").lower() != "failed":
            continue
        recipient = _address(_field(group, "Original-Recipient") or _field(group, "Final-Recipient"))
        if not recipient:
            continue
        diagnosis = _field(group, "Diagnostic-Code").partition(";")[2].strip()
        found.append(Bounce(message_id, recipient, _field(group, "Status"), _one_line(diagnosis or said)))
    return tuple(found)


def _older(mail: Message) -> tuple[Bounce, ...]:
    """Read what some servers send instead: the recipients in a header, the letter quoted in the text."""
    parts = list(mail.walk())
    said = _human_words(parts)
    message_id = _original_id(mail, parts) or _quoted_id(said)
    if message_id is None:
        return ()
    status = STATUS.search(said)
    recipients = str(mail["X-Failed-Recipients"]).split(",")
    return tuple(
        Bounce(message_id, each.strip(), status[1] if status else "", _one_line(said))
        for each in recipients
        if "@" in each
    )


def _groups(part: Message) -> list[Message]:
    """Return the groups of fields of a status part; the first is about the whole report."""
    payload = part.get_payload()
    if isinstance(payload, list) and part.get_content_type() == STATUS_PARTS[0]:
        return [each for each in payload if isinstance(each, Message)]
    if isinstance(payload, list):
        # The library takes what it does not know as a whole mail: one group as its head, the rest as text.
        whole = b"".join(each.as_bytes() for each in payload if isinstance(each, Message))
        return [message_from_bytes(each) for each in re.split(rb"\r?\n\r?\n", whole) if each.strip()]
    text = part.get_payload(decode=True)
    raw = text if isinstance(text, bytes) else str(payload).encode()
    return [message_from_bytes(each) for each in re.split(rb"\r?\n\r?\n", raw) if each.strip()]


def _original_id(mail: Message, parts: Iterable[Message]) -> str | None:
    """Return the Message-ID of the letter that came back: of the part returned, else of what it answers."""
    for part in parts:
        if part.get_content_type() not in RETURNED_PARTS:
            continue
        inner = part.get_payload()
        returned = inner[0] if isinstance(inner, list) and inner else None
        if not isinstance(returned, Message):
            content = part.get_payload(decode=True)
            returned = message_from_bytes(content if isinstance(content, bytes) else str(inner).encode())
        if found := MESSAGE_ID.search(str(returned["Message-ID"] or "")):
            return found[0]
    for name in ("In-Reply-To", "References"):
        if ids := MESSAGE_ID.findall(str(mail[name] or "")):
            return str(ids[-1])
    return None


def _quoted_id(text: str) -> str | None:
    found = re.search(r"^Message-ID:\s*(<[^<>\s@]+@[^<>\s]+>)", text, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else None


def _human_words(parts: Iterable[Message]) -> str:
    for part in parts:
        if part.get_content_type() == "text/plain":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                return content.decode(str(part.get_content_charset() or "utf-8"), "replace")
    return ""


def _field(group: Message, name: str) -> str:
    return str(group[name] or "").strip()


def _address(typed: str) -> str:
    """Return the address without its type (`rfc822;`) and its angle brackets."""
    return typed.rpartition(";")[2].strip().strip("<>")


def _one_line(text: str) -> str:
    return " ".join(CONTROLS.sub(" ", text).split())[:LONGEST_WORDS]
