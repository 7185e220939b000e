"""The exchange of codes and refresh tokens: what each answer of Zalo means, and what is never told."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from notifications.zalo.fake import FakeZalo
from notifications.zalo.oauth import (
    AppRefused,
    CodeProblem,
    Lost,
    NotACallback,
    NotReached,
    OAuth,
    Refused,
    VerifierUnusable,
    authorization_code,
    challenge,
    new_verifier,
)
from notifications.zalo.platform import ZaloAddresses, ZaloApp
from rules.tokens import Pair

OURS = "2000000000000000002"
CALLBACK = "https://mau.example/zalo/callback?x=1"
# The example of RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
GOOD = b'{"access_token":"AAA","refresh_token":"RRR","expires_in":"90000"}'
BARE = b'{"access_token":"AAA","refresh_token":"RRR"}'


@pytest.fixture
def zalo() -> Iterator[FakeZalo]:
    with FakeZalo() as fake:
        yield fake


@pytest.fixture
def oauth(zalo: FakeZalo) -> OAuth:
    return OAuth(zalo.addresses, ZaloApp(zalo.app_id, zalo.oa_id, zalo.app_secret), timeout=5)


@pytest.fixture
def answering() -> Iterator[Callable[..., OAuth]]:
    """Return what starts a server on loopback that answers everything so, and an OAuth that asks it."""
    servers: list[HTTPServer] = []

    def start(status: int, body: bytes, *, timeout: float = 5, secret: str = "app-secret-mau") -> OAuth:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                else:
                    released.wait(30)

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{servers[-1].server_port}"
        return OAuth(ZaloAddresses(oauth=address), ZaloApp("1", OURS, secret), timeout=timeout)

    released = threading.Event()
    yield start
    released.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def pair_of(zalo: FakeZalo) -> Pair:
    return Pair(*zalo.pair())


def test_the_challenge_is_that_of_the_standard():
    assert challenge(VERIFIER) == CHALLENGE


def test_a_new_verifier_has_43_characters_and_is_usable():
    first, second = new_verifier(), new_verifier()
    assert (len(first), len(second), first == second) == (43, 43, False)
    assert len(challenge(first)) == 43


@pytest.mark.parametrize("verifier", ["", "x" * 42, "x" * 129, "x" * 42 + "ế", "x" * 42 + "+"])
def test_a_verifier_that_is_none_is_refused(verifier):
    with pytest.raises(VerifierUnusable):
        challenge(verifier)


def test_the_link_to_consent_names_application_callback_and_challenge(oauth, zalo):
    link = urlsplit(oauth.consent_link(CALLBACK, VERIFIER))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{zalo.addresses.oauth}/v4/oa/permission"
    assert parse_qs(link.query) == {
        "app_id": [zalo.app_id],
        "redirect_uri": [CALLBACK],
        "code_challenge": [CHALLENGE],
    }


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param(f"https://mau.example/cb?code=abc-DEF_123%2B=&oa_id={OURS}", id="address"),
        pytest.param(f"  'http://localhost:1/cb?oa_id={OURS}&code=abc-DEF_123%2B=&state=1'\n", id="quoted"),
        pytest.param("https://mau.example/cb?code=abc-DEF_123%2B=", id="no-account"),
        pytest.param(f"code=abc-DEF_123%2B=&oa_id={OURS}", id="only-query"),
        pytest.param(f"?code=abc-DEF_123%2B=&oa_id={OURS}", id="with-question-mark"),
        pytest.param("abc-DEF_123+=", id="bare"),
        pytest.param(" abc-DEF_123+= ", id="bare-with-blanks"),
    ],
)
def test_a_code_is_found_in_what_was_pasted(pasted):
    assert authorization_code(pasted, oa_id=OURS) == "abc-DEF_123+="


@pytest.mark.parametrize(
    ("pasted", "problem"),
    [
        ("", CodeProblem.NOT_A_CODE),
        ("abc", CodeProblem.NOT_A_CODE),
        ("mã cấp quyền", CodeProblem.NOT_A_CODE),
        ("https://mau.example/cb?code=a%20b%20c%20d%20e", CodeProblem.NOT_A_CODE),
        ("https://mau.example/cb", CodeProblem.NO_CODE),
        ("https://mau.example/cb?code=", CodeProblem.NO_CODE),
        ("http://[mau/cb?code=abcdefgh", CodeProblem.NO_CODE),
        (f"https://mau.example/cb?oa_id={OURS}", CodeProblem.NO_CODE),
        ("https://mau.example/cb?code=abcdefgh&oa_id=7", CodeProblem.OTHER_ACCOUNT),
        ("https://oauth.example/v4/oa/permission?app_id=1&code_challenge=x", CodeProblem.STILL_THE_LINK),
        ("https://oauth.example/v4/permission/error?error_code=-14003", CodeProblem.DECLINED),
    ],
)
def test_what_holds_no_code_is_refused_with_the_reason_and_not_quoted(pasted, problem):
    with pytest.raises(NotACallback) as refused:
        authorization_code(pasted, oa_id=OURS)
    assert (refused.value.problem, str(refused.value)) == (problem, problem.value)


def test_a_code_is_exchanged_with_its_verifier_for_a_pair_that_works(oauth, zalo):
    code = zalo.authorization_code(challenge(VERIFIER))
    pair = oauth.exchange(code, VERIFIER)
    assert isinstance(pair, Pair)
    assert pair.expires_in == 90000
    asked = zalo.calls[-1]
    assert (asked.path, dict(parse_qsl(asked.body.decode()))) == (
        "/v4/oa/access_token",
        {"code": code, "code_verifier": VERIFIER, "app_id": zalo.app_id, "grant_type": "authorization_code"},
    )
    assert asked.headers["secret_key"] == zalo.app_secret
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert isinstance(oauth.refresh(pair.refresh_token), Pair)


def test_a_code_is_good_once_and_for_its_verifier_only(oauth, zalo):
    code = zalo.authorization_code(challenge(VERIFIER))
    assert isinstance(oauth.exchange(code, VERIFIER), Pair)
    assert isinstance(oauth.exchange(code, VERIFIER), Refused)
    assert isinstance(oauth.exchange(zalo.authorization_code(challenge(VERIFIER)), new_verifier()), Refused)


def test_a_refresh_token_gives_another_pair_and_then_nothing(oauth, zalo):
    old = pair_of(zalo)
    new = oauth.refresh(old.refresh_token)
    assert isinstance(new, Pair)
    assert not {new.access_token, new.refresh_token} & {old.access_token, old.refresh_token}
    asked = zalo.calls[-1]
    assert dict(parse_qsl(asked.body.decode())) == {
        "refresh_token": old.refresh_token,
        "app_id": zalo.app_id,
        "grant_type": "refresh_token",
    }
    assert asked.headers["secret_key"] == zalo.app_secret
    assert oauth.refresh(old.refresh_token) == Refused("", "")
    assert isinstance(oauth.refresh(new.refresh_token), Pair)


def test_an_answer_lost_after_the_rotation_is_lost_and_the_token_is_spent(oauth, zalo):
    old = pair_of(zalo)
    zalo.faults.oauth_lost()
    assert isinstance(oauth.refresh(old.refresh_token), Lost)
    assert oauth.refresh(old.refresh_token) == Refused("", "")


def test_a_page_of_a_gateway_is_lost(oauth, zalo):
    old = pair_of(zalo)
    zalo.faults.oauth_html()
    assert oauth.refresh(old.refresh_token) == Lost("HTTP 504")


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        pytest.param(200, GOOD, Pair("AAA", "RRR", 90000), id="good"),
        pytest.param(200, GOOD.replace(b'"90000"', b"90000"), Pair("AAA", "RRR", 90000), id="number"),
        pytest.param(200, GOOD.replace(b"90000", b"soon"), Pair("AAA", "RRR"), id="unreadable-life"),
        pytest.param(200, GOOD.replace(b"90000", b"9" * 12), Pair("AAA", "RRR"), id="endless-life"),
        pytest.param(200, GOOD.replace(b'"90000"', b"-1"), Pair("AAA", "RRR"), id="negative-life"),
        pytest.param(200, BARE, Pair("AAA", "RRR"), id="no-life"),
        pytest.param(200, BARE.replace(b"{", b'{"error":0,'), Pair("AAA", "RRR"), id="error-zero"),
        pytest.param(
            200,
            b'{"error":-14014,"error_name":"Invalid refresh token.","error_reason":"","message":""}',
            Refused("-14014", "Invalid refresh token."),
            id="refused",
        ),
        pytest.param(
            200,
            b'{"error":"-14014","error_name":"Invalid refresh token.","access_token":"","refresh_token":""}',
            Refused("-14014", "Invalid refresh token."),
            id="refused-quoted",
        ),
        pytest.param(400, b'{"error":-14020,"message":"used"}', Refused("-14020", "used"), id="400-refused"),
        pytest.param(200, b'{"error_name":"Invalid\\nthing"}', Refused("", "Invalid thing"), id="no-number"),
        pytest.param(200, b'{"error":"invalid_grant"}', Refused("invalid_grant", ""), id="in-words"),
        pytest.param(
            200,
            b'{"error":-14002,"error_name":"Invalid app id"}',
            AppRefused("-14002", "Invalid app id"),
            id="app-not-active",
        ),
        pytest.param(200, b'{"error":"-32","message":"limit"}', AppRefused("-32", "limit"), id="limit"),
        pytest.param(200, b"", Refused("", ""), id="empty"),
        pytest.param(200, b" \r\n", Refused("", ""), id="blank"),
        pytest.param(200, b"<html></html>", Lost("HTTP 200, not JSON"), id="html"),
        pytest.param(200, b"\xff\xfe\xfd", Lost("HTTP 200, not JSON"), id="bytes"),
        pytest.param(200, b"[" * 100000, Lost("HTTP 200, not JSON"), id="deep"),
        pytest.param(200, b"[]", Lost("HTTP 200, not an object"), id="list"),
        pytest.param(200, b"{}", Lost("HTTP 200, no tokens"), id="nothing"),
        pytest.param(200, BARE.replace(b"RRR", b""), Lost("HTTP 200, no tokens"), id="half"),
        pytest.param(200, BARE.replace(b"RRR", b"R\\n"), Lost("HTTP 200, no tokens"), id="torn"),
        pytest.param(200, b'{"access_token":1,"refresh_token":2}', Lost("HTTP 200, no tokens"), id="numbers"),
        pytest.param(302, GOOD, Lost("HTTP 302, no tokens"), id="redirect"),
        pytest.param(403, b"<html></html>", Lost("HTTP 403, not JSON"), id="gateway-refuses"),
        pytest.param(429, b"", Lost("HTTP 429, not JSON"), id="gateway-busy"),
        pytest.param(500, b'{"error":-14014}', Lost("HTTP 500"), id="server-error"),
    ],
)  # fmt: skip
def test_each_answer_means_one_thing(answering, status, body, answer):
    assert answering(status, body).refresh("R-old") == answer


def test_a_server_that_says_nothing_in_time_leaves_the_answer_lost(answering):
    assert answering(0, b"", timeout=0.1).refresh("R-old") == Lost("ReadTimeout")


def test_nobody_there_means_that_nothing_was_handed_over():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    oauth = OAuth(ZaloAddresses(oauth=f"http://127.0.0.1:{port}"), ZaloApp("1", OURS, "secret"))
    assert oauth.refresh("R-old") == NotReached("ConnectError")


@pytest.mark.parametrize("secret", ["two\nlines", "bí mật"])
def test_a_secret_that_no_header_holds_is_never_written_nor_told(answering, secret):
    answer = answering(200, GOOD, secret=secret).refresh("R-old")
    assert isinstance(answer, NotReached)
    assert answer.words.isalpha()


@pytest.mark.parametrize("quoted", ["R-old", "app-secret-mau"])
def test_words_that_repeat_a_secret_are_not_kept(answering, quoted):
    body = f'{{"error":-14014,"message":"not {quoted}"}}'.encode()
    assert answering(200, body).refresh("R-old") == Refused("-14014", "")


def test_long_words_are_cut(answering):
    body = b'{"error":-1,"message":"' + b"x" * 5000 + b'"}'
    assert answering(200, body).refresh("R-old") == Refused("-1", "x" * 200)


def test_no_secret_shows_in_a_repr_or_a_log(oauth, zalo, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    code = zalo.authorization_code(challenge(VERIFIER))
    pair = oauth.exchange(code, VERIFIER)
    oauth.refresh(pair.refresh_token)
    shown = repr(pair) + repr(oauth) + caplog.text
    secrets = [pair.access_token, pair.refresh_token, zalo.app_secret, code, VERIFIER]
    assert [secret for secret in secrets if secret in shown] == []
    assert "/v4/oa/access_token" in caplog.text
