"""Every deed by its command: done in one line, or refused in one that says what would be allowed."""

import sqlite3
from pathlib import Path

import pytest

from config.settings import settings
from flows.campaign import tick
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.handing_in import hand_in
from rules.work_items import ItemKind
from tests import factories
from tests.flows.test_console import one_line, state
from tests.walking import at

OPENED = "2021-11-11T07:30"
NOW = ("--now", "2021-11-15T09:00", "--by", "MẪU")
PAPER = ("--number", "7/CV", "--date", "2021-11-15")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a campaign in self-assessment; commune b has handed in."""
    folder = tmp_path_factory.mktemp("prepared")
    database = Database(f"sqlite:///{folder}/x.db")
    with using(database):
        database.migrate()
        with transaction() as session:
            open_campaign(session, factories.campaign(folder / "files"), at=at(OPENED), by="MẪU")
        tick(at(OPENED))
        now = at("2021-11-12T09:00")
        with transaction() as session:
            campaign = get_campaign(session, "mau-2021")
            hand_in(session, campaign, ItemKind.DOSSIER, "b", at=now, recorded_at=now, by=None)
    database.close()
    return folder / "x.db"


@pytest.fixture
def opened(prepared: Path, tmp_path: Path) -> str:
    """The code of that campaign, in a home of this test's own."""
    home = tmp_path / "data"
    home.mkdir()
    with sqlite3.connect(prepared) as source, sqlite3.connect(home / "congnhan.db") as copy:
        source.backup(copy)
    return "mau-2021"


DONE = {
    "return": (("return", "b", "--reason", "thiếu biên bản", "--reason", "chưa ký"), "returned"),
    "return-until": (("return", "b", "--reason", "chưa ký", "--until", "2021-11-24T17:00"), "returned"),
    "waive": (("waive", "a", "--reason", "mới sáp nhập"), "waived"),
    "request": (("request-extension", "a", "--reason", "lũ", "--until", "2021-11-26"), "extension_requested"),
    "extend": (("extend", "a", "--until", "2021-11-26", "--reason", "lũ", *PAPER), "extended"),
    "extend-within": (("extend", "a", "--within", "9", "--reason", "lũ", *PAPER), "extended"),
    "amend": (("amend", "--mode", "on_site", "--reason", "hết dịch", *PAPER), "amended"),
    "amend-due": (
        ("amend", "--due", "self_assessment=by: 2021-11-26", "--reason", "lũ", *PAPER),
        "amended",
    ),
    "suspend": (("suspend", "--reason", "lũ"), "suspended"),
    "cancel": (("cancel", "--reason", "lũ"), "cancelled"),
    "register": (("register", "--role", "urging", *PAPER), "paper_registered"),
    "correct": (("register", "--corrects", "3/CV-MẪU", *PAPER), "paper_registered"),
    "complain": (("complain", "a", "--subject", "điểm", "--within", "10"), "complaint"),
    "acknowledge": (("acknowledge", "a"), "acknowledged"),
    "replace": (
        ("replace-contact", "a", "MẪU a", "--name", "MẪU c", "--title", "chuyên viên"),
        "contact_replaced",
    ),
    "deputise": (
        ("deputise", "a", "MẪU a.head", "--from", "2021-11-22", "--deputy", "MẪU d", "--title", "Phó"),
        "deputised",
    ),
}


def command(run, code: str, words: tuple, *more: str):
    """Run a deed about a campaign; the code stands after the command's name."""
    return run(words[0], code, *words[1:], *more)


@pytest.mark.parametrize(("words", "entry"), DONE.values(), ids=DONE)
def test_a_deed_is_done_said_and_journaled(run, opened, words, entry):
    code, out, err = command(run, opened, words, *NOW)
    assert (code, err) == (0, "")
    assert one_line(out)
    entries = run("journal", opened, "--what", entry, "--json")[1]
    assert '"by": "MẪU"' in entries
    assert '"recorded_at": "2021-11-15T09:00:00+07:00"' in entries


