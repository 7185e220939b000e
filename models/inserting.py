"""The one statement in which SQLite and PostgreSQL agree but SQLAlchemy does not: ON CONFLICT."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Insert, Select, String, cast, insert, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, SQLModel


def inserting(session: Session, table: type[SQLModel]) -> Any:
    """Return an INSERT into this table that knows `on_conflict_do_nothing` and `…_do_update`."""
    dialect = session.get_bind().dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_new(table: type[SQLModel], columns: Sequence[str], rows: Select[Any]) -> Insert:
    """Return an INSERT of what these rows say, passing over those whose `key` is there; they need a WHERE.

    The words stand behind the SELECT, where both databases read them as the INSERT's: with SQLAlchemy's own
    ON CONFLICT a statement is compiled anew each time, which costs more than running it.
    """
    return insert(table).from_select(columns, rows.suffix_with("ON CONFLICT (key) DO NOTHING"))


def joined(*parts: Any) -> ColumnElement[str]:
    """Return an SQL text of these columns and constants, one after the other; none may be NULL."""
    texts = [literal(part) if isinstance(part, str) else cast(part, String) for part in parts]
    whole: Any = texts[0]
    for text in texts[1:]:
        whole = whole.op("||")(text)
    return cast(whole, String)


def written(result: Any) -> int:
    """Return how many rows a statement wrote; an INSERT … SELECT must keep its count to be asked."""
    return int(result.rowcount)
