"""Calls of the fake: what cannot be read, what comes at once, and the proof beside a token."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import CS, Caller, by_phone, consultation
from tests.notifications.zalo.sending import PHONE


def test_proof_is_compulsory_where_the_application_asks_for_it(caller: Caller, zalo: FakeZalo) -> None:
    zalo.requires_proof = True
    assert (caller.consult()["error"], caller.phone(PHONE)["error"]) == (-242, -1241)
    headers = {"access_token": caller.access, "appsecret_proof": caller.proof()}
    assert caller.oa(CS, consultation(), headers=headers)["error"] == 0
    assert caller.zbs("/message/template", by_phone(PHONE), headers=headers)["error"] == 0


def test_refresh_token_is_good_once_however_many_ask_at_once(caller: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        form = {"grant_type": "refresh_token", "refresh_token": caller.refresh}
        answers = list(pool.map(lambda _: caller.token(**form).content, range(8)))
    assert sorted(answer == b"" for answer in answers) == [False] + [True] * 7


def test_messages_sent_at_once_are_all_kept(caller: Caller, zalo: FakeZalo) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: caller.consult()["data"]["message_id"], range(40)))
    assert sorted(ids) == sorted(message.message_id for message in zalo.received)
    assert len(set(ids)) == 40


# Whatever a call holds, its answer is an error with HTTP 200.
RAW: dict[str, tuple[str, str, bytes, str, int]] = {
    "half-a-surrogate": ("oa", CS, json.dumps(consultation("\ud800")).encode(), "application/json", -201),
    "nested-too-deep": ("oa", CS, b"[" * 100_000, "application/json", -201),
    "zbs-nested-too-deep": ("zbs", "/message/template", b"[" * 100_000, "application/json", -122),
    "form-without-a-boundary": ("oa", "/v2.0/oa/upload/file", b"MAU", "multipart/form-data", -210),
    "tokens-of-bytes": ("oauth", "/v4/oa/access_token", b"\xff", "application/x-www-form-urlencoded", -14002),
}


@pytest.mark.parametrize(("host", "path", "raw", "kind", "code"), RAW.values(), ids=RAW)
def test_call_that_cannot_be_read_is_answered_with_http_200(
    caller: Caller, zalo: FakeZalo, host: str, path: str, raw: bytes, kind: str, code: int
) -> None:
    headers = {"access_token": caller.access, "Content-Type": kind}
    answered = caller.http.post(getattr(zalo.addresses, host) + path, content=raw, headers=headers)
    assert (answered.status_code, answered.json()["error"]) == (200, code)


@pytest.mark.parametrize(
    ("host", "path", "params", "code"),
    [
        pytest.param("oa", "/v3.0/oa/user/getlist", {"data": '{"offset":"x"}'}, -201, id="offset-in-words"),
        pytest.param("oa", "/v3.0/oa/user/getlist", {"data": '{"count":-1}'}, -201, id="less-than-nothing"),
        pytest.param("oa", "/v3.0/oa/group/listmember", {"data": '{"count":[]}'}, -201, id="list"),
        pytest.param("zbs", "/template/all", {"limit": "x"}, -129, id="limit-in-words"),
        pytest.param("zbs", "/template/all", {"status": "5"}, -130, id="status"),
    ],
)
def test_number_that_is_none_is_an_invalid_parameter(
    caller: Caller, zalo: FakeZalo, host: str, path: str, params: dict[str, str], code: int
) -> None:
    assert caller.get(getattr(zalo.addresses, host) + path, **params)["error"] == code
