"""Registered papers (văn bản đã ban hành): the facts that move the stages that need a signature."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, or_
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from models import journal
from models.notices import queue_event
from models.permits import permit
from models.tables import Campaign, Paper, PaperPart, WorkItem
from models.work_items import complete
from rules.deeds import Deed
from rules.letters import Paper as PaperFacts
from rules.notices import NoticeKind
from rules.stages import DONE_BY_PAPER, ENDS_THE_EARLIER, Ower, PaperChange, PaperRole


class PaperWithoutNumber(Exception):
    """A paper is a fact only once it has its number."""


class PaperFromTheFuture(Exception):
    """A paper cannot be registered before the day on which it was issued."""


class PaperAlreadyRegistered(Exception):
    """The same number and day stand in the register already."""


class UnknownPaper(Exception):
    """No paper of this number is registered in the campaign; `known` lists those that are."""

    def __init__(self, number: str, known: tuple[str, ...]) -> None:
        super().__init__(number)
        self.number, self.known = number, known


class ChangesItself(Exception):
    """A paper cannot supplement, correct, replace or revoke itself."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a paper does to an earlier one, which is named by its number."""

    how: PaperChange
    number: str


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
    change: Change | None = None,
) -> Paper:
    """Register a paper (vào sổ văn bản) with the roles it plays, and close the items it settles.

    With `change` it supplements, corrects, replaces or revokes an earlier one, whose roles it then
    has without naming them; what it changes of a decision is announced to all who had the decision.

    Raises PaperWithoutNumber, PaperFromTheFuture where its day has not come, PaperAlreadyRegistered
    where the number and day are known and the roles are no news, UnknownPaper, ChangesItself,
    DeedRefused in a cancelled campaign.
    """
    permit(campaign, Deed.REGISTER, at=at, recorded_at=recorded_at or at)
    if not paper.number.strip():
        raise PaperWithoutNumber
    if paper.issued_on > today:
        raise PaperFromTheFuture
    earlier = _earlier(session, campaign, paper, change) if change else None
    wanted = set(roles) | (set(_roles(session, earlier.id)) if earlier else set())
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
            change=change.how if change else None,
            changes_id=earlier.id if earlier else None,
        )
        session.add(row)
        session.flush()
    else:
        known = set(_roles(session, row.id))
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
            **({change.how.value: change.number} if change else {}),
        },
    )
    for role in sorted(wanted):
        for kind in DONE_BY_PAPER.get(role, ()):
            items = select(WorkItem.id).where(WorkItem.campaign_id == campaign.id, WorkItem.kind == kind)
            complete(session, campaign, items, at=at)
    if change is not None and PaperRole.DECISION in wanted:
        queue_event(
            session,
            campaign,
            NoticeKind.DECISION,
            about_paper(row),
            to=(Ower.COMMUNE, Ower.AGENCY),
            at=recorded_at or at,
        )
    return row


def registered(
    session: Session,
    campaign: Campaign,
    paper: PaperFacts,
    role: PaperRole,
    *,
    today: date,
    at: datetime,
    by: str | None,
    recorded_at: datetime,
) -> Paper:
    """Return the paper by which a deed is done, registered in this role now if it was not before.

    Raises what `register_paper` raises, but PaperAlreadyRegistered.
    """
    row = session.exec(
        select(Paper)
        .join(PaperPart, col(PaperPart.paper_id) == Paper.id)
        .where(
            Paper.campaign_id == campaign.id,
            Paper.number == paper.number,
            Paper.issued_on == paper.issued_on,
            PaperPart.role == role,
        )
    ).one_or_none()
    return row or register_paper(
        session, campaign, paper, [role], today=today, at=at, by=by, recorded_at=recorded_at
    )


def about_paper(row: Paper) -> str:
    """Return what a notice about a paper is about: `paper/3701/UBND-NV`."""
    return f"paper/{row.number}"


def _earlier(session: Session, campaign: Campaign, paper: PaperFacts, change: Change) -> Paper:
    if change.number == paper.number:
        raise ChangesItself
    rows = session.exec(
        select(Paper).where(Paper.campaign_id == campaign.id).order_by(col(Paper.issued_on), col(Paper.id))
    ).all()
    for row in reversed(rows):
        if row.number == change.number:
            return row
    raise UnknownPaper(change.number, tuple(row.number for row in rows))


def _roles(session: Session, paper_id: int) -> list[PaperRole]:
    rows = session.exec(select(PaperPart).where(PaperPart.paper_id == paper_id))
    return [row.role for row in rows]


def registered_roles(session: Session, campaign: Campaign) -> frozenset[PaperRole]:
    """Return the roles that a registered paper of the campaign plays now."""
    return frozenset(
        PaperRole(role)
        for role in session.exec(
            select(PaperPart.role)
            .join(Paper, col(Paper.id) == PaperPart.paper_id)
            .where(Paper.campaign_id == campaign.id, _plays_its_role())
        )
    )


def papers_by_role(session: Session, campaign: Campaign) -> dict[PaperRole, Paper]:
    """Return the newest paper of each role that a paper plays.

    One that was replaced or revoked plays it no longer; one that only supplements, corrects or
    revokes another does not take its place.
    """
    rows = session.execute(
        select(PaperPart.role, Paper)
        .join(Paper, col(Paper.id) == PaperPart.paper_id)
        .where(Paper.campaign_id == campaign.id, _plays_its_role())
        .order_by(col(Paper.issued_on), col(Paper.id))
    )
    return {PaperRole(role): paper for role, paper in rows}


def find_paper(session: Session, campaign: Campaign, role: PaperRole) -> Paper | None:
    """Return the newest paper that plays this role, or None."""
    return papers_by_role(session, campaign).get(role)


def _plays_its_role() -> ColumnElement[bool]:
    later = aliased(Paper)
    is_ended = (
        select(later.id)
        .where(col(later.changes_id) == Paper.id, col(later.change).in_(ENDS_THE_EARLIER))
        .exists()
    )
    return and_(or_(col(Paper.change).is_(None), col(Paper.change) == PaperChange.REPLACES), ~is_ended)
