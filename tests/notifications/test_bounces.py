"""Reports of mail that came back, in the shapes servers send them, read over IMAP."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.bounces import (
    AT_ONCE,
    LARGEST_REPORT,
    Bounce,
    BounceMailbox,
    BounceMailboxFailed,
    ImapServer,
    parse_report,
)
from tests.imap import PASSWORD, USER, Box, imap, scripted, self_signed

ID = "<0123456789abcdef0123456789abcdef@congnhan.example>"
OTHER_ID = "<khac@mau.example>"
WHOM = "nguoi01@mau.example"


def report(
    status: str, returned: str, human: str = "Không tìm thấy người nhận MẪU.", more: str = ""
) -> bytes:
    """Build a report of the standard's shape."""
    return f"""From: MAILER-DAEMON@mau.example
To: office@mau.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
{more}Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=utf-8

{human}

--B
{status}
--B
{returned}
--B--
""".replace("\n", "\r\n").encode()


HEADERS = f"""Content-Type: text/rfc822-headers

From: office@mau.example
To: {WHOM}
Message-ID: {ID}
"""
WHOLE = HEADERS.replace("text/rfc822-headers", "message/rfc822") + "\nMAU\n"
NOTHING = "Content-Type: text/plain\n\nMAU\n"


def status(*groups: str, kind: str = "message/delivery-status", more: str = "") -> str:
    return f"Content-Type: {kind}\n\nReporting-MTA: dns; mau.example\n{more}\n" + "\n".join(groups)


def group(action: str = "failed", whom: str = WHOM, code: str = "5.1.1", words: str = "550 5.1.1 MAU") -> str:
    return (
        f"Final-Recipient: rfc822; {whom}\nAction: {action}\nStatus: {code}\nDiagnostic-Code: smtp; {words}\n"
    )


def older(text: str, whom: str = WHOM, more: str = "") -> bytes:
    """Build what is sent instead of a report: a header, and one text with a copy of the letter."""
    return f"From: d@mau.example\nX-Failed-Recipients: {whom}\n{more}\n{text}".replace("\n", "\r\n").encode()


def in_base64(kind: str, text: str, charset: str = "utf-8") -> str:
    coded = base64.encodebytes(text.encode(charset)).decode()
    return f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: base64\n\n{coded}"


PLAIN = Bounce(ID, WHOM, "5.1.1", "550 5.1.1 MAU", "550")

POSTFIX = report(
    status(
        f"Final-Recipient: rfc822; {WHOM}\nOriginal-Recipient: rfc822;{WHOM}\nAction: failed\n"
        "Status: 4.4.1\nRemote-MTA: dns; mx.mau.example\n"
        "Diagnostic-Code: X-Postfix; connect to mx.mau.example[192.0.2.25]:25:\n    MAU timed out\n",
        more="X-Postfix-Queue-ID: 4F3C1\nX-Postfix-Sender: rfc822; office@mau.example\n",
    ).replace("Content-Type", "Content-Description: Delivery report\nContent-Type"),
    HEADERS,
)
EXIM = report(status(group(words="550-5.1.1 MAU\n  550 MAU")), WHOLE, more=f"X-Failed-Recipients: {WHOM}\n")
EXCHANGE = report(
    status(
        f"Final-Recipient: rfc822;{WHOM}\nAction: failed\nStatus: 5.1.10\n"
        f"Diagnostic-Code: smtp;550 5.1.10 RESOLVER.MAU;\n\tMAU {WHOM}\nX-Display-Name: MAU\n",
        more="Received-From-MTA: dns;MAU.example\n",
    ),
    WHOLE,
).replace(
    b"Content-Type: text/plain; charset=utf-8",
    b"Content-Type: multipart/alternative; boundary=A\r\n\r\n"
    b"--A\r\nContent-Type: text/html\r\n\r\n<p>MAU</p>\r\n--A--",
)
GMAIL = report(
    status(group(words="550-5.1.1 MAU\n 550 5.1.1 MAU"), more=f"X-Original-Message-ID: {ID}\n"),
    NOTHING,
    more=f"X-Failed-Recipients: {WHOM}\nReferences: {OTHER_ID}\n",
)

