"""`congnhan score`: a table in, what each subject comes to out, and every mistake with its line."""

import json
import random
from pathlib import Path

import pytest

from tests.factories import ROOT

SETS = ROOT / "config/criteria"
ND122, QD619 = SETS / "khu-dan-cu-van-hoa-nd122-2018.yaml", SETS / "tiep-can-phap-luat-qd619-2017.yaml"
ANTT = SETS / "antt-khu-dan-cu-tt124-2021.yaml"

TABLE = """subject;class;votes_pct;vetoes;I;II;III;IV;V
Tổ MẪU 3;mien-nui;60;;25;25;9,99;20;10
Tổ MẪU 1;mien-nui;75.5;;13;13;10;14;10
Tổ MẪU 2;con-lai;60;;20;20;20;15;4,99
Tổ MẪU 4;thanh-pho-truc-thuoc;100;MAU;25;25;20;20;10
Tổ MẪU 5;mien-nui;;;25;25;20;;10
"""


@pytest.fixture
def scored(run, tmp_path: Path):
    def score(criteria: Path, table: str, *options: str):
        file = tmp_path / "diem.csv"
        file.write_text(table, encoding="utf-8")
        return run("score", criteria, file, *options)

    return score


def test_the_json_is_a_list_in_the_order_of_the_table(scored):
    code, out, err = scored(ND122, TABLE, "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert all(set(each) == {"subject", "total", "verdict", "reasons"} for each in found)
    assert [(each["subject"], each["total"], each["verdict"]) for each in found] == [
        ("Tổ MẪU 3", "89.99", "not_met"),
        ("Tổ MẪU 1", "60", "met"),
        ("Tổ MẪU 2", "79.99", "not_met"),
        ("Tổ MẪU 4", "100", "not_met"),
        ("Tổ MẪU 5", "80", "incomplete"),
    ]
    reasons = [reason for each in found for reason in each["reasons"]]
    assert all(set(reason) == {"rule", "code", "need", "got", "text"} for reason in reasons)
    why = [[(r["rule"], r["code"], r["need"], r["got"]) for r in each["reasons"]] for each in found]
    assert why[0] == [("each_criterion_min_pct_of_max", "III", "10", "9.99")]
    assert ("total_min_by_area", "mien-nui", "60", "60") in why[1]
    assert ("total_min_by_area", "con-lai", "80", "79.99") in why[2]
    assert ("each_criterion_min_pct_of_max", "V", "5", "4.99") in why[2]
    assert [reason[:2] for reason in why[3]] == [("veto", "MAU")]
    assert {reason[:2] for reason in why[4]} >= {("missing", "IV"), ("vote_min", None)}
    assert found[0]["reasons"][0]["text"] == "Tiêu chí III: 9,99 điểm, dưới mức tối thiểu 10 (thiếu 0,01)."


def test_the_real_results_of_2017_come_out(scored):
    code, out, _ = scored(
        QD619,
        "subject,1,2,3,4,5\nLai Uyên,15,29.63,21.25,9.57,20\nTrừ Văn Thố,15,28.70,21.50,10,20\n",
        "--json",
    )
    assert code == 0
    assert [each["total"] for each in json.loads(out)] == ["95.45", "95.20"]


def test_a_set_that_is_met_or_not_has_no_total(scored):
    five = {"1": "123", "2": "1", "3": "abcdđeg", "4": "abcd", "5": "12"}
    leaves = [f"{number}.{each}" for number, parts in five.items() for each in parts]
    table = f"subject,{','.join(leaves)}\nTổ MẪU,{','.join('đạt' for _ in leaves)}\n"
    code, out, err = scored(ANTT, table, "--json")
    assert (code, err) == (0, "")
    assert [(each["total"], each["verdict"]) for each in json.loads(out)] == [(None, "met")]


def test_the_order_of_rows_and_columns_never_matters(scored):
    rows = [line.split(";") for line in TABLE.splitlines()]
    draw = random.Random(3)
    expected = None
    for _ in range(4):
        places = draw.sample(range(len(rows[0])), len(rows[0]))
        order = [rows[0], *draw.sample(rows[1:], len(rows) - 1)]
        code, out, _ = scored(
            ND122, "\n".join(";".join(row[place] for place in places) for row in order) + "\n", "--json"
        )
        assert code == 0
        found = sorted(json.loads(out), key=lambda each: each["subject"])
        assert found == (expected or found)
        expected = found


def test_a_person_reads_which_rule_decided_and_by_how_much(scored):
    code, out, _ = scored(ND122, TABLE)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Danh hiệu Khu dân cư văn hóa (thôn, làng, ấp, bản, tổ dân phố văn hóa)"
    assert "  - Tiêu chí III: 9,99 điểm, dưới mức tối thiểu 10 (thiếu 0,01)." in lines


def test_the_output_is_the_same_byte_by_byte_and_its_decimals_are_strings(scored):
    first, second = scored(ND122, TABLE, "--json"), scored(ND122, TABLE, "--json")
    assert first == second
    assert "Tổ MẪU 3" in first[1]
    for each in json.loads(first[1]):
        assert isinstance(each["total"], str)
        for reason in each["reasons"]:
            assert {type(reason[key]) for key in ("need", "got")} <= {str, type(None)}


@pytest.mark.parametrize(
    ("criteria", "scores", "total"),
    [
        pytest.param(QD619, "15,29.6,21,9.5,20", "95.10", id="at-least-the-decimals-of-the-step"),
        pytest.param(ND122, "20,20,10,15,5", "70", id="none-where-there-are-none"),
        pytest.param(ND122, "20.0001,20,10,15,5", "70.0001", id="all-that-there-are"),
        pytest.param(ND122, "20.50,20.50,10,15,5", "71", id="no-zeros-of-a-sum"),
        pytest.param(ND122, "0,0,0,0,0", "0", id="nothing"),
    ],
)
def test_a_total_is_told_exactly(scored, criteria, scores, total):
    codes = "1,2,3,4,5" if criteria is QD619 else "I,II,III,IV,V"
    code, out, _ = scored(criteria, f"subject,{codes}\nMẪU,{scores}\n", "--json")
    assert (code, json.loads(out)[0]["total"]) == (0, total)


def test_nothing_is_rounded_before_a_threshold_however_fine(scored):
    rows = "a;60;60;15;15;10;14;5.99999\nb;60;59.9999999;15;15;10;14;6\nc;60;60;15;15;9,999999999999;16;6\n"
    code, out, err = scored(ND122, "subject;class;votes_pct;I;II;III;IV;V\n" + rows, "--json")
    assert (code, err) == (0, "")
    assert [
        (each["total"], each["verdict"], [(r["rule"], r["need"], r["got"]) for r in each["reasons"]])
        for each in json.loads(out)
    ] == [
        ("59.99999", "not_met", [("total_min_by_area", "60", "59.99999")]),
        ("60", "not_met", [("vote_min", "60", "59.9999999")]),
        ("61.999999999999", "not_met", [("each_criterion_min_pct_of_max", "10", "9.999999999999")]),
    ]
    code, _, err = scored(ND122, "subject;I\nMẪU;9.9999999999999\n")
    assert (code, "0,000000000001" in err) == (2, True)


def test_points_stand_in_a_reason_as_they_stand_in_the_total(scored):
    table = "subject,class,votes_pct,I,II,III,IV,V\nMẪU,80,60,20.50,20.50,10.0,16.0,5.00\n"
    _, out, _ = scored(ND122, table, "--json")
    (found,) = json.loads(out)
    assert (found["total"], [each["got"] for each in found["reasons"]]) == ("72", ["72"])
    assert found["reasons"][0]["text"] == "Tổng điểm 72, loại địa bàn này cần từ 80 (thiếu 8)."
    _, out, _ = scored(QD619, "subject,class,1,2,3,4,5\nMẪU,II,15,28.7,21.5,10,20\n", "--json")
    (found,) = json.loads(out)
    assert (found["total"], found["reasons"][0]["got"]) == ("95.20", "95.20")


@pytest.mark.parametrize(
    ("class_", "need"),
    [
        *((name, "90") for name in ("thanh_pho_truc_thuoc", "QUẬN, HUYỆN", "urban", "90")),
        ("quận, huyện of a centrally run city", "90"),
        *(
            (name, "60")
            for name in ("mien_nui", "Miền  núi", "MIEN NUI", "phường miền núi", "mountain", "60")
        ),
        ("mountain, island or especially difficult commune/ward", "60"),
        *((name, "80") for name in ("con_lai", "Địa bàn còn lại", "khác", "all others", "others", "80")),
    ],
)
def test_a_class_of_decree_122_is_known_however_it_is_spelled(scored, class_, need):
    code, out, err = scored(
        ND122, f"subject;class;I;II;III;IV;V\nMẪU;{class_};12,5;12,5;10;14;10\n", "--json"
    )
    assert (code, err) == (0, "")
    # 59 is too little in every class.
    assert [(r["rule"], r["need"]) for r in json.loads(out)[0]["reasons"]] == [("total_min_by_area", need)]


@pytest.mark.parametrize("class_", ["I", "1", "Loại I", "LOẠI 1", "loai_1", "class I"])
def test_a_class_of_a_commune_is_known_however_it_is_spelled(scored, class_):
    code, out, _ = scored(QD619, f"subject;class;1\nMẪU;{class_};15\n", "--json")
    assert code == 0
    assert ("total_min_by_area", "loai-1") in [(r["rule"], r["code"]) for r in json.loads(out)[0]["reasons"]]


def test_discipline_excludes_by_the_regime_of_2017_too(scored):
    code, out, _ = scored(QD619, "subject;vetoes;1;2;3;4;5\nMẪU;ky-luat;15;30;25;10;20\n", "--json")
    assert (code, json.loads(out)[0]["verdict"]) == (0, "not_met")


def test_a_product_has_its_level_beside_its_total(scored):
    table = "subject;A;B;C\nMẪU a;40;25;25\nMẪU b;40;25;24,99\n"
    code, out, _ = scored(SETS / "ocop-qd148-2023.yaml", table, "--json")
    assert code == 0
    assert [(each["total"], each["verdict"], each["level"]) for each in json.loads(out)] == [
        ("90", "met", "5 sao"),
        ("89.99", "met", "4 sao"),
    ]
    code, out, _ = scored(SETS / "ocop-qd148-2023.yaml", table)
    assert "MẪU b: đạt, 89,99 điểm (4 sao)" in out.splitlines()


def test_a_verdict_given_without_its_figure_is_told_without_one(scored):
    table = 'subject;1.3;4.a;4.b;5.1\nMẪU a;98;"5;6";1;1\nMẪU b;chưa đạt;sai;có;chưa đạt\n'
    code, out, err = scored(ANTT, table)
    assert (code, err) == (0, "")
    assert out.splitlines()[1:] == [
        "MẪU a: chưa đạt",
        "  - Tiêu chí 1.3: 98%, cần từ 100%.",
        "  - Tiêu chí 4.a: 6, tăng so với năm trước (5).",
        "  - Tiêu chí 4.b: đã xảy ra (1 vụ), không được để xảy ra.",
        "  - Tiêu chí 5.1: xếp loại “không hoàn thành nhiệm vụ”, cần từ “hoàn thành nhiệm vụ”.",
        "MẪU b: chưa đạt",
        "  - Tiêu chí 1.3: chưa đạt.",
        "  - Tiêu chí 4.a: chưa đạt.",
        "  - Tiêu chí 4.b: chưa đạt.",
        "  - Tiêu chí 5.1: chưa đạt.",
    ]


def test_what_is_open_is_told_in_vietnamese_too(scored):
    _, out, _ = scored(ND122, "subject;I;II;III;IV\nMẪU;25;25;20;20\n")
    assert out.splitlines()[1:] == [
        "MẪU: chưa đủ để kết luận, 90 điểm",
        "  - Tiêu chí V: chưa có điểm.",
        "  - Tiêu chí V: hiện có 0 điểm, chưa đủ để so với mức tối thiểu 5.",
        "  - Chưa có tỷ lệ tán thành (cần từ 60%).",
    ]


@pytest.mark.parametrize("missing", ["criteria", "scores"])
def test_a_file_that_is_not_there_ends_with_2(run, tmp_path, missing):
    scores = tmp_path / "diem.csv"
    scores.write_text("subject;I\nMẪU;1\n", encoding="utf-8")
    none = tmp_path / "khong-co"
    code, out, err = run("score", *((none, scores) if missing == "criteria" else (ND122, none)))
    assert (code, out) == (2, "")
    assert f"{none.name}:1:" in err
    assert "Traceback" not in err


def test_limits_in_a_refusal_are_written_with_a_comma(scored):
    code, _, err = scored(QD619, "subject;1\nMẪU;1,005\n")
    assert (code, err.strip().endswith("theo bước 0,01.")) == (2, True), err


def test_a_leaf_without_exceptions_says_that_it_has_none(scored):
    code, _, err = scored(ANTT, "subject;3.a\nMẪU;1 (bat-kha-khang)\n")
    assert (code, err.strip().endswith("tiêu chí 3.a không có trường hợp miễn trừ nào.")) == (2, True), err


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ("", 1, "trống"),
        ("subject;I\n", 1, "không có dòng"),
        ("I;II\n20;20\n", 1, "thiếu cột subject"),
        ("subject;I;VI\nMẪU;1;1\n", 1, "'VI'"),
        ("subject;I;I\nMẪU;1;1\n", 1, "hai lần"),
        ("subject;I\nMẪU;1\n\nMẪU;2\n", 4, "đã có ở dòng 2"),
        ("subject;I\nMẪU;25,01\n", 2, "25,01"),
        ("subject;I\nMẪU;nhiều\n", 2, "nhiều"),
        ("subject;class;I\nMẪU;loại MẪU;1\n", 2, "loại MẪU"),
        ("subject;votes_pct;I\nMẪU;101;1\n", 2, "101"),
        ("subject,I,II\nMẪU,9,57,20\n", 2, "nhiều ô hơn"),
        ('subject,I\n"MẪU,1\n', 2, "CSV"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_ends_with_2(scored, table, line, words):
    code, out, err = scored(ND122, table, "--json")
    assert (code, out) == (2, "")
    assert f"diem.csv:{line}:" in err
    assert words in err
    assert "Traceback" not in err


def test_all_mistakes_are_told_at_once(scored):
    code, _, err = scored(ND122, "subject;votes_pct;I;II\nMẪU a;x;26;1\nMẪU b;50;1;y\n")
    assert code == 2
    assert len(err.strip().splitlines()) == 3


def test_a_set_with_an_open_branch_is_refused_with_the_branch(scored):
    code, out, err = scored(SETS / "tiep-can-phap-luat-qd27-2025.yaml", "subject;1.1\nMẪU;1\n", "--json")
    assert (code, out) == (2, "")
    assert [line.split(": ")[1].split("'")[1] for line in err.strip().splitlines()] == ["2.6", "2.7"]


def test_a_set_that_does_not_add_up_is_refused_with_the_branch(scored, tmp_path):
    text = (SETS / "ntm-dak-lak-qd2126-2014-tc1.yaml").read_text(encoding="utf-8")
    start = text.index('      - code: "1.5"')
    wrong = tmp_path / "sai.yaml"
    wrong.write_text(text[:start], encoding="utf-8")
    code, out, err = scored(wrong, "subject;1.1.1\nMẪU;1\n")
    assert (code, out) == (2, "")
    line = 1 + text[:start].splitlines().index('  - code: "1"')
    assert err.startswith(f"{wrong}:{line}:") or f":{line}:" in err.splitlines()[0]
    assert "'1'" in err
    assert "95" in err
