"""Registered papers (văn bản đã ban hành): the facts that move the stages that need a signature."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlmodel import Session, col, select

from models import journal
from models.tables import Campaign, Paper, PaperPart, WorkItem
from models.work_items import complete
from rules.letters import Paper as PaperFacts
from rules.stages import DONE_BY_PAPER, PaperRole


class PaperWithoutNumber(Exception):
    """A paper is a fact only once it has its number."""


class PaperFromTheFuture(Exception):
    """A paper cannot be registered before the day on which it was issued."""


class PaperAlreadyRegistered(Exception):
    """The same number and day stand in the register already."""


def register_paper(
    session: Session,
    campaign: Campaign,
    paper: PaperFacts,
    roles: Iterable[PaperRole],
    *,
    today: date,
    at: datetime,
    by: str | None,
    recorded_at: datetime | None = None,
) -> Paper:
    """Register a paper (vào sổ văn bản) with the roles it plays, and close the items it settles.

    Raises PaperWithoutNumber, PaperFromTheFuture where its day has not come, and
    PaperAlreadyRegistered where the number and day are known and the roles are no news.
    """
    if not paper.number.strip():
        raise PaperWithoutNumber
    if paper.issued_on > today:
        raise PaperFromTheFuture
    wanted = set(roles)
    row = session.exec(
        select(Paper).where(
            Paper.campaign_id == campaign.id,
            Paper.number == paper.number,
            Paper.issued_on == paper.issued_on,
        )
    ).one_or_none()
    if row is None:
        row = Paper(
            campaign_id=campaign.id,
            kind=paper.kind,
            number=paper.number,
            issued_on=paper.issued_on,
            title=paper.title,
            signed_by=paper.signed_by,
            registered_at=at,
        )
        session.add(row)
        session.flush()
    else:
        known = set(session.exec(select(PaperPart.role).where(PaperPart.paper_id == row.id)))
        if not wanted - known:
            raise PaperAlreadyRegistered
        wanted -= known
    for role in sorted(wanted):
        session.add(PaperPart(paper_id=row.id, role=role))
    session.flush()
    journal.write(
        session,
        campaign,
        "paper_registered",
        at=at,
        by=by,
        recorded_at=recorded_at,
        detail={
            "number": paper.number,
            "date": paper.issued_on.isoformat(),
            "kind": paper.kind,
            "roles": sorted(wanted),
        },
    )
    for role in sorted(wanted):
        for kind in DONE_BY_PAPER.get(role, ()):
            items = select(WorkItem.id).where(WorkItem.campaign_id == campaign.id, WorkItem.kind == kind)
            complete(session, campaign, items, at=at)
    return row


def registered_roles(session: Session, campaign: Campaign) -> frozenset[PaperRole]:
    """Return the roles for which the campaign has a registered paper."""
    return frozenset(
        PaperRole(role)
        for role in session.exec(
            select(PaperPart.role)
            .join(Paper, col(Paper.id) == PaperPart.paper_id)
            .where(Paper.campaign_id == campaign.id)
        )
    )


def find_paper(session: Session, campaign: Campaign, role: PaperRole) -> Paper | None:
    """Return the newest paper that plays this role, or None."""
    return session.exec(
        select(Paper)
        .join(PaperPart, col(PaperPart.paper_id) == Paper.id)
        .where(Paper.campaign_id == campaign.id, PaperPart.role == role)
        .order_by(col(Paper.issued_on).desc(), col(Paper.id).desc())
        .limit(1)
    ).one_or_none()
