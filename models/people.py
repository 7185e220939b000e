"""The people of a campaign on a given day: who holds a role, who stands in for whom."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, case, literal, or_
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from models.tables import Campaign, CampaignUnit, Contact, StepRecipient
from rules.ladder import Role
from rules.stages import Ower

# Where a role of the campaign is found: in which of its units, under which role there.
AT: dict[Role, tuple[Ower, tuple[str, ...]]] = {
    Role.STANDING_OFFICE: (Ower.STANDING_OFFICE, ("officer", "unit_head")),
    Role.STANDING_HEAD: (Ower.STANDING_OFFICE, ("unit_head", "officer")),
    Role.OFFICE: (Ower.ORGANISER, ("office",)),
    Role.VICE_CHAIRMAN: (Ower.ORGANISER, ("vice_chairman",)),
    Role.CHAIRMAN: (Ower.ORGANISER, ("chairman",)),
}

# Who leads a unit: its head, and in one that has no other the chairman.
HEADS = ("unit_head", "chairman")


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
                col(Contact.left_at).is_(None),
            )
            .order_by(col(Contact.unit_id), col(Contact.position))
        )
    )


def people_of(session: Session, campaign: Campaign, *, today: date) -> dict[str, int]:
    """Return who is told today for each role of the campaign, and for each person a ladder names.

    Whoever is absent or missing is replaced by his deputy, else by the standing office, never by
    nobody (design.md §4). Raises LookupError where the standing office itself has nobody.
    """
    rows = session.execute(
        select(Contact, CampaignUnit.part, stand_in(Contact, today), is_absent(Contact, today))
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Contact.unit_id)
        .where(
            CampaignUnit.campaign_id == campaign.id,
            col(CampaignUnit.part).in_([Ower.STANDING_OFFICE, Ower.ORGANISER]),
            col(Contact.left_at).is_(None),
        )
        .order_by(col(Contact.position), col(Contact.id))
    ).all()
    found: dict[str, int | None] = {}
    for role, (part, held) in AT.items():
        there = [
            deputy or contact.id
            for wanted in held
            for contact, at, deputy, is_away in rows
            if at == part and contact.role == wanted and (deputy or not is_away)
        ]
        if there:
            found[role] = there[0]
    standing_office = found.get(Role.STANDING_OFFICE)
    if standing_office is None:
        # Somebody must be told, if need be on the day he is back.
        standing_office = next((contact.id for contact, at, _, _ in rows if at == Ower.STANDING_OFFICE), None)
    if standing_office is None:
        raise LookupError(f"nobody is recorded in the standing office of {campaign.code}")
    for name, contact_id, deputy, is_away in _named(session, campaign, today):
        found[name] = deputy or (None if is_away else contact_id)
    return {role: found.get(role) or standing_office for role in (*found, *AT)}


def _named(session: Session, campaign: Campaign, today: date) -> Sequence[Any]:
    """Return the persons whom the ladders of campaigns name, with their deputies of today."""
    is_name = col(StepRecipient.role).not_in(list(Role))
    if session.exec(select(StepRecipient.role).where(is_name).limit(1)).first() is None:
        return ()
    return session.execute(
        select(Contact.name, Contact.id, stand_in(Contact, today), is_absent(Contact, today))
        .join(CampaignUnit, col(CampaignUnit.unit_id) == Contact.unit_id)
        .join(StepRecipient, col(StepRecipient.role) == Contact.name)
        .where(CampaignUnit.campaign_id == campaign.id, col(Contact.left_at).is_(None))
        .order_by(col(Contact.id).desc())
    ).all()


def head_of(item: Any, *, today: date, standing_office: int) -> ColumnElement[Any]:
    """Return in SQL who is told for the head of an item's unit: himself, his deputy, else the office.

    `item` is the table that has the `unit_id`; NULL where a unit has no head.
    """
    head = aliased(Contact)
    return (
        select(
            case(
                (stand_in(head, today).is_not(None), stand_in(head, today)),
                (is_absent(head, today), literal(standing_office)),
                else_=col(head.id),
            )
        )
        .where(col(head.unit_id) == item.c.unit_id, col(head.role).in_(HEADS), col(head.left_at).is_(None))
        .order_by(case((col(head.role) == HEADS[0], 0), else_=1), col(head.position))
        .limit(1)
        .correlate(item)
        .scalar_subquery()
    )


def stand_in(person: Any, today: date) -> ColumnElement[Any]:
    """Return in SQL the deputy (`acting_for`) who acts for a person today and is there himself, or NULL."""
    deputy = aliased(Contact)
    return (
        select(deputy.id)
        .where(
            col(deputy.acting_for_id) == person.id,
            or_(col(deputy.acting_from).is_(None), col(deputy.acting_from) <= today),
            or_(col(deputy.acting_until).is_(None), col(deputy.acting_until) >= today),
            col(deputy.left_at).is_(None),
            ~is_absent(deputy, today),
        )
        .order_by(col(deputy.position), col(deputy.id))
        .limit(1)
        .correlate(person)
        .scalar_subquery()
    )


def is_absent(person: Any, today: date) -> ColumnElement[bool]:
    """Say in SQL whether a person is recorded as absent today."""
    return and_(
        col(person.absent_from).is_not(None),
        col(person.absent_from) <= today,
        or_(col(person.absent_until).is_(None), col(person.absent_until) >= today),
    )


def recipients(people: Mapping[str, int], role: str) -> int:
    """Return who is told for a role of the campaign or a person the file names; else the standing office."""
    return people.get(role, people[Role.STANDING_OFFICE])
