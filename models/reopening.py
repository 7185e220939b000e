"""Reviews asked for again: a dossier joined one that was concluded, or a commune explained a score."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session, col, select, update

from models import journal
from models.campaigns import file_of
from models.deadlines import write_deadline
from models.notices import queue_about
from models.tables import Campaign, Unit, WorkItem
from models.work_items import note_terms
from rules.calendar import WithinWorkingDays, deadline
from rules.notices import NoticeKind
from rules.stages import Stage
from rules.work_items import REVIEW_AGAIN_WORKING_DAYS, ItemKind, ItemState, VersionCause


def ask_again(
    session: Session,
    campaign: Campaign,
    *,
    because: Literal["joined", "explained"],
    dossier: str,
    agencies: Sequence[str] | None = None,
    at: datetime,
    recorded_at: datetime,
) -> None:
    """Reopen reviews that were concluded before this, with a term of their own: all, or some agencies'.

    `dossier` is the unit whose dossier joined or was explained.
    """
    concluded: Any = (
        select(WorkItem.id)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.kind == ItemKind.REVIEW,
            WorkItem.state == ItemState.DONE,
        )
    )
    if agencies is not None:
        concluded = concluded.where(col(Unit.code).in_(agencies))
    ids = list(session.exec(concluded))
    if not ids:
        return
    file = file_of(campaign)
    today = file.calendar.day_of(recorded_at)
    version = write_deadline(
        session,
        campaign,
        Stage.AGENCY_REVIEW,
        deadline(WithinWorkingDays(REVIEW_AGAIN_WORKING_DAYS, today), file.calendar),
        cause=VersionCause.REOPENED,
        ladders=file.ladders,
        calendar=file.calendar,
        at=recorded_at,
    )
    session.execute(
        update(WorkItem)
        .where(col(WorkItem.id).in_(ids))
        .values(
            state=ItemState.OPEN,
            done_at=None,
            opened_at=recorded_at,
            deadline_id=version.id,
            acknowledged_at=None,
        )
        .execution_options(synchronize_session="fetch")
    )
    reopened = select(WorkItem.id).where(col(WorkItem.id).in_(ids))
    note_terms(session, reopened, at=recorded_at)
    queue_about(
        session,
        campaign,
        NoticeKind.OPENING,
        reopened,
        reason=f"{because}:{dossier}",
        at=recorded_at,
    )
    names = session.execute(
        select(Unit.code, WorkItem.name)
        .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
        .where(col(WorkItem.id).in_(ids))
        .order_by(col(Unit.position))
    )
    journal.write_all(
        session,
        campaign,
        [
            journal.Line("review_reopened", agency, {"item": name, "dossier": f"dossier/{dossier}"})
            for agency, name in names
        ],
        at=at,
        recorded_at=recorded_at,
        by=None,
    )
