"""What approved templates are filled with, and what is refused before anything is sent."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeParam, FakeTemplate, FakeZalo
from notifications.zalo.platform import TemplateUse
from notifications.zalo.templates import Param, Template, Unfit, filled, read_template
from rules.notices import NoticeKind
from rules.sending import Outcome
from tests.notifications.zalo.sending import (
    ACCEPTED,
    BY_PHONE,
    BY_UID,
    CONFIGURATION,
    FIELDS,
    PERMANENT,
    READ,
    TEMPLATE,
    TO_PHONE,
    TO_UID,
    TRANSIENT,
    UID,
    Pairs,
    message,
    paths,
    platform_at,
    platform_of,
    saying,
    send,
    sent_once,
    to,
    tokens_of,
)

TO_A_PHONE = message(to(phone="0912000001"))
BEFORE = "trước ngày 22/11/2021"  # 21 characters


def fill(param: Param, *forms: str) -> dict[str, str] | Unfit:
    return filled(Template("t", "ENABLE", (param,)), {param.name: "han"}, {"han": forms} if forms else {})


@pytest.mark.parametrize(
    ("param", "forms", "data"),
    [
        pytest.param(Param("p", 21), [BEFORE, "22/11/2021"], BEFORE, id="best-form-at-its-limit"),
        pytest.param(Param("p", 20), [BEFORE, "22/11/2021"], "22/11/2021", id="next-form-one-below"),
        pytest.param(
            Param("p", 30, is_date=True), [BEFORE, "22/11/2021"], "22/11/2021", id="date-takes-no-words"
        ),
        pytest.param(Param("p", is_date=True), ["17:00 19/11/2021"], "17:00 19/11/2021", id="hour-and-day"),
        pytest.param(Param("p", is_date=True), ["17:00:00 19/11/2021"], "17:00:00 19/11/2021", id="seconds"),
        pytest.param(Param("p", is_date=True), ["11/2021"], "11/2021", id="month"),
        pytest.param(Param("p", is_date=True), ["17:00"], "17:00", id="hour"),
        pytest.param(Param("p", 10, 3), ["ab", "abc"], "abc", id="at-its-least"),
        pytest.param(Param("p", 3), ["", "abc"], "abc", id="empty-form-is-none"),
        pytest.param(Param("p", 2), [unicodedata.normalize("NFD", "ếệ")], "ếệ", id="counted-in-nfc"),
        pytest.param(Param("p", 20, is_required=False), ["x" * 20], "x" * 20, id="one-that-may-be-missing"),
    ],
)
def test_parameter_takes_the_first_form_that_fits(param: Param, forms: list[str], data: str) -> None:
    assert fill(param, *forms) == {"p": data}


@pytest.mark.parametrize(
    ("param", "forms", "problem"),
    [
        pytest.param(Param("p", 20), [BEFORE], "no form of han fits", id="one-too-long"),
        pytest.param(Param("p", 30, 22), [BEFORE], "no form of han fits", id="one-too-short"),
        pytest.param(Param("p", 20, is_date=True), ["19-11-2021"], "no form of han fits", id="no-date"),
        pytest.param(
            Param("p", 20, is_date=True), ["19/11/2021 "], "no form of han fits", id="date-and-more"
        ),
        pytest.param(Param("p", 20), [""], "no form of han fits", id="empty"),
        pytest.param(Param("p", 20), [], "this letter has no field han", id="none"),
    ],
)
def test_template_is_unfit_where_nothing_fits(param: Param, forms: list[str], problem: str) -> None:
    assert fill(param, *forms) == Unfit(f"parameter p of template t: {problem}")


def test_parameter_that_may_be_missing_is_left_out() -> None:
    template = Template("t", "ENABLE", (Param("a"), Param("b", is_required=False), Param("c", 1, 0, False)))
    assert filled(template, {"a": "x", "b": "y", "c": "x"}, {"x": ("mẫu",)}) == {"a": "mẫu"}


def test_required_parameter_needs_a_field() -> None:
    template = Template("t", "ENABLE", (Param("a"), Param("b")))
    unfit = Unfit("parameter b of template t: no field is named to fill it with")
    assert filled(template, {"a": "x"}, {"x": ("mẫu",)}) == unfit


def test_parameters_the_template_does_not_have_are_told() -> None:
    template = Template("t", "ENABLE", (Param("a"),))
    named = {"a": "x", "z": "x", "b": "x"}
    assert filled(template, named, {"x": ("mẫu",)}) == Unfit("template t has no parameter b, z")


@pytest.mark.parametrize(
    ("told", "param"),
    [
        pytest.param({"maxLength": 30, "minLength": 2, "require": True}, Param("p", 30, 2), id="numbers"),
        pytest.param(
            {"maxLength": "30", "minLength": "2", "require": "true", "acceptNull": "false"},
            Param("p", 30, 2),
            id="texts",
        ),
        pytest.param({}, Param("p", 200), id="nothing"),
        pytest.param({"maxLength": None, "minLength": "?"}, Param("p", 200), id="nothing-that-can-be-read"),
        pytest.param({"require": False}, Param("p", 200, is_required=False), id="not-required"),
        pytest.param({"require": "false"}, Param("p", 200, is_required=False), id="not-required-as-text"),
        pytest.param(
            {"require": True, "acceptNull": True}, Param("p", 200, is_required=False), id="null-accepted"
        ),
        pytest.param({"type": "DATE"}, Param("p", 20, is_date=True), id="date"),
        pytest.param({"type": "DATE", "maxLength": 90}, Param("p", 20, is_date=True), id="long-date"),
        pytest.param({"type": "DATE", "maxLength": 10}, Param("p", 10, is_date=True), id="short-date"),
    ],
)
def test_parameter_is_read_as_zalo_describes_it(told: Mapping[str, Any], param: Param) -> None:
    described = {"status": "ENABLE", "listParams": [{"name": "p", **told}]}
    assert read_template("t", described) == Template("t", "ENABLE", (param,))


@pytest.mark.parametrize("listed", [None, "p", {"name": "p"}, ["p", None, {}]])
def test_list_of_parameters_that_is_none_is_empty(listed: object) -> None:
    assert read_template("t", {"listParams": listed}) == Template("t", "unknown", ())


def test_template_is_filled_with_what_fits_it(zalo: FakeZalo) -> None:
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), TO_A_PHONE)
    assert (receipt.outcome, receipt.said) == (ACCEPTED, "don_vi: Phường MẪU\nthoi_han: 22/11/2021")
    assert zalo.received[0].body["template_data"] == {"don_vi": "Phường MẪU", "thoi_han": "22/11/2021"}


@pytest.mark.parametrize("length", [1, 29, 30])
def test_value_of_any_length_that_is_allowed_is_taken(zalo: FakeZalo, length: int) -> None:
    fields = {**FIELDS, "ten": (unicodedata.normalize("NFD", "ế") * length,)}
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), message(to(phone="0912000001"), fields=fields))
    assert (receipt.outcome, zalo.received[0].body["template_data"]["don_vi"]) == (ACCEPTED, "ế" * length)


@pytest.mark.parametrize(
    ("fields", "uses", "problem"),
    [
        pytest.param(
            {**FIELDS, "ten": ("x" * 31,)},
            {"don_vi": "ten", "thoi_han": "han"},
            f"parameter don_vi of template {TEMPLATE}: no form of ten fits",
            id="too-long",
        ),
        pytest.param(
            {"ten": ("Phường MẪU",)},
            {"don_vi": "ten", "thoi_han": "han"},
            f"parameter thoi_han of template {TEMPLATE}: this letter has no field han",
            id="missing",
        ),
        pytest.param(
            FIELDS,
            {"don_vi": "ten", "thoi_han": "han", "so_tien": "ten"},
            f"template {TEMPLATE} has no parameter so_tien",
            id="unknown",
        ),
    ],
)
@pytest.mark.parametrize("way", [BY_UID, BY_PHONE])
def test_message_that_does_not_fit_is_shown_and_not_sent(
    zalo: FakeZalo, way: object, fields: dict[str, Any], uses: dict[str, str], problem: str
) -> None:
    zalo.users[UID].last_interaction = None
    platform = platform_of(zalo, templates={NoticeKind.REMINDER: TemplateUse(TEMPLATE, uses)})
    recipient = to(phone="0912000001", uid=UID if way is BY_UID else None)
    receipt = sent_once(platform, tokens_of(zalo), message(recipient, fields=fields))
    assert (receipt.way, receipt.outcome, receipt.words, receipt.is_shown) == (way, PERMANENT, problem, True)
    assert paths(zalo)[-1] == READ


@pytest.mark.parametrize("status", ["PENDING_REVIEW", "REJECT", "DISABLE", "DELETE"])
def test_template_that_is_not_enabled_holds_the_channel(zalo: FakeZalo, status: str) -> None:
    zalo.templates[TEMPLATE].status = status
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), TO_A_PHONE)
    words = f"template {TEMPLATE} is not enabled: {status}"
    assert receipt == Receipt(CONFIGURATION, words=words, way=BY_PHONE)
    assert paths(zalo) == [READ]


def test_template_that_zalo_does_not_know_is_shown(zalo: FakeZalo) -> None:
    zalo.templates.clear()
    receipt = sent_once(platform_of(zalo), tokens_of(zalo), TO_A_PHONE)
    words = "Template ID is invalid"
    assert receipt == Receipt(PERMANENT, "-109", words=words, way=BY_PHONE, is_shown=True)
    assert paths(zalo) == [READ]


def test_template_is_asked_about_once_in_a_run(zalo: FakeZalo) -> None:
    zalo.templates["500002"] = FakeTemplate("500002", (FakeParam("don_vi"),))
    uses = {
        NoticeKind.REMINDER: TemplateUse(TEMPLATE, {"don_vi": "ten", "thoi_han": "han"}),
        NoticeKind.RETURNED: TemplateUse("500002", {"don_vi": "ten"}),
    }
    returned = message(to(phone="0912000001"), kind=NoticeKind.RETURNED)
    send(platform_of(zalo, templates=uses), tokens_of(zalo), TO_A_PHONE, returned, TO_A_PHONE, returned)
    assert paths(zalo) == [READ, TO_PHONE, READ, TO_PHONE, TO_PHONE, TO_PHONE]
    assert TO_UID not in paths(zalo)


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        pytest.param(b"", TRANSIENT, "", id="empty"),
        pytest.param(b"<html>", TRANSIENT, "", id="page"),
        pytest.param({"error": -100, "message": "try later"}, TRANSIENT, "-100", id="unsure-of-nothing-sent"),
        pytest.param({"error": -131, "message": "not approved"}, CONFIGURATION, "-131", id="not-approved"),
        pytest.param({"error": -124, "message": "invalid"}, CONFIGURATION, "-124", id="token-refused-twice"),
        pytest.param({"error": -99999}, TRANSIENT, "-99999", id="unknown-code"),
    ],
)
def test_template_that_cannot_be_asked_about_sends_nothing(body: object, outcome: Outcome, code: str) -> None:
    uses = {NoticeKind.REMINDER: TemplateUse(TEMPLATE, {"don_vi": "ten"})}
    with saying(body) as (addresses, said):
        platform = platform_at(addresses, templates=uses)
        receipt = sent_once(platform, Pairs("access", ["other"]), TO_A_PHONE)
    assert (receipt.way, receipt.outcome, receipt.code) == (BY_PHONE, outcome, code)
    assert {path for path, _, _ in said.asked} == {f"/zbs/template/info/v2?template_id={TEMPLATE}"}
