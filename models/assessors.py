"""Who may assess what: the units a person serves in, what he has a part in, and recusals."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from models import journal
from models.agencies import units_in
from models.groups import GroupRef, get_group
from models.permits import permit
from models.tables import Campaign, CampaignUnit, Contact, Recusal, ResidentialGroup, Unit
from models.work_items import UnknownUnit
from rules.deeds import Deed
from rules.reviews import Assessor, Conflict, conflict, name_key
from rules.stages import Ower


class ConflictOfInterest(Exception):
    """A person has a part in the group he would assess; `why` says which."""

    def __init__(self, person: str, unit: str, group: str, why: Conflict) -> None:
        super().__init__(f"{person}: {group}")
        self.person, self.unit, self.group, self.why = person, unit, group, why


class NobodyNamed(Exception):
    """A score needs the name of the person who gives it: nobody may assess his own group."""


def assessor(session: Session, campaign: Campaign, name: str) -> Assessor:
    """Return a person as the rules see him: by his name, in every unit of the campaign he serves in.

    A name is his however it is typed: nobody slips past by writing his own in small letters.
    """
    key = name_key(name)
    names, units = {key}, set()
    for unit, known, code in session.execute(
        select(Unit.code, Contact.name, Contact.code)
        .join(Contact, col(Contact.unit_id) == Unit.id)
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
        .where(
            CampaignUnit.campaign_id == campaign.id,
            CampaignUnit.part == Ower.COMMUNE,
            col(Contact.left_at).is_(None),
        )
    ):
        if key in {name_key(known), name_key(code or "")}:
            units.add(unit)
            names.add(name_key(known))
    groups, recused = set(), set()
    for person, unit, group in session.execute(
        select(Recusal.person, Unit.code, ResidentialGroup.name)
        .select_from(Recusal)
        .join(Unit, col(Unit.id) == Recusal.unit_id)
        .outerjoin(ResidentialGroup, col(ResidentialGroup.id) == Recusal.group_id)
        .where(Recusal.campaign_id == campaign.id)
    ):
        if name_key(person) not in names:
            continue
        if group is None:
            recused.add(unit)
        else:
            groups.add((unit, group))
    return Assessor(name, frozenset(units), frozenset(groups), frozenset(recused))


def check_assessor(session: Session, campaign: Campaign, by: str | None, groups: Sequence[GroupRef]) -> None:
    """Return where this person may assess all these groups; raises NobodyNamed, ConflictOfInterest."""
    if by is None or not by.strip():
        raise NobodyNamed
    who = assessor(session, campaign, by)
    for group in groups:
        why = conflict(who, group.unit, group.name)
        if why is not None:
            raise ConflictOfInterest(by, group.unit, group.name, why)


def recuse(
    session: Session,
    campaign: Campaign,
    person: str,
    unit: str,
    *,
    group: str | None = None,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record that a person has a part in a group or a unit (từ chối thẩm định) and may not assess it.

    What he gave before stays as it was given. Raises UnknownUnit, UnknownGroup, DeedRefused.
    """
    permit(campaign, Deed.RECUSE, at=at, recorded_at=recorded_at)
    owing = units_in(session, campaign, Ower.COMMUNE)
    if unit not in owing:
        raise UnknownUnit(unit, tuple(owing))
    found = get_group(session, campaign, unit, group) if group is not None else None
    session.add(
        Recusal(
            campaign_id=campaign.id,
            person=person,
            unit_id=owing[unit],
            group_id=found.id if found else None,
            reason=reason,
            recorded_at=recorded_at,
        )
    )
    session.flush()
    journal.write(
        session,
        campaign,
        "recused",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"person": person, "reason": reason, **({"group": group} if group else {})},
    )
