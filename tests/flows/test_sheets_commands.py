"""Workbooks by the command line: exported, filled as a person fills them, imported whole or not at all."""

import json
import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from config.criteria_file import read_criteria_file
from config.messages import say
from config.script_file import Verb
from flows.console import app
from models.assessors import NobodyNamed
from models.campaigns import get_campaign
from models.database import transaction
from notifications.mailbox import Mailbox
from tests import factories
from tests.scored import CRITERIA
from tests.walking import Walk, begin, rows

CODE = "mau-2021"


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """Communes a and b with two groups each; agencies x (criterion I) and y (II)."""
    units = factories.units(agencies=("x", "y"))
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}1", f"Bản MẪU {unit['code']}2"]
    with Mailbox(tmp_path / "mail") as mailbox:
        yield begin(
            tmp_path / "files",
            mailbox,
            of_units=units,
            scored_by=CRITERIA,
            reviews={"x": ["I"], "y": ["II"]},
        )


def run(database, *words: str, code: int = 0) -> str:
    """Run a command on the walk's database; its exit code must be this one."""
    result = CliRunner().invoke(app, [*map(str, words)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def exported(database, folder: Path, unit: str) -> Path:
    run(database, "sheets", "export", CODE, unit, "--out", folder)
    return folder / f"{CODE}-{unit}.xlsx"


def columns(page) -> tuple[int, dict[str, int]]:
    """The row of headings of a page, and the number of each column."""
    for row in page.iter_rows():
        names = {str(cell.value): cell.column for cell in row if cell.value is not None}
        if "Tổ dân phố, bản" in names:
            return row[0].row, names
    raise AssertionError("no headings")


def fill(path: Path, sheet: str, which: dict[str, str], **values: object) -> None:
    """Type values into the row in which these cells stand, by the headings."""
    book = load_workbook(path)
    page = book[sheet]
    head, names = columns(page)
    for row in range(head + 1, page.max_row + 1):
        if all(page.cell(row, names[key]).value == value for key, value in which.items()):
            for key, value in values.items():
                page.cell(row, names[key]).value = value
            book.save(path)
            return
    raise AssertionError(which)


def fill_commune(path: Path, commune: str = "a", points: str = "40,5") -> None:
    for n in (1, 2):
        name = f"Bản MẪU {commune}{n}"
        fill(path, "Danh sách", {"Tổ dân phố, bản": name}, **{"Đề nghị công nhận": "Đề nghị"})
        for leaf in ("I", "II"):
            fill(
                path,
                "Chấm điểm",
                {"Tổ dân phố, bản": name, "Mã tiêu chí": leaf},
                **{"Tự chấm": points, "Giải trình": "giải trình MẪU"},
            )


def kept() -> list[tuple]:
    return rows(
        "SELECT g.name, s.leaf, s.self_points, s.agency_points FROM scores s"
        " JOIN residential_groups g ON g.id = s.group_id ORDER BY g.name, s.leaf"
    )


def test_a_commune_fills_its_workbook_and_all_of_it_is_recorded(walk, database, tmp_path):
    path = exported(database, tmp_path, "a")
    fill_commune(path)
    said = run(
        database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00", "--json", "--by", "MẪU"
    )
    assert json.loads(said) == {"unit": "a", "kind": "commune", "scores": 4, "groups": 2, "requests": 0}
    assert kept() == [(f"Bản MẪU a{n}", leaf, 405_000, None) for n in (1, 2) for leaf in ("I", "II")]
    assert set(rows("SELECT reason FROM marks")) == {("giải trình MẪU",)}
    assert rows("SELECT is_proposed FROM group_cases") in ([(1,), (1,)], [(True,), (True,)])


def test_an_imported_export_changes_nothing(walk, database, tmp_path):
    path = exported(database, tmp_path, "a")
    fill_commune(path)
    run(database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00")
    again = exported(database, tmp_path, "a")
    said = run(database, "sheets", "import", CODE, "a", again, "--now", "2021-11-12T10:00", "--json")
    assert json.loads(said)["scores"] == 0
    assert rows("SELECT COUNT(*) FROM marks") == [(4,)]


@pytest.fixture
def voted(database, tmp_path) -> Walk:
    """The same, of a set that asks how the people voted."""
    units = factories.units(communes=("a",))
    units[-1]["groups"] = ["Bản MẪU a1"]
    asked = {"percent": 60, "of": "attendees", "quorum_percent_of_invited": 60}
    ruled = CRITERIA | {"recognition": {"total_min": 80, "vote_min": asked}}
    with Mailbox(tmp_path / "mail") as mailbox:
        files = tmp_path / "files"
        yield begin(files, mailbox, of_units=units, scored_by=ruled, reviews={"x": ["I", "II"]})


def test_a_commune_tells_in_its_workbook_how_the_people_voted(voted, database, tmp_path):
    path = exported(database, tmp_path, "a")
    row = {"Tổ dân phố, bản": "Bản MẪU a1"}
    votes = {"Số người được mời": 50, "Số người dự họp": 40, "Số người đồng ý": 30}
    fill(path, "Danh sách", row, **{"Đề nghị công nhận": "Đề nghị"}, **votes)
    run(database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00")
    assert rows("SELECT invited, attended, in_favour FROM group_cases") == [(50, 40, 30)]
    again = exported(database, tmp_path, "a")
    run(database, "sheets", "import", CODE, "a", again, "--now", "2021-11-12T10:00")
    assert rows("SELECT invited, attended, in_favour FROM group_cases") == [(50, 40, 30)]


def test_a_score_is_not_taken_back_by_a_blank_cell(walk, database, tmp_path):
    path = exported(database, tmp_path, "a")
    fill_commune(path)
    run(database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00")
    again = exported(database, tmp_path, "a")
    fill(again, "Chấm điểm", {"Tổ dân phố, bản": "Bản MẪU a2", "Mã tiêu chí": "II"}, **{"Tự chấm": None})
    said = run(database, "sheets", "import", CODE, "a", again, "--now", "2021-11-12T10:00", code=2)
    assert said == f"{again}: Chấm điểm, I5: {say('workbook.problem.cleared')}\n"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param({"Tự chấm": "50,01"}, "Chấm điểm", id="more-than-the-maximum"),
        pytest.param({"Tự chấm": "bốn mươi"}, "Chấm điểm", id="words"),
        pytest.param({"Tự chấm": "=20+20"}, "Chấm điểm", id="a-formula"),
    ],
)
def test_one_wrong_cell_is_named_and_nothing_is_imported(walk, database, tmp_path, change, where):
    path = exported(database, tmp_path, "a")
    fill_commune(path)
    fill(path, "Chấm điểm", {"Tổ dân phố, bản": "Bản MẪU a2", "Mã tiêu chí": "II"}, **change)
    said = run(database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00", code=2)
    assert said.count("\n") == 1
    assert f"{path}: {where}, " in said
    assert (kept(), rows("SELECT * FROM group_cases")) == ([], [])


def test_a_workbook_of_another_unit_campaign_or_version_is_refused(walk, database, tmp_path):
    path = exported(database, tmp_path, "a")
    fill_commune(path)
    run(database, "sheets", "import", CODE, "b", path, "--now", "2021-11-12T09:00", code=2)
    run(database, "sheets", "import", CODE, "x", path, "--now", "2021-11-12T09:00", code=2)
    old = tmp_path / "cu.xlsx"
    shutil.copy(path, old)
    run(database, "sheets", "import", CODE, "a", path, "--now", "2021-11-12T09:00")
    run(database, "sheets", "import", CODE, "a", old, "--now", "2021-11-12T10:00", code=2)
    assert rows("SELECT COUNT(*) FROM marks") == [(4,)]


@pytest.mark.parametrize("name", ["khong-co.xlsx", "."])
def test_a_file_that_is_no_workbook_is_refused_with_one_line(walk, database, tmp_path, name):
    said = run(database, "sheets", "import", CODE, "a", tmp_path / name, "--now", "2021-11-12T09:00", code=2)
    assert said.count("\n") == 1


def test_an_agency_gets_what_was_handed_in_and_its_own_criteria_only(walk, database, tmp_path):
    for commune in ("a", "b"):
        path = exported(database, tmp_path, commune)
        fill_commune(path, commune)
        run(database, "sheets", "import", CODE, commune, path, "--now", "2021-11-12T09:00")
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-22 07:30")
    path = exported(database, tmp_path, "x")
    page = load_workbook(path)["Chấm điểm"]
    head, names = columns(page)
    found = [
        (page.cell(row, names["Tổ dân phố, bản"]).value, page.cell(row, names["Mã tiêu chí"]).value)
        for row in range(head + 1, page.max_row + 1)
    ]
    assert [each for each in found if each[0]] == [("Bản MẪU a1", "I"), ("Bản MẪU a2", "I")]
    fill(path, "Chấm điểm", {"Tổ dân phố, bản": "Bản MẪU a1"}, **{"Ý kiến thẩm định": "Đồng ý"})
    fill(
        path,
        "Chấm điểm",
        {"Tổ dân phố, bản": "Bản MẪU a2"},
        **{
            "Ý kiến thẩm định": "Chấm khác",
            "Điểm thẩm định": 30,
            "Lý do chấm khác": "thiếu minh chứng",
            "Đề nghị bổ sung, hoàn thiện": "bổ sung ảnh",
        },
    )
    said = run(
        database, "sheets", "import", CODE, "x", path, "--now", "2021-11-22T09:00", "--by", "MẪU", "--json"
    )
    assert json.loads(said) == {"unit": "x", "kind": "agency", "scores": 2, "groups": 2, "requests": 1}
    assert [row for row in kept() if row[3] is not None] == [
        ("Bản MẪU a1", "I", 405_000, 405_000),
        ("Bản MẪU a2", "I", 405_000, 300_000),
    ]
    assert rows("SELECT what FROM completions") == [("bổ sung ảnh",)]
    with transaction() as session:
        assert get_campaign(session, CODE).stage == "agency_review"


def test_an_agencys_workbook_needs_the_name_of_who_fills_it(walk, database, tmp_path):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-22 07:30")
    path = exported(database, tmp_path, "x")
    with pytest.raises(NobodyNamed):
        run(database, "sheets", "import", CODE, "x", path, "--now", "2021-11-22T09:00")


def test_a_table_of_criteria_becomes_a_file_that_is_read(tmp_path):
    book = Workbook()
    page = book.active
    for row in (
        ("STT", "Nội dung", "Điểm tối đa"),
        ("1", "Tiêu chí MẪU", 10),
        ("1.1", "Nội dung MẪU", 6),
        ("1.2", "Nội dung MẪU", 4),
    ):
        page.append(row)
    book.save(tmp_path / "bang.xlsx")
    out = tmp_path / "bo.yaml"
    run(
        None, "sheets", "criteria", tmp_path / "bang.xlsx", "--id", "mau-bang", "--title", "MẪU", "--out", out
    )
    read, _ = read_criteria_file(out)
    assert [(leaf.code, leaf.max_points) for leaf in read.leaves()] == [("1.1", 6), ("1.2", 4)]


def test_a_file_of_criteria_is_never_written_over_nor_under_a_name_that_is_no_code(tmp_path):
    book = Workbook()
    for row in (("STT", "Nội dung", "Điểm tối đa"), ("1", "MẪU", 10)):
        book.active.append(row)
    book.save(tmp_path / "bang.xlsx")
    out = tmp_path / "bo.yaml"
    words = ("sheets", "criteria", tmp_path / "bang.xlsx", "--title", "MẪU", "--out", out)
    assert "'Bộ MẪU'" in run(None, *words, "--id", "Bộ MẪU", code=2)
    assert not out.exists()
    out.write_text("by hand", encoding="utf-8")
    assert str(out) in run(None, *words, "--id", "mau", code=1)
    assert out.read_text(encoding="utf-8") == "by hand"


def test_a_table_of_criteria_that_does_not_add_up_is_refused_and_writes_nothing(tmp_path):
    book = Workbook()
    for row in (("STT", "Nội dung", "Điểm tối đa"), ("1", "MẪU", 10), ("1.1", "MẪU", 6), ("1.2", "MẪU", 3)):
        book.active.append(row)
    book.save(tmp_path / "bang.xlsx")
    out = tmp_path / "bo.yaml"
    said = run(
        None, "sheets", "criteria", tmp_path / "bang.xlsx", "--id", "m", "--title", "M", "--out", out, code=2
    )
    assert "C2" in said
    assert not out.exists()
