"""Tables of scores: a sheet for each row, and every mistake with its line; nothing is read by halves."""

from decimal import Decimal
from pathlib import Path

import pytest

from config.criteria_file import read_criteria
from config.located import FileInvalid, read_located
from config.scores_file import read_scores
from rules.criteria import Mark
from rules.scoring import Sheet

CRITERIA = """\
id: mau
title: Bộ tiêu chí MẪU
method: points
step: 0.25
total_max: 40
criteria:
  - {code: I, title: MẪU, max_points: 25}
  - code: II
    title: MẪU
    max_points: 15
    children:
      - {code: II.d, title: MẪU, kind: ratio_min, minimum: 70, max_points: 5}
      - {code: II.đ, title: MẪU, kind: not_worse_than_last_year, max_points: 5}
      - code: II.e
        title: MẪU
        kind: compound
        max_points: 5
        children:
          - {code: II.e.1, title: MẪU, kind: yes_no}
          - {code: II.e.2, title: MẪU, kind: count_min, minimum: 2}
recognition:
  total_min_by_area:
    - {code: mien-nui, area: xã miền núi, points: 20, aliases: [vùng cao]}
    - {code: con-lai, area: địa bàn còn lại, points: 30}
  vetoes:
    - {code: ky-luat, title: MẪU}
    - {code: hinh-su, title: MẪU}
  vote_min: {percent: 60}
"""
HEADER = "subject;class;votes_pct;quorum_pct;vetoes;children_pct;I;II.d;II.đ;II.e\n"


def the_set(text: str = CRITERIA):
    return read_criteria(read_located("mau.yaml", text))


@pytest.fixture
def read(tmp_path: Path):
    def table(content: str | bytes, criteria: str = CRITERIA) -> list[Sheet]:
        file = tmp_path / "diem.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_scores(file, the_set(criteria))

    return table


@pytest.fixture
def told(read, tmp_path):
    """Read a table that is refused; returns the line and the words of each problem."""

    def problems(content: str | bytes, criteria: str = CRITERIA) -> list[tuple[int, str]]:
        with pytest.raises(FileInvalid) as refused:
            read(content, criteria)
        assert {each.file for each in refused.value.problems} == {str(tmp_path / "diem.csv")}
        return [(each.line, each.text) for each in refused.value.problems]

    return problems


def of(value: str, **more) -> Mark:
    return Mark(value=Decimal(value), **more)


# --- what is read --------------------------------------------------------------------------------


def test_a_row_is_a_sheet_with_all_that_is_said_of_its_subject(read):
    one, other = read(
        HEADER
        + 'Tổ MẪU 2;mien-nui;75,5;80;ky-luat;70;9,25;69,99;"12;10";đạt\n'
        + "Tổ MẪU 1;;60%;;;;0;19/20;;chưa đạt\n"
    )
    assert one == Sheet(
        subject="Tổ MẪU 2",
        class_="mien-nui",
        marks={
            "I": of("9.25"),
            "II.d": of("69.99"),
            "II.đ": of("10", before=Decimal(12)),
            "II.e": Mark(is_met=True),
        },
        votes_percent=Decimal("75.5"),
        quorum_percent=Decimal(80),
        vetoes=frozenset({"ky-luat"}),
        children_percent=Decimal(70),
    )
    assert other == Sheet(
        subject="Tổ MẪU 1",
        marks={"I": of("0"), "II.d": of("95"), "II.e": Mark(is_met=False)},
        votes_percent=Decimal(60),
    )


@pytest.mark.parametrize(
    ("content", "id_"),
    [
        ("subject,I,II.d\nTổ MẪU,9.25,70\n", "commas"),
        ('subject,I,II.d\n"Tổ MẪU","9,25",70\n', "commas-and-quotes"),
        ("subject;I;II.d\nTổ MẪU;9,25;70\n", "semicolons"),
        ("subject\tI\tII.d\nTổ MẪU\t9,25\t70\n", "tabs"),
        ("subject;I;II.d\r\nTổ MẪU;9,25;70\r\n", "windows-lines"),
        ("\ufeffsubject;I;II.d\nTổ MẪU;9,25;70\n", "byte-order-mark"),
        ("sep=;\r\nsubject;I;II.d\r\nTổ MẪU;9,25;70\r\n", "line-of-excel-about-its-separator"),
        ("subject;I;II.d\rTổ MẪU;9,25;70\r", "lines-of-old-macs"),
        ('subject, I, II.d\nTổ MẪU, "9,25", 70\n', "blanks-after-commas"),
        ("Subject;i;ii.D\nTổ MẪU;9,25;70\n", "codes-in-other-letters"),
        ("\n\nsubject;I;II.d\n\n;;\nTổ MẪU;9,25;70\n\n", "blank-lines"),
        ("subject;I;II.d;;\nTổ MẪU;9,25;70;;\n", "blank-columns"),
        ("II.d;I;subject\n70;9,25;Tổ MẪU\n", "columns-in-another-order"),
        ("subject;I;II.d\nTổ MẪU;9,25;70", "no-last-line-end"),
        ("Đơn vị;I;II.d\nTổ MẪU;9,25;70\n", "vietnamese-name"),
        ("subject;I;II.d\n To\u0302\u0309 M\u1eaaU ;9,25;70\n", "accents-in-pieces"),
    ],
)  # fmt: skip
def test_a_table_may_be_written_in_many_ways(read, content, id_):
    (sheet,) = read(content)
    assert (sheet.subject, sheet.marks) == ("Tổ MẪU", {"I": of("9.25"), "II.d": of("70")}), id_


