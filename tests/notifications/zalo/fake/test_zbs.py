"""The ZBS host of the fake: whom a template reaches by telephone, what it takes, when, for how much."""

from datetime import datetime
from typing import Any

import pytest

from notifications.zalo.fake import FakeParam, FakePhone, FakeTemplate, FakeZalo
from rules.calendar import CITY
from tests.notifications.zalo.fake.asking import DATA, Caller, Clock, by_phone
from tests.notifications.zalo.sending import PHONE, TEMPLATE


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, -124, id="none"),
        pytest.param({"access_token": "MAU"}, -124, id="unknown"),
        pytest.param({"Authorization": "Bearer {}"}, -124, id="bearer"),
        pytest.param({"Authorization": "Bearer {}", "access_token": "{}"}, -124, id="bearer-besides"),
        pytest.param({"access_token": "{}", "appsecret_proof": "MAU"}, -1241, id="wrong-proof"),
        pytest.param({"access_token": "{}"}, 0, id="good"),
    ],
)
def test_caller_shows_a_bare_token(caller: Caller, headers: dict[str, str], code: int) -> None:
    filled = {name: value.format(caller.access) for name, value in headers.items()}
    assert caller.zbs("/message/template", by_phone(PHONE), headers=filled)["error"] == code


def test_template_is_accepted_under_msg_id_and_its_numbers_are_texts(caller: Caller, zalo: FakeZalo) -> None:
    answered = caller.phone(PHONE)
    (message,) = zalo.received
    assert answered == {
        "error": 0,
        "message": "Success",
        "data": {
            "msg_id": message.message_id,
            "sent_time": "1795399200000",
            "sending_mode": "1",
            "quota": {"dailyQuota": "500", "remainingQuota": "499"},
        },
    }
    assert (message.host, message.to, message.body) == ("zbs", PHONE, by_phone(PHONE))


@pytest.mark.parametrize("number", ["84912000001", "+84912000001", "0912000001", "912000001"])
def test_number_may_be_written_in_four_ways(caller: Caller, zalo: FakeZalo, number: str) -> None:
    assert caller.phone(number)["error"] == 0
    assert zalo.received[0].to == PHONE


@pytest.mark.parametrize(
    ("number", "facts", "code"),
    [
        pytest.param("84213000001", {}, -108, id="landline"),
        pytest.param("8491200000", {}, -108, id="short"),
        pytest.param("", {}, -108, id="empty"),
        pytest.param("84912000009", {}, -118, id="nobody"),
        pytest.param(PHONE, {"on_zalo": False}, -118, id="not-on-zalo"),
        pytest.param(PHONE, {"outdated": True}, -110, id="outdated"),
        pytest.param(PHONE, {"opted_out": True}, -139, id="opted-out"),
        pytest.param(PHONE, {"refuses_account": True}, -141, id="refuses-the-account"),
    ],
)
def test_number_may_not_be_reached(
    caller: Caller, zalo: FakeZalo, number: str, facts: dict[str, bool], code: int
) -> None:
    zalo.phones[PHONE] = FakePhone(**facts)
    assert caller.phone(number)["error"] == code
    assert zalo.received == []


@pytest.mark.parametrize(
    ("body", "facts", "code"),
    [
        pytest.param({"template_id": "9"}, {}, -109, id="unknown"),
        pytest.param({}, {"low_quality": True}, -146, id="low-quality"),
        pytest.param({}, {"status": "PENDING_REVIEW"}, -131, id="pending"),
        pytest.param({}, {"status": "DISABLE"}, -131, id="disabled"),
        pytest.param({}, {"daily_quota": 0}, -147, id="quota"),
        pytest.param({"tracking_id": "x" * 49}, {}, -132, id="tracking-too-long"),
        pytest.param({"tracking_id": "a@b"}, {}, -132, id="tracking-with-a-sign"),
        pytest.param({"tracking_id": ""}, {}, -132, id="no-tracking"),
        pytest.param({"tracking_id": "x" * 48}, {}, 0, id="tracking-at-its-limit"),
    ],
)
def test_template_is_taken_or_not(
    caller: Caller, zalo: FakeZalo, body: dict[str, Any], facts: dict[str, Any], code: int
) -> None:
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, zalo.templates[TEMPLATE].params, **facts)
    assert caller.phone(PHONE, **body)["error"] == code
    assert len(zalo.received) == (1 if code == 0 else 0)


