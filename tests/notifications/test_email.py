"""What a mail server's answers mean, asked of real servers on loopback."""

import base64
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from apprise import Apprise, AppriseAsset, NotifyFormat

from notifications.email import SCHEMA, CongnhanMail, MailConnection, MailServer
from notifications.messages import Attachment, Message
from notifications.receipts import Outcome, Receipt
from tests.posting import deliver

SENT_AT = datetime(2021, 11, 17, 0, 30, tzinfo=UTC)  # 07:30 in the city
SENDER = "congnhan@mau.example"
PASSWORD = "mat-khau-MAU-7"
HANG_UP = ""

ACCEPTED, TRANSIENT, PERMANENT = Outcome.ACCEPTED, Outcome.TRANSIENT, Outcome.PERMANENT
CONFIGURATION, UNKNOWN = Outcome.CONFIGURATION, Outcome.UNKNOWN


def message(to: str = "a@mau.example", **more: Any) -> Message:
    values: dict[str, Any] = {
        "message_id": f"<{to.partition('@')[0]}.1@congnhan.example>",
        "to_name": "Ông MẪU",
        "to_address": to,
        "sent_at": SENT_AT,
        "subject": "Nhắc nộp hồ sơ",
        "text": "Kính gửi.\n.một dòng bắt đầu bằng dấu chấm\n",
        "html": "<p>Kính gửi.</p>",
        "from_name": "Phòng Nội vụ",
    }
    return Message(**(values | more))


def messages(*names: str) -> list[Message]:
    return [message(f"{name}@mau.example") for name in names]


def at(port: int, **more: Any) -> MailServer:
    options: dict[str, Any] = {"security": "none", "timeout": 5.0}
    return MailServer("127.0.0.1", port, SENDER, **(options | more))


def outcomes(receipts: Sequence[Receipt]) -> list[Outcome]:
    return [receipt.outcome for receipt in receipts]


def recipients(letters: Sequence[bytes]) -> list[str]:
    parsed = [message_from_bytes(letter, policy=default) for letter in letters]
    return [letter["To"].addresses[0].username for letter in parsed]


class FreePort(Controller):
    """A controller on whichever port is free, which it learns from its own socket."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()  # type: ignore[no-untyped-call]


class Desk:
    """Answers each recipient as told by his name, and keeps what it accepted."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.peers: set[Any] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusals = {"full": "451 4.2.2 hộp thư đầy", "gone": "550 5.1.1 no such user"}
        refusal = refusals.get(address.partition("@")[0])
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope.original_content or b"")
        self.peers.add(session.peer)
        return f"250 2.0.0 Ok: queued as 4F3C{len(self.letters)}"


@contextmanager
def desk(**options: Any) -> Iterator[tuple[Desk, int]]:
    handler = Desk()
    controller = FreePort(handler, hostname="127.0.0.1", port=0, server_hostname="desk.example", **options)
    controller.start()
    try:
        yield handler, controller.port
    finally:
        controller.stop()


class Scripted:
    """A server with one dict of answers for each connection in turn; HANG_UP closes it there.

    `greeting`, the commands, `body` (before the letter is read) and `dot` can be answered.
    Connections past the script are answered as by any server.
    """

    def __init__(self, *script: dict[str, str]) -> None:
        self._script = list(script)
        self.letters: list[bytes] = []
        self.commands: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        # A small window: a letter that is never read cannot be written to its end.
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Scripted":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Waking accept() by closing is not certain everywhere; a connection of our own is.
        self._script = [{"greeting": "stop"}]
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            answers = self._script.pop(0) if self._script else {}
            if answers.get("greeting") == "stop":
                connection.close()
                return
            with closing(connection), suppress(OSError), connection.makefile("rb") as heard:
                self._talk(answers, connection, heard.readline)

    def _talk(self, answers: dict[str, str], connection: socket.socket, hear: Callable[[], bytes]) -> None:
        def says(what: str, usually: str) -> bool:
            answer = answers.get(what, usually)
            connection.sendall(f"{answer}\r\n".encode() if answer else b"")
            return bool(answer) and not answer.startswith("421")

        if not says("greeting", "220 scripted"):
            return
        while line := hear():
            self.commands.append(line.decode(errors="replace").strip())
            verb = self.commands[-1][:4].strip()
            if not says(verb, "354 go on" if verb == "DATA" else "250 OK"):
                return
            if verb == "DATA" and answers.get("body") == HANG_UP:
                return
            if verb == "DATA" and answers.get("DATA", "354").startswith("354"):
                letter = b"".join(iter(hear, b".\r\n"))
                self.letters.append(letter)
                if not says("dot", f"250 OK id=1abc{len(self.letters)}-00"):
                    return


def test_each_recipient_gets_the_code_and_the_queue_id_of_his_own_answer() -> None:
    with desk() as (server, port):
        receipts = list(deliver(messages("a", "full", "gone", "b"), at(port)))
    assert receipts == [
        Receipt(ACCEPTED, "250", "4F3C1", "2.0.0 Ok: queued as 4F3C1"),
        Receipt(TRANSIENT, "451", "", "4.2.2 hộp thư đầy"),
        Receipt(PERMANENT, "550", "", "5.1.1 no such user"),
        Receipt(ACCEPTED, "250", "4F3C2", "2.0.0 Ok: queued as 4F3C2"),
    ]
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("words", "provider_id"),
    [
        ("2.0.0 Ok: queued as 4RtX2b1Fz0z9", "4RtX2b1Fz0z9"),
        ("OK id=1r6abc-000000001Kd-2vXy", "1r6abc-000000001Kd-2vXy"),
        ("2.6.0 <a@b> [InternalId=123456, Hostname=mx] Queued mail for delivery", "123456"),
        ("thank you", ""),
    ],
)
def test_queue_id_is_found_in_the_words_of_different_servers(words: str, provider_id: str) -> None:
    with Scripted({"dot": f"250 {words}"}) as server:
        [receipt] = deliver([message()], at(server.port))
    assert receipt == Receipt(ACCEPTED, "250", provider_id, words)


