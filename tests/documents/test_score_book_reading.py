"""Workbooks of scores on their way back: every error by its sheet and cell, and nothing half done."""

import unicodedata
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from documents.book_cells import BadCell, exact
from documents.safe_workbook import open_workbook
from documents.score_book import (
    BookKind,
    BookRefused,
    BookStamp,
    GivenMark,
    GroupRow,
    PeopleVotes,
    WrongBook,
    read_book,
    write_book,
)
from documents.workbook_refusals import NotAWorkbook
from rules.calendar import CITY
from rules.criteria import (
    AreaClass,
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

CLASSES = TotalMinByClass((AreaClass("mien-nui", "Miền núi", Decimal(60), ("mountain",)),))
CRITERIA = CriteriaSet(
    id="mau",
    title="Bộ tiêu chí MẪU",
    step=Decimal("0.01"),
    rules=(CLASSES, VoteMin(Decimal(60), "attendees")),
    branches=(
        Criterion("1", "Chấm điểm", Decimal(10), LeafKind.POINTS),
        Criterion("2", "Có làm", Decimal(1), LeafKind.YES_NO, not_applicable=NotApplicable.PASS),
        Criterion(
            "3", "Không xảy ra", kind=LeafKind.MUST_NOT_OCCUR, waivers=(Waiver("bkk", "Bất khả kháng"),)
        ),
        Criterion("4", "Tỷ lệ", kind=LeafKind.RATIO_MIN, minimum=Decimal(80)),
        Criterion(
            "5",
            "Chọn",
            Decimal(2),
            LeafKind.CHOICE,
            options=(Option("du", "Đủ", Decimal(2)), Option("thieu", "Còn thiếu", Decimal(0))),
        ),
    ),
)
LEAVES = CRITERIA.leaves()
GROUPS = [
    GroupRow("to-1", "Tổ 1 MẪU", "Phường MẪU", "mien-nui", is_proposed=True),
    GroupRow("to-2", "Tổ 2 MẪU", "Phường MẪU", "mien-nui", is_proposed=False, reason="chưa đủ"),
]
STAMP = BookStamp(BookKind.COMMUNE, "dot-mau-2021", "phuong-mau", 3, "mau@1")
AGENCY = replace(STAMP, kind=BookKind.AGENCY, unit="co-quan-mau")
OWN = {"1": GivenMark(self_mark=Mark(value=Decimal("9.5")), self_explanation="đủ hồ sơ")}
REVIEWED = [replace(GROUPS[0], marks=OWN), GROUPS[1]]

# Rows of "Chấm điểm": 2 to 6 are Tổ 1, 7 to 11 Tổ 2.
LISTED, SCORED = "Danh sách", "Chấm điểm"
CLEARED = "ô đã có nội dung, để trống không xóa được; ghi nội dung mới hoặc giữ nội dung cũ"


def filled(folder, cells, stamp=STAMP, groups=GROUPS):
    """Return a workbook with these values typed into it, by sheet and cell."""
    book = load_workbook(BytesIO(write_book(stamp, "Sổ MẪU", CRITERIA, LEAVES, groups)))
    for (sheet, cell), value in cells.items():
        book[sheet][cell] = value
    return saved(folder, book)


def saved(folder, book):
    path = folder / "so.xlsx"
    book.save(path)
    return path


def read(path, stamp=STAMP, groups=GROUPS, criteria=CRITERIA):
    return read_book(path, stamp, criteria, criteria.leaves(), groups)


def refusals(path, stamp=STAMP, groups=GROUPS):
    with pytest.raises(BookRefused) as refused:
        read(path, stamp, groups)
    return [str(each) for each in refused.value.problems]


@pytest.mark.parametrize(
    ("cell", "typed", "mark"),
    [
        pytest.param("I2", 9.57, Mark(value=Decimal("9.57")), id="number"),
        pytest.param("I2", "9,57", Mark(value=Decimal("9.57")), id="text-with-comma"),
        pytest.param("I2", "9.57", Mark(value=Decimal("9.57")), id="text-with-point"),
        pytest.param("I2", 0.1 + 0.2, Mark(value=Decimal("0.3")), id="binary-fraction"),
        pytest.param("I2", 10, Mark(value=Decimal(10)), id="maximum"),
        pytest.param("I2", 0, Mark(value=Decimal(0)), id="nothing"),
        pytest.param("I3", " đạt ", Mark(is_met=True), id="small-letters-and-blanks"),
        pytest.param("I3", unicodedata.normalize("NFD", "Chưa đạt"), Mark(is_met=False), id="decomposed"),
        pytest.param("I3", "Không áp dụng", Mark(is_not_applicable=True), id="not-applicable"),
        pytest.param("I4", 0, Mark(value=Decimal(0)), id="no-occurrence"),
        pytest.param("I4", "1 (Bất khả kháng)", Mark(value=Decimal(1), waiver="bkk"), id="excused"),
        pytest.param("I5", "19/20", Mark(value=Decimal(95)), id="share-of-counts"),
        pytest.param("I5", 79.99, Mark(value=Decimal("79.99")), id="ratio"),
        pytest.param("I6", "Còn thiếu", Mark(choice="thieu"), id="choice-by-title"),
    ],
)
def test_a_mark_is_what_was_typed(cell, typed, mark, tmp_path):
    groups = read(filled(tmp_path, {(SCORED, cell): typed}))
    assert [each.mark for each in groups[0].marks.values()] == [mark]
    assert groups[1].marks == {}


def test_a_share_typed_with_its_sign_is_the_share(tmp_path):
    book = load_workbook(filled(tmp_path, {(SCORED, "I5"): 0.955}))
    book[SCORED]["I5"].number_format = "0%"
    assert read(saved(tmp_path, book))[0].marks["4"].mark == Mark(value=Decimal("95.5"))


@pytest.mark.parametrize(
    ("cells", "problems"),
    [
        pytest.param(
            {(SCORED, "I2"): 10.01},
            ["Chấm điểm, I2: “10,01”: tiêu chí 1 nhận giá trị trong khoảng 0–10."],
            id="more-than-maximum",
        ),
        pytest.param(
            {(SCORED, "I2"): -0.01},
            ["Chấm điểm, I2: “-0,01”: tiêu chí 1 nhận giá trị trong khoảng 0–10."],
            id="less-than-nothing",
        ),
        pytest.param(
            {(SCORED, "I2"): 9.575},
            ["Chấm điểm, I2: “9,575”: điểm của tiêu chí 1 đi theo bước 0,01."],
            id="too-many-decimals",
        ),
        pytest.param(
            {(SCORED, "I2"): "chín"}, ["Chấm điểm, I2: “chín”: tiêu chí 1 cần một số."], id="no-number"
        ),
        pytest.param(
            {(SCORED, "I2"): True},
            ["Chấm điểm, I2: ô có giá trị TRUE/FALSE; ghi số hoặc chữ theo hướng dẫn"],
            id="boolean",
        ),
        pytest.param(
            {(SCORED, "I2"): datetime(2021, 2, 1, tzinfo=CITY).replace(tzinfo=None)},
            ["Chấm điểm, I2: ô đang là ngày tháng; đặt ô ở dạng số hoặc văn bản rồi ghi lại"],
            id="day",
        ),
        pytest.param(
            {(SCORED, "I2"): "=5+4"},
            ["Chấm điểm, I2: ô có công thức; ghi giá trị thay cho công thức"],
            id="formula",
        ),
        pytest.param(
            {(SCORED, "J2"): "=HYPERLINK(A1)", (SCORED, "I2"): 1},
            ["Chấm điểm, J2: ô có công thức; ghi giá trị thay cho công thức"],
            id="formula-in-text",
        ),
        pytest.param(
            {(SCORED, "I2"): "#N/A"}, ["Chấm điểm, I2: ô báo lỗi #N/A; ghi lại giá trị"], id="error-of-excel"
        ),
        pytest.param(
            {(SCORED, "I2"): "KAD"},
            ["Chấm điểm, I2: “KAD”: tiêu chí 1 không có trường hợp “không áp dụng”; phải chấm."],
            id="not-applicable-where-it-must-be-answered",
        ),
        pytest.param(
            {(SCORED, "I3"): "có lẽ"},
            ["Chấm điểm, I3: “có lẽ”: tiêu chí 2 cần “đạt” hoặc “chưa đạt”."],
            id="unknown-verdict",
        ),
        pytest.param(
            {(SCORED, "I4"): 1.5},
            ["Chấm điểm, I4: “1,5”: tiêu chí 3 cần số nguyên."],
            id="half-an-occurrence",
        ),
        pytest.param(
            {(SCORED, "I5"): 100.01},
            ["Chấm điểm, I5: “100,01”: tiêu chí 4 nhận giá trị trong khoảng 0–100."],
            id="more-than-all",
        ),
        pytest.param(
            {(SCORED, "I6"): "Vừa"},
            ["Chấm điểm, I6: “Vừa”: tiêu chí 5 cần một trong: du, thieu."],
            id="unknown-choice",
        ),
        pytest.param(
            {(SCORED, "J2"): "vì sao"},
            ["Chấm điểm, I2: có giải trình hoặc tài liệu nhưng chưa có điểm; ghi điểm"],
            id="explanation-of-nothing",
        ),
        pytest.param(
            {(LISTED, "E3"): "Chưa đề nghị", (LISTED, "F3"): "  "},
            ["Danh sách, F3: chưa đề nghị thì phải ghi lý do"],
            id="not-proposed-without-reason",
        ),
        pytest.param(
            {(LISTED, "E2"): None},
            [f"Danh sách, E2: {CLEARED}"],
            id="a-proposal-taken-back",
        ),
        pytest.param(
            {(LISTED, "G2"): 50, (LISTED, "H2"): 51, (LISTED, "I2"): 52},
            [
                "Danh sách, H2: 51 người dự họp, nhiều hơn 50 người được mời; kiểm tra lại",
                "Danh sách, I2: 52 người đồng ý, nhiều hơn 51 người dự họp; kiểm tra lại",
            ],
            id="more-votes-than-people",
        ),
        pytest.param(
            {(LISTED, "H2"): 40},
            [
                f"Danh sách, {cell}: ghi đủ số người được mời, dự họp, đồng ý; hoặc để trống cả ba ô"
                for cell in ("G2", "I2")
            ],
            id="votes-in-part",
        ),
        pytest.param(
            {(LISTED, "G2"): 12.5, (LISTED, "H2"): "mười", (LISTED, "I2"): -1},
            [
                "Danh sách, G2: “12,5” không phải số người; ghi một số nguyên, từ 0 trở lên",
                "Danh sách, H2: “mười” không phải số người; ghi một số nguyên, từ 0 trở lên",
                "Danh sách, I2: “-1” không phải số người; ghi một số nguyên, từ 0 trở lên",
            ],
            id="no-number-of-people",
        ),
        pytest.param(
            {(SCORED, "I2"): 1e30},
            ["Chấm điểm, I2: “1000000000000000000000000000000”: tiêu chí 1 nhận giá trị trong khoảng 0–10."],
            id="a-power-of-ten",
        ),
        pytest.param(
            {(LISTED, "E2"): "Có"},
            ["Danh sách, E2: không nhận “Có”; chọn một trong: Đề nghị, Chưa đề nghị"],
            id="unknown-proposal",
        ),
        pytest.param(
            {(LISTED, "D2"): "Đồng bằng"},
            ["Danh sách, D2: không nhận “Đồng bằng”; chọn một trong: Miền núi"],
            id="unknown-class",
        ),
        pytest.param(
            {(LISTED, "C2"): "Tổ khác"},
            ["Danh sách, C2: ô này không được sửa; giá trị đúng là “Tổ 1 MẪU”"],
            id="name-changed",
        ),
        pytest.param(
            {(SCORED, "H2"): 20},
            ["Chấm điểm, H2: ô này không được sửa; giá trị đúng là “10”"],
            id="maximum-changed",
        ),
        pytest.param(
            {(SCORED, "H2"): "=10"},
            ["Chấm điểm, H2: ô này không được sửa; giá trị đúng là “10”"],
            id="maximum-as-a-formula",
        ),
        pytest.param(
            {(SCORED, "I1"): "Điểm"},
            ["Chấm điểm, I1: tiêu đề cột phải là “Tự chấm”; không thêm, xóa, đổi cột"],
            id="heading-changed",
        ),
        pytest.param(
            {(SCORED, "L4"): "ghi chú"},
            ["Chấm điểm, L4: ô ngoài bảng; xóa nội dung này"],
            id="beside-the-table",
        ),
        pytest.param(
            {(SCORED, "A2"): "to-9"},
            [
                "Chấm điểm: thiếu dòng to-1, 1; dùng lại tệp đã nhận",
                "Chấm điểm, A2: dòng này không có trong mẫu; xóa dòng hoặc khôi phục mã",
            ],
            id="unknown-row",
        ),
        pytest.param(
            {(SCORED, "A7"): "to-1"},
            [
                "Chấm điểm: thiếu dòng to-2, 1; dùng lại tệp đã nhận",
                "Chấm điểm, A7: to-1, 1 đã có ở dòng 2; xóa một dòng",
            ],
            id="row-doubled",
        ),
        pytest.param(
            {(LISTED, "A5"): "to-3"},
            [
                "Danh sách, A4: dòng trống chèn giữa bảng; xóa dòng này",
                "Danh sách, A5: dòng này không có trong mẫu; xóa dòng hoặc khôi phục mã",
            ],
            id="rows-added",
        ),
        pytest.param(
            {(SCORED, "A1048576"): "x"},
            [
                "Chấm điểm, A12: dòng trống chèn giữa bảng; xóa dòng này",
                "Chấm điểm, A13: dòng trống chèn giữa bảng; xóa dòng này",
                "Chấm điểm, A1048576: dòng này không có trong mẫu; xóa dòng hoặc khôi phục mã",
            ],
            id="far-below",
        ),
        pytest.param(
            {(LISTED, "E2"): "?", (SCORED, "I2"): 11, (SCORED, "I7"): "a", (SCORED, "H11"): 3},
            [
                "Danh sách, E2: không nhận “?”; chọn một trong: Đề nghị, Chưa đề nghị",
                "Chấm điểm, I2: “11”: tiêu chí 1 nhận giá trị trong khoảng 0–10.",
                "Chấm điểm, I7: “a”: tiêu chí 1 cần một số.",
                "Chấm điểm, H11: ô này không được sửa; giá trị đúng là “2”",
            ],
            id="all-at-once",
        ),
    ],
)
def test_a_book_is_refused_with_every_error_by_sheet_and_cell(cells, problems, tmp_path):
    assert refusals(filled(tmp_path, cells)) == problems


@pytest.mark.parametrize("cell", ["F2", "D2", "G2"])
def test_what_is_said_of_a_group_on_neither_list_is_not_dropped_in_silence(cell, tmp_path):
    groups = [replace(GROUPS[0], class_=None, is_proposed=None), GROUPS[1]]
    said = {"D2": {"D2": "Miền núi"}, "F2": {"F2": "chưa họp"}, "G2": dict.fromkeys(("G2", "H2", "I2"), 9)}
    path = filled(tmp_path, {(LISTED, each): value for each, value in said[cell].items()}, groups=groups)
    assert refusals(path, groups=groups) == [
        "Danh sách, E2: dòng đã ghi nội dung nhưng chưa chọn Đề nghị hoặc Chưa đề nghị"
    ]


def test_the_people_of_a_group_are_counted(tmp_path):
    path = filled(tmp_path, {(LISTED, "G2"): 50, (LISTED, "H2"): "40", (LISTED, "I2"): 30})
    assert [each.votes for each in read(path)] == [PeopleVotes(50, 40, 30), None]


@pytest.mark.parametrize("stamp", [STAMP, AGENCY], ids=lambda stamp: stamp.kind)
def test_a_mark_that_was_given_is_not_taken_back_by_a_blank_cell(stamp, tmp_path):
    given = {"1": GivenMark(Mark(value=Decimal(9)), self_mark=Mark(value=Decimal(9)))}
    if stamp is STAMP:
        given = {"1": GivenMark(Mark(value=Decimal(9)))}
    groups = [replace(GROUPS[0], marks=given), GROUPS[1]]
    cells = {(SCORED, "I2"): None} if stamp is STAMP else {(SCORED, "L2"): None, (SCORED, "M2"): None}
    path = filled(tmp_path, cells, stamp, groups)
    assert refusals(path, stamp, groups) == [f"Chấm điểm, {'I2' if stamp is STAMP else 'M2'}: {CLEARED}"]


def test_a_text_that_no_book_could_hold_again_is_refused(tmp_path):
    book = load_workbook(filled(tmp_path, {(SCORED, "I2"): 9, (SCORED, "J2"): "x"}))
    book[SCORED]["J2"]._value = "x" * 32_768  # openpyxl itself would cut it
    assert refusals(saved(tmp_path, book)) == [
        "Chấm điểm, J2: nội dung dài hơn một ô Excel giữ được (32.767 ký tự); rút gọn"
    ]


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")], ids=["digits", "inf", "nan"])
def test_what_is_no_number_of_excel_is_refused(number):
    with pytest.raises(BadCell):
        exact(number)


def test_points_in_percent_are_refused(tmp_path):
    book = load_workbook(filled(tmp_path, {(SCORED, "I2"): 0.5}))
    book[SCORED]["I2"].number_format = "0%"
    assert refusals(saved(tmp_path, book)) == [
        "Chấm điểm, I2: ô đang ở dạng phần trăm; ghi điểm là một số thường"
    ]


def test_merged_cells_are_refused(tmp_path):
    book = load_workbook(filled(tmp_path, {}))
    book[SCORED].merge_cells("J2:J4")
    assert refusals(saved(tmp_path, book)) == ["Chấm điểm, J2: các ô J2:J4 bị gộp; bỏ gộp ô"]


def test_a_row_taken_out_is_named(tmp_path):
    book = load_workbook(filled(tmp_path, {}))
    book[SCORED].delete_rows(11)
    assert refusals(saved(tmp_path, book)) == ["Chấm điểm: thiếu dòng to-2, 5; dùng lại tệp đã nhận"]


def test_a_row_put_in_is_named(tmp_path):
    book = load_workbook(filled(tmp_path, {}))
    book[SCORED].insert_rows(4)
    assert refusals(saved(tmp_path, book)) == ["Chấm điểm, A4: dòng trống chèn giữa bảng; xóa dòng này"]


def test_the_order_of_rows_does_not_matter(tmp_path):
    book = load_workbook(filled(tmp_path, {(SCORED, "I2"): 9, (SCORED, "I7"): 8}))
    sheet = book[SCORED]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    for number, row in enumerate(reversed(rows), start=2):
        for column, value in enumerate(row, start=1):
            sheet.cell(number, column).value = value
    marks = [each.marks["1"].mark for each in read(saved(tmp_path, book))]
    assert marks == [Mark(value=Decimal(9)), Mark(value=Decimal(8))]


def test_a_sheet_taken_out_is_named_once(tmp_path):
    book = load_workbook(filled(tmp_path, {}))
    del book[LISTED]
    assert refusals(saved(tmp_path, book)) == [
        "Danh sách: thiếu trang này; dùng tệp đã nhận, không xóa hoặc đổi tên trang"
    ]


def test_texts_come_back_composed_and_without_blanks_around_them(tmp_path):
    typed = unicodedata.normalize("NFD", "\n  Đủ hồ sơ\r\n theo mẫu  ")
    cells = {(SCORED, "I2"): 9, (SCORED, "J2"): typed, (SCORED, "K2"): 2021, (LISTED, "D2"): "MOUNTAIN"}
    group = read(filled(tmp_path, cells))[0]
    assert group.marks == {"1": GivenMark(Mark(value=Decimal(9)), "Đủ hồ sơ\n theo mẫu", "2021")}
    assert group.class_ == "mien-nui"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param(
            {"campaign": "dot-khac"},
            "Sổ của đợt xét dot-mau-2021, không phải dot-khac; chọn đúng tệp hoặc đúng đợt xét.",
            id="campaign",
        ),
        pytest.param(
            {"unit": "xa-khac"},
            "Sổ của đơn vị phuong-mau, không phải xa-khac; chọn đúng tệp của đơn vị.",
            id="unit",
        ),
        pytest.param(
            {"kind": BookKind.AGENCY},
            "Sổ dành cho xã, phường tự chấm, không phải cho cơ quan thẩm định; chọn đúng loại sổ.",
            id="kind",
        ),
        pytest.param(
            {"criteria": "mau@2"},
            "Sổ theo bộ tiêu chí mau@1, không phải mau@2; xuất lại sổ mới.",
            id="criteria",
        ),
        pytest.param({"version": 4}, "Sổ là bản 3, đã có bản 4 mới hơn; ghi vào bản mới nhất.", id="older"),
        pytest.param({"version": 2}, "Sổ là bản 3, không phải bản 2; chọn đúng tệp.", id="newer"),
    ],
)
def test_a_book_of_something_else_is_refused_before_its_cells_are_read(changes, sentence, tmp_path):
    path = filled(tmp_path, {(SCORED, "I2"): "chín"})
    with pytest.raises(WrongBook) as refused:
        read(path, replace(STAMP, **changes))
    assert [str(each) for each in refused.value.problems] == [sentence]


