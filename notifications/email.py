"""E-mail: one kept connection, an answer for each recipient, and a service of Apprise around it.

Apprise answers yes or no and swallows what a service raises, so the service keeps a Receipt.
"""

import base64
import re
import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from email.encoders import encode_base64
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, quote
from functools import cache, lru_cache, partial
from hashlib import sha256
from typing import Any, Literal

from apprise import NotifyBase
from apprise.manager_plugins import NotificationManager
from email_validator import EmailNotValidError, validate_email

from notifications.messages import Attachment, Message
from notifications.receipts import Outcome, Receipt
from rules.calendar import CITY

SCHEMA = "congnhanmail"
LONGEST_WORDS = 500
CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)  # RFC 5321 4.5.2
QUEUED_AS = re.compile(r"(?:\bqueued as |\bid=|\bInternalId=)<?([^\s<>,;()\[\]]+)", re.IGNORECASE)
SIGN_IN_CODES = frozenset({530, 534, 535, 538})  # RFC 4954 6, whichever command they answer


class _Verbatim(Compat32):
    """Headers as they stand: folding is our own, that of the library loses spaces in Vietnamese text."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header with the line ends of the wire."""
        return f"{name}: {value}\n".replace("\n", "\r\n").encode("ascii")


WIRE = _Verbatim(linesep="\r\n", cte_type="7bit")  # Seven bits pass every relay.
DROPPED = (smtplib.SMTPServerDisconnected, ssl.SSLEOFError, ConnectionResetError)
# No such host, no certificate that we trust, no way to sign in, a port that is none.
AT_FAULT = (socket.gaierror, ssl.SSLError, smtplib.SMTPException, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server and how to speak to it; encryption is verified, `timeout` is in seconds."""

    host: str
    port: int
    from_address: str
    _: KW_ONLY
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 30.0


class _Ended(Exception):
    """No message was handed over; the connection is of no more use. `receipt` says what that means."""

    def __init__(self, receipt: Receipt, *, is_passing: bool = True) -> None:
        self.receipt, self.is_passing = receipt, is_passing


class MailConnection:
    """One connection to a mail server, opened when first needed and kept for further messages."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self._unreachable: Receipt | None = None

    def __enter__(self) -> "MailConnection":
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    @property
    def is_open(self) -> bool:
        """Whether the server can be spoken to without opening anything."""
        return self._smtp is not None

    @property
    def is_unreachable(self) -> bool:
        """Whether it could not be opened; it is not tried again."""
        return self._unreachable is not None

    def greet(self) -> Receipt | None:
        """Open the connection and sign in, sending nothing; None where that works, else why it does not."""
        try:
            self._open(self._server.from_address)
        except _Ended as ended:
            return ended.receipt
        return None

    def send(self, message: Message) -> Receipt:
        """Send one message and return what the server answered; never raises.

        A connection that ends before the message was handed over is opened once more. One that ends
        after its final dot and before the answer leaves the outcome unknown: it is not sent again here.
        """
        recipient, sender = _deliverable(message.to_address), _deliverable(self._server.from_address)
        if recipient is None or (message.reply_to and _deliverable(message.reply_to) is None):
            return Receipt(Outcome.PERMANENT, words="not an address that can be written to")
        if sender is None:
            return Receipt(Outcome.CONFIGURATION, words="not an address that can be written from")
        try:
            return self._exchange(sender, recipient, rendered(message, sender).as_bytes(), tries=2)
        except Exception as error:  # Once the final dot is written nothing is raised any more.
            self._drop()
            return Receipt(Outcome.TRANSIENT, words=type(error).__name__)

    def _exchange(self, sender: str, recipient: str, content: bytes, tries: int) -> Receipt:
        # Fifty letters must not be fifty failed sign-ins, nor fifty times the timeout.
        if self._unreachable is not None:
            return self._unreachable
        try:
            return self._hand_over(self._smtp or self._open(sender), sender, recipient, content)
        except _Ended as ended:
            was_open = self._smtp is not None
            self._drop()
            if ended.is_passing and tries > 1:
                return self._exchange(sender, recipient, content, tries - 1)
            if not was_open:
                self._unreachable = ended.receipt
            return ended.receipt

    def _hand_over(self, smtp: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> Receipt:
        try:
            for command, wanted, blame in (
                (f"MAIL FROM:<{sender}>", 2, Outcome.CONFIGURATION),
                (f"RCPT TO:<{recipient}>", 2, Outcome.PERMANENT),
                ("DATA", 3, Outcome.PERMANENT),
            ):
                code, answer = smtp.docmd(command)
                if code == 421:
                    raise _Ended(_receipt(code, answer, blame))
                if code // 100 != wanted:
                    self._reset(smtp, code)
                    return _receipt(code, answer, blame)
            # A write that fails has not put its last bytes on the way: no server has seen the final dot,
            # so trying again cannot double. Two writes would wait 40 ms for each other (Nagle).
            smtp.send(LEADING_DOT.sub(b"..", content) + b".\r\n")
        except (smtplib.SMTPException, OSError) as error:
            raise _Ended(Receipt(Outcome.TRANSIENT, words=_words(error))) from None
        return self._answered(smtp)

    def _answered(self, smtp: smtplib.SMTP) -> Receipt:
        """Wait for the answer to the final dot; without one that can be read it may have gone."""
        try:
            code, answer = smtp.getreply()
        except Exception as error:
            self._drop()
            return Receipt(Outcome.UNKNOWN, words=_words(error))
        if code == 421 or code // 100 not in (2, 4, 5):
            self._drop()
        return _receipt(code, answer, Outcome.PERMANENT, unreadable=Outcome.UNKNOWN)

    def _open(self, sender: str) -> smtplib.SMTP:
        # Named by the sender's domain: looking our own name up may take seconds and find none.
        server, me = self._server, sender.rpartition("@")[2]
        smtp: smtplib.SMTP | None = None
        try:
            dial = partial(smtplib.SMTP_SSL, context=_tls()) if server.security == "tls" else smtplib.SMTP
            smtp = dial(server.host, server.port, me, timeout=server.timeout)
            if server.security == "starttls":
                smtp.starttls(context=_tls())
            smtp.ehlo_or_helo_if_needed()
            if server.user and server.password is not None:
                smtp.login(server.user, server.password)
        except Exception as error:
            if smtp is not None:
                smtp.close()
            raise self._not_opened(error) from None
        self._smtp = smtp
        return smtp

    def _not_opened(self, error: Exception) -> _Ended:
        words = _words(error)
        # A server may repeat what it was sent, and encoding errors show a letter of it.
        if isinstance(error, UnicodeError) or any(secret in words for secret in self._secrets()):
            words = type(error).__name__
        code = getattr(error, "smtp_code", 0)
        is_drop = isinstance(error, DROPPED)
        at_fault = code // 100 != 4 if code else isinstance(error, AT_FAULT) and not is_drop
        outcome = Outcome.CONFIGURATION if at_fault else Outcome.TRANSIENT
        receipt = Receipt(outcome, str(max(code, 0) or ""), words=words)
        return _Ended(receipt, is_passing=is_drop or code == 421)

    def _secrets(self) -> list[str]:
        password = self._server.password
        plain = [password, f"\0{self._server.user}\0{password}"] if password else []
        return plain + [base64.b64encode(each.encode()).decode() for each in plain]

    def _reset(self, smtp: smtplib.SMTP, code: int) -> None:
        """Clear a refused message away, so that the next one can use the connection."""
        with suppress(smtplib.SMTPException, OSError):
            if code // 100 in (4, 5) and smtp.rset()[0] == 250:
                return
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()  # It reads every certificate of the system; once is enough.


def _receipt(code: int, answer: bytes, blame: Outcome, unreadable: Outcome = Outcome.TRANSIENT) -> Receipt:
    words = _one_line(answer.decode("utf-8", "replace"))[:LONGEST_WORDS]
    refused = Outcome.CONFIGURATION if code in SIGN_IN_CODES else blame
    meaning = {2: Outcome.ACCEPTED, 4: Outcome.TRANSIENT, 5: refused}
    found = QUEUED_AS.search(words) if code // 100 == 2 else None
    outcome = meaning.get(code // 100, unreadable)
    return Receipt(outcome, str(max(code, 0) or ""), found[1] if found else "", words)


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", "") or str(error)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return (_one_line(text) or type(error).__name__)[:LONGEST_WORDS]


@lru_cache(maxsize=1_000)
def _deliverable(address: str) -> str | None:
    """Return the address as every server takes it; None where it is invalid or not ASCII before the @."""
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).ascii_email
    except EmailNotValidError:
        return None


def rendered(message: Message, from_address: str) -> MIMEMultipart:
    """Return the message as RFC 5322 wants it; no text of ours can add a header to it.

    The same message is the same bytes; its addresses have to be valid. Made of the older classes of
    the library: those of today read every header they are given, which takes most of the time.
    """
    stem = sha256(message.message_id.encode()).hexdigest()[:24]
    mail = MIMEMultipart("mixed", f"=_{stem}_0", policy=WIRE)
    for name, value in (
        ("From", _named("From", message.from_name, from_address)),
        ("To", _named("To", message.to_name, _deliverable(message.to_address) or "")),
        ("Reply-To", message.reply_to and _deliverable(message.reply_to)),
        ("Subject", _encoded("Subject", _one_line(message.subject))),
        ("Date", format_datetime(message.sent_at.astimezone(CITY))),
        ("Message-ID", _one_line(message.message_id)),
        ("Auto-Submitted", "auto-generated"),
        # It may have gone before: a mail program shows it once, and whoever counts can tell.
        ("X-Congnhan-Repeat", str(message.repeats) if message.repeats else None),
    ):
        if value:
            mail[name] = value
    said = MIMEMultipart("alternative", f"=_{stem}_1", policy=WIRE)
    for kind, text in (("plain", message.text), ("html", message.html)):
        part = MIMENonMultipart("text", kind, policy=WIRE, charset="utf-8")
        part.set_payload(text.replace("\n", "\r\n").encode())
        encode_base64(part)
        said.attach(part)
    mail.attach(said)
    for attachment in message.attachments:
        mail.attach(_attached(attachment))
    return mail


def _attached(attachment: Attachment) -> MIMENonMultipart:
    """Return a file as a part, its name as RFC 2231 wants it."""
    kind, _, options = _one_line(attachment.media_type).partition(";")
    main, _, sub = kind.strip().partition("/")
    part = MIMENonMultipart(main, sub or "octet-stream", policy=WIRE)
    if main == "text":
        part.set_param("charset", "utf-8")
    for option in filter(None, (each.strip() for each in options.split(";"))):
        name, _, value = option.partition("=")
        part.set_param(name.strip(), value.strip().strip('"'))
    name = _one_line(attachment.filename)
    part.add_header("Content-Disposition", "attachment")
    if name.isascii():
        part.set_param("filename", name, header="Content-Disposition")
    else:
        part.set_param("filename", name, header="Content-Disposition", charset="utf-8")
    part.set_payload(attachment.content)
    encode_base64(part)
    return part


def _named(header: str, name: str, address: str) -> str:
    name = _one_line(name)
    if not name:
        return address
    encoded = _encoded(header, name)
    return f'"{quote(name)}" <{address}>' if encoded == name else f"{encoded}\n <{address}>"


@lru_cache(maxsize=1_000)
def _encoded(header: str, text: str) -> str:
    """Return the text for a header: short ASCII as it is, anything else as RFC 2047 words."""
    if text.isascii() and len(text) <= 60 and "=?" not in text:
        return text
    return Header(text, "utf-8", maxlinelen=75, header_name=header).encode()


def _one_line(text: str) -> str:
    return CONTROLS.sub(" ", text).strip()


class CongnhanMail(NotifyBase):
    """Our mail service for Apprise: one message, one receipt."""

    service_name = "congnhan e-mail"  # type: ignore[assignment]
    secure_protocol = SCHEMA  # type: ignore[assignment]
    templates = ("{schema}://",)  # type: ignore[assignment]
    request_rate_per_sec = 0  # Apprise means seconds between calls, 5.5 unless told.

    def __init__(self, message: Message, connection: MailConnection, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._message, self._connection = message, connection
        self.receipt = Receipt(Outcome.TRANSIENT, words="not tried")

    def send(self, *args: Any, **kwargs: Any) -> bool:
        """Send the message and keep the receipt; True where it was accepted."""
        self.receipt = self._connection.send(self._message)
        return self.receipt.outcome is Outcome.ACCEPTED

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        """Return an address without anything in it: nothing secret goes through a URL."""
        return f"{SCHEMA}://"

    @staticmethod
    def parse_url(url: str, *args: Any, **kwargs: Any) -> None:
        """Refuse to be built from an address; a dict is handed over instead."""


NotificationManager().add(CongnhanMail, schemas=[SCHEMA])
