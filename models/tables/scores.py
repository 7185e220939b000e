"""What is assessed: leaves, groups, the four scores of each leaf, and what was said about them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Dialect, Index, UniqueConstraint
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.reviews import ScoreKind, Standing

# Points are kept as whole ten-thousandths: SQLite has no decimals, and a sum must be exact.
SCALE = 10_000


class Points(TypeDecorator[Decimal]):
    """Points of up to four decimals, kept as whole ten-thousandths; more decimals are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return the whole ten-thousandths."""
        if value is None:
            return None
        scaled = value * SCALE
        if scaled != scaled.to_integral_value():
            raise ValueError(f"points have at most four decimals: {value}")
        return int(scaled)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the points, without zeros that say nothing."""
        return None if value is None else from_scaled(int(value))


def from_scaled(value: int) -> Decimal:
    """Return points that the database summed as whole ten-thousandths."""
    points = Decimal(value) / SCALE
    return points.quantize(Decimal(1)) if points == points.to_integral_value() else points.normalize()


def points(*, optional: bool = True) -> Any:
    return Field(default=None, sa_column=Column(Points(), nullable=optional))


class CampaignLeaf(SQLModel, table=True):
    """A leaf of the criteria that a campaign scores, frozen when it opens, and the agency that does.

    `criterion` is the branch of the first level it belongs to, which floors look at. A score lies
    between `lowest` and `highest`, both NULL where the leaf brings no points; `max_points` is what
    it adds to the maximum of its criterion.
    """

    __tablename__ = "campaign_leaves"
    __table_args__ = (UniqueConstraint("campaign_id", "position"), Index(None, "unit_id"))

    campaign_id: int = Field(
        foreign_key="campaigns.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    leaf: str = Field(primary_key=True)
    position: int
    criterion: str
    max_points: Decimal | None = points()
    lowest: Decimal | None = points()
    highest: Decimal | None = points()
    unit_id: int | None = Field(default=None, foreign_key="units.id")


class GroupCase(SQLModel, table=True):
    """What a commune says of a group: proposed or not and why, its class of area, the people's vote."""

    __tablename__ = "group_cases"
    __table_args__ = (
        CheckConstraint("is_proposed OR reason <> ''", name="reason_when_not_proposed"),
        CheckConstraint("in_favour <= attended AND attended <= invited", name="votes_add_up"),
    )

    campaign_id: int = Field(
        foreign_key="campaigns.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    group_id: int = Field(
        foreign_key="residential_groups.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    is_proposed: bool
    reason: str = ""
    area_class: str | None = None
    invited: int | None = None
    attended: int | None = None
    in_favour: int | None = None
    votes_percent: Decimal | None = points()
    recorded_at: datetime = instant()
    recorded_by: str | None = None


class Score(SQLModel, table=True):
    """The four scores of one leaf of one group, side by side; how each came about stands in `marks`."""

    __tablename__ = "scores"

    campaign_id: int = Field(
        foreign_key="campaigns.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    group_id: int = Field(
        foreign_key="residential_groups.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    leaf: str = Field(primary_key=True)
    self_points: Decimal | None = points()
    self_is: Standing | None = one_of(Standing, optional=True, named="self_is")
    agency_points: Decimal | None = points()
    agency_is: Standing | None = one_of(Standing, optional=True, named="agency_is")
    consolidated_points: Decimal | None = points()
    consolidated_is: Standing | None = one_of(Standing, optional=True, named="consolidated_is")
    final_points: Decimal | None = points()
    final_is: Standing | None = one_of(Standing, optional=True, named="final_is")


class MarkGiven(SQLModel, table=True):
    """One score as somebody gave it: what he found, why, on what evidence, and when; never changed.

    `round` is which handing-in of the dossier it belongs to.
    """

    __tablename__ = "marks"
    __table_args__ = (Index(None, "campaign_id", "group_id", "leaf", "kind"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    group_id: int = Field(foreign_key="residential_groups.id")
    leaf: str
    kind: ScoreKind = one_of(ScoreKind)
    round: int
    found: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    points: Decimal | None = points()
    standing: Standing = one_of(Standing)
    reason: str | None = None
    evidence: str | None = None
    given_at: datetime = instant()
    recorded_at: datetime = instant()
    given_by: str | None = None


class VetoFound(SQLModel, table=True):
    """A case that excludes a group (điều kiện loại trừ); yes or no on the group, no names."""

    __tablename__ = "vetoes"
    __table_args__ = (
        CheckConstraint("(lifted_at IS NULL) = (lifted_because IS NULL)", name="lifted_with_a_reason"),
        Index(None, "campaign_id", "group_id"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    group_id: int = Field(foreign_key="residential_groups.id")
    code: str
    reason: str
    found_at: datetime = instant()
    recorded_at: datetime = instant()
    found_by: str | None = None
    lifted_at: datetime | None = instant(optional=True)
    lifted_because: str | None = None


class Recusal(SQLModel, table=True):
    """A person who may not assess a group or a unit, since he has a part in it."""

    __tablename__ = "recusals"
    __table_args__ = (Index(None, "campaign_id", "person"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    person: str
    unit_id: int = Field(foreign_key="units.id")
    group_id: int | None = Field(default=None, foreign_key="residential_groups.id")
    reason: str
    recorded_at: datetime = instant()


class Completion(SQLModel, table=True):
    """What an agency proposes that a commune completes; it goes with the next request to the commune."""

    __tablename__ = "completions"
    __table_args__ = (Index(None, "campaign_id", "unit_id"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    agency_id: int = Field(foreign_key="units.id")
    unit_id: int = Field(foreign_key="units.id")
    group_id: int | None = Field(default=None, foreign_key="residential_groups.id")
    leaf: str | None = None
    what: str
    proposed_at: datetime = instant()
    recorded_at: datetime = instant()
    proposed_by: str | None = None
    return_id: int | None = Field(default=None, foreign_key="returns.id")
    dropped_because: str | None = None


class Explanation(SQLModel, table=True):
    """What a commune explains about a score it does not share (giải trình), and the second look at it."""

    __tablename__ = "explanations"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered_with_words"),
        Index(None, "campaign_id", "group_id", "leaf"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    group_id: int = Field(foreign_key="residential_groups.id")
    leaf: str
    words: str
    explained_at: datetime = instant()
    recorded_at: datetime = instant()
    explained_by: str | None = None
    answered_at: datetime | None = instant(optional=True)
    answered_by: str | None = None
    answer: str | None = None
