"""What an installation has of Zalo: addresses, the application's secrets, the approved templates."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Protocol

from rules.notices import NoticeKind


@dataclass(frozen=True, slots=True)
class ZaloAddresses:
    """The base addresses of Zalo's four hosts, without a slash at the end."""

    oa: str = "https://openapi.zalo.me"
    zbs: str = "https://business.openapi.zalo.me"
    oauth: str = "https://oauth.zaloapp.com"
    bot: str = "https://bot-api.zaloplatforms.com"


@dataclass(frozen=True, slots=True)
class ZaloApp:
    """The application and the official account it speaks for."""

    app_id: str
    oa_id: str
    secret: str = field(repr=False)
    sends_proof: bool = True


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """An approved ZBS template: its id, and the field of ours that fills each of its parameters."""

    template_id: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ZaloPlatform:
    """Everything needed to send over Zalo; `app` or `bot_token` is None where there is none of it.

    `timeout` is in seconds; `per_minute` limits the calls of this process, 0 leaves them unlimited.
    """

    addresses: ZaloAddresses = ZaloAddresses()
    app: ZaloApp | None = None
    _: KW_ONLY
    bot_token: str | None = field(default=None, repr=False)
    templates: Mapping[NoticeKind, TemplateUse] = field(default_factory=dict)
    timeout: float = 20.0
    per_minute: int = 3000


class Tokens(Protocol):
    """Where the access token comes from; only what is committed is ever given out."""

    def current(self) -> str:
        """Return the access token to use now; raises NeedsConsent."""

    def renewed(self, refused: str) -> str:
        """Return another token than the one Zalo has just refused; raises NeedsConsent, NotRenewed."""


class NeedsConsent(Exception):
    """There is no pair of tokens that works: an administrator of the account must consent (again)."""


class NotRenewed(Exception):
    """The token could not be renewed now, but may be later: somebody else is at it, or Zalo is away."""


@dataclass(frozen=True, slots=True)
class ZaloRecipient:
    """How a person can be reached over Zalo: at least one of these is there.

    `uid` is his id at our official account, `phone` as recorded, `last_interaction_at` when he last
    wrote to the account as far as we were told.
    """

    uid: str | None = None
    phone: str | None = None
    group_id: str | None = None
    chat_id: str | None = None
    last_interaction_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ZaloMessage:
    """One message to one recipient.

    `key` names the letter for good (it travels as `tracking_id` where Zalo takes one). `text` is in
    NFC and at most 2,000 characters. `fields` holds, for each field a template may ask for, the forms
    it can take, the best first: the first that fits the template's limit is used.
    """

    key: str
    to: ZaloRecipient
    sent_at: datetime
    kind: NoticeKind
    text: str
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
