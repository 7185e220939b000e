"""More time (gia hạn): asked for by a unit, granted or refused by the body that set the term."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_
from sqlmodel import Session, col, select, update

from models import journal
from models.campaigns import file_of
from models.deadlines import put_under, still_open, write_deadline
from models.notices import insert_notices, is_under_way, notice_rows, queue_about
from models.papers import registered
from models.permits import permit
from models.tables import (
    Campaign,
    Contact,
    DeadlineVersion,
    ExtensionRequest,
    Notice,
    Unit,
    WorkItem,
)
from models.work_items import open_items
from rules.calendar import Wording, deadline
from rules.deeds import Deed
from rules.ladder import Role
from rules.letters import Paper
from rules.notices import RIDES_ALONG, NoticeKind, NoticeState
from rules.stages import PaperRole, Stage
from rules.work_items import ExtensionState, ItemKind, VersionCause


class NoTerm(Exception):
    """What has no deadline cannot be given more time."""

    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


class NotLater(Exception):
    """An extension ends later than the term it replaces; `closes_at` is when that one closes."""

    def __init__(self, item: str, closes_at: datetime) -> None:
        super().__init__(item)
        self.item, self.closes_at = item, closes_at


class NothingAsked(Exception):
    """The unit has not asked for more time, or has been answered."""

    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


class AskedAlready(Exception):
    """The unit's request is still open."""

    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


