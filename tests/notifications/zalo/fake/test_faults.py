"""The faults of the fake: limits of a minute, bursts, answers spoilt or never given."""

import httpx
import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import CS, TEXT, Caller, Clock, consultation
from tests.notifications.zalo.sending import CHAT, PHONE


def test_minute_holds_so_many_calls_and_the_next_as_many(
    caller: Caller, zalo: FakeZalo, clock: Clock
) -> None:
    zalo.state.calls_a_minute = 3
    clock.passes(minutes=1)
    answers = [
        caller.http.post(zalo.addresses.oa + CS, json=consultation(), headers={"access_token": caller.access})
        for _ in range(4)
    ]
    told = [(each.headers["X-RateLimit-Remain"], each.json()["error"]) for each in answers]
    assert told == [("2", 0), ("1", 0), ("0", 0), ("0", -32)]
    assert {each.headers["X-RateLimit-Limit"] for each in answers} == {"3"}
    assert caller.phone(PHONE)["error"] == 0  # another host
    clock.passes(minutes=1)
    assert (caller.consult()["error"], len(zalo.received)) == (0, 5)


def test_burst_of_errors_passes(caller: Caller, zalo: FakeZalo) -> None:
    zalo.faults.next_many([-32, -32, -200])
    assert [caller.consult()["error"] for _ in range(4)] == [-32, -32, -200, 0]
    assert len(zalo.received) == 1


SENDS = {
    "oa": lambda caller: caller.http.post(
        caller.zalo.addresses.oa + CS, json=consultation(), headers={"access_token": caller.access}
    ),
    "bot": lambda caller: caller.http.post(
        f"{caller.zalo.addresses.bot}/bot{caller.zalo.bot_token}/sendMessage",
        json={"chat_id": CHAT, "text": TEXT},
    ),
}


@pytest.mark.parametrize("host", SENDS)
@pytest.mark.parametrize(
    ("fault", "given", "status", "body"),
    [
        ("http", 500, 500, b""),
        ("html", 502, 502, b"<html"),
        ("html", 200, 200, b"<html"),
        ("empty", None, 200, b""),
    ],
)
def test_message_is_recorded_before_its_answer_is_spoilt(
    caller: Caller, zalo: FakeZalo, host: str, fault: str, given: int | None, status: int, body: bytes
) -> None:
    spoil = getattr(zalo.faults, fault)
    spoil() if given is None else spoil(given)
    answered = SENDS[host](caller)
    assert (answered.status_code, answered.content[:5]) == (status, body)
    assert len(zalo.received) == 1


@pytest.mark.parametrize("host", SENDS)
@pytest.mark.parametrize(("fault", "recorded"), [("hang", 1), ("drop", 1), ("drop_unread", 0)])
def test_message_is_recorded_or_not_where_no_answer_comes(
    caller: Caller, zalo: FakeZalo, host: str, fault: str, recorded: int
) -> None:
    caller.http.timeout = httpx.Timeout(0.2)
    zalo.faults.hang(0.6) if fault == "hang" else getattr(zalo.faults, fault)()
    with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError)):
        SENDS[host](caller)
    assert len(zalo.received) == recorded
