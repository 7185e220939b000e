"""Tokens of the fake: a consent is good once, a refresh token is good once, and each has its end."""

import base64
import hashlib
from typing import Any

import httpx
import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import Caller, Clock

VERIFIER = "M" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
NOT_GOOD = {
    "error": -14014,
    "error_name": "Invalid refresh token.",
    "error_reason": "",
    "ref_doc": "",
    "message": "",
}


def exchanged(caller: Caller, code: str, verifier: str = VERIFIER) -> dict[str, Any]:
    answered = caller.token(grant_type="authorization_code", code=code, code_verifier=verifier)
    assert answered.status_code == 200
    told: dict[str, Any] = answered.json()
    return told


def refreshed(caller: Caller, token: str) -> httpx.Response:
    return caller.token(grant_type="refresh_token", refresh_token=token)


def works(caller: Caller, access: str) -> bool:
    return bool(caller.oa("/v3.0/oa/quota/message", {}, headers={"access_token": access})["error"] == -201)


def test_consent_gives_a_pair_once(caller: Caller, zalo: FakeZalo) -> None:
    code = zalo.authorization_code(CHALLENGE)
    given = exchanged(caller, code)
    assert set(given) == {"access_token", "refresh_token", "expires_in"}
    assert given["expires_in"] == "90000"
    assert works(caller, given["access_token"])
    assert exchanged(caller, code)["error"] == -14010


def test_code_is_spent_by_a_wrong_verifier(caller: Caller, zalo: FakeZalo) -> None:
    code = zalo.authorization_code(CHALLENGE)
    assert exchanged(caller, code, "X" * 43)["error"] == -14019
    assert exchanged(caller, code)["error"] == -14010


@pytest.mark.parametrize(("minutes", "is_good"), [(9.9, True), (10, False)])
def test_code_is_good_for_ten_minutes(
    caller: Caller, zalo: FakeZalo, clock: Clock, minutes: float, is_good: bool
) -> None:
    code = zalo.authorization_code(CHALLENGE)
    clock.passes(minutes=minutes)
    assert ("access_token" in exchanged(caller, code)) is is_good


def test_refresh_token_is_good_once_and_its_second_use_is_answered_with_nothing(caller: Caller) -> None:
    first = refreshed(caller, caller.refresh).json()
    assert first["expires_in"] == "90000"
    assert works(caller, first["access_token"])
    again = refreshed(caller, caller.refresh)
    assert (again.status_code, again.content) == (200, b"")
    assert refreshed(caller, first["refresh_token"]).json()["expires_in"] == "90000"


def test_refresh_token_nobody_was_given_is_refused(caller: Caller) -> None:
    assert refreshed(caller, "MAU").json() == NOT_GOOD


@pytest.mark.parametrize(("quoted", "code"), [(False, -14014), (True, "-14014")])
def test_second_use_may_be_refused_by_a_code(
    caller: Caller, zalo: FakeZalo, quoted: bool, code: object
) -> None:
    zalo.faults.oauth_used_as_code(quoted=quoted)
    # The fault waits for a token that is spent: the one in between goes well.
    assert refreshed(caller, caller.refresh).json()["expires_in"] == "90000"
    again = refreshed(caller, caller.refresh)
    assert (again.status_code, again.json()) == (200, NOT_GOOD | {"error": code})
    assert refreshed(caller, caller.refresh).content == b""


def test_answer_may_be_lost_after_the_rotation(caller: Caller, zalo: FakeZalo) -> None:
    zalo.faults.oauth_lost()
    with pytest.raises(httpx.RemoteProtocolError):
        refreshed(caller, caller.refresh)
    assert refreshed(caller, caller.refresh).content == b""


def test_answer_may_be_lost_before_the_rotation(caller: Caller, zalo: FakeZalo) -> None:
    zalo.faults.oauth_unread()
    with pytest.raises(httpx.RemoteProtocolError):
        refreshed(caller, caller.refresh)
    assert refreshed(caller, caller.refresh).json()["expires_in"] == "90000"


@pytest.mark.parametrize("status", [504, 200])
def test_gateway_may_answer_with_a_page(caller: Caller, zalo: FakeZalo, status: int) -> None:
    zalo.faults.oauth_html(status)
    page = refreshed(caller, caller.refresh)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert refreshed(caller, caller.refresh).json()["expires_in"] == "90000"


@pytest.mark.parametrize(("days", "is_good"), [(89.9, True), (90, False)])
def test_refresh_token_is_good_for_three_months(
    caller: Caller, clock: Clock, days: float, is_good: bool
) -> None:
    clock.passes(days=days)
    assert (refreshed(caller, caller.refresh).content != b"") is is_good


@pytest.mark.parametrize(("hours", "oa", "zbs"), [(24.9, 0, 0), (25, -220, -124)])
def test_access_token_is_good_for_25_hours(
    caller: Caller, zalo: FakeZalo, clock: Clock, hours: float, oa: int, zbs: int
) -> None:
    clock.passes(hours=hours)
    assert caller.get(f"{zalo.addresses.oa}/v2.0/oa/getoa")["error"] == oa
    assert caller.get(f"{zalo.addresses.zbs}/quality")["error"] == zbs


def test_access_tokens_can_be_let_expire_at_once(caller: Caller, zalo: FakeZalo) -> None:
    zalo.expire_access_tokens()
    assert (caller.consult()["error"], caller.phone("84912000001")["error"]) == (-220, -124)
    caller.access = refreshed(caller, caller.refresh).json()["access_token"]
    assert (caller.consult()["error"], caller.phone("84912000001")["error"]) == (0, 0)


def test_refresh_leaves_the_access_token_before_it_as_it_is(caller: Caller) -> None:
    refreshed(caller, caller.refresh)
    assert works(caller, caller.access)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        pytest.param({"app_id": "9", "grant_type": "refresh_token"}, -14002, id="application"),
        pytest.param({"grant_type": "password"}, -14001, id="grant"),
        pytest.param({}, -14001, id="nothing"),
    ],
)
def test_what_is_no_request_for_tokens_is_refused(caller: Caller, form: dict[str, str], code: int) -> None:
    answered = caller.token(**form)
    assert (answered.status_code, answered.json()["error"]) == (200, code)


def test_secret_of_the_application_is_asked_for(caller: Caller, zalo: FakeZalo) -> None:
    form = {"app_id": zalo.app_id, "grant_type": "refresh_token", "refresh_token": caller.refresh}
    url = f"{zalo.addresses.oauth}/v4/oa/access_token"
    for headers in ({}, {b"secret_key": b"MAU"}, {b"secret_key": b"MA\xff"}):
        assert httpx.post(url, data=form, headers=headers, trust_env=False).json()["error"] == -14002
    as_json = httpx.post(url, json=form, headers={"secret_key": zalo.app_secret}, trust_env=False)
    assert as_json.json()["error"] == -14001
    assert refreshed(caller, caller.refresh).json()["expires_in"] == "90000"
