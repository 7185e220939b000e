"""What claimed letters have to say: the facts of their lines at the moment of sending."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile
from models.campaigns import file_of
from models.deadlines import meaning
from models.papers import find_paper
from models.standings import totals
from models.tables import (
    Amendment,
    Campaign,
    CampaignUnit,
    Contact,
    DeadlineStep,
    DeadlineVersion,
    Letter,
    Notice,
    Paper,
    ResidentialGroup,
    Submission,
    Unit,
    WorkItem,
)
from rules import letters as facts
from rules.calendar import WorkingCalendar
from rules.notices import NoticeKind, NoticeState
from rules.stages import Ower, PaperRole, Stage
from rules.work_items import ItemKind, lateness


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed letter: where it goes, and everything it says; None where its facts cannot be had."""

    letter_id: int
    address: str
    says: facts.Letter | None


def letters_to_say(
    session: Session, letter_ids: list[int], *, now: datetime, mail_domain: str, link: str | None
) -> list[Claimed]:
    """Return what these letters say as of `now`, in the order of their ids.

    Read in a number of statements that does not grow with the number of letters.
    """
    rows = session.execute(
        select(Letter, Contact, Unit)
        .join(Contact, col(Contact.id) == Letter.contact_id)
        .join(Unit, col(Unit.id) == Contact.unit_id)
        .where(col(Letter.id).in_(letter_ids))
        .order_by(col(Letter.id))
    ).all()
    by_campaign: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_campaign[row[0].campaign_id].append(row)
    claimed = []
    for campaign_id, of_campaign in by_campaign.items():
        campaign = session.get_one(Campaign, campaign_id)
        try:
            claimed += _Gathering(session, campaign, now, link).letters(of_campaign, mail_domain)
        except Exception:  # one broken campaign does not stop the letters of the others
            claimed += [Claimed(letter.id, letter.address, None) for letter, _, _ in of_campaign]
    return sorted(claimed, key=lambda letter: letter.letter_id)


