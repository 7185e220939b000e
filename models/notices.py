"""What is owed to be said: queued, released, superseded, suppressed. Every change is one statement."""

from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Integer, Select, and_, case, exists, false, func, literal, or_, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from models import journal
from models.database import UtcDateTime
from models.inserting import inserting, joined
from models.tables import (
    Campaign,
    CampaignUnit,
    Contact,
    DeadlineVersion,
    Notice,
    Unit,
    WorkItem,
)
from rules.calendar import WorkingCalendar
from rules.ladder import Role
from rules.notices import NoticeKind, NoticeState
from rules.stages import Ower, Stage
from rules.work_items import ItemState

UNSAID = (NoticeState.WAITING_RELEASE, NoticeState.QUEUED)
ABOUT_OPEN_ITEMS = (NoticeKind.OPENING, NoticeKind.REMINDER, NoticeKind.ESCALATION)

# PostgreSQL takes a bare NULL in a DISTINCT select for a text.
NO_ID = literal(None, Integer)
NO_INSTANT = literal(None, UtcDateTime())


def queue_openings(session: Session, campaign: Campaign, stage: Stage, *, at: datetime) -> int:
    """Queue the opening notice of each open item of this stage for the officers of its unit.

    Returns how many were new. Nothing is queued where one was before. In a campaign that was opened
    after its deadlines nobody is asked for what is long over: the opening is recorded as superseded.
    """
    is_over = and_(
        col(DeadlineVersion.late_from) <= instant(at), true() if campaign.records_past_steps else false()
    )
    rows = (
        notice_rows(
            campaign,
            NoticeKind.OPENING,
            about=WorkItem.name,
            item=WorkItem.id,
            deadline=WorkItem.deadline_id,
            state=case((is_over, NoticeState.SUPERSEDED.value), else_=NoticeState.QUEUED.value),
            due_at=at,
        )
        .select_from(WorkItem)
        .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == WorkItem.deadline_id)
        .join(Contact, is_officer_of(WorkItem.unit_id))
        .where(
            col(WorkItem.campaign_id) == campaign.id,
            col(WorkItem.stage) == stage,
            col(WorkItem.state) == ItemState.OPEN,
        )
    )
    return insert_notices(session, rows)


def queue_event(
    session: Session,
    campaign: Campaign,
    kind: NoticeKind,
    about: str,
    *,
    to: tuple[Ower, ...],
    at: datetime,
) -> int:
    """Queue a notice about an event, such as a paper, for the officers of these units of a campaign."""
    rows = (
        notice_rows(campaign, kind, about=literal(about), due_at=at)
        .select_from(CampaignUnit)
        .join(Contact, is_officer_of(CampaignUnit.unit_id))
        .where(col(CampaignUnit.campaign_id) == campaign.id, col(CampaignUnit.part).in_(to))
        .distinct()
    )
    return insert_notices(session, rows)


def queue_receipt(
    session: Session, campaign: Campaign, item: WorkItem, round_no: int, *, at: datetime
) -> int:
    """Queue the receipt of what was handed in, for the unit's officers and its official mailbox."""
    rows = (
        notice_rows(
            campaign,
            NoticeKind.RECEIPT,
            about=WorkItem.name,
            item=WorkItem.id,
            deadline=WorkItem.deadline_id,
            version=round_no,
            due_at=at,
        )
        .select_from(WorkItem)
        .join(
            Contact,
            or_(
                is_officer_of(WorkItem.unit_id),
                and_(col(Contact.unit_id) == WorkItem.unit_id, col(Contact.role) == "mailbox"),
            ),
        )
        .where(col(WorkItem.id) == item.id)
    )
    return insert_notices(session, rows)


