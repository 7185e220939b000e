"""Campaign files: the letter's own one, and one broken copy of it for each mistake an office can make."""

import shutil
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

import config
from config.campaign_file import CampaignFileInvalid, Problem, campaign_from_texts, read_campaign
from rules.calendar import Before, By, InYear, WithinDays, WithinWorkingDays
from rules.criteria import CriteriaSet, Criterion
from rules.ladder import IfSilent, Release
from rules.letters import Relation, UnitKind
from rules.notices import Channel
from rules.stages import Mode, PaperRole, Stage

SHIPPED = Path(config.__file__).parent
CAMPAIGN = "campaigns/lai-chau-2021.yaml"
UNITS = "units/lai-chau-2021.yaml"
CRITERIA = "criteria/khu-dan-cu-van-hoa-nd122-2018.yaml"

REMIND = "remind:   [{before: 3}, {before: 1}, {before: 0}]"
URGING = "{after: 1, to: standing_head, draft: urging_letter}"
CHAIRMAN = "{after: 3, to: chairman, copy: [vice_chairman, office]}]"
DUE = "due: {before: 2021-11-22}"


@dataclass(frozen=True)
class Copy:
    """A copy of the shipped files that a test may break."""

    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a piece of text that stands exactly once."""
        text = self.text(name)
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")

    def line_of(self, name: str, piece: str) -> int:
        """Return the line of the first occurrence of a piece of text."""
        text = self.text(name)
        return text[: text.index(piece)].count("\n") + 1

    def read(self):
        return read_campaign(self.folder / CAMPAIGN)

    def problem(self) -> Problem:
        """Return the one problem these files have."""
        with pytest.raises(CampaignFileInvalid) as refused:
            self.read()
        assert len(refused.value.problems) == 1, str(refused.value)
        (only,) = refused.value.problems
        assert str(only) == f"{only.file}:{only.line}: {only.text}"
        assert "\n" not in only.text
        return only

    def refuses(self, name: str, piece: str, word: str) -> None:
        """Check that there is one problem, in this file, at the line of this piece, with this word."""
        only = self.problem()
        assert only.file == str(self.folder / name)
        assert (only.line, word in only.text) == (self.line_of(name, piece), True), str(only)


@pytest.fixture
def files(tmp_path: Path) -> Copy:
    for name in (CAMPAIGN, UNITS, CRITERIA):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(SHIPPED / name, tmp_path / name)
    return Copy(tmp_path)


# --- the campaign of letter 3701 -----------------------------------------------------------------


def test_the_letters_campaign_is_read_as_the_letter_says(files):
    read = files.read()
    assert (read.code, read.organiser, read.standing_office) == (
        "lai-chau-2021",
        "ubnd-thanh-pho",
        "phong-noi-vu",
    )
    assert (read.mode, read.year, read.timezone) == (Mode.ON_SITE, 2021, "Asia/Ho_Chi_Minh")
    assert read.self_assessment.opens_on == date(2021, 11, 11)
    assert read.self_assessment.wait_for_all is False
    assert dict(read.due) == {
        Stage.SELF_ASSESSMENT: Before(date(2021, 11, 22)),
        Stage.AGENCY_REVIEW: WithinWorkingDays(7),
        Stage.CONSOLIDATION: WithinWorkingDays(5),
        Stage.DECISION: InYear(2021),
    }
    assert read.channels.default == (Channel.EMAIL,)
    assert read.channels.urgent == (Channel.ZALO, Channel.EMAIL)
    assert len(read.dossier_parts) == 3


def test_papers_keep_their_roles_and_some_have_none(files):
    roles = {cited.paper.number: cited.roles for cited in files.read().legal_basis}
    assert roles == {
        "627/KH-UBND": (),
        "944/KH-UBND": (PaperRole.PLAN,),
        "3388/KH-UBND": (),
        "2085/QĐ-UBND": (PaperRole.TEAM,),
        "3701/UBND-NV": (PaperRole.LAUNCH,),
    }


def test_a_paper_may_have_several_roles(files):
    files.change(CAMPAIGN, "role: launch", "role: [launch, amendment]")
    assert files.read().legal_basis[-1].roles == (PaperRole.LAUNCH, PaperRole.AMENDMENT)


def test_the_seven_communes_stand_in_official_order(files):
    assert [(unit.code, unit.official_code, unit.name) for unit in files.read().owing] == [
        ("quyet-thang", "03386", "phường Quyết Thắng"),
        ("tan-phong", "03387", "phường Tân Phong"),
        ("quyet-tien", "03388", "phường Quyết Tiến"),
        ("doan-ket", "03389", "phường Đoàn Kết"),
        ("dong-phong", "03408", "phường Đông Phong"),
        ("sung-phai", "03403", "xã Sùng Phài"),
        ("san-thang", "03409", "xã San Thàng"),
    ]


def test_agencies_are_those_named_in_reviews_in_official_order(files):
    read = files.read()
    assert [unit.code for unit in read.agencies] == list(read.reviews)
    front = read.agencies[-1]
    assert (front.code, front.kind, front.relation) == ("uy-ban-mttq", UnitKind.FRONT, Relation.PEER)
    assert read.branches_of("uy-ban-mttq") == ("V",)
    assert read.branches_of("san-thang") == ()


def test_every_person_and_group_is_plainly_made_up(files):
    for unit in files.read().units:
        assert all("MẪU" in group for group in unit.groups)
        for place, contact in enumerate(unit.contacts, start=1):
            assert contact.code == f"{unit.code}.{place}"
            assert contact.name.startswith("Họ Tên MẪU ")
            assert contact.email is not None
            assert contact.email.endswith("@mau.example")


def test_steps_are_sorted_whatever_order_they_stand_in(files):
    files.change(CAMPAIGN, REMIND, "remind: [{before: 0}, {before: 3}, {before: 1}]")
    assert [step.name for step in files.read().ladders.remind] == ["before:3", "before:1", "before:0"]


def test_a_step_may_set_its_hour_and_its_gate(files):
    files.change(CAMPAIGN, URGING, '{after: 1, to: chairman, at: "09:15", release: auto, if_silent: send}')
    step = files.read().ladders.escalate[1]
    assert (step.at, step.gate(step.to)) == (time(9, 15), (Release.AUTO, IfSilent.SEND))


def test_repeat_is_written_out_to_the_last_recipient(files):
    files.change(CAMPAIGN, CHAIRMAN, CHAIRMAN[:-1] + ", {repeat: {every: 2, until: 8}}]")
    steps = files.read().ladders.escalate
    assert [(step.name, step.to) for step in steps[2:]] == [
        ("after:3", "chairman"),
        ("after:5", "chairman"),
        ("after:7", "chairman"),
    ]


def test_repeat_goes_on_from_the_latest_step_whatever_order_they_stand_in(files):
    files.change(
        CAMPAIGN,
        URGING + ", " + CHAIRMAN,
        "{after: 3, to: chairman}, {after: 1, to: standing_head}, {repeat: {every: 3, until: 6}}]",
    )
    assert [(step.name, step.to) for step in files.read().ladders.escalate][1:] == [
        ("after:1", "standing_head"),
        ("after:3", "chairman"),
        ("after:6", "chairman"),
    ]


def test_a_step_may_go_to_one_person_by_name(files):
    files.change(CAMPAIGN, URGING, "{after: 1, to: Họ Tên MẪU 02}")
    assert files.read().ladders.escalate[1].to == "Họ Tên MẪU 02"


def test_ladders_channels_and_calendar_may_be_left_out(files):
    whole = files.read()
    text = files.text(CAMPAIGN)
    kept = [line for line in text.splitlines() if not line.startswith(("remind:", "escalate:", "channels:"))]
    text = "\n".join(kept) + "\n"
    start, end = text.index("calendar:\n"), text.index("stages:\n")
    (files.folder / CAMPAIGN).write_text(text[:start] + text[end:], encoding="utf-8")
    bare = files.read()
    assert (bare.ladders.remind, bare.ladders.escalate) == ((), ())
    assert (bare.channels, bare.calendar) == (whole.channels, whole.calendar)


@pytest.mark.parametrize(
    ("due", "wording"),
    [
        pytest.param("by: 2021-11-22", By(date(2021, 11, 22)), id="by-a-day"),
        pytest.param("by: 2021-11-22T17:00", By(date(2021, 11, 22), time(17)), id="by-an-hour"),
        pytest.param("within_days: 10, from: 2021-11-11", WithinDays(10, date(2021, 11, 11)), id="days"),
        pytest.param("within_working_days: 8, from: stage", WithinWorkingDays(8), id="from-the-stage"),
        pytest.param("in_year: 2021", InYear(2021), id="in-the-year"),
    ],
)
def test_a_deadline_may_be_worded_in_every_way(files, due, wording):
    files.change(CAMPAIGN, DUE, f"due: {{{due}}}")
    assert files.read().due[Stage.SELF_ASSESSMENT] == wording


def test_a_running_campaign_reads_its_own_copy(files):
    read = files.read()
    shutil.rmtree(files.folder)
    assert campaign_from_texts(read.source_texts) == read


def test_a_running_campaign_is_not_stopped_by_a_later_check_of_its_criteria(files):
    texts = dict(files.read().source_texts)
    texts["criteria"] = texts["criteria"].replace("{code: I, max_points: 25", "{code: I, max_points: 24")
    assert campaign_from_texts(texts).criteria.branches[0].max_points == 24
    files.change(CRITERIA, "{code: I, max_points: 25", "{code: I, max_points: 24")
    assert "24" in files.problem().text or "99" in files.problem().text


def test_strings_come_in_nfc_however_they_were_typed(files):
    files.change(UNITS, "name: phường Quyết Tiến", "name: phường Quyê\u0301t Tiê\u0301n")
    assert files.read().owing[2].name == "phường Quyết Tiến"


def test_files_are_named_as_the_user_gave_them(files, monkeypatch):
    files.change(UNITS, 'official_code: "03387"', 'oficial_code: "03387"')
    monkeypatch.chdir(files.folder)
    with pytest.raises(CampaignFileInvalid) as refused:
        read_campaign(Path("campaigns/lai-chau-2021.yaml"))
    assert [problem.file for problem in refused.value.problems] == ["units/lai-chau-2021.yaml"]


def test_mistakes_in_several_files_are_told_at_once(files):
    files.change(UNITS, "email: san-thang@mau.example", "email: san-thang")
    files.change(CRITERIA, "{code: II, ", "{code: I, ")
    with pytest.raises(CampaignFileInvalid) as refused:
        files.read()
    assert [Path(problem.file).parent.name for problem in refused.value.problems] == ["criteria", "units"]


# --- one mistake in the campaign file, one line --------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param(
            "wait_for_all: false", "wait_for_al: false", "wait_for_al:", "wait_for_all", id="unknown-key"
        ),
        pytest.param(
            "{before: 3}", "{befor: 3, before: 3}", "remind:", "'before'", id="unknown-key-in-a-step"
        ),
        pytest.param("mode: on_site  ", "mode: by_phone", "mode: by_phone", "on_site", id="unknown-mode"),
        pytest.param(
            "timezone: Asia/Ho_Chi_Minh", "timezone: UTC", "timezone:", "Ho_Chi_Minh", id="timezone"
        ),
        pytest.param("role: plan", "role: plans", "944/KH", "'role'", id="unknown-role-of-a-paper"),
        pytest.param("opens_on: 2021-11-11", "opens_on: 2021-11-31", "opens_on:", "2021-11-31", id="bad-day"),
        pytest.param(
            "opens_on: 2021-11-11", "opens_on: 20211111", "opens_on:", "YYYY-MM-DD", id="number-for-day"
        ),
        pytest.param("wait_for_all: false", "wait_for_all: maybe", "wait_for_all:", "true", id="not-a-flag"),
        pytest.param("{before: 3}", "{before: three}", "remind:", "'before'", id="not-a-number"),
        pytest.param("{before: 3}", "{before: -3}", "remind:", "'before'", id="negative"),
        pytest.param("code: lai-chau-2021", "code: Lai Châu", "code:", "san-thang", id="not-a-slug"),
        pytest.param("title: Công nhận tổ", "title: [x]\n# tổ", "title: [x]", "'title'", id="list-for-text"),
        pytest.param('"17:00"]\n', '"24:00"]\n', "office_hours", "24:00", id="hour-outside-the-day"),
        pytest.param(
            DUE, "due: {before: 2021-11-22, in_year: 2021}", "due: {before", "within_days", id="two-terms"
        ),
        pytest.param(DUE, "due: {}", "due: {}", "within_days", id="no-term"),
        pytest.param("    " + DUE + "\n", "", "self_assessment:", "'due'", id="self-assessment-without-due"),
        pytest.param(
            "agency_review:   {due: {within_working_days: 7, from: stage}}",
            "agency_review:   {}",
            "agency_review:",
            "'due'",
            id="review-without-due",
        ),
        pytest.param("    opens_on: 2021-11-11\n", "", "self_assessment:", "'opens_on'", id="no-opening-day"),
        pytest.param("7, from: stage", "7", "agency_review:", "from", id="term-without-from"),
        pytest.param("7, from: stage", "7, from: today", "agency_review:", "YYYY-MM-DD", id="bad-from"),
        pytest.param(DUE, "due: {by: 2021-11-22T25:00}", "due: {by", "HH:MM", id="bad-hour-of-by"),
        pytest.param(DUE, "due: {by: 20211122}", "due: {by", "'by'", id="by-a-number"),
        pytest.param(
            DUE, "due: {before: 2021-11-22, from: stage}", "due: {before", "from", id="from-without-term"
        ),
    ],
)
def test_refuses_what_has_the_wrong_shape(files, old, new, at, word):
    files.change(CAMPAIGN, old, new)
    files.refuses(CAMPAIGN, at, word)


def test_refuses_a_misspelt_required_key(files):
    files.change(CAMPAIGN, "organiser: ubnd", "organizer: ubnd")
    files.refuses(CAMPAIGN, "organizer:", "'organiser'")


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param("organiser: ubnd", "organiser: uban", "organiser:", "uban-thanh-pho", id="organiser"),
        pytest.param(
            "office: phong-noi-vu", "office: phong-noi", "standing_office:", "phong-noi", id="office"
        ),
        pytest.param("phong-tu-phap:", "phong-phap-che:", "phong-phap-che:", "phong-phap-che", id="agency"),
        pytest.param("paper: 3701", "paper: 3702", "amendments:\n  - ", "3702/UBND-NV", id="amending-paper"),
        pytest.param("to: unit_head", "to: unit_hed", "escalate:", "unit_hed", id="recipient"),
        pytest.param("vice_chairman, office", "vice_chairman, mailbox", "escalate:", "mailbox", id="copy"),
        pytest.param('["V"]', '["VI"]', "uy-ban-mttq:", "'VI'", id="branch-that-does-not-exist"),
        pytest.param(
            "../units/lai-chau-2021", "../units/lai-chau", "units:", "lai-chau.yaml", id="units-file"
        ),
        pytest.param("../criteria/khu", "../criteria/xa", "criteria:", "xa-dan-cu", id="criteria-file"),
    ],
)
def test_refuses_a_reference_to_nothing(files, old, new, at, word):
    files.change(CAMPAIGN, old, new)
    only = files.problem()
    text = files.text(CAMPAIGN)
    start = text.index(at) + (at.count("\n") and at.rindex("\n") + 1)
    assert (only.file, only.line) == (str(files.folder / CAMPAIGN), text[:start].count("\n") + 1), str(only)
    assert word in only.text


def test_refuses_a_branch_that_nobody_scores(files):
    files.change(CAMPAIGN, '  uy-ban-mttq: ["V"]\n', "")
    files.refuses(CAMPAIGN, "reviews:", "V (Tinh thần đoàn kết")


def test_refuses_reviews_that_are_empty_with_one_line(files):
    text = files.text(CAMPAIGN)
    (files.folder / CAMPAIGN).write_text(text[: text.index("reviews:")] + "reviews: {}\n", encoding="utf-8")
    files.refuses(CAMPAIGN, "reviews:", "'reviews'")


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param("{before: 3}", "{before: 30}", "remind:", "before: 30", id="longer-than-any-stage"),
        pytest.param("{before: 0}", '{before: 0, at: "18:00"}', "remind:", "before: 0", id="after-closing"),
        pytest.param("{before: 3}", "{before: 9000}", "remind:", "before: 9000", id="before-the-calendar"),
        pytest.param("after: 3,", "after: 9000,", "escalate:", "after: 9000", id="beyond-the-calendar"),
        pytest.param("{before: 1}", "{before: 3}", "remind:", "3", id="reminder-twice"),
        pytest.param("after: 1,", "after: 0,", "escalate:", "0", id="escalation-twice"),
        pytest.param(
            CHAIRMAN,
            CHAIRMAN[:-1] + ", {repeat: {every: 2, until: 4}}]",
            "escalate:",
            "repeat",
            id="repeat-empty",
        ),
        pytest.param(URGING, "{repeat: {every: 2, until: 9}}", "escalate:", "repeat", id="repeat-not-last"),
        pytest.param(URGING, "{after: 1}", "escalate:", "to:", id="escalation-to-nobody"),
    ],
)
def test_refuses_a_step_that_cannot_be(files, old, new, at, word):
    files.change(CAMPAIGN, old, new)
    files.refuses(CAMPAIGN, at, word)


def test_accepts_steps_that_fire_for_one_stage_only(files):
    files.change(
        CAMPAIGN, REMIND, "remind: [{before: 29}, {before: 6}, {before: 3}, {before: 1}, {before: 0}]"
    )
    assert len(files.read().ladders.remind) == 5


def test_refuses_a_step_longer_than_the_only_stages_with_a_term(files):
    files.change(CAMPAIGN, "  decision:        {due: {in_year: 2021}}\n", "")
    files.change(CAMPAIGN, "{before: 3}", "{before: 29}")
    files.refuses(CAMPAIGN, "remind:", "before: 29")


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param(DUE, "due: {before: 2021-11-11}", "due:", "opens_on", id="closed-before-it-opens"),
        pytest.param(DUE, "due: {before: 2012-11-22}", "due:", "2012", id="before-the-calendar"),
        pytest.param(DUE, "due: {before: 2041-11-22}", "due:", "2041", id="beyond-the-calendar"),
        pytest.param(
            "opens_on: 2021", "opens_on: 2041", "opens_on:", "2041", id="opening-beyond-the-calendar"
        ),
        pytest.param(
            "opens_on: 2021", "opens_on: 2031", "due:", "opens_on", id="opening-after-every-deadline"
        ),
        pytest.param("in_year: 2021", "in_year: 2020", "decision:", "decision", id="decision-before-opening"),
        pytest.param(
            '["07:30", "17:00"]\n', '["17:00", "07:30"]\n', "office_hours", "khung", id="office-hours"
        ),
        pytest.param('"13:30", "17:00"', '"11:00", "17:00"', "sending_windows", "khung", id="overlap"),
        pytest.param('"13:30", "17:00"', '"06:00", "07:00"', "sending_windows", "khung", id="wrong-order"),
        pytest.param('"13:30", "17:00"', '"13:30", "13:30"', "sending_windows", "khung", id="empty-window"),
    ],
)
def test_refuses_days_and_hours_that_cannot_be(files, old, new, at, word):
    files.change(CAMPAIGN, old, new)
    files.refuses(CAMPAIGN, at, word)


# --- files that cannot be read -------------------------------------------------------------------


def test_refuses_a_campaign_file_that_is_not_there(tmp_path):
    with pytest.raises(CampaignFileInvalid) as refused:
        read_campaign(tmp_path / "none.yaml")
    assert [problem.line for problem in refused.value.problems] == [1]


@pytest.mark.parametrize(
    ("old", "new", "at", "word"),
    [
        pytest.param("mode: on_site", "mode: [on_site", "units:", "YAML", id="unclosed-bracket"),
        pytest.param("  agency_review: ", "\tagency_review: ", "\tagency_review", "YAML", id="tab"),
        pytest.param("mode: on_site", "mode: \x01", "mode: \x01", "YAML", id="control-character"),
        pytest.param("mode: on_site", "code: again", "code: again", "'code'", id="key-twice"),
        pytest.param("mode: on_site", "mode: &m on_site", "mode:", "neo", id="anchor"),
    ],
)
def test_refuses_what_is_not_plain_yaml(files, old, new, at, word):
    if "again" in new:
        new = "mode: on_site\ncode: again"
    files.change(CAMPAIGN, old, new)
    only = files.problem()
    assert only.file == str(files.folder / CAMPAIGN)
    assert word in only.text
    if at != "units:":
        assert only.line == files.line_of(CAMPAIGN, at)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        pytest.param(b"", "tr\u1ed1ng", id="empty"),
        pytest.param(b"# nothing but this\n", "tr\u1ed1ng", id="only-a-comment"),
        pytest.param("mã: đợt".encode("utf-16"), "UTF-8", id="not-utf-8"),
        pytest.param(b"- a\n- b\n", "kh\u00f3a", id="a-list"),
        pytest.param(b"[" * 3000, "YAML", id="too-deep"),
        pytest.param(b"a: &a [*a]\n", "neo", id="a-thing-that-holds-itself"),
    ],
)
def test_refuses_files_that_are_no_campaign(files, content, word):
    (files.folder / CAMPAIGN).write_bytes(content)
    only = files.problem()
    assert (only.line, word in only.text) == (1, True), str(only)


# --- the tree of criteria ------------------------------------------------------------------------

DEEP = CriteriaSet(
    "deep",
    "Deep",
    (
        Criterion(
            "I", "one", children=(Criterion("I.1", "a", children=()), Criterion("I.2", "b", children=()))
        ),
        Criterion(
            "II",
            "two",
            children=(
                Criterion(
                    "II.1",
                    "c",
                    children=tuple(Criterion(f"II.1.{n}", f"c{n}", children=()) for n in (1, 2, 3)),
                ),
                Criterion("II.2", "d", children=()),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("assigned", "uncovered"),
    [
        pytest.param({"I", "II"}, [], id="a-branch-covers-what-is-below"),
        pytest.param({"I"}, ["II"], id="the-highest-branch-is-named"),
        pytest.param({"I.1", "II"}, ["I.2"], id="half-a-branch"),
        pytest.param(
            {"I", "II.1.1", "II.2"}, ["II.1.2", "II.1.3"], id="not-the-branch-half-of-which-is-given"
        ),
        pytest.param(set(), ["I", "II"], id="nothing-given"),
    ],
)
def test_uncovered_names_the_highest_branches_nobody_scores(assigned, uncovered):
    assert [branch.code for branch in DEEP.uncovered(frozenset(assigned))] == uncovered


def test_the_shipped_set_adds_up_to_its_total(files):
    assert sum(branch.max_points or 0 for branch in files.read().criteria.branches) == Decimal(100)


def test_refuses_a_criterion_that_stands_twice(files):
    files.change(CRITERIA, "{code: II, ", "{code: I, ")
    files.refuses(CRITERIA, '{code: I, max_points: 25, title: "', "'I'")


def test_refuses_an_unknown_key_of_a_criterion(files):
    files.change(CRITERIA, "{code: V, ", "{code: V, childen: [], ")
    files.refuses(CRITERIA, "{code: V, ", "children")
