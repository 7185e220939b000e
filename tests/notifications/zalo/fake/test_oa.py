"""The official-account host of the fake: who may call, whom it writes to, what it keeps and for how long."""

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from notifications.zalo.fake import FakeUser, FakeZalo
from notifications.zalo.fake.state import FakeTemplate
from tests.notifications.zalo.fake.asking import (
    BY_UID,
    CS,
    DATA,
    GROUP_MESSAGE,
    TEXT,
    Caller,
    Clock,
    consultation,
)
from tests.notifications.zalo.sending import GROUP, NOW, TEMPLATE, UID

PNG = {"file": ("m.png", b"MAU", "image/png")}
PDF = {"file": ("m.pdf", b"MAU", "application/pdf")}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, -216, id="none"),
        pytest.param({"access_token": "MAU"}, -216, id="unknown"),
        pytest.param({"access_token": b"MA\xff"}, -216, id="bytes"),
        pytest.param({"Authorization": "Bearer {}"}, -216, id="bearer"),
        pytest.param({"Authorization": "Bearer {}", "access_token": "{}"}, -216, id="bearer-besides"),
        pytest.param({"access_token": "{}"}, 0, id="good"),
        pytest.param({"access_token": "{}", "appsecret_proof": "{proof}"}, 0, id="proof"),
        pytest.param({"access_token": "{}", "appsecret_proof": "MAU"}, -242, id="wrong-proof"),
    ],
)
def test_caller_shows_a_bare_token(caller: Caller, headers: dict[str, Any], code: int) -> None:
    filled = {
        name: value.format(caller.access, proof=caller.proof()) if isinstance(value, str) else value
        for name, value in headers.items()
    }
    answered = caller.oa(CS, consultation(), headers=filled)
    # On an error there is no data.
    assert (answered["error"], "data" in answered) == (code, code == 0)
    assert len(caller.zalo.received) == (1 if code == 0 else 0)


def test_proof_can_be_made_compulsory(caller: Caller, zalo: FakeZalo) -> None:
    zalo.state.requires_proof = True
    assert caller.consult()["error"] == -242
    headers = {"access_token": caller.access, "appsecret_proof": caller.proof()}
    assert caller.oa(CS, consultation(), headers=headers)["error"] == 0
    assert caller.phone("84912000001")["error"] == -1241


def test_consultation_is_accepted_with_its_id(caller: Caller, zalo: FakeZalo) -> None:
    answered = caller.consult()
    (message,) = zalo.received
    assert answered == {
        "error": 0,
        "message": "Success",
        "data": {
            "message_id": message.message_id,
            "user_id": UID,
            "sent_time": "1795399200000",
            "quota": {"quota_type": "reply", "remain": "8", "total": "8"},
        },
    }
    assert (message.at, message.host, message.to, message.body) == (NOW, "oa", UID, consultation())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("ế" * 2000, 0, id="2000"),
        pytest.param("ế" * 2001, -210, id="2001"),
        pytest.param(unicodedata.normalize("NFD", "ế" * 700), -210, id="decomposed"),
        pytest.param("", -201, id="empty"),
        pytest.param(None, -201, id="none"),
        pytest.param(7, -201, id="number"),
    ],
)
def test_text_has_its_limits(caller: Caller, text: object, code: int) -> None:
    assert caller.consult(text)["error"] == code


@pytest.mark.parametrize(
    ("hours", "kind"), [(0, "reply"), (48, "reply"), (48.1, "purchase_quota"), (168, "purchase_quota")]
)
def test_window_is_free_and_then_paid_for(
    caller: Caller, zalo: FakeZalo, clock: Clock, hours: float, kind: str
) -> None:
    zalo.users[UID].last_interaction = clock.now
    clock.passes(hours=hours)
    caller.access = zalo.pair()[0]
    assert caller.consult()["data"]["quota"]["quota_type"] == kind


def test_window_closes_after_seven_days(caller: Caller, zalo: FakeZalo, clock: Clock) -> None:
    zalo.users[UID].last_interaction = clock.now
    clock.passes(days=7, seconds=1)
    caller.access = zalo.pair()[0]
    assert caller.consult()["error"] == -230
    # Only what the person does opens it again; being a follower does not.
    assert zalo.users[UID].followed
    zalo.users[UID].last_interaction = clock.now
    assert caller.consult()["error"] == 0


