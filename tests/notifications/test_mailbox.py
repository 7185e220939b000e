"""The embedded mailbox keeps every letter as it was composed, under a name that can be read."""

import gc
import smtplib
import threading
import warnings
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from notifications.email import rendered
from notifications.mailbox import Mailbox
from notifications.messages import Attachment, Message
from notifications.receipts import Outcome, Receipt
from tests.posting import deliver

SENDER = "congnhan@mau.example"
MARK = "573c4004"  # of <1@congnhan.example>


def message(to: str = "san.thang@mau.example", **more: Any) -> Message:
    values: dict[str, Any] = {
        "message_id": "<1@congnhan.example>",
        "to_name": "Ông MẪU",
        "to_address": to,
        "sent_at": datetime(2021, 11, 17, 17, 5, tzinfo=UTC),  # 00:05 of the next day in the city
        "subject": "Nhắc nộp hồ sơ",
        "text": "Kính gửi.\n",
        "html": "<p>.\n.\n..</p>\n",  # plain enough to be sent as it is, dots at the start of lines and all
        "from_name": "Phòng Nội vụ",
    }
    return Message(**(values | more))


def read(content: bytes) -> EmailMessage:
    parsed = message_from_bytes(content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(path: Path) -> str:
    body = read(path.read_bytes()).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_letter_is_kept_as_a_file_named_by_city_time_recipient_and_id(tmp_path: Path) -> None:
    with Mailbox(tmp_path / "letters") as mailbox:
        receipts = list(deliver([message(), message("b@mau.example")], mailbox.server(SENDER)))
        kept = mailbox.letters()
    assert [path.name for path in kept] == [
        f"20211118-0005-b-{MARK}.eml",
        f"20211118-0005-san.thang-{MARK}.eml",
    ]
    assert names(tmp_path / "letters") == [path.name for path in kept]
    assert [receipt.provider_id for receipt in receipts] == [MARK, MARK]


def test_same_message_id_has_the_same_id_and_overwrites_nothing(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        first, second = deliver([message(text="một"), message(text="hai")], mailbox.server(SENDER))
    with Mailbox(tmp_path) as mailbox:
        [third] = deliver([message(text="ba")], mailbox.server(SENDER))
    assert {receipt.provider_id for receipt in (first, second, third)} == {MARK}
    stem = f"20211118-0005-san.thang-{MARK}"
    assert names(tmp_path) == [f"{stem}-2.eml", f"{stem}-3.eml", f"{stem}.eml"]
    assert [text_of(tmp_path / f"{stem}{number}.eml") for number in ("", "-2", "-3")] == ["một", "hai", "ba"]


def test_letter_arrives_as_it_was_composed(tmp_path: Path) -> None:
    calendar = Attachment("Hạn nộp hồ sơ xã Sùng Phài, phường Quyết Tiến.ics", b"BEGIN:VCALENDAR\r\n",
                          "text/calendar; method=PUBLISH")  # fmt: skip
    with Mailbox(tmp_path) as mailbox:
        whole = message(reply_to="noi-vu@mau.example", attachments=(calendar,))
        list(deliver([whole], mailbox.server(SENDER)))
    [letter] = [path.read_bytes() for path in mailbox.letters()]
    mail = read(letter)
    assert letter.isascii()
    assert {name: str(mail[name]) for name in mail if name not in ("MIME-Version", "Content-Type")} == {
        "From": f"Phòng Nội vụ <{SENDER}>",
        "To": "Ông MẪU <san.thang@mau.example>",
        "Reply-To": "noi-vu@mau.example",
        "Subject": "Nhắc nộp hồ sơ",
        "Date": "Thu, 18 Nov 2021 00:05:00 +0700",
        "Message-ID": "<1@congnhan.example>",
        "Auto-Submitted": "auto-generated",
    }
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == message().text.splitlines()
    assert html.get_content().splitlines() == message().html.splitlines()
    [file] = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == (calendar.filename, "text/calendar")
    assert dict(file["Content-Type"].params)["method"] == "PUBLISH"
    assert file.get_payload(decode=True) == calendar.content


def test_long_vietnamese_headers_lose_no_space() -> None:
    long = (
        "Đôn đốc nộp hồ sơ  đề nghị công nhận “phát triển toàn diện”, năm 2021; A (B), tổ dân phố số 1 " * 3
    )
    mail = rendered(
        message("a" * 64 + "@mau.example", subject=long, from_name=long, to_name=long), SENDER
    ).as_bytes()
    assert read(mail)["Subject"] == long.strip()
    # The reader of Python 3.11 puts spaces between the words of a name, against RFC 2047 6.2.
    for header in ("From", "To"):
        name = message_from_bytes(mail)[header].rpartition("<")[0]
        assert str(make_header(decode_header(name))).strip() == long.strip()
    assert max(len(line) for line in mail.splitlines() if b"@mau" not in line) <= 78


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name", "message_id"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x0b"], ids=ascii)
def test_no_text_adds_a_header(field: str, end: str) -> None:
    evil = f"Nhac{end}Bcc: thief@mau.example{end}{end}body"
    told, plain = message(**{field: evil}), message()
    mail, usual = (read(rendered(each, SENDER).as_bytes()) for each in (told, plain))
    assert [part.keys() for part in mail.walk()] == [part.keys() for part in usual.walk()]
    if field == "subject":
        assert mail["Subject"] == "Nhac Bcc: thief@mau.example body"


