"""Letters read as they are sent. `UPDATE_GOLDEN=1 pytest tests/notifications/test_compose.py` rewrites them.

A golden file holds the subject, the text and the Zalo message of one case: a change of wording is
read there in review. All people are made up and marked so.
"""

import os
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from jinja2 import UndefinedError

from notifications.compose import ZALO_CHARACTERS, compose, render_zalo, templates
from rules.calendar import (
    CITY,
    Before,
    By,
    Deadline,
    InYear,
    WithinDays,
    WithinWorkingDays,
    Wording,
    WorkingCalendar,
    deadline,
)
from rules.letters import (
    Amendment,
    CampaignFacts,
    Letter,
    Line,
    Paper,
    Person,
    Relation,
    StandingOffice,
    Told,
    Totals,
    UnitFacts,
    UnitKind,
    tense,
    working_days_late,
    working_days_left,
)
from rules.notices import NoticeKind
from rules.stages import Mode
from rules.work_items import ItemKind, Lateness, Via

GOLDEN = Path(__file__).parent / "golden"
TEMPLATES = Path(__file__).parents[2] / "notifications" / "templates"
CALENDAR = WorkingCalendar(years=frozenset({2021, 2022}))
PARTS = ("Báo cáo kết quả tự đánh giá", "Tờ trình đề nghị công nhận", "Biên bản họp Hội đồng thẩm định")
LINK = "https://congnhan.mau.example/hs/12"
LATE = "Thu 2021-11-25 08:30"

# Doubled blanks and marks, empty or nested brackets, a forgotten fact, "thời hạn … trong thời hạn".
UNTIDY = re.compile(
    r"  |\n\n\n| \n| [,;:.](?!/)|\.\.(?!/)|;\.|,\.|\bNone\b|\(\)|\)\)|thời hạn:? (?:là )?trong thời hạn"
)


def at(text: str) -> datetime:
    """Read `Fri 2021-11-19 17:00` as city time; the weekday must be the true one."""
    weekday, _, rest = text.partition(" ")
    found = datetime.fromisoformat(rest).replace(tzinfo=CITY)
    assert found.strftime("%a") == weekday
    return found


def person(number: int, title: str, role: str = "officer", **changes: Any) -> Person:
    """Return somebody made up."""
    return Person(
        **{
            "name": f"Họ Tên MẪU {number:02d}",
            "title": title,
            "role": role,
            "email": f"nguoi{number:02d}@mau.example",
            "phone": f"0213 000 {number:04d}",
        }
        | changes
    )


OFFICER = person(1, "Công chức Văn phòng - Thống kê")
CONTACT = person(2, "Chuyên viên")
HEAD = person(3, "Trưởng phòng", "unit_head")
CHAIRMAN = person(4, "Chủ tịch", "chairman")
DEPUTY = person(5, "Phó Chủ tịch", "vice_chairman")
OFFICE = person(6, "Chánh Văn phòng HĐND và UBND thành phố", "office")
COMMUNE_HEAD = person(7, "Chủ tịch", "unit_head")
AGENCY_HEAD = person(8, "Trưởng Công an thành phố", "unit_head")

LAUNCH = Paper("CV", "3701/UBND-NV", date(2021, 11, 11), "thực hiện rà soát, thẩm định năm 2021")
PLAN = Paper("KH", "944/KH-UBND", date(2021, 4, 26))
TEAM = Paper("QĐ", "2085/QĐ-UBND", date(2021, 10, 27))
DECISION = Paper("QĐ", "0000/QĐ-UBND", date(2021, 12, 30))
STANDING = StandingOffice(
    name="phòng Nội vụ thành phố",
    contact=CONTACT,
    head=HEAD,
    address="Số 00, đường MẪU",
    phone="0213 000 0000",
    email="noivu@mau.example",
)


def campaign(**changes: Any) -> CampaignFacts:
    """Return the campaign of letter 3701 as it stands after the letter."""
    return CampaignFacts(
        **{
            "code": "lai-chau-2021",
            "title": "Công nhận tổ dân phố, bản tự quản, phát triển toàn diện năm 2021",
            "short_title": "tự quản, phát triển toàn diện năm 2021",
            "year": 2021,
            "organiser": "Ủy ban nhân dân thành phố Lai Châu",
            "standing": STANDING,
            "mode": Mode.DOSSIER,
            "launch": LAUNCH,
            "plan": PLAN,
            "team": TEAM,
            "amendment": Amendment(LAUNCH, Mode.DOSSIER, "dịch bệnh Covid-19"),
            "dossier_parts": PARTS,
            "link": LINK,
        }
        | changes
    )


