"""The proof of one deadline, gathered: what each unit owed in a stage, was told, and what came of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_
from sqlmodel import Session, col, select

from models import journal
from models.notices import is_officer_of
from models.proof_letters import chains
from models.proof_terms import Terms, terms_of_stage
from models.tables import (
    Campaign,
    CampaignUnit,
    Contact,
    DeadlineVersion,
    JournalEntry,
    Notice,
    Submission,
    Unit,
    WorkItem,
)
from rules.fates import History, Unsent, fate
from rules.notices import NoticeKind
from rules.proof import HandedIn, ItemLine, NoticeLine, Proof, Term, Trail, Waiver
from rules.stages import ITEMS, Ower, Stage

# What is journaled of an item, or of the whole campaign, and ends what is to be said about it.
WAIVED, ACKNOWLEDGED, CANCELLED, ENTERED = "waived", "acknowledged", "cancelled", "stage_entered"
ENDS = {WAIVED: Unsent.WAIVED, ACKNOWLEDGED: Unsent.ACKNOWLEDGED}


class NoDeadline(Exception):
    """The stage has no deadline in this campaign, or not yet; `known` are the stages that have one."""

    def __init__(self, stage: Stage, known: tuple[Stage, ...]) -> None:
        super().__init__(stage)
        self.stage, self.known = stage, known


def proof_of(session: Session, campaign: Campaign, stage: Stage, *, now: datetime) -> Proof:
    """Return the proof of a stage's deadline as of `now`, units in official order.

    Every unit that owed something in the stage is in it, whether it was ever written to or not. A
    complaint has a term of its own and is none of the stage's. Raises NoDeadline.
    """
    of_stage, known = terms_of_stage(session, campaign, stage)
    if not of_stage:
        raise NoDeadline(stage, known)
    parts, names = _units(session, campaign)
    trail = journal.verify(session, campaign)
    return Proof(
        campaign=campaign.code,
        title=campaign.title,
        stage=stage,
        organiser=parts.get(Ower.ORGANISER, ""),
        standing_office=parts.get(Ower.STANDING_OFFICE, ""),
        as_of=now,
        terms=of_stage,
        items=_Items(session, campaign, stage, of_stage, names).lines(),
        trail=Trail(trail.entries, trail.hash, trail.broken_at),
    )


def _units(session: Session, campaign: Campaign) -> tuple[dict[Ower, str], dict[str, str]]:
    """Return the names of a campaign's units by the part they play and by their codes."""
    rows = session.execute(
        select(CampaignUnit.part, Unit.code, Unit.name)
        .join(Unit, col(Unit.id) == CampaignUnit.unit_id)
        .where(CampaignUnit.campaign_id == campaign.id)
    ).all()
    return {part: name for part, _, name in rows}, {code: name for _, code, name in rows}


