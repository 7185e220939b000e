"""Which ways a message takes over Zalo, in which order, and where it stops; asked of a fake Zalo."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakePhone, FakeZalo
from notifications.zalo.platform import NotRenewed, TemplateUse, ZaloRecipient
from rules.notices import NoticeKind
from rules.sending import MAY_GO_TO_A_GROUP, Outcome, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    CHAT,
    CONFIGURATION,
    GROUP,
    LATELY,
    NOW,
    PERMANENT,
    PHONE,
    TEMPLATE,
    TEXT,
    TRANSIENT,
    UID,
    UNKNOWN,
    USES,
    Pairs,
    arranged_for,
    furnished,
    message,
    only_over,
    outcomes,
    paths,
    platform_at,
    platform_of,
    saying,
    send,
    sent_once,
    to,
    tokens_of,
)

OA, BY_UID, BY_PHONE = Way.ZALO_OA, Way.ZBS_UID, Way.ZBS_PHONE
CONSULT, ASK = "oa/v3.0/oa/message/cs", "oa/v3.0/oa/quota/message"
TO_UID, TO_PHONE = "oa/v3.0/oa/message/template", "zbs/message/template"
TO_GROUP, READ = "oa/v3.0/oa/group/message", "zbs/template/info/v2"
MINUTE = timedelta(minutes=1)
WINDOW = timedelta(days=7) - timedelta(hours=1)
NO_WAY = "no way that can work: no template for reminder, no open window"


@pytest.fixture(scope="module")
def server() -> Iterator[FakeZalo]:
    with FakeZalo(clock=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def zalo(server: FakeZalo) -> FakeZalo:
    """Return a fake where everything is as it should be."""
    server.received.clear()
    server.calls.clear()
    return furnished(server)


def person(**more: object) -> ZaloRecipient:
    """Return a person with a UID and a telephone, whose window is open unless told otherwise."""
    return replace(to(uid=UID, phone="0912 000 001", last_interaction_at=LATELY), **more)  # type: ignore[arg-type]


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
        pytest.param(timedelta(days=400), False, id="long-ago"),
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


def test_window_that_could_not_be_asked_about_leaves_the_template(zalo: FakeZalo) -> None:
    del zalo.users[UID]
    zalo.users["another"] = replace(zalo.users.get("another") or furnished(zalo).users[UID])
    del zalo.users[UID]
    receipts = send(platform_of(zalo), tokens_of(zalo), message(person(last_interaction_at=None)))
    assert [outcomes(each) for each in receipts] == [[(BY_UID, PERMANENT, "-201"), (BY_PHONE, ACCEPTED, "0")]]
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


def test_window_shut_and_no_template_reaches_nobody(zalo: FakeZalo) -> None:
    zalo.users[UID].last_interaction = None
    one = message(person(last_interaction_at=None))
    receipt = sent_once(platform_of(zalo, templates={}), tokens_of(zalo), one)
    assert receipt == Receipt(PERMANENT, words=NO_WAY, way=OA)
    assert paths(zalo) == [ASK]


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
