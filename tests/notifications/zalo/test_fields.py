"""What a letter offers to an approved template, and which of its forms a template's limits let through."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace

import pytest

from notifications.zalo.compose import compose_zalo, fields
from notifications.zalo.fake import FakeParam, FakeTemplate, FakeZalo
from notifications.zalo.platform import TemplateUse
from rules.letters import Letter
from rules.notices import NoticeKind
from rules.work_items import ItemKind
from tests.letters import CASES, COMMUNE, SOON, reminder
from tests.notifications.zalo.sending import (
    ACCEPTED,
    BY_PHONE,
    PERMANENT,
    READ,
    TEMPLATE,
    outcomes,
    paths,
    platform_of,
    send,
    to,
    tokens_of,
)

FIVE = ("Báo cáo", "Tờ trình", "Biên bản họp", "Bảng điểm", "Danh sách")
IN_PERSON = to(phone="0912000001")


def sent_as(zalo: FakeZalo, letter: Letter, **limits: int) -> Mapping[str, str]:
    """Return what the fake is sent of a letter whose template has one parameter for each field named."""
    params = tuple(FakeParam(name, max_length=limit) for name, limit in limits.items())
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, params)
    platform = platform_of(
        zalo, templates={letter.kind: TemplateUse(TEMPLATE, {name: name for name in limits})}
    )
    (receipts,) = send(platform, tokens_of(zalo), compose_zalo(letter, IN_PERSON))
    assert outcomes(receipts) == [(BY_PHONE, ACCEPTED, "0")]
    found: Mapping[str, str] = zalo.received[-1].body["template_data"]
    return found


@pytest.mark.parametrize(
    ("limit", "han"),
    [
        pytest.param(200, "trước ngày 22/11/2021", id="long"),
        pytest.param(21, "trước ngày 22/11/2021", id="21"),
        pytest.param(20, "trước 22/11/2021", id="20"),
        pytest.param(16, "trước 22/11/2021", id="16"),
    ],
)
def test_deadline_is_said_as_long_as_it_fits(zalo: FakeZalo, limit: int, han: str) -> None:
    assert sent_as(zalo, CASES["reminder_ahead"](), han=limit) == {"han": han}


def test_deadline_in_words_longer_than_a_date_is_said_by_its_hour(zalo: FakeZalo) -> None:
    assert sent_as(zalo, CASES["extended"](), han=20) == {"han": "đến 17:00 30/11/2021"}


@pytest.mark.parametrize(
    ("limit", "con_thieu"),
    [
        pytest.param(53, "Báo cáo, Tờ trình, Biên bản họp, Bảng điểm, Danh sách", id="all-five"),
        pytest.param(52, "Báo cáo, Tờ trình, Biên bản họp và 02 tài liệu khác", id="three"),
        pytest.param(50, "Báo cáo, Tờ trình và 03 tài liệu khác", id="two"),
        pytest.param(36, "Báo cáo và 04 tài liệu khác", id="one"),
        pytest.param(26, "05 tài liệu", id="their-number"),
        pytest.param(11, "05 tài liệu", id="their-number-at-its-limit"),
    ],
)
def test_list_is_shortened_to_what_fits(zalo: FakeZalo, limit: int, con_thieu: str) -> None:
    letter = reminder(ItemKind.DOSSIER, COMMUNE, SOON, of_line={"missing": FIVE, "parts": 5})
    assert sent_as(zalo, letter, con_thieu=limit) == {"con_thieu": con_thieu}


def test_unit_is_named_in_full_where_there_is_room(zalo: FakeZalo) -> None:
    letter = CASES["reminder_ahead"]()
    named = [sent_as(zalo, letter, don_vi=limit)["don_vi"] for limit in (33, 32, 22, 21)]
    assert named == [
        "Ủy ban nhân dân phường Đông Phong",
        "UBND phường Đông Phong",
        "UBND phường Đông Phong",
        "phường Đông Phong",
    ]


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        pytest.param({"han": 15}, "no form of han fits", id="too-short"),
        pytest.param({"con_thieu": 10}, "no form of con_thieu fits", id="list-too-short"),
        pytest.param({"ly_do": 200}, "this letter has no field ly_do", id="not-in-this-letter"),
    ],
)
def test_letter_that_does_not_fit_is_not_sent(
    zalo: FakeZalo, limits: Mapping[str, int], problem: str
) -> None:
    ((name, limit),) = limits.items()
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, (FakeParam(name, max_length=limit),))
    platform = platform_of(zalo, templates={NoticeKind.REMINDER: TemplateUse(TEMPLATE, {name: name})})
    letter = CASES["reminder_ahead"]()
    ((receipt,),) = send(platform, tokens_of(zalo), compose_zalo(letter, IN_PERSON))
    assert (receipt.outcome, receipt.is_shown) == (PERMANENT, True)
    assert receipt.words == f"parameter {name} of template {TEMPLATE}: {problem}"
    assert (zalo.received, paths(zalo)) == ([], [READ])


@pytest.mark.parametrize("name", CASES)
def test_every_field_of_a_letter_is_taken_by_a_template_of_the_longest_class(
    zalo: FakeZalo, name: str
) -> None:
    letter = CASES[name]()
    offered = fields(letter)
    longest = {field: next(form for form in forms if len(form) <= 200) for field, forms in offered.items()}
    assert sent_as(zalo, letter, **dict.fromkeys(offered, 200)) == longest


@pytest.mark.parametrize("name", CASES)
def test_forms_of_a_field_are_plain_and_none_comes_twice(name: str) -> None:
    for forms in fields(CASES[name]()).values():
        assert len(set(forms)) == len(forms) > 0
        for form in forms:
            assert unicodedata.is_normalized("NFC", form)
            assert form == " ".join(form.split()) != ""
            assert "None" not in form


@pytest.mark.parametrize("name", [name for name in CASES if fields(CASES[name]()).get("nhan_den")])
def test_day_of_a_letter_fits_a_parameter_for_dates(zalo: FakeZalo, name: str) -> None:
    letter = CASES[name]()
    zalo.templates[TEMPLATE] = FakeTemplate(TEMPLATE, (FakeParam("den", type="DATE", max_length=20),))
    platform = platform_of(zalo, templates={letter.kind: TemplateUse(TEMPLATE, {"den": "nhan_den"})})
    (receipts,) = send(platform, tokens_of(zalo), compose_zalo(letter, IN_PERSON))
    assert outcomes(receipts) == [(BY_PHONE, ACCEPTED, "0")]
    assert zalo.received[-1].body["template_data"] == {"den": fields(letter)["nhan_den"][0]}


def test_letter_names_itself_by_its_message_id() -> None:
    letter = replace(CASES["reminder_ahead"](), message_id="<0123456789abcdef@congnhan.example>")
    composed = compose_zalo(letter, IN_PERSON)
    assert (composed.key, composed.kind, composed.sent_at) == ("0123456789abcdef", letter.kind, letter.as_of)