SHAPES = [
    pytest.param(report(status(group()), HEADERS), (PLAIN,), id="headers-returned"),
    pytest.param(report(status(group()), WHOLE), (PLAIN,), id="whole-letter-returned"),
    pytest.param(
        POSTFIX,
        (Bounce(ID, WHOM, "4.4.1", "connect to mx.mau.example[192.0.2.25]:25: MAU timed out"),),
        id="postfix",
    ),
    pytest.param(EXIM, (Bounce(ID, WHOM, "5.1.1", "550-5.1.1 MAU 550 MAU", "550"),), id="exim"),
    pytest.param(
        EXCHANGE,
        (Bounce(ID, WHOM, "5.1.10", f"550 5.1.10 RESOLVER.MAU; MAU {WHOM}", "550"),),
        id="exchange",
    ),
    pytest.param(
        GMAIL, (Bounce(ID, WHOM, "5.1.1", "550-5.1.1 MAU 550 5.1.1 MAU", "550"),), id="gmail-names-the-letter"
    ),
    pytest.param(
        report(status(group(whom="<nguoi01@mau.example>")), HEADERS), (PLAIN,), id="address-in-angles"
    ),
    pytest.param(
        report(status(group(), group(whom="nguoi02@mau.example", code="5.2.2")), HEADERS),
        (PLAIN, Bounce(ID, "nguoi02@mau.example", "5.2.2", "550 5.1.1 MAU", "550")),
        id="two-recipients",
    ),
    pytest.param(report(status(group(), group(whom=WHOM.upper())), HEADERS), (PLAIN,), id="one-named-twice"),
    pytest.param(report(status(group("delayed", code="4.4.1")), HEADERS), (), id="delayed-is-no-failure"),
    pytest.param(report(status(group("delivered", code="2.0.0")), HEADERS), (), id="delivered"),
    pytest.param(report(status(group("relayed", code="2.0.0")), HEADERS), (), id="relayed"),
    pytest.param(report(status(group("expanded", code="2.0.0")), HEADERS), (), id="expanded"),
    pytest.param(
        report(status(group("delayed")), HEADERS, more=f"X-Failed-Recipients: {WHOM}\n"),
        (),
        id="delayed-whatever-a-header-says",
    ),
    pytest.param(
        report(
            status(
                f"Original-Recipient: rfc822;{WHOM}\nFinal-Recipient: rfc822;ban-sao@khac.example\n"
                "Action: failed\nStatus: 5.7.1\n"
            ),
            HEADERS,
        ),
        (Bounce(ID, WHOM, "5.7.1", "Không tìm thấy người nhận MẪU."),),
        id="forwarded-names-whom-we-wrote-to",
    ),
    pytest.param(
        report(status(group(code="5.0.0 (MAU\x00)", words="Hộp thư MẪU\x00 đã đầy\x85")), HEADERS),
        (Bounce(ID, WHOM, "5.0.0", "Hộp thư MẪU đã đầy"),),
        id="vietnamese-and-controls",
    ),
    pytest.param(
        report(status(group(), kind="message/global-delivery-status"), HEADERS), (PLAIN,), id="utf-8-report"
    ),
    pytest.param(
        report(
            in_base64(
                "message/global-delivery-status",
                f"Reporting-MTA: dns; mẫu.example\n\n{group(words='550 5.1.1 Không có hộp thư MẪU')}",
            ),
            in_base64("message/global-headers", f"Subject: MẪU\nMessage-ID: {ID}\n"),
        ),
        (Bounce(ID, WHOM, "5.1.1", "550 5.1.1 Không có hộp thư MẪU", "550"),),
        id="utf-8-report-in-base64",
    ),
    pytest.param(
        report(
            status(
                "Final-Recipient: utf-8; ng\\x{1B0}\\x{1EDD}i@mau.example\nAction: Failed\nStatus: 5.1.1\n"
            ),
            HEADERS,
        ),
        (Bounce(ID, "người@mau.example", "5.1.1", "Không tìm thấy người nhận MẪU."),),
        id="utf-8-address-in-ascii",
    ),
    pytest.param(
        report(status(group()), NOTHING, more=f"In-Reply-To: {ID}\n"), (PLAIN,), id="answers-the-letter"
    ),
    pytest.param(
        report(status(group()), NOTHING, more=f"References: {OTHER_ID}\n {ID}\n"), (PLAIN,), id="refers-to-it"
    ),
    pytest.param(
        report(status(group(), more=f"Original-Envelope-Id: +3C{ID[1:-1]}+3E\n"), NOTHING),
        (PLAIN,),
        id="names-its-envelope",
    ),
    pytest.param(report(status(group()), NOTHING), (), id="of-no-letter-of-ours"),
    pytest.param(report(status(group(whom="MAU")), HEADERS), (), id="to-no-address"),
    pytest.param(
        report(status(group()), HEADERS.replace(ID, "<01\x0023@congnhan.example>")), (), id="id-no-id-can-be"
    ),
    pytest.param(
        report("Content-Type: text/plain\n\nMAU\n", f"Content-Type: message/rfc822\n\n{POSTFIX.decode()}"),
        (),
        id="report-returned-by-another",
    ),
    pytest.param(
        report(status(group()).replace("delivery-status", "disposition-notification"), HEADERS),
        (),
        id="receipt-of-a-reader",
    ),
    pytest.param(
        older(
            f"MAU:\n\n  {WHOM}\n    550 unknown\n\n---- MAU ----\n\nMessage-ID: {ID}\n\nKhoản 5.1.1 MẪU.\n"
        ),
        (Bounce(ID, WHOM, "", "550 unknown", "550"),),
        id="older-shape-takes-no-reason-from-our-letter",
    ),
    pytest.param(
        older(f"550 5.1.1 unknown\n\nMessage-ID: {ID}\n", f"{WHOM},\n nguoi02@mau.example"),
        tuple(
            Bounce(ID, whom, "5.1.1", "550 5.1.1 unknown", "550") for whom in (WHOM, "nguoi02@mau.example")
        ),
        id="older-shape-of-two-recipients",
    ),
    pytest.param(
        older(
            f"550 MAU \\ud800\nMessage-ID: {ID}\n", more="Content-Type: text/plain; charset=unicode_escape\n"
        ),
        (Bounce(ID, WHOM, "", "550 MAU", "550"),),
        id="half-a-character",
    ),
    pytest.param(
        older(f"550 MAU\nMessage-ID: {ID}\n", more="Content-Type: text/plain; charset=rot13\n"),
        (Bounce(ID, WHOM, "", "550 MAU", "550"),),
        id="charset-that-is-none",
    ),
    pytest.param(
        older(f"550 MAU\nMessage-ID: {ID}\n", f"nguoi01@mau\x00.example, {WHOM}"),
        tuple(Bounce(ID, whom, "", "550 MAU", "550") for whom in ("nguoi01@mau", WHOM)),
        id="older-shape-with-a-control-in-a-name",
    ),
    pytest.param(older("550 5.1.1 MAU\n"), (), id="older-shape-without-a-letter"),
    pytest.param(
        (
            f"From: {WHOM}\r\nSubject: Vắng mặt\r\nAuto-Submitted: auto-replied\r\n"
            f"In-Reply-To: {ID}\r\n\r\nTôi đi vắng.\r\n"
        ).encode(),
        (),
        id="out-of-office",
    ),
    pytest.param(b"", (), id="empty"),
    pytest.param(b"\xff\xfe\x00 MAU", (), id="rubbish"),
    pytest.param(report(status(group()), HEADERS)[:260], (), id="cut-off-before-it-says-anything"),
    pytest.param(report(status(group()), WHOLE)[:-12], (PLAIN,), id="cut-off-within-the-letter"),
    pytest.param(
        b"".join(
            b"Content-Type: multipart/report; boundary=%d\r\n\r\n--%d\r\n" % (each, each)
            for each in range(1_000)
        ),
        (),
        id="deeper-than-can-be-read",
    ),
]


