"""Who may assess a group, by person and unit; whose score counts."""

import unicodedata

import pytest

from rules.reviews import COUNTS, DEPARTS_FROM, Assessor, Conflict, ScoreKind, conflict, name_key

OFFICER = Assessor("MẪU cán bộ", frozenset({"phong-van-hoa-xa-hoi"}))


@pytest.mark.parametrize(
    ("who", "found"),
    [
        pytest.param(OFFICER, None, id="a-wards-officer-assesses-the-wards-groups"),
        pytest.param(Assessor("MẪU", frozenset({"to-1"})), Conflict.OWN_UNIT, id="head-of-the-group-itself"),
        pytest.param(
            Assessor("MẪU", frozenset({"uy-ban-mttq", "to-1"})), Conflict.OWN_UNIT, id="with-another-hat-on"
        ),
        pytest.param(
            Assessor("MẪU", frozenset(), frozenset({("to-1", "Tổ MẪU 1")})),
            Conflict.OWN_GROUP,
            id="lives-there",
        ),
        pytest.param(
            Assessor("MẪU", frozenset(), frozenset({("to-2", "Tổ MẪU 1")})),
            None,
            id="a-group-of-the-same-name",
        ),
        pytest.param(
            Assessor("MẪU", frozenset(), recused_from=frozenset({"to-1"})),
            Conflict.RECUSED,
            id="stepped-aside",
        ),
    ],
)
def test_nobody_assesses_his_own_group_or_unit(who, found):
    assert conflict(who, "to-1", "Tổ MẪU 1") is found


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("nguyễn văn hòa mẫu", id="small-letters"),
        pytest.param("  Nguyễn  Văn\tHòa MẪU ", id="blanks"),
        pytest.param(unicodedata.normalize("NFD", "Nguyễn Văn Hòa MẪU"), id="decomposed"),
        pytest.param("Nguyễn Văn Hoà MẪU", id="tone-on-the-other-vowel"),
    ],
)
def test_a_name_is_the_same_however_it_is_typed(typed):
    assert name_key(typed) == name_key("Nguyễn Văn Hòa MẪU")


def test_another_tone_or_letter_is_another_name():
    typed = ("Hoa MẪU", "Hòa MẪU", "Hóa MẪU", "Hoá MẦU", "Đào MẪU", "Dào MẪU", "Mơ", "Mo")
    assert len({name_key(each) for each in typed}) == len(typed)


def test_the_self_score_never_counts():
    assert ScoreKind.SELF not in COUNTS


def test_every_score_but_the_self_score_departs_from_an_earlier_one():
    order = list(ScoreKind)
    for kind, earlier in DEPARTS_FROM.items():
        assert all(order.index(each) < order.index(kind) for each in earlier)
        assert bool(earlier) is (kind is not ScoreKind.SELF)
