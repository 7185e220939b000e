"""Who may assess a group, by person and unit; whose score counts."""

import pytest

from rules.reviews import COUNTS, DEPARTS_FROM, Assessor, Conflict, ScoreKind, conflict

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


def test_the_self_score_never_counts():
    assert ScoreKind.SELF not in COUNTS


def test_every_score_but_the_self_score_departs_from_an_earlier_one():
    order = list(ScoreKind)
    for kind, earlier in DEPARTS_FROM.items():
        assert all(order.index(each) < order.index(kind) for each in earlier)
        assert bool(earlier) is (kind is not ScoreKind.SELF)
