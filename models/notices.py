"""What is owed to be said: queued, released, superseded, suppressed. Every change is one statement."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Integer, Select, String, and_, case, exists, false, func, literal, or_, true
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, update

from models.database import UtcDateTime
from models.inserting import insert_new, joined, written
from models.tables import (
    Campaign,
    CampaignUnit,
    Contact,
    DeadlineVersion,
    Letter,
    Notice,
    StageEntry,
    WorkItem,
)
from rules.calendar import WorkingCalendar
from rules.ladder import Role
from rules.notices import RIDES_ALONG, LetterState, NoticeKind, NoticeState
from rules.stages import Ower, Stage
from rules.work_items import ItemState

UNSAID = (NoticeState.WAITING_RELEASE, NoticeState.QUEUED)
ABOUT_OPEN_ITEMS = (
    NoticeKind.OPENING,
    NoticeKind.REMINDER,
    NoticeKind.ESCALATION,
    NoticeKind.RETURNED,
    NoticeKind.EXTENDED,
)
# True only of the version of the deadline under which they were queued.
OF_ONE_VERSION = (NoticeKind.REMINDER, NoticeKind.ESCALATION, NoticeKind.EXTENDED)

# PostgreSQL takes a bare NULL in a DISTINCT select for a text.
NO_ID = literal(None, Integer)
NO_INSTANT = literal(None, UtcDateTime())
NO_TEXT = literal(None, String)


def queue_openings(session: Session, campaign: Campaign, stage: Stage, *, at: datetime) -> int:
    """Queue the opening notice of each open item of this stage for the officers of its unit, once.

    Returns how many were new. In a campaign that was opened after its deadlines nobody is asked for
    what is long over: the opening is recorded as superseded.
    """
    asked = session.execute(
        update(StageEntry)
        .where(
            col(StageEntry.campaign_id) == campaign.id,
            col(StageEntry.stage) == stage,
            col(StageEntry.asked_at).is_(None),
        )
        .values(asked_at=at)
        .returning(col(StageEntry.stage))
        .execution_options(synchronize_session=False)
    ).first()
    if asked is None:
        return 0
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


def queue_about(
    session: Session,
    campaign: Campaign,
    kind: NoticeKind,
    items: Select[Any],
    *,
    reason: str | None,
    at: datetime,
    step: str = "-",
) -> int:
    """Queue what was decided about these items for the officers and the mailbox of their units.

    One notice for each version of an item's deadline: a second return or extension is a new one.
    Returns how many were new.
    """
    rows = (
        notice_rows(
            campaign,
            kind,
            about=WorkItem.name,
            item=WorkItem.id,
            deadline=WorkItem.deadline_id,
            version=func.coalesce(DeadlineVersion.version, 0),
            step=step,
            due_at=at,
            reason=NO_TEXT if reason is None else literal(reason),
        )
        .select_from(WorkItem)
        .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == WorkItem.deadline_id)
        .join(Contact, is_addressed_at(WorkItem.unit_id))
        .where(col(WorkItem.id).in_(items))
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
        .join(Contact, is_addressed_at(WorkItem.unit_id))
        .where(col(WorkItem.id) == item.id)
    )
    return insert_notices(session, rows)


def queue_draft_waiting(
    session: Session, campaign: Campaign, *, at: datetime, to: int, calendar: WorkingCalendar
) -> int:
    """Tell the standing head, once a day, that messages to leaders wait for him.

    What he holds back he has seen.
    """
    about = f"release/{calendar.day_of(calendar.next_sending_time(at))}"
    waiting = exists().where(
        col(Notice.campaign_id) == campaign.id,
        col(Notice.state) == NoticeState.WAITING_RELEASE,
        ~col(Notice.is_held),
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


def suppress_copies(session: Session, campaign: Campaign, item_id: int, *, at: datetime) -> int:
    """Suppress the copies about an item that have not been said; returns how many."""
    return settle_unsaid(
        session,
        NoticeState.SUPPRESSED,
        and_(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.item_id) == item_id,
            col(Notice.copy_no) > 0,
        ),
        at=at,
    )


def suppress_untrue(session: Session, *, letter_ids: list[int], at: datetime) -> int:
    """Suppress the lines of these letters that are no longer true; asked again at the moment of sending."""
    untrue = and_(col(Notice.letter_id).in_(letter_ids), ~is_still_true())
    return _settle(session, NoticeState.SUPPRESSED, untrue, at=at)


def is_still_true() -> ColumnElement[bool]:
    """Match notices that are true now.

    A line about an item is true while the item is open and under the same deadline; a word about
    waiting drafts while something waits.
    """
    waiting = aliased(Notice)
    return or_(
        col(Notice.kind).not_in([*ABOUT_OPEN_ITEMS, NoticeKind.DRAFT_WAITING]),
        exists().where(
            col(WorkItem.id) == Notice.item_id,
            col(WorkItem.state) == ItemState.OPEN,
            or_(col(Notice.kind).not_in(OF_ONE_VERSION), col(WorkItem.deadline_id) == Notice.deadline_id),
        ),
        and_(
            col(Notice.kind) == NoticeKind.DRAFT_WAITING,
            exists().where(
                col(waiting.campaign_id) == col(Notice.campaign_id),
                col(waiting.state) == NoticeState.WAITING_RELEASE,
                ~col(waiting.is_held),
            ),
        ),
    )


def settle_unsaid(session: Session, state: NoticeState, which: ColumnElement[bool], *, at: datetime) -> int:
    """Settle those of these notices that have not been said; returns how many.

    What a sender has in his hands may have left: what he records about it counts.
    """
    return _settle(session, state, and_(which, ~is_under_way()), at=at)


def settle_notices(
    session: Session, letter_ids: Collection[int], state: NoticeState, *, at: datetime
) -> None:
    """Settle what was still queued in these letters."""
    if not letter_ids:
        return
    session.execute(
        update(Notice)
        .where(col(Notice.letter_id).in_(letter_ids), col(Notice.state) == NoticeState.QUEUED)
        .values(state=state, settled_at=at)
        .execution_options(synchronize_session=False)
    )


def is_under_way() -> ColumnElement[bool]:
    """Match notices whose letter a sender has in his hands, or may have sent."""
    return exists().where(
        col(Letter.id) == Notice.letter_id,
        col(Letter.state).in_([LetterState.SENDING, LetterState.UNCERTAIN]),
    )


def _settle(session: Session, state: NoticeState, which: ColumnElement[bool], *, at: datetime) -> int:
    settled = session.execute(
        update(Notice)
        .where(col(Notice.state).in_(UNSAID), which)
        .values(state=state, settled_at=at, release_at=None, is_held=False)
        .execution_options(synchronize_session=False)
    )
    return written(settled)


def makes_a_letter() -> ColumnElement[bool]:
    """Match queued notices that wait for a letter of their own or a digest: all but those that ride along."""
    return and_(
        col(Notice.state) == NoticeState.QUEUED,
        col(Notice.letter_id).is_(None),
        col(Notice.step) != RIDES_ALONG,
    )


def is_officer_of(unit_id: Any) -> ColumnElement[bool]:
    """Match the officers of a unit; where it has none, such as the organiser, its office."""
    officer = aliased(Contact)
    has_officer = exists().where(
        col(officer.unit_id) == col(Contact.unit_id),
        col(officer.role) == "officer",
        col(officer.left_at).is_(None),
    )
    return and_(
        col(Contact.unit_id) == unit_id,
        col(Contact.left_at).is_(None),
        or_(
            col(Contact.role) == "officer",
            and_(col(Contact.role) == "office", ~has_officer.correlate(Contact)),
        ),
    )


def is_addressed_at(unit_id: Any) -> ColumnElement[bool]:
    """Match those who get what a unit must have on record: its officers and its official mailbox."""
    return or_(
        is_officer_of(unit_id),
        and_(col(Contact.unit_id) == unit_id, col(Contact.role) == "mailbox", col(Contact.left_at).is_(None)),
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
    reason: Any = NO_TEXT,
    settled_at: Any = NO_INSTANT,
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
        reason,
        settled_at,
        false(),
    ]
    return sqlalchemy.select(*values)


NOTICE_COLUMNS = [
    "key",
    "campaign_id",
    "kind",
    "about",
    "item_id",
    "deadline_id",
    "step",
    "role",
    "contact_id",
    "copy_no",
    "state",
    "due_at",
    "release_at",
    "reason",
    "settled_at",
    "is_held",
]


def insert_notices(session: Session, rows: Select[Any]) -> int:
    """Insert what `notice_rows` selects, passing over keys that are there; returns how many were new."""
    inserted = session.execute(
        insert_new(Notice, NOTICE_COLUMNS, rows).execution_options(preserve_rowcount=True)
    )
    return written(inserted)
