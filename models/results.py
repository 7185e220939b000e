"""Results (kết quả): the frozen versions of the list, and why each group is on it or not."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, delete, select, update

from models import journal
from models.campaigns import file_of
from models.consolidation import FINAL, STANDS, consolidate
from models.groups import GroupRef, groups_of
from models.meetings import check_meeting
from models.permits import permit
from models.sheets import known_of
from models.tables import (
    Campaign,
    Explanation,
    GroupCase,
    GroupResult,
    ListVersion,
    ResidentialGroup,
    Score,
    Unit,
    WorkItem,
)
from models.work_items import complete
from rules.criteria import Verdict
from rules.deeds import Deed
from rules.scoring import Outcome, assess
from rules.stages import DONE_BY_FREEZING, Stage

# How many groups are explained at a time.
AT_A_TIME = 500


class ResultsIncomplete(Exception):
    """Groups proposed by dossiers that came have no result yet; `groups` names the first of them."""

    def __init__(self, count: int, groups: tuple[str, ...]) -> None:
        super().__init__(f"{count}: {', '.join(groups)}")
        self.count, self.groups = count, groups


class ChangedWithoutReason(Exception):
    """The list was frozen before; a version that differs from it says why."""

    def __init__(self, version: int) -> None:
        super().__init__(str(version))
        self.version = version


class NothingFrozen(Exception):
    """No list of this campaign has been frozen yet."""


class UnknownVersion(Exception):
    """The list has no such version; `known` are those it has."""

    def __init__(self, version: int, known: tuple[int, ...]) -> None:
        super().__init__(str(version))
        self.version, self.known = version, known


class ExplanationsUnanswered(Exception):
    """Communes have explained scores that no agency has looked at again; `count` of them."""

    def __init__(self, count: int) -> None:
        super().__init__(str(count))
        self.count = count


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen version: how many groups it holds, how many of them are recognised, and its hash."""

    version: int
    frozen_at: datetime
    by: str | None
    reason: str
    groups: int
    recognised: int
    hash: str


def freeze_list(
    session: Session,
    campaign: Campaign,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    reason: str | None = None,
) -> Frozen | None:
    """Freeze the consolidated list (chốt danh sách), and return the version that now stands.

    Where it was frozen before, a list that has not changed stays the version it was; one that has
    becomes the next, with a reason. A campaign whose scores are kept elsewhere is frozen without a
    list, and None comes back. With a reason the list may also leave groups without a result: they
    are not recognised.

    Raises DeedRefused outside consolidation (or, the second time, after the decision),
    MeetingFallsShort, ResultsIncomplete, ExplanationsUnanswered, ChangedWithoutReason.
    """
    is_first = campaign.list_frozen_at is None
    permit(campaign, Deed.CONCLUDE if is_first else Deed.FREEZE_AGAIN, at=at, recorded_at=recorded_at)
    frozen = None
    if _has_scores(session, campaign):
        meeting_id = check_meeting(session, campaign)
        frozen = _next_version(
            session, campaign, meeting_id, at=at, recorded_at=recorded_at, by=by, reason=reason or ""
        )
    elif not is_first:
        return None
    if frozen is None and not is_first:
        return latest(session, campaign)
    campaign.list_frozen_at = at
    session.add(campaign)
    session.flush()
    journal.write(
        session,
        campaign,
        "list_frozen",
        at=at,
        recorded_at=recorded_at,
        by=by,
        detail={
            "version": frozen.version,
            "groups": frozen.groups,
            "recognised": frozen.recognised,
            "hash": frozen.hash,
            **({"reason": frozen.reason} if frozen.reason else {}),
        }
        if frozen
        else {},
    )
    settled = select(WorkItem.id).where(
        WorkItem.campaign_id == campaign.id, col(WorkItem.kind).in_(DONE_BY_FREEZING)
    )
    if campaign.stage is Stage.CONSOLIDATION:
        complete(session, campaign, settled, at=at)
    return frozen


def _has_scores(session: Session, campaign: Campaign) -> bool:
    """Say whether anything about a group was recorded here; a campaign may keep its scores on paper."""
    scored = session.exec(select(Score.leaf).where(Score.campaign_id == campaign.id).limit(1)).first()
    listed = session.exec(select(GroupCase.group_id).where(GroupCase.campaign_id == campaign.id).limit(1))
    return scored is not None or listed.first() is not None


