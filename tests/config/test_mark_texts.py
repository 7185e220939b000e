"""Marks as people type them: what each kind of leaf understands, what it refuses, and back to a text."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.mark_texts import mark_text, read_mark
from rules.criteria import Band, Criterion, LeafKind, Mark, Option, Waiver
from rules.scoring import BadMark, Fault, judge

D = Decimal


def leaf(kind: LeafKind | None = None, **more) -> Criterion:
    return Criterion("1", "MẪU", kind=kind, **more)


POINTS = leaf(max_points=D(100))
YES_NO = leaf(LeafKind.YES_NO)
RATIO = leaf(LeafKind.RATIO_MIN, minimum=D(70))
BANDS = leaf(LeafKind.RATIO_BANDS, max_points=D(1), bands=(Band(D(0), None, D(1)),))
COUNT = leaf(LeafKind.COUNT_MIN, minimum=D(2))
LAST_YEAR = leaf(LeafKind.NOT_WORSE_THAN_LAST_YEAR)
TIMES = leaf(LeafKind.PER_OCCURRENCE, each=D(1), limit=D(3))
BONUS = leaf(LeafKind.BONUS, limit=D(5))
PENALTY = leaf(LeafKind.PENALTY, limit=D(5))
REFER, COMPOUND = leaf(LeafKind.REFER), leaf(LeafKind.COMPOUND)
CASES = (Waiver("d", "Dịch bệnh"), Waiver("đ", "Đã báo ngay"))
MUST_NOT = leaf(LeafKind.MUST_NOT_OCCUR, waivers=CASES)
OPTIONS = (Option("du", "Ban hành đủ", D(1)), Option("d", "Còn thiếu", D(0)), Option("đ", "Đúng", D(2)))
CHOICE = leaf(LeafKind.CHOICE, options=OPTIONS)
RATING = leaf(LeafKind.RATING_MIN, scale=("yếu", "trung bình", "khá", "tốt"), minimum_rating="khá")
# The scale of schools, whose "đạt" is a rating below "khá".
SCHOOL = leaf(LeafKind.RATING_MIN, scale=("Chưa đạt", "Đạt", "Khá", "Tốt"), minimum_rating="Khá")
STARS = leaf(LeafKind.RATING_MIN, scale=("5", "4", "3", "2", "1"), minimum_rating="2")
MET, NOT_MET = Mark(is_met=True), Mark(is_met=False)


def of(value: str, **more) -> Mark:
    return Mark(value=D(value), **more)


@pytest.mark.parametrize(
    ("criterion", "text", "mark"),
    [
        (POINTS, "9.57", of("9.57")),
        (POINTS, "9,57", of("9.57")),
        (POINTS, " 9,57 ", of("9.57")),
        (POINTS, "0", of("0")),
        (POINTS, "1", of("1")),
        (BONUS, "0,5", of("0.5")),
        (PENALTY, "-2,5", of("-2.5")),
        (YES_NO, "đạt", MET),
        (YES_NO, "ĐẠT", MET),
        (YES_NO, "dat", MET),
        (YES_NO, "x", MET),
        (YES_NO, "có", MET),
        (YES_NO, "1", MET),
        (YES_NO, "chưa đạt", NOT_MET),
        (YES_NO, "Không đạt", NOT_MET),
        (YES_NO, "không", NOT_MET),
        (YES_NO, "0", NOT_MET),
        (YES_NO, "1.0", MET),
        (YES_NO, "0,0", NOT_MET),
        (REFER, "đạt", MET),
        (COMPOUND, "chưa đạt", NOT_MET),
        (MUST_NOT, "0", of("0")),
        (MUST_NOT, "1", of("1")),
        (MUST_NOT, "có", NOT_MET),
        (MUST_NOT, "không", MET),
        (MUST_NOT, "đạt", MET),
        (MUST_NOT, "Không xảy ra", MET),
        (MUST_NOT, "không có", MET),
        (MUST_NOT, "đã xảy ra", NOT_MET),
        (MUST_NOT, "1 (d)", of("1", waiver="d")),
        (MUST_NOT, "1 (đ)", of("1", waiver="đ")),
        (MUST_NOT, "2 (đã báo ngay)", of("2", waiver="đ")),
        (RATIO, "69,99", of("69.99")),
        (RATIO, "70%", of("70")),
        (RATIO, "19/20", of("95")),
        (RATIO, "1", of("1")),
        (RATIO, "đạt", MET),
        (BANDS, "89,9999 %", of("89.9999")),
        (BANDS, "9/10", of("90")),
        (COUNT, "2", of("2")),
        (COUNT, "0", of("0")),
        (COUNT, "1 200", of("1200")),
        (COUNT, "12\u00a0345", of("12345")),
        (LAST_YEAR, "12;10", of("10", before=D(12))),
        (LAST_YEAR, "1,5; 0,5", of("0.5", before=D("1.5"))),
        (TIMES, "3", of("3")),
        (CHOICE, "du", Mark(choice="du")),
        (CHOICE, "ban hành đủ", Mark(choice="du")),
        (CHOICE, "d", Mark(choice="d")),
        (CHOICE, "đ", Mark(choice="đ")),
        (RATING, "khá", Mark(choice="khá")),
        (RATING, "Kha", Mark(choice="khá")),
        (RATING, "1", Mark(choice="yếu")),
        (RATING, "4", Mark(choice="tốt")),
        (RATING, "đạt", MET),
        (SCHOOL, "đạt", Mark(choice="Đạt")),
        (SCHOOL, "chưa đạt", Mark(choice="Chưa đạt")),
        (STARS, "5", Mark(choice="5")),
        (YES_NO, "KAD", Mark(is_not_applicable=True)),
        (POINTS, "không áp dụng", Mark(is_not_applicable=True)),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_a_text_means_what_its_leaf_asks(criterion, text, mark):
    assert read_mark(criterion, text) == mark


@pytest.mark.parametrize("criterion", [POINTS, YES_NO, RATIO, CHOICE, RATING, MUST_NOT, LAST_YEAR])
@pytest.mark.parametrize("text", ["", "  ", "\t"])
def test_a_blank_is_no_mark(criterion, text):
    assert read_mark(criterion, text) is None


@pytest.mark.parametrize(
    ("criterion", "text", "fault"),
    [
        (POINTS, "nhiều", Fault.NEEDS_NUMBER),
        (POINTS, "đạt", Fault.NEEDS_NUMBER),
        (POINTS, "1.234,5", Fault.NEEDS_NUMBER),
        (POINTS, "9,5,7", Fault.NEEDS_NUMBER),
        (POINTS, "2 5", Fault.NEEDS_NUMBER),
        (POINTS, "12 34", Fault.NEEDS_NUMBER),
        (YES_NO, "không có", Fault.NEEDS_VERDICT),
        (POINTS, "1e1", Fault.NEEDS_NUMBER),
        (POINTS, "9_5", Fault.NEEDS_NUMBER),
        (POINTS, "nan", Fault.NEEDS_NUMBER),
        (POINTS, "-inf", Fault.NEEDS_NUMBER),
        (POINTS, "50%", Fault.NEEDS_NUMBER),
        (YES_NO, "2", Fault.NEEDS_VERDICT),
        (YES_NO, "gần đạt", Fault.NEEDS_VERDICT),
        (RATIO, "19/0", Fault.NEEDS_NUMBER),
        (RATIO, "1/2/3", Fault.NEEDS_NUMBER),
        (RATIO, "/20", Fault.NEEDS_NUMBER),
        (COUNT, "hai", Fault.NEEDS_NUMBER),
        (LAST_YEAR, "10", Fault.NEEDS_LAST_YEAR),
        (LAST_YEAR, "12;", Fault.NEEDS_NUMBER),
        (LAST_YEAR, "12;10;8", Fault.NEEDS_NUMBER),
        (MUST_NOT, "một", Fault.NEEDS_NUMBER),
        (MUST_NOT, "x (d)", Fault.NEEDS_NUMBER),
        (CHOICE, "khác", Fault.NEEDS_CHOICE),
        (RATING, "giỏi", Fault.NEEDS_CHOICE),
        (RATING, "0", Fault.NEEDS_CHOICE),
        (RATING, "5", Fault.NEEDS_CHOICE),
        (RATING, "1" * 5000, Fault.NEEDS_CHOICE),
        (RATING, "²", Fault.NEEDS_CHOICE),
    ],
)
def test_a_text_that_means_nothing_is_refused(criterion, text, fault):
    with pytest.raises(BadMark) as refused:
        read_mark(criterion, text)
    assert (refused.value.leaf, refused.value.fault) == ("1", fault)


def test_a_case_that_the_leaf_does_not_know_is_kept_and_refused_when_judged():
    mark = read_mark(MUST_NOT, "1 (bão lũ)")
    assert mark == of("1", waiver="bão lũ")
    with pytest.raises(BadMark) as refused:
        judge(MUST_NOT, mark)
    assert refused.value.fault is Fault.UNKNOWN_WAIVER


def test_a_rating_called_met_is_held_to_the_scale():
    assert judge(SCHOOL, read_mark(SCHOOL, "Đạt")).is_met is False
    assert judge(SCHOOL, read_mark(SCHOOL, "Khá")).is_met is True


def test_two_thirds_are_not_rounded_up_to_their_minimum():
    """2 of 3 is 66.666…, below 66.67 and above 66.66."""
    for minimum, is_met in (("66.67", False), ("66.66", True)):
        asked = leaf(LeafKind.RATIO_MIN, minimum=D(minimum))
        assert judge(asked, read_mark(asked, "2/3")).is_met is is_met


@pytest.mark.parametrize(
    ("mark", "text"),
    [
        (of("9.57"), "9,57"),
        (of("10.00"), "10,00"),
        (of("1E+2"), "100"),
        (of("10", before=D("12.5")), "12,5;10"),
        (of("1", waiver="đ"), "1 (đ)"),
        (MET, "đạt"),
        (NOT_MET, "chưa đạt"),
        (Mark(choice="khá"), "khá"),
        (Mark(is_not_applicable=True), "KAD"),
        (Mark(), ""),
    ],
)
def test_a_mark_is_written_as_people_write_it(mark, text):
    assert mark_text(mark) == text


NUMBERS = st.decimals(0, 100, places=4)
WHOLE = st.integers(0, 500).map(D)
VERDICTS = st.sampled_from([MET, NOT_MET])
NOT_ASKED = Mark(is_not_applicable=True)
MARKS = {
    POINTS: NUMBERS.map(Mark),
    BONUS: NUMBERS.map(Mark),
    PENALTY: NUMBERS.map(lambda n: Mark(-n)),
    YES_NO: VERDICTS,
    REFER: VERDICTS,
    COMPOUND: VERDICTS,
    RATIO: NUMBERS.map(Mark) | VERDICTS,
    BANDS: NUMBERS.map(Mark),
    COUNT: WHOLE.map(Mark) | VERDICTS,
    TIMES: WHOLE.map(Mark),
    LAST_YEAR: st.builds(lambda now, before: Mark(now, before=before), WHOLE, NUMBERS) | VERDICTS,
    MUST_NOT: st.builds(lambda n, case: Mark(n, waiver=case), WHOLE, st.sampled_from([None, "d", "đ"]))
    | VERDICTS,
    CHOICE: st.sampled_from([Mark(choice=each.code) for each in OPTIONS]),
    RATING: st.sampled_from([Mark(choice=each) for each in RATING.scale]) | VERDICTS,
    SCHOOL: st.sampled_from([Mark(choice=each) for each in SCHOOL.scale]),
    STARS: st.sampled_from([Mark(choice=each) for each in STARS.scale]),
}


@given(
    st.sampled_from(list(MARKS)).flatmap(
        lambda each: st.tuples(st.just(each), MARKS[each] | st.just(NOT_ASKED))
    )
)
def test_a_mark_that_is_written_down_is_read_again(pair):
    criterion, mark = pair
    assert read_mark(criterion, mark_text(mark)) == mark


TYPED = st.text(max_size=12) | st.text("0123456789.,-+%/;()eE_² đạtcókhnKAD", max_size=14)


@given(st.sampled_from(list(MARKS)), TYPED)
def test_whatever_is_typed_is_refused_or_read_back_as_it_was_meant(criterion, text):
    try:
        mark = read_mark(criterion, text)
        judge(criterion, mark)
    except BadMark:
        return
    assert mark is None or mark == read_mark(criterion, mark_text(mark))


GUIDE = Path(__file__).parents[2] / "docs/huong-dan/05-tham-dinh-tong-hop.md"
SHOWN = {
    each.kind: each
    for each in (YES_NO, REFER, COMPOUND, RATIO, BANDS, COUNT, TIMES, LAST_YEAR, BONUS, CHOICE, RATING)
} | {
    LeafKind.POINTS: leaf(LeafKind.POINTS, max_points=D(10)),
    LeafKind.MUST_NOT_OCCUR: leaf(LeafKind.MUST_NOT_OCCUR, waivers=(Waiver("bat-kha-khang", "MẪU"),)),
}


def test_the_guide_shows_every_kind_with_what_its_cell_may_hold():
    table = GUIDE.read_text(encoding="utf-8").partition("| loại nội dung |")[2].splitlines()[2:]
    told: set[str] = set()
    for line in table[:-1]:
        kinds, texts = (re.findall("`([^`]+)`", part) for part in line.strip("|").split("|"))
        told |= set(kinds)
        for kind in kinds:
            for text in texts:
                # A bonus is added and a penalty taken off: one text each.
                of = PENALTY if text.startswith("-") else SHOWN.get(LeafKind(kind), BONUS)
                assert judge(of, read_mark(of, text)) is not None
    assert told == {kind.value for kind in LeafKind}
    assert read_mark(POINTS, re.findall("`([^`]+)`", table[-1])[0]) == Mark(is_not_applicable=True)
