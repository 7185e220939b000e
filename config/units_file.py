"""The units of a campaign (đơn vị): communes, agencies, the organiser, and the people in them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from config.located import FileInvalid, Located, Problem
from config.shapes import Count, Day, Mail, MaybeDay, Phone, Shape, Slug, Text
from config.shaping import shaped
from rules.letters import Relation, UnitKind


class ContactShape(Shape):
    """A person of a unit."""

    name: Text
    title: Text
    role: Literal["officer", "unit_head", "chairman", "vice_chairman", "office", "mailbox", "deputy"]
    email: Mail | None = None
    phone: Phone | None = None
    zalo: Text | None = None
    acting_for: Text | None = None
    acting_from: MaybeDay = None
    acting_until: MaybeDay = None
    absent_from: MaybeDay = None
    absent_until: MaybeDay = None


class UnitShape(Shape):
    """A unit with its groups and contacts."""

    code: Slug
    official_code: Annotated[str, Field(min_length=1)] | None = None
    valid_from: Day
    name: Text
    kind: UnitKind
    parent: Text | None = None
    relation: Relation = Relation.SUBORDINATE
    order: Count | None = None
    address: Text | None = None
    phone: Phone | None = None
    email: Mail | None = None
    groups: tuple[Text, ...] = ()
    contacts: tuple[ContactShape, ...] = ()


class UnitsShape(Shape):
    """A units file."""

    units: Annotated[list[UnitShape], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class ContactSpec:
    """A person of a unit; `code` is the unit's and his place in it: `san-thang.1`."""

    code: str
    name: str
    title: str
    role: str
    email: str | None = None
    phone: str | None = None
    zalo: str | None = None
    acting_for: str | None = None
    acting_from: date | None = None
    acting_until: date | None = None
    absent_from: date | None = None
    absent_until: date | None = None


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """A unit; official codes and names are reused over time, so `valid_from` belongs to its key.

    `order` is the official order; units without one come last, as they stand in the file.
    """

    code: str
    valid_from: date
    name: str
    kind: UnitKind
    relation: Relation
    official_code: str | None = None
    parent: str | None = None
    order: int | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    groups: tuple[str, ...] = ()
    contacts: tuple[ContactSpec, ...] = ()

    def has(self, role: str) -> bool:
        """Say whether somebody here holds this role."""
        return any(contact.role == role for contact in self.contacts)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one file in official order, and where each stands in it."""

    document: Located
    units: tuple[UnitSpec, ...]
    places: dict[str, int]

    def find(self, code: str) -> UnitSpec | None:
        """Return the unit of this code, or None."""
        return next((unit for unit in self.units if unit.code == code), None)

    def problem(self, code: str, message: str, /, **facts: object) -> Problem:
        """Return a problem at the line of a unit."""
        return self.document.problem(("units", self.places[code]), message, code=code, **facts)


def read_units(document: Located) -> Units:
    """Return the units of a document; raises FileInvalid."""
    shape = shaped(UnitsShape, document)
    problems = list(_problems(document, shape))
    if problems:
        raise FileInvalid(problems)
    ordered = sorted(enumerate(shape.units), key=lambda each: (each[1].order is None, each[1].order or 0))
    return Units(
        document=document,
        units=tuple(_spec(unit) for _, unit in ordered),
        places={unit.code: place for place, unit in enumerate(shape.units)},
    )


def _spec(unit: UnitShape) -> UnitSpec:
    return UnitSpec(
        code=unit.code,
        valid_from=unit.valid_from,
        name=unit.name,
        kind=unit.kind,
        relation=unit.relation,
        official_code=unit.official_code,
        parent=unit.parent,
        order=unit.order,
        address=unit.address,
        phone=unit.phone,
        email=unit.email,
        groups=unit.groups,
        contacts=tuple(
            ContactSpec(code=f"{unit.code}.{place}", **contact.model_dump())
            for place, contact in enumerate(unit.contacts, start=1)
        ),
    )


def _problems(document: Located, shape: UnitsShape) -> Iterator[Problem]:
    codes: set[str] = set()
    official: set[tuple[str, date]] = set()
    names = Counter(contact.name for unit in shape.units for contact in unit.contacts)
    known = {unit.code for unit in shape.units}
    for place, unit in enumerate(shape.units):
        path = ("units", place)
        if unit.code in codes:
            yield document.problem((*path, "code"), "units.code_twice", code=unit.code)
        codes.add(unit.code)
        if unit.official_code is not None:
            if (unit.official_code, unit.valid_from) in official:
                yield document.problem((*path, "official_code"), "units.code_twice", code=unit.official_code)
            official.add((unit.official_code, unit.valid_from))
        if unit.parent is not None and unit.parent not in known:
            yield document.problem((*path, "parent"), "units.unknown_parent", code=unit.parent)
        if len(set(unit.groups)) < len(unit.groups):
            yield document.problem((*path, "groups"), "units.group_twice", code=unit.code)
        for number, contact in enumerate(unit.contacts):
            at = (*path, "contacts", number)
            if contact.acting_for is not None and contact.acting_for not in names:
                yield document.problem((*at, "acting_for"), "units.unknown_person", name=contact.acting_for)
            elif contact.acting_for is not None and names[contact.acting_for] > 1:
                yield document.problem((*at, "acting_for"), "units.two_people", name=contact.acting_for)
            if len([each for each in unit.contacts if _same(each, contact)]) > 1:
                yield document.problem((*at, "name"), "units.two_people", name=contact.name)
            if contact.absent_from and contact.absent_until and contact.absent_until < contact.absent_from:
                yield document.problem((*at, "absent_until"), "units.absent_backwards", name=contact.name)
            if contact.acting_from and contact.acting_until and contact.acting_until < contact.acting_from:
                yield document.problem((*at, "acting_until"), "units.acting_backwards", name=contact.name)


def _same(one: ContactShape, other: ContactShape) -> bool:
    return (one.name, one.role) == (other.name, other.role)
