"""Units and the people in them: recorded from a campaign's file, found by what they are."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlmodel import Session, col, select

from models.inserting import inserting
from models.tables import Campaign, CampaignUnit, Contact, ResidentialGroup, StepRecipient, Unit
from rules.ladder import Role
from rules.stages import Ower

if TYPE_CHECKING:
    from config.campaign_file import UnitSpec

# Where a role of the campaign is found: in which of its units, under which role there.
AT: dict[Role, tuple[Ower, tuple[str, ...]]] = {
    Role.STANDING_OFFICE: (Ower.STANDING_OFFICE, ("officer", "unit_head")),
    Role.STANDING_HEAD: (Ower.STANDING_OFFICE, ("unit_head", "officer")),
    Role.OFFICE: (Ower.ORGANISER, ("office",)),
    Role.VICE_CHAIRMAN: (Ower.ORGANISER, ("vice_chairman",)),
    Role.CHAIRMAN: (Ower.ORGANISER, ("chairman",)),
}


def record_units(session: Session, units: Sequence["UnitSpec"]) -> dict[str, int]:
    """Record units, groups and contacts, or bring what is known of them up to date.

    Returns the id of each unit by its code.
    """
    fields = ("official_code", "name", "kind", "relation", "parent", "position", "address", "phone", "email")
    _upsert(
        session,
        Unit,
        [
            {
                "code": unit.code,
                "valid_from": unit.valid_from,
                "official_code": unit.official_code,
                "name": unit.name,
                "kind": unit.kind,
                "relation": unit.relation,
                "parent": unit.parent,
                "position": position,
                "address": unit.address,
                "phone": unit.phone,
                "email": unit.email,
            }
            for position, unit in enumerate(units)
        ],
        key=("code", "valid_from"),
        fields=fields,
    )
    wanted = {(unit.code, unit.valid_from) for unit in units}
    rows = session.exec(select(Unit).where(col(Unit.code).in_([unit.code for unit in units])))
    ids = {row.code: row.id for row in rows if (row.code, row.valid_from) in wanted and row.id}
    _upsert(
        session,
        ResidentialGroup,
        [
            {"unit_id": ids[unit.code], "position": position, "name": name}
            for unit in units
            for position, name in enumerate(unit.groups)
        ],
        key=("unit_id", "name"),
        fields=("position",),
    )
    _upsert(
        session,
        Contact,
        [
            {
                "code": contact.code,
                "unit_id": ids[unit.code],
                "position": position,
                "role": contact.role,
                "name": contact.name,
                "title": contact.title,
                "email": contact.email,
                "phone": contact.phone,
                "zalo": contact.zalo,
                "acting_from": contact.acting_from,
                "acting_until": contact.acting_until,
            }
            for unit in units
            for position, contact in enumerate(unit.contacts)
        ],
        key=("unit_id", "code"),
        fields=("position", "role", "name", "title", "email", "phone", "zalo", "acting_from", "acting_until"),
    )
    _link_deputies(session, units, ids)
    return ids


def _link_deputies(session: Session, units: Sequence["UnitSpec"], ids: Mapping[str, int]) -> None:
    deputies = [(unit, contact) for unit in units for contact in unit.contacts if contact.acting_for]
    if not deputies:
        return
    rows = {
        (row.unit_id, row.code): row
        for row in session.exec(select(Contact).where(col(Contact.unit_id).in_(list(ids.values()))))
    }
    by_name = {row.name: row for row in rows.values()}
    for unit, contact in deputies:
        absent = by_name[contact.acting_for or ""]
        rows[ids[unit.code], contact.code].acting_for_id = absent.id
    session.flush()


def _upsert(
    session: Session,
    table: type[Unit] | type[ResidentialGroup] | type[Contact],
    rows: list[dict[str, object]],
    *,
    key: tuple[str, ...],
    fields: tuple[str, ...],
) -> None:
    if not rows:
        return
    statement = inserting(session, table)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=key, set_={field: statement.excluded[field] for field in fields}
        ),
        rows,
    )


def officers_of(session: Session, campaign: Campaign, part: Ower) -> list[Contact]:
    """Return the officers of the units that play this part in a campaign, in official order."""
    return list(
        session.exec(
            select(Contact)
            .join(CampaignUnit, col(CampaignUnit.unit_id) == Contact.unit_id)
            .where(
                CampaignUnit.campaign_id == campaign.id,
                CampaignUnit.part == part,
                Contact.role == "officer",
            )
            .order_by(col(Contact.unit_id), col(Contact.position))
        )
    )


def people_of(session: Session, campaign: Campaign) -> dict[str, int]:
    """Return the contact for each role of the campaign, and for each person a ladder names.

    A role that nobody holds is filled by the standing office, never left to nobody. Raises
    LookupError where the standing office itself has nobody.
    """
    rows = session.execute(
        select(Contact, CampaignUnit.part)
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Contact.unit_id)
        .where(
            CampaignUnit.campaign_id == campaign.id,
            col(CampaignUnit.part).in_([Ower.STANDING_OFFICE, Ower.ORGANISER]),
        )
        .order_by(col(Contact.position))
    ).all()
    found: dict[str, int] = {
        name: contact_id
        for name, contact_id in session.execute(
            select(Contact.name, Contact.id)
            .join(CampaignUnit, col(CampaignUnit.unit_id) == Contact.unit_id)
            .join(StepRecipient, col(StepRecipient.role) == Contact.name)
            .where(CampaignUnit.campaign_id == campaign.id)
            .order_by(col(Contact.id).desc())
        )
        if contact_id is not None
    }
    for role, (part, held) in AT.items():
        for wanted in held:
            holders = [contact.id for contact, at in rows if at == part and contact.role == wanted]
            if holders:
                found[role] = holders[0]
                break
    if Role.STANDING_OFFICE not in found:
        raise LookupError(f"nobody is recorded in the standing office of {campaign.code}")
    for role in AT:
        found.setdefault(role, found[Role.STANDING_OFFICE])
    return found
