"""How a campaign comes to its list: the meeting, the frozen versions, the result of each group."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from models.tables.scores import points
from rules.criteria import Verdict
from rules.meetings import Attendance, Ballot


class Meeting(SQLModel, table=True):
    """A meeting (cuộc họp) on the consolidated list: when it is called, when its papers went out."""

    __tablename__ = "meetings"

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    number: int
    holds_at: datetime = instant()
    place: str | None = None
    chair: str | None = None
    secretary: str | None = None
    invited_at: datetime = instant()
    papers_sent_at: datetime | None = instant(optional=True)
    held_at: datetime | None = instant(optional=True)
    called_off_because: str | None = None


class MeetingMember(SQLModel, table=True):
    """A member who was invited: present, absent, or absent with an opinion in writing."""

    __tablename__ = "meeting_members"
    __table_args__ = (
        CheckConstraint("(attendance = 'in_writing') = (opinion IS NOT NULL)", name="opinion_in_writing"),
    )

    meeting_id: int = Field(
        foreign_key="meetings.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    person: str = Field(primary_key=True)
    position: int
    unit_id: int | None = Field(default=None, foreign_key="units.id")
    attendance: Attendance | None = one_of(Attendance, optional=True)
    opinion: str | None = None
    opinion_at: datetime | None = instant(optional=True)


class MeetingVote(SQLModel, table=True):
    """How the members voted on one group, or on the whole list where `group_id` is NULL."""

    __tablename__ = "meeting_votes"
    __table_args__ = (UniqueConstraint("meeting_id", "subject"),)

    id: int = Field(default=None, primary_key=True)
    meeting_id: int = Field(foreign_key="meetings.id")
    subject: str  # "*" for the list, else the group's id
    group_id: int | None = Field(default=None, foreign_key="residential_groups.id")
    in_favour: int
    against: int
    abstained: int = 0
    ballot: Ballot = one_of(Ballot)


class ListVersion(SQLModel, table=True):
    """A frozen version of the consolidated list (bản tổng hợp đã chốt); a later one gives its reason."""

    __tablename__ = "list_versions"
    __table_args__ = (
        UniqueConstraint("campaign_id", "version"),
        CheckConstraint("version = 1 OR reason <> ''", name="reason_for_a_later_one"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    version: int
    frozen_at: datetime = instant()
    recorded_at: datetime = instant()
    frozen_by: str | None = None
    reason: str = ""
    meeting_id: int | None = Field(default=None, foreign_key="meetings.id")
    groups: int
    recognised: int
    hash: str


class GroupResult(SQLModel, table=True):
    """The result of one group in one frozen version: recognised or not, by how many points, and why."""

    __tablename__ = "results"
    __table_args__ = (Index(None, "group_id"),)

    version_id: int = Field(
        foreign_key="list_versions.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    group_id: int = Field(
        foreign_key="residential_groups.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    is_proposed: bool
    is_recognised: bool
    verdict: Verdict = one_of(Verdict)
    level: str | None = None
    self_total: Decimal | None = points()
    agency_total: Decimal | None = points()
    consolidated_total: Decimal | None = points()
    final_total: Decimal | None = points()
    reasons: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class ChildrenRecognised(SQLModel, table=True):
    """How many of the groups below a unit another campaign's frozen list has, and how many it recognises."""

    __tablename__ = "children_recognised"
    __table_args__ = (CheckConstraint("recognised <= children AND children > 0", name="some_of_them"),)

    campaign_id: int = Field(
        foreign_key="campaigns.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    group_id: int = Field(
        foreign_key="residential_groups.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    version_id: int = Field(foreign_key="list_versions.id")
    children: int
    recognised: int
