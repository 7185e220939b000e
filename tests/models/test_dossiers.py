"""What a commune puts into its dossier: files by their content, lists, self-scores, and what is missing."""

import unicodedata
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from config.script_file import Verb
from config.settings import settings
from models import dossiers, file_store, handing_in
from models.campaigns import get_campaign
from models.database import transaction
from models.dossier_states import dossiers_of, entries_of
from models.groups import UnknownGroup, UnknownLeaf
from models.outcome_facts import count_incomplete
from models.standings import totals
from notifications.mailbox import Mailbox
from rules.dossiers import DossierPart, FileProblem, Missing, WantedPart
from rules.work_items import ItemKind
from tests import factories
from tests.scored import CRITERIA, marks
from tests.walking import Walk, at, begin, rows

PDF = b"%PDF-1.7 MAU\n"
PARTS = [
    {"part": "report", "title": "Báo cáo"},
    {"part": "scores", "title": "Bảng tự chấm điểm"},
    {"part": "lists", "title": "Danh sách"},
    "Tài liệu khác",
]


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """Communes a and b with two groups each, in self-assessment since Thursday 11/11/2021."""
    units = factories.units()
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}1", f"Bản MẪU {unit['code']}2"]
    stages = factories.campaign_data()["stages"]
    stages["self_assessment"]["dossier"] = PARTS
    with Mailbox(tmp_path / "mail") as mailbox:
        yield begin(
            tmp_path / "files",
            mailbox,
            of_units=units,
            scored_by=CRITERIA,
            reviews={"x": ["I", "II"]},
            stages=stages,
        )


def do(walk: Walk, deed, moment: str, *args, **more):
    with transaction() as session:
        now = at(moment)
        return deed(
            session,
            get_campaign(session, walk.code),
            *args,
            **{"at": now, "recorded_at": now, "by": "MẪU cán bộ xã", **more},
        )


def ask(walk: Walk, question, *args):
    with transaction() as session:
        return question(session, get_campaign(session, walk.code), *args)


def scan(folder: Path, name: str = "Báo cáo.pdf", content: bytes = PDF) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_file_is_kept_once_by_its_content_whoever_sends_it(walk, tmp_path):
    digest = sha256(PDF).hexdigest()
    first = do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT, file=scan(tmp_path))
    again = do(
        walk, dossiers.put_in, "2021-11-12 10:00", "b", DossierPart.REPORT, file=scan(tmp_path, "bc.pdf")
    )
    assert (first, again) == (digest, digest)
    assert rows("SELECT sha256, size, media_type FROM kept_files") == [(digest, len(PDF), "pdf")]
    kept = [path for path in (settings().home / "files").rglob("*") if path.is_file()]
    assert [(path.name, path.read_bytes()) for path in kept] == [(digest, PDF)]
    assert file_store.read_kept(digest) == PDF


def test_content_that_was_changed_on_disk_is_not_given_out(walk, tmp_path):
    digest = do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT, file=scan(tmp_path))
    file_store.kept_path(digest).write_bytes(b"%PDF-1.7 khac\n")
    with pytest.raises(file_store.FileLost):
        file_store.read_kept(digest)


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as whole:
        for name in names:
            whole.writestr(name, "MẪU")
    return path


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param("bc.pdf", b"", FileProblem.EMPTY, id="empty"),
        pytest.param("bc.pdf", b"MZ\x90 a program", FileProblem.NOT_WHAT_IT_SAYS, id="a-program"),
        pytest.param("bc.docx", PDF, FileProblem.NOT_WHAT_IT_SAYS, id="a-scan-named-docx"),
        pytest.param("bc.txt", b"bao cao", FileProblem.UNKNOWN_ENDING, id="text"),
    ],
)
def test_a_file_that_is_not_taken_leaves_nothing_behind(walk, tmp_path, name, content, problem):
    with pytest.raises(file_store.FileRefused) as refused:
        do(
            walk,
            dossiers.put_in,
            "2021-11-12 09:00",
            "a",
            DossierPart.REPORT,
            file=scan(tmp_path, name, content),
        )
    assert refused.value.problem is problem
    assert rows("SELECT * FROM kept_files") == []
    assert rows("SELECT * FROM dossier_entries") == []
    assert not (settings().home / "files").exists()


def test_a_document_and_a_workbook_are_told_apart_and_macros_refused(walk, tmp_path):
    document = archive(tmp_path / "bc.docx", "word/document.xml")
    do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT, file=document)
    for wrong in (
        archive(tmp_path / "b.docx", "xl/workbook.xml"),
        archive(tmp_path / "c.xlsx", "xl/workbook.xml", "xl/vbaProject.bin"),
    ):
        with pytest.raises(file_store.FileRefused):
            do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.OTHER, file=wrong)
    assert rows("SELECT media_type FROM kept_files") == [("docx",)]


