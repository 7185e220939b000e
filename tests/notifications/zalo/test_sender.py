"""Which ways a message to a person takes over Zalo, in which order, and where it stops."""

import unicodedata

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakePhone, FakeZalo
from notifications.zalo.platform import NotRenewed, TemplateUse, ZaloRecipient
from rules.notices import NoticeKind
from rules.sending import Outcome, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    ASK,
    BY_PHONE,
    BY_UID,
    CHAT,
    CONFIGURATION,
    GROUP,
    LATELY,
    NO_WAY,
    OA,
    PERMANENT,
    PHONE,
    READ,
    TEMPLATE,
    TEXT,
    TO_PHONE,
    TO_UID,
    TRANSIENT,
    UID,
    UNKNOWN,
    USES,
    Pairs,
    arranged_for,
    message,
    only_over,
    outcomes,
    paths,
    person,
    platform_of,
    send,
    sent_once,
    to,
    tokens_of,
)


def test_person_whom_the_account_does_not_know_is_reached_by_telephone(zalo: FakeZalo) -> None:
    one = message(person(uid="3000000000000000009", last_interaction_at=None))
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), one)
    assert outcomes(receipts) == [(BY_UID, PERMANENT, "-201"), (BY_PHONE, ACCEPTED, "0")]
    assert paths(zalo) == [ASK, READ, TO_UID, TO_PHONE]


def test_each_way_is_tried_until_one_accepts(zalo: FakeZalo) -> None:
    zalo.faults.next_many([-230, -244])
    ((first, second, third),) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes([first, second, third]) == [
        (OA, PERMANENT, "-230"),
        (BY_UID, PERMANENT, "-244"),
        (BY_PHONE, ACCEPTED, "0"),
    ]
    assert [(each.host, each.to) for each in zalo.received] == [("zbs", PHONE)]
    assert third.provider_id == zalo.received[0].message_id


def test_last_way_decides_where_all_fail(zalo: FakeZalo) -> None:
    zalo.phones[PHONE] = FakePhone(on_zalo=False)
    zalo.faults.next_many([-213, -213])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert [each.code for each in receipts] == ["-213", "-213", "-118"]
    assert receipts[-1].outcome is PERMANENT


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (-32, TRANSIENT),
        (-200, TRANSIENT),
        (-211, TRANSIENT),
        (-234, TRANSIENT),
        (-221, CONFIGURATION),
        (-99999, TRANSIENT),
    ],
)
@pytest.mark.parametrize("way", [OA, BY_UID])
def test_no_other_way_is_tried_where_this_one_may_work_yet(
    zalo: FakeZalo, way: Way, code: int, outcome: Outcome
) -> None:
    zalo.faults.next_many([code] if way is OA else [-230, code])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts[-1:]) == [(way, outcome, str(code))]
    assert (len(receipts), zalo.received) == (1 if way is OA else 2, [])


def test_text_against_the_rules_may_go_as_a_template(zalo: FakeZalo) -> None:
    zalo.faults.next(-248)
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts) == [(OA, PERMANENT, "-248"), (BY_UID, ACCEPTED, "0")]
    assert [each.is_shown for each in receipts] == [True, False]


def test_template_that_is_at_fault_is_not_tried_by_telephone(zalo: FakeZalo) -> None:
    zalo.faults.next_many([-230, -210])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts) == [(OA, PERMANENT, "-230"), (BY_UID, PERMANENT, "-210")]


def test_template_that_cannot_go_by_uid_goes_by_telephone(zalo: FakeZalo) -> None:
    zalo.templates[TEMPLATE].by_uid = False
    one = message(person(last_interaction_at=None))
    zalo.users[UID].last_interaction = None
    first, second = send(platform_of(zalo), tokens_of(zalo), one, one)
    assert outcomes(first) == [(BY_UID, PERMANENT, "-249"), (BY_PHONE, ACCEPTED, "0")]
    # The office is told once in a run, and Zalo is not asked again.
    assert [each.is_shown for each in first] == [True, False]
    assert second[0] == Receipt(PERMANENT, words=f"template {TEMPLATE} cannot go by UID", way=BY_UID)
    assert outcomes(second) == [(BY_UID, PERMANENT, ""), (BY_PHONE, ACCEPTED, "0")]
    assert paths(zalo) == [ASK, READ, TO_UID, TO_PHONE, ASK, TO_PHONE]


def test_person_without_a_uid_is_reached_by_telephone(zalo: FakeZalo) -> None:
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), message(to(phone="+84 912-000-001")))
    assert (receipt.way, receipt.outcome) == (BY_PHONE, ACCEPTED)
    assert paths(zalo) == [READ, TO_PHONE]


@pytest.mark.parametrize("phone", ["0213 3876 111", "not a number", "0999"])
def test_number_that_is_not_a_mobile_one_is_not_called(zalo: FakeZalo, phone: str) -> None:
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), message(to(phone=phone)))
    assert receipt == Receipt(PERMANENT, words="not a mobile number", way=BY_PHONE)
    assert zalo.received == []


