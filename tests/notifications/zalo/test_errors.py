"""Every error code Zalo publishes does what its table says, asked over HTTP; and what was never answered."""

from collections.abc import Iterator

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeTemplate, FakeZalo
from notifications.zalo.platform import NeedsConsent, NotRenewed, ZaloAddresses
from rules.sending import Outcome, Pause, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    CONFIGURATION,
    KEY,
    NOW,
    ONLY,
    PERMANENT,
    TEMPLATE,
    TEXT,
    TRANSIENT,
    UNKNOWN,
    Pairs,
    arranged_for,
    furnished,
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

# What the tables call the actions: outcome, pause, tries at most, whether the office is told.
Made = tuple[Outcome, Pause | None, int | None, bool]
MAKES: dict[str, Made] = {
    "CONFIG": (CONFIGURATION, None, None, False),
    "RETRY": (TRANSIENT, None, 5, False),
    "RETRY <= 2": (TRANSIENT, None, 2, False),
    "RE-UPLOAD": (TRANSIENT, None, 2, False),
    "NEXT MINUTE": (TRANSIENT, Pause.NEXT_MINUTE, None, False),
    "TOMORROW": (TRANSIENT, Pause.TOMORROW, None, False),
    "NEXT MONTH": (TRANSIENT, Pause.NEXT_MONTH, None, False),
    "MORNING": (TRANSIENT, Pause.MORNING, None, False),
    "RECIPIENT": (PERMANENT, None, None, False),
    "PAYLOAD": (PERMANENT, None, None, True),
    "UNSURE": (UNKNOWN, None, None, False),
    "UNKNOWN CODE": (TRANSIENT, None, 3, True),
}

# Zalo's tables row by row, as they were published (zalo-contract.md §10.1, §10.2, §11).
OA = """
-32 NEXT MINUTE
-100 RE-UPLOAD
-200 RETRY <= 2
-201 RECIPIENT
-202 CONFIG
-204 -205 CONFIG
-209 CONFIG
-210 PAYLOAD
-211 TOMORROW
-212 CONFIG
-213 RECIPIENT
-214 RETRY
-217 RECIPIENT
-218 TOMORROW
-219 CONFIG
-221 CONFIG
-223 CONFIG
-224 CONFIG
-227 RECIPIENT
-230 -232 RECIPIENT
-233 PAYLOAD
-234 MORNING
-235 CONFIG
-237 CONFIG
-238 -241 CONFIG
-240 PAYLOAD
-242 CONFIG
-244 RECIPIENT
-248 PAYLOAD
-249 PAYLOAD
-305 RECIPIENT
-311 TOMORROW
-320 -321 CONFIG
-403 CONFIG
-99999 UNKNOWN CODE
7 UNKNOWN CODE
"""
ZBS = """
-100 UNSURE
-101 -102 -103 -104 -105 CONFIG
-106 -107 -109 -1091 -111 -112 -1121 -1122 -1123 -1124 -113 -1131 -116 -121 -122 -123 PAYLOAD
-128 -129 -130 -132 -153 -161 -162 PAYLOAD
-108 RECIPIENT
-110 RECIPIENT
-114 RECIPIENT
-115 CONFIG
-117 -120 -1201 -1202 -135 -1351 -136 -137 -138 -1381 -145 CONFIG
-118 -119 RECIPIENT
-1241 CONFIG
-125 CONFIG
-126 -127 CONFIG
-131 -146 CONFIG
-133 MORNING
-134 -139 -140 -141 RECIPIENT
-142 -143 CONFIG
-144 -1441 TOMORROW
-147 TOMORROW
-1471 NEXT MONTH
-1472 TOMORROW
-148 -149 -150 -151 -152 -1491 PAYLOAD
-158 -159 PAYLOAD
-160 TOMORROW
-32 UNKNOWN CODE
-99999 UNKNOWN CODE
"""
BOT = """
400 404 PAYLOAD
401 CONFIG
403 408 RETRY
429 RETRY
500 502 503 504 RETRY
418 UNKNOWN CODE
"""
ALL_WAYS = [pytest.param(way, id=way.value) for way in ONLY]


def rows(table: str, *ways: Way) -> list[object]:
    """Return each code of a table with its action, for each way of its host."""
    found = []
    for line in table.strip().splitlines():
        codes = [word for word in line.split() if word.lstrip("-").isdigit() and word != "2"]
        action = line[line.rindex(codes[-1]) + len(codes[-1]) :].strip()
        found += [
            pytest.param(way, int(code), action, id=f"{way.value}{code}") for code in codes for way in ways
        ]
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[FakeZalo]:
    with FakeZalo(clock=lambda: NOW) as fake:
        yield furnished(fake)


@pytest.fixture
def zalo(server: FakeZalo) -> FakeZalo:
    server.received.clear()
    server.calls.clear()
    return server


def made(receipt: Receipt) -> Made:
    return receipt.outcome, receipt.pause, receipt.most_tries, receipt.is_shown


