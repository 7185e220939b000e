"""Disagreements (chênh lệch điểm): where the four scores differ, those that change a result first."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from sqlalchemy import or_
from sqlmodel import Session, select

from models.campaigns import file_of
from models.groups import groups_of, leaves_of
from models.marks import POINTS_OF, STANDING_OF
from models.sheets import Known, known_of
from models.tables import Campaign, Score
from rules.criteria import Verdict
from rules.reviews import ScoreKind, Standing
from rules.scoring import assess

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Side:
    """One score as it stands beside the others."""

    points: Decimal | None
    standing: Standing
    reason: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A leaf of a group whose scores differ.

    `verdict` is what the group comes to now, `verdict_as_self` what it would come to if the
    commune's own score held at this leaf; `change` by how many points that would differ.
    """

    unit: str
    group: str
    leaf: str
    sides: dict[ScoreKind, Side]
    verdict: Verdict
    verdict_as_self: Verdict
    change: Decimal

    @property
    def changes_the_result(self) -> bool:
        """Whether the group's verdict hangs on this leaf alone."""
        return self.verdict is not self.verdict_as_self


def disagreements(session: Session, campaign: Campaign) -> list[Disagreement]:
    """Return every leaf whose scores differ, by how much they change a verdict (design.md §6).

    Those on which a verdict hangs stand first, then the greater change, then official order.
    """
    differing = _differing(session, campaign)
    if not differing:
        return []
    order = {leaf: place for place, leaf in enumerate(leaves_of(session, campaign))}
    groups = [group for group in groups_of(session, campaign) if group.id in differing]
    found: list[Disagreement] = []
    for first in range(0, len(groups), AT_A_TIME):
        for known in known_of(session, campaign, groups[first : first + AT_A_TIME]):
            leaves = sorted(differing[known.group.id], key=order.__getitem__)
            found += _of_group(campaign, known, leaves)
    return sorted(found, key=lambda each: (not each.changes_the_result, -each.change))


def _of_group(campaign: Campaign, known: Known, leaves: list[str]) -> list[Disagreement]:
    criteria = file_of(campaign).criteria
    now = assess(criteria, known.sheet()).verdict
    return [
        Disagreement(
            known.group.unit,
            known.group.name,
            leaf,
            {
                kind: Side(mark.points, mark.standing, mark.reason, mark.by)
                for kind in ScoreKind
                if (mark := known.marks.get((leaf, kind))) is not None
            },
            now,
            assess(criteria, known.sheet(instead={leaf: ScoreKind.SELF})).verdict,
            _change(known, leaf),
        )
        for leaf in leaves
    ]


def _change(known: Known, leaf: str) -> Decimal:
    """Return by how many points the score that counts differs from the commune's own; met or not is 1."""
    own, counting = known.marks.get((leaf, ScoreKind.SELF)), known.counting(leaf)
    if own is None or counting is None:
        return Decimal(0)
    if own.points is not None and counting.points is not None:
        return abs(own.points - counting.points)
    return Decimal(own.standing is not counting.standing)


def _differing(session: Session, campaign: Campaign) -> dict[int, list[str]]:
    """Return the leaves of each group at which a later score departs from an earlier one."""
    # Every two of them, and not only neighbours: an agency may have left out what the office settled.
    differs = [
        STANDING_OF[earlier].is_not(None)
        & STANDING_OF[later].is_not(None)
        & or_(
            STANDING_OF[earlier] != STANDING_OF[later],
            POINTS_OF[earlier].is_distinct_from(POINTS_OF[later]),
        )
        for earlier, later in combinations(ScoreKind, 2)
    ]
    found: dict[int, list[str]] = {}
    for group_id, leaf in session.execute(
        select(Score.group_id, Score.leaf).where(Score.campaign_id == campaign.id, or_(*differs))
    ):
        found.setdefault(group_id, []).append(leaf)
    return found
