"""Every table, nothing but tables."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Enum, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.database import UtcDateTime
from rules.ladder import IfSilent, Ladder, Release
from rules.letters import Relation, UnitKind
from rules.notices import Channel, LetterState, NoticeKind, NoticeState
from rules.stages import Mode, Ower, PaperChange, PaperRole, SideState, Stage
from rules.work_items import ExtensionState, ItemKind, ItemState, LatePolicy, VersionCause, Via

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def _one_of(
    values: type[StrEnum], *, optional: bool = False, named: str = "", primary_key: bool = False
) -> Any:
    """Return a text column that holds the values of an enum, and the database checks it.

    `named` is the column's name where a table has two columns of one enum.
    """
    kind = Enum(
        values,
        name=named or _snake(values.__name__),
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )
    return Field(default=None, sa_column=Column(kind, nullable=optional, primary_key=primary_key))


def _instant(*, optional: bool = False, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(UtcDateTime(), nullable=optional, index=index))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


class Unit(SQLModel, table=True):
    """A unit (đơn vị), keyed by code and the day from which it holds: codes and names are reused.

    `directory` is the organiser in whose list it stands: two offices may use one code for two bodies.
    """

    __tablename__ = "units"
    __table_args__ = (UniqueConstraint("directory", "code", "valid_from"),)

    id: int = Field(default=None, primary_key=True)
    directory: str
    code: str
    valid_from: date
    official_code: str | None = None
    name: str
    kind: UnitKind = _one_of(UnitKind)
    relation: Relation = _one_of(Relation)
    parent: str | None = None
    position: int
    address: str | None = None
    phone: str | None = None
    email: str | None = None


class ResidentialGroup(SQLModel, table=True):
    """A residential group (tổ dân phố, bản, thôn) of a commune, until it is merged or split."""

    __tablename__ = "residential_groups"
    __table_args__ = (UniqueConstraint("unit_id", "name", "valid_from"),)

    id: int = Field(default=None, primary_key=True)
    unit_id: int = Field(foreign_key="units.id")
    position: int
    name: str
    valid_from: date
    closed_on: date | None = None


class Contact(SQLModel, table=True):
    """A person of a unit who is written to; `role` is what he is there, until he has left it."""

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("unit_id", "code"),
        Index(None, "unit_id", "role", "position"),
    )

    id: int = Field(default=None, primary_key=True)
    code: str
    unit_id: int = Field(foreign_key="units.id")
    position: int
    role: str
    name: str
    title: str
    email: str | None = None
    phone: str | None = None
    zalo: str | None = None
    acting_for_id: int | None = Field(default=None, foreign_key="contacts.id", index=True)
    acting_from: date | None = None
    acting_until: date | None = None
    absent_from: date | None = None
    absent_until: date | None = None
    left_at: datetime | None = _instant(optional=True)


class Campaign(SQLModel, table=True):
    """A campaign (đợt xét, công nhận) with the copy of the files it was opened with."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("(stage = 'closed') = (closed_at IS NOT NULL)", name="closed_at_when_closed"),
    )

    id: int = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    title: str
    stage: Stage = _one_of(Stage)
    side_state: SideState | None = _one_of(SideState, optional=True)
    mode: Mode = _one_of(Mode)
    late_policy: LatePolicy = _one_of(LatePolicy)
    files: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    files_hash: str
    opened_at: datetime = _instant()
    records_past_steps: bool = False
    gone_on_from: Stage | None = _one_of(Stage, optional=True, named="gone_on_from")
    list_frozen_at: datetime | None = _instant(optional=True)
    closed_at: datetime | None = _instant(optional=True)


class CampaignUnit(SQLModel, table=True):
    """What a unit is in one campaign; the list is frozen when the campaign opens."""

    __tablename__ = "campaign_units"

    campaign_id: int = Field(foreign_key="campaigns.id", primary_key=True)
    unit_id: int = Field(foreign_key="units.id", primary_key=True)
    part: Ower = _one_of(Ower, primary_key=True)
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
    stage: Stage = _one_of(Stage, primary_key=True)
    entered_at: datetime = _instant()
    asked_at: datetime | None = _instant(optional=True)


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
    registered_at: datetime = _instant()
    change: PaperChange | None = _one_of(PaperChange, optional=True, named="change")
    changes_id: int | None = Field(default=None, foreign_key="papers.id")


class PaperPart(SQLModel, table=True):
    """A role that a paper plays; one paper may play several."""

    __tablename__ = "paper_roles"

    paper_id: int = Field(foreign_key="papers.id", primary_key=True)
    role: PaperRole = _one_of(PaperRole, primary_key=True)


