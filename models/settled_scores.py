"""Scores settled in consolidation: by the standing office, then by the meeting; each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from models import journal
from models.assessors import check_assessor
from models.groups import get_group
from models.marks import NewMark, give_marks
from models.permits import permit
from models.tables import Campaign
from rules.criteria import Mark
from rules.deeds import Deed
from rules.reviews import ScoreKind


@dataclass(frozen=True, slots=True)
class SettledMark:
    """What a leaf of a group is settled at, and why."""

    unit: str
    group: str | None
    leaf: str
    mark: Mark
    reason: str | None = None


def settle_scores(
    session: Session,
    campaign: Campaign,
    kind: ScoreKind,
    marks: Sequence[SettledMark],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Settle scores as consolidated (điểm tổng hợp) or as final (điểm chốt), departing from the agencies.

    Returns how many were new or changed. After the list was frozen they take effect with its next
    version. Raises ReasonMissing, UnknownGroup, UnknownLeaf, NobodyNamed, ConflictOfInterest,
    BadMark, DeedRefused; then nothing is recorded.
    """
    permit(campaign, Deed.SETTLE_SCORES, at=at, recorded_at=recorded_at)
    found = [(get_group(session, campaign, each.unit, each.group), each) for each in marks]
    check_assessor(session, campaign, by, [group for group, _ in found])
    given = give_marks(
        session,
        campaign,
        kind,
        [NewMark(group.id, each.leaf, each.mark, each.reason) for group, each in found],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    journal.write(
        session,
        campaign,
        "scores_settled",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "kind": kind.value,
            "scores": given,
            "leaves": [f"{group.unit}/{group.name}: {each.leaf}" for group, each in found],
        },
    )
    return given