def test_a_book_of_other_groups_is_refused(tmp_path):
    with pytest.raises(WrongBook) as refused:
        read(filled(tmp_path, {}), groups=[GROUPS[0]])
    assert [str(each) for each in refused.value.problems] == [
        "Danh sách tổ, bản hoặc nội dung của sổ không còn như khi xuất; xuất lại sổ mới rồi ghi vào đó."
    ]


def test_a_book_of_changed_criteria_is_refused(tmp_path):
    higher = replace(CRITERIA.branches[0], max_points=Decimal(20))
    changed = replace(CRITERIA, branches=(higher, *CRITERIA.branches[1:]))
    with pytest.raises(WrongBook):
        read(filled(tmp_path, {}), criteria=changed)


def test_a_workbook_that_we_did_not_make_is_refused(tmp_path):
    book = load_workbook(filled(tmp_path, {}))
    del book["_mau"]
    with pytest.raises(WrongBook) as refused:
        read(saved(tmp_path, book))
    assert [str(each) for each in refused.value.problems] == [
        "Tệp không phải sổ chấm điểm do hệ thống xuất ra; dùng đúng tệp đã nhận."
    ]


def test_what_is_no_workbook_is_not_opened(tmp_path):
    path = tmp_path / "so.xlsx"
    path.write_text("mã;tên")
    with pytest.raises(NotAWorkbook):
        read(path)