@pytest.mark.parametrize(("raw", "expected"), SHAPES)
def test_a_report_says_which_letter_did_not_reach_whom(raw: bytes, expected: tuple[Bounce, ...]) -> None:
    assert parse_report(raw) == expected


SAMPLES = [shape.values[0] for shape in SHAPES if shape.values[1]]


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
@settings(max_examples=300, deadline=None)
@given(
    raw=st.sampled_from(SAMPLES),
    begins=st.floats(0, 1),
    length=st.integers(0, 40),
    instead=st.binary(max_size=20),
)
def test_no_report_is_so_broken_that_it_cannot_be_read_or_kept(
    raw: bytes, begins: float, length: int, instead: bytes
) -> None:
    start = int(begins * len(raw))
    for each in parse_report(raw[:start] + instead + raw[start + length :]):
        values = (each.message_id, each.recipient, each.status, each.words, each.code)
        assert all(value.encode().decode().isprintable() for value in values)


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        pytest.param("550 5.7.606 MAU", "5.7.606", "550", id="both"),
        pytest.param("550-#5.1.1. MAU", "5.1.1", "550", id="at-the-end-of-a-sentence"),
        pytest.param("connect to mx.mau.example[203.5.1.10]:587 MAU", "", "", id="address-and-port"),
        pytest.param("host mx.mau.example [4.4.113.9]: MAU", "", "", id="address-that-begins-so"),
        pytest.param("Postfix 2.11.3 MAU", "", "", id="version"),
    ],
)
def test_status_and_code_are_read_from_words_only_where_they_stand(
    words: str, status: str, code: str
) -> None:
    [bounce] = parse_report(older(f"{words}\n\nMessage-ID: {ID}\n"))
    assert (bounce.status, bounce.code) == (status, code)


