"""Consolidation (tổng hợp): totals and verdicts of every group of a campaign, in one statement.

The rules are those of `rules.scoring`, said in SQL; a test holds the two against each other.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, and_, case, cast, exists, false, func, literal, or_, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select

from models.campaigns import file_of
from models.groups import limits
from models.inserting import inserting, written
from models.meetings import WHOLE_LIST
from models.notices import NO_TEXT
from models.tables import (
    Campaign,
    CampaignGroup,
    CampaignLeaf,
    ChildrenRecognised,
    GroupCase,
    GroupResult,
    MeetingVote,
    ResidentialGroup,
    Score,
    Submission,
    VetoFound,
    WorkItem,
)
from models.tables.scores import SCALE, Points
from rules.criteria import (
    ATTENDEES,
    ChildrenShare,
    CriteriaSet,
    Criterion,
    CriterionFloor,
    Levels,
    Method,
    NotApplicable,
    TotalMin,
    TotalMinByClass,
    Verdict,
    Vetoes,
    VoteMin,
)
from rules.meetings import MeetingRules
from rules.reviews import Standing
from rules.work_items import ItemKind

NO_POINTS = literal(None, Points())

# Which score counts, and the points it brings: the first that was given (rules.reviews.COUNTS).
STANDS: Any = func.coalesce(col(Score.final_is), col(Score.consolidated_is), col(Score.agency_is))
FINAL = case(
    (col(Score.final_is).is_not(None), col(Score.final_points)),
    (col(Score.consolidated_is).is_not(None), col(Score.consolidated_points)),
    else_=col(Score.agency_points),
)
CONSOLIDATED = case(
    (col(Score.consolidated_is).is_not(None), col(Score.consolidated_points)),
    else_=col(Score.agency_points),
)


def consolidate(session: Session, campaign: Campaign, version_id: int, meeting_id: int | None = None) -> int:
    """Write the result of every group of a campaign into a version of its list; returns how many.

    One statement, however many groups there are. Why a group is not recognised is said elsewhere.
    """
    judged = judgements(campaign)
    file = file_of(campaign)
    has_points = file.criteria.method is not Method.PASS_FAIL_ALL
    names = ("self_total", "agency_total", "consolidated_total", "final_total")
    rows: Any = select(  # type: ignore[call-overload]
        literal(version_id),
        judged.c.group_id,
        judged.c.is_proposed,
        and_(
            judged.c.is_proposed,
            judged.c.is_handed_in,
            judged.c.verdict == Verdict.MET.value,
            _is_carried(judged.c.group_id, meeting_id, file.meeting or MeetingRules()),
        ),
        judged.c.verdict,
        _level(file.criteria, judged.c.final_total),
        *[judged.c[name] if has_points else NO_POINTS for name in names],
        literal([], JSON()),
    )
    columns = ["version_id", "group_id", "is_proposed", "is_recognised", "verdict", "level", *names]
    return written(
        session.execute(
            inserting(session, GroupResult)
            .from_select([*columns, "reasons"], rows)
            .execution_options(preserve_rowcount=True)
        )
    )


def judgements(campaign: Campaign) -> Any:
    """Return the subquery of every group with its case, its four totals and its verdict."""
    file = file_of(campaign)
    facts = _facts(campaign, file.criteria, file.area_class)
    failed = or_(false(), *_failed(file.criteria, facts))
    is_open = or_(facts.c.given < len(file.criteria.leaves()), *_open(file.criteria, facts))
    if file.criteria.gaps:
        # By a set that is not known whole nobody can be found to have met it.
        is_open = true()
    verdict = case(
        (failed, Verdict.NOT_MET.value), (is_open, Verdict.INCOMPLETE.value), else_=Verdict.MET.value
    )
    columns: list[Any] = [*facts.c, verdict.label("verdict")]
    return select(*columns).subquery("judged")


def _sums(campaign: Campaign, criteria: CriteriaSet) -> Any:
    """Return what the scores of each group come to: totals, and per criterion the points it has lost."""
    lost = [
        func.sum(case((col(CampaignLeaf.criterion) == branch.code, col(CampaignLeaf.highest) - FINAL))).label(
            f"lost_{place}"
        )
        for place, branch in enumerate(criteria.branches)
    ]
    left_out = [
        func.sum(
            case(
                (
                    and_(col(CampaignLeaf.criterion) == branch.code, Standing.LEFT_OUT.value == STANDS),
                    col(CampaignLeaf.max_points),
                )
            )
        ).label(f"left_{place}")
        for place, branch in enumerate(criteria.branches)
        if _may_be_left_out(branch)
    ]
    return (
        select(  # type: ignore[call-overload]
            Score.group_id,
            func.sum(col(Score.self_points)).label("self_total"),
            func.sum(col(Score.agency_points)).label("agency_total"),
            func.sum(CONSOLIDATED).label("consolidated_total"),
            func.sum(FINAL).label("final_total"),
            func.count(STANDS).label("given"),
            func.sum(case((Standing.NOT_MET.value == STANDS, 1), else_=0)).label("not_met"),
            *lost,
            *left_out,
        )
        .join(
            CampaignLeaf,
            and_(col(CampaignLeaf.campaign_id) == Score.campaign_id, col(CampaignLeaf.leaf) == Score.leaf),
        )
        .where(Score.campaign_id == campaign.id)
        .group_by(col(Score.group_id))
        .subquery("sums")
    )


def _may_be_left_out(branch: Criterion) -> bool:
    return any(leaf.not_applicable is NotApplicable.OWN_GROUP for leaf in branch.leaves())


def _facts(campaign: Campaign, criteria: CriteriaSet, area_class: str | None) -> Any:
    """Return every group with its sums, what its commune said of it, and whether its dossier came."""
    sums = _sums(campaign, criteria)
    units = (
        select(WorkItem.unit_id)
        .join(Submission, col(Submission.item_id) == WorkItem.id)
        .where(WorkItem.campaign_id == campaign.id, WorkItem.kind == ItemKind.DOSSIER)
    )
    zero = literal(Decimal(0), Points())
    best, base = _best(criteria, sums), _base(criteria, sums)
    return (
        select(  # type: ignore[call-overload]
            col(CampaignGroup.group_id).label("group_id"),
            func.coalesce(col(GroupCase.is_proposed), false()).label("is_proposed"),
            col(ResidentialGroup.unit_id).in_(units).label("is_handed_in"),
            func.coalesce(col(GroupCase.area_class), literal(area_class) if area_class else NO_TEXT).label(
                "area_class"
            ),
            col(GroupCase.invited).label("invited"),
            col(GroupCase.attended).label("attended"),
            col(GroupCase.in_favour).label("in_favour"),
            col(GroupCase.votes_percent).label("votes_percent"),
            col(ChildrenRecognised.children).label("children"),
            col(ChildrenRecognised.recognised).label("children_recognised"),
            sums.c.self_total,
            sums.c.agency_total,
            sums.c.consolidated_total,
            func.coalesce(sums.c.final_total, zero).label("final_total"),
            func.coalesce(sums.c.given, 0).label("given"),
            func.coalesce(sums.c.not_met, 0).label("not_met"),
            _sum(best).label("best_total"),
            *[each.label(f"best_{place}") for place, each in enumerate(best)],
            *[each.label(f"base_{place}") for place, each in enumerate(base)],
            _is_vetoed(campaign).label("is_vetoed"),
        )
        .select_from(CampaignGroup)
        .join(ResidentialGroup, col(ResidentialGroup.id) == CampaignGroup.group_id)
        .outerjoin(
            GroupCase,
            and_(
                col(GroupCase.campaign_id) == CampaignGroup.campaign_id,
                col(GroupCase.group_id) == CampaignGroup.group_id,
            ),
        )
        .outerjoin(
            ChildrenRecognised,
            and_(
                col(ChildrenRecognised.campaign_id) == CampaignGroup.campaign_id,
                col(ChildrenRecognised.group_id) == CampaignGroup.group_id,
            ),
        )
        .outerjoin(sums, sums.c.group_id == CampaignGroup.group_id)
        .where(CampaignGroup.campaign_id == campaign.id)
        .subquery("facts")
    )


def _best(criteria: CriteriaSet, sums: Any) -> list[ColumnElement[Any]]:
    """Return for each criterion the most it can still come to: its highest less what is lost already.

    Where nothing is missing that is what it has come to. NULL where the set does not say its highest.
    """
    found: list[ColumnElement[Any]] = []
    for place, branch in enumerate(criteria.branches):
        highest = [limits(criteria, leaf)[1] for leaf in branch.leaves()]
        if not _is_bounded(criteria, branch):
            found.append(NO_POINTS)
            continue
        most: Any = literal(sum((each for each in highest if each is not None), Decimal(0)), Points())
        left = _zero_or(sums, f"left_{place}")
        found.append(most - _zero_or(sums, f"lost_{place}") - left)
    return found


def _is_bounded(criteria: CriteriaSet, branch: Criterion) -> bool:
    return all(limits(criteria, leaf)[1] is not None for leaf in branch.leaves())


def _base(criteria: CriteriaSet, sums: Any) -> list[ColumnElement[Any]]:
    """Return for each criterion the maximum that its floor is a share of, without what is left out."""
    return [
        literal(branch.max_points, Points()) - _zero_or(sums, f"left_{place}")
        if branch.max_points is not None
        else NO_POINTS
        for place, branch in enumerate(criteria.branches)
    ]


def _zero_or(sums: Any, name: str) -> Any:
    zero = literal(Decimal(0), Points())
    return func.coalesce(sums.c[name], zero) if name in sums.c else zero


def _sum(parts: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def _is_vetoed(campaign: Campaign) -> ColumnElement[bool]:
    return exists().where(
        col(VetoFound.campaign_id) == campaign.id,
        col(VetoFound.group_id) == CampaignGroup.group_id,
        col(VetoFound.lifted_at).is_(None),
    )


def _failed(criteria: CriteriaSet, facts: Any) -> Iterator[Any]:
    """Yield for each rule that it fails even if all that is missing were at its best."""
    if criteria.method is Method.PASS_FAIL_ALL:
        yield facts.c.not_met > 0
    for rule in criteria.rules:
        match rule:
            case TotalMin(points=Decimal() as points):
                yield facts.c.best_total < literal(points, Points())
            case TotalMinByClass():
                yield facts.c.best_total < _threshold(rule, facts, none=min)
            case CriterionFloor(percent=percent):
                for place, branch in enumerate(criteria.branches):
                    # A floor is a share of a maximum, and what can still come may not be known.
                    if branch.max_points is None or not _is_bounded(criteria, branch):
                        continue
                    yield facts.c[f"best_{place}"] * 100 * SCALE < facts.c[f"base_{place}"] * _whole(percent)
            case Vetoes():
                yield facts.c.is_vetoed
            case VoteMin():
                yield from _votes_failed(rule, facts)
            case ChildrenShare(percent=percent):
                recognised, children = _wide(facts.c.children_recognised), _wide(facts.c.children)
                yield recognised * 100 * SCALE < children * _whole(percent)
            case Levels(bands=bands):
                yield facts.c.best_total < literal(min(band.from_value for band in bands), Points())


def _open(criteria: CriteriaSet, facts: Any) -> Iterator[Any]:
    """Yield for each rule that nobody can say yet whether it holds."""
    for rule in criteria.rules:
        match rule:
            case TotalMin(points=None):
                yield true()
            case TotalMinByClass():
                threshold = _threshold(rule, facts, none=max)
                yield or_(threshold.is_(None), facts.c.final_total < threshold)
            case VoteMin():
                yield and_(_is_uncounted(rule, facts), facts.c.votes_percent.is_(None))
            case ChildrenShare():
                yield facts.c.children.is_(None)


def _threshold(rule: TotalMinByClass, facts: Any, *, none: Any) -> Any:
    """Return the threshold of a group's class; where that is not known, the lowest or the highest of all."""
    known = [each.points for each in rule.classes if each.points is not None]
    whole = len(known) == len(rule.classes) or none is min
    unknown = literal(none(known), Points()) if known and whole else NO_POINTS
    cases = [
        (facts.c.area_class == each.code, literal(each.points, Points()))
        for each in rule.classes
        if each.points is not None
    ]
    return case((facts.c.area_class.is_(None), unknown), *cases, else_=NO_POINTS)


