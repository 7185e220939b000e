"""The watchdog writes to the operator itself, once, again after a day, and when all is well again."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller

from config.calendars import office_calendar_text
from config.script_file import Verb
from config.settings import settings
from flows.delivery import deliver_letters
from flows.watch_command import Looker
from flows.watchdog import Watched, watch
from models import watching
from models.database import Database, DatabaseIsNewer, transaction, using
from models.metrics import figures
from models.pulses import TICK, beat
from notifications.email import MailServer
from notifications.mailbox import Mailbox
from tests.walking import Walk, at, begin, change, rows


@contextmanager
def server_that_is_busy() -> Iterator[int]:
    """A mail server that asks everybody to come again later; yields its port."""

    class Busy:
        async def handle_DATA(self, *_: object) -> str:
            return "451 4.3.2 come again later"

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Busy(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield port
    finally:
        server.stop()


SILENT = "2021-11-16 10:00"


@pytest.fixture
def walk(database, tmp_path) -> Iterator[Walk]:
    """A campaign whose tick last ended at eight, two hours of the window ago."""
    with Mailbox(tmp_path / "mail") as mailbox:
        walk = begin(tmp_path / "files", mailbox)
        walk.visit("2021-11-16 07:30")
        with transaction() as session:
            beat(session, TICK, at=at("2021-11-16 08:00"))
        yield walk


def alarms() -> list[tuple[str, str, str]]:
    """To whom the watchdog wrote, under which subject and with which text."""
    found = []
    for path in sorted((settings().home / "mailbox").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=default)
        found.append((str(mail["To"]), str(mail["Subject"]), mail.get_body(("plain",)).get_content()))
    return found


def test_it_writes_once_whoever_looks_again_after_a_day_and_when_it_is_over(walk, monkeypatch):
    monkeypatch.setenv("CONGNHAN_ALARM_TO", "truc@mau.example")
    settings.cache_clear()
    assert watch(at(SILENT)).told == 1
    assert watch(at("2021-11-16 10:05")).told == 0
    ((to, subject, text),) = alarms()
    assert "truc@mau.example" in to
    assert subject == "[Cảnh báo] Từ 16/11/2021 08:00 chưa có nhịp xử lý nào hoàn thành"
    assert "congnhan tick" in text
    assert watch(at("2021-11-17 10:00")).told == 1
    with transaction() as session:
        beat(session, TICK, at=at("2021-11-17 10:01"))
    over = watch(at("2021-11-17 10:05"))
    assert (over.wrong, over.told) == ((), 1)
    assert any("trở lại bình thường" in subject for _, subject, _ in alarms())
    assert watch(at("2021-11-17 10:10")).told == 0
    assert len(alarms()) == 3


def test_two_that_look_at_once_write_once(walk, database):
    together = threading.Barrier(2)

    def look() -> None:
        with using(database):
            together.wait()
            watch(at(SILENT))

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for each in lookers:
        each.start()
    for each in lookers:
        each.join()
    assert len(alarms()) == 1


def test_a_campaign_that_cannot_be_read_is_told_and_hides_no_other(walk):
    change("UPDATE campaigns SET files = '{}', files_hash = 'x'")
    (wrong,) = watch(at(SILENT)).wrong
    assert "mau-2021" in wrong
    assert "không đọc được" in wrong


def test_a_year_decreed_after_the_opening_is_no_longer_told(walk, monkeypatch):
    with transaction() as session:
        beat(session, TICK, at=at("2021-11-16 09:59"))
    change("UPDATE deadline_steps SET fires_at = :at WHERE step = 'after:3'", at="2027-03-01 01:30:00+00:00")
    (computed,) = watch(at(SILENT)).wrong
    assert "2027" in computed
    table = office_calendar_text().replace("2026]", "2026, 2027]")
    monkeypatch.setattr(watching, "office_calendar_text", lambda: table)
    assert watch(at("2021-11-16 10:05")).wrong == ()


def test_it_uses_no_queue_of_the_campaigns(walk):
    before = rows("SELECT COUNT(*) FROM letters")
    watch(at(SILENT))
    assert rows("SELECT COUNT(*) FROM letters") == before
    # With nobody named it writes to the standing office's officers.
    assert "standing@mau.example" in alarms()[0][0]


def test_what_nobody_could_be_told_is_told_at_the_next_look(walk, monkeypatch):
    monkeypatch.setenv("CONGNHAN_ALARM_TO", "truc@mau.example")
    monkeypatch.setenv("CONGNHAN_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("CONGNHAN_SMTP_PORT", "1")
    monkeypatch.setenv("CONGNHAN_SMTP_SECURITY", "none")
    settings.cache_clear()
    failed = watch(at(SILENT))
    assert (failed.told, failed.is_told) == (0, False)
    monkeypatch.delenv("CONGNHAN_SMTP_HOST")
    settings.cache_clear()
    assert watch(at("2021-11-16 10:05")).told == 1


def test_a_watchdog_that_dies_over_its_letter_tells_at_the_next_look(walk, monkeypatch):
    def dies(*_: object, **__: object) -> list[str]:
        raise RuntimeError("MẪU")

    with monkeypatch.context() as broken:
        broken.setattr("flows.watchdog.send_alarm", dies)
        with pytest.raises(RuntimeError):
            watch(at(SILENT))
    assert watch(at("2021-11-16 10:05")).told == 1


def test_letters_that_wait_a_lost_consent_and_a_held_channel_are_seen(walk):
    with transaction() as session:
        beat(session, TICK, at=at("2021-11-16 09:59"))
    change("UPDATE letters SET state = 'queued', not_before = :at", at="2021-11-16 00:30:00+00:00")
    wrong = watch(at(SILENT)).wrong
    assert len(wrong) == 1
    assert "mau-2021" in wrong[0]


def test_letters_that_a_server_keeps_putting_off_wait_from_their_first_try(walk):
    walk.do(Verb.SUBMIT, "2021-11-16 08:00", "a")  # its receipt is to leave at once
    walk.tick("2021-11-16 08:00")
    with server_that_is_busy() as port:
        server = MailServer("127.0.0.1", port, "office@mau.example", security="none")
        for moment in ("08:00", "08:02", "08:08", "08:24", "09:25"):
            deliver_letters(at(f"2021-11-16 {moment}"), server)
    ((state, tries),) = rows("SELECT state, attempts FROM letters WHERE kind = 'receipt'")
    assert (state, tries) == ("queued", 5)
    with transaction() as session:
        beat(session, TICK, at=at("2021-11-16 09:29"))
    (wrong,) = watch(at("2021-11-16 09:30")).wrong
    assert "1 thư" in wrong
    assert "08:00" in wrong
    with transaction() as session:
        (since,) = figures(session, now=at("2021-11-16 09:30")).ready_since.values()
    assert since == at("2021-11-16 08:00")


@pytest.mark.parametrize(
    ("state", "channel", "waits"),
    [
        ("uncertain", "email", True),  # it goes again by itself
        ("uncertain", "zalo", False),  # that is for a person, who was told
        ("sending", "email", True),  # its sender died
        ("sent", "email", False),
    ],
)
def test_what_is_in_nobodys_hands_waits_too(walk, state, channel, waits):
    with transaction() as session:
        beat(session, TICK, at=at("2021-11-16 09:59"))
    change(
        "UPDATE letters SET state = :state, channel = :channel, lease_until = :at, not_before = :at",
        state=state,
        channel=channel,
        at="2021-11-16 00:30:00+00:00",
    )
    change("DELETE FROM tries")
    assert bool(watch(at(SILENT)).wrong) is waits


def test_the_dead_mans_switch_hears_of_it_only_while_all_goes_well(walk, monkeypatch):
    heard = []

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Switch) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CONGNHAN_DEADMAN_URL", f"http://127.0.0.1:{server.server_port}/con-song")
        settings.cache_clear()
        watch(at("2021-11-16 08:30"))
        assert heard == ["/con-song"]
        monkeypatch.setenv("CONGNHAN_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("CONGNHAN_SMTP_PORT", "1")
        settings.cache_clear()
        watch(at(SILENT))
        assert heard == ["/con-song"]
        server.shutdown()


def test_a_database_that_is_away_is_told_once_an_hour(tmp_path, monkeypatch):
    monkeypatch.setenv("CONGNHAN_ALARM_TO", "truc@mau.example")
    settings.cache_clear()
    looker = Looker(lambda: watch(at(SILENT)))
    with using(Database("postgresql+psycopg://nobody@127.0.0.1:1/none")):
        assert looker.once() is False
        assert looker.once() is False
    assert len(alarms()) == 1
    assert "cơ sở dữ liệu" in alarms()[0][2]


def test_an_older_watchdog_ends_where_a_newer_program_has_been(database):
    def look() -> Watched:
        raise DatabaseIsNewer("9999")

    with pytest.raises(DatabaseIsNewer):
        Looker(look).once()


def test_watch_once_says_what_is_wrong(run, opened):
    code, out, err = run("watch", "--once", "--now", "2021-11-11T08:00")
    assert (code, err) == (0, "")
    assert "Không có gì bất thường" in out
    code, out, _ = run("watch", "--once", "--now", "2021-11-12T10:00", "--json")
    assert code == 0
    assert "nhịp xử lý" in out
