"""The directory (danh bạ): units, groups and the people in them, as they change over time.

A unit is known by the organiser in whose list it stands, its code and the day from which it holds.
Nobody is overwritten: who is no longer listed has left, a group that is no longer listed is closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from models import journal
from models.groups import ITSELF
from models.inserting import inserting
from models.people import people_of
from models.permits import permit
from models.tables import Campaign, CampaignUnit, Contact, ResidentialGroup, Unit
from rules.deeds import Deed
from rules.ladder import Role

if TYPE_CHECKING:
    from config.campaign_file import UnitSpec
from models.replacements import hand_over


class NobodyLeft(Exception):
    """The list would leave a unit that is asked for something without an officer."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit


@dataclass(frozen=True, slots=True)
class Changes:
    """What bringing the directory up to date has changed, counted."""

    came: int = 0
    left: int = 0
    groups_opened: int = 0
    groups_closed: int = 0


UNIT_FIELDS = ("official_code", "name", "kind", "relation", "parent", "position", "address", "phone", "email")


def record_units(
    session: Session, directory: str, units: Sequence["UnitSpec"], *, at: datetime, today: date
) -> tuple[dict[str, int], Changes]:
    """Record units, groups and contacts in an organiser's directory, or bring them up to date.

    Returns the id of each unit by its code, and what has changed. A person is the same as long as
    his name and role in the unit are; whoever is no longer listed there has left.
    """
    statement = inserting(session, Unit)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=("directory", "code", "valid_from"),
            set_={field: statement.excluded[field] for field in UNIT_FIELDS},
        ),
        [
            {
                "directory": directory,
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
    )
    wanted = {(unit.code, unit.valid_from) for unit in units}
    rows = session.exec(select(Unit).where(Unit.directory == directory))
    ids = {row.code: row.id for row in rows if (row.code, row.valid_from) in wanted}
    opened, closed = _record_groups(session, units, ids, today)
    came, left = _record_people(session, units, ids, at)
    return ids, Changes(came, left, opened, closed)


def _record_groups(
    session: Session, units: Sequence["UnitSpec"], ids: Mapping[str, int], today: date
) -> tuple[int, int]:
    known = {
        (row.unit_id, row.name): row
        for row in session.exec(
            select(ResidentialGroup).where(
                col(ResidentialGroup.closed_on).is_(None), ResidentialGroup.position != ITSELF
            )
        )
    }
    known_units = {unit_id for unit_id, _ in known}
    listed = {(ids[unit.code], name) for unit in units for name in unit.groups}
    asked_about = {ids[unit.code] for unit in units}
    gone = [row.id for key, row in known.items() if key not in listed and row.unit_id in asked_about]
    if gone:
        session.execute(
            update(ResidentialGroup).where(col(ResidentialGroup.id).in_(gone)).values(closed_on=today)
        )
    new = [
        {
            "unit_id": ids[unit.code],
            "position": position,
            "name": name,
            # Until the directory knows a unit's groups they are as old as the unit.
            "valid_from": today if ids[unit.code] in known_units else unit.valid_from,
        }
        for unit in units
        for position, name in enumerate(unit.groups)
        if (ids[unit.code], name) not in known
    ]
    if new:
        session.execute(inserting(session, ResidentialGroup), new)
    return len(new), len(gone)


def _record_people(
    session: Session, units: Sequence["UnitSpec"], ids: Mapping[str, int], at: datetime
) -> tuple[int, int]:
    present = {
        (row.unit_id, row.name, row.role): row
        for row in session.exec(select(Contact).where(col(Contact.left_at).is_(None)))
        if row.unit_id in set(ids.values())
    }
    taken = {
        unit_id: count
        for unit_id, count in session.execute(
            select(Contact.unit_id, func.count()).group_by(col(Contact.unit_id))
        )
    }
    came = 0
    listed: set[tuple[int, str, str]] = set()
    new: list[dict[str, object]] = []
    for unit in units:
        unit_id = ids[unit.code]
        for position, contact in enumerate(unit.contacts):
            key = (unit_id, contact.name, contact.role)
            listed.add(key)
            facts = {
                "position": position,
                "title": contact.title,
                "email": contact.email,
                "phone": contact.phone,
                "zalo": contact.zalo,
                "acting_from": contact.acting_from,
                "acting_until": contact.acting_until,
                "absent_from": contact.absent_from,
                "absent_until": contact.absent_until,
            }
            if (row := present.get(key)) is not None:
                row.acting_for_id = None
                for field, value in facts.items():
                    setattr(row, field, value)
                continue
            taken[unit_id] = taken.get(unit_id, 0) + 1
            came += 1
            new.append(
                {
                    "code": f"{unit.code}.{taken[unit_id]}",
                    "unit_id": unit_id,
                    "role": contact.role,
                    "name": contact.name,
                    **facts,
                }
            )
    if new:
        session.execute(inserting(session, Contact), new)
    gone = [row for key, row in present.items() if key not in listed]
    for row in gone:
        row.left_at = at
    session.flush()
    _link_deputies(session, units, ids)
    return came, len(gone)


def _link_deputies(session: Session, units: Sequence["UnitSpec"], ids: Mapping[str, int]) -> None:
    deputies = [(unit, contact) for unit in units for contact in unit.contacts if contact.acting_for]
    if not deputies:
        return
    rows = [
        row
        for row in session.exec(select(Contact).where(col(Contact.left_at).is_(None)))
        if row.unit_id in set(ids.values())
    ]
    by_name = {row.name: row for row in rows}
    by_place = {(row.unit_id, row.name, row.role): row for row in rows}
    for unit, contact in deputies:
        absent = by_name[contact.acting_for or ""]
        by_place[ids[unit.code], contact.name, contact.role].acting_for_id = absent.id
    session.flush()


def update_directory(
    session: Session,
    campaign: Campaign,
    units: Sequence["UnitSpec"],
    *,
    directory: str,
    today: date,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Changes:
    """Bring people and groups up to date in mid-campaign; the campaign keeps its frozen lists.

    New units of the list are recorded for later campaigns and owe nothing in this one. What was not
    yet said to somebody who has left goes to whoever has his role now, else to the standing office.
    Raises NobodyLeft.
    """
    permit(campaign, Deed.UPDATE_DIRECTORY, at=at, recorded_at=recorded_at)
    ids, changes = record_units(session, directory, units, at=at, today=today)
    _nobody_is_left_alone(session, campaign)
    gone = session.exec(
        select(Contact).where(col(Contact.unit_id).in_(ids.values()), Contact.left_at == at)
    ).all()
    standing_office = people_of(session, campaign, today=today)[Role.STANDING_OFFICE] if gone else 0
    for old in gone:
        new = session.exec(
            select(Contact.id)
            .where(Contact.unit_id == old.unit_id, Contact.role == old.role, col(Contact.left_at).is_(None))
            .order_by(col(Contact.position))
            .limit(1)
        ).one_or_none()
        hand_over(session, old.id, new or standing_office, at=recorded_at)
    journal.write(
        session,
        campaign,
        "directory_updated",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "came": changes.came,
            "left": changes.left,
            "groups_opened": changes.groups_opened,
            "groups_closed": changes.groups_closed,
        },
    )
    return changes


def _nobody_is_left_alone(session: Session, campaign: Campaign) -> None:
    """Raise NobodyLeft for a unit of the campaign that has had people and has none any more."""
    alone = session.exec(
        select(Unit.code)
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
        .where(
            CampaignUnit.campaign_id == campaign.id,
            CampaignUnit.part != "organiser",
            ~select(Contact.id)
            .where(Contact.unit_id == Unit.id, col(Contact.left_at).is_(None), Contact.role == "officer")
            .exists(),
        )
        .order_by(col(Unit.position))
        .limit(1)
    ).first()
    if alone is not None:
        raise NobodyLeft(alone)
