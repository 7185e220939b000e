"""Vetoes (điều kiện loại trừ): cases that alone exclude a group, and their being lifted again."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models import journal
from models.campaigns import file_of
from models.groups import get_group
from models.permits import permit
from models.tables import Campaign, ResidentialGroup, Unit, VetoFound
from models.work_items import get_item
from rules.criteria import Vetoes
from rules.deeds import Deed
from rules.work_items import ItemKind


class UnknownVeto(Exception):
    """The set of criteria has no such case; `known` are those it has."""

    def __init__(self, code: str, known: tuple[str, ...]) -> None:
        super().__init__(code)
        self.code, self.known = code, known


class NoVeto(Exception):
    """No such case stands against the group."""

    def __init__(self, group: str, code: str) -> None:
        super().__init__(f"{group}: {code}")
        self.group, self.code = group, code


def veto(
    session: Session,
    campaign: Campaign,
    unit: str,
    code: str,
    *,
    group: str | None,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record a case that excludes a group: that it is so and on what paper, never a name.

    A case that stands already is recorded once. Raises UnknownUnit, UnknownGroup, UnknownVeto,
    DeedRefused.
    """
    permit(campaign, Deed.VETO, at=at, recorded_at=recorded_at)
    get_item(session, campaign, ItemKind.DOSSIER, unit)
    found = get_group(session, campaign, unit, group)
    _check_code(campaign, code)
    if _standing(session, campaign, found.id, code) is not None:
        return
    session.add(
        VetoFound(
            campaign_id=campaign.id,
            group_id=found.id,
            code=code,
            reason=reason.strip(),
            found_at=at,
            recorded_at=recorded_at,
            found_by=by,
        )
    )
    session.flush()
    journal.write(
        session,
        campaign,
        "vetoed",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"group": found.name, "code": code, "reason": reason.strip()},
    )


def lift_veto(
    session: Session,
    campaign: Campaign,
    unit: str,
    code: str,
    *,
    group: str | None,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record that a case no longer stands against a group, and why; raises NoVeto and what `veto` raises."""
    permit(campaign, Deed.VETO, at=at, recorded_at=recorded_at)
    get_item(session, campaign, ItemKind.DOSSIER, unit)
    found = get_group(session, campaign, unit, group)
    standing = _standing(session, campaign, found.id, code)
    if standing is None:
        raise NoVeto(found.name, code)
    standing.lifted_at, standing.lifted_because = at, reason.strip()
    session.add(standing)
    session.flush()
    journal.write(
        session,
        campaign,
        "veto_lifted",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"group": found.name, "code": code, "reason": reason.strip()},
    )


def _check_code(campaign: Campaign, code: str) -> None:
    """A set that names its cases knows no others; one whose act has not been read takes any."""
    for rule in file_of(campaign).criteria.rules:
        if isinstance(rule, Vetoes) and rule.known is not None:
            known = tuple(each.code for each in rule.known)
            if code not in known:
                raise UnknownVeto(code, known)


def _standing(session: Session, campaign: Campaign, group_id: int, code: str) -> VetoFound | None:
    return session.exec(
        select(VetoFound).where(
            VetoFound.campaign_id == campaign.id,
            VetoFound.group_id == group_id,
            VetoFound.code == code,
            col(VetoFound.lifted_at).is_(None),
        )
    ).first()


@dataclass(frozen=True, slots=True)
class Excluded:
    """A case that stands against a group."""

    unit: str
    group: str
    code: str
    reason: str


def vetoes_of(session: Session, campaign: Campaign) -> list[Excluded]:
    """Return the cases that stand, in official order of the groups."""
    rows = session.execute(
        select(Unit.code, ResidentialGroup.name, VetoFound.code, VetoFound.reason)
        .join(ResidentialGroup, col(ResidentialGroup.unit_id) == Unit.id)
        .join(VetoFound, col(VetoFound.group_id) == ResidentialGroup.id)
        .where(VetoFound.campaign_id == campaign.id, col(VetoFound.lifted_at).is_(None))
        .order_by(col(Unit.position), col(ResidentialGroup.position), col(VetoFound.id))
    )
    return [Excluded(*row) for row in rows]
