"""Work items: created for every unit that owes one, found, completed, waived, cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, exists, literal
from sqlmodel import Session, col, select, update

from models import journal
from models.database import UtcDateTime
from models.inserting import inserting, joined
from models.notices import queue_about, suppress_unsaid
from models.permits import permit
from models.tables import (
    Campaign,
    CampaignUnit,
    ItemTerm,
    Paper,
    PaperPart,
    Unit,
    WorkItem,
)
from rules.deeds import Deed
from rules.notices import NoticeKind
from rules.stages import DONE_BY_PAPER, ITEMS, PaperRole, Stage
from rules.work_items import ItemKind, ItemState


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
    of_stage = select(WorkItem.id).where(WorkItem.campaign_id == campaign.id, WorkItem.stage == stage)
    note_terms(session, of_stage, at=at)
    return created


def note_terms(session: Session, items: Select[Any], *, at: datetime) -> None:
    """Note for these items since when they are under the version of their deadline that they are under."""
    rows = select(WorkItem.id, WorkItem.deadline_id, literal(at, UtcDateTime())).where(
        col(WorkItem.id).in_(items), col(WorkItem.deadline_id).is_not(None)
    )
    session.execute(
        inserting(session, ItemTerm)
        .from_select(["item_id", "deadline_id", "since"], rows)
        .on_conflict_do_nothing()
    )


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


def cancel_open(
    session: Session,
    campaign: Campaign,
    *,
    at: datetime,
    spares: tuple[ItemKind, ...] = (ItemKind.COMPLAINT,),
) -> int:
    """Cancel every item still open, since the campaign ends; returns how many.

    A complaint outlives the campaign that has closed: it has its own term.
    """
    ends = and_(
        col(WorkItem.campaign_id) == campaign.id,
        col(WorkItem.state) == ItemState.OPEN,
        col(WorkItem.kind).not_in(spares),
    )
    suppress_unsaid(session, campaign, select(WorkItem.id).where(ends), at=at)
    cancelled = session.execute(
        update(WorkItem)
        .where(ends)
        .values(state=ItemState.CANCELLED)
        .returning(col(WorkItem.id))
        .execution_options(synchronize_session=False)
    )
    return len(cancelled.all())


def waive(
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
    """Let units off what they owe (miễn thực hiện); each is told why, and nothing else any more.

    Returns how many items were waived. Raises UnknownUnit, NothingOwed where an item is not open;
    then none is waived.
    """
    permit(campaign, Deed.WAIVE, at=at, recorded_at=recorded_at)
    items = open_items(session, campaign, kind, units)
    chosen = select(WorkItem.id).where(col(WorkItem.id).in_([item.id for item in items]))
    suppress_unsaid(session, campaign, chosen, at=recorded_at)
    session.execute(
        update(WorkItem)
        .where(col(WorkItem.id).in_([item.id for item in items]))
        .values(state=ItemState.WAIVED)
        .execution_options(synchronize_session="fetch")
    )
    queue_about(session, campaign, NoticeKind.WAIVED, chosen, reason=reason, at=recorded_at)
    journal.write_all(
        session,
        campaign,
        [
            journal.Line("waived", unit, {"item": item.name, "reason": reason})
            for unit, item in zip(units, items, strict=True)
        ],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    return len(items)


def open_items(session: Session, campaign: Campaign, kind: ItemKind, units: Sequence[str]) -> list[WorkItem]:
    """Return the items of these units, in their order, all of them open; raises UnknownUnit, NothingOwed."""
    names = [f"{kind}/{unit}" for unit in units]
    found = {
        item.name: item
        for item in session.exec(
            select(WorkItem)
            .where(WorkItem.campaign_id == campaign.id, col(WorkItem.name).in_(names))
            .order_by(col(WorkItem.id))
            .with_for_update()
        )
    }
    for name, unit in zip(names, units, strict=True):
        item = found.get(name) or get_item(session, campaign, kind, unit)
        if item.state is not ItemState.OPEN:
            raise NothingOwed(item.name, item.state)
    return [found[name] for name in names]


def get_item(session: Session, campaign: Campaign, kind: ItemKind, unit: str) -> WorkItem:
    """Return the item of this kind that a unit owes or owed, locked; raises UnknownUnit, NothingOwed."""
    found = session.exec(
        select(WorkItem)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.name == f"{kind}/{unit}")
        .with_for_update()
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
