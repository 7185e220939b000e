"""What is written to Zalo's hosts: path, headers and body of each call, and what is asked besides."""

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from apprise import Apprise

from notifications.rate import Rate
from notifications.receipts import Receipt
from notifications.zalo.api import Answer, ZaloClient
from notifications.zalo.errors import Host
from notifications.zalo.fake import FakeZalo
from notifications.zalo.platform import ZaloApp
from notifications.zalo.services import SERVICES
from rules.sending import Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    CHAT,
    CONFIGURATION,
    GROUP,
    KEY,
    PHONE,
    TEMPLATE,
    TEXT,
    UID,
    app_of,
    arranged_for,
    only_over,
    platform_at,
    platform_of,
    saying,
    sent_once,
    tokens_of,
)

DATA = {"don_vi": "Phường MẪU", "thoi_han": "22/11/2021"}
IN_WORDS = "don_vi: Phường MẪU\nthoi_han: 22/11/2021"
SENT: dict[Way, tuple[str, dict[str, Any], str, str]] = {
    Way.ZALO_OA: (
        "oa/v3.0/oa/message/cs",
        {"recipient": {"user_id": UID}, "message": {"text": TEXT}},
        "Success",
        "",
    ),
    Way.ZBS_UID: (
        "oa/v3.0/oa/message/template",
        {"user_id": UID, "template_id": TEMPLATE, "template_data": DATA},
        "Success",
        IN_WORDS,
    ),
    Way.ZBS_PHONE: (
        "zbs/message/template",
        {"phone": PHONE, "template_id": TEMPLATE, "template_data": DATA, "tracking_id": KEY},
        "Success",
        IN_WORDS,
    ),
    Way.ZALO_GROUP: (
        "oa/v3.0/oa/group/message",
        {"recipient": {"group_id": GROUP}, "message": {"text": TEXT}},
        "Success",
        TEXT,
    ),
    Way.ZALO_BOT: ("bot/bot123456:MAU-bot-secret/sendMessage", {"chat_id": CHAT, "text": TEXT}, "", ""),
}


def proof(token: str, secret: str) -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("way", SENT)
def test_message_is_written_as_the_contract_says(zalo: FakeZalo, way: Way) -> None:
    path, body, words, said = SENT[way]
    tokens = tokens_of(zalo)
    receipt = sent_once(arranged_for(zalo, way), tokens, only_over(way))
    call = zalo.calls[-1]
    assert (f"{call.host}{call.path}", json.loads(call.body)) == (path, body)
    assert call.body.decode() == json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    names = ("content-type", "authorization", "access_token", "appsecret_proof")
    signed = (
        (tokens.access, proof(tokens.access, zalo.app_secret)) if way is not Way.ZALO_BOT else (None, None)
    )
    assert tuple(call.headers.get(name) for name in names) == ("application/json", None, *signed)
    assert [each.message_id for each in zalo.received] == [receipt.provider_id]
    assert receipt == Receipt(ACCEPTED, "0", receipt.provider_id, words, way=way, said=said)


def test_proof_is_left_out_where_the_application_has_none(zalo: FakeZalo) -> None:
    arranged_for(zalo, Way.ZALO_OA)
    platform = platform_of(zalo, app=app_of(zalo, sends_proof=False), templates={})
    assert sent_once(platform, tokens_of(zalo), only_over(Way.ZALO_OA)).outcome is ACCEPTED
    assert "appsecret_proof" not in zalo.calls[-1].headers
    zalo.state.requires_proof = True
    receipt = sent_once(platform, tokens_of(zalo), only_over(Way.ZALO_OA))
    assert (receipt.outcome, receipt.code) == (CONFIGURATION, "-242")


def test_proof_belongs_to_the_token_it_goes_with(zalo: FakeZalo) -> None:
    platform, tokens = arranged_for(zalo, Way.ZALO_OA), tokens_of(zalo)
    first, second = tokens.access, tokens.fresh[0]
    zalo.state.requires_proof = True
    zalo.faults.next(-216)
    assert sent_once(platform, tokens, only_over(Way.ZALO_OA)).outcome is ACCEPTED
    sent = [(each.headers["access_token"], each.headers["appsecret_proof"]) for each in zalo.calls]
    assert sent == [(str(token), proof(str(token), zalo.app_secret)) for token in (first, second)]


