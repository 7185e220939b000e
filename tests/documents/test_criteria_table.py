"""A table of criteria in Excel becomes a criteria file that the house reads, or is refused cell by cell."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook

from config.criteria_file import read_criteria, read_criteria_file
from config.located import read_located
from documents.criteria_table import read_criteria_table
from documents.criteria_yaml import criteria_yaml
from documents.score_book import BookRefused
from rules.calendar import CITY
from rules.criteria import Criterion, LeafKind, Method

HEAD = ("STT", "Tiêu chí", "Điểm tối đa")
NTM = Path("config/criteria/ntm-dak-lak-qd2126-2014-tc1.yaml")


def table(folder, rows, above=()):
    book = Workbook()
    sheet = book.active
    sheet.title = "Phụ lục"
    for row in (*above, *rows):
        sheet.append(row)
    path = folder / "phu-luc.xlsx"
    book.save(path)
    return path


def read_as_set(path):
    text = criteria_yaml(read_criteria_table(path), set_id="mau", title="Bộ tiêu chí MẪU", version="2021")
    return read_criteria(read_located("mau.yaml", text))


def refusals(path):
    with pytest.raises(BookRefused) as refused:
        read_criteria_table(path)
    return [str(each) for each in refused.value.problems]


def places(path):
    return [(row.depth, row.code) for row in read_criteria_table(path).walk()]


def test_the_table_of_a_real_set_becomes_the_same_set(tmp_path):
    known, _ = read_criteria_file(NTM)
    rows = [(each.code, each.title, each.max_points) for each in known.walk()]
    path = table(tmp_path, [HEAD, *rows, (None, "Tổng cộng", 100)], above=[("PHỤ LỤC MẪU",), ()])
    found = read_as_set(path)
    assert (found.branches, found.total_max, found.method) == (known.branches, Decimal(100), Method.POINTS)


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        pytest.param(
            ["1", "1.1", "1.1.a", "1.1.b", "1.2", "2"],
            [(0, "1"), (1, "1.1"), (2, "1.1.a"), (2, "1.1.b"), (1, "1.2"), (0, "2")],
            id="dots",
        ),
        pytest.param(
            ["1.", "1.1.", "a)", "b)", "2."],
            [(0, "1"), (1, "1.1"), (2, "a"), (2, "b"), (0, "2")],
            id="points-and-brackets",
        ),
        pytest.param([1, 1.1, 1.2, 2], [(0, "1"), (1, "1.1"), (1, "1.2"), (0, "2")], id="numbers-of-excel"),
        pytest.param(
            ["I", "1", "2", "II", "1", "2"],
            [(0, "I"), (1, "I.1"), (1, "I.2"), (0, "II"), (1, "II.1"), (1, "II.2")],
            id="romans-that-begin-again",
        ),
        pytest.param(
            ["I", "1", "1.1", "II", "1", "1.1"],
            [(0, "I"), (1, "I.1"), (2, "I.1.1"), (0, "II"), (1, "II.1"), (2, "II.1.1")],
            id="numbers-below-romans",
        ),
        pytest.param(
            ["I", "1", "2", "II", "3"],
            [(0, "I"), (1, "1"), (1, "2"), (0, "II"), (1, "3")],
            id="romans-that-go-on",
        ),
        pytest.param(
            ["A", "I", "1", "a", "II", "B"],
            [(0, "A"), (1, "I"), (2, "1"), (3, "a"), (1, "II"), (0, "B")],
            id="four-deep",
        ),
        pytest.param(
            ["1", "a", "đ", "2", "a"],
            [(0, "1"), (1, "1.a"), (1, "1.đ"), (0, "2"), (1, "2.a")],
            id="letters-that-begin-again",
        ),
        pytest.param(["G", "H", "I", "K"], [(0, "G"), (0, "H"), (0, "I"), (0, "K")], id="the-letter-after-h"),
        pytest.param(["IV", "V", "VI"], [(0, "IV"), (0, "V"), (0, "VI")], id="romans"),
        pytest.param(["a", "i", "ii", "b"], [(0, "a"), (1, "i"), (1, "ii"), (0, "b")], id="small-romans"),
    ],
)
def test_a_code_says_how_deep_its_row_stands(codes, found, tmp_path):
    assert places(table(tmp_path, [HEAD[:2], *[(code, "Nội dung MẪU") for code in codes]])) == found


def test_a_column_of_levels_says_it_too(tmp_path):
    rows = [("Cấp", "Nội dung"), (1, "Một"), (2, "Một một"), (2, "Một hai"), (1, "Hai"), (2, "Hai một")]
    assert places(table(tmp_path, rows)) == [(0, "1"), (1, "1.1"), (1, "1.2"), (0, "2"), (1, "2.1")]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(("STT", "Nội dung tiêu chí", "Điểm chuẩn"), id="annex"),
        pytest.param((" tt ", "TIÊU CHÍ", "Thang điểm (điểm)"), id="capitals-and-units"),
        pytest.param(("Code", "Title", "Max points"), id="english"),
    ],
)
def test_headings_are_known_by_many_names(head, tmp_path):
    found = read_as_set(table(tmp_path, [head, ("(1)", "(2)", "(3)"), ("1", "Một", "10 điểm")]))
    assert found.branches == (Criterion("1", "Một", Decimal(10)),)


@pytest.mark.parametrize(
    ("kind", "threshold", "found"),
    [
        pytest.param("Tỷ lệ", "≥ 80%", (LeafKind.RATIO_MIN, Decimal(80)), id="share"),
        pytest.param(None, "từ 80% trở lên", (LeafKind.RATIO_MIN, Decimal(80)), id="share-by-its-sign"),
        pytest.param(None, "1", (LeafKind.COUNT_MIN, Decimal(1)), id="count"),
        pytest.param("Đạt / chưa đạt", None, (LeafKind.YES_NO, None), id="yes-no"),
        pytest.param("must_not_occur", None, (LeafKind.MUST_NOT_OCCUR, None), id="as-in-the-file"),
        pytest.param(None, None, (None, None), id="not-said"),
    ],
)
def test_a_leaf_has_the_kind_its_row_names(kind, threshold, found, tmp_path):
    rows = [("STT", "Nội dung", "Loại", "Ngưỡng"), ("1", "Một", kind, threshold)]
    criteria = read_as_set(table(tmp_path, rows))
    assert criteria.method is Method.PASS_FAIL_ALL
    assert (criteria.branches[0].kind, criteria.branches[0].minimum) == found


def test_a_share_in_the_format_of_excel_is_a_percentage(tmp_path):
    book = Workbook()
    book.active.append(("STT", "Nội dung", "Ngưỡng"))
    book.active.append(("1", "Một", 0.8))
    book.active["C2"].number_format = "0%"
    book.save(tmp_path / "phu-luc.xlsx")
    leaf = read_as_set(tmp_path / "phu-luc.xlsx").branches[0]
    assert (leaf.kind, leaf.minimum) == (LeafKind.RATIO_MIN, Decimal(80))


def test_what_the_table_leaves_open_is_a_gap_of_the_set(tmp_path):
    rows = [("STT", "Nội dung", "Loại"), ("1", "Một", "Xếp loại"), ("2", "Hai", None)]
    assert [(gap.code, gap.what) for gap in read_as_set(table(tmp_path, rows)).gaps] == [
        ("1", "scale"),
        ("2", "kind"),
    ]


def test_points_beside_the_maximum_are_no_part_of_the_total(tmp_path):
    rows = [
        ("STT", "Tiêu chí", "Điểm tối đa", "Loại", "Không áp dụng", "Minh chứng"),
        ("1", "Một", 10, None, "tính điểm tối đa", "báo cáo"),
        ("2", "Thưởng", 5, "Điểm cộng", None, None),
        ("3", "Phạt", -5, "Điểm trừ", None, None),
        ("Tổng cộng", None, 10, None, None, None),
    ]
    found = read_as_set(table(tmp_path, rows))
    assert [(each.max_points, each.limit) for each in found.branches] == [(10, None), (None, 5), (None, 5)]
    assert (found.total_max, found.branches[0].not_applicable, found.branches[0].evidence) == (
        Decimal(10),
        "full_points",
        ("báo cáo",),
    )


def test_the_form_of_decision_25_is_read_with_its_words_and_its_headings_again(tmp_path):
    head = ("Tiêu chí, chỉ tiêu", "Nội dung", "Điểm số tối đa", "Điểm tự chấm")
    rows = [
        head,
        ("Tiêu chí 1:", "Ban hành\nvăn bản", 10, None),
        ("Chỉ tiêu 1", "Ban hành đủ", 3, None),
        ("Chỉ tiêu 2", "Đúng pháp luật", 7, None),
        head,
        ("Tiêu chí 2:", "Hòa giải", 5, None),
        ("Chỉ tiêu 1", "Kịp thời", 5, None),
    ]
    found = read_as_set(table(tmp_path, rows))
    assert [(each.code, each.title, each.max_points) for each in found.walk()] == [
        ("1", "Ban hành văn bản", 10),
        ("1.1", "Ban hành đủ", 3),
        ("1.2", "Đúng pháp luật", 7),
        ("2", "Hòa giải", 5),
        ("2.1", "Kịp thời", 5),
    ]


def test_the_rating_that_a_row_asks_for_is_kept_though_its_scale_is_open(tmp_path):
    rows = [("STT", "Nội dung", "Loại", "Ngưỡng"), ("1", "Một", "Xếp loại", "Từ khá trở lên")]
    found = read_as_set(table(tmp_path, rows))
    assert (found.branches[0].minimum_rating, [gap.what for gap in found.gaps]) == ("khá", ["scale"])


def test_a_kind_that_brings_points_makes_a_set_of_points_though_none_are_said(tmp_path):
    rows = [("STT", "Nội dung", "Loại"), ("1", "Một", "Chấm điểm"), ("2", "Hai", "Điểm thưởng")]
    found = read_as_set(table(tmp_path, rows))
    assert (found.method, [(gap.code, gap.what) for gap in found.gaps]) == (
        Method.POINTS,
        [("1", "points"), ("2", "limit")],
    )


def test_a_row_of_totals_is_checked_against_its_branch(tmp_path):
    rows = [
        HEAD,
        ("I", "Một", None),
        ("1", "Một một", 2.5),
        ("2", "Một hai", "7,5"),
        (None, "Cộng mục I", 10),
        ("II", "Hai", None),
        ("3", "Hai một", 5),
        (None, "Cộng", 5),
        (None, "Tổng điểm", 15),
    ]
    found = read_as_set(table(tmp_path, rows))
    assert ([each.max_points for each in found.branches], found.total_max) == ([10, 5], 15)


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        pytest.param(
            [("1", "Một", 10), ("1.1", "Một một", 4), ("1.2", "Một hai", 5)],
            ["Phụ lục, C2: các mục cộng lại được 9, ở đây ghi 10; sửa điểm cho khớp"],
            id="branch",
        ),
        pytest.param(
            [("1", "Một", 10), ("2", "Hai", 5), (None, "Tổng cộng", 20)],
            ["Phụ lục, C4: các mục cộng lại được 15, ở đây ghi 20; sửa điểm cho khớp"],
            id="total",
        ),
        pytest.param(
            [("I", "Một", None), ("1", "Một một", 4), (None, "Cộng mục I", 5), ("II", "Hai", 1)],
            ["Phụ lục, C4: các mục cộng lại được 4, ở đây ghi 5; sửa điểm cho khớp"],
            id="subtotal",
        ),
        pytest.param(
            [("1", "Một", 10), ("1", "Một", 5)],
            ["Phụ lục, A3: mã 1 đã có ở ô A2; mã như 1.10 phải để ở dạng văn bản"],
            id="code-twice",
        ),
        pytest.param(
            [("1", "Một", 1), ("1.2.1", "Sâu", 1)],
            [
                "Phụ lục, A3: mã “1.2.1” không nằm dưới mục cha đứng ngay trước; "
                "kiểm tra mã hoặc bổ sung mục cha"
            ],
            id="level-skipped",
        ),
        pytest.param(
            [("-", "Một", 1), ("1", "Hai", 1)],
            ["Phụ lục, A2: không hiểu mã “-”; dùng dạng 1, 1.1, 1.1.a, I, A, a hoặc thêm cột Cấp"],
            id="dash",
        ),
        pytest.param(
            [(datetime(2021, 2, 1, tzinfo=CITY).replace(tzinfo=None), "Một", 1), ("1", "Hai", 1)],
            ["Phụ lục, A2: không hiểu mã “01/02/2021”; dùng dạng 1, 1.1, 1.1.a, I, A, a hoặc thêm cột Cấp"],
            id="day",
        ),
        pytest.param(
            [(None, "Cộng đồng tham gia", 1), ("1", "Hai", 1)],
            ["Phụ lục, A2: dòng không có mã; ghi mã (1, 1.1, a…), nối vào dòng trên hoặc xóa dòng"],
            id="no-code",
        ),
        pytest.param(
            [("1", None, 10), ("2", "Hai", 1)],
            ["Phụ lục, B2: thiếu tên tiêu chí; ghi nội dung hoặc xóa dòng"],
            id="no-title",
        ),
        pytest.param(
            [("1", "Một", "nhiều")],
            ["Phụ lục, C2: “nhiều” không phải một số; ghi một số (ví dụ 10 hoặc 2,5)"],
            id="no-number",
        ),
        pytest.param(
            [("1", "Một", -1)],
            ["Phụ lục, C2: số âm chỉ dùng cho điểm trừ; ghi số từ 0 trở lên"],
            id="negative",
        ),
        pytest.param(
            [("1", "Một", "=5+5")],
            ["Phụ lục, C2: ô có công thức; ghi giá trị thay cho công thức"],
            id="formula",
        ),
        pytest.param([], ["Phụ lục: bảng không có dòng tiêu chí nào dưới dòng tiêu đề"], id="nothing"),
        pytest.param(
            [("1", "Một", "?"), ("x1", "Hai", 1), ("2", "Ba", "?")],
            [
                "Phụ lục, C2: “?” không phải một số; ghi một số (ví dụ 10 hoặc 2,5)",
                "Phụ lục, A3: không hiểu mã “x1”; dùng dạng 1, 1.1, 1.1.a, I, A, a hoặc thêm cột Cấp",
                "Phụ lục, C4: “?” không phải một số; ghi một số (ví dụ 10 hoặc 2,5)",
            ],
            id="all-at-once",
        ),
    ],
)
def test_a_table_is_refused_with_every_problem_by_its_cell(rows, problems, tmp_path):
    assert refusals(table(tmp_path, [HEAD, *rows])) == problems


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        pytest.param(
            ("1", "Một", "Hay", None, None),
            "Phụ lục, C2: không có loại “Hay”; chọn một trong: điểm, lựa chọn, đạt/chưa đạt, "
            "không xảy ra, tỷ lệ, khoảng tỷ lệ, số lượng, xếp loại, không tăng so với năm trước, "
            "kết quả khác, đạt tất cả, mỗi lần, điểm cộng, điểm trừ",
            id="kind",
        ),
        pytest.param(
            ("1", "Một", "Tỷ lệ", "101%", None),
            "Phụ lục, D2: tỷ lệ lớn hơn 100%; ghi lại ngưỡng",
            id="more-than-all",
        ),
        pytest.param(
            ("1", "Một", "Đạt", "80%", None),
            "Phụ lục, D2: ngưỡng bằng số chỉ dùng cho tỷ lệ hoặc số lượng; sửa loại hoặc bỏ ngưỡng",
            id="threshold-of-a-yes-or-no",
        ),
        pytest.param(
            ("1", "Một", None, None, "bỏ"),
            "Phụ lục, E2: không nhận “bỏ”; chọn một trong: tính điểm tối đa, tính đạt, nhóm riêng",
            id="not-applicable",
        ),
    ],
)
def test_an_unknown_word_is_answered_with_those_that_are_known(row, problem, tmp_path):
    head = ("STT", "Nội dung", "Loại", "Ngưỡng", "Không phát sinh")
    assert refusals(table(tmp_path, [head, row])) == [problem]


def test_a_branch_with_a_kind_of_its_own_is_refused(tmp_path):
    rows = [("STT", "Nội dung", "Loại"), ("1", "Một", "Tỷ lệ"), ("1.1", "Một một", "Đạt")]
    assert refusals(table(tmp_path, rows)) == [
        "Phụ lục, C2: tiêu chí 1 có mục con nên không có loại riêng; bỏ loại hoặc chọn Đạt tất cả"
    ]


def test_two_columns_of_one_name_are_refused(tmp_path):
    rows = [("STT", "Tiêu chí", "Nội dung"), ("1", "Một", "Hai")]
    assert refusals(table(tmp_path, rows)) == [
        "Phụ lục, B1: có hai cột “tiêu chí”; giữ lại một",
        "Phụ lục, C1: có hai cột “tiêu chí”; giữ lại một",
    ]


def test_a_workbook_without_a_table_is_refused(tmp_path):
    assert refusals(table(tmp_path, [("Danh sách MẪU",)])) == [
        "không thấy dòng tiêu đề của bảng tiêu chí; cần cột STT (hoặc Mã, Cấp) "
        "và cột Tiêu chí (hoặc Nội dung)"
    ]


def test_decimals_are_written_as_they_are(tmp_path):
    text = criteria_yaml(
        read_criteria_table(table(tmp_path, [HEAD, ("1", "Một", 0.25), ("2", "Hai", 9.57)])),
        set_id="mau",
        title="Bộ tiêu chí MẪU",
    )
    assert text == (
        "id: mau\ntitle: Bộ tiêu chí MẪU\nmethod: points\ncriteria:\n"
        "- code: '1'\n  title: Một\n  max_points: 0.25\n"
        "- code: '2'\n  title: Hai\n  max_points: 9.57\n"
    )
