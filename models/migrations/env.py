"""Where Alembic begins: on the connection it is handed, in one transaction."""

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel

from models import tables  # noqa: F401 - fills the metadata
from models.database import UtcDateTime


def _plain(kind: str, value: Any, _: Any) -> str | Literal[False]:
    """Render our instant as a plain one, so that old migrations need no code of the application."""
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_plain,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