class _Gathering:
    """What the letters of one campaign share, read once for a batch of them."""

    def __init__(self, session: Session, campaign: Campaign, now: datetime, link: str | None) -> None:
        self.session, self.campaign, self.now = session, campaign, now
        self.file: CampaignFile = file_of(campaign)
        self.calendar: WorkingCalendar = self.file.calendar
        self.link = link
        self.totals = totals(session, campaign, ItemKind.DOSSIER)
        self.facts = self._campaign_facts()

    def letters(self, rows: list[Any], mail_domain: str) -> list[Claimed]:
        lines = self._lines([letter.id for letter, _, _ in rows])
        waiting = self._lines_waiting() if any(r[0].kind is NoticeKind.DRAFT_WAITING for r in rows) else []
        return [
            Claimed(
                letter.id,
                letter.address,
                facts.Letter(
                    key=letter.key,
                    kind=letter.kind,
                    role=letter.role,
                    to=person(contact, unit),
                    campaign=self.facts,
                    as_of=self.now.astimezone(self.calendar.zone),
                    lines=tuple(
                        waiting if letter.kind is NoticeKind.DRAFT_WAITING else lines[letter.id].lines
                    ),
                    totals=self.totals,
                    answer_by=self._answer_by(),
                    wants_draft=lines[letter.id].wants_draft,
                    copies_to=tuple(lines[letter.id].copies_to),
                    message_id=letter.message_id or facts.message_id(letter.key, mail_domain),
                ),
            )
            for letter, contact, unit in rows
        ]

    def _answer_by(self) -> Any:
        """Ask for an answer by the next working day: today is for reading."""
        return self.calendar.working_day_after(self.calendar.day_of(self.now), 1)

    def _campaign_facts(self) -> facts.CampaignFacts:
        session, campaign = self.session, self.campaign
        part = _pairs(
            session.execute(
                select(CampaignUnit.part, Unit)
                .join(Unit, col(Unit.id) == CampaignUnit.unit_id)
                .where(
                    CampaignUnit.campaign_id == campaign.id,
                    col(CampaignUnit.part).in_([Ower.STANDING_OFFICE, Ower.ORGANISER]),
                )
            ).all()
        )
        standing = part[Ower.STANDING_OFFICE]
        people = session.exec(
            select(Contact).where(Contact.unit_id == standing.id).order_by(col(Contact.position))
        ).all()
        officer = next((p for p in people if p.role == "officer"), people[0])
        head = next((p for p in people if p.role == "unit_head"), people[0])
        papers = {role: _paper(find_paper(session, campaign, role)) for role in PaperRole}
        review = session.exec(
            select(DeadlineVersion)
            .where(DeadlineVersion.campaign_id == campaign.id, DeadlineVersion.stage == Stage.AGENCY_REVIEW)
            .order_by(col(DeadlineVersion.version).desc())
            .limit(1)
        ).one_or_none()
        return facts.CampaignFacts(
            code=campaign.code,
            title=campaign.title,
            short_title=self.file.short_title,
            year=self.file.year,
            organiser=part[Ower.ORGANISER].name,
            standing=facts.StandingOffice(
                name=standing.name,
                contact=person(officer, standing),
                head=person(head, standing),
                address=standing.address,
                phone=standing.phone,
                email=standing.email,
            ),
            mode=campaign.mode,
            launch=papers[PaperRole.LAUNCH],
            plan=papers[PaperRole.PLAN],
            team=papers[PaperRole.TEAM],
            decision=papers[PaperRole.DECISION],
            amendment=self._amendment(),
            review_wording=meaning(review, self.calendar) if review else None,
            dossier_parts=self.file.dossier_parts,
            link=self.link,
        )

    def _amendment(self) -> facts.Amendment | None:
        found = self.session.execute(
            select(Amendment, Paper)
            .join(Paper, col(Paper.id) == Amendment.paper_id)
            .where(Amendment.campaign_id == self.campaign.id)
            .order_by(col(Amendment.id).desc())
            .limit(1)
        ).one_or_none()
        if found is None:
            return None
        amendment, paper = found
        told = _paper(paper)
        return facts.Amendment(told, amendment.mode, amendment.reason) if told else None

    def _lines(self, letter_ids: list[int]) -> dict[int, "_LetterLines"]:
        """Return the lines of each letter, units in official order."""
        gathered: dict[int, _LetterLines] = defaultdict(_LetterLines)
        rows = self._rows(col(Notice.letter_id).in_(letter_ids), Notice.state == NoticeState.QUEUED)
        officers, groups = self._officers(rows), self._groups(rows)
        told, handed_in = self._told(rows), self._handed_in(rows)
        copies = self._copies(rows)
        for row in rows:
            notice = row[0]
            gathered[notice.letter_id].add(
                self._line(row, officers, groups, told, handed_in),
                wants_draft=bool(row[4] and row[4].wants_draft),
                copies_to=copies.get((notice.item_id, notice.step), []),
            )
        return gathered

    def _lines_waiting(self) -> list[facts.Line]:
        rows = self._rows(Notice.campaign_id == self.campaign.id, Notice.state == NoticeState.WAITING_RELEASE)
        officers, groups = self._officers(rows), self._groups(rows)
        told, handed_in = self._told(rows), self._handed_in(rows)
        return [self._line(row, officers, groups, told, handed_in) for row in rows]

    def _rows(self, *which: Any) -> list[Any]:
        return list(
            self.session.execute(
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
        )

    def _line(
        self,
        row: Any,
        officers: Mapping[int, facts.Person],
        groups: Mapping[int, int],
        told: Mapping[int, facts.Told],
        handed_in: Mapping[int, Submission],
    ) -> facts.Line:
        notice, item, unit, version, _ = row
        deadline = meaning(version, self.calendar) if version else None
        submission = handed_in.get(item.id) if item else None
        kind = item.kind if item else ItemKind.DOSSIER
        parts = self._parts(kind, unit)
        is_in = item is not None and item.done_at is not None
        return facts.Line(
            kind=notice.kind,
            item=kind,
            unit=facts.UnitFacts(
                code=unit.code,
                name=unit.name,
                kind=unit.kind,
                relation=unit.relation,
                groups=groups.get(unit.id, 0),
                officer=officers.get(unit.id),
            ),
            step=notice.step,
            copy=notice.copy_no,
            deadline=deadline,
            lateness=lateness(
                deadline,
                done_at=submission.received_at if submission else item.done_at if item else None,
                now=self.now,
            ),
            missing=() if is_in else parts,
            parts=len(parts),
            branches=self.file.branches_of(unit.code),
            working_days_late=(facts.working_days_late(deadline, self.now, self.calendar) if deadline else 0),
            working_days_left=(facts.working_days_left(deadline, self.now, self.calendar) if deadline else 0),
            tense=facts.tense(deadline, self.now, self.calendar) if deadline else None,
            told=told.get(item.id, facts.Told()) if item else facts.Told(),
            received_at=submission.received_at.astimezone(self.calendar.zone) if submission else None,
            via=submission.via if submission else None,
            number=submission.number if submission else None,
            is_not_proposing=bool(submission and submission.is_not_proposing),
            reason=notice.reason,
            to_role=notice.role,
            goes_at=notice.release_at.astimezone(self.calendar.zone) if notice.release_at else None,
        )

    def _parts(self, kind: ItemKind, unit: Unit) -> tuple[str, ...]:
        return self.file.dossier_parts if kind is ItemKind.DOSSIER else ()

    def _officers(self, rows: Iterable[Any]) -> dict[int, facts.Person]:
        units = {row[2].id: row[2] for row in rows}
        found: dict[int, facts.Person] = {}
        for contact in self.session.exec(
            select(Contact)
            .where(col(Contact.unit_id).in_(units), Contact.role == "officer")
            .order_by(col(Contact.position))
        ):
            found.setdefault(contact.unit_id, person(contact, units[contact.unit_id]))
        return found

    def _groups(self, rows: Iterable[Any]) -> dict[int, int]:
        units = {row[2].id for row in rows}
        return _pairs(
            self.session.execute(
                select(ResidentialGroup.unit_id, func.count())
                .where(col(ResidentialGroup.unit_id).in_(units))
                .group_by(col(ResidentialGroup.unit_id))
            ).all()
        )

    def _told(self, rows: Iterable[Any]) -> dict[int, facts.Told]:
        """Count how often the officers were spoken to about each item: openings are no reminder."""
        items = {row[1].id for row in rows if row[1]}
        return {
            item_id: facts.Told(times, last.astimezone(self.calendar.zone))
            for item_id, times, last in self.session.execute(
                select(
                    Notice.item_id,
                    func.count(col(Notice.step).distinct()),
                    func.max(Notice.settled_at),
                )
                .where(
                    col(Notice.item_id).in_(items),
                    Notice.kind == NoticeKind.REMINDER,
                    Notice.state == NoticeState.SAID,
                )
                .group_by(col(Notice.item_id))
            )
        }

    def _handed_in(self, rows: Iterable[Any]) -> dict[int, Submission]:
        items = {row[1].id for row in rows if row[1]}
        return {
            submission.item_id: submission
            for submission in self.session.exec(
                select(Submission).where(col(Submission.item_id).in_(items)).order_by(col(Submission.round))
            )
        }

    def _copies(self, rows: Iterable[Any]) -> dict[tuple[int, str], list[facts.Person]]:
        """Return who gets a copy of the same step about the same item."""
        items = {row[1].id for row in rows if row[1]}
        copies: dict[tuple[int, str], list[facts.Person]] = defaultdict(list)
        for notice, contact, unit in self.session.execute(
            select(Notice, Contact, Unit)
            .join(Contact, col(Contact.id) == Notice.contact_id)
            .join(Unit, col(Unit.id) == Contact.unit_id)
            .where(
                col(Notice.item_id).in_(items),
                Notice.kind == NoticeKind.ESCALATION,
                Notice.copy_no > 0,
            )
            .order_by(col(Notice.copy_no))
        ):
            copies[notice.item_id, notice.step].append(person(contact, unit))
        return copies


class _LetterLines:
    """The lines of one letter and what follows from them together."""

    def __init__(self) -> None:
        self.lines: list[facts.Line] = []
        self.wants_draft = False
        self.copies_to: list[facts.Person] = []

    def add(self, line: facts.Line, *, wants_draft: bool, copies_to: Iterable[facts.Person]) -> None:
        self.lines.append(line)
        self.wants_draft = self.wants_draft or wants_draft
        self.copies_to += [each for each in copies_to if each not in self.copies_to]


def _pairs(rows: Iterable[Any]) -> dict[Any, Any]:
    return {first: second for first, second in rows}


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


def _paper(row: Paper | None) -> facts.Paper | None:
    if row is None:
        return None
    return facts.Paper(row.kind, row.number, row.issued_on, row.title, row.signed_by)
