"""Letters read as they are sent. `UPDATE_GOLDEN=1 pytest tests/notifications/test_compose.py` rewrites them.

A golden file holds the subject, the text and the Zalo message of one case: a change of wording is
read there in review. The letters themselves stand in `tests/letters.py`.
"""

import os
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from jinja2 import UndefinedError

from notifications.compose import compose, templates
from notifications.zalo.compose import ZALO_CHARACTERS, render_zalo
from rules.calendar import (
    CITY,
    Before,
    By,
    InYear,
    WithinDays,
    WithinWorkingDays,
    Wording,
)
from rules.letters import (
    Letter,
    Relation,
    Totals,
)
from rules.notices import NoticeKind
from rules.work_items import ItemKind
from tests.letters import (
    AGENCY_HEAD,
    CASES,
    CHAIRMAN,
    COMMUNE,
    CONTACT,
    LATE,
    OFFICER,
    POLICE,
    SOON,
    bare,
    campaign,
    due,
    escalation,
    late,
    one,
    opening,
    reminder,
)

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parents[2] / "notifications" / "templates"

# Doubled blanks and marks, empty or nested brackets, a forgotten fact, "thời hạn … trong thời hạn".
UNTIDY = re.compile(
    r"  |\n\n\n| \n| [,;:.](?!/)|\.\.(?!/)|;\.|,\.|\bNone\b|\(\)|\)\)|thời hạn:? (?:là )?trong thời hạn"
)


def message(found: Letter) -> Any:
    return compose(found, from_name=None, to_address="thu@mau.example")


@pytest.mark.parametrize("name", CASES)
def test_letter_reads_as_in_its_golden_file(name: str) -> None:
    composed = message(CASES[name]())
    read = f"{composed.subject}\n\n{composed.text}\n[Zalo]\n{render_zalo(CASES[name]())}\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(read, encoding="utf-8")
    assert read == golden.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_letter_is_laid_out_as_papers_are(name: str) -> None:
    composed = message(CASES[name]())
    assert "\n" not in composed.subject
    for text in (composed.subject, composed.text):
        assert not re.search(UNTIDY, text)
    begins = re.findall(r"(?:^|\. )(\w)", composed.text, flags=re.MULTILINE)
    assert [letter for letter in begins if letter.islower()] == []
    listed = [each.split("\n") for each in re.findall(r"(?:^- .*\n)+", composed.text, flags=re.MULTILINE)]
    for items in listed:
        assert [item[-1] for item in items[:-2]] == [";"] * (len(items) - 2)
        assert items[-2].endswith(".")


@pytest.mark.parametrize("name", CASES)
def test_same_letter_gives_the_same_bytes(name: str) -> None:
    assert message(CASES[name]()) == message(CASES[name]())


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_its_four_templates_and_a_golden_case(kind: NoticeKind) -> None:
    names = {path.name for path in (TEMPLATES / kind).iterdir()}
    assert {"subject.txt", "body.txt", "body.html", "zalo.txt"} <= names
    assert kind in {make().kind for make in CASES.values()}


@pytest.mark.parametrize("name", CASES)
def test_letter_composes_without_papers_portal_or_telephones(name: str) -> None:
    composed = message(replace(CASES[name](), campaign=bare(), answer_by=None, totals=Totals()))
    assert "None" not in composed.text + composed.html + composed.subject
    assert "http" not in composed.text


TO_NO_SUBORDINATE = [
    name
    for name, make in CASES.items()
    if make().role in ("officer", "unit_head")
    and any(each.unit.relation is not Relation.SUBORDINATE for each in make().lines)
]


@pytest.mark.parametrize("name", TO_NO_SUBORDINATE)
def test_peer_or_superior_is_never_urged(name: str) -> None:
    found = CASES[name]()
    composed = message(found)
    for text in (composed.subject, composed.text, composed.html, render_zalo(found)):
        assert not re.search("yêu cầu|đôn đốc", text, flags=re.IGNORECASE)


