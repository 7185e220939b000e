"""Dossiers (hồ sơ): what a commune puts in, who it proposes, and what is still missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from models import journal
from models.campaigns import file_of
from models.file_store import keep_file
from models.groups import GroupRef, UnknownGroup, check_leaves, get_group, groups_of
from models.inserting import inserting
from models.marks import NewMark, give_marks
from models.permits import permit
from models.tables import (
    Campaign,
    DossierEntry,
    GroupCase,
    Submission,
    WorkItem,
)
from models.work_items import get_item
from rules.criteria import Mark, TotalMinByClass
from rules.deeds import Deed
from rules.dossiers import DossierPart, plain_name
from rules.reviews import ScoreKind
from rules.work_items import ItemKind, ItemState


class DossierHandedIn(Exception):
    """What is handed in is not changed; it is sent back first. `received_at` is when it was."""

    def __init__(self, unit: str, received_at: datetime) -> None:
        super().__init__(unit)
        self.unit, self.received_at = unit, received_at


class NotProposedWithoutReason(Exception):
    """A group is left off the list without a reason."""

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self.group = group


class UnknownClass(Exception):
    """The set knows no such class of area; `known` are those it has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name, self.known = name, known


class VotesDoNotAddUp(Exception):
    """More people in favour than came, or more came than were invited."""

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self.group = group


class NoSuchPart(Exception):
    """Nothing of this part is in the dossier."""

    def __init__(self, part: DossierPart) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, slots=True)
class Votes:
    """How the people of a group voted at their meeting."""

    invited: int
    attended: int
    in_favour: int


@dataclass(frozen=True, slots=True)
class Case:
    """What a commune says of one of its groups, and the marks it gives it."""

    group: str | None
    is_proposed: bool
    reason: str = ""
    area_class: str | None = None
    votes: Votes | None = None
    votes_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SelfMark:
    """A self-score with its explanation and evidence."""

    group: str | None
    leaf: str
    mark: Mark
    explanation: str | None = None
    evidence: str | None = None


