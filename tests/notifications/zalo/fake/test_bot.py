"""The bot platform of the fake: HTTP 200 whatever happened, and nobody is known before he has written."""

import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import TEXT, Caller
from tests.notifications.zalo.sending import CHAT

UNKNOWN = {"ok": False, "description": "Bad Request: chat_id or text is invalid", "error_code": 400}


def test_chat_is_known_only_once_the_person_has_written(caller: Caller, zalo: FakeZalo) -> None:
    assert caller.bot("sendMessage", {"chat_id": "c-2", "text": TEXT}) == UNKNOWN
    zalo.bot_say("c-2", "Xin chào")
    sent = caller.bot("sendMessage", {"chat_id": "c-2", "text": TEXT})
    assert sent == {
        "ok": True,
        "result": {"message_id": zalo.received[0].message_id, "date": 1_795_399_200_000},
    }
    assert [(each.host, each.to, each.body["text"]) for each in zalo.received] == [("bot", "c-2", TEXT)]


@pytest.mark.parametrize("text", ["", "x" * 2001, None, 7])
def test_text_has_its_limits(caller: Caller, text: object) -> None:
    assert caller.bot("sendMessage", {"chat_id": CHAT, "text": text}) == UNKNOWN


def test_token_stands_in_the_address(caller: Caller) -> None:
    refused = caller.bot("sendMessage", {"chat_id": CHAT, "text": TEXT}, token="123456:other")
    assert refused == {"ok": False, "description": "Unauthorized", "error_code": 401}


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [("sendMessage", [], 400), ("sendNothing", {}, 404), ("getUpdates", {"timeout": 1}, 408)],
)
def test_failure_is_told_with_http_200(caller: Caller, method: str, body: object, code: int) -> None:
    answered = caller.bot(method, body)
    assert (answered["ok"], answered["error_code"]) == (False, code)


def test_quota_may_be_used_up(caller: Caller, zalo: FakeZalo) -> None:
    zalo.faults.next_many([429, 403])
    answers = [caller.bot("sendMessage", {"chat_id": CHAT, "text": TEXT}) for _ in range(3)]
    assert [each.get("error_code") for each in answers] == [429, 403, None]
    assert len(zalo.received) == 1


def test_bot_says_who_it_is(caller: Caller) -> None:
    assert caller.bot("getMe", {})["result"]["id"] == "123456"