def let_go(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Queue what waited for the standing head and goes because he has been silent; returns how many."""
    return _release(session, campaign, and_(col(Notice.release_at) <= instant(now)))


def release(
    session: Session,
    campaign: Campaign,
    *,
    unit: str | None = None,
    step: str | None = None,
    at: datetime,
    by: str | None,
) -> int:
    """Queue what waits for the standing head, all of it or that of a unit or a step; returns how many."""
    about: ColumnElement[bool] = true()
    if unit is not None:
        about = exists().where(
            col(WorkItem.id) == Notice.item_id, col(Unit.id) == WorkItem.unit_id, col(Unit.code) == unit
        )
    released = _release(session, campaign, and_(about, true() if step is None else col(Notice.step) == step))
    if released:
        detail = {"notices": released, **({"step": step} if step else {})}
        journal.write(session, campaign, "released", at=at, by=by, unit=unit, detail=detail)
    return released


def _release(session: Session, campaign: Campaign, which: ColumnElement[bool]) -> int:
    released = session.execute(
        update(Notice)
        .where(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.state) == NoticeState.WAITING_RELEASE,
            which,
        )
        .values(state=NoticeState.QUEUED, release_at=None)
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    )
    return len(released.all())


def count_waiting(session: Session, campaign: Campaign) -> int:
    """Count what waits for the standing head."""
    return session.exec(
        select(func.count())
        .select_from(Notice)
        .where(Notice.campaign_id == campaign.id, Notice.state == NoticeState.WAITING_RELEASE)
    ).one()


def queue_draft_waiting(
    session: Session, campaign: Campaign, *, at: datetime, to: int, calendar: WorkingCalendar
) -> int:
    """Tell the standing head, once a day, that messages to leaders wait for him."""
    about = f"release/{calendar.day_of(at)}"
    waiting = exists().where(
        col(Notice.campaign_id) == campaign.id, col(Notice.state) == NoticeState.WAITING_RELEASE
    )
    rows = notice_rows(
        campaign, NoticeKind.DRAFT_WAITING, about=literal(about), role=Role.STANDING_HEAD.value, due_at=at
    ).where(col(Contact.id) == to, waiting)
    return insert_notices(session, rows)


def suppress_unsaid(session: Session, campaign: Campaign, item_ids: Select[Any], *, at: datetime) -> int:
    """Suppress what has not been said about these items; returns how many notices that were."""
    return settle_unsaid(
        session,
        NoticeState.SUPPRESSED,
        and_(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.kind).in_(ABOUT_OPEN_ITEMS),
            col(Notice.item_id).in_(item_ids),
        ),
        at=at,
    )


def suppress_untrue(session: Session, *, letter_ids: list[int], at: datetime) -> int:
    """Suppress the lines of these letters that are no longer true; asked again at the moment of sending.

    A line about an item is true while the item is open and under the same deadline; a word about
    waiting drafts while something waits.
    """
    waiting = aliased(Notice)
    still_true = or_(
        col(Notice.kind).not_in([*ABOUT_OPEN_ITEMS, NoticeKind.DRAFT_WAITING]),
        exists().where(
            col(WorkItem.id) == Notice.item_id,
            col(WorkItem.state) == ItemState.OPEN,
            or_(col(Notice.kind) == NoticeKind.OPENING, col(WorkItem.deadline_id) == Notice.deadline_id),
        ),
        and_(
            col(Notice.kind) == NoticeKind.DRAFT_WAITING,
            exists().where(
                col(waiting.campaign_id) == col(Notice.campaign_id),
                col(waiting.state) == NoticeState.WAITING_RELEASE,
            ),
        ),
    )
    return settle_unsaid(
        session,
        NoticeState.SUPPRESSED,
        and_(col(Notice.letter_id).in_(letter_ids), ~still_true),
        at=at,
    )


def settle_unsaid(session: Session, state: NoticeState, which: ColumnElement[bool], *, at: datetime) -> int:
    """Settle those of these notices that have not been said; returns how many."""
    settled = session.execute(
        update(Notice)
        .where(col(Notice.state).in_(UNSAID), which)
        .values(state=state, settled_at=at, release_at=None)
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    )
    return len(settled.all())


def is_officer_of(unit_id: Any) -> ColumnElement[bool]:
    """Match the officers of a unit; where it has none, such as the organiser, its office."""
    officer = aliased(Contact)
    has_officer = exists().where(col(officer.unit_id) == col(Contact.unit_id), col(officer.role) == "officer")
    return and_(
        col(Contact.unit_id) == unit_id,
        or_(
            col(Contact.role) == "officer",
            and_(col(Contact.role) == "office", ~has_officer.correlate(Contact)),
        ),
    )


def key_of(
    campaign: Campaign, kind: NoticeKind, about: Any, step: Any, version: Any, recipient: Any, copy: Any
) -> ColumnElement[str]:
    """Build in SQL what `rules.notices.notice_key` builds in Python."""
    return joined(
        f"{campaign.code}|{kind.value}|", about, "|", step, "|v", version, "|", recipient, "|c", copy
    )


def instant(at: datetime) -> ColumnElement[datetime]:
    """Return an instant as a constant of a statement, in the form the database stores."""
    return literal(at, UtcDateTime())


def notice_rows(
    campaign: Campaign,
    kind: NoticeKind,
    *,
    about: Any,
    due_at: Any,
    item: Any = NO_ID,
    deadline: Any = NO_ID,
    version: Any = 0,
    step: Any = "-",
    role: Any = Role.OFFICER.value,
    copy_no: Any = 0,
    state: Any = NoticeState.QUEUED.value,
    release_at: Any = NO_INSTANT,
) -> Select[Any]:
    """Select notices to the contacts the caller joins; each value is a column or a constant."""
    values: list[Any] = [
        key_of(campaign, kind, about, step, version, Contact.code, copy_no),
        literal(campaign.id),
        literal(kind.value),
        about,
        item,
        deadline,
        literal(step) if isinstance(step, str) else step,
        literal(role) if isinstance(role, str) else role,
        Contact.id,
        literal(copy_no) if isinstance(copy_no, int) else copy_no,
        literal(state) if isinstance(state, str) else state,
        instant(due_at) if isinstance(due_at, datetime) else due_at,
        release_at,
    ]
    return sqlalchemy.select(*values)


def insert_notices(session: Session, rows: Select[Any]) -> int:
    """Insert what `notice_rows` selects, passing over keys that are there; returns how many were new."""
    columns = ["key", "campaign_id", "kind", "about", "item_id", "deadline_id", "step", "role"]
    inserted = session.execute(
        inserting(session, Notice)
        .from_select([*columns, "contact_id", "copy_no", "state", "due_at", "release_at"], rows)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(col(Notice.id))
    )
    return len(inserted.all())