@pytest.mark.parametrize("relation", [Relation.PEER, Relation.SUPERIOR])
@pytest.mark.parametrize("kind", NoticeKind)
def test_no_kind_of_letter_urges_a_peer_or_superior(kind: NoticeKind, relation: Relation) -> None:
    unit = replace(POLICE, relation=relation)
    for item in (ItemKind.REVIEW, ItemKind.NOMINATION, ItemKind.DOSSIER):
        for role, to in (("officer", OFFICER), ("unit_head", AGENCY_HEAD)):
            composed = message(one(kind, item, unit, LATE, role=role, to=to))
            assert not re.search("yêu cầu|đôn đốc", composed.subject + composed.text, flags=re.IGNORECASE)


def test_subordinate_is_urged_only_in_the_draft_for_signature() -> None:
    assert "yêu cầu" in message(CASES["escalation_standing_head_draft"]()).text
    assert "yêu cầu" not in message(CASES["escalation_standing_head_draft_to_peer"]()).text


def test_names_are_escaped_in_html_and_plain_in_text() -> None:
    unit = replace(COMMUNE, name="phường <b>Đông & Phong</b>")
    composed = message(reminder(ItemKind.DOSSIER, unit, SOON, to=replace(OFFICER, name="<script>MẪU")))
    assert "&lt;script&gt;MẪU" in composed.html
    assert "&lt;b&gt;Đông &amp; Phong&lt;/b&gt;" in composed.html
    assert "<script>" not in composed.html
    assert "<b>Đông" not in composed.html
    assert "phường <b>Đông & Phong</b>" in composed.text
    table = message(escalation("chairman", CHAIRMAN, late(ItemKind.DOSSIER, unit))).html
    assert "<b>Đông" not in table
    assert "&lt;b&gt;Đông &amp; Phong&lt;/b&gt;" in table


def test_digest_is_a_table_and_launch_a_numbered_list() -> None:
    digest = message(CASES["escalation_chairman"]()).html
    assert digest.count("<table") == 2
    assert digest.count("<tr>") == 2 * (1 + 2)
    assert re.findall(r'<ol start="(\d)"', message(CASES["opening_dossier"]()).html) == list("12345")
    assert "<img" not in digest


def test_name_a_template_does_not_know_raises() -> None:
    with pytest.raises(UndefinedError):
        templates().from_string("{{ letter.no_such_fact }}").render(letter=CASES["receipt"]())
    with pytest.raises(UndefinedError):
        templates().from_string("{{ nothing }}").render()


def test_everything_said_is_nfc() -> None:
    def nfd(text: str) -> str:
        return unicodedata.normalize("NFD", text)

    facts = campaign(title=nfd(campaign().title), short_title=nfd(campaign().short_title))
    found = reminder(
        ItemKind.DOSSIER,
        replace(COMMUNE, name=nfd("phường Quyết Tiến")),
        SOON,
        campaign=facts,
        to=replace(OFFICER, name=nfd(OFFICER.name)),
    )
    assert not unicodedata.is_normalized("NFC", found.lines[0].unit.name)
    composed = message(found)
    for text in (composed.subject, composed.text, composed.html, composed.to_name, render_zalo(found)):
        assert unicodedata.is_normalized("NFC", text)
    assert "phường Quyết Tiến" in composed.text
    assert "công nhận tổ dân phố, bản" in composed.text


def test_message_carries_the_facts_of_its_letter() -> None:
    found = CASES["reminder_ahead"]()
    composed = message(found)
    assert (composed.message_id, composed.sent_at) == (found.message_id, found.as_of)
    assert (composed.to_name, composed.to_address) == (OFFICER.name, "thu@mau.example")
    assert composed.from_name == "Phòng Nội vụ thành phố"
    assert composed.reply_to == "noivu@mau.example"
    assert message(replace(found, campaign=bare())).reply_to == CONTACT.email
    assert compose(found, from_name="Tên MẪU", to_address="a@mau.example").from_name == "Tên MẪU"


