"""What the fake can be asked: status of a message, lists of templates and people, who reads."""

import json
from datetime import timedelta
from typing import Any

import pytest

from notifications.zalo.fake import FakePhone, FakeTemplate, FakeUser, FakeZalo
from tests.notifications.zalo.fake.asking import Caller
from tests.notifications.zalo.sending import NOW, PHONE, TEMPLATE, UID


def test_message_to_a_telephone_that_is_away_is_accepted_and_not_delivered(
    caller: Caller, zalo: FakeZalo
) -> None:
    zalo.phones[PHONE] = FakePhone(is_away=True)
    asked, msg_id = f"{zalo.addresses.zbs}/message/status", caller.phone(PHONE)["data"]["msg_id"]
    assert caller.get(asked, message_id=msg_id)["data"]["status"] == 0
    zalo.deliver_receipts()
    assert zalo.webhooks.told == []
    zalo.phones[PHONE].is_away = False
    assert caller.get(asked, message_id=msg_id)["data"] == {
        "delivery_time": "1795399200000",
        "message": "The message was delivered to the user's phone",
        "status": 1,
    }


def test_status_of_another_host_is_unknown(caller: Caller, zalo: FakeZalo) -> None:
    message_id = caller.consult()["data"]["message_id"]
    asked = caller.get(f"{zalo.addresses.zbs}/message/status", message_id=message_id)
    assert asked["data"]["status"] == -1


@pytest.mark.parametrize(("status", "listed"), [("1", [TEMPLATE]), ("2", ["500002"]), ("4", [])])
def test_templates_are_listed_by_status(
    caller: Caller, zalo: FakeZalo, status: str, listed: list[str]
) -> None:
    zalo.templates["500002"] = FakeTemplate("500002", status="PENDING_REVIEW")
    found = caller.get(f"{zalo.addresses.zbs}/template/all", status=status)
    assert ([each["templateId"] for each in found["data"]], found["metadata"]["total"]) == (
        listed,
        len(listed),
    )


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({}, [UID, "8"]),
        ({"is_follower": False}, ["9"]),
        ({"last_interaction_period": "L7D"}, [UID]),
        ({"offset": 1}, ["8"]),
        ({"count": 1}, [UID]),
    ],
)
def test_people_are_listed_as_asked(
    caller: Caller, zalo: FakeZalo, asked: dict[str, Any], listed: list[str]
) -> None:
    zalo.users["8"] = FakeUser("8", last_interaction=NOW - timedelta(days=8))
    zalo.users["9"] = FakeUser("9", followed=False, last_interaction=NOW)
    found = caller.get(f"{zalo.addresses.oa}/v3.0/oa/user/getlist", data=json.dumps(asked))["data"]
    assert [each["user_id"] for each in found["users"]] == listed


@pytest.mark.parametrize(("reader_is_sender", "sides"), [(True, "sender"), (False, "recipient")])
def test_reader_stands_on_either_side(
    caller: Caller, zalo: FakeZalo, reader_is_sender: bool, sides: str
) -> None:
    zalo.webhook_to("", reader_is_sender=reader_is_sender)
    caller.consult()
    hooks = zalo.webhooks
    received, _ = hooks.receipt(zalo.received[0])
    for event in (received, hooks.seen(UID, ["MAU"])):
        assert [name for name in ("sender", "recipient") if event[name]["id"] == UID] == [sides]
        assert {event["sender"]["id"], event["recipient"]["id"]} == {UID, zalo.oa_id}
