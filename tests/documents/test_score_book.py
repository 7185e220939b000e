"""Workbooks of scores: what is made can be filled in Excel, and comes back as the same data."""

import unicodedata
from dataclasses import replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.criteria_file import read_criteria_file
from documents.cell_texts import escaped, tidy, unescaped
from documents.score_book import (
    BookKind,
    BookRefused,
    BookStamp,
    GivenMark,
    GroupRow,
    PeopleVotes,
    read_book,
    write_book,
)
from documents.score_book_answers import is_same_worth
from rules.criteria import (
    AreaClass,
    Band,
    CriteriaSet,
    Criterion,
    LeafKind,
    Mark,
    NotApplicable,
    Option,
    TotalMinByClass,
    VoteMin,
    Waiver,
)

CRITERIA = Path("config/criteria")
TITLE = "Sổ chấm điểm MẪU"
ROUND_TRIPS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

EVERY_KIND = CriteriaSet(
    id="mau",
    title="Bộ tiêu chí MẪU",
    step=Decimal("0.01"),
    rules=(
        TotalMinByClass((AreaClass("mien-nui", "Miền núi, hải đảo", Decimal(60)),)),
        VoteMin(Decimal(60), "attendees"),
    ),
    branches=(
        Criterion(
            "1",
            "Tiêu chí MẪU",
            children=(
                Criterion("1.1", "Chấm điểm", Decimal(10), LeafKind.POINTS),
                Criterion(
                    "1.2",
                    "=Chọn một",
                    Decimal(2),
                    LeafKind.CHOICE,
                    options=(
                        Option("a", "b", Decimal(2)),
                        Option("b", "=1+1, có dấu phẩy", Decimal(1)),
                        Option("c", "như nhau", Decimal(0)),
                        Option("d", "Như nhau", Decimal(0)),
                    ),
                ),
                Criterion("1.3", "Có làm", Decimal(1), LeafKind.YES_NO, not_applicable=NotApplicable.PASS),
                Criterion(
                    "1.4",
                    "Không xảy ra",
                    None,
                    LeafKind.MUST_NOT_OCCUR,
                    waivers=(Waiver("bkk", "Bất khả kháng"),),
                ),
                Criterion("1.5", "Tỷ lệ", None, LeafKind.RATIO_MIN, minimum=Decimal(80)),
            ),
        ),
        Criterion(
            "2",
            "Tiêu chí MẪU thứ hai",
            children=(
                Criterion(
                    "2.1",
                    "Khoảng",
                    Decimal(5),
                    LeafKind.RATIO_BANDS,
                    bands=(Band(Decimal(0), Decimal(50), Decimal(0)), Band(Decimal(50), None, Decimal(5))),
                ),
                Criterion("2.2", "Số lượng", None, LeafKind.COUNT_MIN, minimum=Decimal(1)),
                Criterion(
                    "2.3",
                    "Xếp loại",
                    None,
                    LeafKind.RATING_MIN,
                    scale=("yếu", "khá", "tốt"),
                    minimum_rating="khá",
                ),
                Criterion("2.4", "Không hơn năm trước", None, LeafKind.NOT_WORSE_THAN_LAST_YEAR),
                Criterion("2.5", "Theo kết quả khác", None, LeafKind.REFER),
                Criterion(
                    "2.6",
                    "Gồm nhiều ý",
                    None,
                    LeafKind.COMPOUND,
                    children=(Criterion("2.6.a", "Ý thứ nhất", kind=LeafKind.YES_NO),),
                ),
                Criterion(
                    "2.7",
                    "Mỗi lần",
                    Decimal(3),
                    LeafKind.PER_OCCURRENCE,
                    each=Decimal("0.5"),
                    limit=Decimal(3),
                    not_applicable=NotApplicable.FULL_POINTS,
                ),
                Criterion("2.8", "Điểm cộng", None, LeafKind.BONUS, limit=Decimal(5)),
                Criterion("2.9", "Điểm trừ", None, LeafKind.PENALTY, limit=Decimal(5)),
            ),
        ),
    ),
)
LEAVES = EVERY_KIND.leaves()


