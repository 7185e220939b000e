"""Groups and the chats of a bot: what they are sent, and that nobody else is."""

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeZalo
from rules.notices import NoticeKind
from rules.sending import MAY_GO_TO_A_GROUP, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    CHAT,
    GROUP,
    PERMANENT,
    TO_GROUP,
    message,
    outcomes,
    paths,
    person,
    platform_of,
    send,
    sent_once,
    to,
    tokens_of,
)


def test_group_is_written_to_and_nobody_else(zalo: FakeZalo) -> None:
    one = message(person(group_id=GROUP, chat_id=CHAT), kind=NoticeKind.OPENING)
    assert sent_once(platform_of(zalo), tokens_of(zalo), one).outcome is ACCEPTED
    assert paths(zalo) == [TO_GROUP]


def test_group_that_refuses_ends_it(zalo: FakeZalo) -> None:
    zalo.faults.next(-248)
    one = message(person(group_id=GROUP), kind=NoticeKind.OPENING)
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), one)
    assert (receipt.way, receipt.outcome, paths(zalo)) == (Way.ZALO_GROUP, PERMANENT, [TO_GROUP])


@pytest.mark.parametrize("kind", NoticeKind)
def test_group_hears_only_what_is_said_to_everybody(zalo: FakeZalo, kind: NoticeKind) -> None:
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), message(to(group_id=GROUP), kind=kind))
    if kind in MAY_GO_TO_A_GROUP:
        assert (receipt.outcome, paths(zalo)) == (ACCEPTED, [TO_GROUP])
        return
    words = "what concerns single units is never said in a group"
    assert receipt == Receipt(PERMANENT, words=words, way=Way.ZALO_GROUP)
    assert paths(zalo) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("Mời [@3000000000000000003] họp", "Mời  họp", id="member"),
        pytest.param(f"[@{GROUP}]Mời họp", "Mời họp", id="everybody"),
        pytest.param("a[[@1]@2]b", "ab", id="hidden-in-another"),
        pytest.param("a[@[@1]2]b", "ab", id="around-another"),
        pytest.param("[@" * 600 + "]" * 600 + "b", "b", id="deeply"),
        pytest.param("a [b] @c [@d e", "a [b] @c [@d e", id="none"),
    ],
)
def test_group_is_sent_no_mention(zalo: FakeZalo, text: str, said: str) -> None:
    one = message(to(group_id=GROUP), kind=NoticeKind.OPENING, text=text)
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), one)
    assert (receipt.outcome, receipt.said) == (ACCEPTED, said)
    assert [each.body["message"]["text"] for each in zalo.received] == [said]


def test_group_is_not_sent_what_was_nothing_but_a_mention(zalo: FakeZalo) -> None:
    one = message(to(group_id=GROUP), kind=NoticeKind.OPENING, text=" [@1] ")
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), one)
    assert (receipt.outcome, receipt.is_shown, paths(zalo)) == (PERMANENT, True, [])


def test_chat_of_the_bot_is_written_to_and_nobody_else(zalo: FakeZalo) -> None:
    receipts = send(platform_of(zalo), tokens_of(zalo), message(person(chat_id=CHAT)))
    assert [outcomes(each) for each in receipts] == [[(Way.ZALO_BOT, ACCEPTED, "0")]]
    assert [each.host for each in zalo.calls] == ["bot"]


def test_chat_that_the_bot_does_not_know_ends_it(zalo: FakeZalo) -> None:
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), message(person(chat_id="c-nobody")))
    words = "Bad Request: chat_id or text is invalid"
    assert receipt == Receipt(PERMANENT, "400", words=words, way=Way.ZALO_BOT)
