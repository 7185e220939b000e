"""What is said: notices, letters, tries, and who may send."""

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.notices import Channel, LetterState, NoticeKind, NoticeState
from rules.sending import Follows, Outcome, Way


class Notice(SQLModel, table=True):
    """What is owed to be said; its key makes it the only one of its kind.

    `only_over` names the one channel it must go over, where the campaign's order does not decide.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index(None, "item_id", "kind", "state"),
        Index(None, "campaign_id", "state"),
        Index("ix_notices_of_a_step", "item_id", "deadline_id", "step"),
    )

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    kind: NoticeKind = one_of(NoticeKind)
    about: str
    item_id: int | None = Field(default=None, foreign_key="work_items.id")
    deadline_id: int | None = Field(default=None, foreign_key="deadlines.id")
    step: str = "-"
    role: str
    contact_id: int = Field(foreign_key="contacts.id")
    copy_no: int = 0
    state: NoticeState = one_of(NoticeState)
    due_at: datetime = instant()
    release_at: datetime | None = instant(optional=True)
    settled_at: datetime | None = instant(optional=True)
    reason: str | None = None
    note: str | None = None
    is_held: bool = False
    only_over: Channel | None = one_of(Channel, optional=True, named="only_over")
    letter_id: int | None = Field(default=None, foreign_key="letters.id", index=True)


class Letter(SQLModel, table=True):
    """What is sent: one recipient, one channel, one or many notices.

    `way` is the way it took within its channel, `next_channels` those that are left if this one
    fails, by comma. A letter that `follows` another one says the same to the same person: over the
    next channel, or again because somebody asked for it. `repeats` counts how often it was sent once
    more under the same identity because nobody knew whether it had gone.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index(None, "state", "not_before"),
        Index(None, "contact_id", "kind"),
        Index(None, "provider_id"),
        Index(None, "message_id"),
    )

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    campaign_id: int = Field(foreign_key="campaigns.id", index=True)
    kind: NoticeKind = one_of(NoticeKind)
    role: str
    contact_id: int = Field(foreign_key="contacts.id")
    channel: Channel = one_of(Channel)
    way: Way | None = one_of(Way, optional=True)
    next_channels: str = ""
    only_over: Channel | None = one_of(Channel, optional=True, named="only_over")
    follows: Follows | None = one_of(Follows, optional=True)
    follows_id: int | None = Field(default=None, foreign_key="letters.id", index=True)
    state: LetterState = one_of(LetterState)
    not_before: datetime = instant()
    attempts: int = 0
    repeats: int = 0
    claimed_by: str | None = None
    lease_until: datetime | None = instant(optional=True)
    address: str
    message_id: str | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    attachments: list[dict[str, str]] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    settled_at: datetime | None = instant(optional=True)
    delivered_at: datetime | None = instant(optional=True)
    seen_at: datetime | None = instant(optional=True)
    outcome_code: str | None = None
    provider_id: str | None = None
    provider_words: str | None = None


class Try(SQLModel, table=True):
    """One try to send a letter over one way, and the answer; `unknown` without words: its sender died."""

    __tablename__ = "tries"

    id: int = Field(default=None, primary_key=True)
    letter_id: int = Field(foreign_key="letters.id", index=True)
    way: Way | None = one_of(Way, optional=True)
    tried_at: datetime = instant()
    outcome: Outcome = one_of(Outcome)
    code: str = ""
    provider_id: str = ""
    words: str = ""


class ChannelHold(SQLModel, table=True):
    """A channel that this installation cannot use as it is set up: nothing goes over it until then.

    When `until` has come one letter is tried; the hold ends with the first one that is taken.
    """

    __tablename__ = "channel_holds"

    channel: Channel = one_of(Channel, primary_key=True)
    since: datetime = instant()
    until: datetime = instant()
    code: str = ""
    words: str = ""


class Lease(SQLModel, table=True):
    """Who does something that only one may do at a time, and until when he is believed."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    holder: str
    held_until: datetime = instant()
