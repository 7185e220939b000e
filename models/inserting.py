"""The one statement in which SQLite and PostgreSQL agree but SQLAlchemy does not: ON CONFLICT."""

from typing import Any

from sqlalchemy import String, cast, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, SQLModel


def inserting(session: Session, table: type[SQLModel]) -> Any:
    """Return an INSERT into this table that knows `on_conflict_do_nothing` and `…_do_update`."""
    dialect = session.get_bind().dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


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