class Amendment(SQLModel, table=True):
    """A change of the plan in flight (điều chỉnh kế hoạch), by a paper."""

    __tablename__ = "amendments"
    __table_args__ = (UniqueConstraint("paper_id"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    paper_id: int = Field(foreign_key="papers.id")
    amended_at: datetime = _instant()
    mode: Mode | None = _one_of(Mode, optional=True)
    reason: str
    opens_on: date | None = None
    dues: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class DeadlineVersion(SQLModel, table=True):
    """One version of a deadline (thời hạn), shared by all items that have the same one.

    `cause` says why it was written; one that an amendment or an extension wrote names the version
    it takes the place of and the paper that allows it.
    """

    __tablename__ = "deadlines"
    __table_args__ = (CheckConstraint("closes_at <= late_from", name="closes_before_late"),)

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    stage: Stage = _one_of(Stage)
    version: int
    wording: str
    closes_at: datetime = _instant()
    late_from: datetime = _instant()
    written_at: datetime = _instant()
    cause: VersionCause = _one_of(VersionCause)
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
    ladder: Ladder = _one_of(Ladder)
    step: str
    fires_at: datetime = _instant(index=True)
    wants_draft: bool = False
    repeats: bool = False
    fired_at: datetime | None = _instant(optional=True)


class StepRecipient(SQLModel, table=True):
    """To whom a step goes: the one addressed (`copy_no` 0), then those who get a copy."""

    __tablename__ = "step_recipients"

    step_id: int = Field(foreign_key="deadline_steps.id", primary_key=True)
    copy_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    role: str
    release: Release = _one_of(Release)
    if_silent: IfSilent = _one_of(IfSilent)


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
    stage: Stage = _one_of(Stage)
    kind: ItemKind = _one_of(ItemKind)
    unit_id: int = Field(foreign_key="units.id")
    name: str
    deadline_id: int | None = Field(default=None, foreign_key="deadlines.id")
    state: ItemState = _one_of(ItemState)
    opened_at: datetime = _instant()
    done_at: datetime | None = _instant(optional=True)
    acknowledged_at: datetime | None = _instant(optional=True)
    subject: str | None = None


class ItemTerm(SQLModel, table=True):
    """A version of a deadline that an item is or was under, and since when."""

    __tablename__ = "item_terms"

    item_id: int = Field(foreign_key="work_items.id", primary_key=True)
    deadline_id: int = Field(foreign_key="deadlines.id", primary_key=True)
    since: datetime = _instant()


class Submission(SQLModel, table=True):
    """A handing-in of an item: when it was received decides lateness, `number` is the incoming one."""

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("item_id", "round"),)

    id: int = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="work_items.id")
    round: int
    received_at: datetime = _instant()
    recorded_at: datetime = _instant()
    via: Via = _one_of(Via)
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
    returned_at: datetime = _instant()
    recorded_at: datetime = _instant()
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
    state: ExtensionState = _one_of(ExtensionState)
    asked_at: datetime = _instant()
    recorded_at: datetime = _instant()
    asked_by: str | None = None
    wanted: str | None = None
    reason: str
    number: str | None = None
    issued_on: date | None = None
    settled_at: datetime | None = _instant(optional=True)
    answer: str | None = None


class Letter(SQLModel, table=True):
    """What is sent: one recipient, one channel, one or many notices."""

    __tablename__ = "letters"
    __table_args__ = (Index(None, "state", "not_before"), Index(None, "contact_id", "kind"))

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    kind: NoticeKind = _one_of(NoticeKind)
    role: str
    contact_id: int = Field(foreign_key="contacts.id")
    channel: Channel = _one_of(Channel)
    state: LetterState = _one_of(LetterState)
    not_before: datetime = _instant()
    attempts: int = 0
    claimed_by: str | None = None
    lease_until: datetime | None = _instant(optional=True)
    address: str
    message_id: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    attachments: list[dict[str, str]] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    settled_at: datetime | None = _instant(optional=True)
    outcome_code: str | None = None
    provider_id: str | None = None
    provider_words: str | None = None


class Notice(SQLModel, table=True):
    """What is owed to be said; its key makes it the only one of its kind."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(None, "item_id", "kind", "state"),
        Index(None, "campaign_id", "state"),
        Index("ix_notices_of_a_step", "item_id", "deadline_id", "step"),
    )

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    kind: NoticeKind = _one_of(NoticeKind)
    about: str
    item_id: int | None = Field(default=None, foreign_key="work_items.id")
    deadline_id: int | None = Field(default=None, foreign_key="deadlines.id")
    step: str = "-"
    role: str
    contact_id: int = Field(foreign_key="contacts.id")
    copy_no: int = 0
    state: NoticeState = _one_of(NoticeState)
    due_at: datetime = _instant()
    release_at: datetime | None = _instant(optional=True)
    settled_at: datetime | None = _instant(optional=True)
    reason: str | None = None
    note: str | None = None
    is_held: bool = False
    letter_id: int | None = Field(default=None, foreign_key="letters.id", index=True)


class Lease(SQLModel, table=True):
    """Who does something that only one may do at a time, and until when he is believed."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    held_until: datetime = _instant()


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
    happened_at: datetime = _instant()
    recorded_at: datetime = _instant()
    done_by: str | None = None
    what: str
    unit: str | None = None
    stage: Stage = _one_of(Stage)
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    hash: str
