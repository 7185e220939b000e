"""What a campaign assesses: its residential groups, or its units themselves, and the leaves it scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal
from sqlmodel import Session, col, select

from models.inserting import inserting
from models.tables import Campaign, CampaignGroup, CampaignLeaf, CampaignUnit, ResidentialGroup, Unit
from rules.criteria import CriteriaSet, Criterion, Method
from rules.scoring import point_limits
from rules.stages import Ower

if TYPE_CHECKING:
    from config.campaign_file import CampaignFile

# A unit that is assessed itself stands among the groups under its own name, in this place.
ITSELF = -1


class UnknownGroup(Exception):
    """The unit has no such group in this campaign; `known` are those it has."""

    def __init__(self, unit: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{unit}: {name}")
        self.unit, self.name, self.known = unit, name, known


class UnknownLeaf(Exception):
    """The campaign scores no such leaf; `known` are those it does, or those of the agency that asks."""

    def __init__(self, leaf: str, known: tuple[str, ...]) -> None:
        super().__init__(leaf)
        self.leaf, self.known = leaf, known


@dataclass(frozen=True, slots=True)
class GroupRef:
    """A group as a campaign knows it: `unit` is the code of the unit that owes its dossier."""

    id: int
    unit_id: int
    unit: str
    unit_name: str
    name: str


def assesses_units(file: "CampaignFile") -> bool:
    """Say whether a campaign assesses the units that owe the dossiers, not groups of theirs."""
    return file.self_assessment.dossier_of == "group" or file.criteria.subject == "commune"


def freeze_groups(session: Session, campaign: Campaign, file: "CampaignFile") -> None:
    """Record which groups the campaign is about; the list does not change after its opening."""
    owing = select(CampaignUnit.unit_id).where(
        CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == Ower.COMMUNE
    )
    is_itself = col(ResidentialGroup.position) == ITSELF
    if assesses_units(file):
        session.execute(
            inserting(session, ResidentialGroup)
            .from_select(
                ["unit_id", "position", "name", "valid_from"],
                select(Unit.id, literal(ITSELF), Unit.name, Unit.valid_from).where(col(Unit.id).in_(owing)),  # type: ignore[call-overload]
            )
            .on_conflict_do_nothing()
        )
    session.execute(
        inserting(session, CampaignGroup).from_select(
            ["campaign_id", "group_id"],
            select(literal(campaign.id), ResidentialGroup.id).where(
                col(ResidentialGroup.unit_id).in_(owing),
                col(ResidentialGroup.closed_on).is_(None),
                is_itself if assesses_units(file) else ~is_itself,
            ),
        )
    )


def freeze_leaves(session: Session, campaign: Campaign, file: "CampaignFile", ids: Mapping[str, int]) -> None:
    """Record what the campaign scores and which agency scores it; `ids` are those of the units."""
    agency = {
        leaf: ids[code]
        for code, branches in file.reviews.items()
        for leaf in file.criteria.leaf_codes(frozenset(branches))
    }
    rows = [
        {
            "campaign_id": campaign.id,
            "leaf": leaf.code,
            "position": position,
            "criterion": branch.code,
            "max_points": leaf.max_points,
            "lowest": lowest,
            "highest": highest,
            "unit_id": agency.get(leaf.code),
        }
        for position, (branch, leaf) in enumerate(_leaves(file.criteria))
        for lowest, highest in [limits(file.criteria, leaf)]
    ]
    if rows:
        session.execute(inserting(session, CampaignLeaf), rows)


def _leaves(criteria: CriteriaSet) -> list[tuple[Criterion, Criterion]]:
    return [(branch, leaf) for branch in criteria.branches for leaf in branch.leaves()]


def limits(criteria: CriteriaSet, leaf: Criterion) -> tuple[Decimal | None, Decimal | None]:
    """Return the fewest and the most points a leaf can bring; None where the set counts no points."""
    return (None, None) if criteria.method is Method.PASS_FAIL_ALL else point_limits(leaf)


def groups_of(session: Session, campaign: Campaign, unit: str | None = None) -> list[GroupRef]:
    """Return the groups of a campaign in official order, or those of one unit."""
    rows = (
        select(ResidentialGroup.id, Unit.id, Unit.code, Unit.name, ResidentialGroup.name)  # type: ignore[call-overload]
        .join(CampaignGroup, col(CampaignGroup.group_id) == ResidentialGroup.id)
        .join(Unit, col(Unit.id) == ResidentialGroup.unit_id)
        .where(CampaignGroup.campaign_id == campaign.id)
        .order_by(col(Unit.position), col(Unit.id), col(ResidentialGroup.position), col(ResidentialGroup.id))
    )
    if unit is not None:
        rows = rows.where(Unit.code == unit)
    return [GroupRef(*row) for row in session.execute(rows)]


def get_group(session: Session, campaign: Campaign, unit: str, name: str | None) -> GroupRef:
    """Return a unit's group by its name; a unit that is assessed itself needs none. Raises UnknownGroup."""
    known = groups_of(session, campaign, unit)
    if name is None and len(known) == 1:
        return known[0]
    for each in known:
        if each.name == name:
            return each
    raise UnknownGroup(unit, name or "", tuple(each.name for each in known))


def leaves_of(session: Session, campaign: Campaign, agency: str | None = None) -> list[str]:
    """Return the codes of the leaves a campaign scores, in their order, or those of one agency."""
    rows: Any = (
        select(CampaignLeaf.leaf)
        .where(CampaignLeaf.campaign_id == campaign.id)
        .order_by(col(CampaignLeaf.position))
    )
    if agency is not None:
        rows = rows.join(Unit, col(Unit.id) == CampaignLeaf.unit_id).where(Unit.code == agency)
    return list(session.exec(rows))


def check_leaves(leaves: Sequence[str], known: Sequence[str]) -> None:
    """Return where all these leaves are among the known ones; raises UnknownLeaf."""
    for leaf in leaves:
        if leaf not in known:
            raise UnknownLeaf(leaf, tuple(known))