@pytest.mark.parametrize(
    ("facts", "consulted", "by_uid"),
    [
        pytest.param({"followed": False}, -213, 0, id="stranger"),
        pytest.param({"followed": True}, -230, 0, id="silent-follower"),
        pytest.param({"followed": False, "last_interaction": NOW}, 0, 0, id="has-written"),
        pytest.param({"last_interaction": NOW, "inactive_45d": True}, -227, -227, id="inactive"),
        pytest.param({"last_interaction": NOW, "restricted": True}, -244, -244, id="restricted"),
        pytest.param({"last_interaction": NOW, "blocked": True}, -217, -217, id="blocked"),
    ],
)
def test_person_can_be_written_to_or_not(
    caller: Caller, zalo: FakeZalo, facts: dict[str, Any], consulted: int, by_uid: int
) -> None:
    zalo.users["7"] = FakeUser("7", **facts)
    template = {"user_id": "7", "template_id": TEMPLATE, "template_data": DATA}
    assert caller.consult(uid="7")["error"] == consulted
    assert caller.oa(BY_UID, template)["error"] == by_uid


def test_person_nobody_knows_is_an_invalid_field(caller: Caller) -> None:
    assert caller.consult(uid="8") == {"error": -201, "message": "user_id is invalid!"}


def test_template_by_uid_is_accepted_with_its_id(caller: Caller, zalo: FakeZalo) -> None:
    answered = caller.oa(BY_UID, {"user_id": UID, "template_id": TEMPLATE, "template_data": DATA})
    assert answered["data"] == {
        "message_id": zalo.received[0].message_id,
        "user_id": UID,
        "sent_time": "1795399200000",
        "quota": {"quota_type": "purchase_quota", "remain": 4821},
    }


@pytest.mark.parametrize(
    ("body", "facts", "code"),
    [
        pytest.param({"user_id": "8"}, {}, -201, id="person"),
        pytest.param({"template_id": "9"}, {}, -201, id="template"),
        pytest.param({"template_data": {}}, {}, -201, id="data"),
        pytest.param({}, {"by_uid": False}, -249, id="not-by-uid"),
        pytest.param({}, {"daily_quota": 0}, -211, id="quota"),
        pytest.param({"recipient": {"user_id": UID}, "user_id": None}, {}, -201, id="nested"),
    ],
)
def test_template_by_uid_is_refused(
    caller: Caller, zalo: FakeZalo, body: dict[str, Any], facts: dict[str, Any], code: int
) -> None:
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, zalo.templates[TEMPLATE].params, **facts)
    plain = {"user_id": UID, "template_id": TEMPLATE, "template_data": DATA}
    assert caller.oa(BY_UID, plain | body)["error"] == code
    assert zalo.received == []


def test_same_message_twice_is_two_messages(caller: Caller, zalo: FakeZalo) -> None:
    caller.consult()
    caller.consult()
    assert len({message.message_id for message in zalo.received}) == 2


@pytest.mark.parametrize(
    ("group_id", "facts", "message", "code"),
    [
        pytest.param(GROUP, {}, {"text": TEXT}, 0, id="good"),
        pytest.param("g-other", {}, {"text": TEXT}, -403, id="unknown"),
        pytest.param(GROUP, {"ours": False}, {"text": TEXT}, -403, id="not-ours"),
        pytest.param(GROUP, {"disabled": True}, {"text": TEXT}, -237, id="pack-expired"),
        pytest.param(GROUP, {}, {"text": ""}, -201, id="empty"),
        pytest.param(GROUP, {}, {"text": "x" * 2001}, -210, id="too-long"),
        pytest.param(
            GROUP,
            {},
            {"text": TEXT, "attachment": {"type": "template", "payload": {"buttons": []}}},
            -233,
            id="buttons",
        ),
    ],
)
def test_group_takes_text_where_it_is_ours(
    caller: Caller, zalo: FakeZalo, group_id: str, facts: dict[str, bool], message: object, code: int
) -> None:
    for name, value in facts.items():
        setattr(zalo.groups[GROUP], name, value)
    answered = caller.oa(GROUP_MESSAGE, {"recipient": {"group_id": group_id}, "message": message})
    assert answered["error"] == code
    assert [(each.host, each.to) for each in zalo.received] == ([("gmf", GROUP)] if code == 0 else [])
    if code == 0:
        assert answered["data"] == {"message_id": zalo.received[0].message_id, "group_id": GROUP}


def test_groups_are_made_and_listed(caller: Caller, zalo: FakeZalo) -> None:
    made = caller.oa("/v3.0/oa/group/creategroupwithoa", {"group_name": "MẪU 2", "member_user_ids": [UID]})
    group_id = made["data"]["group_id"]
    assert caller.oa("/v3.0/oa/group/invite", {"group_id": group_id, "member_user_ids": ["7"]})["error"] == 0
    listed = caller.get(f"{zalo.addresses.oa}/v3.0/oa/group/getgroupsofoa")["data"]["groups"]
    assert listed == [{"group_id": GROUP, "name": "MẪU"}, {"group_id": group_id, "name": "MẪU 2"}]
    members = caller.get(f"{zalo.addresses.oa}/v3.0/oa/group/listmember", data=f'{{"group_id":"{group_id}"}}')
    assert members["data"]["members"] == [{"id": UID}, {"id": "7"}]