# The order of the contract's list: empty, invalid, too long, missing, QR, format.
@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(None, -111, id="none"),
        pytest.param([], -111, id="list"),
        pytest.param({}, -111, id="empty"),
        pytest.param({**DATA, "khac": "x"}, -112, id="unknown"),
        pytest.param({**DATA, "don_vi": 7}, -112, id="number"),
        pytest.param({**DATA, "don_vi": ""}, -112, id="too-short"),
        pytest.param({**DATA, "don_vi": "ế" * 30}, 0, id="at-its-limit"),
        pytest.param({**DATA, "don_vi": "ế" * 31}, -1121, id="too-long"),
        pytest.param({**DATA, "thoi_han": "trước ngày 22/11/2021"}, -1121, id="21-characters"),
        pytest.param({"don_vi": "MẪU"}, -1122, id="missing"),
        pytest.param({**DATA, "thoi_han": "trước 22/11/2021"}, -1124, id="date-in-words"),
        pytest.param({**DATA, "thoi_han": "2021-11-22"}, -1124, id="date-of-another-form"),
        pytest.param({**DATA, "thoi_han": "17:00 19/11/2021"}, 0, id="hour-and-day"),
        pytest.param({**DATA, "thoi_han": "17:00:00 19/11/2021"}, 0, id="seconds"),
        pytest.param({**DATA, "thoi_han": "11/2021"}, 0, id="month"),
    ],
)
def test_parameters_are_checked(caller: Caller, zalo: FakeZalo, data: object, code: int) -> None:
    assert caller.phone(PHONE, template_data=data)["error"] == code


def test_parameter_that_is_not_required_may_be_missing(caller: Caller, zalo: FakeZalo) -> None:
    params = (FakeParam("don_vi"), FakeParam("ly_do", required=False))
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, params)
    assert caller.phone(PHONE, template_data={"don_vi": "MẪU"})["error"] == 0


@pytest.mark.parametrize(
    ("hour", "code"), [("21:59", 0), ("22:00", -133), ("00:00", -133), ("05:59", -133), ("06:00", 0)]
)
def test_template_for_the_day_is_not_sent_at_night(
    caller: Caller, zalo: FakeZalo, clock: Clock, hour: str, code: int
) -> None:
    clock.now = datetime.fromisoformat(f"2026-11-24 {hour}").replace(tzinfo=CITY)
    caller.access = zalo.pair()[0]
    assert caller.phone(PHONE)["error"] == 0
    zalo.templates[TEMPLATE].day_only = True
    assert caller.phone(PHONE)["error"] == code


def test_quotas_are_used_up(caller: Caller, zalo: FakeZalo) -> None:
    zalo.state.daily_quota, zalo.templates[TEMPLATE].daily_quota = 3, 2
    answers = [caller.phone(PHONE) for _ in range(3)]
    assert [each["error"] for each in answers] == [0, 0, -147]
    zalo.templates[TEMPLATE].daily_quota = None
    answers += [caller.phone(PHONE) for _ in range(2)]
    assert [each["error"] for each in answers[3:]] == [0, -144]
    assert [each["data"]["quota"]["remainingQuota"] for each in answers if "data" in each] == ["2", "1", "0"]
    left = caller.get(f"{zalo.addresses.zbs}/message/quota")["data"]
    # Asked for, they are numbers; after a message they are texts.
    assert (left["dailyQuota"], left["remainingQuota"]) == (500, 0)


