"""Criteria files: what adds up is read, and one line for each thing no sheet could be scored by."""

from decimal import Decimal
from pathlib import Path

import pytest

import config
from config.criteria_file import read_criteria, read_criteria_file
from config.located import FileInvalid, read_located
from rules.criteria import (
    CriterionFloor,
    Gap,
    LeafKind,
    Levels,
    Mark,
    Method,
    NotApplicable,
    Reference,
    TotalMin,
    TotalMinByClass,
    Verdict,
    Vetoes,
    VoteMin,
)
from rules.scoring import Sheet, assess

SHIPPED = Path(config.__file__).parent / "criteria"
DAK_LAK = SHIPPED / "ntm-dak-lak-qd2126-2014-tc1.yaml"
ND122 = SHIPPED / "khu-dan-cu-van-hoa-nd122-2018.yaml"

# A whole set by points; each test breaks one line of it.
POINTS = """\
id: mau
title: Bộ tiêu chí MẪU
method: points
step: 0.5
total_max: 30
criteria:
  - code: "1"
    title: Tiêu chí MẪU 1
    max_points: 20
    children:
      - {code: "1.1", title: MẪU, max_points: 8.5}
      - code: "1.2"
        title: MẪU
        max_points: 11.5
        children:
          - {code: 1.2.1, title: MẪU, max_points: 10}
          - {code: 1.2.2, title: MẪU, kind: yes_no, max_points: 1.5}
  - code: "2"
    title: Tiêu chí MẪU 2
    max_points: 10
    children:
      - code: "2.1"
        title: MẪU
        kind: ratio_bands
        max_points: 4
        bands:
          - {from: 90, points: 4}
          - {from: 50, below: 90, points: 2}
          - {from: 0, below: 50, points: 0}
      - code: "2.2"
        title: MẪU
        kind: choice
        max_points: 3
        options:
          - {code: du, title: Đủ, points: 3}
          - {code: thieu, title: Thiếu, points: 0}
      - {code: "2.3", title: MẪU, kind: per_occurrence, each: 0.5, limit: 3, max_points: 3}
  - {code: "3", title: Điểm thưởng MẪU, kind: bonus, limit: 5}
recognition:
  total_min: 24
  each_criterion_min_percent: 50
  vetoes:
    - {code: ky-luat, title: Kỷ luật MẪU}
    - {code: hinh-su, title: Hình sự MẪU}
"""

PASS_FAIL = """\
id: mau-dat
title: Bộ tiêu chí MẪU đạt hay chưa
method: pass_fail_all
criteria:
  - {code: "1", title: MẪU, kind: ratio_min, minimum: 95}
  - {code: "2", title: MẪU, kind: rating_min, scale: [yếu, khá, tốt], minimum_rating: khá}
  - code: "3"
    title: MẪU
    kind: compound
    children:
      - {code: 3.a, title: MẪU, kind: yes_no}
      - {code: 3.b, title: MẪU, kind: must_not_occur, exceptions: [{code: bao-ngay, title: Báo ngay}]}
"""


def read(text: str):
    return read_criteria(read_located("mau.yaml", text))


