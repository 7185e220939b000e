"""The other methods of the fake's bot: what it sends beside text, updates, its webhook."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import TEXT, Caller
from tests.notifications.zalo.sending import CHAT

SECRET = "MAU-hook"  # eight characters, the fewest there may be


@pytest.mark.parametrize(
    ("method", "body", "is_good"),
    [
        ("sendMessage", {"text": TEXT, "parse_mode": "html"}, True),
        ("sendMessage", {"text": TEXT, "parse_mode": "rtf"}, False),
        ("sendPhoto", {"photo": "https://mau.example/m.png", "caption": TEXT}, True),
        ("sendPhoto", {"photo": "m.png"}, False),
        ("sendPhoto", {"photo": "https://mau.example/m.png", "caption": "x" * 2001}, False),
        ("sendSticker", {"sticker": "MAU"}, True),
        ("sendVoice", {"voice": "https://mau.example/m.aac"}, True),
        ("sendVoice", {}, False),
    ],
)
def test_bot_sends_to_whom_it_knows(
    caller: Caller, zalo: FakeZalo, method: str, body: dict[str, str], is_good: bool
) -> None:
    assert caller.bot(method, body | {"chat_id": "c-other"})["error_code"] == 400
    answered = caller.bot(method, body | {"chat_id": CHAT})
    assert answered["ok"] is is_good
    ids = [answered["result"]["message_id"]] if is_good else []
    assert [message.message_id for message in zalo.received] == ids


@pytest.mark.parametrize(
    ("body", "is_good"),
    [
        ({"chat_id": CHAT, "action": "typing"}, True),
        ({"chat_id": CHAT, "action": "dancing"}, False),
        ({"chat_id": "c-other", "action": "typing"}, False),
    ],
)
def test_bot_acts_without_a_message(
    caller: Caller, zalo: FakeZalo, body: dict[str, str], is_good: bool
) -> None:
    assert caller.bot("sendChatAction", body)["ok"] is is_good
    assert zalo.received == []


def test_update_is_given_out_once(caller: Caller, zalo: FakeZalo) -> None:
    for text in ("ABCD2345", TEXT):
        zalo.bot_say("c-2", text)
    given = [caller.bot("getUpdates", {"timeout": 0}) for _ in range(3)]
    assert [each["result"]["message"]["text"] for each in given[:2]] == ["ABCD2345", TEXT]
    assert given[0]["result"]["event_name"] == "message.text.received"
    assert (given[2]["ok"], given[2]["error_code"]) == (False, 408)
    assert caller.bot("getUpdates", {"timeout": "x"})["error_code"] == 400


def test_update_is_waited_for(caller: Caller, zalo: FakeZalo) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(caller.bot, "getUpdates", {"timeout": 5})
        while not zalo.calls:
            time.sleep(0.01)
        zalo.bot_say("c-2", TEXT)
    assert asked.result()["result"]["message"]["text"] == TEXT


@pytest.mark.parametrize(
    ("url", "secret", "is_good"),
    [
        pytest.param("https://mau.example/bot", SECRET, True, id="public"),
        pytest.param("http://127.0.0.1:9/bot", SECRET, True, id="loopback"),
        pytest.param("http://mau.example/bot", SECRET, False, id="in-the-open"),
        pytest.param("", SECRET, False, id="no-address"),
        pytest.param("https://mau.example/bot", "x" * 7, False, id="secret-too-short"),
        pytest.param("https://mau.example/bot", "x" * 256, True, id="secret-at-its-limit"),
        pytest.param("https://mau.example/bot", "x" * 257, False, id="secret-too-long"),
    ],
)
def test_webhook_of_the_bot_is_set(caller: Caller, url: str, secret: str, is_good: bool) -> None:
    assert caller.bot("setWebhook", {"url": url, "secret_token": secret})["ok"] is is_good
    updated = "1795399200000" if is_good else ""
    kept = {"url": url if is_good else "", "updated_at": updated}
    assert caller.bot("getWebhookInfo", {})["result"] == kept
    # While there is one nothing can be asked for.
    assert caller.bot("getUpdates", {"timeout": 0})["error_code"] == (400 if is_good else 408)
    assert caller.bot("deleteWebhook", {})["result"]["url"] == ""
    assert caller.bot("getUpdates", {"timeout": 0})["error_code"] == 408
