"""Marks (điểm chấm): given by somebody for one leaf, judged by the rules, kept with who, when and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import String, and_, case, func, literal
from sqlmodel import Session, col, select, update

from models.campaigns import file_of
from models.database import UtcDateTime
from models.groups import check_leaves
from models.inserting import inserting
from models.notices import NO_TEXT
from models.tables import (
    Campaign,
    CampaignLeaf,
    MarkGiven,
    ResidentialGroup,
    Score,
    Submission,
    Unit,
    WorkItem,
)
from rules.criteria import Criterion, Mark, NotApplicable
from rules.reviews import DEPARTS_FROM, ScoreKind, Standing
from rules.scoring import judge
from rules.work_items import ItemKind, ItemState

# The columns of `scores` that each kind fills.
POINTS_OF: dict[ScoreKind, Any] = {
    ScoreKind.SELF: col(Score.self_points),
    ScoreKind.AGENCY: col(Score.agency_points),
    ScoreKind.CONSOLIDATED: col(Score.consolidated_points),
    ScoreKind.FINAL: col(Score.final_points),
}
STANDING_OF: dict[ScoreKind, Any] = {
    ScoreKind.SELF: col(Score.self_is),
    ScoreKind.AGENCY: col(Score.agency_is),
    ScoreKind.CONSOLIDATED: col(Score.consolidated_is),
    ScoreKind.FINAL: col(Score.final_is),
}


class ReasonMissing(Exception):
    """A score departs from the one before it and says no reason; `where` lists group and leaf."""

    def __init__(self, where: tuple[tuple[str, str], ...]) -> None:
        super().__init__(", ".join(f"{group}: {leaf}" for group, leaf in where))
        self.where = where


@dataclass(frozen=True, slots=True)
class NewMark:
    """What somebody gives for one leaf of one group, with his reason (explanation) and evidence."""

    group_id: int
    leaf: str
    mark: Mark
    reason: str | None = None
    evidence: str | None = None


def give_marks(
    session: Session,
    campaign: Campaign,
    kind: ScoreKind,
    given: Sequence[NewMark],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Record scores of one kind; the newest of a leaf is the one that stands, each is kept.

    Returns how many were new or other than before: what is given again unchanged is no news.
    Raises UnknownLeaf, BadMark, and ReasonMissing where one departs from what it
    is measured against without a reason; then nothing is recorded.
    """
    if not given:
        return 0
    criteria = file_of(campaign).criteria
    leaves = {leaf.code: leaf for leaf in criteria.leaves()}
    check_leaves([each.leaf for each in given], list(leaves))
    judged = [(each, *_judged(leaves[each.leaf], each.mark, criteria.step)) for each in given]
    groups = sorted({each.group_id for each in given})
    standing = standing_marks(session, campaign, groups)
    _check_reasons(session, campaign, kind, judged, groups)
    news = [each for each in judged if _is_news(each[0], kind, standing)]
    if not news:
        return 0
    rounds = rounds_of(session, campaign, groups)
    session.execute(
        inserting(session, MarkGiven),
        [
            {
                "campaign_id": campaign.id,
                "group_id": each.group_id,
                "leaf": each.leaf,
                "kind": kind,
                "round": rounds.get(each.group_id, 1),
                "found": as_json(each.mark),
                "points": points,
                "standing": is_,
                "reason": each.reason,
                "evidence": each.evidence,
                "given_at": at,
                "recorded_at": recorded_at,
                "given_by": by,
            }
            for each, points, is_ in news
        ],
    )
    points_name, is_name = f"{kind.value}_points", f"{kind.value}_is"
    statement = inserting(session, Score)
    changes = {points_name: statement.excluded[points_name], is_name: statement.excluded[is_name]}
    if kind is ScoreKind.SELF:
        # What an agency found about an earlier self-score stays in its marks, and is looked at again.
        changes |= {"agency_points": None, "agency_is": None}
    session.execute(
        statement.on_conflict_do_update(index_elements=("campaign_id", "group_id", "leaf"), set_=changes),
        [
            {
                "campaign_id": campaign.id,
                "group_id": each.group_id,
                "leaf": each.leaf,
                points_name: points,
                is_name: is_,
            }
            for each, points, is_ in news
        ],
    )
    return len(news)