def test_what_is_written_is_opened(tmp_path):
    assert open_workbook(filled(tmp_path, {})).sheetnames == ["Hướng dẫn", "Danh sách", "Chấm điểm", "_mau"]


# In an agency's book L is its opinion, M its score, N its reason, O what it rests on, P its request.
AGREED = Mark(value=Decimal("9.5"))


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        pytest.param({"L2": "Đồng ý"}, GivenMark(AGREED), id="agrees"),
        pytest.param({"L2": "Đồng ý", "M2": "9,50"}, GivenMark(AGREED), id="agrees-and-repeats"),
        pytest.param({"M2": 9.5}, GivenMark(AGREED), id="same-score-without-a-word"),
        pytest.param(
            {"L2": "Chấm khác", "M2": 9, "N2": "thiếu biên bản"},
            GivenMark(Mark(value=Decimal(9)), "thiếu biên bản"),
            id="overrules",
        ),
        pytest.param(
            {"M2": 9, "N2": "thiếu biên bản", "O2": "kiểm tra 12/11"},
            GivenMark(Mark(value=Decimal(9)), "thiếu biên bản", "kiểm tra 12/11"),
            id="overrules-without-a-word",
        ),
        pytest.param({"P2": "bổ sung biên bản"}, GivenMark(request="bổ sung biên bản"), id="asks"),
        pytest.param({}, GivenMark(), id="nothing-yet"),
    ],
)
def test_an_agency_agrees_overrules_or_asks(cells, found, tmp_path):
    path = filled(tmp_path, {(SCORED, cell): value for cell, value in cells.items()}, AGENCY, REVIEWED)
    own = OWN["1"]
    expected = replace(found, self_mark=own.self_mark, self_explanation=own.self_explanation)
    assert read(path, AGENCY, REVIEWED) == [replace(GROUPS[0], marks={"1": expected}), GROUPS[1]]


