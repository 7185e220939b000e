"""Messages to leaders: what waits for the head of the standing office, and what he does with it."""

from datetime import datetime

from sqlalchemy import and_, exists, func, or_, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from models import journal
from models.notices import instant, is_under_way, suppress_copies
from models.permits import permit
from models.tables import Campaign, Notice, Unit, WorkItem
from models.work_items import NothingOwed, get_item
from rules.deeds import Deed
from rules.ladder import Role
from rules.notices import NoticeKind, NoticeState
from rules.work_items import ItemKind, ItemState

# Who is no leader: what he is told needs nobody's consent and cannot be held back.
NO_LEADERS = (Role.OFFICER.value, Role.STANDING_OFFICE.value, Role.STANDING_HEAD.value)


class NothingWaits(Exception):
    """Nothing that matches waits to be sent to a leader; `waiting` lists what does, as `unit step`."""

    def __init__(self, waiting: tuple[str, ...]) -> None:
        super().__init__(", ".join(waiting))
        self.waiting = waiting


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
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Queue what waits for the standing head or was held, all of it or that of a unit or a step.

    Returns how many notices that were; releasing when nothing waits does nothing.
    """
    permit(campaign, Deed.RELEASE, at=at, recorded_at=recorded_at)
    released = _release(session, campaign, _about(unit, step))
    if released:
        detail = {"notices": released, **({"step": step} if step else {})}
        journal.write(
            session, campaign, "released", at=at, recorded_at=recorded_at, by=by, unit=unit, detail=detail
        )
    return released


def hold(
    session: Session,
    campaign: Campaign,
    *,
    unit: str | None = None,
    step: str | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    reason: str,
) -> int:
    """Hold back (để lại) what waits for leaders or has not left yet; silence no longer lets it go.

    Returns how many notices that were. What is held goes when it is released, or never once it is
    no longer true. Raises NothingWaits.
    """
    permit(campaign, Deed.HOLD, at=at, recorded_at=recorded_at)
    held = session.execute(
        update(Notice)
        .where(_to_leaders(campaign), _about(unit, step))
        .values(state=NoticeState.WAITING_RELEASE, release_at=None, is_held=True, letter_id=None)
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    ).all()
    if not held:
        raise NothingWaits(_waiting(session, campaign))
    detail = {"notices": len(held), "reason": reason, **({"step": step} if step else {})}
    journal.write(session, campaign, "held", at=at, recorded_at=recorded_at, by=by, unit=unit, detail=detail)
    return len(held)


def annotate(
    session: Session,
    campaign: Campaign,
    *,
    unit: str,
    step: str | None = None,
    note: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Amend the line about a unit (sửa nội dung): leaders read the note beside how the unit stands.

    Returns how many notices now carry it; raises NothingWaits.
    """
    permit(campaign, Deed.ANNOTATE, at=at, recorded_at=recorded_at)
    changed = session.execute(
        update(Notice)
        .where(_to_leaders(campaign), _about(unit, step))
        .values(note=note)
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    ).all()
    if not changed:
        raise NothingWaits(_waiting(session, campaign))
    detail = {"notices": len(changed), "note": note, **({"step": step} if step else {})}
    journal.write(
        session, campaign, "annotated", at=at, recorded_at=recorded_at, by=by, unit=unit, detail=detail
    )
    return len(changed)


def acknowledge(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    unit: str,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Note that the message was received (đã nhận): `repeat` stops and queued copies go no more.

    Nothing else stops (design.md §4). Returns how many copies were suppressed; raises UnknownUnit,
    NothingOwed where the item is not open.
    """
    permit(campaign, Deed.ACKNOWLEDGE, at=at, recorded_at=recorded_at)
    item = get_item(session, campaign, kind, unit)
    if item.state is not ItemState.OPEN:
        raise NothingOwed(item.name, item.state)
    item.acknowledged_at = at
    session.add(item)
    session.flush()
    suppressed = suppress_copies(session, campaign, item.id, at=recorded_at)
    journal.write(
        session,
        campaign,
        "acknowledged",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"item": item.name},
    )
    return suppressed


def count_waiting(session: Session, campaign: Campaign) -> int:
    """Count what waits for the standing head, held or not."""
    return session.exec(
        select(func.count())
        .select_from(Notice)
        .where(Notice.campaign_id == campaign.id, Notice.state == NoticeState.WAITING_RELEASE)
    ).one()


def _release(session: Session, campaign: Campaign, which: ColumnElement[bool]) -> int:
    released = session.execute(
        update(Notice)
        .where(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.state) == NoticeState.WAITING_RELEASE,
            which,
        )
        .values(state=NoticeState.QUEUED, release_at=None, is_held=False)
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    )
    return len(released.all())


def _about(unit: str | None, step: str | None) -> ColumnElement[bool]:
    about: ColumnElement[bool] = true()
    if unit is not None:
        about = exists().where(
            col(WorkItem.id) == Notice.item_id, col(Unit.id) == WorkItem.unit_id, col(Unit.code) == unit
        )
    return and_(about, true() if step is None else col(Notice.step) == step)


def _to_leaders(campaign: Campaign) -> ColumnElement[bool]:
    """Match what is meant for leaders and has not left."""
    return and_(
        col(Notice.campaign_id) == campaign.id,
        col(Notice.kind) == NoticeKind.ESCALATION,
        or_(
            col(Notice.state) == NoticeState.WAITING_RELEASE,
            and_(col(Notice.state) == NoticeState.QUEUED, ~is_under_way()),
        ),
        col(Notice.role).not_in(NO_LEADERS),
    )


def _waiting(session: Session, campaign: Campaign) -> tuple[str, ...]:
    rows = session.execute(
        select(Unit.code, Notice.step)
        .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
        .join(Notice, col(Notice.item_id) == WorkItem.id)
        .where(_to_leaders(campaign))
        .order_by(col(Unit.position), col(Notice.step))
        .distinct()
        .add_columns(col(Unit.position))
    )
    return tuple(f"{code} {step}" for code, step, _ in rows)
