"""Whether the application can do its work, for whoever watches over it; everybody may ask."""

from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from models.database import DatabaseUnreachable, database, newest_revision
from portal.waiting import within_patience

router = APIRouter()


class DatabaseState(StrEnum):
    """What is to be said of the database; never in its own words, which may hold an address."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    NOT_MIGRATED = "not_migrated"


@dataclass(frozen=True, slots=True)
class Health:
    """How the database stands, and at which revision; None where it does not say."""

    database: DatabaseState
    revision: str | None = None


@router.get("/healthz")
async def healthz() -> JSONResponse:
    """Answer 200 where the database answers at the program's own revision, else 503."""
    found = await within_patience(database_health, Health(DatabaseState.UNREACHABLE))
    is_well = found.database is DatabaseState.OK
    return JSONResponse(
        {
            "status": "ok" if is_well else "unavailable",
            "database": found.database.value,
            "revision": found.revision,
        },
        status_code=200 if is_well else 503,
        headers={"Cache-Control": "no-store"},
    )


def database_health() -> Health:
    """Return how the database stands; one at an older or a newer revision is not migrated."""
    try:
        revision = database().current_revision()
    except DatabaseUnreachable:
        return Health(DatabaseState.UNREACHABLE)
    is_ours = revision == newest_revision()
    return Health(DatabaseState.OK if is_ours else DatabaseState.NOT_MIGRATED, revision)
