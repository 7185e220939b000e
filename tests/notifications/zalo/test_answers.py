"""What an answer holds, and what is made of one that never came or cannot be read."""

from collections.abc import Callable

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeZalo
from notifications.zalo.platform import ZaloAddresses, ZaloMessage
from notifications.zalo.sender import ZaloSender
from rules.sending import Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    LATELY,
    ONLY,
    PERMANENT,
    TRANSIENT,
    UID,
    UNKNOWN,
    Pairs,
    arranged_for,
    message,
    only_over,
    platform_at,
    platform_of,
    saying,
    send,
    sent_once,
    to,
    tokens_of,
)

CONSULTATION = only_over(Way.ZALO_OA)
FAULTS: dict[str, Callable[[FakeZalo], None]] = {
    "hang": lambda zalo: zalo.faults.hang(1.0),
    "drop": lambda zalo: zalo.faults.drop(),
    "drop-unread": lambda zalo: zalo.faults.drop_unread(),
    "http-500": lambda zalo: zalo.faults.http(500),
    "http-502": lambda zalo: zalo.faults.http(502),
    "http-404": lambda zalo: zalo.faults.http(404),
    "html-200": lambda zalo: zalo.faults.html(200),
    "html-504": lambda zalo: zalo.faults.html(504),
    "empty": lambda zalo: zalo.faults.empty(),
}


def with_a_phone_besides(way: Way) -> ZaloMessage:
    """Return a message that could go by telephone as well where its way is one to a person."""
    match way:
        case Way.ZALO_OA:
            return message(to(uid=UID, phone="0912000001", last_interaction_at=LATELY))
        case Way.ZBS_UID:
            return message(to(uid=UID, phone="0912000001"))
    return only_over(way)


@pytest.mark.parametrize("way", ONLY)
@pytest.mark.parametrize("fault", FAULTS)
def test_lost_answer_leaves_the_outcome_unknown_and_no_other_way_is_tried(
    zalo: FakeZalo, way: Way, fault: str
) -> None:
    arranged_for(zalo, way)
    platform = platform_of(zalo, timeout=0.25 if fault == "hang" else 5.0)
    FAULTS[fault](zalo)
    receipt = sent_once(platform, tokens_of(zalo), with_a_phone_besides(way))
    assert (receipt.way, receipt.outcome, receipt.code) == (way, UNKNOWN, "")
    assert len(zalo.received) == (0 if fault == "drop-unread" else 1)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"data": {"message_id": "1"}}', id="no-error"),
        pytest.param(b'{"error": null}', id="null-code"),
        pytest.param(b'{"error": "soon"}', id="words-for-a-code"),
        pytest.param(b'{"error": true}', id="true-for-a-code"),
        pytest.param(b'{"error": {}}', id="object-for-a-code"),
        pytest.param(b'{"error": 0', id="cut-off"),
        pytest.param(b"[" * 100_000, id="too-deep"),
        pytest.param(b"\xff\xfe\x00", id="not-utf-8"),
    ],
)
def test_answer_that_cannot_be_read_leaves_the_outcome_unknown(body: bytes) -> None:
    with saying(body) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert (receipt.outcome, receipt.code) == (UNKNOWN, "")


def test_status_of_a_broken_server_counts_more_than_its_words() -> None:
    with saying({"error": -32, "message": "busy"}, status=503) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert receipt == Receipt(UNKNOWN, words="HTTP 503", way=Way.ZALO_OA)


def test_bot_that_says_it_failed_is_believed_whatever_the_status() -> None:
    told = {"ok": False, "description": "Internal", "error_code": 500}
    with saying(told, status=500) as (addresses, _):
        receipt = sent_once(platform_at(addresses), None, only_over(Way.ZALO_BOT))
    assert receipt == Receipt(TRANSIENT, "500", words="Internal", way=Way.ZALO_BOT, most_tries=5)


@pytest.mark.parametrize("way", ONLY)
def test_host_that_cannot_be_reached_is_tried_again(zalo: FakeZalo, way: Way) -> None:
    with saying({}) as (addresses, _):
        pass  # nobody listens there any more
    arranged_for(zalo, way)
    receipt = sent_once(platform_of(zalo, addresses=addresses), tokens_of(zalo), with_a_phone_besides(way))
    # A window that nobody can be asked about is shut: what is tried is the template.
    assert receipt == Receipt(TRANSIENT, words="ConnectError", way=way)


def test_address_that_is_none_is_told_on_by_its_kind() -> None:
    platform = platform_at(ZaloAddresses(oa="http://127.0.0.1:x", bot="ftp://127.0.0.1"))
    assert send(platform, Pairs("access"), CONSULTATION, only_over(Way.ZALO_BOT)) == [
        (Receipt(TRANSIENT, words="InvalidURL", way=Way.ZALO_OA),),
        (Receipt(TRANSIENT, words="UnsupportedProtocol", way=Way.ZALO_BOT),),
    ]


@pytest.mark.parametrize("code", ["-213", " -213 ", -213])
def test_code_may_come_as_a_text(code: object) -> None:
    with saying({"error": code, "message": "User has not followed OA"}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert receipt == Receipt(PERMANENT, "-213", words="User has not followed OA", way=Way.ZALO_OA)


def test_error_without_words_is_told_in_ours() -> None:
    with saying({"error": -213}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert receipt == Receipt(PERMANENT, "-213", words="does not follow the account", way=Way.ZALO_OA)


@pytest.mark.parametrize(
    ("told", "provider_id"),
    [
        pytest.param(b'"63ec0a"', "63ec0a", id="text"),
        pytest.param(b"12345678901234567890123", "12345678901234567890123", id="whole"),
        pytest.param(b"1e400", "1e400", id="exponent"),
        pytest.param(b"null", "", id="null"),
    ],
)
def test_id_stays_as_zalo_wrote_it(told: bytes, provider_id: str) -> None:
    body = b'{"error": "0", "message": "Success", "data": {"message_id": ' + told + b"}}"
    with saying(body) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert receipt == Receipt(ACCEPTED, "0", provider_id, "Success", way=Way.ZALO_OA)


def test_words_are_one_line_and_end_somewhere() -> None:
    with saying({"error": -213, "message": "một\n\x00hai " + "x" * 900}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), CONSULTATION)
    assert receipt.words == "một hai " + "x" * 492


def test_connection_closed_while_idle_is_not_written_to() -> None:
    told = {"error": 0, "message": "Success", "data": {"message_id": "m-1"}}
    outcomes = []
    with (
        saying(told, hangs_up=True) as (addresses, said),
        ZaloSender(platform_at(addresses), Pairs("access")) as sender,
    ):
        for _ in range(3):
            outcomes += [receipt.outcome for receipt in sender.send(CONSULTATION)]
            assert said.closed.wait(5)
            said.closed.clear()
    assert (outcomes, len(said.asked)) == ([ACCEPTED] * 3, 3)
