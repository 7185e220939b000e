"""The facts of single lines: an item, its unit and its term, and all that has happened to it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile
from models.deadlines import meaning
from models.groups import ITSELF
from models.outcome_facts import lacking, outcomes
from models.tables import (
    Amendment,
    Campaign,
    CampaignGroup,
    Contact,
    DeadlineStep,
    DeadlineVersion,
    DossierReturn,
    ExtensionRequest,
    Notice,
    Paper,
    ResidentialGroup,
    Submission,
    Unit,
    WorkItem,
)
from rules import letters as facts
from rules.calendar import WorkingCalendar, parse_wording
from rules.notices import NoticeKind, NoticeState
from rules.stages import Stage
from rules.work_items import ExtensionState, ItemKind, VersionCause, lateness


class Lines:
    """The lines of a batch of notices; each kind of fact is read once for all of them."""

    def __init__(
        self,
        session: Session,
        campaign: Campaign,
        file: CampaignFile,
        amended: Mapping[str, facts.Amendment],
        now: datetime,
    ) -> None:
        self.session, self.campaign, self.file, self.now = session, campaign, file, now
        self.calendar: WorkingCalendar = file.calendar
        self.amended = amended
        self.units: dict[int, Unit] = {}
        self.items: set[int] = set()

    def of(self, *which: Any) -> list[tuple[Notice, facts.Line, bool]]:
        """Return these notices with their lines in official order; True where a draft goes with one."""
        rows = self.session.execute(
            select(Notice, WorkItem, Unit, DeadlineVersion, DeadlineStep)  # type: ignore[call-overload]
            .outerjoin(WorkItem, col(WorkItem.id) == Notice.item_id)
            .join(Contact, col(Contact.id) == Notice.contact_id)
            .join(Unit, col(Unit.id) == func.coalesce(WorkItem.unit_id, Contact.unit_id))
            .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == WorkItem.deadline_id)
            .outerjoin(
                DeadlineStep,
                and_(
                    col(DeadlineStep.deadline_id) == Notice.deadline_id,
                    col(DeadlineStep.step) == Notice.step,
                ),
            )
            .where(*which)
            .order_by(col(Unit.position), col(Notice.about), col(Notice.id))
        ).all()
        self.units = {unit.id: unit for _, _, unit, _, _ in rows}
        self.items = {item.id for _, item, _, _, _ in rows if item}
        self._read([notice for notice, *_ in rows])
        return [
            (notice, self._line(notice, item, unit, version), bool(step and step.wants_draft))
            for notice, item, unit, version, step in rows
        ]

    def copies(self) -> dict[tuple[int | None, str], list[facts.Person]]:
        """Return who gets a copy of the same step about the same item."""
        copies: dict[tuple[int | None, str], list[facts.Person]] = defaultdict(list)
        for notice, contact, unit in self.session.execute(
            select(Notice, Contact, Unit)
            .join(Contact, col(Contact.id) == Notice.contact_id)
            .join(Unit, col(Unit.id) == Contact.unit_id)
            .where(
                col(Notice.item_id).in_(self.items),
                Notice.kind == NoticeKind.ESCALATION,
                Notice.copy_no > 0,
                col(Notice.state).in_([NoticeState.QUEUED, NoticeState.SAID]),
            )
            .order_by(col(Notice.copy_no))
        ):
            copies[notice.item_id, notice.step].append(person(contact, unit))
        return copies

    def _read(self, notices: list[Notice]) -> None:
        self.officers = self._officers()
        self.groups = self._groups()
        self.told = self._told()
        self.handed_in = self._handed_in()
        self.requests = self._requests()
        self.rounds = self._rounds()
        self.terms = self._terms()
        self.readers = self._readers(notices)
        self.papers = self._papers() if any(n.about.startswith("paper/") for n in notices) else {}
        self.names = {unit.code: unit.name for unit in self.file.units}
        self.lacking = lacking(self.session, self.campaign)
        is_decided = any(notice.kind is NoticeKind.DECISION for notice in notices)
        self.outcomes = outcomes(self.session, self.campaign) if is_decided else {}

    def _line(
        self, notice: Notice, item: WorkItem | None, unit: Unit, version: DeadlineVersion | None
    ) -> facts.Line:
        deadline = meaning(version, self.calendar) if version else None
        submission = self.handed_in.get(item.id) if item else None
        kind = item.kind if item else ItemKind.DOSSIER
        parts = self.file.dossier_parts if kind is ItemKind.DOSSIER else ()
        is_in = item is not None and item.done_at is not None
        before, by_paper = self.terms.get(version.id, (None, None)) if version else (None, None)
        paper, change, earlier = self.papers.get(notice.about, (None, None, None))
        cause, _, named = (notice.reason or "").partition(":")
        is_lost = notice.kind is NoticeKind.UNDELIVERABLE
        asked_again = cause if notice.kind is NoticeKind.OPENING and cause in ("joined", "explained") else ""
        return facts.Line(
            kind=notice.kind,
            item=kind,
            unit=facts.UnitFacts(
                code=unit.code,
                name=unit.name,
                kind=unit.kind,
                relation=unit.relation,
                groups=self.groups.get(unit.id, 0),
                officer=self.officers.get(unit.id),
            ),
            step=notice.step,
            copy=notice.copy_no,
            deadline=deadline,
            lateness=lateness(
                deadline,
                done_at=submission.received_at if submission else item.done_at if item else None,
                now=self.now,
            ),
            missing=self._missing(unit, parts, is_in=is_in),
            parts=len(parts),
            branches=self.file.branches_of(unit.code),
            working_days_late=(facts.working_days_late(deadline, self.now, self.calendar) if deadline else 0),
            working_days_left=(facts.working_days_left(deadline, self.now, self.calendar) if deadline else 0),
            tense=facts.tense(deadline, self.now, self.calendar) if deadline else None,
            told=self.told.get(item.id, facts.Told()) if item else facts.Told(),
            received_at=submission.received_at.astimezone(self.calendar.zone) if submission else None,
            via=submission.via if submission else None,
            number=submission.number if submission else None,
            is_not_proposing=bool(submission and submission.is_not_proposing),
            reason=cause if is_lost else None if asked_again else notice.reason,
            to_role=notice.role,
            goes_at=notice.release_at.astimezone(self.calendar.zone) if notice.release_at else None,
            note=notice.note,
            extension=self._extension(notice, item),
            before=before,
            by_paper=by_paper,
            round=self.rounds.get(item.id, 0) if item else 0,
            reader=self.readers.get(int(named)) if is_lost and named else None,
            joined=self.names.get(named, named) if asked_again == "joined" else None,
            explained=self.names.get(named, named) if asked_again == "explained" else None,
            subject=item.subject if item else None,
            amendment=self.amended.get(notice.about),
            paper=paper,
            change=change,
            earlier=earlier,
            outcomes=self.outcomes.get(unit.code, ()) if notice.kind is NoticeKind.DECISION else (),
        )

    def _missing(self, unit: Unit, parts: tuple[str, ...], *, is_in: bool) -> tuple[str, ...]:
        """Return what a dossier lacks as far as it was recorded; where nothing was, all of it or nothing."""
        lacks = self.lacking.get(unit.code) if parts else None
        if lacks is None:
            return () if is_in else parts
        return lacks

    def _extension(self, notice: Notice, item: WorkItem | None) -> facts.Extension | None:
        """Return the request that a notice mentions: the open one, or the one that the notice answers."""
        found = self.requests.get(item.id, []) if item else []
        if notice.kind is NoticeKind.EXTENDED:
            wanted = {ExtensionState.REFUSED if notice.step.startswith("refused") else ExtensionState.GRANTED}
        else:
            wanted = {ExtensionState.ASKED}
        return next((each for each in reversed(found) if each.state in wanted), None)

    def _officers(self) -> dict[int, facts.Person]:
        found: dict[int, facts.Person] = {}
        for contact in self.session.exec(
            select(Contact)
            .where(
                col(Contact.unit_id).in_(self.units),
                Contact.role == "officer",
                col(Contact.left_at).is_(None),
            )
            .order_by(col(Contact.position))
        ):
            found.setdefault(contact.unit_id, person(contact, self.units[contact.unit_id]))
        return found

    def _groups(self) -> dict[int, int]:
        """Count the groups of each unit as they were when the campaign opened."""
        return _pairs(
            self.session.execute(
                select(ResidentialGroup.unit_id, func.count())
                .join(CampaignGroup, col(CampaignGroup.group_id) == ResidentialGroup.id)
                .where(
                    CampaignGroup.campaign_id == self.campaign.id,
                    col(ResidentialGroup.unit_id).in_(self.units),
                    ResidentialGroup.position != ITSELF,
                )
                .group_by(col(ResidentialGroup.unit_id))
            ).all()
        )

    def _told(self) -> dict[int, facts.Told]:
        """Count how often the officers were spoken to about each item: openings are no reminder."""
        return {
            item_id: facts.Told(times, last.astimezone(self.calendar.zone))
            for item_id, times, last in self.session.execute(
                select(
                    Notice.item_id,
                    func.count(col(Notice.step).distinct()),
                    func.max(Notice.settled_at),
                )
                .where(
                    col(Notice.item_id).in_(self.items),
                    Notice.kind == NoticeKind.REMINDER,
                    Notice.state == NoticeState.SAID,
                )
                .group_by(col(Notice.item_id))
            )
        }

    def _handed_in(self) -> dict[int, Submission]:
        return {
            submission.item_id: submission
            for submission in self.session.exec(
                select(Submission)
                .where(col(Submission.item_id).in_(self.items))
                .order_by(col(Submission.round))
            )
        }

    def _requests(self) -> dict[int, list[facts.Extension]]:
        found: dict[int, list[facts.Extension]] = defaultdict(list)
        for row in self.session.exec(
            select(ExtensionRequest)
            .where(col(ExtensionRequest.item_id).in_(self.items))
            .order_by(col(ExtensionRequest.id))
        ):
            found[row.item_id].append(
                facts.Extension(
                    state=row.state,
                    reason=row.reason,
                    asked_at=row.asked_at.astimezone(self.calendar.zone),
                    wanted=parse_wording(row.wanted) if row.wanted else None,
                    number=row.number,
                    issued_on=row.issued_on,
                    answer=row.answer,
                )
            )
        return found

    def _rounds(self) -> dict[int, int]:
        return _pairs(
            self.session.execute(
                select(DossierReturn.item_id, func.count())
                .where(col(DossierReturn.item_id).in_(self.items))
                .group_by(col(DossierReturn.item_id))
            ).all()
        )

    def _terms(self) -> dict[int, tuple[Any, facts.Paper | None]]:
        """Return, for each version these items are under, the term it replaced and by which paper."""
        of_items = select(WorkItem.deadline_id).where(col(WorkItem.id).in_(self.items))
        versions = self.session.exec(
            select(DeadlineVersion).where(
                col(DeadlineVersion.id).in_(of_items), DeadlineVersion.cause != VersionCause.ENTERED
            )
        ).all()
        earlier = {
            row.id: row
            for row in self.session.exec(
                select(DeadlineVersion).where(
                    col(DeadlineVersion.id).in_([row.replaces_id for row in versions if row.replaces_id])
                )
            )
        }
        papers = {
            row.id: row
            for row in self.session.exec(
                select(Paper).where(col(Paper.id).in_([row.paper_id for row in versions if row.paper_id]))
            )
        }
        return {
            row.id: (
                meaning(earlier[row.replaces_id], self.calendar) if row.replaces_id in earlier else None,
                paper_facts(papers.get(row.paper_id or 0)),
            )
            for row in versions
        }

    def _readers(self, notices: Iterable[Notice]) -> dict[int, facts.Person]:
        lost = [n.reason or "" for n in notices if n.kind is NoticeKind.UNDELIVERABLE]
        ids = [int(each.partition(":")[2]) for each in lost if each.partition(":")[2]]
        return {
            contact.id: person(contact, unit)
            for contact, unit in self.session.execute(
                select(Contact, Unit)
                .join(Unit, col(Unit.id) == Contact.unit_id)
                .where(col(Contact.id).in_(ids))
            )
        }

    def _papers(self) -> dict[str, tuple[Any, Any, Any]]:
        rows = {
            row.id: row
            for row in self.session.exec(select(Paper).where(Paper.campaign_id == self.campaign.id))
        }
        return {
            f"paper/{row.number}": (
                paper_facts(row),
                row.change,
                paper_facts(rows.get(row.changes_id or 0)),
            )
            for row in rows.values()
        }


def amendments(session: Session, campaign: Campaign, file: CampaignFile) -> dict[str, facts.Amendment]:
    """Return the amendments of a campaign by what notices about them are about, the oldest first."""
    rows = session.execute(
        select(Amendment, Paper)
        .join(Paper, col(Paper.id) == Amendment.paper_id)
        .where(Amendment.campaign_id == campaign.id)
        .order_by(col(Amendment.id))
    ).all()
    closes_at = {
        (row.paper_id, row.stage): row.closes_at.astimezone(file.calendar.zone)
        for row in session.exec(
            select(DeadlineVersion).where(
                DeadlineVersion.campaign_id == campaign.id, DeadlineVersion.cause == VersionCause.AMENDED
            )
        )
    }
    terms, found = dict(file.due), {}
    for amendment, paper in rows:
        told = paper_facts(paper)
        if told is None:
            continue
        changes = []
        for name, text in sorted(amendment.dues.items(), key=lambda due: list(Stage).index(Stage(due[0]))):
            stage, after = Stage(name), parse_wording(text)
            changes.append(facts.TermChange(stage, terms.get(stage), after, closes_at.get((paper.id, stage))))
            terms[stage] = after
        found[f"paper/{paper.number}"] = facts.Amendment(
            told, amendment.mode, amendment.reason, tuple(changes), amendment.opens_on
        )
    return found


def person(contact: Contact, unit: Unit) -> facts.Person:
    """Return a contact as a letter speaks of him."""
    return facts.Person(
        name=contact.name,
        title=contact.title,
        role=contact.role,
        email=contact.email,
        phone=contact.phone,
        honorific="ông/bà" if unit.kind is facts.UnitKind.GROUP else "đồng chí",
    )


def paper_facts(row: Paper | None) -> facts.Paper | None:
    """Return a paper as a letter speaks of it."""
    if row is None:
        return None
    return facts.Paper(row.kind, row.number, row.issued_on, row.title, row.signed_by)


def _pairs(rows: Iterable[Any]) -> dict[Any, Any]:
    return {first: second for first, second in rows}
