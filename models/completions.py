"""Completions (bổ sung, hoàn thiện): what agencies propose, so that one request says all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from models import journal
from models.agencies import agency_id, check_handed_in
from models.groups import UnknownLeaf, get_group, leaves_of
from models.permits import permit
from models.tables import Campaign, Completion, DossierReturn, ResidentialGroup, Unit
from models.work_items import get_item
from rules.deeds import Deed
from rules.work_items import ItemKind


def propose_completion(
    session: Session,
    campaign: Campaign,
    agency: str,
    unit: str,
    *,
    what: str,
    group: str | None = None,
    leaf: str | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Propose what a commune must complete; the standing office sends all proposals in one request.

    Raises UnknownUnit, UnknownGroup, UnknownLeaf, NotHandedIn, DeedRefused.
    """
    permit(campaign, Deed.PROPOSE_COMPLETION, at=at, recorded_at=recorded_at)
    of_agency = agency_id(session, campaign, agency)
    item = get_item(session, campaign, ItemKind.DOSSIER, unit)
    check_handed_in(session, campaign, [unit])
    own = leaves_of(session, campaign, agency)
    if leaf is not None and leaf not in own:
        raise UnknownLeaf(leaf, tuple(own))
    found = get_group(session, campaign, unit, group) if group is not None else None
    session.add(
        Completion(
            campaign_id=campaign.id,
            agency_id=of_agency,
            unit_id=item.unit_id,
            group_id=found.id if found else None,
            leaf=leaf,
            what=what.strip(),
            proposed_at=at,
            recorded_at=recorded_at,
            proposed_by=by,
        )
    )
    session.flush()
    journal.write(
        session,
        campaign,
        "completion_proposed",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"agency": agency, "what": what.strip(), **({"group": group} if group else {})},
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an agency proposes that a commune completes."""

    id: int
    agency: str
    agency_name: str
    unit: str
    group: str | None
    leaf: str | None
    what: str


def open_proposals(session: Session, campaign: Campaign, unit: str | None = None) -> list[Proposal]:
    """Return the proposals that have not gone to their commune yet, in official order."""
    by_agency = aliased(Unit)
    rows = (
        select(  # type: ignore[call-overload]
            Completion.id,
            by_agency.code,
            by_agency.name,
            Unit.code,
            ResidentialGroup.name,
            Completion.leaf,
            Completion.what,
        )
        .join(Unit, col(Unit.id) == Completion.unit_id)
        .join(by_agency, col(by_agency.id) == Completion.agency_id)
        .outerjoin(ResidentialGroup, col(ResidentialGroup.id) == Completion.group_id)
        .where(
            Completion.campaign_id == campaign.id,
            col(Completion.return_id).is_(None),
            col(Completion.dropped_because).is_(None),
        )
        .order_by(col(Unit.position), col(Completion.id))
    )
    if unit is not None:
        rows = rows.where(Unit.code == unit)
    return [Proposal(*row) for row in session.execute(rows)]


def settle_proposals(session: Session, asked: DossierReturn, proposals: Sequence[Proposal]) -> None:
    """Note that these proposals went to their commune with this request."""
    session.execute(
        update(Completion)
        .where(col(Completion.id).in_([each.id for each in proposals]))
        .values(return_id=asked.id)
    )