def test_words_are_one_line_of_bounded_length() -> None:
    [bounce] = parse_report(report(status(group(words="550 " + "MAU\t" * 900)), HEADERS))
    assert bounce.words == ("550 " + "MAU " * 900)[:500]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Box, Path]]:
    certificate = self_signed(tmp_path_factory.mktemp("imap"))
    with imap(certificate=certificate) as box:
        yield box, certificate[0]


@pytest.fixture
def box(server: tuple[Box, Path]) -> Box:
    server[0].empty()
    return server[0]


def at(port: int, **more: Any) -> ImapServer:
    facts = {"user": USER, "password": PASSWORD, "security": "none", "timeout": 5.0} | more
    return ImapServer("127.0.0.1", port, **facts)


def failure(server: ImapServer) -> BounceMailboxFailed:
    """Read the mailbox; return why it could not be."""
    with pytest.raises(BounceMailboxFailed) as failed, BounceMailbox(server) as mailbox:
        mailbox.done([uid for uid, _ in mailbox.unread()])
    return failed.value


ORDINARY = "From: a@mau.example\r\nSubject: MẪU\r\n\r\nThư thường.\r\n".encode()
REPORT = report(status(group()), HEADERS)


def test_reports_are_read_over_imap_and_marked_only_when_done(box: Box) -> None:
    box.put(ORDINARY, REPORT, b"\r\nMAU without a head")
    with BounceMailbox(at(box.port)) as mailbox:
        found = list(mailbox.unread())
    assert [bounces for _, bounces in found] == [(), (PLAIN,), ()]
    assert box.unread() == 3  # whoever read them died before he had kept what they say
    with BounceMailbox(at(box.port)) as mailbox:
        again = list(mailbox.unread())
        mailbox.done(uid for uid, bounces in again if bounces)
    assert again == found
    with BounceMailbox(at(box.port)) as mailbox:
        assert [bounces for _, bounces in mailbox.unread()] == [(), ()]  # ordinary mail is not our business


