"""The terms in a proof: each version of a deadline, why it was written, and by which paper."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select

from models.line_facts import paper_facts
from models.tables import (
    Amendment,
    Campaign,
    DeadlineVersion,
    DossierReturn,
    ItemTerm,
    JournalEntry,
    Paper,
    PaperPart,
    WorkItem,
)
from rules.calendar import parse_wording
from rules.proof import Term
from rules.stages import PaperChange, PaperRole, Stage
from rules.work_items import OF_THE_STAGE, VersionCause

# Which paper sets a stage's first term, the likeliest first: there is no launch before its stage.
SET_BY = (PaperRole.LAUNCH, PaperRole.PLAN)
BEFORE_LAUNCH = (Stage.PLANNING, Stage.TEAM)
ROLES = {VersionCause.AMENDED: PaperRole.AMENDMENT, VersionCause.EXTENDED: PaperRole.EXTENSION}


def terms_of_stage(
    session: Session, campaign: Campaign, stage: Stage
) -> tuple[tuple[Term, ...], tuple[Stage, ...]]:
    """Return the versions that held for a whole stage, in their order, and every stage that has one.

    The first names the paper that set it: an amendment of a stage to come, else the launch letter,
    else the plan, as they stood when the stage was entered.
    """
    rows = session.exec(
        select(DeadlineVersion)
        .where(
            DeadlineVersion.campaign_id == campaign.id,
            col(DeadlineVersion.cause).in_(OF_THE_STAGE),
        )
        .order_by(col(DeadlineVersion.version))
    ).all()
    papers = _papers(session, campaign)
    amendments = session.exec(
        select(Amendment).where(Amendment.campaign_id == campaign.id).order_by(col(Amendment.id))
    ).all()
    reasons = {row.paper_id: row.reason for row in amendments}
    found = []
    for row in rows:
        if row.stage is not stage:
            continue
        paper = papers[row.paper_id][0] if row.paper_id else None
        role = ROLES.get(row.cause)
        if row.cause is VersionCause.ENTERED:
            paper, role = _set_by(row, amendments, papers)
        is_amended = paper is not None and role is PaperRole.AMENDMENT
        reason = reasons.get(paper.id) if paper and is_amended else None
        found.append(_term(row, row.written_at, paper, role, reason))
    known = {row.stage for row in rows}
    return tuple(found), tuple(each for each in Stage if each in known)


def _papers(session: Session, campaign: Campaign) -> dict[int, tuple[Paper, set[PaperRole]]]:
    """Return every paper of a campaign with its roles, by its id, the oldest first."""
    found: dict[int, tuple[Paper, set[PaperRole]]] = {}
    for paper, role in session.execute(
        select(Paper, PaperPart.role)
        .outerjoin(PaperPart, col(PaperPart.paper_id) == Paper.id)
        .where(Paper.campaign_id == campaign.id)
        .order_by(col(Paper.issued_on), col(Paper.id))
    ):
        found.setdefault(paper.id, (paper, set()))[1].add(role)
    return found


def _set_by(
    row: DeadlineVersion, amendments: Sequence[Amendment], papers: dict[int, tuple[Paper, set[PaperRole]]]
) -> tuple[Paper | None, PaperRole | None]:
    """Return the paper that set the term with which a stage was entered, and what that paper is."""
    amended = [each for each in amendments if row.stage in each.dues and each.amended_at <= row.written_at]
    if amended:
        return papers[amended[-1].paper_id][0], PaperRole.AMENDMENT
    for role in (PaperRole.PLAN,) if row.stage in BEFORE_LAUNCH else SET_BY:
        of_role = [
            paper
            for paper, roles in papers.values()
            if role in roles
            and paper.registered_at <= row.written_at
            and paper.change in (None, PaperChange.REPLACES)
        ]
        if of_role:
            return of_role[-1], role
    return None, None


class Terms:
    """The versions that the items of a stage are or were under; each kind of fact is read once."""

    def __init__(
        self,
        session: Session,
        campaign: Campaign,
        items: Select[Any],
        of_stage: tuple[Term, ...],
        names: Mapping[str, str],
    ) -> None:
        self.session, self.campaign, self.items, self.names = session, campaign, items, names
        self.of_stage = {term.version: term for term in of_stage}

    def by_item(self) -> dict[int, list[Term]]:
        """Return the terms of each item, in the order in which they held."""
        extended, reopened, returned = self._extended(), self._reopened(), self._returned()
        found: dict[int, list[Term]] = defaultdict(list)
        for item_id, name, since, version, paper in self.session.execute(
            select(WorkItem.id, WorkItem.name, ItemTerm.since, DeadlineVersion, Paper)  # type: ignore[call-overload]
            .join(ItemTerm, col(ItemTerm.item_id) == WorkItem.id)
            .join(DeadlineVersion, col(DeadlineVersion.id) == ItemTerm.deadline_id)
            .outerjoin(Paper, col(Paper.id) == DeadlineVersion.paper_id)
            .where(col(WorkItem.id).in_(self.items))
            .order_by(col(ItemTerm.since), col(DeadlineVersion.version))
        ):
            whole = self.of_stage.get(version.version)
            if whole is not None:
                found[item_id].append(replace(whole, since=since))
                continue
            reason = returned.get(version.id) or extended.get((name, version.wording))
            if version.cause is VersionCause.REOPENED and reopened[name]:
                reason = reopened[name].pop(0)
            found[item_id].append(_term(version, since, paper, ROLES.get(version.cause), reason))
        return found

    def _extended(self) -> dict[tuple[str, str], str]:
        """Return why items were given more time, by the term they were given."""
        return {(each["item"], each["term"]): each["reason"] for each in self._journaled("extended")}

    def _reopened(self) -> dict[str, list[str]]:
        """Return for each item the units whose dossiers came after it was done, the first first."""
        found: dict[str, list[str]] = defaultdict(list)
        for each in self._journaled("review_reopened"):
            code = each["dossier"].partition("/")[2]
            found[each["item"]].append(self.names.get(code, code))
        return found

    def _returned(self) -> dict[int, str]:
        """Return the reasons of the requests to complete a dossier, by the term each set."""
        rows = self.session.exec(select(DossierReturn).where(col(DossierReturn.item_id).in_(self.items)))
        return {row.deadline_id: "; ".join(row.reasons) for row in rows}

    def _journaled(self, what: str) -> Sequence[Mapping[str, Any]]:
        return self.session.exec(
            select(JournalEntry.detail)
            .where(JournalEntry.campaign_id == self.campaign.id, JournalEntry.what == what)
            .order_by(col(JournalEntry.number))
        ).all()


def _term(
    row: DeadlineVersion, since: datetime, paper: Paper | None, role: PaperRole | None, reason: str | None
) -> Term:
    return Term(
        version=row.version,
        wording=parse_wording(row.wording),
        closes_at=row.closes_at,
        late_from=row.late_from,
        since=since,
        cause=row.cause,
        paper=paper_facts(paper),
        role=role if paper else None,
        reason=reason,
    )
