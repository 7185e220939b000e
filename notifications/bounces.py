"""Mail that came back: reports of delivery (RFC 3464) read from a mailbox over IMAP."""

import re
import socket
import ssl
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from imaplib import IMAP4
from quopri import decodestring
from typing import Any, Literal

from imap_tools.errors import ImapToolsError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxUnencrypted

LONGEST_WORDS = 500
LONGEST_TEXT = 20_000  # bytes of what a report says to people
LARGEST_REPORT = 256 * 1024  # bytes; what a report says stands before the letter it returns
AT_ONCE = 50
AS_SENT = compat32.clone(max_line_length=None)
MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
QUOTED_ID = re.compile(rf"^Message-ID:\s*({MESSAGE_ID.pattern})", re.IGNORECASE | re.MULTILINE)
QUOTED_LETTER = re.compile(r"^-{4,}|^(?:Return-path|Received|Message-ID):", re.IGNORECASE | re.MULTILINE)
ADDRESS = re.compile(r"[^\s<>()\";,:@]{1,64}@[^\s<>()\";,:@]{1,255}")
# Neither is part of an address (203.5.1.10), nor is a port (587) a code: RFC 5321 4.2.1, RFC 3463 2.
STATUS = re.compile(r"(?<![\w.])([45]\.[0-9]{1,3}\.[0-9]{1,3})(?!\w|\.[0-9])")
CODE = re.compile(r"(?<![0-9.])([45][0-5][0-9])(?=[ -])")
STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
RETURNED_PARTS = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
SHOWS_A_REPORT = "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE X-FAILED-RECIPIENTS)]"
UID = re.compile(rb"\bUID (\d+)")
PASSES = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b")  # RFC 5530


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
    """A letter that could not be delivered: its Message-ID, to whom, a status (`5.1.1`) and words.

    Anybody may write a report: it counts only where `recipient` is whom the letter went to, whatever
    the case. `code` is that of SMTP (`550`); it and `status` are "" where the report gives none.
    """

    message_id: str
    recipient: str
    status: str
    words: str
    code: str = ""