def test_suspended_and_resumed_answered_and_held(run, opened):
    for words in (
        ("suspend", "--reason", "lũ"),
        ("resume",),
        ("complain", "a", "--subject", "điểm"),
        ("answer", "complaint/a.1", "--number", "9/CV"),
        ("request-extension", "a", "--reason", "lũ"),
        ("refuse-extension", "a", "--reason", "đủ thời gian"),
    ):
        assert command(run, opened, words, *NOW)[0] == 0
    run("tick", "--now", "2021-11-22T08:30")
    late = ("--now", "2021-11-22T09:00")
    for words in (("annotate", "a", "--note", "lũ"), ("hold", "--unit", "a", "--reason", "lũ"), ("release",)):
        code, out, err = command(run, opened, words, *late)
        assert (code, err) == (0, "")
        assert "1" in out


def test_the_directory_is_brought_up_to_date_from_a_file(run, opened, tmp_path):
    of_units = factories.units()
    of_units[-1]["contacts"].append(factories.contact("third", "officer"))
    units = factories.write_campaign(tmp_path / "new", of_units=of_units).with_name("units.yaml")
    code, out, _ = run("directory", opened, units, *NOW)
    assert code == 0
    assert "thêm 1 người" in out


REFUSED = {
    "return": (("return", "a", "--reason", "x"), "hồ sơ đang chờ"),
    "submit": (("submit", "b"), "đã thực hiện"),
    "waive": (("waive", "z", "--reason", "x"), "a, b"),
    "extend": (("extend", "a", "--until", "2021-11-18", "--reason", "x", *PAPER), "19/11/2021 17:00"),
    "refuse": (("refuse-extension", "a", "--reason", "x"), "không có đề nghị"),
    "amend": (("amend", "--mode", "dossier", "--reason", "x", *PAPER), "không đổi"),
    "resume": (("resume",), "không tạm dừng"),
    "review": (("review", "x"), "thẩm định, tổng hợp"),
    "conclude": (("conclude",), "tổng hợp"),
    "hold": (("hold", "--reason", "x"), "Không có nội dung"),
    "revoke": (("register", "--revokes", "0/QĐ", *PAPER), "3/CV-MẪU"),
    "answer": (("answer", "complaint/a.1"), "complaint/a.1"),
    "person": (("replace-contact", "a", "nobody", "--name", "c", "--title", "t"), "MẪU a, MẪU a.head"),
    "future": (("waive", "a", "--reason", "x", "--at", "2031-01-01T00:00"), "--at"),
}


def test_a_refused_deed_says_in_one_line_what_would_be_allowed(run, opened, tmp_path):
    before = state(tmp_path)
    for name, (words, allowed) in REFUSED.items():
        code, out, err = command(run, opened, words, *NOW)
        assert (name, code, out) == (name, 1, "")
        assert allowed in one_line(err), name
    assert state(tmp_path) == before


MISUSED = {
    "two-terms": ("return", "b", "--reason", "x", "--until", "2021-11-24", "--within", "3"),
    "no-term": ("extend", "a", "--reason", "x", *PAPER),
    "no-reason": ("waive", "a"),
    "no-unit": ("waive", "--reason", "x"),
    "bad-day": ("extend", "a", "--until", "24/11", "--reason", "x", *PAPER),
    "bad-due": ("amend", "--due", "nowhere=soon", "--reason", "x", *PAPER),
    "no-role": ("register", *PAPER),
    "two-changes": ("register", "--corrects", "1", "--revokes", "2", *PAPER),
    "bad-mode": ("amend", "--mode", "dream", "--reason", "x", *PAPER),
}


def test_bad_usage_ends_with_two_and_one_line(run, opened, tmp_path):
    before = state(tmp_path)
    for name, words in MISUSED.items():
        code, out, err = command(run, opened, words, *NOW)
        assert (name, code, out) == (name, 2, "")
        assert one_line(err)
    assert state(tmp_path) == before


def test_a_simulated_clock_is_refused_with_a_real_mail_server(run, opened, monkeypatch):
    monkeypatch.setenv("CONGNHAN_SMTP_HOST", "127.0.0.1")
    settings.cache_clear()
    code, _, err = command(run, opened, ("waive", "a", "--reason", "x"), *NOW)
    assert code == 1
    assert "--force" in err