def test_a_leaf_the_commune_left_open_needs_no_reason(tmp_path):
    path = filled(tmp_path, {(SCORED, "M3"): "Đạt"}, AGENCY, REVIEWED)
    assert read(path, AGENCY, REVIEWED)[0].marks["2"] == GivenMark(Mark(is_met=True))


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        pytest.param({"M2": 9}, "N2: điểm khác với điểm tự chấm thì phải ghi lý do", id="without-reason"),
        pytest.param(
            {"L2": "Chấm khác", "M2": 9, "N2": " "},
            "N2: điểm khác với điểm tự chấm thì phải ghi lý do",
            id="blank-reason",
        ),
        pytest.param(
            {"L2": "Đồng ý", "M2": 9, "N2": "x"},
            "L2: đã chọn Đồng ý nhưng điểm khác với điểm tự chấm; sửa một trong hai ô",
            id="agrees-with-another",
        ),
        pytest.param(
            {"L2": "Chấm khác", "M2": 9.5},
            "L2: đã chọn Chấm khác nhưng điểm giống điểm tự chấm; sửa một trong hai ô",
            id="overrules-with-the-same",
        ),
        pytest.param(
            {"L2": "Chấm khác"}, "M2: đã chọn Chấm khác; ghi điểm thẩm định", id="overrules-with-nothing"
        ),
        pytest.param(
            {"L3": "Đồng ý"},
            "L3: xã, phường chưa tự chấm nội dung này nên không thể Đồng ý; ghi điểm thẩm định",
            id="agrees-with-nothing",
        ),
        pytest.param(
            {"L2": "Tùy"}, "L2: không nhận “Tùy”; chọn một trong: Đồng ý, Chấm khác", id="unknown-opinion"
        ),
        pytest.param(
            {"N2": "vì sao"},
            "M2: có giải trình hoặc tài liệu nhưng chưa có điểm; ghi điểm",
            id="reason-of-nothing",
        ),
        pytest.param({"I2": 10}, "I2: ô này không được sửa; giá trị đúng là “9,5”", id="self-score-changed"),
    ],
)
def test_an_agency_s_book_is_refused_with_its_cell(cells, problem, tmp_path):
    path = filled(tmp_path, {(SCORED, cell): value for cell, value in cells.items()}, AGENCY, REVIEWED)
    assert refusals(path, AGENCY, REVIEWED) == [f"Chấm điểm, {problem}"]
