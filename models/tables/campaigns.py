"""Campaigns, their papers, and the journal."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.stages import Mode, Ower, PaperChange, PaperRole, SideState, Stage
from rules.work_items import LatePolicy


class Campaign(SQLModel, table=True):
    """A campaign (đợt xét, công nhận) with the copy of the files it was opened with."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("(stage = 'closed') = (closed_at IS NOT NULL)", name="closed_at_when_closed"),
    )

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    title: str
    stage: Stage = one_of(Stage)
    side_state: SideState | None = one_of(SideState, optional=True)
    mode: Mode = one_of(Mode)
    late_policy: LatePolicy = one_of(LatePolicy)
    files: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    files_hash: str
    opened_at: datetime = instant()
    records_past_steps: bool = False
    gone_on_from: Stage | None = one_of(Stage, optional=True, named="gone_on_from")
    list_frozen_at: datetime | None = instant(optional=True)
    closed_at: datetime | None = instant(optional=True)


class CampaignUnit(SQLModel, table=True):
    """What a unit is in one campaign; the list is frozen when the campaign opens."""

    __tablename__ = "campaign_units"

    campaign_id: int = Field(foreign_key="campaigns.id", primary_key=True)
    unit_id: int = Field(foreign_key="units.id", primary_key=True)
    part: Ower = one_of(Ower, primary_key=True)
    branches: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class CampaignGroup(SQLModel, table=True):
    """A residential group that a campaign is about; the list is frozen when the campaign opens."""

    __tablename__ = "campaign_groups"

    campaign_id: int = Field(foreign_key="campaigns.id", primary_key=True)
    group_id: int = Field(foreign_key="residential_groups.id", primary_key=True)


class StageEntry(SQLModel, table=True):
    """When a campaign entered a stage, and when whoever owes something in it was asked."""

    __tablename__ = "stage_entries"

    campaign_id: int = Field(foreign_key="campaigns.id", primary_key=True)
    stage: Stage = one_of(Stage, primary_key=True)
    entered_at: datetime = instant()
    asked_at: datetime | None = instant(optional=True)


class Paper(SQLModel, table=True):
    """A registered paper (văn bản đã ban hành); the program never invents its number or day.

    `change` says what it does to an earlier one, which stays as it was.
    """

    __tablename__ = "papers"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number", "issued_on"),
        CheckConstraint("number <> ''", name="number_given"),
        CheckConstraint("(change IS NULL) = (changes_id IS NULL)", name="changes_one"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    kind: str
    number: str
    issued_on: date
    title: str | None = None
    signed_by: str | None = None
    registered_at: datetime = instant()
    change: PaperChange | None = one_of(PaperChange, optional=True, named="change")
    changes_id: int | None = Field(default=None, foreign_key="papers.id")


class PaperPart(SQLModel, table=True):
    """A role that a paper plays; one paper may play several."""

    __tablename__ = "paper_roles"

    paper_id: int = Field(foreign_key="papers.id", primary_key=True)
    role: PaperRole = one_of(PaperRole, primary_key=True)


class Amendment(SQLModel, table=True):
    """A change of the plan in flight (điều chỉnh kế hoạch), by a paper."""

    __tablename__ = "amendments"
    __table_args__ = (UniqueConstraint("paper_id"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    paper_id: int = Field(foreign_key="papers.id")
    amended_at: datetime = instant()
    mode: Mode | None = one_of(Mode, optional=True)
    reason: str
    opens_on: date | None = None
    dues: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class JournalHead(SQLModel, table=True):
    """How long a campaign's journal is and the hash of its last entry; whoever adds one locks it."""

    __tablename__ = "journal_heads"

    campaign_id: int = Field(
        foreign_key="campaigns.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    length: int = 0
    hash: str


class JournalEntry(SQLModel, table=True):
    """Who did what, when it happened and when it was recorded (nhật ký xử lý).

    Nothing is ever changed or removed here: both databases refuse it, and each entry's `hash` is
    bound to the one before it.
    """

    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    number: int
    happened_at: datetime = instant()
    recorded_at: datetime = instant()
    done_by: str | None = None
    what: str
    unit: str | None = None
    stage: Stage = one_of(Stage)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    hash: str
