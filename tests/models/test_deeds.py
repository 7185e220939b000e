"""What people do to a campaign: each deed changes what it says, and a refused one changes nothing."""

from datetime import date
from pathlib import Path

import pytest

from config.script_file import Verb
from models import amendments, deadlines, extensions, handing_in, leaders, papers, permits, work_items
from models.campaigns import get_campaign
from models.database import transaction
from models.due_steps import Gate
from models.papers import find_paper
from notifications.mailbox import Mailbox
from rules.calendar import Before, By, WithinWorkingDays
from rules.deeds import Why
from rules.stages import Mode, PaperChange, PaperRole, Stage
from tests.walking import Walk, at, begin, begun, rows, shown

TABLES = (
    "campaigns",
    "work_items",
    "submissions",
    "returns",
    "extension_requests",
    "deadlines",
    "papers",
    "amendments",
    "notices",
    "letters",
    "journal",
    "contacts",
)


@pytest.fixture
def mailbox(tmp_path: Path):
    with Mailbox(tmp_path / "mail") as open_box:
        yield open_box


@pytest.fixture
def walk(database, tmp_path, mailbox) -> Walk:
    """Communes a and b in self-assessment since Thursday 11/11/2021, due before Monday the 22nd."""
    return begun(tmp_path / "files", mailbox)


def everything() -> dict[str, list]:
    return {name: rows(f"SELECT * FROM {name} ORDER BY id") for name in TABLES}


def term(item: str) -> tuple[int, str, str]:
    """The version an item is under, until when it is received, and its wording."""
    found = rows(
        "SELECT d.version, d.closes_at, d.wording FROM work_items w JOIN deadlines d ON d.id = w.deadline_id"
        " WHERE w.name = :item",
        item=item,
    )
    version, closes_at, wording = found[0]
    return version, shown(closes_at), wording


def day(text: str) -> By:
    return By(date.fromisoformat(text))


EXTENDED = {"term": day("2021-11-26"), "reasons": ("MẪU",), "number": "7/CV"}


# --- the whole way ----------------------------------------------------------------------------------


def to_review(walk: Walk) -> None:
    for unit in ("a", "b"):
        walk.do(Verb.SUBMIT, "2021-11-15 09:00", unit)
    walk.visit("2021-11-15 09:00")


def to_the_end(walk: Walk) -> None:
    to_review(walk)
    walk.do(Verb.REVIEW, "2021-11-16 09:00", "x")
    walk.visit("2021-11-16 09:00")
    walk.do(Verb.CONCLUDE, "2021-11-16 10:00")
    for number, role in (("8/TTr", PaperRole.SUBMISSION), ("9/QĐ", PaperRole.DECISION)):
        walk.do(Verb.REGISTER, "2021-11-16 10:00", number=number, roles=(role,), kind="QĐ")
        walk.visit("2021-11-16 10:00")


# --- returned, and handed in again ------------------------------------------------------------------