def _next_version(
    session: Session,
    campaign: Campaign,
    meeting_id: int | None,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    reason: str,
) -> Frozen | None:
    """Write the next version; None where it would say what the last one says."""
    last = latest(session, campaign)
    row = ListVersion(
        campaign_id=campaign.id,
        version=(last.version if last else 0) + 1,
        frozen_at=at,
        recorded_at=recorded_at,
        frozen_by=by,
        reason=reason or ("-" if last else ""),
        meeting_id=meeting_id,
        groups=0,
        recognised=0,
        hash="",
    )
    session.add(row)
    session.flush()
    row.groups = consolidate(session, campaign, row.id, meeting_id)
    _explain(session, campaign, row.id)
    row.hash = list_hash(session, campaign, row.id)
    row.recognised = session.exec(
        select(func.count())
        .select_from(GroupResult)
        .where(GroupResult.version_id == row.id, col(GroupResult.is_recognised))
    ).one()
    if last is not None and row.hash == last.hash:
        session.execute(delete(GroupResult).where(col(GroupResult.version_id) == row.id))
        session.delete(row)
        session.flush()
        return None
    if last is not None and not reason:
        raise ChangedWithoutReason(last.version)
    if not reason:
        _check_complete(session, row.id)
        _check_answered(session, campaign)
    session.add(row)
    session.flush()
    return _frozen(row)


def _check_complete(session: Session, version_id: int) -> None:
    rows = session.exec(
        select(ResidentialGroup.name)
        .join(GroupResult, col(GroupResult.group_id) == ResidentialGroup.id)
        .where(
            GroupResult.version_id == version_id,
            col(GroupResult.is_proposed),
            GroupResult.verdict == Verdict.INCOMPLETE,
        )
        .order_by(col(ResidentialGroup.id))
    ).all()
    if rows:
        raise ResultsIncomplete(len(rows), tuple(rows[:5]))


def _check_answered(session: Session, campaign: Campaign) -> None:
    count = session.exec(
        select(func.count())
        .select_from(Explanation)
        .where(Explanation.campaign_id == campaign.id, col(Explanation.answered_at).is_(None))
    ).one()
    if count:
        raise ExplanationsUnanswered(count)


def _explain(session: Session, campaign: Campaign, version_id: int) -> None:
    """Write beside every group that is not recognised why it is not: which rule, and by how much."""
    wanted = {
        row.group_id: row
        for row in session.exec(
            select(GroupResult).where(GroupResult.version_id == version_id, ~col(GroupResult.is_recognised))
        )
    }
    criteria = file_of(campaign).criteria
    groups = [group for group in groups_of(session, campaign) if group.id in wanted]
    for some in _in_parts(groups):
        rows = []
        for known in known_of(session, campaign, some):
            found = assess(criteria, known.sheet())
            result = wanted[known.group.id]
            reasons = [
                {
                    "rule": each.rule,
                    "code": each.code,
                    "need": each.need,
                    "got": each.got,
                    "outcome": each.outcome.value,
                }
                for each in found.reasons
                if each.outcome is not Outcome.HELD
            ]
            if known.case is not None and not known.case.is_proposed:
                reasons = [_reason("not_proposed", known.case.reason)]
            elif known.case is None:
                reasons = [_reason("not_listed")]
            elif result.verdict is Verdict.MET:
                reasons.append(_reason("meeting_vote"))
            rows.append({"of_group": known.group.id, "why": reasons})
        session.connection().execute(
            update(GroupResult)
            .where(
                col(GroupResult.version_id) == version_id,
                col(GroupResult.group_id) == bindparam("of_group"),
            )
            .values(reasons=bindparam("why", type_=GroupResult.__table__.c.reasons.type)),  # type: ignore[attr-defined]
            rows,
        )


def _reason(rule: str, got: str | None = None) -> dict[str, Any]:
    """Return a reason that no rule of scoring gives."""
    return {"rule": rule, "code": None, "need": None, "got": got, "outcome": Outcome.FAILED.value}


def _in_parts(groups: Sequence[GroupRef]) -> Iterator[Sequence[GroupRef]]:
    for first in range(0, len(groups), AT_A_TIME):
        yield groups[first : first + AT_A_TIME]


