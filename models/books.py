"""What workbooks of scores are made of and which version of it they hold; they are written elsewhere."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from models.agencies import groups_handed_in
from models.groups import groups_of
from models.sheets import Known, known_of
from models.tables import Campaign, CampaignUnit, DeadlineVersion, JournalEntry, Unit, WorkItem
from models.work_items import UnknownUnit
from rules.stages import Ower
from rules.work_items import ItemKind

# What changes the content of a commune's workbook, and of an agency's: each raises its version.
OF_A_COMMUNE = ("self_assessed", "returned")
OF_AN_AGENCY = ("assessed", "agreed")
OF_ALL_AGENCIES = ("handed_in", "handed_in_again", "not_proposing", "self_assessed")


@dataclass(frozen=True, slots=True)
class BookContent:
    """What the workbook of one unit holds now; `is_agency` where it reviews, else it owes a dossier."""

    unit: str
    is_agency: bool
    version: int
    groups: tuple[Known, ...]


def book_deadline(session: Session, campaign: Campaign, content: BookContent) -> datetime | None:
    """Return when what a unit owes is to be there; None where it owes nothing yet or has no term."""
    kind = ItemKind.REVIEW if content.is_agency else ItemKind.DOSSIER
    return session.exec(
        select(DeadlineVersion.closes_at)
        .join(WorkItem, col(WorkItem.deadline_id) == DeadlineVersion.id)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.name == f"{kind}/{content.unit}")
    ).one_or_none()


def book_units(session: Session, campaign: Campaign, part: Ower) -> list[str]:
    """Return the codes of the units that play this part, in official order."""
    return list(
        session.exec(
            select(Unit.code)
            .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
            .where(CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == part)
            .order_by(col(Unit.position))
        )
    )


def book_content(session: Session, campaign: Campaign, unit: str) -> BookContent:
    """Return what the workbook of a unit holds: a commune's own groups, or all that an agency reviews.

    An agency reviews the groups that are proposed by dossiers that came. Raises UnknownUnit.
    """
    communes = book_units(session, campaign, Ower.COMMUNE)
    agencies = book_units(session, campaign, Ower.AGENCY)
    if unit in agencies:
        there = set(session.exec(groups_handed_in(campaign)))
        known = known_of(
            session, campaign, [each for each in groups_of(session, campaign) if each.id in there]
        )
        proposed = tuple(each for each in known if each.case is not None and each.case.is_proposed)
        return BookContent(unit, True, _version(session, campaign, unit, is_agency=True), proposed)
    if unit not in communes:
        raise UnknownUnit(unit, (*communes, *agencies))
    own = tuple(known_of(session, campaign, groups_of(session, campaign, unit)))
    return BookContent(unit, False, _version(session, campaign, unit, is_agency=False), own)


def _version(session: Session, campaign: Campaign, unit: str, *, is_agency: bool) -> int:
    """Count what has changed the content so far, so that a workbook made before it is told apart."""
    of_unit = (col(JournalEntry.unit) == unit) & col(JournalEntry.what).in_(
        OF_AN_AGENCY if is_agency else OF_A_COMMUNE
    )
    counts = or_(of_unit, col(JournalEntry.what).in_(OF_ALL_AGENCIES)) if is_agency else of_unit
    found = session.exec(
        select(func.count()).select_from(JournalEntry).where(JournalEntry.campaign_id == campaign.id, counts)
    ).one()
    return found + 1
