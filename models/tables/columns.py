"""What tables share: enums the database checks, instants in UTC, the names of constraints."""

from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Enum
from sqlmodel import Field, SQLModel

from models.database import UtcDateTime

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def one_of(
    values: type[StrEnum], *, optional: bool = False, named: str = "", primary_key: bool = False
) -> Any:
    """Return a text column that holds the values of an enum, and the database checks it.

    `named` is the column's name where a table has two columns of one enum.
    """
    kind = Enum(
        values,
        name=named or _snake(values.__name__),
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
    return Field(default=None, sa_column=Column(kind, nullable=optional, primary_key=primary_key))


def instant(*, optional: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=optional, index=index))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