@pytest.mark.parametrize(
    ("answers", "outcome", "code"),
    [
        pytest.param({"MAIL": "550 5.7.1 sender refused"}, CONFIGURATION, "550", id="sender-refused"),
        pytest.param({"RCPT": "530 5.7.0 sign in first"}, CONFIGURATION, "530", id="sign-in-wanted"),
        pytest.param({"DATA": "554 5.5.1 no"}, PERMANENT, "554", id="letter-refused"),
        pytest.param({"dot": "552 5.3.4 too big"}, PERMANENT, "552", id="letter-too-big"),
        pytest.param({"dot": "451 4.3.0 later"}, TRANSIENT, "451", id="letter-put-off"),
        pytest.param({"dot": "421 4.3.2 going down"}, TRANSIENT, "421", id="answered-and-gone"),
        pytest.param({"dot": "what?"}, UNKNOWN, "", id="answer-not-understood"),
        pytest.param({"greeting": "554 5.3.2 not here"}, CONFIGURATION, "554", id="not-welcome"),
    ],
)
def test_refusal_says_who_is_at_fault(answers: dict[str, str], outcome: Outcome, code: str) -> None:
    with Scripted(answers) as server:
        [receipt] = deliver([message()], at(server.port))
    assert (receipt.outcome, receipt.code) == (outcome, code)


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["421 4.7.0 too many", HANG_UP], ids=["421", "dropped"])
def test_nobody_is_lost_when_the_server_ends_the_connection(where: str, answer: str) -> None:
    with Scripted({where: answer}) as server:
        receipts = list(deliver(messages("a", "b", "c"), at(server.port)))
        written = recipients(server.letters)
    assert outcomes(receipts) == [ACCEPTED] * 3
    assert written == ["a", "b", "c"]


@pytest.mark.parametrize("answer", ["421 4.7.0 too many", HANG_UP], ids=["421", "dropped"])
def test_transient_is_said_when_the_second_connection_ends_too(answer: str) -> None:
    with Scripted({"RCPT": answer}, {"RCPT": answer}) as server:
        receipts = list(deliver(messages("a", "b"), at(server.port)))
    assert [(receipt.outcome, receipt.code) for receipt in receipts] == [
        (TRANSIENT, answer[:3]),
        (ACCEPTED, "250"),
    ]


def test_letter_is_sent_again_when_the_connection_drops_before_its_final_dot() -> None:
    big = message(attachments=(Attachment("a.bin", bytes(6_000_000), "application/octet-stream"),))
    with Scripted({"body": HANG_UP}) as server:
        [receipt] = deliver([big], at(server.port))
    assert receipt == Receipt(ACCEPTED, "250", "1abc1-00", "OK id=1abc1-00")
    assert len(server.letters) == 1


def test_unknown_is_said_when_the_answer_to_data_is_lost() -> None:
    with Scripted({"dot": HANG_UP}) as server:
        receipts = list(deliver(messages("a", "b"), at(server.port)))
        written = recipients(server.letters)
    assert outcomes(receipts) == [UNKNOWN, ACCEPTED]
    assert written == ["a", "b"]  # a's letter was not sent a second time


def test_transient_is_said_to_everybody_when_the_connection_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert outcomes(list(deliver(messages("a", "b"), at(port)))) == [TRANSIENT] * 2


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two..dots"])
def test_configuration_is_said_when_the_host_has_no_address(host: str) -> None:
    [receipt] = deliver([message()], MailServer(host, 25, SENDER, security="none"))
    assert receipt.outcome is CONFIGURATION


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_password_is_not_sent_when_the_server_does_not_encrypt(security: str) -> None:
    with Scripted() as server:
        [receipt] = deliver([message()], at(server.port, security=security, user="mau", password=PASSWORD))
    assert receipt.outcome is CONFIGURATION
    assert [command for command in server.commands if "AUTH" in command] == []


def test_sign_in_is_refused_once_and_the_password_is_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    def refuse(server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        tries.append(how)
        echoed = base64.b64encode(PASSWORD.encode()).decode()
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 not {echoed} nor {PASSWORD}")

    caplog.set_level(logging.DEBUG, logger="apprise")
    with desk(authenticator=refuse, auth_require_tls=False, auth_exclude_mechanism=["LOGIN"]) as (_, port):
        server = at(port, user="mau", password=PASSWORD)
        receipts = list(deliver(messages("a", "b", "c"), server))
    assert receipts == [Receipt(CONFIGURATION, "535", words="SMTPAuthenticationError")] * 3
    assert tries == ["PLAIN"]  # an account is locked by fifty wrong passwords
    assert PASSWORD not in repr(server) + str(server) + caplog.text


def test_service_keeps_the_receipt_and_shows_nothing() -> None:
    with desk() as (_, port), MailConnection(at(port, password=PASSWORD)) as connection:
        service = Apprise.instantiate(
            {"schema": SCHEMA, "message": message(), "connection": connection}, asset=AppriseAsset()
        )
        assert isinstance(service, CongnhanMail)
        assert service.notify(body="x", title="y", body_format=NotifyFormat.TEXT) is True
    assert service.receipt.outcome is ACCEPTED
    assert service.request_rate_per_sec == 0
    assert {service.url(privacy=False), service.url(privacy=True), str(service)} == {"congnhanmail://"}
