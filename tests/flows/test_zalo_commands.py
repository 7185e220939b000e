"""The commands for the official account's tokens: what they print, what they refuse, what they never show."""

import io
import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from prefect.logging import disable_run_logger

from config.settings import settings
from flows.engine import refresh_zalo_tokens
from models.sealing import Seal, new_key
from notifications.zalo.fake import FakeZalo
from notifications.zalo.oauth import challenge, new_verifier

CALLBACK = "https://mau.example/zalo"
VERIFIER = new_verifier()
KEY = new_key()


@pytest.fixture
def zalo() -> Iterator[FakeZalo]:
    with FakeZalo() as fake:
        yield fake


@pytest.fixture
def set_up(zalo, monkeypatch):
    """An account in the settings; returns what sets a further variable of them."""

    def variable(name: str, value: str) -> None:
        monkeypatch.setenv(f"CONGNHAN_{name}", value)
        settings.cache_clear()

    variable("ZALO_APP_ID", zalo.app_id)
    variable("ZALO_OA_ID", zalo.oa_id)
    variable("ZALO_APP_SECRET", zalo.app_secret)
    variable("ZALO_OAUTH_URL", zalo.addresses.oauth)
    variable("ZALO_CALLBACK_URL", CALLBACK)
    variable("ZALO_CODE_VERIFIER", VERIFIER)
    variable("SECRET_KEY", KEY)
    return variable


