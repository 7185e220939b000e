"""What claimed letters have to say: the facts of their lines at the moment of sending."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile
from models.campaigns import file_of, get_campaign_by_id
from models.deadlines import meaning, version_of_stage
from models.line_facts import Lines, amendments, paper_facts, person
from models.outcome_facts import count_incomplete
from models.papers import papers_by_role
from models.standings import totals
from models.tables import Campaign, CampaignUnit, Contact, Letter, Notice, Unit, ZaloUser
from rules import letters as facts
from rules.calendar import WorkingCalendar
from rules.notices import RIDES_ALONG, Channel, NoticeKind, NoticeState
from rules.stages import Ower, PaperRole, Stage
from rules.work_items import ItemKind

# Letters that say how many units have handed in.
ACCOUNTS = (NoticeKind.OPENING, NoticeKind.ESCALATION, NoticeKind.DRAFT_WAITING)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed letter: where it goes, and everything it says; None where its facts cannot be had.

    `zalo`, `phone` and `last_interaction_at` are how the recipient can be reached over Zalo, as
    recorded. `repeats` is how often it may have gone before.
    """

    letter_id: int
    channel: Channel
    address: str
    says: facts.Letter | None
    zalo: str | None = None
    phone: str | None = None
    last_interaction_at: datetime | None = None
    repeats: int = 0


def letters_to_say(
    session: Session, letter_ids: list[int], *, now: datetime, mail_domain: str, link: str | None
) -> list[Claimed]:
    """Return what these letters say as of `now`, in the order of their ids.

    Read in a number of statements that does not grow with the number of letters.
    """
    rows = session.execute(
        select(Letter, Contact, Unit, ZaloUser.last_interaction_at)
        .join(Contact, col(Contact.id) == Letter.contact_id)
        .join(Unit, col(Unit.id) == Contact.unit_id)
        .outerjoin(ZaloUser, col(ZaloUser.uid) == Contact.zalo)
        .where(col(Letter.id).in_(letter_ids))
        .order_by(col(Letter.id))
    ).all()
    by_campaign: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_campaign[row[0].campaign_id].append(row)
    claimed = []
    for campaign_id, of_campaign in by_campaign.items():
        campaign = get_campaign_by_id(session, campaign_id)
        try:
            claimed += _Gathering(session, campaign, now, link).letters(of_campaign, mail_domain)
        except Exception:  # one broken campaign does not stop the letters of the others
            claimed += [Claimed(row[0].id, row[0].channel, row[0].address, None) for row in of_campaign]
    return sorted(claimed, key=lambda letter: letter.letter_id)


class _Gathering:
    """What the letters of one campaign share, read once for a batch of them."""

    def __init__(self, session: Session, campaign: Campaign, now: datetime, link: str | None) -> None:
        self.session, self.campaign, self.now = session, campaign, now
        self.file: CampaignFile = file_of(campaign)
        self.calendar: WorkingCalendar = self.file.calendar
        self.link = link
        self.amendments = amendments(session, campaign, self.file)
        self.facts = self._campaign_facts()

    def _totals(self) -> facts.Totals:
        return replace(
            totals(self.session, self.campaign, ItemKind.DOSSIER),
            incomplete=count_incomplete(self.session, self.campaign),
        )

    def letters(self, rows: list[Any], mail_domain: str) -> list[Claimed]:
        lines = self._lines([row[0].id for row in rows])
        # Counted over the whole campaign, so only where a letter gives an account of it.
        counted = any(row[0].kind in ACCOUNTS for row in rows)
        how_many = self._totals() if counted else facts.Totals()
        waiting = self._waiting() if any(r[0].kind is NoticeKind.DRAFT_WAITING for r in rows) else []
        return [
            Claimed(
                letter.id,
                letter.channel,
                letter.address,
                zalo=contact.zalo,
                phone=contact.phone,
                last_interaction_at=interacted_at,
                repeats=letter.repeats,
                says=facts.Letter(
                    key=letter.key,
                    kind=letter.kind,
                    role=letter.role,
                    to=person(contact, unit),
                    campaign=self.facts,
                    as_of=self.now.astimezone(self.calendar.zone),
                    lines=tuple(
                        waiting if letter.kind is NoticeKind.DRAFT_WAITING else lines[letter.id].lines
                    ),
                    totals=how_many,
                    answer_by=self._answer_by(),
                    wants_draft=lines[letter.id].wants_draft,
                    copies_to=tuple(lines[letter.id].copies_to),
                    extended=tuple(lines[letter.id].extended),
                    message_id=letter.message_id or facts.message_id(letter.key, mail_domain),
                ),
            )
            for letter, contact, unit, interacted_at in rows
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
            select(Contact)
            .where(Contact.unit_id == standing.id, col(Contact.left_at).is_(None))
            .order_by(col(Contact.position))
        ).all()
        officer = next((p for p in people if p.role == "officer"), people[0])
        head = next((p for p in people if p.role == "unit_head"), people[0])
        known = papers_by_role(session, campaign)
        papers = {role: paper_facts(known.get(role)) for role in PaperRole}
        review = version_of_stage(session, campaign, Stage.AGENCY_REVIEW)
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
            amendment=next(reversed(self.amendments.values()), None),
            review_wording=meaning(review, self.calendar) if review else None,
            dossier_parts=self.file.dossier_parts,
            link=self.link,
        )

    def _lines(self, letter_ids: list[int]) -> dict[int, "_LetterLines"]:
        """Return the lines of each letter, units in official order."""
        gathered: dict[int, _LetterLines] = defaultdict(_LetterLines)
        lines = Lines(self.session, self.campaign, self.file, self.amendments, self.now)
        found = lines.of(col(Notice.letter_id).in_(letter_ids), Notice.state == NoticeState.QUEUED)
        copies = lines.copies()
        for notice, line, wants_draft in found:
            gathered[notice.letter_id or 0].add(
                line,
                wants_draft=wants_draft,
                copies_to=copies.get((notice.item_id, notice.step), []),
            )
        return gathered

    def _waiting(self) -> list[facts.Line]:
        """Return what waits for the standing head and is not held back by him."""
        lines = Lines(self.session, self.campaign, self.file, self.amendments, self.now)
        found = lines.of(
            Notice.campaign_id == self.campaign.id,
            Notice.state == NoticeState.WAITING_RELEASE,
            ~col(Notice.is_held),
        )
        return [line for _, line, _ in found]


class _LetterLines:
    """The lines of one letter and what follows from them together."""

    def __init__(self) -> None:
        self.lines: list[facts.Line] = []
        self.extended: list[facts.Line] = []
        self.wants_draft = False
        self.copies_to: list[facts.Person] = []

    def add(self, line: facts.Line, *, wants_draft: bool, copies_to: Iterable[facts.Person]) -> None:
        if line.step == RIDES_ALONG:
            self.extended.append(line)
            return
        self.lines.append(line)
        self.wants_draft = self.wants_draft or wants_draft
        self.copies_to += [each for each in copies_to if each not in self.copies_to]


def _pairs(rows: Iterable[Any]) -> dict[Any, Any]:
    return {first: second for first, second in rows}
