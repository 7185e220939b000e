"""Complaints (kiến nghị, khiếu nại): a work item of the standing office with a term of its own."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from models import journal
from models.campaigns import file_of
from models.deadlines import still_open, write_deadline
from models.notices import queue_about
from models.permits import permit
from models.tables import Campaign, CampaignUnit, Unit, WorkItem
from models.work_items import NothingOwed, UnknownUnit, complete, note_terms
from rules.calendar import WithinDays, Wording, deadline
from rules.deeds import Deed
from rules.notices import NoticeKind
from rules.stages import Ower, Stage
from rules.work_items import COMPLAINT_DAYS, ItemKind, ItemState, VersionCause


def complain(
    session: Session,
    campaign: Campaign,
    unit: str,
    *,
    subject: str,
    number: str | None = None,
    within: Wording | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> WorkItem:
    """Record a complaint about a unit's result; the standing office owes an answer. Returns the item.

    Its term is `within`, else 30 days from the day it was accepted (Luật Khiếu nại 2011, Điều 28).
    It is named `complaint/<unit>.<n>` and goes on after the campaign is closed. Raises UnknownUnit.
    """
    permit(campaign, Deed.COMPLAIN, at=at, recorded_at=recorded_at)
    of_campaign = {
        code: part
        for code, part in session.execute(
            select(Unit.code, CampaignUnit.part)
            .join(CampaignUnit, col(CampaignUnit.unit_id) == Unit.id)
            .where(CampaignUnit.campaign_id == campaign.id)
            .order_by(col(Unit.position))
        )
    }
    if unit not in of_campaign:
        raise UnknownUnit(unit, tuple(of_campaign))
    ower = session.exec(
        select(CampaignUnit.unit_id).where(
            CampaignUnit.campaign_id == campaign.id, CampaignUnit.part == Ower.STANDING_OFFICE
        )
    ).one()
    earlier = session.exec(
        select(func.count())
        .select_from(WorkItem)
        .where(
            WorkItem.campaign_id == campaign.id,
            col(WorkItem.name).startswith(f"{ItemKind.COMPLAINT}/{unit}.", autoescape=True),
        )
    ).one()
    file = file_of(campaign)
    wording = within or WithinDays(COMPLAINT_DAYS, file.calendar.day_of(at))
    version = write_deadline(
        session,
        campaign,
        Stage(campaign.stage),
        still_open(deadline(wording, file.calendar), recorded_at),
        cause=VersionCause.COMPLAINT,
        ladders=file.ladders,
        calendar=file.calendar,
        at=recorded_at,
    )
    item = WorkItem(
        campaign_id=campaign.id,
        stage=campaign.stage,
        kind=ItemKind.COMPLAINT,
        unit_id=ower,
        name=f"{ItemKind.COMPLAINT}/{unit}.{earlier + 1}",
        subject=subject,
        deadline_id=version.id,
        state=ItemState.OPEN,
        opened_at=recorded_at,
    )
    session.add(item)
    session.flush()
    itself = select(WorkItem.id).where(WorkItem.id == item.id)
    note_terms(session, itself, at=recorded_at)
    queue_about(
        session,
        campaign,
        NoticeKind.OPENING,
        itself,
        reason=subject,
        at=recorded_at,
    )
    detail = {"item": item.name, "subject": subject, "term": version.wording}
    journal.write(
        session,
        campaign,
        "complaint",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail=detail | ({"number": number} if number else {}),
    )
    return item


def answer(
    session: Session,
    campaign: Campaign,
    name: str,
    *,
    number: str | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> WorkItem:
    """Record that a complaint was answered; nothing is said about it any more. Returns the item.

    `name` is that of the item. Raises UnknownUnit, naming the open complaints, and NothingOwed.
    """
    permit(campaign, Deed.ANSWER, at=at, recorded_at=recorded_at)
    complaints = {
        item.name: item
        for item in session.exec(
            select(WorkItem)
            .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == ItemKind.COMPLAINT)
            .order_by(col(WorkItem.name))
            .with_for_update()
        )
    }
    item = complaints.get(name)
    if item is None:
        raise UnknownUnit(
            name, tuple(each.name for each in complaints.values() if each.state is ItemState.OPEN)
        )
    if item.state is not ItemState.OPEN:
        raise NothingOwed(item.name, item.state)
    complete(session, campaign, select(WorkItem.id).where(WorkItem.id == item.id), at=at)
    session.refresh(item)
    journal.write(
        session,
        campaign,
        "complaint_answered",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={"item": item.name, **({"number": number} if number else {})},
    )
    return item
