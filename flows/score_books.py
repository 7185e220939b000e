"""Workbooks of scores: made from what is kept, and what was filled in recorded; all of one or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from documents.score_book import BookKind, BookStamp, GivenMark, GroupRow, PeopleVotes, read_book, write_book
from flows.showing import when
from models import completions, dossiers, reviews
from models.books import BookContent, book_content, book_deadline
from models.campaigns import file_of
from models.database import Session
from models.marks import KeptMark
from models.sheets import Known
from models.tables import Campaign, GroupCase
from rules.criteria import Criterion, Mark
from rules.reviews import ScoreKind


@dataclass(frozen=True, slots=True)
class Taken:
    """What a workbook brought, counted: scores that were new or changed, groups listed, requests."""

    unit: str
    kind: BookKind
    scores: int
    groups: int
    requests: int


def made(session: Session, campaign: Campaign, unit: str) -> bytes:
    """Return the workbook of a commune or an agency as things stand; raises UnknownUnit, BookRefused."""
    content = book_content(session, campaign, unit)
    file = file_of(campaign)
    closes_at = book_deadline(session, campaign, content)
    return write_book(
        _stamp(campaign, content),
        campaign.title,
        file.criteria,
        _leaves(campaign, content),
        _rows(campaign, content),
        unit_name=next((each.name for each in file.units if each.code == unit), None),
        deadline=when(closes_at) if closes_at else None,
    )


def taken(
    session: Session,
    campaign: Campaign,
    unit: str,
    path: Path,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Taken:
    """Record what was filled into a workbook of this unit.

    Raises WorkbookRefused and BookRefused for the file, and what assessing raises; then nothing of
    it is recorded.
    """
    content = book_content(session, campaign, unit)
    rows = read_book(
        path,
        _stamp(campaign, content),
        file_of(campaign).criteria,
        _leaves(campaign, content),
        _rows(campaign, content),
    )
    groups = {_code(known): known for known in content.groups}
    if content.is_agency:
        return _take_agency(session, campaign, unit, rows, groups, at=at, recorded_at=recorded_at, by=by)
    return _take_commune(session, campaign, unit, rows, groups, at=at, recorded_at=recorded_at, by=by)


def _take_commune(
    session: Session,
    campaign: Campaign,
    unit: str,
    rows: Sequence[GroupRow],
    groups: Mapping[str, Known],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Taken:
    cases = [_case(row, groups[row.code]) for row in rows if row.is_proposed is not None]
    marks = [
        dossiers.SelfMark(groups[row.code].group.name, leaf, given.mark, given.explanation, given.evidence)
        for row in rows
        for leaf, given in row.marks.items()
        if given.mark is not None
    ]
    scores = dossiers.assess_self(
        session, campaign, unit, cases=cases, marks=marks, at=at, recorded_at=recorded_at, by=by
    )
    return Taken(unit, BookKind.COMMUNE, scores, len(cases), 0)


def _case(row: GroupRow, known: Known) -> dossiers.Case:
    """Return what the workbook says of a group; a share of votes it does not ask for stays as it was."""
    votes = row.votes
    return dossiers.Case(
        known.group.name,
        bool(row.is_proposed),
        row.reason or "",
        row.class_,
        dossiers.Votes(votes.invited, votes.attended, votes.in_favour) if votes else None,
        known.case.votes_percent if known.case is not None else None,
    )


def _votes(case: GroupCase | None) -> PeopleVotes | None:
    if case is None or case.invited is None:
        return None
    return PeopleVotes(case.invited, case.attended or 0, case.in_favour or 0)


def _take_agency(
    session: Session,
    campaign: Campaign,
    unit: str,
    rows: Sequence[GroupRow],
    groups: Mapping[str, Known],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Taken:
    filled = [(groups[row.code].group, leaf, given) for row in rows for leaf, given in row.marks.items()]
    marks = [
        reviews.AgencyMark(group.unit, group.name, leaf, given.mark, given.explanation, given.evidence)
        for group, leaf, given in filled
        if given.mark is not None
    ]
    scores = reviews.assess(session, campaign, unit, marks, at=at, recorded_at=recorded_at, by=by)
    requests = [(group, leaf, given.request) for group, leaf, given in filled if given.request]
    for group, leaf, request in requests:
        completions.propose_completion(
            session,
            campaign,
            unit,
            group.unit,
            what=request,
            group=group.name,
            leaf=leaf,
            at=at,
            recorded_at=recorded_at,
            by=by,
        )
    return Taken(unit, BookKind.AGENCY, scores, len(rows), len(requests))


def _stamp(campaign: Campaign, content: BookContent) -> BookStamp:
    criteria = file_of(campaign).criteria
    kind = BookKind.AGENCY if content.is_agency else BookKind.COMMUNE
    name = f"{criteria.id} {criteria.version}" if criteria.version else criteria.id
    return BookStamp(kind, campaign.code, content.unit, content.version, name)


def _leaves(campaign: Campaign, content: BookContent) -> tuple[Criterion, ...]:
    """Return what is filled in: everything by a commune, by an agency its own criteria."""
    file = file_of(campaign)
    if not content.is_agency:
        return file.criteria.leaves()
    own = file.criteria.leaf_codes(frozenset(file.branches_of(content.unit)))
    return tuple(leaf for leaf in file.criteria.leaves() if leaf.code in own)


def _rows(campaign: Campaign, content: BookContent) -> list[GroupRow]:
    leaves = [leaf.code for leaf in _leaves(campaign, content)]
    return [_row(known, leaves, is_agency=content.is_agency) for known in content.groups]


def _row(known: Known, leaves: Sequence[str], *, is_agency: bool) -> GroupRow:
    case = known.case
    return GroupRow(
        code=_code(known),
        name=known.group.name,
        commune=known.group.unit_name,
        class_=known.area_class,
        is_proposed=case.is_proposed if case is not None else None,
        reason=(case.reason or None) if case is not None else None,
        votes=_votes(case),
        marks={leaf: _given(known, leaf, is_agency=is_agency) for leaf in leaves},
    )


def _code(known: Known) -> str:
    return f"{known.group.unit}/{known.group.name}"


def _given(known: Known, leaf: str, *, is_agency: bool) -> GivenMark:
    own = known.marks.get((leaf, ScoreKind.SELF))
    if not is_agency:
        return GivenMark(*_parts(own))
    mark, reason, evidence = _parts(known.marks.get((leaf, ScoreKind.AGENCY)))
    self_mark, explanation, self_evidence = _parts(own)
    return GivenMark(
        mark,
        reason,
        evidence,
        self_mark=self_mark,
        self_explanation=explanation,
        self_evidence=self_evidence,
    )


def _parts(kept: KeptMark | None) -> tuple[Mark | None, str | None, str | None]:
    return (None, None, None) if kept is None else (kept.mark, kept.reason, kept.evidence)