@pytest.fixture
def typed(monkeypatch):
    """Return what puts text on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.fixture
def seeded(run, set_up, zalo, typed, database) -> tuple[str, str]:
    """A pair from the console, kept."""
    pair = zalo.pair()
    typed("\n".join(pair))
    assert run("zalo", "seed")[0] == 0
    return pair


def standing(run) -> dict:
    code, out, err = run("zalo", "status", "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def one_line(words: str) -> str:
    assert len(words.strip().splitlines()) == 1, words
    return words


def test_a_key_is_one_that_seals(run):
    code, out, err = run("zalo", "key")
    assert (code, err) == (0, "")
    assert Seal(out.strip()).opened(Seal(out.strip()).sealed("x")) == "x"
    assert run("zalo", "key")[1] != out


def test_a_verifier_is_made_too(run):
    out = run("zalo", "key", "--verifier")[1].strip()
    assert (len(out), len(challenge(out))) == (43, 43)


@pytest.mark.parametrize(
    "command", [("consent",), ("exchange", "abcdefgh"), ("seed",), ("status",), ("refresh",)]
)
def test_without_an_account_each_command_is_refused(run, database, typed, command):
    typed("AAAA RRRR")
    code, out, err = run("zalo", *command)
    assert (code, out) == (1, "")
    assert "CONGNHAN_ZALO_APP_ID" in one_line(err)


def test_the_link_to_consent_is_printed_with_the_challenge(run, set_up, zalo):
    code, out, err = run("zalo", "consent")
    assert (code, err) == (0, "")
    link = next(line for line in out.splitlines() if line.startswith("http"))
    assert parse_qs(urlsplit(link).query) == {
        "app_id": [zalo.app_id],
        "redirect_uri": [CALLBACK],
        "code_challenge": [challenge(VERIFIER)],
    }
    assert VERIFIER not in out


@pytest.mark.parametrize("name", ["ZALO_CALLBACK_URL", "ZALO_CODE_VERIFIER"])
def test_consent_says_which_setting_it_lacks(run, set_up, name):
    set_up(name, "")
    code, _, err = run("zalo", "consent")
    assert (code, f"CONGNHAN_{name}" in one_line(err)) == (1, True)


def test_a_verifier_that_is_none_is_refused_before_the_code_is_spent(run, set_up, zalo, database):
    set_up("ZALO_CODE_VERIFIER", "short")
    for command in (("consent",), ("exchange", "abcdefgh")):
        code, _, err = run("zalo", *command)
        assert (code, "CONGNHAN_ZALO_CODE_VERIFIER" in one_line(err)) == (1, True)
    assert zalo.calls == []


def test_a_consent_is_exchanged_kept_and_renewed(run, set_up, zalo, database):
    assert standing(run) == {"oa_id": zalo.oa_id, "state": None, "log": []}
    code = zalo.authorization_code(challenge(VERIFIER))
    ended, out, err = run("zalo", "exchange", f"{CALLBACK}?code={code}&oa_id={zalo.oa_id}")
    assert (ended, zalo.oa_id in one_line(out), err) == (0, True, "")
    shown = standing(run)
    assert (shown["state"], shown["key_opens"], shown["tries"]) == ("working", True, 0)
    assert [line["what"] for line in shown["log"]] == ["consented"]
    assert run("zalo", "refresh")[0] == 0
    assert [line["what"] for line in standing(run)["log"]] == ["refreshed", "refresh_started", "consented"]


def test_a_code_of_another_account_is_not_handed_in(run, set_up, zalo, database):
    code, _, err = run("zalo", "exchange", f"{CALLBACK}?code=abcdefgh&oa_id=7")
    assert (code, zalo.calls) == (1, [])
    assert "CONGNHAN_ZALO_OA_ID" in one_line(err)


def test_a_code_that_zalo_refuses_is_said_in_one_line(run, set_up, zalo, database):
    code, out, err = run("zalo", "exchange", "no-such-code")
    assert (code, out) == (1, "")
    assert "congnhan zalo consent" in one_line(err)
    assert "no-such-code" not in err


def test_a_pair_from_the_console_is_renewed_at_the_next_run(run, seeded, zalo):
    shown = standing(run)
    assert (shown["state"], shown["expires_at"], shown["is_usable"]) == ("working", None, True)
    assert run("zalo", "refresh")[0] == 0
    assert standing(run)["expires_at"] is not None


@pytest.mark.parametrize("text", ["", "only-one", "three of them"])
def test_what_is_no_pair_is_not_kept(run, set_up, zalo, database, typed, text):
    typed(text)
    code, _, err = run("zalo", "seed")
    assert code == 1
    one_line(err)
    assert standing(run)["state"] is None


def test_the_standing_is_told_a_person_in_vietnamese(run, set_up, zalo, database, typed):
    access, renewing = zalo.pair()
    typed(json.dumps({"access_token": access, "refresh_token": renewing, "expires_in": "90000"}))
    run("zalo", "seed")
    code, out, err = run("zalo", "status")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"OA {zalo.oa_id}: đang dùng được."
    assert [line.split("  ")[1] for line in out.splitlines() if "  " in line] == ["được cấp quyền"]


def test_a_renewal_without_an_answer_is_told_a_person(run, set_up, zalo, database, typed):
    access, renewing = zalo.pair()
    typed(json.dumps({"access_token": access, "refresh_token": renewing, "expires_in": "90000"}))
    run("zalo", "seed")
    zalo.faults.oauth_html()
    code, _, err = run("zalo", "refresh")
    assert (code, "HTTP 504" in one_line(err)) == (1, True)
    lines = run("zalo", "status", "--now", "2099-01-01T08:00")[1].splitlines()
    assert [line.partition(" ")[0] for line in lines[:6]] == ["OA", "Lần", "Một", "Cặp", "Mã", "Nếu"]
    assert "HTTP 504" in lines[1]
    assert "(lần thử 1/3)" in lines[2]
    assert "đã hết hạn" in lines[4]
    log = ["chưa gia hạn được: ", "bắt đầu gia hạn", "được cấp quyền"]
    assert [line.split("  ")[1].startswith(what) for line, what in zip(lines[6:], log, strict=True)] == [
        True
    ] * 3


def test_a_spent_token_is_told_with_what_to_do(run, seeded, zalo):
    zalo.faults.oauth_lost()
    assert run("zalo", "refresh")[0] == 1
    code, _, err = run("zalo", "refresh")
    assert (code, "congnhan zalo consent" in one_line(err)) == (1, True)
    shown = run("zalo", "status")[1]
    assert "cần quản trị viên OA cấp quyền lại" in shown.splitlines()[0]
    assert (standing(run)["state"], standing(run)["reason"]) == ("needs_consent", "spent")


def test_zalo_out_of_reach_is_told_and_nothing_is_lost(run, set_up, seeded):
    set_up("ZALO_OAUTH_URL", "http://127.0.0.1:1")
    code, _, err = run("zalo", "refresh")
    assert code == 1
    one_line(err)
    assert (standing(run)["state"], standing(run)["begun_at"]) == ("working", None)


def test_a_wrong_key_is_one_clear_line(run, set_up, seeded, zalo):
    set_up("SECRET_KEY", new_key())
    code, out, err = run("zalo", "refresh")
    assert (code, out) == (1, "")
    assert "CONGNHAN_SECRET_KEY" in one_line(err)
    assert standing(run)["key_opens"] is False
    assert "CONGNHAN_SECRET_KEY" in run("zalo", "status")[1]


def test_a_key_that_is_none_is_one_clear_line(run, set_up, seeded):
    set_up("SECRET_KEY", "a passphrase")
    code, _, err = run("zalo", "refresh")
    assert (code, "congnhan zalo key" in one_line(err), "passphrase" in err) == (1, True, False)


def test_the_key_may_be_changed_with_the_old_one_behind_it(run, set_up, seeded):
    new = new_key()
    set_up("SECRET_KEY", f"{new},{KEY}")
    assert run("zalo", "refresh")[0] == 0
    set_up("SECRET_KEY", new)
    assert run("zalo", "refresh")[0] == 0


def run_scheduled() -> str:
    """Run what Prefect runs each hour, without a server of it."""
    with disable_run_logger():
        return refresh_zalo_tokens.fn()


def test_the_hourly_run_does_nothing_without_an_account(database):
    assert run_scheduled() == "no official account is set up"


def test_the_hourly_run_renews_what_is_due_and_only_that(set_up, seeded):
    assert (run_scheduled(), run_scheduled()) == ("renewed", "not_due")


def test_the_hourly_run_says_why_it_could_not(set_up, seeded):
    set_up("ZALO_OAUTH_URL", "http://127.0.0.1:1")
    assert run_scheduled() == "put_off not_reached: ConnectError"


def test_the_hourly_run_fails_while_somebody_has_to_consent(set_up, database):
    with pytest.raises(RuntimeError, match=r"has to consent: no_pair$"):
        run_scheduled()


def test_no_command_prints_a_secret(run, set_up, seeded, zalo):
    said = []
    for fault in (None, zalo.faults.oauth_html, zalo.faults.oauth_lost, None):
        if fault is not None:
            fault()
        for command in (
            ("refresh",),
            ("status",),
            ("status", "--json"),
            ("consent",),
            ("exchange", "no-such-code"),
        ):
            said += run("zalo", *command)[1:]
    told = "".join(said)
    assert zalo.app_id in told
    secrets = [*seeded, zalo.app_secret, KEY, VERIFIER]
    assert [secret for secret in secrets if secret in told] == []
