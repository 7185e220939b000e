"""Work items: created for every unit that owes one, completed, counted."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, case, exists, func, literal
from sqlmodel import Session, col, select, update

from models import journal
from models.database import UtcDateTime
from models.inserting import inserting, joined
from models.notices import queue_receipt, suppress_unsaid
from models.tables import (
    Campaign,
    CampaignUnit,
    DeadlineVersion,
    Paper,
    PaperPart,
    Submission,
    Unit,
    WorkItem,
)
from rules.stages import DONE_BY_PAPER, ITEMS, PaperRole, Stage
from rules.work_items import ItemKind, ItemState, LatePolicy, Via, may_become


class UnknownUnit(Exception):
    """No such unit owes anything in this campaign; `code` is what was asked for."""

    def __init__(self, code: str, known: tuple[str, ...]) -> None:
        super().__init__(code)
        self.code, self.known = code, known


class NothingOwed(Exception):
    """The unit owes no such item now: `state` says how it stands, None where it never owed one."""

    def __init__(self, item: str, state: ItemState | None) -> None:
        super().__init__(item)
        self.item, self.state = item, state


class DeadlinePassed(Exception):
    """The campaign's file refuses what comes after `late_from`."""

    def __init__(self, late_from: datetime) -> None:
        super().__init__(str(late_from))
        self.late_from = late_from


class FromTheFuture(Exception):
    """What is recorded cannot have happened after it is recorded."""


def create_items(
    session: Session, campaign: Campaign, stage: Stage, deadline_id: int | None, *, at: datetime
) -> int:
    """Create the items of a stage, each for every unit that owes one; returns how many were new.

    An item whose paper is registered already is done from its first moment, so nobody is asked
    for what lies on the table.
    """
    created = 0
    papers = {kind: role for role, kinds in DONE_BY_PAPER.items() for kind in kinds}
    for kind, ower in ITEMS[stage]:
        is_done = _has_paper(campaign, papers.get(kind))
        rows = (
            select(  # type: ignore[call-overload]
                literal(campaign.id),
                literal(stage.value),
                literal(kind.value),
                Unit.id,
                joined(f"{kind.value}/", Unit.code),
                literal(deadline_id),
                case((is_done, ItemState.DONE.value), else_=ItemState.OPEN.value),
                literal(at, UtcDateTime()),
                case((is_done, literal(at, UtcDateTime())), else_=None),
            )
            .select_from(CampaignUnit)
            .join(Unit, col(Unit.id) == CampaignUnit.unit_id)
            .where(CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == ower)
        )
        columns = ["campaign_id", "stage", "kind", "unit_id", "name", "deadline_id", "state"]
        inserted = session.execute(
            inserting(session, WorkItem)
            .from_select([*columns, "opened_at", "done_at"], rows)
            .on_conflict_do_nothing()
            .returning(col(WorkItem.id))
        )
        created += len(inserted.all())
    return created


def _has_paper(campaign: Campaign, role: PaperRole | None) -> Any:
    return exists().where(
        col(Paper.campaign_id) == campaign.id,
        col(PaperPart.paper_id) == Paper.id,
        col(PaperPart.role) == role,
    )


def complete(session: Session, campaign: Campaign, items: Select[Any], *, at: datetime) -> int:
    """Mark the open ones among these items done and suppress what was queued about them."""
    suppress_unsaid(session, campaign, items, at=at)
    done = session.execute(
        update(WorkItem)
        .where(col(WorkItem.id).in_(items), col(WorkItem.state) == ItemState.OPEN)
        .values(state=ItemState.DONE, done_at=at)
        .returning(col(WorkItem.id))
        .execution_options(synchronize_session=False)
    )
    return len(done.all())


def cancel_open(session: Session, campaign: Campaign, *, at: datetime) -> int:
    """Cancel every item still open, since the campaign closes; returns how many."""
    items = select(WorkItem.id).where(WorkItem.campaign_id == campaign.id, WorkItem.state == ItemState.OPEN)
    suppress_unsaid(session, campaign, items, at=at)
    cancelled = session.execute(
        update(WorkItem)
        .where(col(WorkItem.campaign_id) == campaign.id, col(WorkItem.state) == ItemState.OPEN)
        .values(state=ItemState.CANCELLED)
        .returning(col(WorkItem.id))
        .execution_options(synchronize_session=False)
    )
    return len(cancelled.all())


def hand_in(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    unit: str,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    via: Via = Via.PORTAL,
    number: str | None = None,
    is_not_proposing: bool = False,
) -> WorkItem:
    """Hand an item in (nộp hồ sơ, gửi kết quả thẩm định); what was queued about it is suppressed.

    `at` is when it was received, which decides lateness; `recorded_at` when it was entered. For a
    dossier `is_not_proposing` (không đề nghị công nhận) is as good as any other, and a receipt is
    queued.

    Raises UnknownUnit, NothingOwed where the item is not open, DeadlinePassed where the file says
    `late: refuse`, FromTheFuture where `at` lies after `recorded_at`.
    """
    if at > recorded_at:
        raise FromTheFuture
    item = get_item(session, campaign, kind, unit)
    if not may_become(item.state, ItemState.DONE):
        raise NothingOwed(item.name, item.state)
    late_from = session.exec(
        select(DeadlineVersion.late_from).where(DeadlineVersion.id == item.deadline_id)
    ).one_or_none()
    is_late = late_from is not None and at >= late_from
    if is_late and late_from and kind is ItemKind.DOSSIER and campaign.late_policy is LatePolicy.REFUSE:
        raise DeadlinePassed(late_from)
    rounds = session.exec(
        select(func.count()).select_from(Submission).where(Submission.item_id == item.id)
    ).one()
    session.add(
        Submission(
            item_id=item.id,
            round=rounds + 1,
            received_at=at,
            recorded_at=recorded_at,
            via=via,
            number=number,
            handed_in_by=by,
            is_not_proposing=is_not_proposing,
            deadline_id=item.deadline_id,
        )
    )
    session.flush()
    suppress_unsaid(session, campaign, select(WorkItem.id).where(WorkItem.id == item.id), at=recorded_at)
    item.state, item.done_at = ItemState.DONE, at
    session.add(item)
    session.flush()
    if kind is ItemKind.DOSSIER:
        queue_receipt(session, campaign, item, rounds + 1, at=recorded_at)
    journal.write(
        session,
        campaign,
        "not_proposing" if is_not_proposing else "handed_in",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={
            "item": item.name,
            "via": via.value,
            "late": is_late,
            **({"number": number} if number else {}),
        },
    )
    return item


def get_item(session: Session, campaign: Campaign, kind: ItemKind, unit: str) -> WorkItem:
    """Return the item of this kind that a unit owes or owed; raises UnknownUnit, NothingOwed."""
    found = session.exec(
        select(WorkItem).where(WorkItem.campaign_id == campaign.id, WorkItem.name == f"{kind}/{unit}")
    ).one_or_none()
    if found is not None:
        return found
    ower = next(ower for items in ITEMS.values() for owed, ower in items if owed is kind)
    known = tuple(
        session.exec(
            select(Unit.code)
            .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
            .where(CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == ower)
            .order_by(col(Unit.position))
        )
    )
    if unit not in known:
        raise UnknownUnit(unit, known)
    raise NothingOwed(f"{kind}/{unit}", None)
