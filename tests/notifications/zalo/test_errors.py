"""Every error code Zalo publishes does what its table says, asked over HTTP; and tokens that are refused."""

import re

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeZalo
from notifications.zalo.platform import NeedsConsent, NotRenewed
from rules.sending import Outcome, Pause, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    CONFIGURATION,
    ONLY,
    PERMANENT,
    TRANSIENT,
    UNKNOWN,
    Pairs,
    arranged_for,
    only_over,
    platform_at,
    saying,
    send,
    sent_once,
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


CODES_OF_ROW = re.compile(r"((?:-?\d+ )+)(.+)")


def rows(table: str, *ways: Way) -> list[object]:
    """Return each code of a table with its action, for each way of its host."""
    found: list[object] = []
    for line in table.strip().splitlines():
        codes, action = CODES_OF_ROW.fullmatch(line).groups()  # type: ignore[union-attr]
        for way in ways:
            found += [pytest.param(way, int(code), action, id=f"{way}{code}") for code in codes.split()]
    return found


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


def test_invalid_field_that_is_not_the_person_is_shown() -> None:
    with saying({"error": -201, "message": "text is invalid!"}) as (addresses, _):
        receipt = sent_once(platform_at(addresses), Pairs("access"), only_over(Way.ZALO_OA))
    assert (receipt.code, made(receipt)) == ("-201", MAKES["PAYLOAD"])


@pytest.mark.parametrize("code", [400, 404])
def test_unknown_chat_is_the_persons_and_not_shown(code: int) -> None:
    told = {"ok": False, "description": "Bad Request: chat not found", "error_code": code}
    with saying(told) as (addresses, _):
        receipt = sent_once(platform_at(addresses), None, only_over(Way.ZALO_BOT))
    assert (receipt.code, made(receipt)) == (str(code), MAKES["RECIPIENT"])
