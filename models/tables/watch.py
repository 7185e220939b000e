"""How the program itself is doing."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import instant


class Pulse(SQLModel, table=True):
    """When a part of the program last came to the end of its work."""

    __tablename__ = "pulses"

    name: str = Field(primary_key=True)
    at: datetime = instant()


class Alarm(SQLModel, table=True):
    """Something the operator should know; `told_at` when he was last told, `over_at` when it ended."""

    __tablename__ = "alarms"

    key: str = Field(primary_key=True)
    words: str
    raised_at: datetime = instant()
    told_at: datetime | None = instant(optional=True)
    over_at: datetime | None = instant(optional=True)
