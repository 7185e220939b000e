"""Explanations (giải trình): what a commune says to a score it does not share, and the second look."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from models import journal
from models.groups import GroupRef, UnknownLeaf, get_group, leaves_of
from models.permits import permit
from models.reopening import ask_again
from models.tables import Campaign, CampaignLeaf, Explanation, ResidentialGroup, Score, Unit
from models.work_items import get_item
from rules.deeds import Deed
from rules.work_items import ItemKind

if TYPE_CHECKING:
    from models.reviews import AgencyMark


def explain(
    session: Session,
    campaign: Campaign,
    unit: str,
    leaf: str,
    *,
    group: str | None,
    words: str,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> str | None:
    """Record what a commune explains about an agency's score (giải trình); the agency looks again.

    Returns the code of the agency whose score it is. Raises UnknownUnit, UnknownGroup, UnknownLeaf,
    NothingToExplain where the agency has not departed from the commune's score, DeedRefused.
    """
    permit(campaign, Deed.EXPLAIN, at=at, recorded_at=recorded_at)
    get_item(session, campaign, ItemKind.DOSSIER, unit)
    found = get_group(session, campaign, unit, group)
    known = leaves_of(session, campaign)
    if leaf not in known:
        raise UnknownLeaf(leaf, tuple(known))
    score = session.exec(
        select(Score).where(Score.campaign_id == campaign.id, Score.group_id == found.id, Score.leaf == leaf)
    ).one_or_none()
    if score is None or score.agency_is is None or not _departs(score):
        raise NothingToExplain(found.name, leaf)
    session.add(
        Explanation(
            campaign_id=campaign.id,
            group_id=found.id,
            leaf=leaf,
            words=words.strip(),
            explained_at=at,
            recorded_at=recorded_at,
            explained_by=by,
        )
    )
    session.flush()
    agency = session.exec(
        select(Unit.code)
        .join(CampaignLeaf, col(CampaignLeaf.unit_id) == Unit.id)
        .where(CampaignLeaf.campaign_id == campaign.id, CampaignLeaf.leaf == leaf)
    ).one_or_none()
    ask_again(
        session,
        campaign,
        because="explained",
        dossier=unit,
        agencies=[agency] if agency else [],
        at=at,
        recorded_at=recorded_at,
    )
    journal.write(
        session,
        campaign,
        "explained",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"group": found.name, "leaf": leaf, "agency": agency, "words": words.strip()},
    )
    return agency


class NothingToExplain(Exception):
    """No agency has departed from the commune's own score there."""

    def __init__(self, group: str, leaf: str) -> None:
        super().__init__(f"{group}: {leaf}")
        self.group, self.leaf = group, leaf


def _departs(score: Score) -> bool:
    return (score.self_points, score.self_is) != (score.agency_points, score.agency_is)


def answer_explanations(
    session: Session,
    campaign: Campaign,
    found: Sequence[tuple[GroupRef, "AgencyMark"]],
    *,
    at: datetime,
    by: str | None,
) -> int:
    """Answer what was explained about these leaves: the second look stands, with its reason if it has one."""
    answers = {(group.id, each.leaf): (each.reason or "").strip() for group, each in found}
    rows = session.exec(
        select(Explanation).where(
            Explanation.campaign_id == campaign.id,
            col(Explanation.answered_at).is_(None),
            col(Explanation.group_id).in_({group.id for group, _ in found}),
        )
    ).all()
    answered = [row for row in rows if (row.group_id, row.leaf) in answers]
    for row in answered:
        row.answered_at, row.answered_by = at, by
        row.answer = answers[(row.group_id, row.leaf)]
        session.add(row)
    session.flush()
    return len(answered)


@dataclass(frozen=True, slots=True)
class Said:
    """An explanation as it was given, and the answer of the agency if it has looked again."""

    unit: str
    group: str
    leaf: str
    words: str
    at: datetime
    by: str | None
    answer: str | None
    answered_at: datetime | None


def explanations_of(session: Session, campaign: Campaign, unit: str | None = None) -> list[Said]:
    """Return every explanation of a campaign, or of one unit, in the order in which they came."""
    asked: Any = (
        select(Explanation, Unit.code, ResidentialGroup.name)
        .join(ResidentialGroup, col(ResidentialGroup.id) == Explanation.group_id)
        .join(Unit, col(Unit.id) == ResidentialGroup.unit_id)
        .where(Explanation.campaign_id == campaign.id)
        .order_by(col(Explanation.id))
    )
    if unit is not None:
        asked = asked.where(Unit.code == unit)
    return [
        Said(
            code,
            group,
            row.leaf,
            row.words,
            row.explained_at,
            row.explained_by,
            row.answer,
            row.answered_at,
        )
        for row, code, group in session.execute(asked)
    ]
