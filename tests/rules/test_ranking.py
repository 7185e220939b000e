"""Ranking with a quota: the share of the recognised, ties by votes, years running."""

from decimal import Decimal

import pytest

from rules.criteria import Ranking
from rules.ranking import Candidate, Standing, quota, ranked

RANKING = Ranking(Decimal(15), "votes", 5)


def candidate(name: str, total: int | str, votes: int | str = 100, years: int | None = 5) -> Candidate:
    return Candidate(name, Decimal(total), Decimal(votes), years)


def standings(ranking: Ranking, *candidates: Candidate) -> dict[str, tuple[int | None, Standing]]:
    return {each.candidate.subject: (each.place, each.standing) for each in ranked(ranking, candidates)}


@pytest.mark.parametrize(("recognised", "most"), [(6, 0), (7, 1), (13, 1), (14, 2), (20, 3)])
def test_the_share_is_never_rounded_up(recognised, most):
    assert quota(RANKING, recognised) == most


def test_points_come_first_and_votes_break_a_tie():
    crowd = [candidate(f"k{n}", 60) for n in range(12)]
    found = standings(
        RANKING, *crowd, candidate("more-votes", "92.5", "98.5"), candidate("fewer-votes", "92.5", 98)
    )
    assert found["more-votes"] == (1, Standing.CHOSEN)
    assert found["fewer-votes"] == (2, Standing.CHOSEN)
    found = standings(
        RANKING, *crowd[1:-1], candidate("more-votes", "92.5", "98.5"), candidate("fewer-votes", "92.5", 98)
    )
    assert found["more-votes"] == (1, Standing.CHOSEN)
    assert found["fewer-votes"] == (2, Standing.BEYOND)


def test_equals_across_the_limit_are_not_chosen_among():
    found = standings(
        RANKING,
        candidate("best", 95),
        *[candidate(f"equal{n}", 90, 97) for n in range(2)],
        *[candidate(f"k{n}", 60) for n in range(11)],
    )
    assert found["best"] == (1, Standing.CHOSEN)
    assert {found["equal0"], found["equal1"]} == {(2, Standing.TIED)}
    assert found["k0"] == (4, Standing.BEYOND)


def test_votes_count_only_where_the_set_says_so():
    found = standings(
        Ranking(Decimal(50), "none"), candidate("a", 90, 99, None), candidate("b", 90, 80, None)
    )
    assert {found["a"], found["b"]} == {(1, Standing.TIED)}


def test_too_few_years_or_unknown_years_take_no_place_of_others():
    found = standings(
        RANKING,
        candidate("four", 99, years=4),
        candidate("nobody-knows", 98, years=None),
        candidate("five", 61),
        *[candidate(f"k{n}", 60) for n in range(4)],
    )
    assert found["four"] == (None, Standing.TOO_FEW_YEARS)
    assert found["nobody-knows"] == (None, Standing.YEARS_UNKNOWN)
    assert found["five"] == (1, Standing.CHOSEN)
