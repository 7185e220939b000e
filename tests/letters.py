"""Letters by hand, one of each kind and turn: their facts as the database would give them.

All people and papers are made up and marked so, but the papers of 2021.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

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
    Extension,
    Letter,
    Line,
    Outcome,
    Paper,
    Person,
    Relation,
    StandingOffice,
    TermChange,
    Told,
    Totals,
    UnitFacts,
    UnitKind,
    tense,
    working_days_late,
    working_days_left,
)
from rules.notices import NoticeKind
from rules.stages import Mode, PaperChange, Stage
from rules.work_items import ExtensionState, ItemKind, Lateness, Via

CALENDAR = WorkingCalendar(years=frozenset({2021, 2022}))
PARTS = ("Báo cáo kết quả tự đánh giá", "Tờ trình đề nghị công nhận", "Biên bản họp Hội đồng thẩm định")
LINK = "https://congnhan.mau.example/hs/12"
LATE = "Thu 2021-11-25 08:30"
ASKED = Extension(
    ExtensionState.ASKED,
    "cách ly y tế",
    datetime(2021, 11, 18, 9, tzinfo=CITY),
    By(date(2021, 11, 30)),
    "77/UBND",
    date(2021, 11, 18),
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


def outcomes(*told: Outcome) -> Letter:
    """Return the letter of the decision that tells a commune what became of its groups."""
    return one(
        NoticeKind.DECISION,
        ItemKind.DOSSIER,
        COMMUNE,
        "Thu 2021-12-30 14:00",
        campaign=campaign(decision=DECISION),
        of_line={"outcomes": told},
    )


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
    "returned_again": lambda: one(
        NoticeKind.RETURNED,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line={
            "deadline": due(WithinWorkingDays(3, date(2021, 11, 25))),
            "reason": "thiếu biên bản họp",
            "received_at": at("Wed 2021-11-24 09:00"),
            "round": 2,
        },
    ),
    "extended_as_asked": lambda: one(
        NoticeKind.EXTENDED,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line={
            "deadline": due(By(date(2021, 11, 30), time(17, 0))),
            "reason": "cách ly y tế",
            "before": DOSSIERS_DUE,
            "by_paper": Paper("CV", "3999/UBND-NV", date(2021, 11, 24)),
            "extension": replace(ASKED, state=ExtensionState.GRANTED),
        },
    ),
    "extension_refused": lambda: one(
        NoticeKind.EXTENDED,
        ItemKind.DOSSIER,
        COMMUNE,
        LATE,
        of_line={
            "step": "refused:1",
            "deadline": due(By(date(2021, 11, 30))),
            "reason": "không bảo đảm tiến độ chung",
            "extension": replace(ASKED, state=ExtensionState.REFUSED),
        },
    ),
    "reminder_extension_asked": lambda: reminder(
        ItemKind.DOSSIER, COMMUNE, SOON, of_line={"extension": ASKED}
    ),
    "reminder_returned": lambda: reminder(ItemKind.DOSSIER, COMMUNE, SOON, of_line={"round": 1}),
    "escalation_unit_head_extension_asked": lambda: escalation(
        "unit_head", COMMUNE_HEAD, late(ItemKind.DOSSIER, COMMUNE, extension=ASKED)
    ),
    "escalation_chairman_amended_and_extended": lambda: escalation(
        "chairman",
        CHAIRMAN,
        late(ItemKind.DOSSIER, COMMUNE, note="đơn vị đang bị cách ly y tế", extension=ASKED),
        late(ItemKind.DOSSIER, OTHER, round=1),
        extended=(
            late(
                ItemKind.DOSSIER,
                GROUP,
                deadline=due(By(date(2021, 11, 30))),
                by_paper=Paper("CV", "3999/UBND-NV", date(2021, 11, 24)),
            ),
        ),
    ),
    "opening_review_joined": lambda: opening(
        ItemKind.REVIEW, POLICE, of_line={"joined": "xã San Thàng", "deadline": REVIEWS_DUE}
    ),
    "opening_review_explained": lambda: opening(
        ItemKind.REVIEW, POLICE, of_line={"explained": "xã San Thàng", "deadline": REVIEWS_DUE}
    ),
    "decision_outcomes": lambda: outcomes(
        Outcome("Tổ dân phố MẪU 01", True),
        Outcome(
            "Tổ dân phố MẪU 02",
            False,
            (
                "tổng điểm 79,99, cần từ 80 (thiếu 0,01)",
                "tiêu chí III: 9,75 điểm, dưới mức tối thiểu 10 (thiếu 0,25)",
            ),
        ),
        Outcome("Tổ dân phố MẪU 03", True),
    ),
    "decision_outcomes_none": lambda: outcomes(
        Outcome("Bản MẪU 01", False, ("chưa được đề nghị công nhận (đang sắp xếp lại bản)",)),
        Outcome("Bản MẪU 02", False, ("cuộc họp không thông qua",)),
    ),
    "opening_complaint": lambda: opening(
        ItemKind.COMPLAINT,
        NOI_VU,
        to=CONTACT,
        of_line={"subject": "điểm của Tổ dân phố MẪU 01", "deadline": due(WithinDays(30, date(2021, 12, 1)))},
    ),
    "reminder_complaint": lambda: reminder(
        ItemKind.COMPLAINT, NOI_VU, SOON, to=CONTACT, of_line={"deadline": DOSSIERS_DUE}
    ),
    "amended_terms": lambda: one(
        NoticeKind.AMENDED,
        ItemKind.DOSSIER,
        COMMUNE,
        SOON,
        of_line={
            "amendment": Amendment(
                Paper("CV", "3800/UBND-NV", date(2021, 11, 15)),
                None,
                "mưa lũ",
                (
                    TermChange(
                        Stage.SELF_ASSESSMENT,
                        DOSSIERS_DUE.wording,
                        By(date(2021, 11, 26)),
                        at("Fri 2021-11-26 17:00"),
                    ),
                    TermChange(Stage.AGENCY_REVIEW, None, WithinWorkingDays(5)),
                ),
                opens_on=date(2021, 11, 17),
            )
        },
    ),
    "decision_corrected": lambda: one(
        NoticeKind.DECISION,
        ItemKind.DOSSIER,
        COMMUNE,
        "Fri 2021-12-31 07:30",
        campaign=campaign(decision=DECISION),
        of_line={
            "paper": Paper("QĐ", "0001/QĐ-UBND", date(2021, 12, 31), "đính chính Quyết định số 0000/QĐ-UBND"),
            "change": PaperChange.CORRECTS,
            "earlier": DECISION,
        },
    ),
    "decision_revoked_agency": lambda: one(
        NoticeKind.DECISION,
        ItemKind.REVIEW,
        FRONT,
        "Fri 2021-12-31 07:30",
        of_line={
            "paper": Paper("QĐ", "0001/QĐ-UBND", date(2021, 12, 31)),
            "change": PaperChange.REVOKES,
            "earlier": DECISION,
        },
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
        line(
            NoticeKind.UNDELIVERABLE,
            ItemKind.DOSSIER,
            COMMUNE,
            at(LAST),
            reason="no_address",
            reader=person(1, "công chức Văn phòng", email=None),
        ),
        line(
            NoticeKind.UNDELIVERABLE, ItemKind.REVIEW, POLICE, at(LAST), reason="failed", reader=AGENCY_HEAD
        ),
        now=at(LAST),
        role="standing_office",
        to=CONTACT,
    ),
    "undeliverable_over_zalo": lambda: letter(
        NoticeKind.UNDELIVERABLE,
        line(
            NoticeKind.UNDELIVERABLE, ItemKind.DOSSIER, COMMUNE, at(LAST), reason="uncertain", reader=OFFICER
        ),
        line(NoticeKind.UNDELIVERABLE, ItemKind.REVIEW, POLICE, at(LAST), reason="shown", reader=AGENCY_HEAD),
        line(
            NoticeKind.UNDELIVERABLE,
            ItemKind.REVIEW,
            POLICE,
            at(LAST),
            reason="came_back",
            reader=AGENCY_HEAD,
        ),
        now=at(LAST),
        role="standing_office",
        to=CONTACT,
    ),
    "undeliverable_channel_held": lambda: letter(
        NoticeKind.UNDELIVERABLE,
        line(NoticeKind.UNDELIVERABLE, ItemKind.DOSSIER, NOI_VU, at(LAST), reason="held"),
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
