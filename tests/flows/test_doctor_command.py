"""`congnhan doctor` names what is set up wrongly or open, and never a secret."""

import json
import socket
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Debugging
from aiosmtpd.smtp import AuthResult

from config.settings import settings
from models.database import transaction
from models.pulses import TICK, beat
from notifications.mailbox import Mailbox
from tests.walking import change, rows


@pytest.fixture
def examine(run, monkeypatch):
    def examined(**more: str) -> tuple[int, dict[str, list[tuple[str, str]]], str]:
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        code, out, err = run("doctor", "--json")
        found: dict[str, list[tuple[str, str]]] = {}
        for each in json.loads(out):
            found.setdefault(each["part"], []).append((each["health"], each["text"]))
        return code, found, out + err

    return examined


def test_a_new_installation_has_notes_and_nothing_bad(examine):
    code, found, _ = examine()
    assert code == 0
    assert [health for health, _ in found["database"]] == ["well"]
    assert [health for health, _ in found["mail"]] == ["note"]
    assert "0 đợt" in found["work"][0][1]


def test_a_campaign_for_which_nothing_has_ticked_is_bad(examine, opened):
    code, found, _ = examine()
    assert code == 1
    assert any(health == "bad" and "congnhan tick" in text for health, text in found["work"])


def test_an_older_database_is_told_and_left_as_it_is(examine, opened):
    change("UPDATE alembic_version SET version_num = '0005'")
    code, found, _ = examine()
    assert (code, [health for health, _ in found["database"]]) == (1, ["bad"])
    assert "work" not in found
    assert rows("SELECT version_num FROM alembic_version") == [("0005",)]


def test_a_year_that_waits_for_its_decree_is_a_note(examine, opened, run):
    run("tick", "--now", "2021-11-11T07:30")
    change("UPDATE deadline_steps SET fires_at = :at", at="2099-03-01 01:30:00+00:00")
    with transaction() as session:
        beat(session, TICK, at=datetime.now(UTC))
    change("UPDATE letters SET state = 'sent'")
    _, found, _ = examine()
    assert ("note", True) in [(health, "2099" in text) for health, text in found["work"]], found["work"]


def test_a_mail_server_that_is_away_is_bad(examine):
    code, found, _ = examine(CONGNHAN_SMTP_HOST="127.0.0.1", CONGNHAN_SMTP_PORT="1")
    assert code == 1
    assert found["mail"][0][0] == "bad"
    assert "127.0.0.1:1" in found["mail"][0][1]


def test_a_mail_server_that_answers_is_well_but_the_made_up_sender_is_not(examine, tmp_path):
    with Mailbox(tmp_path / "mail") as mailbox:
        code, found, _ = examine(
            CONGNHAN_SMTP_HOST="127.0.0.1",
            CONGNHAN_SMTP_PORT=str(mailbox.port),
            CONGNHAN_SMTP_SECURITY="none",
        )
        assert mailbox.letters() == []
    assert code == 1
    assert [health for health, _ in found["mail"]] == ["well", "bad"]


def test_a_password_that_is_refused_is_bad_and_not_repeated(examine):
    class NoSuchUser:
        def __call__(self, *_: object) -> AuthResult:
            return AuthResult(success=False, handled=False)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(
        Debugging(),
        hostname="127.0.0.1",
        port=port,
        authenticator=NoSuchUser(),
        auth_require_tls=False,
    )
    server.start()
    try:
        code, found, said = examine(
            CONGNHAN_SMTP_HOST="127.0.0.1",
            CONGNHAN_SMTP_PORT=str(port),
            CONGNHAN_SMTP_SECURITY="none",
            CONGNHAN_SMTP_USER="ai",
            CONGNHAN_SMTP_PASSWORD="mat-khau-thu",
        )
    finally:
        server.stop()
    assert (code, found["mail"][0][0]) == (1, "bad")
    assert "mat-khau-thu" not in said


def test_a_mailbox_for_returned_mail_that_is_away_is_bad(examine):
    _, found, _ = examine(
        CONGNHAN_IMAP_HOST="127.0.0.1",
        CONGNHAN_IMAP_PORT="1",
        CONGNHAN_IMAP_USER="ai",
        CONGNHAN_IMAP_PASSWORD="mat-khau-imap",
    )
    assert [health for health, _ in found["returned"]] == ["bad"]


def test_data_that_others_of_the_machine_may_read_is_pointed_out(examine):
    code, found, _ = examine()
    assert "open" not in found  # it makes its home for itself alone
    settings().home.chmod(0o755)
    code, found, _ = examine()
    assert (code, [health for health, _ in found["open"]]) == (0, ["note"])


@pytest.mark.parametrize(("status", "health"), [("ONLINE", "well"), ("OFFLINE", "bad")])
def test_an_engine_without_a_worker_is_bad(examine, status, health):
    class Engine(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            content = json.dumps([{"name": "MẪU", "status": status}]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        _, found, _ = examine(PREFECT_API_URL=f"http://127.0.0.1:{server.server_port}/api")
        server.shutdown()
    assert [each for each, _ in found["engine"]] == ["well", health]


@pytest.mark.parametrize(
    "more",
    [
        {"PREFECT_API_URL": "http://10.0.0.5:4200/api", "PREFECT_SERVER_API_HOST": "0.0.0.0"},
        {"CONGNHAN_PORTAL_URL": "http://congnhan.mau.example"},
        {"CONGNHAN_PORTAL_URL": "https://congnhan.mau.example"},  # with the letters in the mailbox
    ],
)
def test_what_anybody_could_use_is_bad(examine, more):
    code, found, _ = examine(**({"PREFECT_API_URL": "http://127.0.0.1:1/api"} | more))
    assert code == 1
    assert [health for health, _ in found["open"]].count("bad") >= 1


def test_a_password_on_the_engine_closes_it(examine):
    _, found, _ = examine(
        PREFECT_API_URL="http://127.0.0.1:1/api",
        PREFECT_SERVER_API_HOST="0.0.0.0",
        CONGNHAN_PREFECT_AUTH="truc:mat-khau",
    )
    assert "open" not in found


def test_no_secret_is_printed(examine):
    _, _, said = examine(
        CONGNHAN_DATABASE_URL="postgresql://ai:mat-khau-csdl@127.0.0.1:1/x",
        CONGNHAN_SMTP_HOST="127.0.0.1",
        CONGNHAN_SMTP_PORT="1",
        CONGNHAN_SMTP_PASSWORD="mat-khau-thu",
        CONGNHAN_PREFECT_AUTH="truc:mat-khau-engine",
        CONGNHAN_DEADMAN_URL="http://127.0.0.1:1/ma-bi-mat",
    )
    for secret in ("mat-khau-csdl", "mat-khau-thu", "mat-khau-engine", "ma-bi-mat"):
        assert secret not in said


def test_a_variable_that_cannot_be_read_is_the_first_finding(examine):
    code, found, _ = examine(CONGNHAN_SMTP_PORT="nhiều")
    assert code == 1
    assert list(found) == ["settings"]
    assert "CONGNHAN_SMTP_PORT" in found["settings"][0][1]