def _judged(leaf: Criterion, mark: Mark, step: Decimal | None) -> tuple[Decimal | None, Standing]:
    """Return what a mark is worth and how it is counted; raises BadMark."""
    worth = judge(leaf, mark, step)
    if mark.is_not_applicable and leaf.not_applicable is NotApplicable.OWN_GROUP:
        return None, Standing.LEFT_OUT
    if worth.is_met is None:
        return worth.points, Standing.COUNTED
    return worth.points, Standing.MET if worth.is_met else Standing.NOT_MET


@dataclass(frozen=True, slots=True)
class KeptMark:
    """A mark as it was given."""

    mark: Mark
    points: Decimal | None
    standing: Standing
    reason: str | None
    evidence: str | None
    at: datetime
    by: str | None


def standing_marks(
    session: Session, campaign: Campaign, groups: Iterable[int]
) -> dict[tuple[int, str, ScoreKind], KeptMark]:
    """Return the mark that stands for each leaf and kind of these groups: the newest one.

    An agency's mark about a self-score that was changed since does not stand any more.
    """
    ids = list(groups)
    # Columns instead of rows of the tables: a country has millions of them.
    given = [STANDING_OF[kind].is_not(None) for kind in ScoreKind]
    scores = session.execute(
        select(Score.group_id, Score.leaf, *given).where(
            Score.campaign_id == campaign.id, col(Score.group_id).in_(ids)
        )
    )
    stands = {
        (group_id, leaf, kind)
        for group_id, leaf, *is_given in scores
        for kind, is_there in zip(ScoreKind, is_given, strict=True)
        if is_there
    }
    newest = (
        select(func.max(MarkGiven.id))
        .where(MarkGiven.campaign_id == campaign.id, col(MarkGiven.group_id).in_(ids))
        .group_by(col(MarkGiven.group_id), col(MarkGiven.leaf), col(MarkGiven.kind))
    )
    marks = session.execute(
        select(  # type: ignore[call-overload]
            MarkGiven.group_id,
            MarkGiven.leaf,
            MarkGiven.kind,
            MarkGiven.found,
            MarkGiven.points,
            MarkGiven.standing,
            MarkGiven.reason,
            MarkGiven.evidence,
            MarkGiven.given_at,
            MarkGiven.given_by,
        ).where(col(MarkGiven.id).in_(newest))
    )
    return {
        (group_id, leaf, ScoreKind(kind)): KeptMark(from_json(found), *how)
        for group_id, leaf, kind, found, *how in marks
        if (group_id, leaf, ScoreKind(kind)) in stands
    }


def _is_news(
    given: NewMark, kind: ScoreKind, standing: Mapping[tuple[int, str, ScoreKind], KeptMark]
) -> bool:
    kept = standing.get((given.group_id, given.leaf, kind))
    if kept is None:
        return True
    return (kept.mark, kept.reason, kept.evidence) != (given.mark, given.reason, given.evidence)


def _check_reasons(
    session: Session,
    campaign: Campaign,
    kind: ScoreKind,
    judged: Sequence[tuple[NewMark, Decimal | None, Standing]],
    groups: Sequence[int],
) -> None:
    """A score that differs from the one it is measured against gives a reason (design.md §6)."""
    silent = [each for each in judged if not (each[0].reason or "").strip()]
    if not silent or not DEPARTS_FROM[kind]:
        return
    rows = session.exec(
        select(Score).where(Score.campaign_id == campaign.id, col(Score.group_id).in_(groups))
    )
    scores = {(row.group_id, row.leaf): row for row in rows}
    missing = []
    for given, points, is_ in silent:
        measured = _measured(scores.get((given.group_id, given.leaf)), kind)
        if measured is not None and measured != (points, is_):
            missing.append(given)
    if missing:
        rows_of_names = session.execute(
            select(ResidentialGroup.id, ResidentialGroup.name).where(
                col(ResidentialGroup.id).in_({each.group_id for each in missing})
            )
        )
        names = {group_id: name for group_id, name in rows_of_names}
        raise ReasonMissing(tuple((names[each.group_id], each.leaf) for each in missing))


