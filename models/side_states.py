"""Suspended, resumed, cancelled: what lies over a campaign's stage."""

from datetime import datetime

from sqlalchemy import and_
from sqlmodel import Session, col, update

from models import journal
from models.notices import settle_unsaid
from models.permits import permit
from models.tables import Campaign, Letter, Notice
from models.work_items import cancel_open
from rules.deeds import Deed
from rules.notices import LetterState, NoticeState
from rules.stages import SideState


def suspend(
    session: Session,
    campaign: Campaign,
    *,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> None:
    """Suspend a campaign (tạm dừng): nothing fires and nothing is sent until it is resumed."""
    permit(campaign, Deed.SUSPEND, at=at, recorded_at=recorded_at)
    _put(session, campaign, SideState.SUSPENDED)
    journal.write(
        session, campaign, "suspended", at=at, recorded_at=recorded_at, by=by, detail={"reason": reason}
    )


def resume(
    session: Session, campaign: Campaign, *, at: datetime, recorded_at: datetime, by: str | None
) -> None:
    """Resume a suspended campaign (tiếp tục); of the steps it has missed the newest is sent.

    Its terms have not moved: who needs another is given one by an amendment or an extension.
    """
    permit(campaign, Deed.RESUME, at=at, recorded_at=recorded_at)
    _put(session, campaign, None)
    journal.write(session, campaign, "resumed", at=at, recorded_at=recorded_at, by=by)


def cancel(
    session: Session,
    campaign: Campaign,
    *,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Cancel a campaign (hủy đợt) for good; what was not yet said is suppressed. Returns the items ended."""
    permit(campaign, Deed.CANCEL, at=at, recorded_at=recorded_at)
    ended = cancel_open(session, campaign, at=recorded_at, spares=())
    settle_unsaid(
        session, NoticeState.SUPPRESSED, and_(col(Notice.campaign_id) == campaign.id), at=recorded_at
    )
    session.execute(
        update(Letter)
        .where(col(Letter.campaign_id) == campaign.id, col(Letter.state) == LetterState.QUEUED)
        .values(state=LetterState.SUPPRESSED, settled_at=recorded_at)
        .execution_options(synchronize_session=False)
    )
    _put(session, campaign, SideState.CANCELLED)
    journal.write(
        session,
        campaign,
        "cancelled",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={"reason": reason, "items": ended},
    )
    return ended


def _put(session: Session, campaign: Campaign, state: SideState | None) -> None:
    campaign.side_state = state
    session.add(campaign)
    session.flush()