@pytest.mark.parametrize("field", ["filename", "media_type"])
def test_no_attachment_adds_a_header(field: str) -> None:
    usual: dict[str, Any] = {"filename": "a.ics", "content": b"x", "media_type": "text/calendar"}
    evil = usual | {field: f"{usual[field]}\r\nBcc: thief@mau.example\r\n\r\nbody"}
    mails = [
        read(rendered(message(attachments=(Attachment(**each),)), SENDER).as_bytes())
        for each in (evil, usual)
    ]
    assert [part.keys() for part in mails[0].walk()] == [part.keys() for part in mails[1].walk()]


def test_same_message_is_the_same_bytes() -> None:
    assert rendered(message(), SENDER).as_bytes() == rendered(message(), SENDER).as_bytes()


@pytest.mark.parametrize(
    ("recipient", "headers", "name"),
    [
        pytest.param("../../x@mau.example", "", f"undated-.._.._x-{MARK}.eml", id="path"),
        pytest.param("không.dấu@mau.example", "", f"undated-không.dấu-{MARK}.eml", id="not-ascii"),
        pytest.param("a@mau.example", "Date: yesterday\r\n", f"undated-a-{MARK}.eml", id="no-date"),
        pytest.param(
            "a@mau.example",
            "Date: Wed, 17 Nov 2021 20:00:00 -0000\r\n",
            f"20211118-0300-a-{MARK}.eml",
            id="zone-left-open",
        ),
        pytest.param("x" * 200 + "@mau.example", "", f"undated-{'x' * 64}-{MARK}.eml", id="long"),
    ],
)
def test_strange_letter_stays_in_the_folder(tmp_path: Path, recipient: str, headers: str, name: str) -> None:
    folder = tmp_path / "letters"
    with Mailbox(folder) as mailbox, smtplib.SMTP(mailbox.host, mailbox.port, "mau.example") as client:
        content = f"{headers}Message-ID: <1@congnhan.example>\r\n\r\nx\r\n".encode()
        client.sendmail(SENDER, [recipient], content, mail_options=["SMTPUTF8"])
    assert names(folder) == [name]
    assert (folder / name).read_bytes() == content


def test_letter_that_cannot_be_kept_is_to_be_sent_again(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    with Mailbox(folder) as mailbox:
        folder.rmdir()
        [receipt] = deliver([message()], mailbox.server(SENDER))
    assert (receipt.outcome, receipt.code) == (Outcome.TRANSIENT, "451")


@pytest.mark.parametrize(
    "address", ["không@mau.example", "no at sign", "a@mau.example\r\nBcc: x@mau.example"]
)
def test_address_that_cannot_be_written_to_is_refused_for_good(tmp_path: Path, address: str) -> None:
    letters = [message(to_address=address), message(reply_to=address), message()]
    with Mailbox(tmp_path) as mailbox:
        receipts = list(deliver(letters, mailbox.server(SENDER)))
        assert len(mailbox.letters()) == 1
    assert [one.outcome for one in receipts] == [Outcome.PERMANENT, Outcome.PERMANENT, Outcome.ACCEPTED]


def test_letter_that_cannot_be_written_is_no_loss_to_the_others(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as mailbox:
        unwritable, empty = deliver([message(sent_at=None), message(text="")], mailbox.server(SENDER))
    assert unwritable == Receipt(Outcome.TRANSIENT, words="AttributeError")
    assert empty.outcome is Outcome.ACCEPTED


def test_two_mailboxes_take_different_ports(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as one, Mailbox(tmp_path) as other:
        assert one.port != other.port
        assert (one.host, one.server(SENDER).port) == ("127.0.0.1", one.port)


def test_mailbox_takes_the_port_it_is_given_or_says_that_it_is_taken(tmp_path: Path) -> None:
    with Mailbox(tmp_path) as first, pytest.raises(OSError, match="in use"), Mailbox(tmp_path, first.port):
        pass
    with Mailbox(tmp_path, first.port) as second:
        assert second.port == first.port


def test_mailbox_stops_cleanly_while_clients_are_still_connected(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with Mailbox(tmp_path) as mailbox:
            silent, writing = (smtplib.SMTP(mailbox.host, mailbox.port, "mau.example") for _ in range(2))
            writing.ehlo()
            codes = [writing.mail(SENDER)[0], writing.rcpt("a@mau.example")[0], writing.docmd("DATA")[0]]
            assert codes == [250, 250, 354]
            writing.send(b"Subject: half a letter\r\n")
        silent.close()
        writing.close()
        gc.collect()
    assert set(threading.enumerate()) == before
    assert [str(warning.message) for warning in warned] == []
    assert names(tmp_path) == []