@pytest.mark.parametrize(
    ("way", "code", "action"),
    [
        *rows(OA, Way.ZALO_OA, Way.ZBS_UID, Way.ZALO_GROUP),
        *rows(ZBS, Way.ZBS_PHONE),
        *rows(BOT, Way.ZALO_BOT),
    ],
)
def test_code_does_what_its_table_says(zalo: FakeZalo, way: Way, code: int, action: str) -> None:
    platform, tokens = arranged_for(zalo, way), tokens_of(zalo)
    zalo.faults.next(code)
    receipt = sent_once(platform, tokens, only_over(way))
    assert (receipt.way, receipt.code, made(receipt)) == (way, str(code), MAKES[action])
    assert (zalo.received, tokens.refused) == ([], [])
    assert receipt.words != ""


REFUSED_TOKEN = [
    pytest.param(Way.ZALO_OA, -216, id="oa-216"),
    pytest.param(Way.ZALO_OA, -220, id="oa-220"),
    pytest.param(Way.ZBS_UID, -216, id="uid-216"),
    pytest.param(Way.ZBS_UID, -220, id="uid-220"),
    pytest.param(Way.ZALO_GROUP, -216, id="group-216"),
    pytest.param(Way.ZALO_GROUP, -220, id="group-220"),
    pytest.param(Way.ZBS_PHONE, -124, id="phone-124"),
]


@pytest.mark.parametrize(("way", "code"), REFUSED_TOKEN)
def test_refused_token_is_renewed_and_the_call_repeated(zalo: FakeZalo, way: Way, code: int) -> None:
    platform, tokens = arranged_for(zalo, way), tokens_of(zalo)
    first = tokens.access
    zalo.faults.next(code)
    receipt = sent_once(platform, tokens, only_over(way))
    assert (receipt.outcome, len(zalo.received), tokens.refused) == (ACCEPTED, 1, [first])


@pytest.mark.parametrize(("way", "code"), REFUSED_TOKEN)
def test_token_refused_twice_is_not_renewed_again(zalo: FakeZalo, way: Way, code: int) -> None:
    platform, tokens = arranged_for(zalo, way), tokens_of(zalo)
    zalo.faults.next_many([code, code])
    receipt = sent_once(platform, tokens, only_over(way))
    assert (receipt.code, made(receipt)) == (str(code), MAKES["CONFIG"])
    assert (len(tokens.refused), zalo.received) == (1, [])


@pytest.mark.parametrize("way", [way for way in ONLY if way is not Way.ZALO_BOT])
def test_expired_token_is_renewed_once_for_a_whole_run(zalo: FakeZalo, way: Way) -> None:
    platform = arranged_for(zalo, way)
    worn = zalo.pair()[0]
    zalo.expire_access_tokens()
    tokens = Pairs(worn, [zalo.pair()[0]])
    receipts = send(platform, tokens, only_over(way), only_over(way))
    assert [each[-1].outcome for each in receipts] == [ACCEPTED, ACCEPTED]
    assert (len(zalo.received), tokens.refused) == (2, [worn])


def test_proof_belongs_to_the_token_it_goes_with(zalo: FakeZalo) -> None:
    platform, tokens = arranged_for(zalo, Way.ZALO_OA), tokens_of(zalo)
    zalo.state.requires_proof = True
    try:
        zalo.faults.next(-216)
        assert sent_once(platform, tokens, only_over(Way.ZALO_OA)).outcome is ACCEPTED
    finally:
        zalo.state.requires_proof = False
    proofs = [each.headers["appsecret_proof"] for each in zalo.calls]
    assert [len(each) for each in proofs] == [64, 64]
    assert proofs[0] != proofs[1]


@pytest.mark.parametrize(
    ("raised", "outcome", "words"),
    [
        pytest.param(
            NeedsConsent("broken_off"),
            CONFIGURATION,
            "an administrator of the official account must consent again",
            id="consent",
        ),
        pytest.param(
            NotRenewed("elsewhere"), TRANSIENT, "the access token could not be renewed now", id="later"
        ),
        pytest.param(
            RuntimeError("database"), TRANSIENT, "the access token could not be renewed now", id="bug"
        ),
    ],
)
def test_token_that_cannot_be_renewed_sends_nothing(
    zalo: FakeZalo, raised: Exception, outcome: Outcome, words: str
) -> None:
    platform, tokens = arranged_for(zalo, Way.ZALO_OA), Pairs(zalo.pair()[0], [raised])
    zalo.faults.next(-216)
    receipt = sent_once(platform, tokens, only_over(Way.ZALO_OA))
    assert receipt == Receipt(outcome, words=words, way=Way.ZALO_OA)
    assert zalo.received == []


@pytest.mark.parametrize("way", [way for way in ONLY if way is not Way.ZALO_BOT])
def test_no_token_at_all_asks_for_consent_without_a_call(zalo: FakeZalo, way: Way) -> None:
    receipt = sent_once(arranged_for(zalo, way), Pairs(""), only_over(way))
    words = "an administrator of the official account must consent again"
    assert receipt == Receipt(CONFIGURATION, words=words, way=way)
    assert zalo.calls == []


