"""What is kept of Zalo: the account's tokens, who follows it, what it told us, codes to link an account."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.sending import TokenState, TokenTurn


class ZaloToken(SQLModel, table=True):
    """The pair of tokens of one official account, encrypted; one row for each account.

    `refresh_started_at` and `spending` (the hash of the refresh token) stand while a renewal is under
    way: what a crash leaves of them is the evidence that the refresh token may be spent.
    """

    __tablename__ = "zalo_tokens"

    oa_id: str = Field(primary_key=True)
    app_id: str
    state: TokenState = one_of(TokenState)
    access_token: str | None = None
    refresh_token: str | None = None
    expires_at: datetime | None = instant(optional=True)
    refresh_issued_at: datetime | None = instant(optional=True)
    rotated_at: datetime | None = instant(optional=True)
    refresh_started_at: datetime | None = instant(optional=True)
    spending: str | None = None
    tries: int = 0
    reason: str | None = None


class TokenEntry(SQLModel, table=True):
    """A line of the history of an account's tokens, without their values."""

    __tablename__ = "zalo_token_log"

    id: int = Field(default=None, primary_key=True)
    oa_id: str = Field(index=True)
    at: datetime = instant()
    what: TokenTurn = one_of(TokenTurn)
    words: str = ""


class ZaloUser(SQLModel, table=True):
    """Who has written to the official account or follows it; his id is good for this account only."""

    __tablename__ = "zalo_users"

    uid: str = Field(primary_key=True)
    last_interaction_at: datetime | None = instant(optional=True)
    is_follower: bool | None = None
    wrong_codes: int = 0
    wrong_since: datetime | None = instant(optional=True)


class ZaloEvent(SQLModel, table=True):
    """An event Zalo has told us, once, however often it was told (`key` is its name and message)."""

    __tablename__ = "zalo_events"

    key: str = Field(primary_key=True)
    event: str
    message_id: str | None = Field(default=None, index=True)
    tracking_id: str | None = Field(default=None, index=True)
    happened_at: datetime = instant()
    received_at: datetime = instant()


class LinkCode(SQLModel, table=True):
    """A one-time code with which a person links his Zalo account; only its hash is kept."""

    __tablename__ = "link_codes"

    code_hash: str = Field(primary_key=True)
    contact_id: int = Field(foreign_key="contacts.id", index=True)
    made_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = instant(optional=True)
    made_by: str | None = None