def test_a_file_sent_again_takes_the_place_of_the_first_which_stays_in_the_history(walk, tmp_path):
    do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT, file=scan(tmp_path))
    do(
        walk,
        dossiers.put_in,
        "2021-11-12 10:00",
        "a",
        DossierPart.REPORT,
        file=scan(tmp_path, content=PDF + b"2"),
    )
    entries = ask(walk, entries_of, "a")
    assert [(each.sha256, each.stands) for each in entries] == [
        (sha256(PDF).hexdigest(), False),
        (sha256(PDF + b"2").hexdigest(), True),
    ]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param(unicodedata.normalize("NFD", "Tờ trình.pdf"), "Tờ trình.pdf", id="decomposed"),
        pytest.param("Tờ\n trình\x1b[31m.pdf", "Tờ trình[31m.pdf", id="lines-and-escapes"),
        pytest.param("Tờ trình\u202efdp.pdf", "Tờ trìnhfdp.pdf", id="written-backwards"),
        pytest.param("Tờ trình\udcff.pdf", "Tờ trình?.pdf", id="bytes-that-are-no-text"),
    ],
)
def test_a_file_keeps_a_name_that_can_be_read(walk, tmp_path, name, kept):
    do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.SUBMISSION, file=scan(tmp_path, name))
    assert [each.name for each in ask(walk, entries_of, "a")] == [kept]
    again = scan(tmp_path, kept, PDF + b"2")
    do(walk, dossiers.put_in, "2021-11-12 10:00", "a", DossierPart.SUBMISSION, file=again)
    assert [each.stands for each in ask(walk, entries_of, "a")] == [False, True]
    out = {"name": unicodedata.normalize("NFD", kept)}
    assert do(walk, dossiers.take_out, "2021-11-12 11:00", "a", DossierPart.SUBMISSION, **out) == 1


def test_what_came_on_paper_is_noted_and_taken_out_again(walk):
    do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT)
    assert ask(walk, dossiers_of)["a"].content.parts == {DossierPart.REPORT}
    assert do(walk, dossiers.take_out, "2021-11-12 10:00", "a", DossierPart.REPORT) == 1
    assert ask(walk, dossiers_of)["a"].content.parts == frozenset()
    with pytest.raises(dossiers.NoSuchPart):
        do(walk, dossiers.take_out, "2021-11-12 10:00", "a", DossierPart.REPORT)


def wanted(part: str) -> WantedPart:
    title = next(each["title"] for each in PARTS if isinstance(each, dict) and each["part"] == part)
    return WantedPart(title, DossierPart(part))


def test_a_dossier_says_what_it_lacks_and_how_much_of_it(walk):
    assert ask(walk, dossiers_of)["a"].missing == (
        Missing(wanted("report")),
        Missing(wanted("scores"), 4),
        Missing(wanted("lists"), 2),
    )
    do(walk, dossiers.put_in, "2021-11-12 09:00", "a", DossierPart.REPORT)
    do(
        walk,
        dossiers.assess_self,
        "2021-11-12 09:30",
        "a",
        cases=[dossiers.Case("Bản MẪU a1", True)],
        marks=marks("Bản MẪU a1", I="40", II="45"),
    )
    states = ask(walk, dossiers_of)
    assert states["a"].missing == (Missing(wanted("scores"), 2), Missing(wanted("lists"), 1))
    assert states["b"].missing == (
        Missing(wanted("report")),
        Missing(wanted("scores"), 4),
        Missing(wanted("lists"), 2),
    )


def test_who_proposes_nobody_has_handed_in_and_still_owes_his_scores(walk):
    walk.do(Verb.SUBMIT_NOTHING, "2021-11-15 09:00", "a")
    state = ask(walk, dossiers_of)["a"]
    assert state.is_not_proposing
    assert state.missing == (Missing(wanted("report")), Missing(wanted("scores"), 4))
    assert rows("SELECT state FROM work_items WHERE name = 'dossier/a'") == [("done",)]


def test_who_proposes_somebody_after_all_no_longer_counts_as_proposing_nobody(walk):
    walk.do(Verb.SUBMIT_NOTHING, "2021-11-15 09:00", "a")
    walk.do(Verb.SUBMIT, "2021-11-15 09:10", "b")
    assert ask(walk, totals, ItemKind.DOSSIER).not_proposing == 1
    for unit, again in (("a", Verb.SUBMIT), ("b", Verb.SUBMIT_NOTHING)):
        walk.do(Verb.RETURN, "2021-11-16 09:00", unit, reasons=("thiếu danh sách",))
        walk.do(again, "2021-11-16 10:00", unit)
    states = ask(walk, dossiers_of)
    assert (states["a"].is_not_proposing, states["b"].is_not_proposing) == (False, True)
    assert ask(walk, totals, ItemKind.DOSSIER).not_proposing == 1