def stamp(kind=BookKind.COMMUNE, **changes):
    return replace(BookStamp(kind, "dot-mau-2021", "phuong-mau", 3, "mau@1"), **changes)


def group(code="to-1", **changes):
    return replace(GroupRow(code, f"Tổ {code} MẪU", "Phường MẪU"), **changes)


def hundredths(most):
    return st.integers(0, most * 100).map(lambda number: Decimal(number) / 100)


def values(numbers):
    return numbers.map(lambda value: Mark(value=value))


MET = st.booleans().map(lambda is_met: Mark(is_met=is_met))
COUNTED = st.integers(0, 10**6).map(Decimal)
SHARE = st.one_of(
    hundredths(100),
    st.tuples(st.integers(0, 97), st.just(97)).map(lambda pair: Decimal(pair[0]) * 100 / pair[1]),
)
KAD = st.just(Mark(is_not_applicable=True))
MARKS = {
    "1.1": values(hundredths(10)),
    "1.2": st.sampled_from("abcd").map(lambda code: Mark(choice=code)),
    "1.3": MET | KAD,
    "1.4": MET | values(COUNTED) | st.just(Mark(value=Decimal(1), waiver="bkk")),
    "1.5": MET | values(SHARE),
    "2.1": values(SHARE),
    "2.2": MET | values(COUNTED),
    "2.3": MET | st.sampled_from(["yếu", "khá", "tốt"]).map(lambda rating: Mark(choice=rating)),
    "2.4": MET | st.tuples(COUNTED, hundredths(9)).map(lambda pair: Mark(value=pair[0], before=pair[1])),
    "2.5": MET,
    "2.6": MET,
    "2.7": values(COUNTED) | KAD,
    "2.8": values(hundredths(5)),
    "2.9": values(hundredths(5).map(lambda value: -value)),
}
LETTERS = st.text(
    st.sampled_from("=+-@\t\r\n '\"_x0041_ẾếềữĐđ&<>|" + unicodedata.normalize("NFD", "Tổ dân phố ữ"))
    | st.characters(codec="utf-8"),
    max_size=30,
)
WORDS = (st.sampled_from(["=1+1", "+84", "-5", "@A1", "=cmd|' /C calc'!A0", "_x0041_", "'=1"]) | LETTERS).map(
    tidy
)


VOTES = st.lists(st.integers(0, 500), min_size=3, max_size=3).map(
    lambda counts: PeopleVotes(*sorted(counts, reverse=True))
)


@st.composite
def communes(draw):
    rows = []
    for number in range(draw(st.integers(1, 3))):
        is_proposed = draw(st.sampled_from([True, False, None]))
        marks = {}
        for leaf in LEAVES:
            if draw(st.booleans()):
                marks[leaf.code] = GivenMark(draw(MARKS[leaf.code]), draw(WORDS), draw(WORDS))
        # Of a group on neither list nothing is kept but its scores.
        reason, votes = (draw(WORDS), draw(st.none() | VOTES)) if is_proposed is not None else (None, None)
        listed = {"is_proposed": is_proposed, "votes": votes, "marks": marks}
        reason = reason or ("chưa đủ" if is_proposed is False else None)
        area = draw(st.sampled_from([None, "mien-nui"]))
        name = draw(WORDS) or "Tổ MẪU"
        rows.append(group(f"to-{number}", name=name, class_=area, reason=reason, **listed))
    return rows


@st.composite
def reviews(draw):
    rows = []
    for row in draw(communes()):
        marks = {}
        for leaf in LEAVES:
            own = row.marks.get(leaf.code, GivenMark())
            mark = draw(st.none() | MARKS[leaf.code])
            is_other = mark is not None and own.mark is not None
            is_other = is_other and not is_same_worth(leaf, own.mark, mark, EVERY_KIND.step)
            found = GivenMark(
                mark,
                (draw(WORDS) or ("kiểm tra lại" if is_other else None)) if mark else None,
                draw(WORDS) if mark else None,
                own.mark,
                own.explanation,
                own.evidence,
                draw(WORDS),
            )
            if found != GivenMark():
                marks[leaf.code] = found
        rows.append(replace(row, marks=marks))
    return rows