def assess_self(
    session: Session,
    campaign: Campaign,
    unit: str,
    *,
    cases: Sequence[Case] = (),
    marks: Sequence[SelfMark] = (),
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Record a commune's self-assessment (tự đánh giá): its groups on the two lists, its self-scores.

    Returns how many scores were new or changed. Raises UnknownUnit, UnknownGroup, UnknownLeaf,
    UnknownClass, NotProposedWithoutReason, VotesDoNotAddUp, BadMark, DossierHandedIn, DeedRefused;
    then nothing is recorded.
    """
    permit(campaign, Deed.ASSESS_SELF, at=at, recorded_at=recorded_at)
    _item_to_fill(session, campaign, unit, at=at)
    groups = {each.name: each for each in groups_of(session, campaign, unit)}
    for case in cases:
        _put_case(session, campaign, _group(unit, case.group, groups), case, at=recorded_at, by=by)
    given = give_marks(
        session,
        campaign,
        ScoreKind.SELF,
        [
            NewMark(
                _group(unit, each.group, groups).id, each.leaf, each.mark, each.explanation, each.evidence
            )
            for each in marks
        ],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    journal.write(
        session,
        campaign,
        "self_assessed",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={
            "scores": given,
            "proposed": sum(case.is_proposed for case in cases),
            "not_proposed": sum(not case.is_proposed for case in cases),
        },
    )
    return given


def _group(unit: str, name: str | None, groups: Mapping[str, GroupRef]) -> GroupRef:
    if name is None and len(groups) == 1:
        return next(iter(groups.values()))
    found = groups.get(name or "")
    if found is None:
        raise UnknownGroup(unit, name or "", tuple(groups))
    return found


def _put_case(
    session: Session, campaign: Campaign, group: GroupRef, case: Case, *, at: datetime, by: str | None
) -> None:
    reason = case.reason.strip()
    if not case.is_proposed and not reason:
        raise NotProposedWithoutReason(group.name)
    votes = case.votes
    if votes and not 0 <= votes.in_favour <= votes.attended <= votes.invited:
        raise VotesDoNotAddUp(group.name)
    if case.votes_percent is not None and not 0 <= case.votes_percent <= 100:
        raise VotesDoNotAddUp(group.name)
    said = {
        "is_proposed": case.is_proposed,
        "reason": reason,
        "area_class": class_code(campaign, case.area_class),
        "invited": votes and votes.invited,
        "attended": votes and votes.attended,
        "in_favour": votes and votes.in_favour,
        "votes_percent": case.votes_percent,
        "recorded_at": at,
        "recorded_by": by,
    }
    statement = inserting(session, GroupCase)
    session.execute(
        statement.on_conflict_do_update(index_elements=("campaign_id", "group_id"), set_=said),
        [{"campaign_id": campaign.id, "group_id": group.id, **said}],
    )


def find_case(session: Session, campaign: Campaign, unit: str, group: str | None) -> Case | None:
    """Return what a commune has said of one of its groups; None where nothing yet. Raises UnknownGroup."""
    found = get_group(session, campaign, unit, group)
    row = session.get(GroupCase, (campaign.id, found.id))
    if row is None:
        return None
    votes = None
    if row.invited is not None and row.attended is not None and row.in_favour is not None:
        votes = Votes(row.invited, row.attended, row.in_favour)
    return Case(found.name, row.is_proposed, row.reason, row.area_class, votes, row.votes_percent)


def class_code(campaign: Campaign, name: str | None) -> str | None:
    """Return the code of a class of area named by code, title or alias; raises UnknownClass."""
    if name is None:
        return None
    rules = [rule for rule in file_of(campaign).criteria.rules if isinstance(rule, TotalMinByClass)]
    for rule in rules:
        found = rule.find(name)
        if found is not None:
            return found.code
    raise UnknownClass(name, tuple(each.code for rule in rules for each in rule.classes))


def put_in(
    session: Session,
    campaign: Campaign,
    unit: str,
    part: DossierPart,
    *,
    file: Path | None = None,
    group: str | None = None,
    leaf: str | None = None,
    note: str | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> str | None:
    """Put a part into a dossier: a file, kept by its content, or the note that it came on paper.

    Returns the SHA-256 of the file. What stood there under the same part, group, leaf and name is
    replaced and stays in the history. Raises FileRefused, UnknownGroup, UnknownLeaf, UnknownUnit,
    DossierHandedIn, DeedRefused.
    """
    permit(campaign, Deed.PUT_IN, at=at, recorded_at=recorded_at)
    item = _item_to_fill(session, campaign, unit, at=at)
    of_group = get_group(session, campaign, unit, group) if group is not None else None
    if leaf is not None:
        check_leaves([leaf], sorted(file_of(campaign).criteria.codes()))
    digest = keep_file(session, file, at=recorded_at) if file is not None else None
    entry = DossierEntry(
        campaign_id=campaign.id,
        unit_id=item.unit_id,
        round=_round(session, item),
        part=part,
        group_id=of_group.id if of_group else None,
        leaf=leaf,
        name=plain_name(file.name) if file else None,
        sha256=digest,
        note=note,
        put_at=at,
        recorded_at=recorded_at,
        put_by=by,
    )
    earlier = [
        row.id
        for row in session.exec(_standing(campaign, item.unit_id).where(DossierEntry.part == part))
        if (row.group_id, row.leaf, _plain(row.name)) == (entry.group_id, entry.leaf, entry.name)
    ]
    session.add(entry)
    session.flush()
    session.execute(
        update(DossierEntry).where(col(DossierEntry.id).in_(earlier)).values(replaced_by_id=entry.id)
    )
    journal.write(
        session,
        campaign,
        "put_in",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={
            "part": part.value,
            **({"group": of_group.name} if of_group else {}),
            **({"leaf": leaf} if leaf else {}),
            **({"name": entry.name, "sha256": digest} if digest else {}),
        },
    )
    return digest


def _plain(name: str | None) -> str | None:
    return None if name is None else plain_name(name)


def take_out(
    session: Session,
    campaign: Campaign,
    unit: str,
    part: DossierPart,
    *,
    name: str | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Take a part out of a dossier again, all of it or one file; the content stays in the history.

    Returns how many entries were taken out. Raises NoSuchPart, and what `put_in` raises.
    """
    permit(campaign, Deed.PUT_IN, at=at, recorded_at=recorded_at)
    item = _item_to_fill(session, campaign, unit, at=at)
    rows = session.exec(_standing(campaign, item.unit_id).where(DossierEntry.part == part)).all()
    gone = [row.id for row in rows if name is None or _plain(row.name) == _plain(name)]
    if not gone:
        raise NoSuchPart(part)
    session.execute(update(DossierEntry).where(col(DossierEntry.id).in_(gone)).values(removed_at=recorded_at))
    journal.write(
        session,
        campaign,
        "taken_out",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"part": part.value, "entries": len(gone), **({"name": name} if name else {})},
    )
    return len(gone)


def _standing(campaign: Campaign, unit_id: int) -> Any:
    """Select what a dossier holds now: neither replaced nor taken out."""
    return select(DossierEntry).where(
        DossierEntry.campaign_id == campaign.id,
        DossierEntry.unit_id == unit_id,
        col(DossierEntry.replaced_by_id).is_(None),
        col(DossierEntry.removed_at).is_(None),
    )


def _item_to_fill(session: Session, campaign: Campaign, unit: str, *, at: datetime) -> WorkItem:
    """Return the dossier's item where it may be filled at `at`.

    What came with a dossier on paper is often typed in later: it is taken as long as it was there
    when the dossier was received. Raises DossierHandedIn after that, until it is sent back.
    """
    item = get_item(session, campaign, ItemKind.DOSSIER, unit)
    if item.state is not ItemState.DONE:
        return item
    received_at = session.exec(
        select(func.max(Submission.received_at)).where(Submission.item_id == item.id)
    ).one()
    if received_at is not None and at > received_at:
        raise DossierHandedIn(unit, received_at)
    return item


def _round(session: Session, item: WorkItem) -> int:
    handed_in = session.exec(
        select(func.count()).select_from(Submission).where(Submission.item_id == item.id)
    ).one()
    return handed_in + (item.state is ItemState.OPEN) or 1
