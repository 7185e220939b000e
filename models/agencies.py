"""The agencies of a review team: who they are, and whose dossiers lie before them."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from models.tables import Campaign, CampaignUnit, ResidentialGroup, Submission, Unit, WorkItem
from models.work_items import UnknownUnit
from rules.stages import Ower
from rules.work_items import ItemKind


class NotHandedIn(Exception):
    """The dossier of the unit has not been handed in, so nobody reviews it yet."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit


def agency_id(session: Session, campaign: Campaign, agency: str) -> int:
    """Return the id of a unit that reviews in this campaign; raises UnknownUnit."""
    known = units_in(session, campaign, Ower.AGENCY)
    if agency not in known:
        raise UnknownUnit(agency, tuple(known))
    return known[agency]


def units_in(session: Session, campaign: Campaign, part: Ower) -> dict[str, int]:
    """Return the units that play this part in a campaign, code and id, in official order."""
    rows = session.execute(
        select(Unit.code, Unit.id)
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
        .where(CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == part)
        .order_by(col(Unit.position))
    )
    return {code: unit_id for code, unit_id in rows}


def groups_handed_in(campaign: Campaign) -> Any:
    """Select the groups whose dossier was handed in, whether it is with the commune again or not."""
    return (
        select(ResidentialGroup.id)
        .join(WorkItem, col(WorkItem.unit_id) == ResidentialGroup.unit_id)
        .join(Submission, col(Submission.item_id) == WorkItem.id)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == ItemKind.DOSSIER)
    )


def check_handed_in(session: Session, campaign: Campaign, units: Sequence[str]) -> None:
    there = set(
        session.exec(
            select(Unit.code)
            .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
            .join(Submission, col(Submission.item_id) == WorkItem.id)
            .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == ItemKind.DOSSIER)
        )
    )
    for unit in units:
        if unit not in there:
            raise NotHandedIn(unit)