@pytest.mark.parametrize(
    ("recipient", "way"),
    [
        pytest.param(to(phone="0912000001"), BY_PHONE, id="telephone"),
        pytest.param(to(), BY_PHONE, id="nothing"),
    ],
)
def test_person_whom_no_way_reaches_is_told_of_without_a_call(
    zalo: FakeZalo, recipient: ZaloRecipient, way: Way
) -> None:
    receipt = sent_once(platform_of(zalo, templates={}), tokens_of(zalo), message(recipient))
    assert receipt == Receipt(PERMANENT, words=NO_WAY, way=way)
    assert paths(zalo) == []


def test_template_of_another_kind_of_letter_is_not_used(zalo: FakeZalo) -> None:
    platform = platform_of(zalo, templates={NoticeKind.EXTENDED: TemplateUse(TEMPLATE, USES)})
    assert sent_once(platform, tokens_of(zalo), message(to(phone="0912000001"))).words == NO_WAY


@pytest.mark.parametrize(
    ("recipient", "kind", "way", "what"),
    [
        pytest.param(person(), NoticeKind.REMINDER, OA, "official account", id="person"),
        pytest.param(to(phone=PHONE), NoticeKind.REMINDER, BY_PHONE, "official account", id="telephone"),
        pytest.param(to(group_id=GROUP), NoticeKind.OPENING, Way.ZALO_GROUP, "official account", id="group"),
        pytest.param(to(chat_id=CHAT), NoticeKind.REMINDER, Way.ZALO_BOT, "bot", id="chat"),
    ],
)
def test_way_that_is_not_set_up_holds_nothing_up(
    zalo: FakeZalo, recipient: ZaloRecipient, kind: NoticeKind, way: Way, what: str
) -> None:
    platform = platform_of(zalo, app=None, bot_token=None)
    receipt = sent_once(platform, None, message(recipient, kind=kind))
    assert receipt == Receipt(PERMANENT, words=f"no {what} is set up", way=way, is_shown=True)
    assert paths(zalo) == []


TEXTS = [
    pytest.param("ế" * 2000, True, id="2000"),
    pytest.param("ế" * 2001, False, id="2001"),
    pytest.param(unicodedata.normalize("NFD", TEXT), False, id="decomposed"),
    pytest.param("", False, id="empty"),
    pytest.param(" \n", False, id="blank"),
    pytest.param("-", True, id="one-character"),
]


@pytest.mark.parametrize(("text", "goes"), TEXTS)
@pytest.mark.parametrize("way", [OA, Way.ZALO_GROUP, Way.ZALO_BOT])
def test_text_is_checked_before_a_call(zalo: FakeZalo, way: Way, text: str, goes: bool) -> None:
    receipt = sent_once(arranged_for(zalo, way), tokens_of(zalo), only_over(way, text=text))
    if goes:
        assert (receipt.outcome, len(zalo.received)) == (ACCEPTED, 1)
        return
    words = "the text is empty, too long or not in NFC"
    assert receipt == Receipt(PERMANENT, words=words, way=way, is_shown=True)
    assert paths(zalo) == []


def test_text_that_cannot_go_leaves_the_template(zalo: FakeZalo) -> None:
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person(), text="x" * 2001))
    assert outcomes(receipts) == [(OA, PERMANENT, ""), (BY_UID, ACCEPTED, "0")]


def test_fault_of_ours_before_a_call_is_a_receipt(zalo: FakeZalo) -> None:
    naive = message(person(last_interaction_at=LATELY.replace(tzinfo=None)))
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), naive)
    assert receipt == Receipt(TRANSIENT, words="TypeError", way=OA)


def test_tokens_that_break_are_a_receipt(zalo: FakeZalo) -> None:
    class Broken(Pairs):
        def current(self) -> str:
            raise OSError("database away")

    receipt = sent_once(platform_of(zalo), Broken("x"), message(person()))
    assert receipt == Receipt(TRANSIENT, words="the access token could not be renewed now", way=OA)
    assert paths(zalo) == []


def test_token_renewed_elsewhere_puts_the_letter_off(zalo: FakeZalo) -> None:
    worn = zalo.pair()[0]
    zalo.expire_access_tokens()
    receipt = sent_once(platform_of(zalo), Pairs(worn, [NotRenewed("elsewhere")]), message(person()))
    assert (receipt.outcome, zalo.received) == (TRANSIENT, [])


def test_unknown_outcome_of_the_second_way_ends_it(zalo: FakeZalo) -> None:
    zalo.faults.next(-230)
    zalo.faults.drop()
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts) == [(OA, PERMANENT, "-230"), (BY_UID, UNKNOWN, "")]
    assert [each.host for each in zalo.received] == ["oa"]