class BounceMailboxFailed(Exception):
    """The mailbox could not be read; `words` are our own and hold no secret.

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
            with _plainly("turned away"):
                self._box = self._dialled()
            with _plainly("sign-in refused", is_configuration=True):
                self._sign_in(self._box)
            with _plainly("no such folder", is_configuration=True):
                self._box.folder.set(server.folder)
        except BounceMailboxFailed:
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def unread(self) -> Iterator[tuple[str, tuple[Bounce, ...]]]:
        """Yield the uid and the bounces of each mail that nobody has read; none for one that is no report.

        Reading marks nothing: what is not `done` comes again. Of a mail that is no report only two
        lines of its head are read.
        """
        with _plainly("not searched"):
            uids = self._opened().uids("UNSEEN", None)  # Some servers refuse to be told a charset.
        for some in _batches(uids):
            with _plainly("not read"):
                heads = self._fetched(some, SHOWS_A_REPORT)
            for uid in some:
                raw = b""
                if _may_be_a_report(heads.get(uid, b"")):
                    with _plainly("not read"):
                        raw = self._fetched([uid], f"BODY.PEEK[]<0.{LARGEST_REPORT}>").get(uid, b"")
                yield uid, parse_report(raw)

    def done(self, uids: Iterable[str]) -> None:
        """Mark mails as read; call it once what they say is committed."""
        for some in _batches(list(uids)):
            with _plainly("not marked"):
                # The library's own way to flag also expunges: what others have deleted here is theirs.
                self._asked("STORE", ",".join(some), "+FLAGS.SILENT", r"(\Seen)")

    def _dialled(self) -> BaseMailBox:
        server = self._server
        if server.security == "tls":
            context = ssl.create_default_context()
            return MailBox(server.host, server.port, timeout=server.timeout, ssl_context=context)
        return MailBoxUnencrypted(server.host, server.port, timeout=server.timeout)

    def _sign_in(self, box: BaseMailBox) -> None:
        server = self._server
        if server.security == "starttls":
            if "STARTTLS" not in box.client.capabilities:
                raise BounceMailboxFailed("the server does not encrypt", is_configuration=True)
            box.client.starttls(ssl.create_default_context())
        is_plain = f"{server.user}{server.password}".isascii()
        (box.login if is_plain else box.login_utf8)(server.user, server.password, initial_folder=None)

    def _fetched(self, uids: Sequence[str], what: str) -> dict[str, bytes]:
        """Return what the server has of each mail; what it says beside that, unasked, is passed over."""
        answer = self._asked("FETCH", ",".join(uids), f"(UID {what})")
        found = {}
        for part, after in zip(answer, [*answer[1:], None], strict=True):
            if isinstance(part, tuple):
                uid = UID.search(part[0]) or UID.search(after if isinstance(after, bytes) else b"")
                found.update({uid[1].decode(): part[1]} if uid else {})
        return found

    def _asked(self, *command: str) -> list[Any]:
        kind, answer = self._opened().client.uid(*command)
        if kind != "OK":
            raise IMAP4.error(str(answer))
        return answer

    def _opened(self) -> BaseMailBox:
        assert self._box is not None
        return self._box

    def _leave(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            with suppress(Exception):
                box.logout()
            with suppress(Exception):
                box.client.shutdown()  # A connection that is broken is not closed by taking leave.


@contextmanager
def _plainly(refused: str, *, is_configuration: bool = False) -> Iterator[None]:
    """Raise each failure as ours: `refused` where the server said no, which may mean the setting up.

    A server may repeat what it was sent, so its words are not kept.
    """
    try:
        yield
    except BounceMailboxFailed:
        raise
    except Exception as error:
        words, at_fault = _meaning(error, refused, is_configuration=is_configuration)
        raise BounceMailboxFailed(words, is_configuration=at_fault) from None


def _meaning(error: Exception, refused: str, *, is_configuration: bool) -> tuple[str, bool]:
    """Return the words for a failure and whether the setting up is at fault."""
    name = type(error).__name__
    match error:
        case IMAP4.readonly():
            return "the folder can only be read", True
        case ssl.SSLCertVerificationError():
            return f"certificate refused: {_one_line(error.verify_message)}", True
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionResetError() | IMAP4.abort():
            return "the conversation broke off", False
        case ssl.SSLError():
            return "the server does not encrypt as it is asked to", True
        case socket.gaierror():
            return "no such host", error.errno != socket.EAI_AGAIN
        case OSError():
            return f"not reachable: {name}", False
        case ImapToolsError() | IMAP4.error():
            return refused, is_configuration and not PASSES.search(str(error))
        case ValueError() | OverflowError():
            return f"not an address that can be called: {name}", True
    return name, False


def _batches(uids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE))


def _may_be_a_report(head: bytes) -> bool:
    fields = message_from_bytes(head, policy=AS_SENT)
    return fields.get_content_type() == "multipart/report" or "X-Failed-Recipients" in fields


def parse_report(raw: bytes) -> tuple[Bounce, ...]:
    """Return what a report says has failed for good; nothing for a mail that is no such report.

    A letter that is late, or was delivered after all, has not failed. A report that was cut off
    within the letter it returns is as good as a whole one.
    """
    try:
        mail = message_from_bytes(raw, policy=AS_SENT)
        parts = list(_parts(mail))
        statuses = [part for part in parts if part.get_content_type() in STATUS_PARTS]
        if statuses and mail.get_content_type() == "multipart/report":
            return _standard(mail, parts, statuses)
        return _older(mail, parts) if "X-Failed-Recipients" in mail else ()
    except Exception:
        # Whatever the library stumbles over was written by a stranger, and comes again every time.
        return ()


def _standard(mail: Message, parts: Sequence[Message], statuses: Sequence[Message]) -> tuple[Bounce, ...]:
    groups = [group for part in statuses for group in _groups(_content(part))]
    message_id = _returned_id(parts) or _named_id(groups) or _answered_id(mail)
    if message_id is None:
        return ()
    said = _human_text(parts)
    found: dict[str, Bounce] = {}
    for group in groups:
        # A letter that was forwarded failed to reach another address than the one we wrote to.
        named = [_address(group.get(name, "")) for name in ("original-recipient", "final-recipient")]
        recipient = next(filter(None, named), None)
        if recipient is None or not re.match(r"failed\b", group.get("action", ""), re.IGNORECASE):
            continue
        kind, mark, diagnosis = group.get("diagnostic-code", "").partition(";")
        words = (diagnosis if mark else kind) or said
        bounce = _bounce(message_id, recipient, words, group.get("status", ""))
        found.setdefault(recipient.casefold(), bounce)
    return tuple(found.values())


def _older(mail: Message, parts: Sequence[Message]) -> tuple[Bounce, ...]:
    """Read what some servers send instead: the recipients in a header, the letter quoted in the text."""
    text = _human_text(parts)
    quoted = QUOTED_ID.search(text)
    message_id = _returned_id(parts) or (quoted[1] if quoted else None) or _answered_id(mail)
    if message_id is None:
        return ()
    said = QUOTED_LETTER.split(text, maxsplit=1)[0]  # What our own letter says is no reason.
    named = " ".join(str(each) for each in mail.get_all("X-Failed-Recipients", []))
    recipients = dict.fromkeys(ADDRESS.findall(_one_line(named)))
    return tuple(
        _bounce(message_id, recipient, said.partition(recipient)[2].lstrip(" :>") or said)
        for recipient in recipients
    )


def _bounce(message_id: str, recipient: str, words: str, status: str = "") -> Bounce:
    words = words[: 4 * LONGEST_WORDS]
    number, code = STATUS.search(status) or STATUS.search(words), CODE.search(words)
    return Bounce(
        message_id,
        recipient,
        number[1] if number else "",
        _one_line(words)[:LONGEST_WORDS],
        code[1] if code else "",
    )


def _parts(part: Message) -> Iterator[Message]:
    """Yield the parts of a report, but none of the letter it returns, which may be a report itself."""
    if part.get_content_maintype() != "multipart":
        yield part
    else:
        for each in _inside(part):
            yield from _parts(each)


def _inside(part: Message) -> list[Message]:
    inside = part.get_payload()
    return [each for each in inside if isinstance(each, Message)] if isinstance(inside, list) else []


def _content(part: Message) -> bytes:
    """Return what stands in a part, also where the library has taken it for a mail of its own."""
    if not part.is_multipart():
        content = part.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""
    whole = b"\n".join(each.as_bytes(policy=AS_SENT) for each in _inside(part))
    match str(part["Content-Transfer-Encoding"] or "").strip().lower():
        case "base64":
            return b64decode(whole)
        case "quoted-printable":
            return decodestring(whole)
    return whole


def _groups(content: bytes) -> list[dict[str, str]]:
    """Return the groups of fields of a status part, named in small letters; the first is about them all."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    groups = []
    for block in re.split(r"\n(?:[ \t]*\n)+", text):
        lines = (line.partition(":") for line in re.sub(r"\n[ \t]+", " ", block).split("\n"))
        groups.append({name.strip().lower(): _one_line(value) for name, colon, value in lines if colon})
    return groups


