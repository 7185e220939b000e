"""Reviews (thẩm định): each agency its own criteria over all dossiers, and what it asks to be completed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from models import journal
from models.agencies import agency_id, check_handed_in, groups_handed_in
from models.assessors import check_assessor
from models.explanations import answer_explanations
from models.groups import UnknownLeaf, get_group, groups_of, leaves_of
from models.marks import NewMark, agree, give_marks
from models.permits import permit
from models.tables import (
    Campaign,
    CampaignLeaf,
    Explanation,
    GroupCase,
    Score,
)
from rules.criteria import Mark
from rules.deeds import Deed
from rules.reviews import ScoreKind


class ReviewIncomplete(Exception):
    """A review leaves leaves without a score, or explanations without an answer."""

    def __init__(self, unscored: int, unanswered: int) -> None:
        super().__init__(f"{unscored} unscored, {unanswered} unanswered")
        self.unscored, self.unanswered = unscored, unanswered


@dataclass(frozen=True, slots=True)
class AgencyMark:
    """What an agency finds at one leaf; a score other than the commune's own needs the reason."""

    unit: str
    group: str | None
    leaf: str
    mark: Mark
    reason: str | None = None
    evidence: str | None = None


def assess(
    session: Session,
    campaign: Campaign,
    agency: str,
    marks: Sequence[AgencyMark],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Record what an agency finds (thẩm định): it agrees with a self-score, or overrules it with a reason.

    An explanation of the commune about the same leaf is answered by it. Returns how many scores
    were new or changed. Raises UnknownUnit for no agency, UnknownLeaf for a leaf that is not its
    own, UnknownGroup, NotHandedIn, NobodyNamed, ConflictOfInterest, ReasonMissing, BadMark,
    DeedRefused; then nothing is recorded.
    """
    permit(campaign, Deed.ASSESS, at=at, recorded_at=recorded_at)
    agency_id(session, campaign, agency)
    own = leaves_of(session, campaign, agency)
    groups = {(each.unit, each.name): each for each in groups_of(session, campaign)}
    found = []
    for each in marks:
        if each.leaf not in own:
            raise UnknownLeaf(each.leaf, tuple(own))
        group = groups.get((each.unit, each.group or "")) or get_group(
            session, campaign, each.unit, each.group
        )
        found.append((group, each))
    check_handed_in(session, campaign, sorted({group.unit for group, _ in found}))
    check_assessor(session, campaign, by, [group for group, _ in found])
    given = give_marks(
        session,
        campaign,
        ScoreKind.AGENCY,
        [NewMark(group.id, each.leaf, each.mark, each.reason, each.evidence) for group, each in found],
        at=at,
        recorded_at=recorded_at,
        by=by,
    )
    answered = answer_explanations(session, campaign, found, at=at, by=by)
    journal.write(
        session,
        campaign,
        "assessed",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=agency,
        detail={"scores": given, **({"explanations_answered": answered} if answered else {})},
    )
    return given


def agree_with_the_rest(
    session: Session,
    campaign: Campaign,
    agency: str,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> int:
    """Agree with every self-score of its criteria that an agency has not scored; returns how many.

    Raises NobodyNamed, and ConflictOfInterest where the person has a part in one of the groups.
    """
    permit(campaign, Deed.ASSESS, at=at, recorded_at=recorded_at)
    of_agency = agency_id(session, campaign, agency)
    chosen = set(session.exec(groups_handed_in(campaign)))
    check_assessor(
        session, campaign, by, [each for each in groups_of(session, campaign) if each.id in chosen]
    )
    agreed = agree(
        session, campaign, of_agency, groups_handed_in(campaign), at=at, recorded_at=recorded_at, by=by
    )
    journal.write(
        session,
        campaign,
        "agreed",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=agency,
        detail={"scores": agreed},
    )
    return agreed


def check_review(session: Session, campaign: Campaign, agency: str) -> None:
    """Return where an agency has scored all it has before it and answered every explanation.

    Only what a commune scored itself is asked for: a campaign whose scores are kept elsewhere has
    nothing open here. Raises ReviewIncomplete.
    """
    of_agency = agency_id(session, campaign, agency)
    own = and_(col(CampaignLeaf.campaign_id) == campaign.id, col(CampaignLeaf.unit_id) == of_agency)
    unscored = session.exec(
        select(func.count())
        .select_from(Score)
        .join(CampaignLeaf, and_(own, col(CampaignLeaf.leaf) == Score.leaf))
        .join(
            GroupCase,
            and_(col(GroupCase.campaign_id) == Score.campaign_id, col(GroupCase.group_id) == Score.group_id),
        )
        .where(
            Score.campaign_id == campaign.id,
            col(Score.self_is).is_not(None),
            col(Score.agency_is).is_(None),
            col(GroupCase.is_proposed),
            col(Score.group_id).in_(groups_handed_in(campaign)),
        )
    ).one()
    unanswered = session.exec(
        select(func.count())
        .select_from(Explanation)
        .join(CampaignLeaf, and_(own, col(CampaignLeaf.leaf) == Explanation.leaf))
        .where(Explanation.campaign_id == campaign.id, col(Explanation.answered_at).is_(None))
    ).one()
    if unscored or unanswered:
        raise ReviewIncomplete(unscored, unanswered)
