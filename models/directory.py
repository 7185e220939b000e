"""The directory (danh bạ): units, groups and the people in them, as they change over time.

A unit is known by the organiser in whose list it stands, its code and the day from which it holds.
Nobody is overwritten: who is no longer listed has left, a group that is no longer listed is closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from models import journal
from models.inserting import inserting
from models.notices import is_under_way
from models.people import people_of
from models.permits import permit
from models.tables import Campaign, CampaignUnit, Contact, Letter, Notice, ResidentialGroup, Unit
from rules.deeds import Deed
from rules.ladder import Role
from rules.notices import LetterState, NoticeState

if TYPE_CHECKING:
    from config.campaign_file import UnitSpec


class UnknownPerson(Exception):
    """Nobody of this name is in the unit; `known` lists who is."""

    def __init__(self, name: str, unit: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name, self.unit, self.known = name, unit, known


class NobodyLeft(Exception):
    """The list would leave a unit that is asked for something without an officer."""

    def __init__(self, unit: str) -> None:
        super().__init__(unit)
        self.unit = unit


class DeputyOfHimself(Exception):
    """Nobody stands in for himself."""


class DaysBackwards(Exception):
    """The last day lies before the first."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Whoever takes a place: name, title and the ways to reach him."""

    name: str
    title: str
    email: str | None = None
    phone: str | None = None
    zalo: str | None = None


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
        for row in session.exec(select(ResidentialGroup).where(col(ResidentialGroup.closed_on).is_(None)))
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


def replace_contact(
    session: Session,
    campaign: Campaign,
    unit: str,
    name: str,
    new: NewPerson,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Contact:
    """Let somebody take a person's place (thay đầu mối); he gets what was not yet said to the old one.

    What was said stays said to whom it was said; the new person is told what comes from now on.
    Raises UnknownPerson.
    """
    permit(campaign, Deed.REPLACE_CONTACT, at=at, recorded_at=recorded_at)
    old = find_person(session, campaign, unit, name)
    row = Contact(
        code=_next_code(session, unit, old.unit_id),
        unit_id=old.unit_id,
        position=old.position,
        role=old.role,
        name=new.name,
        title=new.title,
        email=new.email,
        phone=new.phone,
        zalo=new.zalo,
    )
    session.add(row)
    session.flush()
    old.left_at = at
    session.add(old)
    session.flush()
    session.execute(
        update(Contact)
        .where(col(Contact.acting_for_id) == old.id)
        .values(acting_for_id=row.id)
        .execution_options(synchronize_session=False)
    )
    hand_over(session, old.id, row.id, at=recorded_at)
    journal.write(
        session,
        campaign,
        "contact_replaced",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"from": old.name, "to": new.name, "role": old.role},
    )
    return row


def hand_over(session: Session, old_id: int, new_id: int, *, at: datetime) -> None:
    """Let what was not yet said to one person go to another, unless he is told the same himself.

    Letters not yet sent are made anew.
    """
    unsaid = and_(
        col(Notice.contact_id) == old_id,
        col(Notice.state).in_([NoticeState.WAITING_RELEASE, NoticeState.QUEUED]),
        ~is_under_way(),
    )
    his = aliased(Notice)
    has_it_himself = (
        select(his.id)
        .where(
            col(his.contact_id) == new_id,
            col(his.kind) == Notice.kind,
            col(his.about) == Notice.about,
            col(his.step) == Notice.step,
            func.coalesce(his.deadline_id, 0) == func.coalesce(Notice.deadline_id, 0),
        )
        .exists()
    )
    session.execute(
        update(Notice)
        .where(unsaid, has_it_himself)
        .values(state=NoticeState.SUPERSEDED, settled_at=at)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Notice)
        .where(unsaid)
        .values(contact_id=new_id, letter_id=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Letter)
        .where(col(Letter.contact_id) == old_id, col(Letter.state) == LetterState.QUEUED)
        .values(state=LetterState.SUPPRESSED)
        .execution_options(synchronize_session=False)
    )


def deputise(
    session: Session,
    campaign: Campaign,
    unit: str,
    name: str,
    *,
    deputy: NewPerson | None,
    first_day: date,
    last_day: date | None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Record that a person is absent on these days and who stands in for him (người thay), if anybody.

    The deputy is known by his name in the unit, or recorded as new there. Without one the standing
    office is told instead. Raises UnknownPerson, DeputyOfHimself, DaysBackwards.
    """
    permit(campaign, Deed.DEPUTISE, at=at, recorded_at=recorded_at)
    if last_day is not None and last_day < first_day:
        raise DaysBackwards
    absent = find_person(session, campaign, unit, name)
    if deputy is not None and deputy.name == absent.name:
        raise DeputyOfHimself
    absent.absent_from, absent.absent_until = first_day, last_day
    session.add(absent)
    if deputy is not None:
        row = session.exec(
            select(Contact).where(
                Contact.unit_id == absent.unit_id,
                Contact.name == deputy.name,
                col(Contact.left_at).is_(None),
            )
        ).first()
        if row is None:
            row = Contact(
                code=_next_code(session, unit, absent.unit_id),
                unit_id=absent.unit_id,
                position=absent.position + 1,
                role="deputy",
                name=deputy.name,
                title=deputy.title,
                email=deputy.email,
                phone=deputy.phone,
                zalo=deputy.zalo,
            )
        row.acting_for_id, row.acting_from, row.acting_until = absent.id, first_day, last_day
        session.add(row)
    session.flush()
    days = {"from": first_day.isoformat(), **({"until": last_day.isoformat()} if last_day else {})}
    journal.write(
        session,
        campaign,
        "deputised",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"absent": absent.name, "deputy": deputy.name if deputy else None, **days},
    )


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


def find_person(session: Session, campaign: Campaign, unit: str, name: str) -> Contact:
    """Return the person of this name in a unit of the campaign; raises UnknownPerson."""
    in_campaign = select(CampaignUnit.unit_id).where(CampaignUnit.campaign_id == campaign.id)
    people = session.exec(
        select(Contact)
        .join(Unit, col(Unit.id) == Contact.unit_id)
        .where(Unit.code == unit, col(Contact.left_at).is_(None), col(Unit.id).in_(in_campaign))
        .order_by(col(Contact.position))
    ).all()
    for person in people:
        if person.name == name:
            return person
    raise UnknownPerson(name, unit, tuple(person.name for person in people))


def _next_code(session: Session, unit: str, unit_id: int) -> str:
    """Return the code of the next person of a unit; those of who has left are not used again."""
    taken = session.exec(select(func.count()).select_from(Contact).where(Contact.unit_id == unit_id)).one()
    return f"{unit}.{taken + 1}"