def test_invalid_field_that_is_not_the_person_is_shown(zalo: FakeZalo) -> None:
    platform, tokens = arranged_for(zalo, Way.ZBS_UID), tokens_of(zalo)
    zalo.templates["500002"] = FakeTemplate("500002", by_uid=True)
    with saying({"error": -201, "message": "text is invalid!"}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), tokens, only_over(Way.ZALO_OA))
    assert (receipt.code, made(receipt)) == ("-201", MAKES["PAYLOAD"])
    assert platform.addresses == zalo.addresses


@pytest.mark.parametrize("code", [400, 404])
def test_unknown_chat_is_the_persons_and_not_shown(code: int) -> None:
    told = {"ok": False, "description": "Bad Request: chat not found", "error_code": code}
    with saying(told) as (addresses, _):
        receipt = sent_once(platform_at(addresses), None, only_over(Way.ZALO_BOT))
    assert (receipt.code, made(receipt)) == (str(code), MAKES["RECIPIENT"])


FAULTS = {
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


@pytest.mark.parametrize("way", ALL_WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_lost_answer_leaves_the_outcome_unknown(zalo: FakeZalo, way: Way, fault: str) -> None:
    one = only_over(way)
    if way in (Way.ZALO_OA, Way.ZBS_UID):
        one = message(to(uid=one.to.uid, phone="0912000001", last_interaction_at=one.to.last_interaction_at))
    arranged_for(zalo, way)
    platform = platform_of(zalo, timeout=0.25 if fault == "hang" else 5.0)
    FAULTS[fault](zalo)
    receipt = sent_once(platform, tokens_of(zalo), one)
    assert (receipt.way, receipt.code, made(receipt)) == (way, "", MAKES["UNSURE"])
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
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert (receipt.code, made(receipt)) == ("", MAKES["UNSURE"])


def test_error_of_a_server_is_believed_by_its_status() -> None:
    with saying({"error": -32, "message": "busy"}, status=503) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert receipt == Receipt(UNKNOWN, words="HTTP 503", way=Way.ZALO_OA)


@pytest.mark.parametrize("way", ALL_WAYS)
def test_host_that_cannot_be_reached_is_tried_again(zalo: FakeZalo, way: Way) -> None:
    with saying({}) as (addresses, _):
        pass  # nobody listens there any more
    arranged_for(zalo, way)
    platform = platform_of(zalo, addresses=addresses)
    ((receipt,),) = send(platform, tokens_of(zalo), only_over(way))
    assert receipt == Receipt(TRANSIENT, words="ConnectError", way=way)


def test_address_that_is_none_is_told_on_by_its_kind() -> None:
    platform = platform_at(ZaloAddresses(oa="http://127.0.0.1:x", zbs="nothing", oauth="", bot="ftp://127.0.0.1"))
    assert send(platform, Pairs("access"), only_over(Way.ZALO_OA), only_over(Way.ZALO_BOT)) == [
        (Receipt(TRANSIENT, words="InvalidURL", way=Way.ZALO_OA),),
        (Receipt(TRANSIENT, words="UnsupportedProtocol", way=Way.ZALO_BOT),),
    ]


@pytest.mark.parametrize("code", ["-213", " -213 ", -213])
def test_code_may_come_as_a_text(code: object) -> None:
    with saying({"error": code, "message": "User has not followed OA"}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert receipt == Receipt(PERMANENT, "-213", words="User has not followed OA", way=Way.ZALO_OA)


def test_error_without_words_is_told_in_ours() -> None:
    with saying({"error": -213}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
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
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert receipt == Receipt(ACCEPTED, "0", provider_id, "Success", way=Way.ZALO_OA)


def test_words_are_one_line_and_not_endless() -> None:
    with saying({"error": -213, "message": "một\n\x00hai " + "x" * 900}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert receipt.words == "một hai " + "x" * 492


def test_connection_closed_while_idle_is_not_written_to() -> None:
    told = {"error": 0, "message": "Success", "data": {"message_id": "m-1"}}
    with saying(told, hangs_up=True) as (addresses, said):
        from_one_run = []
        with_platform = platform_at(addresses)
        for receipts in _one_by_one(with_platform, said.closed):
            from_one_run.append([each.outcome for each in receipts])
    assert (from_one_run, len(said.asked)) == ([[ACCEPTED], [ACCEPTED], [ACCEPTED]], 3)


def _one_by_one(platform, closed):  # type: ignore[no-untyped-def]
    from notifications.zalo.sender import ZaloSender

    with ZaloSender(platform, Pairs("access")) as sender:
        for _ in range(3):
            yield sender.send(only_over(Way.ZALO_OA))
            assert closed.wait(5)
            closed.clear()


def test_key_of_the_letter_is_no_secret_and_goes_along_by_telephone(zalo: FakeZalo) -> None:
    sent_once(arranged_for(zalo, Way.ZBS_PHONE), tokens_of(zalo), only_over(Way.ZBS_PHONE))
    assert [each.body["tracking_id"] for each in zalo.received] == [KEY]
    assert TEXT not in str(zalo.received[0].body)
    assert zalo.received[0].body["template_id"] == TEMPLATE