def _votes_failed(rule: VoteMin, facts: Any) -> Iterator[Any]:
    yield _wide(facts.c.in_favour) * 100 * SCALE < _wide(_voters(rule, facts)) * _whole(rule.percent)
    yield and_(_is_uncounted(rule, facts), facts.c.votes_percent < literal(rule.percent, Points()))
    if rule.quorum_percent is not None:
        yield _wide(facts.c.attended) * 100 * SCALE < _wide(facts.c.invited) * _whole(rule.quorum_percent)


def _voters(rule: VoteMin, facts: Any) -> Any:
    return facts.c.attended if rule.of == ATTENDEES else facts.c.invited


def _is_uncounted(rule: VoteMin, facts: Any) -> Any:
    """Say whether no people were counted: where nobody was there, only a share that was told is known."""
    return func.coalesce(_voters(rule, facts), 0) == 0


def _wide(count: Any) -> Any:
    """Return a count that can be multiplied: PostgreSQL takes its product for one of four bytes otherwise."""
    return cast(count, BigInteger)


def _whole(percent: Decimal) -> int:
    """Return a percentage in ten-thousandths, so that shares are compared in whole numbers."""
    return int(percent * SCALE)


def _level(criteria: CriteriaSet, total: Any) -> Any:
    bands = [band for rule in criteria.rules if isinstance(rule, Levels) for band in rule.bands]
    if not bands:
        return NO_TEXT
    return case(
        *[
            (
                and_(
                    total >= literal(band.from_value, Points()),
                    true() if band.below is None else total < literal(band.below, Points()),
                ),
                literal(band.name),
            )
            for band in bands
        ],
        else_=NO_TEXT,
    )


def _is_carried(group_id: Any, meeting_id: int | None, rules: MeetingRules) -> Any:
    """Say whether the meeting was for a group: its own vote, or else that on the whole list."""
    if meeting_id is None:
        return true()
    given = MeetingVote.in_favour + MeetingVote.against + MeetingVote.abstained
    share = rules.in_favour
    is_for = case(
        (col(MeetingVote.in_favour) * share.denominator > given * share.numerator, true()), else_=false()
    )
    own = (
        select(is_for)
        .where(MeetingVote.meeting_id == meeting_id, MeetingVote.group_id == group_id)
        .scalar_subquery()
    )
    whole = (
        select(is_for)
        .where(MeetingVote.meeting_id == meeting_id, MeetingVote.subject == WHOLE_LIST)
        .scalar_subquery()
    )
    return func.coalesce(own, whole, true())