@pytest.mark.parametrize(
    ("way", "code"),
    [(Way.ZALO_OA, "-242"), (Way.ZBS_UID, "-1241"), (Way.ZALO_GROUP, "-242"), (Way.ZBS_PHONE, "-1241")],
)
def test_proof_of_another_secret_holds_the_channel(zalo: FakeZalo, way: Way, code: str) -> None:
    # Whatever goes as a template is first asked about at the other host.
    arranged = arranged_for(zalo, way)
    wrong = replace(arranged, app=ZaloApp(zalo.app_id, zalo.oa_id, "MAU-other-secret"))
    receipt = sent_once(wrong, tokens_of(zalo), only_over(way))
    assert (receipt.outcome, receipt.code, zalo.received) == (CONFIGURATION, code, [])


def test_official_account_is_asked_with_one_parameter(zalo: FakeZalo) -> None:
    client = ZaloClient(platform_of(zalo))
    answer = client.get(Host.OA, "/v3.0/oa/user/detail", {"user_id": UID}, tokens_of(zalo).access)
    client.close()
    assert (answer.code, answer.data["user_id"]) == (0, UID)


def test_parameter_of_the_official_account_is_json() -> None:
    with saying({"error": 0, "data": {"user_id": UID}}) as (addresses, said):
        client = ZaloClient(platform_at(addresses))
        answers = [
            client.get(Host.OA, "/v3.0/oa/user/detail", {"user_id": UID, "tag": "MẪU"}, "access"),
            client.get(Host.ZBS, "/template/info/v2", {"template_id": TEMPLATE}, "access"),
        ]
        client.close()
    assert answers == [Answer(0, data={"user_id": UID})] * 2
    assert [path for path, _, _ in said.asked] == [
        f"/oa/v3.0/oa/user/detail?data=%7B%22user_id%22%3A%22{UID}%22%2C%22tag%22%3A%22M%E1%BA%AAU%22%7D",
        f"/zbs/template/info/v2?template_id={TEMPLATE}",
    ]


def test_one_connection_carries_a_whole_run() -> None:
    with saying({"ok": True, "result": {"message_id": "m-1"}}) as (addresses, said):
        client = ZaloClient(platform_at(addresses))
        for _ in range(3):
            client.call_bot("sendMessage", {}, "1:a")
        assert not said.closed.is_set()
        client.close()
        assert said.closed.wait(5)


def slept_after(remaining: int | str, calls: int) -> list[float]:
    """Return how long the calls waited that followed an answer with so many calls left."""
    slept: list[float] = []
    with saying({"error": 0}, headers={"X-RateLimit-Remain": str(remaining)}) as (addresses, _):
        client = ZaloClient(platform_at(addresses), rate=Rate(0, clock=lambda: 0.0, sleep=slept.append))
        for _ in range(calls):
            client.post(Host.OA, "/v3.0/oa/message/cs", {}, "access")
        client.close()
    return slept


@pytest.mark.parametrize(
    ("remaining", "slept"),
    [(19, [5.0, 5.0]), (0, [5.0, 5.0]), (-3, [5.0, 5.0]), (20, []), (3999, []), ("many", [])],
)
def test_calls_slow_down_when_few_are_left(remaining: int | str, slept: list[float]) -> None:
    assert slept_after(remaining, calls=3) == slept


def test_limit_of_the_installation_is_kept() -> None:
    slept: list[float] = []
    with saying({"error": 0}) as (addresses, _):
        client = ZaloClient(platform_at(addresses), rate=Rate(60, clock=lambda: 0.0, sleep=slept.append))
        for _ in range(3):
            client.post(Host.OA, "/v3.0/oa/message/cs", {}, "access")
        client.close()
    assert slept == [1.0, 2.0]


@pytest.mark.parametrize("schema", ["zalooa", "zalozbs", "zalogmf", "zalobot"])
def test_service_is_not_built_from_an_address(schema: str) -> None:
    assert Apprise.instantiate(f"{schema}://3000000000000000003/token") is None


def test_services_are_one_for_each_schema_and_wait_for_nothing() -> None:
    assert [each.secure_protocol for each in SERVICES] == ["zalooa", "zalozbs", "zalogmf", "zalobot"]
    assert [each.request_rate_per_sec for each in SERVICES] == [0, 0, 0, 0]
