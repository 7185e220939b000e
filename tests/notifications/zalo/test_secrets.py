"""No token and no secret stands in what is logged, shown or kept, whatever happens on the way."""

import logging
from collections.abc import Callable

import pytest
from apprise import Apprise

from notifications.receipts import Receipt
from notifications.zalo.api import AnswerLost, NothingWritten, ZaloClient
from notifications.zalo.errors import Host
from notifications.zalo.fake import FakeZalo
from notifications.zalo.platform import ZaloAddresses, ZaloPlatform
from notifications.zalo.sender import ZaloSender
from rules.sending import Way
from tests.notifications.zalo.sending import (
    ONLY,
    TRANSIENT,
    Pairs,
    arranged_for,
    only_over,
    platform_at,
    platform_of,
    saying,
    send,
    sent_once,
    tokens_of,
)

BOT_SECRET = "MAU-bot-secret"


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "apprise"):
        caplog.set_level(logging.DEBUG, logger=name)


def secrets_of(platform: ZaloPlatform, tokens: Pairs) -> list[str]:
    assert platform.app is not None
    return [BOT_SECRET, platform.app.secret, tokens.access, *tokens.refused, *map(str, tokens.fresh)]


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged on our side of the wire; the fake's own server tells of its requests too."""
    ours = (each for each in caplog.records if not each.name.startswith("uvicorn"))
    return "\n".join(logging.Formatter("%(name)s %(message)s").format(each) for each in ours)


def told(*found: object) -> list[str]:
    return [str(each) + repr(each) for each in found]


def leaked(secrets: list[str], *texts: str) -> list[str]:
    return [secret for secret in secrets if any(secret in text for text in texts)]


@pytest.mark.parametrize("way", ONLY)
@pytest.mark.parametrize("code", [None, -216, -221, 401, -99999])
def test_nothing_secret_is_told_of_a_call(
    zalo: FakeZalo, caplog: pytest.LogCaptureFixture, way: Way, code: int | None
) -> None:
    platform, tokens = arranged_for(zalo, way), tokens_of(zalo)
    if code:
        zalo.faults.next(code)
    receipts = send(platform, tokens, only_over(way))
    assert leaked(secrets_of(platform, tokens), logged(caplog), *told(receipts, platform)) == []
    # What is not there could have been: addresses and exchanges are logged.
    assert {"httpx", "httpcore.http11"} <= {record.name for record in caplog.records}


def test_address_of_the_bot_is_logged_without_its_token(
    zalo: FakeZalo, caplog: pytest.LogCaptureFixture
) -> None:
    sent_once(platform_of(zalo), None, only_over(Way.ZALO_BOT))
    requests = [each.getMessage() for each in caplog.records if each.name == "httpx"]
    assert requests == [f'HTTP Request: POST {zalo.addresses.bot}/bot***/sendMessage "HTTP/1.1 200 OK"']


FAULTS: dict[str, Callable[[FakeZalo], None]] = {
    "hang": lambda zalo: zalo.faults.hang(1.0),
    "drop": lambda zalo: zalo.faults.drop(),
    "page": lambda zalo: zalo.faults.html(504),
}


@pytest.mark.parametrize("way", ONLY)
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_secret_is_told_of_a_lost_answer(
    zalo: FakeZalo, caplog: pytest.LogCaptureFixture, way: Way, fault: str
) -> None:
    arranged_for(zalo, way)
    platform, tokens = platform_of(zalo, timeout=0.25), tokens_of(zalo)
    FAULTS[fault](zalo)
    receipts = send(platform, tokens, only_over(way))
    assert leaked(secrets_of(platform, tokens), logged(caplog), *told(receipts)) == []


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:1", "http://127.0.0.1:x", "ftp://127.0.0.1", "127.0.0.1", "http://"]
)
def test_nothing_secret_is_told_of_an_address_that_is_wrong(
    caplog: pytest.LogCaptureFixture, base: str
) -> None:
    platform, tokens = platform_at(ZaloAddresses(base, base, base, base)), Pairs("access-MAU")
    receipts = send(platform, tokens, only_over(Way.ZALO_OA), only_over(Way.ZALO_BOT))
    assert [receipt.outcome for (receipt,) in receipts] == [TRANSIENT, TRANSIENT]
    assert leaked(secrets_of(platform, tokens), logged(caplog), *told(receipts)) == []