def test_codes_that_differ_by_an_accent_are_two_columns(read):
    (sheet,) = read("subject;II.d;II.đ\nTổ MẪU;1;đạt\n")
    assert sheet.marks == {"II.d": of("1"), "II.đ": Mark(is_met=True)}


@pytest.mark.parametrize(
    "class_", ["mien-nui", "MIEN-NUI", "mien_nui", "Xã miền núi", "xa  mien nui", "vùng cao", "VÙNG-CAO"]
)
def test_a_class_goes_by_its_code_its_title_and_its_other_names(read, class_):
    assert read(f"subject;class;I\nMẪU;{class_};1\n")[0].class_ == "mien-nui"


def test_several_vetoes_stand_in_one_cell(read):
    assert read('subject;vetoes;I\nMẪU;"ky-luat; hinh-su";1\n')[0].vetoes == {"ky-luat", "hinh-su"}


@pytest.mark.parametrize("nothing", ["", " ; ", "không", "Không có", "0", "-", "none"])
def test_a_cell_that_says_there_is_no_veto_excludes_nobody(read, nothing):
    known = CRITERIA[CRITERIA.index("  vetoes:") : CRITERIA.index("  vote_min")]
    table = f'subject;vetoes;I\nMẪU;"{nothing}";1\n'
    for criteria in (CRITERIA, CRITERIA.replace(known, "  vetoes: null\n")):
        assert read(table, criteria)[0].vetoes == frozenset()
    named = CRITERIA.replace("ky-luat,", '"0",')
    assert read("subject;vetoes;I\nMẪU;0;1\n", named)[0].vetoes == {"0"}


def test_where_the_vetoes_of_the_act_are_not_known_any_code_stands(read):
    known = CRITERIA[CRITERIA.index("  vetoes:") : CRITERIA.index("  vote_min")]
    assert read("subject;vetoes;I\nMẪU;khac;1\n", CRITERIA.replace(known, "  vetoes: null\n"))[0].vetoes == {
        "khac"
    }


@pytest.mark.parametrize(
    ("first", "second", "is_met"),
    [
        ("đạt", "2", True),
        ("đạt", "1", False),
        ("không", "", False),
        ("", "2", None),
        ("", "", None),
    ],
)
def test_a_compound_is_what_its_parts_come_to(read, first, second, is_met):
    (sheet,) = read(f"subject;II.e.1;II.e.2\nMẪU;{first};{second}\n")
    assert sheet.marks == ({} if is_met is None else {"II.e": Mark(is_met=is_met)})


