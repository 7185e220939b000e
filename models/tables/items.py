"""What is due: deadlines with their steps, items, and what units hand in or ask for."""

from datetime import date, datetime

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.ladder import IfSilent, Ladder, Release
from rules.stages import Stage
from rules.work_items import ExtensionState, ItemKind, ItemState, VersionCause, Via


class DeadlineVersion(SQLModel, table=True):
    """One version of a deadline (thời hạn), shared by all items that have the same one.

    `cause` says why it was written; one that an amendment or an extension wrote names the version
    it takes the place of and the paper that allows it.
    """

    __tablename__ = "deadlines"
    __table_args__ = (CheckConstraint("closes_at <= late_from", name="closes_before_late"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    stage: Stage = one_of(Stage)
    version: int
    wording: str
    closes_at: datetime = instant()
    late_from: datetime = instant()
    written_at: datetime = instant()
    cause: VersionCause = one_of(VersionCause)
    replaces_id: int | None = Field(default=None, foreign_key="deadlines.id")
    paper_id: int | None = Field(default=None, foreign_key="papers.id")


class DeadlineStep(SQLModel, table=True):
    """A step of a ladder at one version of a deadline, with the instant at which it fires.

    `fired_at` is when a tick queued it for every item of that version that was open; a step is
    queued once. One that lay in the past when its version was written counts as fired then.
    """

    __tablename__ = "deadline_steps"
    __table_args__ = (UniqueConstraint("deadline_id", "step"),)

    id: int = Field(default=None, primary_key=True)
    deadline_id: int = Field(foreign_key="deadlines.id")
    ladder: Ladder = one_of(Ladder)
    step: str
    fires_at: datetime = instant(index=True)
    wants_draft: bool = False
    repeats: bool = False
    fired_at: datetime | None = instant(optional=True)


class StepRecipient(SQLModel, table=True):
    """To whom a step goes: the one addressed (`copy_no` 0), then those who get a copy."""

    __tablename__ = "step_recipients"

    step_id: int = Field(foreign_key="deadline_steps.id", primary_key=True)
    copy_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    role: str
    release: Release = one_of(Release)
    if_silent: IfSilent = one_of(IfSilent)


class WorkItem(SQLModel, table=True):
    """The one thing that is due (nhiệm vụ) from one unit; `subject` tells a complaint from another."""

    __tablename__ = "work_items"
    __table_args__ = (
        UniqueConstraint("campaign_id", "name"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_at_when_done"),
        Index(None, "deadline_id", "state"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    stage: Stage = one_of(Stage)
    kind: ItemKind = one_of(ItemKind)
    unit_id: int = Field(foreign_key="units.id")
    name: str
    deadline_id: int | None = Field(default=None, foreign_key="deadlines.id")
    state: ItemState = one_of(ItemState)
    opened_at: datetime = instant()
    done_at: datetime | None = instant(optional=True)
    acknowledged_at: datetime | None = instant(optional=True)
    subject: str | None = None


class ItemTerm(SQLModel, table=True):
    """A version of a deadline that an item is or was under, and since when."""

    __tablename__ = "item_terms"

    item_id: int = Field(foreign_key="work_items.id", primary_key=True)
    deadline_id: int = Field(foreign_key="deadlines.id", primary_key=True)
    since: datetime = instant()


class Submission(SQLModel, table=True):
    """A handing-in of an item: when it was received decides lateness, `number` is the incoming one."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("item_id", "round"),)

    id: int = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="work_items.id")
    round: int
    received_at: datetime = instant()
    recorded_at: datetime = instant()
    via: Via = one_of(Via)
    number: str | None = None
    handed_in_by: str | None = None
    is_not_proposing: bool = False
    deadline_id: int | None = Field(default=None, foreign_key="deadlines.id")


class DossierReturn(SQLModel, table=True):
    """One request to complete a dossier (yêu cầu bổ sung) with all its reasons, after one handing-in."""

    __tablename__ = "returns"
    __table_args__ = (UniqueConstraint("item_id", "round"),)

    id: int = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="work_items.id")
    round: int
    returned_at: datetime = instant()
    recorded_at: datetime = instant()
    returned_by: str | None = None
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    deadline_id: int = Field(foreign_key="deadlines.id")


class ExtensionRequest(SQLModel, table=True):
    """A request for more time (đề nghị gia hạn) and what became of it."""

    __tablename__ = "extension_requests"
    __table_args__ = (
        CheckConstraint("(state = 'asked') = (settled_at IS NULL)", name="settled_when_answered"),
        Index(None, "item_id", "state"),
    )

    id: int = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="work_items.id")
    state: ExtensionState = one_of(ExtensionState)
    asked_at: datetime = instant()
    recorded_at: datetime = instant()
    asked_by: str | None = None
    wanted: str | None = None
    reason: str
    number: str | None = None
    issued_on: date | None = None
    settled_at: datetime | None = instant(optional=True)
    answer: str | None = None