@pytest.mark.parametrize("token", ["access-MAU\nx", "access-MAU\x00", "access-MAỬ", "access-MAU x"])
def test_token_that_cannot_be_written_is_not_quoted(caplog: pytest.LogCaptureFixture, token: str) -> None:
    with saying({"error": 0}) as (addresses, said):
        receipt = sent_once(platform_at(addresses), Pairs(token), only_over(Way.ZALO_OA))
    assert receipt == Receipt(TRANSIENT, words="the access token cannot stand in a header", way=Way.ZALO_OA)
    assert (leaked(["access-MA"], logged(caplog)), said.asked) == ([], [])


@pytest.mark.parametrize("token", ["1:MAU/x", "1:MAU?x", "1:MAU#x", "1:MAU x", "1:MAU\nx", "1:MAỬ"])
def test_token_of_a_bot_is_only_a_part_of_its_path(caplog: pytest.LogCaptureFixture, token: str) -> None:
    with saying({"ok": False, "description": "Unauthorized", "error_code": 401}) as (addresses, said):
        sent_once(platform_at(addresses, bot_token=token), None, only_over(Way.ZALO_BOT))
    ((path, _, _),) = said.asked
    assert (path[:12], path[-12:], path.count("/")) == ("/bot/bot1:MA", "/sendMessage", 3)
    assert leaked(["1:MA"], logged(caplog)) == []


def test_words_that_repeat_a_secret_are_not_kept() -> None:
    tokens = Pairs("access-MAU")
    with saying({"error": -213, "message": "refused: access-MAU"}) as (addresses, _):
        by_account = sent_once(platform_at(addresses), tokens, only_over(Way.ZALO_OA))
    echo = {"ok": False, "description": f"bad: 123456:{BOT_SECRET}", "error_code": 400}
    with saying(echo) as (addresses, _):
        by_bot = sent_once(platform_at(addresses), None, only_over(Way.ZALO_BOT))
    assert (by_account.words, by_bot.words) == ("does not follow the account", "bad request")


@pytest.mark.parametrize(
    ("schema", "facts"),
    [
        ("zalooa", {"uid": "3", "text": "t", "tokens": Pairs("access-MAU")}),
        ("zalogmf", {"group_id": "3", "text": "t", "tokens": Pairs("access-MAU")}),
        ("zalobot", {"chat_id": "3", "text": "t", "token": f"123456:{BOT_SECRET}"}),
        (
            "zalozbs",
            {
                "template_id": "5",
                "data": {},
                "tracking_id": "k",
                "phone": "84912000001",
                "tokens": Pairs("access-MAU"),
            },
        ),
    ],
)
def test_address_of_a_service_holds_nothing(schema: str, facts: dict[str, object]) -> None:
    client = ZaloClient(ZaloPlatform(bot_token=f"123456:{BOT_SECRET}"))
    service = Apprise.instantiate({"schema": schema, "client": client, **facts}, suppress_exceptions=False)
    client.close()
    assert [service.url(), service.url(privacy=True), str(service)] == [f"{schema}://"] * 3
    assert leaked([BOT_SECRET, "access-MAU"], *told(service, client)) == []


def test_errors_of_the_client_name_their_kind_alone() -> None:
    token = f"123456:{BOT_SECRET}"
    with saying(b"") as (addresses, _):
        client = ZaloClient(platform_at(addresses))
        with pytest.raises(AnswerLost, match=r"\AHTTP 200 without an answer that can be read\Z"):
            client.call_bot("sendMessage", {}, token)
        client.close()
    client = ZaloClient(platform_at(addresses))  # nobody listens there any more
    with pytest.raises(NothingWritten, match=r"\AConnectError\Z"):
        client.call_bot("sendMessage", {}, token)
    with pytest.raises(NothingWritten, match=r"\AConnectError\Z"):
        client.post(Host.OA, "/v3.0/oa/message/cs", {}, "access-MAU")
    client.close()


def test_sender_shows_nothing_of_what_it_holds(zalo: FakeZalo) -> None:
    platform, tokens = platform_of(zalo), tokens_of(zalo)
    with ZaloSender(platform, tokens) as sender:
        assert leaked(secrets_of(platform, tokens), *told(sender, platform)) == []