def uploaded(caller: Caller, kind: str, files: Any) -> dict[str, Any]:
    url = f"{caller.zalo.addresses.oa}/v2.0/oa/upload/{kind}"
    told: dict[str, Any] = caller.http.post(url, files=files, headers={"access_token": caller.access}).json()
    return told


@pytest.mark.parametrize(
    ("kind", "size", "code"),
    [("image", 1024**2, 0), ("image", 1024**2 + 1, -210), ("file", 5 * 1024**2 + 1, -210), ("file", 0, -210)],
)
def test_upload_has_its_limits(caller: Caller, kind: str, size: int, code: int) -> None:
    assert uploaded(caller, kind, {"file": ("m", b"x" * size)})["error"] == code


def attached(kind: str, named: str) -> dict[str, Any]:
    if kind == "file":
        return {"type": "file", "payload": {"token": named}}
    elements = [{"media_type": "image", "attachment_id": named}]
    return {"type": "template", "payload": {"template_type": "media", "elements": elements}}


@pytest.mark.parametrize(("kind", "files", "name"), [("image", PNG, "attachment_id"), ("file", PDF, "token")])
@pytest.mark.parametrize(("days", "code"), [(6.9, 0), (7, -100)])
def test_upload_is_kept_for_seven_days(
    caller: Caller, zalo: FakeZalo, clock: Clock, kind: str, files: Any, name: str, days: float, code: int
) -> None:
    named = uploaded(caller, kind, files)["data"][name]
    clock.passes(days=days)
    zalo.users[UID].last_interaction, caller.access = clock.now, zalo.pair()[0]
    message = {"attachment": attached(kind, named)}
    to_person = caller.oa(CS, {"recipient": {"user_id": UID}, "message": message})
    to_group = caller.oa(GROUP_MESSAGE, {"recipient": {"group_id": GROUP}, "message": message})
    assert (to_person["error"], to_group["error"]) == (code, code)


@pytest.mark.parametrize("kind", ["image", "file"])
def test_upload_that_was_never_made_is_expired(caller: Caller, kind: str) -> None:
    message = {"attachment": attached(kind, "MAU")}
    assert caller.oa(CS, {"recipient": {"user_id": UID}, "message": message})["error"] == -100


def test_account_and_people_are_looked_up_by_one_parameter(caller: Caller, zalo: FakeZalo) -> None:
    oa = zalo.addresses.oa
    assert caller.get(f"{oa}/v2.0/oa/getoa")["data"]["oaid"] == zalo.oa_id
    found = caller.get(f"{oa}/v3.0/oa/user/detail", data=f'{{"user_id":"{UID}"}}')["data"]
    assert found["user_id"] == UID
    assert caller.get(f"{oa}/v3.0/oa/user/getlist", data='{"offset":0}')["data"]["users"] == [
        {"user_id": UID}
    ]
    assert caller.get(f"{oa}/v3.0/oa/user/getlist", data='{"count":51}')["error"] == -210
    for wrong in ({"user_id": UID}, {"data": "["}, {"data": "[]"}, {"data": '{"user_id":"8"}'}):
        assert caller.get(f"{oa}/v3.0/oa/user/detail", **wrong)["error"] == -201


def test_day_of_the_last_interaction_is_that_of_the_city(caller: Caller, zalo: FakeZalo) -> None:
    zalo.users[UID].last_interaction = datetime(2026, 11, 22, 17, tzinfo=UTC)
    found = caller.get(f"{zalo.addresses.oa}/v3.0/oa/user/detail", data=f'{{"user_id":"{UID}"}}')
    assert found["data"]["user_last_interaction_date"] == "23/11/2026"


def test_last_interaction_is_told_in_milliseconds_as_a_text(caller: Caller, zalo: FakeZalo) -> None:
    told = caller.oa("/v3.0/oa/quota/message", {"user_id": UID})["data"]
    assert told["last_interaction"] == "1795395600000"
    zalo.users[UID].last_interaction = None
    assert "last_interaction" not in caller.oa("/v3.0/oa/quota/message", {"user_id": UID})["data"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2.0/oa/message", -240),
        ("/v3.0/oa/message/transaction", -233),
        ("/v3.0/oa/message/promotion", -233),
        ("/v3.0/oa/nothing", -209),
    ],
)
def test_what_was_shut_down_is_refused(caller: Caller, path: str, code: int) -> None:
    assert caller.oa(path, {})["error"] == code


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff"])
def test_body_that_is_none_is_an_invalid_field(caller: Caller, zalo: FakeZalo, raw: bytes) -> None:
    headers = {"access_token": caller.access}
    answered = caller.http.post(zalo.addresses.oa + CS, content=raw, headers=headers)
    assert (answered.status_code, answered.json()["error"]) == (200, -201)