def bare() -> CampaignFacts:
    """Return a campaign of which no paper, no portal and no telephone is known."""
    office = replace(
        STANDING,
        contact=replace(CONTACT, phone=None),
        head=replace(HEAD, phone=None, email=None),
        address=None,
        phone=None,
        email=None,
    )
    return campaign(
        launch=None, plan=None, team=None, amendment=None, dossier_parts=(), link=None, standing=office
    )


COMMUNE = UnitFacts("dong-phong", "phường Đông Phong", UnitKind.COMMUNE, Relation.SUBORDINATE, 9, OFFICER)
OTHER = UnitFacts("san-thang", "xã San Thàng", UnitKind.COMMUNE, Relation.SUBORDINATE, 0)
AGENCY = UnitFacts("phong-kinh-te", "phòng Kinh tế thành phố", UnitKind.AGENCY, Relation.SUBORDINATE)
POLICE = UnitFacts("cong-an", "Công an thành phố", UnitKind.FORCE, Relation.PEER)
FRONT = UnitFacts("mttq", "Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh", UnitKind.FRONT, Relation.SUPERIOR)
GROUP = UnitFacts("to-1", "tổ dân phố MẪU 01", UnitKind.GROUP, Relation.SUBORDINATE)
ORGANISER = UnitFacts("ubnd", "Ủy ban nhân dân thành phố Lai Châu", UnitKind.GOVERNMENT, Relation.SUPERIOR)
NOI_VU = UnitFacts("phong-noi-vu", "phòng Nội vụ thành phố", UnitKind.AGENCY, Relation.SUBORDINATE)


def due(wording: Wording) -> Deadline:
    """Return what a wording means."""
    return deadline(wording, CALENDAR)


DOSSIERS_DUE = due(Before(date(2021, 11, 22)))
REVIEWS_DUE = due(WithinWorkingDays(7, date(2021, 11, 22)))
DECISION_DUE = due(InYear(2021))


def line(kind: NoticeKind, item: ItemKind, unit: UnitFacts, now: datetime, **changes: Any) -> Line:
    """Return a line about an item of which nothing has come in, with what follows from its deadline."""
    facts: dict[str, Any] = {
        ItemKind.DOSSIER: {"deadline": DOSSIERS_DUE, "missing": PARTS, "parts": len(PARTS)},
        ItemKind.REVIEW: {"deadline": REVIEWS_DUE, "branches": ("I", "II")},
        ItemKind.DECISION: {"deadline": DECISION_DUE},
    }.get(item, {}) | changes
    if meant := facts.get("deadline"):
        facts = {
            "tense": tense(meant, now, CALENDAR),
            "working_days_left": working_days_left(meant, now, CALENDAR),
            "working_days_late": working_days_late(meant, now, CALENDAR),
        } | facts
    return Line(kind=kind, item=item, unit=unit, **facts)


def letter(kind: NoticeKind, *lines: Line, now: datetime, **changes: Any) -> Letter:
    """Return a letter to the officer of a commune."""
    return Letter(
        **{
            "key": f"lai-chau-2021|{kind}",
            "kind": kind,
            "role": "officer",
            "to": OFFICER,
            "campaign": campaign(),
            "as_of": now,
            "lines": lines,
            "totals": Totals(units=7, handed_in=5, on_time=4, late=1, not_proposing=1, open=2),
            "answer_by": date(2021, 11, 26),
            "message_id": "<0123456789abcdef@congnhan.example>",
        }
        | changes
    )


def one(
    kind: NoticeKind, item: ItemKind, unit: UnitFacts, now: str, of_line: Any = None, **changes: Any
) -> Letter:
    """Return a letter about one thing; `of_line` holds the changes to its line."""
    return letter(kind, line(kind, item, unit, at(now), **(of_line or {})), now=at(now), **changes)


def late_lines(*, reviews: bool = True, copy: int = 0) -> tuple[Line, ...]:
    """Return two late communes and, on request, a late review of a peer and one of a subordinate."""
    now = at(LATE)
    told = Told(3, at("Fri 2021-11-19 07:30"))
    found = [
        line(NoticeKind.ESCALATION, ItemKind.DOSSIER, COMMUNE, now, told=told, copy=copy),
        line(NoticeKind.ESCALATION, ItemKind.DOSSIER, OTHER, now, missing=PARTS[1:], copy=copy),
    ]
    if reviews:
        past = {"deadline": due(By(date(2021, 11, 23), time(11, 0))), "branches": ("IV",), "copy": copy}
        found += [
            line(NoticeKind.ESCALATION, ItemKind.REVIEW, each, now, **past) for each in (AGENCY, POLICE)
        ]
    return tuple(found)