@ROUND_TRIPS
@given(groups=communes())
def test_a_commune_s_exported_book_imports_as_the_same_data(tmp_path, groups):
    assert taken_back(tmp_path, stamp(), groups) == groups


@ROUND_TRIPS
@given(groups=reviews())
def test_an_agency_s_exported_book_imports_as_the_same_data(tmp_path, groups):
    assert taken_back(tmp_path, stamp(BookKind.AGENCY), groups) == groups


@given(LETTERS)
def test_a_text_reads_like_excel_shows_it_however_often_it_looks_like_a_character_code(text):
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize("kind", BookKind)
@pytest.mark.parametrize("path", sorted(CRITERIA.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_set_of_the_house_makes_a_book_that_comes_back(path, kind, tmp_path):
    criteria, _ = read_criteria_file(path)
    groups = [group("to-1", is_proposed=True), group("to-2", is_proposed=False, reason="chưa đủ")]
    file = tmp_path / "so.xlsx"
    file.write_bytes(write_book(stamp(kind), TITLE, criteria, criteria.leaves(), groups))
    assert read_book(file, stamp(kind), criteria, criteria.leaves(), groups) == groups


def test_the_same_values_give_the_same_bytes():
    groups = [group(marks={"1.1": GivenMark(Mark(value=Decimal("9.57")))})]
    books = {write_book(stamp(), TITLE, EVERY_KIND, LEAVES, groups, deadline="19/11/2021") for _ in range(2)}
    assert len(books) == 1


def test_a_text_that_looks_like_a_formula_is_stored_as_text():
    armed = ["=1+1", "+84", "-5", "@A1"]
    groups = [group(f"to-{n}", name=text, is_proposed=False, reason=text) for n, text in enumerate(armed)]
    sheet = opened(stamp(), groups)["Danh sách"]
    found = [(cell.value, cell.data_type, cell.quotePrefix) for cell in sheet["F"][1:]]
    assert found == [(text, "s", True) for text in armed]


def test_only_the_cells_to_fill_are_open():
    book = opened(stamp(), [group()])
    locked = {
        sheet.title: [cell.column_letter for cell in sheet[2] if cell.protection.locked] for sheet in book
    }
    assert locked["Danh sách"] == ["A", "B", "C"]
    assert locked["Chấm điểm"] == ["A", "B", "C", "D", "E", "F", "G", "H"]
    assert [sheet.protection.sheet for sheet in book] == [True] * 4
    assert book.security.lockStructure


def test_an_agency_writes_only_what_it_finds():
    book = opened(stamp(BookKind.AGENCY), [group()])
    is_open = [cell.column_letter for cell in book["Chấm điểm"][2] if not cell.protection.locked]
    assert is_open == ["L", "M", "N", "O", "P"]
    assert [cell.protection.locked for cell in book["Danh sách"][2]] == [True] * 9


def test_the_stamp_is_not_to_be_seen():
    book = opened(stamp(), [group()])
    assert {sheet.title: sheet.sheet_state for sheet in book} == {
        "Hướng dẫn": "visible",
        "Danh sách": "visible",
        "Chấm điểm": "visible",
        "_mau": "veryHidden",
    }


@pytest.mark.parametrize(
    ("leaf", "type_", "formula"),
    [
        pytest.param(
            "1.1",
            "custom",
            "AND(ISNUMBER(I2),I2>=0,I2<=10,ABS(I2/0.01-ROUND(I2/0.01,0))<0.000001)",
            id="points-in-steps",
        ),
        pytest.param("1.2", "list", "'_mau'!$D$1:$D$4", id="choice"),
        pytest.param("1.3", "list", "'_mau'!$D$1:$D$3", id="yes-no-or-not-applicable"),
        pytest.param(
            "1.5", "custom", 'OR(AND(ISNUMBER(I2),I2>=0,I2<=100),I2="Đạt",I2="Chưa đạt")', id="ratio"
        ),
        pytest.param(
            "2.2", "custom", 'OR(AND(ISNUMBER(I2),I2>=0,I2=INT(I2)),I2="Đạt",I2="Chưa đạt")', id="count"
        ),
        pytest.param("2.3", "list", "'_mau'!$D$1:$D$3", id="rating"),
        pytest.param(
            "2.9",
            "custom",
            "AND(ISNUMBER(I2),I2>=-5,I2<=0,ABS(I2/0.01-ROUND(I2/0.01,0))<0.000001)",
            id="penalty",
        ),
    ],
)
def test_a_cell_says_its_limits_to_excel(leaf, type_, formula):
    groups = [group(), group("to-2")]
    leaves = tuple(each for each in LEAVES if each.code == leaf)
    content = write_book(stamp(), TITLE, replace(EVERY_KIND, rules=()), leaves, groups)
    sheet = load_workbook(BytesIO(content))["Chấm điểm"]
    rule = next(each for each in sheet.data_validations.dataValidation if "I2" in each.sqref)
    # The list of "proposed or not" stands in the column before.
    moved = formula.replace("$D$", "$E$")
    assert (rule.type, rule.formula1, str(rule.sqref)) == (type_, moved, "I2:I3")
    assert rule.showInputMessage
    assert 0 < len(rule.prompt) <= 255


def test_points_without_a_step_lie_between_nothing_and_their_maximum():
    criteria = replace(EVERY_KIND, step=None)
    sheet = load_workbook(BytesIO(write_book(stamp(), TITLE, criteria, LEAVES[:1], [group()])))["Chấm điểm"]
    rule = next(each for each in sheet.data_validations.dataValidation if "I2" in each.sqref)
    assert (rule.type, rule.operator, rule.formula1, rule.formula2) == ("decimal", "between", "0", "10")


def test_a_book_is_printed_lying_with_its_headings_on_every_page():
    for sheet in (opened(stamp(), [group()])[name] for name in ("Danh sách", "Chấm điểm")):
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert (sheet.freeze_panes, sheet.print_title_rows) == ("A2", "$1:$1")


def test_a_text_too_long_for_a_cell_is_refused_before_it_is_cut():
    groups = [group(is_proposed=False, reason="Ữ" * 32_768)]
    with pytest.raises(BookRefused) as refused:
        write_book(stamp(), TITLE, EVERY_KIND, LEAVES, groups)
    assert [str(each) for each in refused.value.problems] == [
        f"Tổ to-1 MẪU: nội dung bắt đầu bằng “{'Ữ' * 40}” dài hơn một ô Excel giữ được (32.767 ký tự); "
        "rút gọn trước khi xuất"
    ]
    assert write_book(stamp(), TITLE, EVERY_KIND, LEAVES, [replace(groups[0], reason="Ữ" * 32_767)])


def test_a_book_larger_than_is_taken_back_is_not_made():
    with pytest.raises(BookRefused) as refused:
        write_book(stamp(), TITLE, EVERY_KIND, LEAVES, [group(f"to-{n}") for n in range(3_000)])
    assert [str(each) for each in refused.value.problems] == [
        "quá nhiều dòng cho một sổ (3000 tổ, bản); chia nhỏ theo xã, phường"
    ]


def opened(of, groups):
    return load_workbook(BytesIO(write_book(of, TITLE, EVERY_KIND, LEAVES, groups)))


def taken_back(folder, of, groups):
    file = folder / "so.xlsx"
    file.write_bytes(write_book(of, TITLE, EVERY_KIND, LEAVES, groups))
    return read_book(file, of, EVERY_KIND, LEAVES, groups)


def test_a_row_is_as_high_as_its_longest_text():
    groups = [
        group("to-1"),
        group("to-2", is_proposed=False, reason="chưa đủ điều kiện; " * 20),
    ]
    rows = opened(stamp(), groups)["Danh sách"].row_dimensions
    assert rows[3].height > 3 * rows[2].height


def test_the_guide_names_the_unit_and_its_deadline():
    content = write_book(
        stamp(), TITLE, EVERY_KIND, LEAVES, [group()], unit_name="phường MẪU", deadline="T6 19/11/2021 17:00"
    )
    told = "\n".join(str(row[0].value) for row in load_workbook(BytesIO(content))["Hướng dẫn"].iter_rows())
    assert "phường MẪU" in told
    assert "Thời hạn: T6 19/11/2021 17:00" in told
