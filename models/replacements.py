"""Places taken and deputies: who is told from now on, or on these days, instead of whom."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from models import journal
from models.notices import is_under_way
from models.permits import permit
from models.tables import Campaign, CampaignUnit, Contact, Letter, Notice, Unit
from rules.deeds import Deed
from rules.notices import LetterState, NoticeState


class UnknownPerson(Exception):
    """Nobody of this name is in the unit; `known` lists who is."""

    def __init__(self, name: str, unit: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name, self.unit, self.known = name, unit, known


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