def test_a_return_asks_for_everything_at_once_and_gives_three_working_days(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.do(Verb.RETURN, "2021-11-18 10:00", "a", reasons=("thiếu biên bản", "chưa ký"))
    walk.visit("2021-11-18 10:00")
    assert term("dossier/a") == (2, "11-23 17:00", "within_working_days: 3, from: 2021-11-18")
    assert walk.told("dossier/a", "returned") == [("11-18 10:00", "returned", "a.1")]
    letter = next(mail for mail in walk.mails() if str(mail["Subject"]).startswith("[Bổ sung"))
    text = letter.get_body(("plain",)).get_content()
    assert "1. Thiếu biên bản." in text
    assert "2. Chưa ký." in text


def test_the_first_handing_in_keeps_its_time_and_the_second_is_judged_by_its_own_term(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.do(Verb.RETURN, "2021-11-18 10:00", "a", reasons=("MẪU",))
    walk.do(Verb.SUBMIT, "2021-11-24 09:00", "a")
    query = """
        SELECT s.round, s.received_at, s.received_at >= d.late_from
        FROM submissions s JOIN deadlines d ON d.id = s.deadline_id ORDER BY s.round
    """
    assert [(n, shown(when), bool(late)) for n, when, late in rows(query)] == [
        (1, "11-15 09:00", False),
        (2, "11-24 09:00", True),
    ]


def test_a_dossier_that_joins_a_concluded_review_asks_its_agency_again(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-22 00:00")
    walk.do(Verb.REVIEW, "2021-11-22 09:00", "x")
    walk.do(Verb.SUBMIT, "2021-11-22 09:30", "b")
    walk.visit("2021-11-22 09:30")
    assert term("review/x") == (2, "11-25 17:00", "within_working_days: 3, from: 2021-11-22")
    assert [row[0] for row in walk.told("review/x", "opening")] == ["11-22 09:30"]
    assert "xã MẪU b" in walk.mails()[-1].get_body(("plain",)).get_content()
    walk.do(Verb.REVIEW, "2021-11-23 09:00", "x")
    assert rows("SELECT state FROM work_items WHERE name = 'review/x'") == [("done",)]


def test_a_late_dossier_is_taken_until_the_reviews_are_over_and_a_returned_one_after(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-22 00:00")
    walk.do(Verb.RETURN, "2021-11-22 09:00", "a", reasons=("MẪU",))
    walk.do(Verb.REVIEW, "2021-11-22 09:00", "x")
    walk.visit("2021-11-22 09:00")
    with pytest.raises(handing_in.ReviewsAreOver):
        walk.do(Verb.SUBMIT, "2021-11-23 09:00", "b")
    walk.do(Verb.SUBMIT, "2021-11-29 09:00", "a")
    assert rows("SELECT COUNT(*) FROM submissions WHERE round = 2") == [(1,)]


# --- more time --------------------------------------------------------------------------------------


def test_one_paper_gives_many_units_one_new_version(walk):
    walk.do(Verb.EXTEND, "2021-11-17 09:00", units=("a", "b"), **EXTENDED)
    assert {term(f"dossier/{unit}") for unit in ("a", "b")} == {(2, "11-26 17:00", "by: 2021-11-26")}
    assert rows("SELECT COUNT(*) FROM deadlines WHERE stage = 'self_assessment'") == [(2,)]
    assert rows("SELECT COUNT(*) FROM papers WHERE number = '7/CV'") == [(1,)]
    assert rows("SELECT unit FROM journal WHERE what = 'extended' ORDER BY number") == [("a",), ("b",)]


def test_a_request_stops_nothing_and_is_mentioned(walk):
    walk.do(Verb.REQUEST_EXTENSION, "2021-11-15 09:00", "a", reasons=("lũ",), number="77/UBND")
    walk.visit("2021-11-16 07:30")
    mails = {str(mail["To"]): mail.get_body(("plain",)).get_content() for mail in walk.mails()[-2:]}
    assert term("dossier/a")[0] == 1
    assert [bool("77/UBND" in text) for _, text in sorted(mails.items())] == [True, False]


def test_a_refused_request_leaves_the_term_and_is_answered(walk):
    walk.do(Verb.REQUEST_EXTENSION, "2021-11-15 09:00", "a", reasons=("lũ",))
    walk.do(Verb.REFUSE_EXTENSION, "2021-11-15 10:00", "a", reasons=("không đủ căn cứ",))
    walk.visit("2021-11-15 10:00", "2021-11-16 07:30")
    assert term("dossier/a")[0] == 1
    assert rows("SELECT state, answer FROM extension_requests") == [("refused", "không đủ căn cứ")]
    answer, reminder = (mail.get_body(("plain",)).get_content() for mail in walk.mails()[-3:-1])
    assert "chưa đồng ý gia hạn" in answer
    assert "đề nghị gia hạn" not in reminder  # it is open no longer


def test_a_granted_extension_answers_what_was_asked(walk):
    walk.do(Verb.REQUEST_EXTENSION, "2021-11-15 09:00", "a", reasons=("lũ",))
    walk.do(Verb.EXTEND, "2021-11-15 10:00", "a", **EXTENDED)
    assert rows("SELECT state FROM extension_requests") == [("granted",)]


# --- the plan amended -------------------------------------------------------------------------------


def amend(walk: Walk, moment: str, **facts) -> None:
    walk.do(Verb.AMEND, moment, number="5/CV", reasons=("MẪU",), **facts)


def test_an_amended_term_is_a_new_version_for_what_is_open_only(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    amend(walk, "2021-11-16 09:00", dues={Stage.SELF_ASSESSMENT: day("2021-11-24")})
    walk.visit("2021-11-16 09:00")
    assert (term("dossier/a")[0], term("dossier/b")[:2]) == (1, (2, "11-24 17:00"))
    told = rows(
        "SELECT c.code FROM notices n JOIN contacts c ON c.id = n.contact_id WHERE n.kind = 'amended'"
    )
    assert sorted(told) == [("a.1",), ("b.1",), ("x.1",)]


def test_a_wording_that_moves_no_instant_makes_no_version(walk):
    amend(walk, "2021-11-16 09:00", dues={Stage.SELF_ASSESSMENT: day("2021-11-21")})  # a Sunday
    assert rows("SELECT COUNT(*) FROM deadlines WHERE stage = 'self_assessment'") == [(1,)]


def test_who_has_a_later_term_of_his_own_keeps_it(walk):
    walk.do(Verb.EXTEND, "2021-11-16 09:00", "a", **EXTENDED)
    amend(walk, "2021-11-16 10:00", dues={Stage.SELF_ASSESSMENT: day("2021-11-24")})
    assert (term("dossier/a")[1], term("dossier/b")[1]) == ("11-26 17:00", "11-24 17:00")


def test_a_term_of_a_stage_to_come_is_used_when_it_is_entered(walk):
    amend(walk, "2021-11-12 09:00", dues={Stage.AGENCY_REVIEW: WithinWorkingDays(3)})
    to_review(walk)
    assert term("review/x") == (1, "11-18 17:00", "within_working_days: 3, from: 2021-11-15")


def test_the_amended_deadline_decides_when_a_stage_is_left(walk):
    amend(walk, "2021-11-16 09:00", dues={Stage.SELF_ASSESSMENT: Before(date(2021, 11, 29))})
    walk.visit("2021-11-22 00:00")
    assert rows("SELECT stage FROM campaigns") == [("self_assessment",)]
    walk.visit("2021-11-29 00:00")
    assert rows("SELECT stage FROM campaigns") == [("agency_review",)]


def test_an_opening_day_can_be_moved_before_it_comes(database, tmp_path, mailbox):
    file_opens = {"self_assessment": {"opens_on": "2021-11-15", "due": {"before": "2021-11-29"}}}
    stages = file_opens | {"agency_review": {"due": {"within_working_days": 7, "from": "stage"}}}
    walk = begin(tmp_path / "files", mailbox, "2021-11-11 07:30", stages=stages)
    amend(walk, "2021-11-12 09:00", opens_on=date(2021, 11, 17))
    walk.visit("2021-11-15 07:30")
    assert rows("SELECT stage FROM campaigns") == [("team",)]
    walk.visit("2021-11-17 07:30")
    assert rows("SELECT stage FROM campaigns") == [("self_assessment",)]


# --- after the decision -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "stands"),
    [
        (PaperChange.SUPPLEMENTS, "9/QĐ"),
        (PaperChange.CORRECTS, "9/QĐ"),
        (PaperChange.REPLACES, "10/QĐ"),
        (PaperChange.REVOKES, None),
    ],
)
def test_a_paper_changes_the_decision_and_everybody_hears_of_it(walk, how, stands):
    to_the_end(walk)
    before = len(walk.mails())
    earlier = rows("SELECT * FROM papers WHERE number = '9/QĐ'")
    walk.do(Verb.REGISTER, "2021-11-18 09:00", number="10/QĐ", kind="QĐ", change=(how, "9/QĐ"))
    walk.visit("2021-11-18 09:00")
    assert len(walk.mails()) == before + 3
    assert rows("SELECT * FROM papers WHERE number = '9/QĐ'") == earlier
    with transaction() as session:
        paper = find_paper(session, get_campaign(session, walk.code), PaperRole.DECISION)
    assert (paper.number if paper else None) == stands


def test_a_complaint_has_a_term_of_its_own_and_outlives_the_campaign(walk):
    to_the_end(walk)
    walk.do(Verb.COMPLAIN, "2021-11-17 09:00", "a", subject="điểm của Tổ MẪU")
    walk.visit("2021-11-17 09:00", "2021-12-14 07:30")
    assert rows("SELECT stage FROM campaigns") == [("closed",)]
    assert term("complaint/a.1")[1:] == ("12-17 17:00", "within_days: 30, from: 2021-11-17")
    assert [what for _, what, _ in walk.told("complaint/a.1")] == ["opening", "before:3"]
    walk.do(Verb.ANSWER, "2021-12-15 09:00", complaint="complaint/a.1", number="20/CV")
    walk.visit("2021-12-16 07:30", "2021-12-20 08:30")
    assert len(walk.told("complaint/a.1")) == 2


# --- leaders ----------------------------------------------------------------------------------------


def test_what_is_held_does_not_go_by_silence_and_goes_when_released(walk):
    walk.visit("2021-11-22 08:30", gate=Gate())
    walk.do(Verb.HOLD, "2021-11-22 09:00", "a", reasons=("MẪU",))
    walk.visit("2021-11-22 10:00", "2021-11-23 08:00", gate=Gate())
    assert [whom for _, whom in walk.letters() if whom.endswith("head")][-1] == "b.head"
    walk.do(Verb.RELEASE, "2021-11-23 09:00", "a")
    walk.visit("2021-11-23 09:00")
    assert walk.letters("a.head") == [("11-23 09:00", "a.head")]


def test_leaders_read_the_note_beside_the_unit(walk):
    walk.visit("2021-11-25 08:30", gate=Gate())
    walk.do(Verb.ANNOTATE, "2021-11-25 09:00", "a", note="đang bị lũ chia cắt")
    walk.do(Verb.RELEASE, "2021-11-25 09:30", step="after:3")
    walk.visit("2021-11-25 09:30", gate=Gate())
    letter = next(mail for mail in walk.mails() if "chairman@" in str(mail["To"]).replace("vice_", ""))
    assert "đang bị lũ chia cắt" in letter.get_body(("plain",)).get_content()


def test_acknowledging_stops_what_repeats_and_queued_copies_and_nothing_else(database, tmp_path, mailbox):
    steps = [
        {"after": 0, "to": "unit_head", "copy": ["office"]},
        {"after": 1, "to": "chairman"},
        {"repeat": {"every": 1, "until": 2}},
    ]
    walk = begin(tmp_path / "files", mailbox, escalate=steps, remind=[])
    walk.tick("2021-11-22 08:30")
    walk.do(Verb.ACKNOWLEDGE, "2021-11-22 08:31", "a")
    walk.visit("2021-11-22 08:32", "2021-11-23 08:30", "2021-11-24 08:30")
    assert [(what, whom) for _, what, whom in walk.told("dossier/a", "escalation")] == [
        ("after:0", "a.2"),
        ("after:1", "city.1"),
    ]
    assert [what for _, what, _ in walk.told("dossier/b", "escalation")] == [
        "after:0",
        "after:0",
        "after:1",
        "after:2",
    ]


# --- refused ----------------------------------------------------------------------------------------

REFUSED = {
    "return-of-nothing": (Verb.RETURN, "a", {"reasons": ("MẪU",)}, handing_in.NothingHandedIn),
    "waive-unknown": (Verb.WAIVE, "nowhere", {"reasons": ("MẪU",)}, work_items.UnknownUnit),
    "extend-earlier": (Verb.EXTEND, "a", EXTENDED | {"term": day("2021-11-18")}, extensions.NotLater),
    "extend-into-the-past": (
        Verb.EXTEND,
        "a",
        EXTENDED | {"term": day("2021-11-12")},
        deadlines.TermAlreadyOver,
    ),
    "extend-without-number": (Verb.EXTEND, "a", EXTENDED | {"number": " "}, papers.PaperWithoutNumber),
    "extend-by-a-paper-to-come": (
        Verb.EXTEND,
        "a",
        EXTENDED | {"issued_on": date(2021, 11, 30)},
        papers.PaperFromTheFuture,
    ),
    "refuse-what-nobody-asked": (Verb.REFUSE_EXTENSION, "a", {"reasons": ("MẪU",)}, extensions.NothingAsked),
    "amend-nothing": (
        Verb.AMEND,
        None,
        {"number": "5/CV", "reasons": ("MẪU",), "mode": Mode.DOSSIER},
        amendments.NothingAmended,
    ),
    "amend-into-the-past": (
        Verb.AMEND,
        None,
        {"number": "5/CV", "reasons": ("MẪU",), "dues": {Stage.SELF_ASSESSMENT: day("2021-11-12")}},
        deadlines.TermAlreadyOver,
    ),
    "open-later-what-is-open": (
        Verb.AMEND,
        None,
        {"number": "5/CV", "reasons": ("MẪU",), "opens_on": date(2021, 11, 18)},
        amendments.OpenedAlready,
    ),
    "hold-nothing": (Verb.HOLD, "a", {"reasons": ("MẪU",)}, leaders.NothingWaits),
    "annotate-nothing": (Verb.ANNOTATE, "a", {"note": "MẪU"}, leaders.NothingWaits),
    "answer-nothing": (Verb.ANSWER, None, {"complaint": "complaint/a.1"}, work_items.UnknownUnit),
    "change-an-unknown-paper": (
        Verb.REGISTER,
        None,
        {"number": "6/CV", "change": (PaperChange.CORRECTS, "0/CV")},
        papers.UnknownPaper,
    ),
    "change-itself": (
        Verb.REGISTER,
        None,
        {"number": "6/CV", "change": (PaperChange.CORRECTS, "6/CV")},
        papers.ChangesItself,
    ),
    "resume-what-runs": (Verb.RESUME, None, {}, permits.DeedRefused),
    "conclude-too-early": (Verb.CONCLUDE, None, {}, permits.DeedRefused),
    "review-too-early": (Verb.REVIEW, "x", {}, permits.DeedRefused),
    "in-the-future": (
        Verb.WAIVE,
        "a",
        {"reasons": ("MẪU",), "happened_at": at("2021-12-01 09:00")},
        permits.FromTheFuture,
    ),
}


def test_a_refused_deed_changes_nothing(walk):
    before = everything()
    for name, (verb, unit, facts, refusal) in REFUSED.items():
        with pytest.raises(refusal):
            walk.do(verb, "2021-11-15 09:00", unit, **facts)
        assert everything() == before, name


def test_of_several_units_none_is_extended_where_one_cannot_be(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "b")
    before = everything()
    with pytest.raises(work_items.NothingOwed) as refused:
        walk.do(Verb.EXTEND, "2021-11-16 09:00", units=("a", "b"), **EXTENDED)
    assert refused.value.item == "dossier/b"
    assert everything() == before


@pytest.mark.parametrize(
    ("verb", "unit", "facts"),
    [
        (Verb.SUBMIT, "a", {}),
        (Verb.EXTEND, "a", EXTENDED),
        (Verb.WAIVE, "a", {"reasons": ("MẪU",)}),
        (Verb.AMEND, None, {"number": "5/CV", "reasons": ("MẪU",), "mode": Mode.ON_SITE}),
        (Verb.REGISTER, None, {"number": "5/CV", "roles": (PaperRole.URGING,)}),
        (Verb.RESUME, None, {}),
        (Verb.CANCEL, None, {"reasons": ("MẪU",)}),
    ],
)
def test_in_a_cancelled_campaign_nothing_is_done_any_more(walk, verb, unit, facts):
    walk.tick("2021-11-16 07:30")
    walk.do(Verb.CANCEL, "2021-11-16 07:31", reasons=("MẪU",))
    before = everything()
    with pytest.raises(permits.DeedRefused) as refused:
        walk.do(verb, "2021-11-16 09:00", unit, **facts)
    assert refused.value.refusal.why is Why.CANCELLED
    walk.visit("2021-11-16 09:00", "2021-11-22 08:30")
    assert everything() == before
    assert rows("SELECT DISTINCT state FROM work_items WHERE kind = 'dossier'") == [("cancelled",)]


def test_a_suspended_campaign_takes_what_comes_and_says_nothing(walk):
    walk.do(Verb.SUSPEND, "2021-11-15 09:00", reasons=("MẪU",))
    walk.do(Verb.SUBMIT, "2021-11-15 10:00", "a")
    walk.visit("2021-11-16 07:30", "2021-11-19 07:30")
    assert walk.letters() == [("11-11 07:30", "a"), ("11-11 07:30", "b")]
    walk.do(Verb.RESUME, "2021-11-19 08:00")
    walk.visit("2021-11-19 08:00")
    assert walk.steps("dossier/b", "said") == ["before:0"]
    assert walk.told("dossier/a", "reminder") == []


def test_a_waived_unit_is_told_so_and_nothing_else(walk):
    walk.do(Verb.WAIVE, "2021-11-15 09:00", units=("a",), reasons=("đơn vị mới sáp nhập",))
    walk.visit("2021-11-15 09:00", "2021-11-16 07:30", "2021-11-22 08:30")
    assert walk.told("dossier/a") == [("11-11 07:30", "opening", "a.1"), ("11-15 09:00", "waived", "a.1")]
    assert rows("SELECT state FROM work_items WHERE name = 'dossier/a'") == [("waived",)]