def test_a_compound_and_its_parts_may_say_the_same_but_not_otherwise(read, told):
    head = "subject;II.e;II.e.1;II.e.2\n"
    assert read(head + "MẪU;đạt;đạt;2\n")[0].marks == {"II.e": Mark(is_met=True)}
    ((line, words),) = told(head + "MẪU a;đạt;đạt;\nMẪU b;đạt;đạt;1\n")
    assert (line, "II.e" in words) == (3, True)
    ((line, words),) = told(head + "MẪU;đạt;đạt;hai\n")
    assert (line, "hai" in words) == (2, True)


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        pytest.param("", 1, ["trống"], id="empty"),
        pytest.param("\n ;;\n", 1, ["trống"], id="only-blanks"),
        pytest.param("subject;I\n", 1, ["không có dòng"], id="no-rows"),
        pytest.param("I;II.d\n1;70\n", 1, ["subject"], id="no-subjects"),
        pytest.param("subject;class\nMẪU;mien-nui\n", 1, ["I, II.d, II.đ, II.e"], id="no-leaf"),
        pytest.param("subject;I;III\nMẪU;1;1\n", 1, ["'III'", "II.e.2"], id="unknown-column"),
        pytest.param("\n\nsubject;I;III\nMẪU;1;1\n", 3, ["'III'"], id="unknown-column-further-down"),
        pytest.param("subject;I;II\nMẪU;1;1\n", 1, ["'II'"], id="a-branch-that-is-no-leaf"),
        pytest.param("subject;I;I\nMẪU;1;2\n", 1, ["'I'"], id="column-twice"),
        pytest.param("subject;đơn vị;I\nMẪU;MẪU;2\n", 1, ["'đơn vị'"], id="column-twice-by-another-name"),
        pytest.param("subject;I\n;1\n", 2, ["subject"], id="nobody"),
        pytest.param("subject;I\nMẪU;1\nMẪU b;1\n MẪU ;1\n", 4, ["'MẪU'", "2"], id="subject-twice"),
        pytest.param("subject;I\nMẪU;25,25\n", 2, ["cột I", "'25,25'", "0–25"], id="too-many-points"),
        pytest.param("subject;I\nMẪU;-0,25\n", 2, ["'-0,25'"], id="below-nothing"),
        pytest.param("subject;I\nMẪU;9,3\n", 2, ["'9,3'", "0,25"], id="not-a-step"),
        pytest.param("subject;I\nMẪU;2 5\n", 2, ["cột I", "'2 5'"], id="two-numbers-in-a-cell"),
        pytest.param("sep=;\nsubject;I\nMẪU;x\n", 3, ["cột I", "'x'"], id="line-below-one-of-excel"),
        pytest.param("subject;ii.e;iI.e\nMẪU;1;1\n", 1, ["'iI.e'"], id="column-twice-in-other-letters"),
        pytest.param("subject;II.e.2\nMẪU;-1\n", 2, ["từ 0 trở lên"], id="below-nothing-without-end"),
        pytest.param("subject;I\nMẪU;x\n", 2, ["cột I", "'x'"], id="not-a-number"),
        pytest.param("subject;I\nMẪU;KAD\n", 2, ["cột I", "'KAD'"], id="always-applicable"),
        pytest.param("subject;II.d\nMẪU;100,01\n", 2, ["cột II.d", "0–100"], id="more-than-all"),
        pytest.param("subject;II.đ\nMẪU;10\n", 2, ["cột II.đ", "năm trước"], id="no-last-year"),
        pytest.param("subject;II.e.2\nMẪU;1,5\n", 2, ["cột II.e.2"], id="half-a-thing"),
        pytest.param("subject;class;I\nMẪU;đồng bằng;1\n", 2, ["'đồng bằng'", "mien-nui, con-lai"], id="class"),
        pytest.param("subject;votes_pct;I\nMẪU;100,01;1\n", 2, ["votes_pct", "'100,01'"], id="votes-above-100"),
        pytest.param("subject;votes_pct;I\nMẪU;-1;1\n", 2, ["votes_pct", "'-1'"], id="votes-below-0"),
        pytest.param("subject;votes_pct;I\nMẪU;6e1;1\n", 2, ["votes_pct", "'6e1'"], id="votes-as-a-power"),
        pytest.param("subject;tỷ lệ dự họp;I\nMẪU;nan;1\n", 2, ["tỷ lệ dự họp", "'nan'"], id="quorum"),
        pytest.param("subject;children_pct;I\nMẪU;nhiều;1\n", 2, ["children_pct", "'nhiều'"], id="children"),
        pytest.param("subject;vetoes;I\nMẪU;khac;1\n", 2, ["'khac'", "hinh-su, ky-luat"], id="unknown-veto"),
        pytest.param("subject;I\nMẪU;1;2\n", 2, ["nhiều ô hơn"], id="too-many-cells"),
        pytest.param("subject,I,II.d\nMẪU,9,25,70\n", 2, ["nhiều ô hơn"], id="bare-decimal-commas"),
        pytest.param("subject;;I\nMẪU;24;2\n", 2, ["không có tên"], id="cell-under-no-name"),
        pytest.param('subject,I\nMẪU,1\n"MẪU b,1\n', 3, ["CSV"], id="quote-without-end"),
        pytest.param('subject;I\n"MẪU\nở hai dòng";1\nMẪU;x\n', 4, ["'x'"], id="line-after-a-name-of-two-lines"),
        pytest.param("chủ thể;I\nMẪU;1\n".encode("utf-16"), 1, ["UTF-8"], id="not-utf-8"),
        pytest.param(b"subject;I\nM\x00;1\n", 1, ["UTF-8"], id="binary"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_line(told, content, line, words):
    problems = told(content)
    at, said = problems[0]
    if "thiếu cột" not in said and "'II'" not in words:
        assert len(problems) == 1, problems
    assert (at, [word for word in words if word not in said]) == (line, []), said


def test_every_mistake_of_every_row_is_told_at_once_and_nothing_is_read(told):
    problems = told(HEADER + "MẪU a;x;101;;;;26;1;;\nMẪU b;;60;;;;1;70;;đạt\nMẪU a;;60;;sai;;1;nhiều;;?\n")
    assert [line for line, _ in problems] == [2, 2, 2, 4, 4, 4, 4]


def test_vetoes_are_refused_where_the_set_has_none(told):
    start, end = CRITERIA.index("  vetoes:"), CRITERIA.index("  vote_min")
    ((line, words),) = told("subject;vetoes;I\nMẪU;ky-luat;1\n", CRITERIA[:start] + CRITERIA[end:])
    assert (line, "ky-luat" in words) == (2, True)


def test_a_table_that_is_not_there_is_said_to_be_missing(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileInvalid) as refused:
            read_scores(path, the_set())
        assert [(each.file, each.line) for each in refused.value.problems] == [(str(path), 1)]