def test_wallet_is_emptied(caller: Caller, zalo: FakeZalo) -> None:
    zalo.state.wallet = 1
    assert [caller.phone(PHONE)["error"] for _ in range(2)] == [0, -115]


@pytest.mark.parametrize(
    ("development_only", "mode", "is_admin", "code"),
    [
        pytest.param(False, None, False, 0, id="ordinary"),
        pytest.param(True, None, True, -127, id="test-template-sent-plainly"),
        pytest.param(True, "development", True, 0, id="test-template-to-an-administrator"),
        pytest.param(True, "development", False, -127, id="test-template-to-somebody"),
        pytest.param(False, "development", True, 0, id="test-of-an-approved-template"),
        pytest.param(False, "development", False, -127, id="test-to-somebody"),
    ],
)
def test_tests_go_to_administrators_alone(
    caller: Caller, zalo: FakeZalo, development_only: bool, mode: str | None, is_admin: bool, code: int
) -> None:
    zalo.state.development_only, zalo.phones[PHONE].is_admin = development_only, is_admin
    assert caller.phone(PHONE, **({"mode": mode} if mode else {}))["error"] == code


def test_nothing_is_told_apart_by_its_tracking_id(caller: Caller, zalo: FakeZalo) -> None:
    first, second = caller.phone(PHONE), caller.phone(PHONE)
    assert (first["error"], second["error"], len(zalo.received)) == (0, 0, 2)
    assert first["data"]["msg_id"] != second["data"]["msg_id"]


def test_template_is_described(caller: Caller, zalo: FakeZalo) -> None:
    told = caller.get(f"{zalo.addresses.zbs}/template/info/v2", template_id=TEMPLATE)["data"]
    assert (told["templateId"], told["status"]) == (TEMPLATE, "ENABLE")
    limits = [
        (each["name"], each["type"], each["maxLength"], each["minLength"], each["require"])
        for each in told["listParams"]
    ]
    assert limits == [("don_vi", "STRING", 30, 1, True), ("thoi_han", "DATE", 20, 1, True)]
    unknown = caller.get(f"{zalo.addresses.zbs}/template/info/v2", template_id="9")
    assert (unknown["error"], "data" in unknown) == (-109, False)


def test_templates_are_listed_in_pages(caller: Caller, zalo: FakeZalo) -> None:
    zalo.templates["500002"] = FakeTemplate("500002", status="REJECT")
    listed = caller.get(f"{zalo.addresses.zbs}/template/all", offset="1", limit="1")
    assert listed["data"] == [{"templateId": "500002", "templateName": "MẪU", "status": "REJECT"}]
    assert listed["metadata"] == {"total": 2}
    assert caller.get(f"{zalo.addresses.zbs}/template/all", limit="101")["error"] == -130


def test_what_became_of_a_message_can_be_asked(caller: Caller, zalo: FakeZalo) -> None:
    msg_id, asked = caller.phone(PHONE)["data"]["msg_id"], f"{zalo.addresses.zbs}/message/status"
    assert caller.get(asked, message_id=msg_id)["data"]["status"] == 1
    assert caller.get(asked, message_id="9")["data"]["status"] == -1


def test_what_is_no_method_is_refused(caller: Caller, zalo: FakeZalo) -> None:
    assert caller.zbs("/message/nothing", {})["error"] == -106
    assert caller.get(f"{zalo.addresses.zbs}/nothing")["error"] == -106


@pytest.mark.parametrize(("raw", "code"), [(b"", -121), (b"{", -122), (b"\xff", -122), (b"[]", -108)])
def test_body_that_is_none_is_refused(caller: Caller, zalo: FakeZalo, raw: bytes, code: int) -> None:
    url = f"{zalo.addresses.zbs}/message/template"
    answered = caller.http.post(url, content=raw, headers={"access_token": caller.access})
    assert (answered.status_code, answered.json()["error"]) == (200, code)