def changed(text: str, old: str, new: str) -> str:
    """Return a text with a piece that stands exactly once replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def line_of(text: str, piece: str) -> int:
    """Return the line of the first occurrence of a piece of text."""
    return text[: text.index(piece)].count("\n") + 1


def refused(text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(FileInvalid) as found:
        read(text)
    return [(each.file, each.line, each.text) for each in found.value.problems]


def refuses(text: str, old: str, new: str, at: str, *words: str) -> None:
    """Check that a change makes exactly one problem, at the line of this piece, with these words."""
    broken = changed(text, old, new)
    ((file, line, said),) = refused(broken)
    assert (file, line) == ("mau.yaml", line_of(broken, at)), said
    assert [word for word in words if word not in said] == [], said


# --- what is read --------------------------------------------------------------------------------


def test_a_set_is_read_as_its_file_says():
    found = read(POINTS)
    assert (found.method, found.step, found.total_max, found.gaps) == (Method.POINTS, Decimal("0.5"), 30, ())
    assert [leaf.code for leaf in found.leaves()] == ["1.1", "1.2.1", "1.2.2", "2.1", "2.2", "2.3", "3"]
    first, bands = found.leaves()[0], found.leaves()[3]
    assert (first.max_points, first.kind) == (Decimal("8.5"), None)
    assert [(each.from_value, each.below, each.points) for each in bands.bands] == [
        (90, None, 4),
        (50, 90, 2),
        (0, 50, 0),
    ]
    total, floor, vetoes = found.rules
    assert (total, floor) == (TotalMin(Decimal(24)), CriterionFloor(Decimal(50)))
    assert isinstance(vetoes, Vetoes)
    assert vetoes.known is not None
    assert [each.code for each in vetoes.known] == ["ky-luat", "hinh-su"]


def test_a_compound_is_one_leaf_and_its_parts_bring_no_points():
    found = read(PASS_FAIL)
    assert ([leaf.code for leaf in found.leaves()], found.gaps) == (["1", "2", "3"], ())
    with_points = changed(PASS_FAIL, "method: pass_fail_all", "method: points")
    with_points = with_points.replace("minimum: 95", "minimum: 95, max_points: 5")
    with_points = with_points.replace("minimum_rating: khá", "minimum_rating: khá, max_points: 3")
    with_points = with_points.replace("kind: compound", "kind: compound\n    max_points: 2")
    found = read(with_points)
    assert found.gaps == ()
    assert [(leaf.code, leaf.max_points) for leaf in found.leaves()] == [("1", 5), ("2", 3), ("3", 2)]


@pytest.mark.parametrize("number", ["8.5", '"8,5"', "8.50", '"8.5"'])
def test_a_number_takes_a_point_or_a_comma_and_is_exact(number):
    found = read(changed(POINTS, "max_points: 8.5}", f"max_points: {number}}}"))
    assert found.leaves()[0].max_points == Decimal("8.5")


def test_a_branch_without_points_of_its_own_is_worth_its_parts():
    bare = changed(changed(POINTS, "    max_points: 20\n", ""), "        max_points: 11.5\n", "")
    found = read(bare)
    assert [each.max_points for each in found.branches] == [20, 10, None]
    # So its floor holds too: 9.5 is less than half of 20.
    marks = {"1.1": Mark(value=Decimal("8.5")), "1.2.1": Mark(value=Decimal(1))}
    marks |= {"1.2.2": Mark(is_met=False), "2.1": Mark(value=Decimal(100)), "2.2": Mark(choice="du")}
    marks |= {"2.3": Mark(value=Decimal(6)), "3": Mark(value=Decimal(5))}
    found = assess(found, Sheet("MẪU", marks=marks))
    assert (found.verdict, found.total) == (Verdict.NOT_MET, Decimal("24.5"))
    assert [(each.code, each.need, each.got) for each in found.reasons] == [("1", "10", "9.5")]


def test_what_the_shipped_sets_ask_of_the_whole_is_read():
    nd122 = read_criteria_file(ND122)[0]
    by_class, floor, vetoes, vote = nd122.rules
    assert isinstance(by_class, TotalMinByClass)
    assert {each.code: each.points for each in by_class.classes} == {
        "thanh-pho-truc-thuoc": 90,
        "mien-nui": 60,
        "con-lai": 80,
    }
    assert (floor, vetoes) == (CriterionFloor(Decimal(50)), Vetoes(None))
    assert vote == VoteMin(Decimal(60), "attendees", Decimal(60))
    (levels,) = read_criteria_file(SHIPPED / "ocop-qd148-2023.yaml")[0].rules
    assert isinstance(levels, Levels)
    assert [(each.name, each.from_value) for each in levels.bands] == [
        ("5 sao", 90),
        ("4 sao", 70),
        ("3 sao", 50),
        ("2 sao", 30),
        ("1 sao", 0),
    ]
    qd25 = {
        each.code: each
        for each in read_criteria_file(SHIPPED / "tiep-can-phap-luat-qd25-2021.yaml")[0].walk()
    }
    assert qd25["1.1.1"].not_applicable is NotApplicable.FULL_POINTS
    assert qd25["5.4"].refers_to == Reference("antt-xa-phuong-tt124-2021")
    qd27 = {
        each.code: each
        for each in read_criteria_file(SHIPPED / "tiep-can-phap-luat-qd27-2025.yaml")[0].walk()
    }
    assert qd27["1.1"].not_applicable is NotApplicable.PASS
    assert (qd27["2.4"].kind, len(qd27["2.4"].children)) == (LeafKind.COMPOUND, 2)


# --- what does not add up ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        pytest.param("max_points: 8.5}", "max_points: 7}", '- code: "1"', ["'1'", "18,5", "20"], id="too-few"),
        pytest.param("max_points: 8.5}", "max_points: 9}", '- code: "1"', ["'1'", "20,5", "20"], id="too-many"),
        pytest.param("1.2.1, title: MẪU, max_points: 10}", "1.2.1, title: MẪU, max_points: 8.5}", '- code: "1.2"', ["'1.2'", "10", "11,5"], id="below"),
        pytest.param("total_max: 30", "total_max: 31.5", "total_max", ["30", "31,5"], id="total"),
        pytest.param("max_points: 8.5}", "max_points: 8.25}", '- code: "1"', ["'1'"], id="step-and-sum"),
    ],
)  # fmt: skip
def test_refuses_points_that_do_not_add_up_with_the_branch(old, new, at, words):
    broken = changed(POINTS, old, new)
    problems = refused(broken)
    assert problems[0][:2] == ("mau.yaml", line_of(broken, at))
    assert [word for word in words if word not in problems[0][2]] == []


def test_refuses_a_total_that_only_the_leaves_could_give():
    bare = changed(changed(POINTS, "    max_points: 20\n", ""), "        max_points: 11.5\n", "")
    assert read(bare).total_max == 30
    refuses(bare, "max_points: 8.5}", "max_points: 7}", "total_max", "28,5", "30")


def test_refuses_more_known_points_than_the_whole_though_some_are_missing():
    open_ = changed(POINTS, ", max_points: 1.5}", "}")
    assert read(open_).gaps == (Gap("1.2.2", "points"),)
    refuses(
        open_,
        "1.2.1, title: MẪU, max_points: 10}",
        "1.2.1, title: MẪU, max_points: 12}",
        '- code: "1.2"',
        "'1.2'",
    )


def test_bonus_and_penalty_are_no_part_of_the_maximum():
    bonus = '  - {code: "3", title: Điểm thưởng MẪU, kind: bonus, limit: 5}\n'
    penalty = '  - {code: "4", title: Điểm trừ MẪU, kind: penalty, limit: 5, max_points: 5}\n'
    assert read(changed(POINTS, bonus, bonus + penalty)).total_max == 30
    refuses(POINTS, bonus, '  - {code: "3", title: MẪU, max_points: 1}\n', "total_max", "31", "30")


@pytest.mark.parametrize(
    "minus",
    [
        pytest.param("kind: penalty, limit: 3", id="penalty"),
        pytest.param("kind: penalty, limit: 3, max_points: 0", id="penalty-of-a-maximum-of-0"),
        pytest.param("kind: penalty, limit: 3, max_points: 3", id="penalty-of-a-maximum"),
        pytest.param("kind: per_occurrence, each: -1, limit: 3", id="each-time"),
        pytest.param("kind: per_occurrence, each: -1, limit: 3, max_points: 0", id="each-time-of-a-maximum-of-0"),
    ],
)  # fmt: skip
def test_points_taken_off_fall_below_no_floor_of_their_own(minus):
    text = "id: mau\ntitle: MẪU\ntotal_max: 20\ncriteria:\n  - {code: I, title: MẪU, max_points: 20}\n"
    rules = "recognition: {each_criterion_min_percent: 50, total_min: 17}\n"
    criteria = read(f"{text}  - {{code: II, title: MẪU, {minus}}}\n{rules}")
    assert (criteria.gaps, [each.max_points for each in criteria.branches]) == ((), [20, None])
    sign = 1 if "each" in minus else -1
    for off, verdict in ((3, Verdict.MET), (0, Verdict.MET)):
        marks = {"I": Mark(value=Decimal(20)), "II": Mark(value=Decimal(sign * off))}
        found = assess(criteria, Sheet("MẪU", marks=marks))
        assert (found.verdict, found.total) == (verdict, 20 - off)


def test_refuses_a_maximum_of_what_only_takes_points_off():
    text = "id: mau\ntitle: MẪU\ncriteria:\n  - {code: I, title: MẪU, max_points: 20}\n"
    ((_, line, said),) = refused(
        text + "  - {code: II, title: MẪU, kind: per_occurrence, each: -1, max_points: 3}\n"
    )
    assert (line, "'II'" in said, " 0 " in said, "3" in said) == (5, True, True, True)


# --- Đắk Lắk -------------------------------------------------------------------------------------


def test_the_table_of_dak_lak_adds_up_only_with_its_fifth_item(tmp_path):
    """Its total line reads (1 + 2 + 3 + 4), which are 95, and prints 100."""
    text = DAK_LAK.read_text(encoding="utf-8")
    assert read(text).gaps == ()
    start, end = text.index('      - code: "1.5"'), text.index("recognition:")
    as_worded = text[:start] + text[end:]
    ((_, line, said),) = refused(as_worded)
    assert line == line_of(as_worded, '- code: "1"')
    assert ("'1'" in said, "95" in said, "100" in said) == (True, True, True)


@pytest.mark.parametrize(
    ("old", "new", "branch"),
    [
        ("1.1.1, max_points: 5,", "1.1.1, max_points: 3.5,", '"1.1"'),
        ("1.2.2.5, max_points: 5,", "1.2.2.5, max_points: 3.5,", "1.2.2"),
        ("1.5.2, max_points: 3,", "1.5.2, max_points: 1.5,", '"1.5"'),
    ],
)
def test_a_slip_of_1_5_points_is_refused_at_the_branch_that_lacks_them(old, new, branch):
    broken = changed(DAK_LAK.read_text(encoding="utf-8"), old, new)
    ((_, line, said),) = refused(broken)
    assert line == line_of(broken, f"- code: {branch}\n")
    assert "'{}'".format(branch.strip('"')) in said


# --- bands, answers, rules -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "old", "new", "at", "words"),
    [
        pytest.param(POINTS, "below: 90", "below: 91", "{from: 50", ["90"], id="bands-overlap"),
        pytest.param(POINTS, "below: 90", "below: 89.99", "{from: 50", ["90"], id="a-hole-between-bands"),
        pytest.param(POINTS, "below: 90, ", "", "{from: 50", ["90"], id="two-bands-without-end"),
        pytest.param(POINTS, "{from: 90, ", "{from: 90, below: 100, ", "{from: 90", ["below"], id="nothing-for-100"),
        pytest.param(POINTS, "          - {from: 0, below: 50, points: 0}\n", "", "{from: 50", ["0"], id="nothing-below-50"),
        pytest.param(POINTS, "{from: 90, points: 4}", "{from: 90, points: 4.5}", "{from: 90", ["'2.1'", "4,5"], id="band-beyond-the-maximum"),
        pytest.param(POINTS, "title: Đủ, points: 3", "title: Đủ, points: 3.5", "{code: du", ["'2.2'", "3,5"], id="answer-beyond-the-maximum"),
        pytest.param(POINTS, "limit: 3,", "limit: 3.5,", '"2.3"', ["'2.3'", "3,5"], id="cap-beyond-the-maximum"),
        pytest.param(POINTS, "{code: thieu,", "{code: du,", "{code: du, title: Thiếu", ["'du'"], id="answer-twice"),
        pytest.param(POINTS, "{code: hinh-su,", "{code: ky-luat,", "{code: ky-luat, title: Hình", ["'ky-luat'"], id="veto-twice"),
        pytest.param(POINTS, '{code: "1.1",', '{code: "2.1",', 'code: "2.1"\n', ["'2.1'"], id="code-twice"),
        pytest.param(POINTS, "title: MẪU\n        max_points: 11.5", "title: MẪU\n        kind: points\n        max_points: 11.5", "kind: points", ["'1.2'"], id="kind-above-leaves"),
        pytest.param(POINTS, "step: 0.5", "step: 0", "step:", ["step"], id="no-step"),
        pytest.param(POINTS, "max_points: 8.5}", "max_points: nhiều}", '"1.1"', ["nhiều"], id="not-a-number"),
        pytest.param(POINTS, "max_points: 8.5}", "max_points: .inf}", '"1.1"', ["inf"], id="without-end"),
        pytest.param(POINTS, "max_points: 8.5}", "max_points: -1}", '"1.1"', ["max_points"], id="below-nothing"),
        pytest.param(POINTS, "max_points: 8.5}", "max_poits: 8.5}", '"1.1"', ["max_points"], id="unknown-key"),
        pytest.param(POINTS, "percent: 50", "percent: 101", "percent:", ["percent"], id="floor-above-100"),
        pytest.param(POINTS, "total_min: 24", "total_min: 24\n  total_min_by_area: [{code: a, area: MẪU, points: 3}]", "total_min:", ["total_min_by_area"], id="two-thresholds"),
        pytest.param(PASS_FAIL, "minimum: 95", "minimum: 101", 'code: "1"', ["100"], id="more-than-all"),
        pytest.param(PASS_FAIL, "minimum_rating: khá", "minimum_rating: giỏi", 'code: "2"', ["'giỏi'"], id="not-on-the-scale"),
        pytest.param(PASS_FAIL, "minimum: 95", "minimum: 95, max_points: 5", 'code: "1"', ["'1'"], id="points-where-none-count"),
        pytest.param(PASS_FAIL, "kind: ratio_min, minimum: 95", "kind: points", 'code: "1"', ["'1'"], id="leaf-that-is-never-met"),
        pytest.param(PASS_FAIL, "kind: yes_no", "kind: per_occurrence, each: 1", "3.a", ["'3.a'"], id="part-that-is-never-met"),
        pytest.param(PASS_FAIL, "kind: ratio_min, minimum: 95", "kind: compound", 'code: "1"', ["'1'"], id="compound-of-nothing"),
        pytest.param(POINTS, "kind: ratio_bands\n", "evidence: [MẪU]\n", "bands:", ["'2.1'", "bands", "ratio_bands"], id="bands-of-no-kind"),
        pytest.param(POINTS, "kind: yes_no, max", "kind: yes_no, each: 1, max", "1.2.2", ["'1.2.2'", "each", "per_occurrence"], id="each-time-of-a-yes-or-no"),
        pytest.param(POINTS, "kind: yes_no, max_points", "minimum: 50, max_points", "1.2.2", ["'1.2.2'", "minimum", "ratio_min, count_min"], id="minimum-of-no-kind"),
        pytest.param(POINTS, "title: Tiêu chí MẪU 2\n", "title: Tiêu chí MẪU 2\n    not_applicable: full_points\n", "not_applicable", ["'2'"], id="not-applicable-above-leaves"),
        pytest.param(POINTS, "title: Đủ, points: 3", "title: Đủ, points: 2.5", 'code: "2.2"', ["'2.2'", "2,5", "3"], id="no-answer-for-the-maximum"),
        pytest.param(POINTS, "{from: 90, points: 4}", "{from: 90, points: 3.5}", 'code: "2.1"', ["'2.1'", "3,5", "4"], id="no-band-for-the-maximum"),
        pytest.param(POINTS, "limit: 3,", "limit: 2.5,", '"2.3"', ["'2.3'", "2,5", "3"], id="cap-below-the-maximum"),
        pytest.param(POINTS, "{from: 0, below: 50", "{from: -1, below: 50", "{from: -1", ["100"], id="band-below-0"),
        pytest.param(POINTS, "total_min: 24", "total_min: 35.5", "total_min", ["35,5", "35"], id="total-out-of-reach"),
        pytest.param(POINTS, "total_min: 24", "total_min_by_area: [{code: a, area: MẪU, points: 36}]", "total_min_by", ["36", "35"], id="total-of-a-class-out-of-reach"),
        pytest.param(POINTS, "total_min: 24", "total_min_by_area: [{code: mien-nui, area: A, points: 3}, {code: b, area: B, aliases: [Miền núi]}]", "total_min_by", ["'Miền núi'"], id="name-of-two-classes"),
        pytest.param(POINTS, "total_min: 24", "levels: [{name: cao, from: 9}, {from: 0, below: 9}]", "levels:", ["name"], id="level-without-name"),
        pytest.param(POINTS, "method: points", "method: points_to_levels", "method:", ["levels"], id="levels-of-no-name-at-all"),
        pytest.param(PASS_FAIL, "method: pass_fail_all", "method: pass_fail_all\nrecognition: {total_min: null}", "recognition:", ["total_min"], id="total-where-none-counts"),
        pytest.param(PASS_FAIL, "method: pass_fail_all", "method: pass_fail_all\nrecognition: {each_criterion_min_percent: 50}", "recognition:", ["each_criterion_min_percent"], id="floor-where-none-counts"),
        pytest.param(PASS_FAIL, "scale: [yếu, khá, tốt]", "scale: [yếu, khá, yếu]", 'code: "2"', ["'yếu'"], id="rating-twice"),
        pytest.param(PASS_FAIL, "kind: ratio_min,", "kind: maybe,", 'code: "1"', ["'maybe'", "ratio_bands"], id="unknown-kind"),
        pytest.param(PASS_FAIL, "id: mau-dat", 'id: ""', "id:", ["chuỗi chữ"], id="no-name"),
    ],
)  # fmt: skip
def test_refuses_what_no_sheet_could_be_scored_by(text, old, new, at, words):
    refuses(text, old, new, at, *words)


def test_refuses_levels_that_leave_a_hole():
    ocop = (SHIPPED / "ocop-qd148-2023.yaml").read_text(encoding="utf-8")
    refuses(ocop, "from: 70, below: 90", "from: 70, below: 85", "from: 70", "90")


def test_every_mistake_is_told_at_once_in_the_order_of_the_file():
    broken = changed(POINTS, "max_points: 8.5}", "max_points: 7}")
    broken = changed(broken, "below: 90", "below: 80")
    problems = refused(changed(broken, "{code: hinh-su,", "{code: ky-luat,"))
    assert [line for _, line, _ in problems] == sorted(line for _, line, _ in problems)
    assert len(problems) == 3


def test_refuses_a_file_that_is_not_there_or_not_text(tmp_path):
    for path, content in (
        (tmp_path / "none.yaml", None),
        (tmp_path / "utf16.yaml", "id: mã".encode("utf-16")),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(FileInvalid) as found:
            read_criteria_file(path)
        assert [(each.file, each.line) for each in found.value.problems] == [(str(path), 1)]
