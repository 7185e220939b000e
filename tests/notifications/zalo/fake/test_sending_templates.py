"""Templates of the fake: by UID, by a number's hash, beyond the quota, as a test."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from notifications.zalo.fake import FakeTemplate, FakeZalo
from tests.notifications.zalo.fake.asking import BY_UID, DATA, Caller, by_phone
from tests.notifications.zalo.sending import NOW, PHONE, TEMPLATE, UID


@pytest.mark.parametrize(
    ("facts", "code"), [({"status": "PENDING_REVIEW"}, -201), ({"low_quality": True}, -201), ({}, 0)]
)
def test_template_that_is_not_approved_cannot_go_by_uid(
    caller: Caller, zalo: FakeZalo, facts: dict[str, Any], code: int
) -> None:
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, zalo.templates[TEMPLATE].params, **facts)
    body = {"user_id": UID, "template_id": TEMPLATE, "template_data": DATA}
    assert caller.oa(BY_UID, body)["error"] == code


@pytest.mark.parametrize(("days", "code"), [(365, 0), (365.1, -232)])
def test_template_by_uid_reaches_who_wrote_within_a_year(
    caller: Caller, zalo: FakeZalo, days: float, code: int
) -> None:
    zalo.users[UID].last_interaction = NOW - timedelta(days=days)
    body = {"user_id": UID, "template_id": TEMPLATE, "template_data": DATA}
    assert caller.oa(BY_UID, body)["error"] == code


@pytest.mark.parametrize(
    ("mode", "may_exceed", "tag", "code"),
    [
        pytest.param("1", False, "TRANSACTION", -144, id="ordinary"),
        pytest.param("3", False, "PROMOTION", -161, id="account-not-listed"),
        pytest.param("3", True, "TRANSACTION", -162, id="template-of-another-kind"),
        pytest.param("3", True, "PROMOTION", 0, id="beyond-the-quota"),
        pytest.param("2", True, "PROMOTION", -161, id="unknown"),
    ],
)
def test_quota_is_exceeded_by_whom_it_is_allowed(
    caller: Caller, zalo: FakeZalo, mode: str, may_exceed: bool, tag: str, code: int
) -> None:
    zalo.state.daily_quota, zalo.state.may_exceed_quota, zalo.templates[TEMPLATE].tag = 0, may_exceed, tag
    answered = caller.phone(PHONE, sending_mode=mode)
    assert answered["error"] == code
    assert answered.get("data", {}).get("sending_mode") == (mode if code == 0 else None)


def test_tests_are_paid_from_a_wallet_of_their_own(caller: Caller, zalo: FakeZalo) -> None:
    zalo.phones[PHONE].is_admin = True
    zalo.state.wallet, zalo.state.development_wallet = 1, 1
    answers = [caller.phone(PHONE, mode="development")["error"] for _ in range(2)]
    assert [*answers, caller.phone(PHONE)["error"], caller.phone(PHONE)["error"]] == [0, -126, 0, -115]


@pytest.mark.parametrize(
    ("given", "code", "to"),
    [
        pytest.param(sha256(PHONE.encode()).hexdigest(), 0, [PHONE], id="known"),
        pytest.param(sha256(b"84912000009").hexdigest(), -118, [], id="nobody"),
        pytest.param(PHONE, -108, [], id="number"),
    ],
)
def test_number_may_be_given_by_its_hash(
    caller: Caller, zalo: FakeZalo, given: str, code: int, to: list[str]
) -> None:
    body = by_phone("") | {"hash_phone": given}
    assert caller.zbs("/message/template/hashphone", body)["error"] == code
    assert [message.to for message in zalo.received] == to


@pytest.mark.parametrize(("fault", "recorded"), [("hang", 1), ("drop", 1), ("drop_unread", 0)])
def test_template_is_recorded_or_not_where_no_answer_comes(
    caller: Caller, zalo: FakeZalo, fault: str, recorded: int
) -> None:
    caller.http.timeout = httpx.Timeout(0.2)
    zalo.faults.hang(0.6) if fault == "hang" else getattr(zalo.faults, fault)()
    with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError)):
        caller.phone(PHONE)
    assert len(zalo.received) == recorded
