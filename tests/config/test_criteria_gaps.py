"""What a criteria file leaves open: the branch that nobody could score, and what is missing there."""

import pytest

from config.criteria_file import gap_problems, read_criteria, what_is_missing
from config.located import read_located

LEAF = """\
id: mau
title: Bộ tiêu chí MẪU
method: {method}
criteria:
  - {{code: "1", title: MẪU, {first}}}
  - {{code: "2", title: MẪU, {leaf}}}
"""
FIRST = {"points": "max_points: 5", "pass_fail_all": "kind: yes_no"}


def gaps(method: str, leaf: str) -> list[tuple[str, str, int]]:
    """Return each gap of a set whose second criterion is this, with the line it is told at."""
    document = read_located("mau.yaml", LEAF.format(method=method, first=FIRST[method], leaf=leaf))
    found = read_criteria(document)
    told = gap_problems(found, document)
    assert [
        each.text.count(what_is_missing(gap.what)) for gap, each in zip(found.gaps, told, strict=True)
    ] == [1 for _ in told]
    return [(gap.code, gap.what, each.line) for gap, each in zip(found.gaps, told, strict=True)]


@pytest.mark.parametrize(
    ("method", "leaf", "missing"),
    [
        ("pass_fail_all", "evidence: [Giấy tờ MẪU]", "kind"),
        ("pass_fail_all", "kind: ratio_min", "minimum"),
        ("pass_fail_all", "kind: count_min", "minimum"),
        ("pass_fail_all", "kind: rating_min", "scale"),
        ("pass_fail_all", "kind: rating_min, scale: [yếu, khá]", "minimum"),
        ("pass_fail_all", "kind: refer", "refers_to"),
        ("points", "kind: yes_no", "points"),
        ("points", "evidence: [Giấy tờ MẪU]", "points"),
        ("points", "kind: ratio_bands, max_points: 5", "bands"),
        (
            "points",
            "kind: ratio_bands, max_points: 5, bands: [{from: 50, points: 5}, {from: 0, below: 50}]",
            "bands",
        ),
        ("points", "kind: choice, max_points: 5", "options"),
        ("points", "kind: per_occurrence, max_points: 5", "each"),
        ("points", "kind: bonus", "limit"),
        ("points", "kind: penalty", "limit"),
        ("points", "kind: compound, max_points: 5, children: [{code: 2.a, title: MẪU}]", "kind"),
    ],
)
def test_a_leaf_that_cannot_be_judged_is_a_gap(method, leaf, missing):
    code = "2.a" if "children" in leaf else "2"
    assert gaps(method, leaf) == [(code, missing, 6)]


@pytest.mark.parametrize(
    ("method", "leaf"),
    [
        ("pass_fail_all", "kind: ratio_min, minimum: 70"),
        ("pass_fail_all", "kind: rating_min, scale: [yếu, khá], minimum_rating: khá"),
        ("pass_fail_all", "kind: compound, children: [{code: 2.a, title: MẪU, kind: must_not_occur}]"),
        ("points", "kind: bonus, limit: 2"),
        ("points", "kind: compound, max_points: 5, children: [{code: 2.a, title: MẪU, kind: yes_no}]"),
        ("points", "children: [{code: 2.a, title: MẪU, max_points: 5}]"),
    ],
)
def test_a_leaf_with_all_that_its_kind_needs_is_none(method, leaf):
    assert gaps(method, leaf) == []


def test_a_gap_that_the_file_names_itself_is_told_in_its_words_and_once():
    text = LEAF.format(method="points", first=FIRST["points"], leaf="kind: yes_no")
    text += 'missing:\n  - {code: "2", what: phụ lục I chưa tìm thấy}\n  - {code: "7", what: chưa đọc}\n'
    document = read_located("mau.yaml", text)
    found = gap_problems(read_criteria(document), document)
    assert [each.line for each in found] == [6, 9]
    assert "phụ lục I chưa tìm thấy" in found[0].text
    assert "'7'" in found[1].text


def test_a_frame_that_the_province_fills_has_every_leaf_open():
    text = LEAF.format(method="set_by_province", first="max_points: 5", leaf="kind: yes_no")
    assert [(gap.code, gap.what) for gap in read_criteria(read_located("mau.yaml", text)).gaps] == [
        ("1", "leaves"),
        ("2", "leaves"),
    ]