def request_extension(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    unit: str,
    *,
    reason: str,
    wanted: Wording | None = None,
    number: str | None = None,
    issued_on: date | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> ExtensionRequest:
    """Record that a unit asks for more time (đề nghị gia hạn); it stops nothing.

    Every notice about the item mentions it while it is open (design.md §3). Raises UnknownUnit,
    NothingOwed, NoTerm, AskedAlready.
    """
    permit(campaign, Deed.REQUEST_EXTENSION, at=at, recorded_at=recorded_at)
    (item,) = open_items(session, campaign, kind, [unit])
    if item.deadline_id is None:
        raise NoTerm(item.name)
    if session.exec(_asked([item.id])).first() is not None:
        raise AskedAlready(item.name)
    row = ExtensionRequest(
        item_id=item.id,
        state=ExtensionState.ASKED,
        asked_at=at,
        recorded_at=recorded_at,
        asked_by=by,
        wanted=str(wanted) if wanted else None,
        reason=reason,
        number=number,
        issued_on=issued_on,
    )
    session.add(row)
    session.flush()
    detail: dict[str, Any] = {"item": item.name, "reason": reason}
    detail |= {"wanted": str(wanted)} if wanted else {}
    detail |= {"number": number} if number else {}
    journal.write(
        session,
        campaign,
        "extension_requested",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail=detail,
    )
    return row


def extend(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    units: Sequence[str],
    *,
    until: Wording,
    reason: str,
    paper: Paper,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> DeadlineVersion:
    """Give units more time (gia hạn) by a paper, which is registered if it was not: one new version for all.

    What was queued under the old term is suppressed, the new term has the same ladder, and each unit
    is told. A leader who was told of an item reads in his next digest that it was extended. Returns
    the version.

    Raises UnknownUnit, NothingOwed, NoTerm, NotLater where the new term ends no later than an
    item's own, TermAlreadyOver, and what `models.papers.register_paper` raises; nothing is done then.
    """
    permit(campaign, Deed.EXTEND, at=at, recorded_at=recorded_at)
    items = open_items(session, campaign, kind, units)
    file = file_of(campaign)
    meant = still_open(deadline(until, file.calendar), recorded_at)
    versions = {
        version.id: version
        for version in session.exec(
            select(DeadlineVersion).where(col(DeadlineVersion.id).in_([item.deadline_id for item in items]))
        )
    }
    for item in items:
        before = versions.get(item.deadline_id or 0)
        if before is None:
            raise NoTerm(item.name)
        if meant.late_from <= before.late_from:
            raise NotLater(item.name, before.closes_at)
    row = registered(
        session,
        campaign,
        paper,
        PaperRole.EXTENSION,
        today=file.calendar.day_of(at),
        at=at,
        by=by,
        recorded_at=recorded_at,
    )
    olds = {item.deadline_id for item in items}
    version = write_deadline(
        session,
        campaign,
        Stage(items[0].stage),
        meant,
        cause=VersionCause.EXTENDED,
        ladders=file.ladders,
        calendar=file.calendar,
        at=recorded_at,
        replaces_id=olds.pop() if len(olds) == 1 else None,
        paper_id=row.id,
    )
    names = [item.name for item in items]
    chosen = select(WorkItem.id).where(col(WorkItem.id).in_([item.id for item in items]))
    put_under(session, campaign, chosen, version, at=recorded_at)
    _answer(session, [item.id for item in items], ExtensionState.GRANTED, reason, at=recorded_at)
    queue_about(session, campaign, NoticeKind.EXTENDED, chosen, reason=reason, at=recorded_at)
    _tell_leaders_later(session, campaign, chosen, version, at=recorded_at)
    journal.write_all(
        session,
        campaign,
        [
            journal.Line(
                "extended",
                unit,
                {"item": name, "term": version.wording, "paper": paper.number, "reason": reason},
            )
            for unit, name in zip(units, names, strict=True)
        ],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    return version


def refuse_extension(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    units: Sequence[str],
    *,
    reason: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Refuse more time, saying why; the term stands and each unit is told. Returns how many were refused.

    Raises UnknownUnit, NothingOwed, NothingAsked where a unit has no open request.
    """
    permit(campaign, Deed.REFUSE_EXTENSION, at=at, recorded_at=recorded_at)
    items = open_items(session, campaign, kind, units)
    asked = {row.item_id: row for row in session.exec(_asked([item.id for item in items]))}
    for item in items:
        if item.id not in asked:
            raise NothingAsked(item.name)
    _answer(session, [item.id for item in items], ExtensionState.REFUSED, reason, at=recorded_at)
    for item in items:
        queue_about(
            session,
            campaign,
            NoticeKind.EXTENDED,
            select(WorkItem.id).where(WorkItem.id == item.id),
            reason=reason,
            at=recorded_at,
            step=f"refused:{asked[item.id].id}",
        )
    journal.write_all(
        session,
        campaign,
        [
            journal.Line("extension_refused", unit, {"item": item.name, "reason": reason})
            for unit, item in zip(units, items, strict=True)
        ],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    return len(items)


def _asked(item_ids: Sequence[int]) -> Any:
    return select(ExtensionRequest).where(
        col(ExtensionRequest.item_id).in_(item_ids), ExtensionRequest.state == ExtensionState.ASKED
    )


def _answer(
    session: Session, item_ids: Sequence[int], state: ExtensionState, answer: str, *, at: datetime
) -> None:
    session.execute(
        update(ExtensionRequest)
        .where(
            col(ExtensionRequest.item_id).in_(item_ids), col(ExtensionRequest.state) == ExtensionState.ASKED
        )
        .values(state=state, settled_at=at, answer=answer)
        .execution_options(synchronize_session=False)
    )


def _tell_leaders_later(
    session: Session, campaign: Campaign, items: Select[Any], version: DeadlineVersion, *, at: datetime
) -> None:
    """Note for each leader who was told of these items that his next digest says they were extended."""
    told = (
        select(Notice.item_id, Notice.about, Notice.contact_id, func.max(Notice.role).label("role"))
        .where(
            Notice.campaign_id == campaign.id,
            Notice.kind == NoticeKind.ESCALATION,
            or_(col(Notice.state) == NoticeState.SAID, is_under_way()),
            Notice.role != Role.OFFICER,
            col(Notice.item_id).in_(items),
        )
        .group_by(col(Notice.item_id), col(Notice.about), col(Notice.contact_id))
    ).subquery()
    rows = (
        notice_rows(
            campaign,
            NoticeKind.EXTENDED,
            about=told.c.about,
            item=told.c.item_id,
            deadline=version.id,
            version=version.version,
            step=RIDES_ALONG,
            role=told.c.role,
            due_at=at,
        )
        .select_from(told)
        .join(Contact, col(Contact.id) == told.c.contact_id)
        .where(col(Contact.left_at).is_(None))
    )
    insert_notices(session, rows)


def requests_open(session: Session, campaign: Campaign) -> list[tuple[str, str, datetime, str]]:
    """Return the requests not yet answered: the item, its unit, when it was asked, and why."""
    rows = session.execute(
        select(WorkItem.name, Unit.name, ExtensionRequest.asked_at, ExtensionRequest.reason)
        .join(WorkItem, col(WorkItem.id) == ExtensionRequest.item_id)
        .join(Unit, col(Unit.id) == WorkItem.unit_id)
        .where(WorkItem.campaign_id == campaign.id, ExtensionRequest.state == ExtensionState.ASKED)
        .order_by(col(ExtensionRequest.asked_at), col(ExtensionRequest.id))
    )
    return [tuple(row) for row in rows]