class _Items:
    """The items of a stage; each kind of fact is read once for all of them."""

    def __init__(
        self,
        session: Session,
        campaign: Campaign,
        stage: Stage,
        of_stage: tuple[Term, ...],
        names: dict[str, str],
    ) -> None:
        self.session, self.campaign = session, campaign
        kinds = [kind for kind, _ in ITEMS[stage]]
        rows = session.execute(
            select(WorkItem, Unit).join(Unit, col(Unit.id) == WorkItem.unit_id).where(*self._of(stage, kinds))
        ).all()
        self.rows = sorted(
            rows, key=lambda row: (row[1].position, row[1].code, kinds.index(row[0].kind), row[0].name)
        )
        self.ids: Select[Any] = select(WorkItem.id).where(*self._of(stage, kinds))
        self.amended = [f"paper/{term.paper.number}" for term in of_stage if term.paper]
        self.terms = Terms(session, campaign, self.ids, of_stage, names).by_item()

    def _of(self, stage: Stage, kinds: list[Any]) -> tuple[Any, ...]:
        return (
            WorkItem.campaign_id == self.campaign.id,
            WorkItem.stage == stage,
            col(WorkItem.kind).in_(kinds),
        )

    def lines(self) -> tuple[ItemLine, ...]:
        handed_in, deeds = self._handed_in(), self._deeds()
        histories = {item.id: self._history(item, handed_in.get(item.id, ()), deeds) for item, _ in self.rows}
        notices = self._notices(histories)
        reachable = self._reachable()
        return tuple(
            ItemLine(
                name=item.name,
                kind=item.kind,
                unit=unit.code,
                unit_name=unit.name,
                state=item.state,
                done_at=item.done_at,
                terms=tuple(self.terms.get(item.id, ())),
                handed_in=tuple(handed_in.get(item.id, ())),
                waiver=_waiver(deeds.get(item.name, ())),
                notices=tuple(sorted(notices.get(item.id, ()), key=_order)),
                has_recipient=item.id in reachable,
            )
            for item, unit in self.rows
        )

    def _handed_in(self) -> dict[int, list[HandedIn]]:
        found: dict[int, list[HandedIn]] = defaultdict(list)
        for row, late_from in self.session.execute(
            select(Submission, DeadlineVersion.late_from)
            .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == Submission.deadline_id)
            .where(col(Submission.item_id).in_(self.ids))
            .order_by(col(Submission.item_id), col(Submission.round))
        ):
            found[row.item_id].append(
                HandedIn(
                    round=row.round,
                    received_at=row.received_at,
                    recorded_at=row.recorded_at,
                    via=row.via,
                    number=row.number,
                    by=row.handed_in_by,
                    is_not_proposing=row.is_not_proposing,
                    is_late=None if late_from is None else row.received_at >= late_from,
                )
            )
        return found

    def _deeds(self) -> dict[str | None, list[JournalEntry]]:
        """Return what the journal tells of items let off or acknowledged; under None, of the campaign."""
        found: dict[str | None, list[JournalEntry]] = defaultdict(list)
        for entry in self.session.exec(
            select(JournalEntry)
            .where(
                JournalEntry.campaign_id == self.campaign.id,
                or_(
                    col(JournalEntry.what).in_([WAIVED, ACKNOWLEDGED, CANCELLED]),
                    and_(col(JournalEntry.what) == ENTERED, col(JournalEntry.stage) == Stage.CLOSED),
                ),
            )
            .order_by(col(JournalEntry.number))
        ):
            found[entry.detail.get("item")].append(entry)
        return found

    def _history(
        self,
        item: WorkItem,
        handed_in: Sequence[HandedIn],
        deeds: Mapping[str | None, Sequence[JournalEntry]],
    ) -> History:
        terms = self.terms.get(item.id, [])
        events = [(each.recorded_at, Unsent.HANDED_IN) for each in handed_in]
        if item.done_at is not None and not handed_in:
            events.append((item.done_at, Unsent.HANDED_IN))
        events += [(term.since, Unsent.NEW_TERM) for term in terms[1:]]
        events += [
            (entry.recorded_at, ENDS.get(entry.what, Unsent.ENDED))
            for name in (item.name, None)
            for entry in deeds.get(name, ())
        ]
        return History(terms[0].since if terms else item.opened_at, tuple(events))

    def _notices(self, histories: dict[int, History]) -> dict[int, list[NoticeLine]]:
        """Return the notices about each item, and those that told its unit of an amended term."""
        first = {item.unit_id: item for item, _ in reversed(self.rows)}
        items = {item.id: item for item, _ in self.rows}
        which = or_(
            col(Notice.item_id).in_(self.ids),
            and_(
                col(Notice.campaign_id) == self.campaign.id,
                col(Notice.kind) == NoticeKind.AMENDED,
                col(Notice.about).in_(self.amended),
            ),
        )
        letters = chains(self.session, which)
        found: dict[int, list[NoticeLine]] = defaultdict(list)
        for notice, contact, to_unit, version in self.session.execute(
            select(Notice, Contact, Unit.name, DeadlineVersion.version)
            .join(Contact, col(Contact.id) == Notice.contact_id)
            .join(Unit, col(Unit.id) == Contact.unit_id)
            .outerjoin(DeadlineVersion, col(DeadlineVersion.id) == Notice.deadline_id)
            .where(which)
        ):
            item = items.get(notice.item_id) if notice.item_id else first.get(contact.unit_id)
            if item is None:
                continue
            chain = letters.get(notice.letter_id or 0, ())
            reason = _reason(notice)
            found[item.id].append(
                NoticeLine(
                    kind=notice.kind,
                    step=notice.step.partition(":")[0] if notice.step.startswith("refused") else notice.step,
                    due_at=notice.due_at,
                    to=contact.name,
                    title=contact.title,
                    to_unit=to_unit,
                    role=notice.role,
                    fate=fate(notice.state, chain[-1].state if chain else None, is_held=notice.is_held),
                    version=version,
                    settled_at=notice.settled_at,
                    is_to_unit=contact.unit_id == item.unit_id,
                    copy=notice.copy_no,
                    letters=chain,
                    unsent=histories[item.id].why(
                        notice.state,
                        kind=notice.kind,
                        copy=notice.copy_no,
                        due_at=notice.due_at,
                        settled_at=notice.settled_at,
                        reason=notice.reason,
                    ),
                    reason=reason,
                )
            )
        return found

    def _reachable(self) -> set[int]:
        """Return the items whose units have anybody to write to."""
        return set(
            self.session.exec(
                select(WorkItem.id)
                .join(Contact, is_officer_of(WorkItem.unit_id))
                .where(col(WorkItem.id).in_(self.ids))
                .distinct()
            )
        )


def _waiver(deeds: Iterable[JournalEntry]) -> Waiver | None:
    of_it = [entry for entry in deeds if entry.what == WAIVED]
    return Waiver(of_it[0].happened_at, str(of_it[0].detail.get("reason", ""))) if of_it else None


def _reason(notice: Notice) -> str | None:
    """Return the reason of a notice without the number of a contact that it may name."""
    if notice.kind is NoticeKind.UNDELIVERABLE and notice.reason:
        return notice.reason.partition(":")[0]
    return notice.reason


def _order(line: NoticeLine) -> tuple[Any, ...]:
    return (
        line.at,
        line.due_at,
        line.kind,
        line.step,
        line.copy,
        line.to,
        [each.number for each in line.letters],
    )