def list_hash(session: Session, campaign: Campaign, version_id: int) -> str:
    """Return the SHA-256 of a version: every group with its result, and every score that counted.

    The same content has the same hash, on either database and in whatever order its rows lie.
    """
    whole = sha256(campaign.code.encode())
    names = {group.id: f"{group.unit}/{group.name}" for group in groups_of(session, campaign)}
    rows = session.exec(select(GroupResult).where(GroupResult.version_id == version_id))
    for row in sorted(rows, key=lambda each: names[each.group_id]):
        totals = (row.self_total, row.agency_total, row.consolidated_total, row.final_total)
        said = [
            names[row.group_id],
            row.is_proposed,
            row.is_recognised,
            row.verdict.value,
            row.level,
            [None if each is None else str(each) for each in totals],
            row.reasons,
        ]
        whole.update(json.dumps(said, ensure_ascii=False, sort_keys=True).encode())
    scores = session.execute(
        select(Score.group_id, Score.leaf, STANDS, FINAL)
        .where(Score.campaign_id == campaign.id)
        .order_by(col(Score.group_id))
        .execution_options(yield_per=10_000)
    )
    # By name, in an order of our own: the numbers of rows, and what a database sorts first, are no content.
    for name, digest in sorted(
        (str(names.get(group_id)), _digest(of_group))
        for group_id, of_group in groupby(scores, key=itemgetter(0))
    ):
        whole.update(f"{name}|{digest}\n".encode())
    return whole.hexdigest()


def _digest(scores: Iterable[Any]) -> str:
    """Return the SHA-256 over the scores that counted for one group."""
    lines = sorted(f"{leaf}|{stands}|{points}\n" for _, leaf, stands, points in scores)
    return sha256("".join(lines).encode()).hexdigest()


def _frozen(row: ListVersion) -> Frozen:
    return Frozen(row.version, row.frozen_at, row.frozen_by, row.reason, row.groups, row.recognised, row.hash)


def versions_of(session: Session, campaign: Campaign) -> list[Frozen]:
    """Return the frozen versions of a campaign's list, the first one first."""
    rows = session.exec(
        select(ListVersion).where(ListVersion.campaign_id == campaign.id).order_by(col(ListVersion.version))
    )
    return [_frozen(row) for row in rows]


def latest(session: Session, campaign: Campaign) -> Frozen | None:
    """Return the version that stands, or None before the list is frozen."""
    return next(reversed(versions_of(session, campaign)), None)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one group in one version; `reasons` are `{"rule", "code", "need", "got", "outcome"}`."""

    unit: str
    unit_name: str
    group: str
    is_proposed: bool
    is_recognised: bool
    verdict: Verdict
    level: str | None
    self_total: Decimal | None
    agency_total: Decimal | None
    consolidated_total: Decimal | None
    final_total: Decimal | None
    reasons: tuple[dict[str, Any], ...]


def results_of(
    session: Session, campaign: Campaign, version: int | None = None
) -> tuple[Frozen, list[Result]]:
    """Return a frozen version with the result of every group in official order; the newest by default.

    Raises NothingFrozen, UnknownVersion.
    """
    known = versions_of(session, campaign)
    if not known:
        raise NothingFrozen
    wanted = known[-1].version if version is None else version
    chosen = next((each for each in known if each.version == wanted), None)
    if chosen is None:
        raise UnknownVersion(wanted, tuple(each.version for each in known))
    rows = session.execute(
        select(GroupResult, ResidentialGroup.name, Unit.code, Unit.name)
        .join(ListVersion, col(ListVersion.id) == GroupResult.version_id)
        .join(ResidentialGroup, col(ResidentialGroup.id) == GroupResult.group_id)
        .join(Unit, col(Unit.id) == ResidentialGroup.unit_id)
        .where(ListVersion.campaign_id == campaign.id, ListVersion.version == chosen.version)
        .order_by(col(Unit.position), col(Unit.id), col(ResidentialGroup.position), col(ResidentialGroup.id))
    )
    return chosen, [
        Result(
            unit,
            unit_name,
            group,
            row.is_proposed,
            row.is_recognised,
            row.verdict,
            row.level,
            row.self_total,
            row.agency_total,
            row.consolidated_total,
            row.final_total,
            tuple(row.reasons),
        )
        for row, group, unit, unit_name in rows
    ]