def opening(item: ItemKind, unit: UnitFacts, **changes: Any) -> Letter:
    return one(NoticeKind.OPENING, item, unit, "Fri 2021-11-12 07:30", **changes)


def reminder(item: ItemKind, unit: UnitFacts, now: str, **changes: Any) -> Letter:
    return one(NoticeKind.REMINDER, item, unit, now, **changes)


def escalation(role: str, to: Person, *lines: Line, **changes: Any) -> Letter:
    lines = lines or late_lines()
    return letter(NoticeKind.ESCALATION, *lines, now=at(LATE), role=role, to=to, **changes)


def late(item: ItemKind, unit: UnitFacts, **changes: Any) -> Line:
    return line(NoticeKind.ESCALATION, item, unit, at(LATE), **changes)


SOON = "Tue 2021-11-16 07:30"
LAST = "Fri 2021-11-19 07:30"
DONE_LINE = {
    "missing": (),
    "lateness": Lateness.ON_TIME,
    "received_at": at("Fri 2021-11-19 16:50"),
    "via": Via.PAPER,
    "number": "512",
    "submitted_by": OFFICER,
}

CASES: dict[str, Callable[[], Letter]] = {
    "opening_dossier": lambda: opening(ItemKind.DOSSIER, COMMUNE),
    "opening_dossier_bare": lambda: opening(ItemKind.DOSSIER, OTHER, campaign=bare()),
    "opening_dossier_group": lambda: opening(
        ItemKind.DOSSIER, GROUP, to=person(9, "Tổ trưởng", honorific="ông/bà")
    ),
    "opening_review": lambda: opening(ItemKind.REVIEW, POLICE),
    "opening_nomination": lambda: opening(ItemKind.NOMINATION, AGENCY),
    "opening_plan": lambda: opening(ItemKind.PLAN, NOI_VU, to=CONTACT, campaign=bare()),
    "opening_team_decision": lambda: opening(ItemKind.TEAM_DECISION, NOI_VU, to=CONTACT),
    "opening_result": lambda: opening(
        ItemKind.RESULT, NOI_VU, to=CONTACT, of_line={"deadline": due(WithinDays(10, date(2021, 12, 1)))}
    ),
    "opening_minutes": lambda: opening(ItemKind.MINUTES, NOI_VU, to=CONTACT),
    "opening_submission": lambda: opening(ItemKind.SUBMISSION, NOI_VU, to=CONTACT),
    "opening_decision": lambda: opening(ItemKind.DECISION, ORGANISER, to=OFFICE),
    "reminder_ahead": lambda: reminder(ItemKind.DOSSIER, COMMUNE, SOON, of_line={"missing": PARTS[2:]}),
    "reminder_ahead_nothing": lambda: reminder(ItemKind.DOSSIER, COMMUNE, SOON, campaign=bare()),
    "reminder_last_day": lambda: reminder(ItemKind.DOSSIER, COMMUNE, LAST),
    "reminder_past": lambda: reminder(ItemKind.DOSSIER, COMMUNE, "Mon 2021-11-22 07:30"),
    "reminder_review": lambda: reminder(ItemKind.REVIEW, POLICE, "Mon 2021-11-29 07:30"),
    "reminder_review_last_day": lambda: reminder(ItemKind.REVIEW, FRONT, "Wed 2021-12-01 07:30"),
    "reminder_review_past": lambda: reminder(ItemKind.REVIEW, AGENCY, "Thu 2021-12-02 07:30"),
    "reminder_decision": lambda: reminder(ItemKind.DECISION, ORGANISER, "Tue 2021-12-28 07:30", to=OFFICE),
    "reminder_result": lambda: reminder(
        ItemKind.RESULT, NOI_VU, SOON, to=CONTACT, of_line={"deadline": DOSSIERS_DUE}
    ),
    "escalation_unit_head": lambda: escalation("unit_head", COMMUNE_HEAD, late(ItemKind.DOSSIER, COMMUNE)),
    "escalation_unit_head_some": lambda: escalation(
        "unit_head", COMMUNE_HEAD, late(ItemKind.DOSSIER, COMMUNE, missing=PARTS[1:]), campaign=bare()
    ),
    "escalation_unit_head_agency": lambda: escalation(
        "unit_head", AGENCY_HEAD, late(ItemKind.REVIEW, POLICE, deadline=DOSSIERS_DUE)
    ),
    "escalation_unit_head_organiser": lambda: escalation(
        "unit_head", CHAIRMAN, late(ItemKind.DECISION, ORGANISER)
    ),
    "escalation_unit_head_own": lambda: escalation(
        "unit_head", HEAD, late(ItemKind.RESULT, NOI_VU, deadline=DOSSIERS_DUE)
    ),
    "escalation_unit_head_unknown": lambda: escalation("unit_head", CONTACT, late(ItemKind.DOSSIER, COMMUNE)),
    "escalation_standing_head": lambda: escalation("standing_head", HEAD),
    "escalation_standing_head_draft": lambda: escalation(
        "standing_head", HEAD, *late_lines(reviews=False), wants_draft=True, campaign=campaign(link=None)
    ),
    "escalation_standing_head_draft_to_peer": lambda: escalation(
        "standing_head", HEAD, late(ItemKind.REVIEW, POLICE, deadline=DOSSIERS_DUE), wants_draft=True
    ),
    "escalation_standing_office": lambda: escalation("standing_office", CONTACT),
    "escalation_chairman": lambda: escalation("chairman", CHAIRMAN, copies_to=(DEPUTY, OFFICE)),
    "escalation_vice_chairman_copy": lambda: escalation(
        "vice_chairman", DEPUTY, *late_lines(reviews=False, copy=1), copies_to=(DEPUTY, OFFICE)
    ),
    "returned": lambda: one(
        NoticeKind.RETURNED,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line={
            "deadline": due(WithinWorkingDays(3, date(2021, 11, 25))),
            "reason": "biên bản họp chưa có chữ ký của thư ký.\nthiếu bảng tổng hợp điểm;",
            "received_at": at("Fri 2021-11-19 16:50"),
        },
    ),
    "waived": lambda: one(
        NoticeKind.WAIVED, ItemKind.DOSSIER, COMMUNE, LATE, of_line={"reason": "đơn vị mới sáp nhập."}
    ),
    "extended": lambda: one(
        NoticeKind.EXTENDED,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line={"deadline": due(By(date(2021, 11, 30), time(17, 0))), "reason": "cách ly y tế"},
    ),
    "amended_agency": lambda: one(
        NoticeKind.AMENDED, ItemKind.REVIEW, POLICE, SOON, campaign=campaign(review_wording=REVIEWS_DUE)
    ),
    "amended_commune": lambda: one(NoticeKind.AMENDED, ItemKind.DOSSIER, COMMUNE, SOON),
    "amended_bare": lambda: one(
        NoticeKind.AMENDED, ItemKind.DOSSIER, COMMUNE, SOON, of_line={"deadline": None}, campaign=bare()
    ),
    "receipt": lambda: one(NoticeKind.RECEIPT, ItemKind.DOSSIER, COMMUNE, LAST, of_line=DONE_LINE),
    "receipt_late_not_proposing": lambda: one(
        NoticeKind.RECEIPT,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line=DONE_LINE
        | {
            "lateness": Lateness.LATE,
            "is_not_proposing": True,
            "received_at": at("Wed 2021-11-24 09:00"),
            "via": Via.DOCUMENT_SYSTEM,
        },
    ),
    "undeliverable": lambda: letter(
        NoticeKind.UNDELIVERABLE,
        line(NoticeKind.UNDELIVERABLE, ItemKind.DOSSIER, COMMUNE, at(LAST), reason="hộp thư không tồn tại."),
        line(NoticeKind.UNDELIVERABLE, ItemKind.REVIEW, POLICE, at(LAST), reason="cong-an.1"),
        now=at(LAST),
        role="standing_office",
        to=CONTACT,
    ),
    "draft_waiting": lambda: letter(
        NoticeKind.DRAFT_WAITING,
        late(ItemKind.DOSSIER, COMMUNE, to_role="unit_head", goes_at=at("Thu 2021-11-25 10:00")),
        late(ItemKind.REVIEW, POLICE, to_role="chairman", deadline=DOSSIERS_DUE),
        late(ItemKind.REVIEW, POLICE, to_role="office", deadline=DOSSIERS_DUE, copy=1),
        now=at(LATE),
        role="standing_head",
        to=HEAD,
    ),
    "draft_waiting_no_more": lambda: letter(
        NoticeKind.DRAFT_WAITING, now=at(LATE), role="standing_head", to=HEAD
    ),
    "decision": lambda: one(
        NoticeKind.DECISION,
        ItemKind.DOSSIER,
        COMMUNE,
        "Fri 2021-12-31 07:30",
        campaign=campaign(decision=DECISION),
    ),
    "decision_agency": lambda: one(
        NoticeKind.DECISION, ItemKind.REVIEW, FRONT, "Fri 2021-12-31 07:30", campaign=bare()
    ),
}


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
