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