def entry(found: Letter) -> Any:
    """Return the one event of the calendar file a letter carries."""
    (attached,) = message(found).attachments
    assert (attached.filename, attached.media_type) == ("thoi-han.ics", "text/calendar; method=PUBLISH")
    calendar = Calendar.from_ical(attached.content)
    assert calendar["METHOD"] == "PUBLISH"
    (event,) = calendar.walk("VEVENT")
    return event


def test_a_dossier_that_lacks_parts_is_told_to_nobody_as_whole() -> None:
    letters = [make() for make in CASES.values()]
    whole = [each for each in letters if "đơn vị đã gửi đủ hồ sơ" in message(each).text]
    assert whole
    for letter in whole:
        text = message(replace(letter, totals=replace(letter.totals, incomplete=1))).text
        assert "đơn vị đã gửi đủ hồ sơ" not in text
        assert "; 01 hồ sơ đã nhận còn thiếu thành phần" in text


def test_a_receipt_for_what_was_completed_says_that_the_first_time_stands() -> None:
    letter = CASES["receipt"]()
    words = "thời điểm tiếp nhận lần đầu không thay đổi"
    assert words not in message(letter).text
    again = replace(letter, lines=tuple(replace(line, round=1) for line in letter.lines))
    assert words in message(again).text


def test_calendar_entry_ends_when_the_deadline_closes() -> None:
    event = entry(CASES["opening_dossier"]())
    assert event.end == datetime(2021, 11, 19, 17, 0, tzinfo=CITY)
    assert event.start == datetime(2021, 11, 19, 16, 30, tzinfo=CITY)
    assert event.stamp == datetime(2021, 11, 12, 0, 30, tzinfo=UTC)
    assert "trước ngày 22/11/2021" in event["DESCRIPTION"]


def test_calendar_entry_keeps_its_uid_from_letter_to_letter() -> None:
    uids = {entry(CASES[name]())["UID"] for name in ("opening_dossier", "reminder_ahead")}
    assert uids == {"lai-chau-2021-dossier-dong-phong@congnhan"}


@pytest.mark.parametrize("name", ["reminder_past", "opening_minutes", "escalation_unit_head", "receipt"])
def test_no_calendar_file_without_a_term_ahead(name: str) -> None:
    assert message(CASES[name]()).attachments == ()


@pytest.mark.parametrize(
    ("wording", "said"),
    [
        pytest.param(Before(date(2021, 11, 22)), "trước ngày 22/11/2021", id="before"),
        pytest.param(By(date(2021, 11, 22)), "chậm nhất ngày 22/11/2021", id="by"),
        pytest.param(By(date(2021, 11, 22), time(9, 5)), "chậm nhất 09h05 ngày 22/11/2021", id="by-hour"),
        pytest.param(
            WithinDays(10, date(2021, 11, 11)), "trong thời hạn 10 ngày kể từ ngày 11/11/2021", id="days"
        ),
        pytest.param(
            WithinWorkingDays(7, date(2021, 11, 11)),
            "trong thời hạn 07 ngày làm việc kể từ ngày 11/11/2021",
            id="working-days",
        ),
        pytest.param(InYear(2021), "trong năm 2021", id="year"),
    ],
)
def test_deadline_is_said_in_the_words_of_its_paper(wording: Wording, said: str) -> None:
    found = opening(ItemKind.DOSSIER, COMMUNE, of_line={"deadline": due(wording)})
    assert message(found).subject.endswith(f", gửi {said}")


def test_zalo_message_is_never_too_long() -> None:
    units = [replace(COMMUNE, code=f"xa-{n}", name=f"xã {'Tên Dài ' * 40}MẪU {n}") for n in range(300)]
    found = escalation("chairman", CHAIRMAN, *[late(ItemKind.DOSSIER, unit) for unit in units])
    assert len(render_zalo(found)) <= ZALO_CHARACTERS
    assert render_zalo(found).endswith("…")


def test_letter_with_nothing_to_say_or_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        message(replace(CASES["receipt"](), lines=()))
    with pytest.raises(ValueError, match="more than one thing"):
        message(replace(CASES["receipt"](), lines=CASES["receipt"]().lines * 2))