def test_a_dossier_that_lacks_parts_is_not_counted_as_whole(walk):
    for unit in ("a", "b"):
        walk.do(Verb.SUBMIT, "2021-11-12 10:00", unit)
    assert ask(walk, count_incomplete) == 0  # nothing of them was recorded: they lie on paper
    do(walk, dossiers.put_in, "2021-11-12 10:00", "a", DossierPart.REPORT)
    assert ask(walk, count_incomplete) == 1
    walk.do(Verb.RETURN, "2021-11-12 14:00", "a", reasons=("thiếu danh sách",))
    assert ask(walk, count_incomplete) == 0


def test_a_unit_whose_list_proposes_a_group_cannot_say_that_it_proposes_nobody(walk):
    for proposed, reason in ((True, ""), (False, "chưa đủ điều kiện")):
        case = dossiers.Case("Bản MẪU a1", proposed, reason)
        do(walk, dossiers.assess_self, "2021-11-12 09:30", "a", cases=[case])
        if proposed:
            with pytest.raises(handing_in.StillProposes) as refused:
                walk.do(Verb.SUBMIT_NOTHING, "2021-11-15 09:00", "a")
            assert refused.value.groups == ("Bản MẪU a1",)
    walk.do(Verb.SUBMIT_NOTHING, "2021-11-15 09:00", "a")
    assert ask(walk, dossiers_of)["a"].is_not_proposing


def test_a_dossier_handed_in_is_not_changed_until_it_is_sent_back(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    with pytest.raises(dossiers.DossierHandedIn):
        do(walk, dossiers.put_in, "2021-11-15 09:01", "a", DossierPart.REPORT)
    walk.do(Verb.RETURN, "2021-11-16 09:00", "a", reasons=("thiếu báo cáo",))
    do(walk, dossiers.put_in, "2021-11-16 10:00", "a", DossierPart.REPORT)
    assert [each.round for each in ask(walk, entries_of, "a")] == [2]


def test_what_came_with_a_dossier_on_paper_may_be_typed_in_later(walk):
    walk.do(Verb.SUBMIT, "2021-11-22 09:00", "a", happened_at=at("2021-11-19 16:50"))
    do(
        walk,
        dossiers.put_in,
        "2021-11-22 09:30",
        "a",
        DossierPart.REPORT,
        at=at("2021-11-19 16:50"),
    )
    assert [each.round for each in ask(walk, entries_of, "a")] == [1]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        pytest.param({"marks": marks("Bản MẪU zz", I="1")}, UnknownGroup, id="unknown-group"),
        pytest.param({"marks": marks("Bản MẪU a1", IX="1")}, UnknownLeaf, id="unknown-leaf"),
        pytest.param({"marks": marks("Bản MẪU b1", I="1")}, UnknownGroup, id="group-of-another-commune"),
        pytest.param(
            {"cases": [dossiers.Case("Bản MẪU a1", False, " ")]},
            dossiers.NotProposedWithoutReason,
            id="left-off-without-reason",
        ),
        pytest.param(
            {"cases": [dossiers.Case("Bản MẪU a1", True, votes=dossiers.Votes(10, 9, 10))]},
            dossiers.VotesDoNotAddUp,
            id="more-in-favour-than-came",
        ),
        pytest.param(
            {"cases": [dossiers.Case("Bản MẪU a1", True, area_class="sao-hoa")]},
            dossiers.UnknownClass,
            id="unknown-class",
        ),
    ],
)
def test_a_refused_self_assessment_leaves_nothing_behind(walk, more, error):
    whole = {
        "cases": [dossiers.Case("Bản MẪU a2", True), *more.get("cases", ())],
        "marks": [*marks("Bản MẪU a2", I="30"), *more.get("marks", ())],
    }
    before = rows("SELECT COUNT(*) FROM journal")
    with pytest.raises(error):
        do(walk, dossiers.assess_self, "2021-11-12 09:00", "a", **whole)
    for table in ("group_cases", "scores", "marks"):
        assert rows(f"SELECT * FROM {table}") == []
    assert rows("SELECT COUNT(*) FROM journal") == before


def test_a_score_given_again_unchanged_is_no_news_and_a_changed_one_is_kept_beside_the_first(walk):
    for moment, points, news in (
        ("2021-11-12 09:00", "30", 1),
        ("2021-11-12 10:00", "30", 0),
        ("2021-11-12 11:00", "31,5", 1),
    ):
        given = do(walk, dossiers.assess_self, moment, "a", marks=marks("Bản MẪU a1", I=points))
        assert given == news
    assert rows("SELECT points FROM marks ORDER BY id") == [(300_000,), (315_000,)]
    assert rows("SELECT self_points, self_is FROM scores") == [(315_000, "counted")]


def test_points_are_kept_exactly(walk):
    do(walk, dossiers.assess_self, "2021-11-12 09:00", "a", marks=marks("Bản MẪU a1", I="29,63", II="0,01"))
    assert rows("SELECT SUM(self_points) FROM scores") == [(296_400,)]
