"""Reports of mail that came back, in the shapes servers send them, read over IMAP."""

from pathlib import Path

import pytest

from notifications.bounces import Bounce, BounceMailbox, BounceMailboxFailed, ImapServer, parse_report
from tests.imap import PASSWORD, USER, Box, imap, self_signed

ID = "<0123456789abcdef0123456789abcdef@congnhan.example>"
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
WHOLE = f"""Content-Type: message/rfc822

From: office@mau.example
To: {WHOM}
Subject: MAU
Message-ID: {ID}

MAU
"""


def status(*groups: str, kind: str = "message/delivery-status") -> str:
    return f"Content-Type: {kind}\n\nReporting-MTA: dns; mau.example\n\n" + "\n".join(groups)


def group(action: str = "failed", whom: str = WHOM, code: str = "5.1.1", words: str = "550 5.1.1 MAU") -> str:
    return (
        f"Final-Recipient: rfc822; {whom}\nAction: {action}\nStatus: {code}\nDiagnostic-Code: smtp; {words}\n"
    )


PLAIN = Bounce(ID, WHOM, "5.1.1", "550 5.1.1 MAU")
SHAPES = [
    pytest.param(report(status(group()), HEADERS), (PLAIN,), id="headers-returned"),
    pytest.param(report(status(group()), WHOLE), (PLAIN,), id="whole-letter-returned"),
    pytest.param(
        report(status(group(whom="<nguoi01@mau.example>")), HEADERS), (PLAIN,), id="address-in-angles"
    ),
    pytest.param(
        report(status(group(), group(whom="nguoi02@mau.example", code="5.2.2")), HEADERS),
        (PLAIN, Bounce(ID, "nguoi02@mau.example", "5.2.2", "550 5.1.1 MAU")),
        id="two-recipients",
    ),
    pytest.param(report(status(group("delayed", code="4.4.1")), HEADERS), (), id="delayed-is-no-failure"),
    pytest.param(report(status(group("delivered", code="2.0.0")), HEADERS), (), id="delivered"),
    pytest.param(report(status(group("relayed", code="2.0.0")), HEADERS), (), id="relayed"),
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
        report(status(group(), kind="message/global-delivery-status"), HEADERS), (PLAIN,), id="utf-8-report"
    ),
    pytest.param(
        report(status(group()), "Content-Type: text/plain\n\nMAU\n", more=f"In-Reply-To: {ID}\n"),
        (PLAIN,),
        id="letter-not-returned-but-answered",
    ),
    pytest.param(report(status(group()), "Content-Type: text/plain\n\nMAU\n"), (), id="of-no-letter-of-ours"),
    pytest.param(
        (
            "From: Mail Delivery System <d@mau.example>\r\n"
            f"X-Failed-Recipients: {WHOM}, nguoi02@mau.example\r\n"
            f"Content-Type: text/plain\r\n\r\n550 5.1.1 unknown\r\n\r\nMessage-ID: {ID}\r\n"
        ).encode(),
        tuple(
            Bounce(ID, whom, "5.1.1", f"550 5.1.1 unknown Message-ID: {ID}")
            for whom in (WHOM, "nguoi02@mau.example")
        ),
        id="older-shape-with-a-header",
    ),
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
    pytest.param(report(status(group()), HEADERS)[:260], (), id="cut-off"),
]


@pytest.mark.parametrize(("raw", "expected"), SHAPES)
def test_a_report_says_which_letter_did_not_reach_whom(raw, expected):
    assert parse_report(raw) == expected


def test_words_are_one_line_of_bounded_length():
    (bounce,) = parse_report(report(status(group(words="550 " + "MAU\t" * 900)), HEADERS))
    assert len(bounce.words) == 500
    assert "\t" not in bounce.words


@pytest.fixture(scope="module")
def server():
    with imap() as box:
        yield box


def at(box: Box, **more) -> ImapServer:
    facts = {"user": USER, "password": PASSWORD, "security": "none", "timeout": 5.0} | more
    return ImapServer("127.0.0.1", box.port, **facts)


def test_reports_are_read_over_imap_and_marked_only_when_done(server):
    ordinary = "From: a@mau.example\r\nSubject: MẪU\r\n\r\nThư thường.\r\n".encode()
    before = server.unread()
    server.put(ordinary, report(status(group()), HEADERS))
    with BounceMailbox(at(server)) as mailbox:
        found = list(mailbox.unread())[before:]
    assert [bounces for _, bounces in found] == [(), (PLAIN,)]
    assert server.unread() == before + 2  # whoever read them died before he had kept what they say
    with BounceMailbox(at(server)) as mailbox:
        again = list(mailbox.unread())[before:]
        assert again == found
        mailbox.done([uid for uid, bounces in again if bounces])
    assert server.unread() == before + 1  # the ordinary mail is nobody's business here


def test_a_wrong_password_is_a_matter_of_the_set_up_and_stands_nowhere(server):
    with pytest.raises(BounceMailboxFailed) as failed, BounceMailbox(at(server, password="MAU-wrong-secret")):
        pass
    assert failed.value.is_configuration
    assert (
        "MAU-wrong-secret"
        not in f"{failed.value!r}{failed.value.words}{at(server, password='MAU-wrong-secret')!r}"
    )


def test_a_server_that_is_away_may_be_back(server):
    away = ImapServer("127.0.0.1", 1, USER, PASSWORD, security="none")
    with pytest.raises(BounceMailboxFailed) as failed, BounceMailbox(away):
        pass
    assert not failed.value.is_configuration


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path):
    with (
        imap(certificate=self_signed(tmp_path)) as box,
        pytest.raises(BounceMailboxFailed) as failed,
        BounceMailbox(at(box, security="starttls")),
    ):
        pass
    assert failed.value.is_configuration