def test_mails_are_marked_while_more_are_read_and_many_at_once(box: Box) -> None:
    box.put(REPORT, *[ORDINARY] * AT_ONCE, REPORT)
    with BounceMailbox(at(box.port)) as mailbox:
        for uid, bounces in mailbox.unread():
            if bounces:
                mailbox.done([uid])
        rest = [uid for uid, _ in mailbox.unread()]
        mailbox.done([])
        assert (box.count("SEEN"), len(rest)) == (2, AT_ONCE)
        mailbox.done([*rest, *rest])
    assert box.unread() == 0


def test_what_others_have_deleted_is_theirs_to_take_away(box: Box) -> None:
    box.put(ORDINARY, flags="\\Deleted")
    box.put(REPORT)
    with BounceMailbox(at(box.port)) as mailbox:
        mailbox.done([uid for uid, bounces in mailbox.unread() if bounces])
    assert (box.count("DELETED"), box.count("ALL")) == (1, 2)


def test_report_that_returns_a_large_letter_is_understood(box: Box) -> None:
    box.put(report(status(group()), WHOLE + "MAU\n" * LARGEST_REPORT))
    with BounceMailbox(at(box.port)) as mailbox:
        assert [bounces for _, bounces in mailbox.unread()] == [(PLAIN,)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("* 1 FETCH (UID 7 BODY[] {%d}\r\n%s)", id="uid-first"),
        pytest.param("* 1 FETCH (BODY[] {%d}\r\n%s UID 7)", id="uid-last"),
        pytest.param(
            "* 3 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 7 BODY[] {%d}\r\n%s)\r\n* 2 FETCH (UID 8 FLAGS ())",
            id="with-news-of-other-mails",
        ),
    ],
)
def test_answer_is_understood_however_the_server_puts_it(answer: str) -> None:
    said = REPORT.decode()
    fetched = answer % (len(REPORT), said) + "\r\nOK MAU"
    script = {
        "SELECT": "* 3 EXISTS\r\nOK [READ-WRITE] MAU",
        "SEARCH": "* SEARCH 7\r\nOK MAU",
        "FETCH": fetched,
    }
    with scripted(script) as (port, _), BounceMailbox(at(port)) as mailbox:
        assert list(mailbox.unread()) == [("7", (PLAIN,))]


