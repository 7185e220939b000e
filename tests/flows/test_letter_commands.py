"""What a clerk does about letters that have left, by command."""

import pytest

from config.settings import settings
from notifications.mailbox import Mailbox
from tests.imap import PASSWORD, USER, imap
from tests.notifications.test_bounces import HEADERS, ID, group, report, status
from tests.walking import Walk, begun, change, rows

WHEN = ("--now", "2021-11-16T09:00", "--by", "MẪU")


@pytest.fixture
def walk(database, tmp_path):
    """A campaign whose first reminder has gone to commune `a`."""
    with Mailbox(tmp_path / "mailbox") as mailbox:
        yield begun(tmp_path / "files", mailbox, then=("2021-11-16 07:30",))


def number(kind: str = "reminder") -> int:
    """Return the number of the first letter of a kind."""
    return rows("SELECT MIN(id) FROM letters WHERE kind = :kind", kind=kind)[0][0]


def entries(what: str) -> list[tuple]:
    return rows("SELECT done_by FROM journal WHERE what = :what", what=what)


def uncertain_over_zalo(walk: Walk) -> int:
    """Leave a letter as a sender over Zalo that died leaves it."""
    which = number()
    change("UPDATE letters SET state = 'uncertain', channel = 'zalo' WHERE id = :id", id=which)
    change("UPDATE notices SET state = 'queued', settled_at = NULL WHERE letter_id = :id", id=which)
    return which


def test_an_uncertain_letter_is_sent_by_command(walk, run):
    which = uncertain_over_zalo(walk)
    code, said, wrong = run("settle", which, "send", *WHEN)
    assert (code, wrong) == (0, "")
    assert said.startswith(f"Thư số {which} sẽ được gửi lại cho MẪU a")
    assert rows("SELECT state, repeats FROM letters WHERE id = :id", id=which) == [("queued", 1)]
    assert entries("letter_sent_again") == [("MẪU",)]


def test_an_uncertain_letter_is_dropped_by_command(walk, run):
    which = uncertain_over_zalo(walk)
    assert run("settle", which, "drop", *WHEN)[0] == 0
    assert rows("SELECT state FROM letters WHERE id = :id", id=which) == [("failed",)]
    assert rows("SELECT state FROM notices WHERE letter_id = :id", id=which) == [("failed",)]
    assert entries("letter_dropped") == [("MẪU",)]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("settle", "LETTER", "send"), 1, "chỉ xử lý được thư chưa rõ kết quả gửi", id="certain"),
        pytest.param(("settle", 999, "drop"), 1, "Không có thư số 999", id="unknown"),
        pytest.param(("settle", "LETTER", "burn"), 2, "", id="neither"),
        pytest.param(("settle", 0, "send"), 2, "", id="no-number"),
        pytest.param(("resend", 999), 1, "Không có thư số 999", id="resend-unknown"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(walk, run, arguments, code, words):
    before = rows("SELECT * FROM letters ORDER BY id"), rows("SELECT * FROM notices ORDER BY id")
    filled = [number() if each == "LETTER" else each for each in arguments]
    found, said, wrong = run(*filled, *WHEN)
    assert (found, said, wrong.count("\n")) == (code, "", 1)
    assert words in wrong
    assert (rows("SELECT * FROM letters ORDER BY id"), rows("SELECT * FROM notices ORDER BY id")) == before


def test_a_letter_is_resent_by_command_once_for_each_time_it_is_asked(walk, run):
    which = number()
    assert run("resend", which, *WHEN)[0] == 0
    assert run("resend", which, *WHEN)[0] == 0
    walk.deliver("2021-11-16 09:00")
    sent = [mail for mail in walk.mails() if "Nhắc hạn" in mail["Subject"]]
    to_a = [mail for mail in sent if mail["To"].addresses[0].username == "a"]
    assert len({mail["Message-ID"] for mail in to_a}) == 1
    assert [mail["X-Congnhan-Repeat"] for mail in to_a] == [None, "1", "1"]
    assert entries("letter_resent") == [("MẪU",)] * 2


def test_a_letter_to_somebody_who_has_left_is_not_resent(walk, run):
    change("UPDATE contacts SET left_at = '2021-11-16 00:00:00' WHERE code = 'a.1'")
    code, _, wrong = run("resend", number(), *WHEN)
    assert (code, "đã thôi đầu mối" in wrong) == (1, True)


def test_without_a_mailbox_for_what_comes_back_the_command_says_so(walk, run):
    code, _, wrong = run("bounces", "--now", "2021-11-16T09:00")
    assert (code, wrong) == (1, "Chưa khai báo hộp thư nhận báo lỗi (CONGNHAN_IMAP_HOST).\n")


def test_mail_that_came_back_is_read_by_command(walk, run, monkeypatch):
    which = number()
    name, address = rows("SELECT message_id, address FROM letters WHERE id = :id", id=which)[0]
    raw = report(status(group(whom=address)), HEADERS.replace(ID, name))
    with imap() as box:
        box.put(raw)
        for key, value in (
            ("HOST", "127.0.0.1"),
            ("PORT", str(box.port)),
            ("USER", USER),
            ("PASSWORD", PASSWORD),
            ("SECURITY", "none"),
        ):
            monkeypatch.setenv(f"CONGNHAN_IMAP_{key}", value)
        settings.cache_clear()
        code, said, _ = run("bounces", "--now", "2021-11-16T09:00")
        assert (code, said) == (0, "Đã đọc hộp thư nhận báo lỗi: 1 thư bị trả lại được ghi nhận.\n")
        assert box.unread() == 0
    assert rows("SELECT state, outcome_code FROM letters WHERE id = :id", id=which) == [("failed", "5.1.1")]


def test_a_code_to_link_zalo_is_made_by_command(walk, run):
    code, said, _ = run("link", walk.code, "a", "--name", "MẪU a", "--by", "MẪU")
    assert (code, said.startswith("Mã liên kết Zalo của MẪU a: ")) == (0, True)
    assert rows("SELECT COUNT(*), MIN(made_by) FROM link_codes") == [(1, "MẪU")]
    assert said.split(": ")[1][:8] not in str(rows("SELECT * FROM link_codes"))
    assert run("link", walk.code, "a", "--name", "MẪU nobody")[0] == 1