def _returned_id(parts: Iterable[Message]) -> str | None:
    """Return the Message-ID of the letter, or the head of it, that the report returns."""
    for part in parts:
        if part.get_content_type() in RETURNED_PARTS:
            for letter in (*_inside(part), message_from_bytes(_content(part), policy=AS_SENT)):
                if found := MESSAGE_ID.search(str(letter["Message-ID"] or "")):
                    return found[0]
    return None


def _named_id(groups: Iterable[dict[str, str]]) -> str | None:
    for group in groups:
        for name in ("x-original-message-id", "original-envelope-id"):
            # RFC 3461 4: an envelope id writes its angle brackets as +3C and +3E.
            plain = re.sub(r"\+([0-9A-F]{2})", lambda each: chr(int(each[1], 16)), group.get(name, ""))
            if found := MESSAGE_ID.search(plain):
                return found[0]
    return None


def _answered_id(mail: Message) -> str | None:
    for name in ("In-Reply-To", "References"):
        if ids := MESSAGE_ID.findall(str(mail[name] or "")):
            return str(ids[-1])
    return None


def _human_text(parts: Iterable[Message]) -> str:
    for part in parts:
        if part.get_content_type() == "text/plain":
            content, charset = _content(part)[:LONGEST_TEXT], part.get_content_charset("utf-8")
            with suppress(LookupError):
                return content.decode(charset, "replace")
            return content.decode("utf-8", "replace")
    return ""


def _address(typed: str) -> str | None:
    """Return the address without its type (`rfc822;`); RFC 6533 writes some letters as `\\x{1EBF}`."""
    plain = re.sub(r"\\x\{([0-9A-Fa-f]{2,6})\}", lambda each: chr(int(each[1], 16)), typed)
    found = ADDRESS.search(_one_line(plain))
    return found[0] if found else None


def _one_line(text: str) -> str:
    """Return the text without controls, halves of characters and what else cannot be shown or kept."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
