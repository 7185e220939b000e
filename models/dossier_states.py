"""How dossiers stand: what lies in them, what is missing, for one unit or for all at once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from models.campaigns import file_of
from models.groups import leaves_of
from models.tables import (
    Campaign,
    CampaignGroup,
    DossierEntry,
    GroupCase,
    ResidentialGroup,
    Score,
    Submission,
    Unit,
    WorkItem,
)
from rules.dossiers import Content, DossierPart, Missing, missing_parts
from rules.work_items import ItemKind


@dataclass(frozen=True, slots=True)
class Entry:
    """A part as it lies in a dossier.

    `round` is the handing-in it came with; `stands` is false for what was replaced or taken out.
    """

    part: DossierPart
    group: str | None
    leaf: str | None
    name: str | None
    sha256: str | None
    note: str | None
    round: int
    put_at: datetime
    by: str | None
    stands: bool


def entries_of(session: Session, campaign: Campaign, unit: str) -> list[Entry]:
    """Return everything that was ever put into a unit's dossier, in that order."""
    rows = session.execute(
        select(DossierEntry, ResidentialGroup.name)
        .join(Unit, col(Unit.id) == DossierEntry.unit_id)
        .outerjoin(ResidentialGroup, col(ResidentialGroup.id) == DossierEntry.group_id)
        .where(DossierEntry.campaign_id == campaign.id, Unit.code == unit)
        .order_by(col(DossierEntry.id))
    )
    return [
        Entry(
            row.part,
            group,
            row.leaf,
            row.name,
            row.sha256,
            row.note,
            row.round,
            row.put_at,
            row.put_by,
            row.replaced_by_id is None and row.removed_at is None,
        )
        for row, group in rows
    ]


@dataclass(frozen=True, slots=True)
class DossierState:
    """How a unit's dossier stands: what it holds and what is missing, as the campaign counts it."""

    unit: str
    content: Content
    missing: tuple[Missing, ...] = field(default=())
    is_not_proposing: bool = False


def dossiers_of(session: Session, campaign: Campaign) -> dict[str, DossierState]:
    """Return how each owing unit's dossier stands, by its code, in official order.

    A few statements, however many units there are.
    """
    wanted = file_of(campaign).wanted_parts
    parts: dict[str, set[DossierPart]] = {}
    for code, part in session.execute(
        select(Unit.code, DossierEntry.part)
        .join(DossierEntry, col(DossierEntry.unit_id) == Unit.id)
        .where(
            DossierEntry.campaign_id == campaign.id,
            col(DossierEntry.replaced_by_id).is_(None),
            col(DossierEntry.removed_at).is_(None),
        )
        .distinct()
    ):
        parts.setdefault(code, set()).add(DossierPart(part))
    last = (
        select(Submission.item_id, func.max(Submission.round).label("round"))
        .group_by(col(Submission.item_id))
        .subquery()
    )
    not_proposing = set(
        session.exec(
            select(Unit.code)
            .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
            .join(Submission, col(Submission.item_id) == WorkItem.id)
            .join(last, and_(last.c.item_id == Submission.item_id, last.c.round == col(Submission.round)))
            .where(
                WorkItem.campaign_id == campaign.id,
                WorkItem.kind == ItemKind.DOSSIER,
                col(Submission.is_not_proposing),
            )
        )
    )
    leaves = len(leaves_of(session, campaign))
    counts = {code: counted for code, *counted in session.execute(_counts(campaign))}
    found = {}
    for unit in file_of(campaign).owing:
        code = unit.code
        groups, listed, given = counts.get(code, (0, 0, 0))
        content = Content(
            parts=frozenset(parts.get(code, ())),
            groups=groups,
            scores_given=given,
            scores_missing=max(groups * leaves - given, 0),
            groups_unlisted=groups - listed,
        )
        is_not = code in not_proposing
        found[code] = DossierState(
            code, content, missing_parts(wanted, content, is_not_proposing=is_not), is_not
        )
    return found


def _counts(campaign: Campaign) -> Any:
    """Select for each owing unit its groups, how many are on a list, and how many self-scores it gave."""
    given = (
        select(Score.group_id, func.count().label("given"))
        .where(Score.campaign_id == campaign.id, col(Score.self_is).is_not(None))
        .group_by(col(Score.group_id))
        .subquery()
    )
    return (
        select(
            Unit.code,
            func.count(col(ResidentialGroup.id)),
            func.count(col(GroupCase.group_id)),
            func.coalesce(func.sum(given.c.given), 0),
        )
        .join(ResidentialGroup, col(ResidentialGroup.unit_id) == Unit.id)
        .join(CampaignGroup, col(CampaignGroup.group_id) == ResidentialGroup.id)
        .outerjoin(
            GroupCase,
            and_(
                col(GroupCase.campaign_id) == CampaignGroup.campaign_id,
                col(GroupCase.group_id) == ResidentialGroup.id,
            ),
        )
        .outerjoin(given, given.c.group_id == ResidentialGroup.id)
        .where(CampaignGroup.campaign_id == campaign.id)
        .group_by(col(Unit.id), col(Unit.code), col(Unit.position))
        .order_by(col(Unit.position), col(Unit.id))
    )
