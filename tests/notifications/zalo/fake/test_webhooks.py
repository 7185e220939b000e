"""What the fake tells a webhook: signed, again until it is answered, doubled and out of order on request."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from notifications.zalo.fake import FakeZalo
from notifications.zalo.fake.webhooks import LADDER, Told
from tests.notifications.zalo.fake.asking import GROUP_MESSAGE, TEXT, Caller
from tests.notifications.zalo.sending import CHAT, GROUP, NOW, PHONE, UID

NOW_MS = "1795399200000"


@dataclass
class Heard:
    """What came, and the statuses that are answered, the last one for good."""

    url: str
    statuses: list[int] = field(default_factory=lambda: [200])
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for _, raw in self.came]

    @property
    def events(self) -> list[str]:
        return [body["event_name"] for body in self.bodies]


@pytest.fixture
def heard() -> Iterator[Heard]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            found.came.append((dict(self.headers), raw))
            self.send_response(found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Heard(f"http://127.0.0.1:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def mac(lead: str, raw: bytes, secret: str) -> str:
    """Return the signature as the contract has it: plain SHA-256, the timestamp being that of the body."""
    timestamp = json.loads(raw)["timestamp"]
    return hashlib.sha256(lead.encode() + raw + timestamp.encode() + secret.encode()).hexdigest()


@pytest.mark.parametrize(
    ("variant", "lead", "secret"),
    [
        ("app_id+oa_secret", "1000000000000000001", "MAU-oa-secret"),
        ("app_id+app_secret", "1000000000000000001", "MAU-app-secret"),
        ("oa_id+oa_secret", "2000000000000000002", "MAU-oa-secret"),
        ("oa_id+app_secret", "2000000000000000002", "MAU-app-secret"),
    ],
)
@pytest.mark.parametrize("prefix", ["mac=", ""])
def test_event_is_signed(
    zalo: FakeZalo, heard: Heard, variant: str, lead: str, secret: str, prefix: str
) -> None:
    zalo.webhook_to(heard.url, variant=variant, prefix=bool(prefix))
    zalo.say(UID, "Xin chào, tôi là MẪU")
    ((headers, raw),) = heard.came
    assert headers["X-ZEvent-Signature"] == prefix + mac(lead, raw, secret)
    assert "Xin chào, tôi là MẪU".encode() in raw


def test_event_is_told_again_until_it_is_answered_with_200(zalo: FakeZalo, heard: Heard) -> None:
    heard.statuses = [500, 401, 302, 200]
    zalo.webhook_to(heard.url)
    assert zalo.say(UID, TEXT) == 200
    assert [headers.get("num_retry") for headers, _ in heard.came] == [None, "1", "2", "3"]
    assert len({raw for _, raw in heard.came}) == 1
    assert [told.status for told in zalo.webhooks.told] == [500, 401, 302, 200]


def test_event_is_given_up_after_five_times_more(zalo: FakeZalo, heard: Heard) -> None:
    heard.statuses = [500]
    zalo.webhook_to(heard.url)
    assert zalo.say(UID, TEXT) == 500
    assert zalo.webhooks.told == [Told("user_send_text", number, 500) for number in range(6)]
    assert LADDER == (30, 300, 900, 1800, 3600)


def test_webhook_that_is_away_is_answered_with_nothing(zalo: FakeZalo) -> None:
    zalo.webhook_to("http://127.0.0.1:1/hook")
    assert zalo.say(UID, TEXT) == 0


def test_person_writes_and_his_window_opens(zalo: FakeZalo, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    zalo.say("7", "ABCD2345")
    (body,) = heard.bodies
    assert body == {
        "timestamp": NOW_MS,
        "app_id": zalo.app_id,
        "event_name": "user_send_text",
        "sender": {"id": "7"},
        "recipient": {"id": zalo.oa_id},
        "user_id_by_app": "7",
        "message": {"text": "ABCD2345", "msg_id": body["message"]["msg_id"]},
    }
    assert zalo.users["7"].last_interaction == NOW


def test_person_follows_and_leaves(zalo: FakeZalo, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    zalo.follow("7")
    assert (zalo.users["7"].followed, zalo.users["7"].last_interaction) == (True, NOW)
    zalo.unfollow("7")
    assert zalo.users["7"].followed is False
    assert heard.events == ["follow", "unfollow"]
    assert [(body["follower"], body["oa_id"]) for body in heard.bodies] == [({"id": "7"}, zalo.oa_id)] * 2


def test_both_kinds_of_receipt_are_told(zalo: FakeZalo, caller: Caller, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    caller.consult()
    caller.phone(PHONE)
    zalo.deliver_receipts()
    by_oa, by_phone = heard.bodies
    of_oa, of_phone = zalo.received
    told = {"app_id": zalo.app_id, "timestamp": NOW_MS, "event_name": "user_received_message"}
    assert by_oa == told | {
        "sender": {"id": UID},
        "recipient": {"id": zalo.oa_id},
        "message": {"msg_id": of_oa.message_id},
    }
    assert by_phone == told | {
        "sender": {"id": zalo.oa_id},
        "recipient": {"id": PHONE},
        "message": {"delivery_time": NOW_MS, "msg_id": of_phone.message_id, "tracking_id": "K-1"},
    }
    assert [headers.get("X-ZEvent-Server") for headers, _ in heard.came] == [None, "ZNS"]


def test_reading_is_told_of_the_account_alone(zalo: FakeZalo, caller: Caller, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    caller.consult()
    caller.phone(PHONE)
    zalo.deliver_receipts([], seen=True)
    (body,) = heard.bodies
    assert (body["event_name"], body["sender"]) == ("user_seen_message", {"id": UID})
    assert body["message"] == {"msg_ids": [zalo.received[0].message_id]}


def test_nothing_is_told_of_groups_and_bots(zalo: FakeZalo, caller: Caller, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    caller.oa(GROUP_MESSAGE, {"recipient": {"group_id": GROUP}, "message": {"text": TEXT}})
    caller.bot("sendMessage", {"chat_id": CHAT, "text": TEXT})
    zalo.deliver_receipts(seen=True)
    assert (len(zalo.received), heard.came) == (2, [])


def test_receipts_come_twice_and_in_any_order(zalo: FakeZalo, caller: Caller, heard: Heard) -> None:
    zalo.webhook_to(heard.url)
    ids = [caller.consult()["data"]["message_id"] for _ in range(4)]
    zalo.deliver_receipts(times=2, shuffle=1)
    told = [body["message"]["msg_id"] for body in heard.bodies]
    assert (sorted(told), told == ids * 2) == (sorted(ids * 2), False)


def test_webhook_of_the_bot_has_its_secret(zalo: FakeZalo, heard: Heard) -> None:
    zalo.webhook_to("", bot_url=heard.url, bot_secret="MAU-hook-secret")
    assert zalo.bot_say("c-2", "ABCD2345") == 200
    ((headers, _),), (body,) = heard.came, heard.bodies
    assert headers["X-Bot-Api-Secret-Token"] == "MAU-hook-secret"
    message = body["result"]["message"]
    assert (body["ok"], body["result"]["event_name"]) == (True, "message.text.received")
    assert (message["from"]["id"], message["chat"], message["text"]) == (
        "c-2",
        {"id": "c-2", "chat_type": "PRIVATE"},
        "ABCD2345",
    )
