"""After each code: whether somebody who could be reached another way is tried that way."""

import pytest

from notifications.zalo.fake import FakeZalo
from rules.sending import Outcome, Way
from tests.notifications.zalo.sending import (
    ACCEPTED,
    BY_PHONE,
    BY_UID,
    OA,
    UID,
    message,
    outcomes,
    person,
    platform_of,
    send,
    tokens_of,
)

# Codes of the account's host (zalo-contract.md §10.1) by what they mean for the ways that are left.
OF_THE_PERSON = [-201, -213, -217, -227, -230, -232, -244, -305]
OF_THE_MESSAGE = [-210, -233, -240, -248]
OF_NO_WAY = [-32, -100, -200, -202, -204, -205, -209, -211, -212, -214, -218, -219, -221, -223, -224, -234]
OF_NO_WAY += [-235, -237, -238, -241, -242, -311, -320, -321, -403, -99999]


@pytest.mark.parametrize("code", [*OF_THE_PERSON, *OF_THE_MESSAGE, -249])
def test_consultation_that_failed_for_good_goes_as_a_template(zalo: FakeZalo, code: int) -> None:
    zalo.faults.next(code)
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts) == [(OA, Outcome.PERMANENT, str(code)), (BY_UID, ACCEPTED, "0")]
    assert [each.body.get("user_id") for each in zalo.received] == [UID]


@pytest.mark.parametrize("code", [*OF_THE_PERSON, -249])
def test_template_that_cannot_reach_the_account_goes_by_telephone(zalo: FakeZalo, code: int) -> None:
    zalo.faults.next_many([-230, code])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts)[1:] == [(BY_UID, Outcome.PERMANENT, str(code)), (BY_PHONE, ACCEPTED, "0")]
    assert [each.host for each in zalo.received] == ["zbs"]


@pytest.mark.parametrize("code", OF_THE_MESSAGE)
def test_template_that_is_wrong_itself_goes_no_other_way(zalo: FakeZalo, code: int) -> None:
    zalo.faults.next_many([-230, code])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert outcomes(receipts)[1:] == [(BY_UID, Outcome.PERMANENT, str(code))]
    assert zalo.received == []


@pytest.mark.parametrize("code", OF_NO_WAY)
@pytest.mark.parametrize("way", [OA, BY_UID])
def test_nothing_else_is_tried_where_the_fault_is_not_the_persons(
    zalo: FakeZalo, way: Way, code: int
) -> None:
    zalo.faults.next_many([code] if way is OA else [-230, code])
    (receipts,) = send(platform_of(zalo), tokens_of(zalo), message(person()))
    assert [(each.way, each.code) for each in receipts[-1:]] == [(way, str(code))]
    assert (len(receipts), zalo.received) == (1 if way is OA else 2, [])
    assert receipts[-1].outcome in (Outcome.TRANSIENT, Outcome.CONFIGURATION)
