"""What a campaign takes over from the frozen list of another one: a leaf's result, the share of children."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from config.messages import say
from models import journal
from models.campaigns import file_of
from models.groups import ITSELF
from models.inserting import inserting, written
from models.marks import NewMark, give_marks
from models.permits import permit
from models.results import Frozen, NothingFrozen, latest
from models.tables import (
    Campaign,
    CampaignGroup,
    ChildrenRecognised,
    GroupResult,
    ListVersion,
    ResidentialGroup,
    Unit,
)
from rules.criteria import ChildrenShare, LeafKind, Mark
from rules.deeds import Deed
from rules.reviews import ScoreKind


class NothingToTakeOver(Exception):
    """The set of criteria does not refer to the set that the other campaign was run by."""

    def __init__(self, other: str, set_id: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{other}: {set_id}")
        self.other, self.set_id, self.known = other, set_id, known


@dataclass(frozen=True, slots=True)
class TakenOver:
    """How many scores were settled and how many shares recorded, from which version of the list."""

    scores: int
    shares: int
    of: Frozen


def take_over(
    session: Session,
    campaign: Campaign,
    other: Campaign,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> TakenOver:
    """Take over what another campaign's newest frozen list says of the same groups, and of those below them.

    A leaf that refers to the whole of the other set is settled as consolidated: met where the list
    recognises the same group. A share of children counts the groups below a unit, or the units below
    it, that the list names. A leaf that refers to some criteria only is left to its agency: they are
    assessed of another subject. Taking over again after a newer version replaces what was taken.

    Raises NothingFrozen, NothingToTakeOver, DeedRefused; then nothing is recorded.
    """
    permit(campaign, Deed.SETTLE_SCORES, at=at, recorded_at=recorded_at)
    frozen = latest(session, other)
    if frozen is None:
        raise NothingFrozen
    criteria, set_id = file_of(campaign).criteria, file_of(other).criteria.id
    leaves = [
        leaf.code
        for leaf in criteria.leaves()
        if leaf.kind is LeafKind.REFER
        and leaf.refers_to is not None
        and leaf.refers_to.set_id == set_id
        and not leaf.refers_to.criteria
    ]
    shares = [rule for rule in criteria.rules if isinstance(rule, ChildrenShare) and rule.set_id == set_id]
    if not leaves and not shares:
        raise NothingToTakeOver(other.code, set_id, _referred(campaign))
    version_id = session.exec(
        select(ListVersion.id).where(
            ListVersion.campaign_id == other.id, ListVersion.version == frozen.version
        )
    ).one()
    reason = say("taken_over", code=other.code, version=frozen.version, hash=frozen.hash[:12])
    same = session.execute(_of_the_same(campaign, version_id)).all() if leaves else []
    scores = give_marks(
        session,
        campaign,
        ScoreKind.CONSOLIDATED,
        [
            NewMark(group_id, leaf, Mark(is_met=is_recognised), reason)
            for group_id, is_recognised in same
            for leaf in leaves
        ],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    counted = _count_children(session, campaign, version_id) if shares else 0
    journal.write(
        session,
        campaign,
        "taken_over",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "from": other.code,
            "version": frozen.version,
            "hash": frozen.hash,
            "scores": scores,
            "shares": counted,
        },
    )
    return TakenOver(scores, counted, frozen)


def _referred(campaign: Campaign) -> tuple[str, ...]:
    criteria = file_of(campaign).criteria
    sets = [leaf.refers_to.set_id for leaf in criteria.leaves() if leaf.refers_to is not None]
    sets += [rule.set_id for rule in criteria.rules if isinstance(rule, ChildrenShare)]
    return tuple(dict.fromkeys(sets))


def _of_the_same(campaign: Campaign, version_id: int) -> Any:
    return (
        select(GroupResult.group_id, GroupResult.is_recognised)
        .join(CampaignGroup, col(CampaignGroup.group_id) == GroupResult.group_id)
        .where(CampaignGroup.campaign_id == campaign.id, GroupResult.version_id == version_id)
        .order_by(col(GroupResult.group_id))
    )


def _count_children(session: Session, campaign: Campaign, version_id: int) -> int:
    """Record for each unit that is assessed itself how many below it the list has and recognises."""
    assessed, child = aliased(ResidentialGroup), aliased(ResidentialGroup)
    unit, of_child = aliased(Unit), aliased(Unit)
    is_below = or_(
        and_(col(child.position) != ITSELF, col(child.unit_id) == col(assessed.unit_id)),
        and_(
            col(child.position) == ITSELF,
            col(of_child.parent) == col(unit.code),
            col(of_child.directory) == col(unit.directory),
        ),
    )
    rows = (
        select(  # type: ignore[call-overload]
            literal(campaign.id),
            col(assessed.id),
            literal(version_id),
            func.count(),
            func.sum(case((col(GroupResult.is_recognised), 1), else_=0)),
        )
        .select_from(CampaignGroup)
        .join(assessed, col(assessed.id) == CampaignGroup.group_id)
        .join(unit, col(unit.id) == col(assessed.unit_id))
        .join(GroupResult, GroupResult.version_id == version_id)
        .join(child, col(child.id) == GroupResult.group_id)
        .join(of_child, col(of_child.id) == col(child.unit_id))
        .where(
            CampaignGroup.campaign_id == campaign.id,
            col(assessed.position) == ITSELF,
            is_below,
        )
        .group_by(col(assessed.id))
    )
    statement = inserting(session, ChildrenRecognised).from_select(
        ["campaign_id", "group_id", "version_id", "children", "recognised"], rows
    )
    taken = ("version_id", "children", "recognised")
    return written(
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["campaign_id", "group_id"],
                set_={name: statement.excluded[name] for name in taken},
            ).execution_options(preserve_rowcount=True)
        )
    )
