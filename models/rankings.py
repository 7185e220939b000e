"""Who of the recognised may be proposed for a certificate (Giấy khen): ranked within the set's quota."""

from collections.abc import Mapping

from sqlmodel import Session, col, select

from models.campaigns import file_of
from models.groups import groups_of
from models.results import latest, results_of
from models.sheets import known_of
from models.tables import Campaign
from rules.ranking import Candidate, Ranked, ranked

# A group, by the code of its unit and its own name.
Key = tuple[str, str]


class NoRanking(Exception):
    """The set of criteria has no ranking."""


def ranking_of(
    session: Session, campaign: Campaign, years: Mapping[Key, int] | None = None
) -> list[tuple[str, Ranked]]:
    """Return the recognised groups of the newest frozen list, ranked, each with the code of its unit.

    `years` says how many years running a group has been recognised, this one counted; where it does
    not, the frozen lists of the organiser's earlier campaigns about the same kind of subject do.
    Raises NoRanking, NothingFrozen.
    """
    ranking = file_of(campaign).criteria.ranking
    if ranking is None:
        raise NoRanking
    _, found = results_of(session, campaign)
    recognised = {(each.unit, each.group): each for each in found if each.is_recognised}
    groups = [group for group in groups_of(session, campaign) if (group.unit, group.name) in recognised]
    votes = {
        (known.group.unit, known.group.name): known.sheet().votes_percent
        for known in known_of(session, campaign, groups)
    }
    running = _running(session, campaign, set(recognised)) | dict(years or {})
    candidates = {
        key: Candidate(key[1], result.final_total, votes[key], running[key])
        for key, result in recognised.items()
    }
    units = {id(candidate): unit for (unit, _), candidate in candidates.items()}
    return [(units[id(each.candidate)], each) for each in ranked(ranking, candidates.values())]


def _running(session: Session, campaign: Campaign, recognised: set[Key]) -> dict[Key, int | None]:
    """Return for how many years running each group was recognised by lists that are frozen here.

    None where the lists do not go back to a year in which it was not, nor for as long as is asked.
    """
    ours = file_of(campaign)
    ranking = ours.criteria.ranking
    wanted = (ranking.years_in_a_row if ranking else None) or 0
    lists: dict[int, set[Key]] = {}
    for other in session.exec(select(Campaign).where(col(Campaign.list_frozen_at).is_not(None))):
        its = file_of(other)
        if its.organiser != ours.organiser or its.criteria.subject != ours.criteria.subject:
            continue
        if latest(session, other) is not None:
            _, found = results_of(session, other)
            lists.setdefault(its.year, set()).update(
                (each.unit, each.group) for each in found if each.is_recognised
            )
    lists[ours.year] = recognised
    counts: dict[Key, int | None] = {}
    for key in recognised:
        year = ours.year
        while key in lists.get(year, ()):
            year -= 1
        years = ours.year - year
        counts[key] = years if year in lists or years >= wanted else None
    return counts
