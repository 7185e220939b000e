"""Units, their groups and the people who are written to."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.letters import Relation, UnitKind


class Unit(SQLModel, table=True):
    """A unit (đơn vị), keyed by code and the day from which it holds: codes and names are reused.

    `directory` is the organiser in whose list it stands: two offices may use one code for two bodies.
    """

    __tablename__ = "units"
    __table_args__ = (UniqueConstraint("directory", "code", "valid_from"),)

    id: int = Field(default=None, primary_key=True)
    directory: str
    code: str
    valid_from: date
    official_code: str | None = None
    name: str
    kind: UnitKind = one_of(UnitKind)
    relation: Relation = one_of(Relation)
    parent: str | None = None
    position: int
    address: str | None = None
    phone: str | None = None
    email: str | None = None


class ResidentialGroup(SQLModel, table=True):
    """A residential group (tổ dân phố, bản, thôn) of a commune, until it is merged or split."""

    __tablename__ = "residential_groups"
    __table_args__ = (UniqueConstraint("unit_id", "name", "valid_from"),)

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="units.id")
    position: int
    name: str
    valid_from: date
    closed_on: date | None = None


class Contact(SQLModel, table=True):
    """A person of a unit who is written to; `role` is what he is there, until he has left it."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("unit_id", "code"),
        Index(None, "unit_id", "role", "position"),
    )

    id: int = Field(default=None, primary_key=True)
    code: str
    unit_id: int = Field(foreign_key="units.id")
    position: int
    role: str
    name: str
    title: str
    email: str | None = None
    phone: str | None = None
    zalo: str | None = None
    acting_for_id: int | None = Field(default=None, foreign_key="contacts.id", index=True)
    acting_from: date | None = None
    acting_until: date | None = None
    absent_from: date | None = None
    absent_until: date | None = None
    left_at: datetime | None = instant(optional=True)
