"""Ranking with a quota (xếp thứ tự, khống chế tỷ lệ): who may be proposed for a certificate (Giấy khen)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rules.criteria import Ranking


class Standing(StrEnum):
    """Where somebody stands in a ranking."""

    CHOSEN = "chosen"
    TIED = "tied"  # equal in everything with others across the limit: people decide
    BEYOND = "beyond"
    TOO_FEW_YEARS = "too_few_years"
    YEARS_UNKNOWN = "years_unknown"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who was recognised: by how many points, by how many percent of the votes, for how many years running.

    `years` counts this year; None where nobody has said.
    """

    subject: str
    total: Decimal | None
    votes_percent: Decimal | None
    years: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with his place (None without one; equals share theirs) and where that leaves him."""

    candidate: Candidate
    place: int | None
    standing: Standing


def quota(ranking: Ranking, recognised: int) -> int:
    """Return how many may be chosen of so many recognised: a share that is never rounded up."""
    return int(recognised * ranking.max_share_percent / 100)


def ranked(ranking: Ranking, candidates: Iterable[Candidate]) -> list[Ranked]:
    """Return all who were recognised, the best first, with who is within the quota (design.md §6).

    The share is of all who were recognised this year. Those recognised for enough years running come
    in the order of their points, and where the set breaks ties by votes, of their votes. Equals at the
    limit are not chosen among: all of them are "tied", and the office decides.
    """
    everybody = list(candidates)
    by_votes = ranking.tie_break == "votes"

    def merit(each: Candidate) -> tuple[Decimal, Decimal]:
        return (
            each.total if each.total is not None else Decimal("-Infinity"),
            each.votes_percent if by_votes and each.votes_percent is not None else Decimal(-1),
        )

    wanted = ranking.years_in_a_row
    allowed = sorted((each for each in everybody if _has_years(each, wanted)), key=merit, reverse=True)
    most = quota(ranking, len(everybody))
    found = []
    for each in allowed:
        before = sum(merit(other) > merit(each) for other in allowed)
        equal = sum(merit(other) == merit(each) for other in allowed)
        standing = Standing.TIED
        if before + equal <= most:
            standing = Standing.CHOSEN
        elif before >= most:
            standing = Standing.BEYOND
        found.append(Ranked(each, before + 1, standing))
    for each in everybody:
        if not _has_years(each, wanted):
            unknown = each.years is None
            found.append(Ranked(each, None, Standing.YEARS_UNKNOWN if unknown else Standing.TOO_FEW_YEARS))
    return found


def _has_years(candidate: Candidate, wanted: int | None) -> bool:
    return wanted is None or (candidate.years is not None and candidate.years >= wanted)