def _measured(score: Score | None, kind: ScoreKind) -> tuple[Decimal | None, Standing] | None:
    """Return the score that one of this kind departs from; None where there is none yet."""
    if score is None:
        return None
    for earlier in DEPARTS_FROM[kind]:
        is_ = getattr(score, f"{earlier.value}_is")
        if is_ is not None:
            return getattr(score, f"{earlier.value}_points"), is_
    return None


def agree(
    session: Session,
    campaign: Campaign,
    agency_id: int,
    groups: Any,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Take over the self-score of every leaf of an agency that it has not scored yet; returns how many.

    `groups` is a SELECT of the ids of the groups it agrees about. Two statements, however many there are.
    """
    is_open = and_(
        col(Score.campaign_id) == campaign.id,
        col(Score.agency_is).is_(None),
        col(Score.self_is).is_not(None),
        col(Score.group_id).in_(groups),
        col(Score.leaf).in_(
            select(CampaignLeaf.leaf).where(
                CampaignLeaf.campaign_id == campaign.id, CampaignLeaf.unit_id == agency_id
            )
        ),
    )
    newest = (
        select(func.max(MarkGiven.id))
        .where(MarkGiven.campaign_id == campaign.id, MarkGiven.kind == ScoreKind.SELF)
        .group_by(col(MarkGiven.group_id), col(MarkGiven.leaf))
    )
    columns = ["campaign_id", "group_id", "leaf", "kind", "round", "found", "points", "standing"]
    session.execute(
        inserting(session, MarkGiven).from_select(
            [*columns, "reason", "evidence", "given_at", "recorded_at", "given_by"],
            select(  # type: ignore[call-overload]
                MarkGiven.campaign_id,
                MarkGiven.group_id,
                MarkGiven.leaf,
                literal(ScoreKind.AGENCY.value),
                MarkGiven.round,
                MarkGiven.found,
                MarkGiven.points,
                MarkGiven.standing,
                NO_TEXT,
                NO_TEXT,
                literal(at, UtcDateTime()),
                literal(recorded_at, UtcDateTime()),
                literal(by, String()),
            )
            .join(
                Score,
                and_(
                    col(Score.campaign_id) == MarkGiven.campaign_id,
                    col(Score.group_id) == MarkGiven.group_id,
                    col(Score.leaf) == MarkGiven.leaf,
                ),
            )
            .where(col(MarkGiven.id).in_(newest), is_open),
        )
    )
    agreed = session.execute(
        update(Score)
        .where(is_open)
        .values(agency_points=col(Score.self_points), agency_is=col(Score.self_is))
        .execution_options(synchronize_session=False)
    )
    return int(agreed.rowcount)  # type: ignore[attr-defined]


def rounds_of(session: Session, campaign: Campaign, groups: Sequence[int]) -> dict[int, int]:
    """Return for each group which handing-in of its dossier is under way, or was the last."""
    handed_in = func.count(col(Submission.id))
    rows = session.execute(
        select(
            ResidentialGroup.id,
            handed_in + case((col(WorkItem.state) == ItemState.OPEN, 1), else_=0),
        )
        .join(Unit, col(Unit.id) == ResidentialGroup.unit_id)
        .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
        .outerjoin(Submission, col(Submission.item_id) == WorkItem.id)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.kind == ItemKind.DOSSIER,
            col(ResidentialGroup.id).in_(groups),
        )
        .group_by(col(ResidentialGroup.id), col(WorkItem.state))
    )
    return {group: max(number, 1) for group, number in rows}


def as_json(mark: Mark) -> dict[str, Any]:
    """Return a mark as it is kept: only what it says, decimals as text."""
    said = {
        "value": None if mark.value is None else str(mark.value),
        "is_met": mark.is_met,
        "choice": mark.choice,
        "before": None if mark.before is None else str(mark.before),
        "waiver": mark.waiver,
        "is_not_applicable": mark.is_not_applicable or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def from_json(kept: dict[str, Any]) -> Mark:
    """Return the mark that was kept."""
    return Mark(
        value=Decimal(kept["value"]) if "value" in kept else None,
        is_met=kept.get("is_met"),
        choice=kept.get("choice"),
        before=Decimal(kept["before"]) if "before" in kept else None,
        waiver=kept.get("waiver"),
        is_not_applicable=kept.get("is_not_applicable", False),
    )