def test_starttls_is_used_with_a_certificate_that_is_vouched_for(
    server: tuple[Box, Path], box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(REPORT)
    monkeypatch.setenv("SSL_CERT_FILE", str(server[1]))
    with BounceMailbox(at(box.port, security="starttls")) as mailbox:
        assert [bounces for _, bounces in mailbox.unread()] == [(PLAIN,)]


def test_certificate_that_nobody_vouches_for_is_refused(box: Box) -> None:
    failed = failure(at(box.port, security="starttls"))
    assert (failed.words.partition(":")[0], failed.is_configuration) == ("certificate refused", True)


def test_certificate_is_vouched_for_from_the_start_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    with scripted({}, certificate=certificate) as (port, heard):
        refused = failure(at(port, security="tls"))
    assert (refused.words.partition(":")[0], heard) == ("certificate refused", [])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with scripted({}, certificate=certificate) as (port, heard), BounceMailbox(at(port, security="tls")):
        pass
    assert [each.split(" ")[1] for each in heard] == ["CAPABILITY", "LOGIN", "SELECT", "LOGOUT"]


def test_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path, host="127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with scripted({}, certificate=certificate) as (port, heard):
        failed = failure(at(port, security="tls"))
    assert (failed.is_configuration, heard) == (True, [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_password_is_not_sent_where_the_server_does_not_encrypt(security: str) -> None:
    with scripted({}) as (port, heard):
        failed = failure(at(port, security=security))
    assert failed.is_configuration
    assert [each for each in heard if "LOGIN" in each or "AUTH" in each] == []


@pytest.mark.parametrize("password", ["MAU-wrong-secret", "MẪU-mật-khẩu"])
def test_wrong_password_is_a_matter_of_the_set_up(box: Box, password: str) -> None:
    failed = failure(at(box.port, password=password))
    assert (failed.words, failed.is_configuration) == ("sign-in refused", True)


REFUSALS = [
    pytest.param({"LOGIN": f"NO not {PASSWORD}"}, "sign-in refused", True, id="password-repeated"),
    pytest.param({"LOGIN": f"BAD LOGIN {USER} {PASSWORD}"}, "sign-in refused", True, id="not-understood"),
    pytest.param({"LOGIN": "NO [UNAVAILABLE] MAU"}, "sign-in refused", False, id="cannot-tell-now"),
    pytest.param({"SELECT": "NO [NONEXISTENT] MAU"}, "no such folder", True, id="no-folder"),
    pytest.param({"SELECT": "OK [READ-ONLY] MAU"}, "the folder can only be read", True, id="read-only"),
    pytest.param({"SEARCH": "NO [SERVERBUG] MAU"}, "not searched", False, id="no-search"),
    pytest.param({"FETCH": f"NO {PASSWORD}"}, "not read", False, id="no-fetch"),
    pytest.param({"STORE": "NO MAU"}, "not marked", False, id="not-marked"),
    pytest.param({"SEARCH": "* BYE MAU\r\nOK MAU"}, "the conversation broke off", False, id="good-bye"),
]


@pytest.mark.parametrize(("answers", "words", "is_configuration"), REFUSALS)
def test_refusal_says_what_was_refused_and_whose_matter_it_is(
    answers: dict[str, str], words: str, is_configuration: bool
) -> None:
    usual = {"SELECT": "OK [READ-WRITE] MAU", "SEARCH": "* SEARCH 7\r\nOK MAU"}
    with scripted(usual | answers) as (port, _):
        failed = failure(at(port))
    assert (failed.words, failed.is_configuration) == (words, is_configuration)


@pytest.mark.parametrize(
    ("greeting", "words", "is_configuration"),
    [
        pytest.param("", "the conversation broke off", False, id="hangs-up"),
        pytest.param("* BYE MAU", "turned away", False, id="too-busy"),
        pytest.param("220 MAU ESMTP", "the conversation broke off", False, id="other-server"),
    ],
)
def test_greeting_says_whether_the_server_is_the_right_one(
    greeting: str, words: str, is_configuration: bool
) -> None:
    with scripted({}, greeting=greeting) as (port, _):
        failed = failure(at(port))
    assert (failed.words, failed.is_configuration) == (words, is_configuration)


def test_server_that_is_away_may_be_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failed = failure(at(port))
    assert (failed.words, failed.is_configuration) == ("not reachable: ConnectionRefusedError", False)


def test_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed = failure(at(silent.getsockname()[1], timeout=0.2))
    assert (failed.words, failed.is_configuration) == ("not reachable: TimeoutError", False)


def test_host_without_an_address_is_a_matter_of_the_set_up() -> None:
    failed = failure(ImapServer("two..dots", 993, USER, PASSWORD))
    assert failed.is_configuration


def test_password_stands_in_no_failure_nor_in_what_is_shown_of_a_server(box: Box) -> None:
    wrong = "MAU-wrong-secret"
    failed = failure(at(box.port, password=wrong))
    shown = "".join((repr(failed), str(failed), failed.words, repr(at(box.port, password=wrong))))
    assert [secret for secret in (wrong, USER) if secret in shown] == [USER]  # the user, in the server's own
    assert USER not in f"{failed!r}{failed.words}"
