"""Inside the interaction window a person is written to; whether it is open is known, or asked."""

from datetime import timedelta

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeZalo
from rules.sending import Outcome
from tests.notifications.zalo.sending import (
    ACCEPTED,
    ASK,
    BY_UID,
    CONFIGURATION,
    CONSULT,
    NO_WAY,
    NOW,
    OA,
    PERMANENT,
    READ,
    TO_UID,
    TRANSIENT,
    UID,
    Pairs,
    message,
    outcomes,
    paths,
    person,
    platform_at,
    platform_of,
    saying,
    send,
    sent_once,
    to,
    tokens_of,
)

MINUTE = timedelta(minutes=1)
WINDOW = timedelta(days=7) - timedelta(hours=1)


def test_person_in_an_open_window_is_written_to_without_asking(zalo: FakeZalo) -> None:
    receipts = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert [outcomes(each) for each in receipts] == [[(OA, ACCEPTED, "0")]]
    assert paths(zalo) == [CONSULT]


@pytest.mark.parametrize(
    ("ago", "is_open"),
    [
        pytest.param(timedelta(0), True, id="now"),
        pytest.param(-MINUTE, True, id="by-a-clock-ahead-of-ours"),
        pytest.param(WINDOW - MINUTE, True, id="the-minute-before"),
        pytest.param(WINDOW, False, id="an-hour-before-seven-days"),
        pytest.param(timedelta(days=7), False, id="seven-days"),
        pytest.param(timedelta(days=300), False, id="long-ago"),
    ],
)
@pytest.mark.parametrize("source", ["recorded", "asked"])
def test_window_closes_an_hour_before_seven_days(
    zalo: FakeZalo, ago: timedelta, is_open: bool, source: str
) -> None:
    zalo.users[UID].last_interaction = NOW - ago
    recorded = NOW - ago if source == "recorded" else None
    receipts = send(platform_of(zalo), tokens_of(zalo), message(person(last_interaction_at=recorded)))
    assert [outcomes(each) for each in receipts] == [[(OA if is_open else BY_UID, ACCEPTED, "0")]]
    asked = [] if source == "recorded" and is_open else [ASK]
    assert paths(zalo) == [*asked, *([CONSULT] if is_open else [READ, TO_UID])]


def test_window_that_is_shut_for_all_we_know_is_asked_about(zalo: FakeZalo) -> None:
    one = message(person(last_interaction_at=NOW - timedelta(days=30)))
    assert sent_once(platform_of(zalo), tokens_of(zalo), one).way is OA
    assert paths(zalo) == [ASK, CONSULT]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"error": -201, "message": "user_id is invalid!"}, id="refused"),
        pytest.param({"error": 0, "data": {}}, id="no-hour"),
        pytest.param({"error": 0, "data": {"last_interaction": "soon"}}, id="words"),
        pytest.param({"error": 0, "data": {"last_interaction": "9" * 30}}, id="beyond-all-time"),
        pytest.param({"error": 0, "data": {"last_interaction": None}}, id="null"),
        pytest.param({"error": 0, "data": []}, id="a-list"),
    ],
)
def test_window_of_which_zalo_says_nothing_is_shut(body: object) -> None:
    with saying(body) as (addresses, said):
        receipt = sent_once(platform_at(addresses), Pairs("access"), message(to(uid=UID)))
    assert receipt == Receipt(PERMANENT, words=NO_WAY, way=OA)
    assert [path for path, _, _ in said.asked] == ["/oa/v3.0/oa/quota/message"]


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        pytest.param(b"<html>", TRANSIENT, "", id="page"),
        pytest.param({"error": -32, "message": "limit"}, TRANSIENT, "-32", id="too-many-calls"),
        pytest.param({"error": -219, "message": "removed"}, CONFIGURATION, "-219", id="configuration"),
        pytest.param({"error": -216, "message": "invalid"}, CONFIGURATION, "-216", id="token-refused-twice"),
    ],
)
def test_window_that_could_not_be_asked_about_is_not_the_persons_fault(
    body: object, outcome: Outcome, code: str
) -> None:
    with saying(body) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access", ["other"]), message(to(uid=UID)))
    assert (receipt.way, receipt.outcome, receipt.code) == (OA, outcome, code)


def test_window_shut_and_no_template_reaches_nobody(zalo: FakeZalo) -> None:
    zalo.users[UID].last_interaction = None
    one = message(person(last_interaction_at=None))
    receipt = sent_once(platform_of(zalo, templates={}), tokens_of(zalo), one)
    assert receipt == Receipt(PERMANENT, words=NO_WAY, way=OA)
    assert paths(zalo) == [ASK]
