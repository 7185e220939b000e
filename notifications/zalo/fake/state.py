"""What the fake Zalo knows: people, templates, groups, tokens; and the faults it was told to have."""

import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

ACCESS_LIVES = timedelta(hours=25)
REFRESH_LIVES = timedelta(days=90)
CODE_LIVES = timedelta(minutes=10)
UPLOAD_LIVES = timedelta(days=7)


@dataclass
class FakeUser:
    """A person at the official account; `last_interaction` opens his window."""

    uid: str
    followed: bool = True
    last_interaction: datetime | None = None
    inactive_45d: bool = False
    blocked: bool = False
    restricted: bool = False
    phone: str | None = None
    name: str = "MẪU"

    def wrote_within(self, span: timedelta, now: datetime) -> bool:
        """Whether the last interaction is no longer ago than this."""
        return self.last_interaction is not None and now - self.last_interaction <= span


@dataclass
class FakePhone:
    """A telephone number; one that is on Zalo can be written to by template."""

    on_zalo: bool = True
    opted_out: bool = False
    outdated: bool = False
    refuses_account: bool = False
    is_admin: bool = False
    is_away: bool = False  # accepted, and not delivered so far


@dataclass(frozen=True)
class FakeParam:
    """A parameter of a template."""

    name: str
    type: str = "STRING"
    max_length: int = 200
    min_length: int = 1
    required: bool = True


@dataclass
class FakeTemplate:
    """A template; `daily_quota` is what is left of it, None leaves it open."""

    template_id: str
    params: tuple[FakeParam, ...] = ()
    status: str = "ENABLE"
    by_uid: bool = True
    day_only: bool = False
    daily_quota: int | None = None
    low_quality: bool = False
    name: str = "MẪU"
    tag: str = "TRANSACTION"


@dataclass
class FakeGroup:
    """A group chat of the account."""

    name: str = "MẪU"
    disabled: bool = False
    ours: bool = True
    members: list[str] = field(default_factory=list)
    auto_delete_date: str = ""


@dataclass(frozen=True)
class Received:
    """A message that was accepted."""

    at: datetime
    host: str
    to: str
    body: Mapping[str, Any]
    message_id: str

    @property
    def is_reported(self) -> bool:
        """Whether Zalo tells when it has reached its reader."""
        return self.host in ("oa", "zbs")


@dataclass(frozen=True)
class Call:
    """A request, whatever came of it."""

    at: datetime
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Faults:
    """Faults that the coming sends have, one each, in this order; then it answers as it should again."""

    def __init__(self) -> None:
        self._sends: deque[tuple[str, Any]] = deque()
        self._oauth: deque[str] = deque()

    def next(self, code: int) -> None:
        """Answer the next send with this error code."""
        self._sends.append(("code", code))

    def next_many(self, codes: list[int]) -> None:
        """Answer the coming sends with these error codes."""
        for code in codes:
            self.next(code)

    def http(self, status: int) -> None:
        """Record the next message and answer with this status and no body."""
        self._sends.append(("http", status))

    def html(self, status: int = 200) -> None:
        """Record the next message and answer with a page of a gateway."""
        self._sends.append(("html", status))

    def empty(self) -> None:
        """Record the next message and answer with nothing."""
        self._sends.append(("empty", None))

    def hang(self, seconds: float) -> None:
        """Record the next message and answer only after so long."""
        self._sends.append(("hang", seconds))

    def drop(self) -> None:
        """Record the next message and close the connection without an answer."""
        self._sends.append(("drop", None))

    def drop_unread(self) -> None:
        """Close the connection of the next message without having recorded it."""
        self._sends.append(("drop_unread", None))

    def oauth_lost(self) -> None:
        """Rotate the tokens at the next refresh, then close the connection."""
        self._oauth.append("lost")

    def oauth_unread(self) -> None:
        """Close the connection of the next refresh without having rotated anything."""
        self._oauth.append("unread")

    def oauth_html(self, status: int = 504) -> None:
        """Answer the next refresh with a gateway's page, having done nothing."""
        self._oauth.append(f"html:{status}")

    def oauth_used_as_code(self, *, quoted: bool = False) -> None:
        """Answer the next use of a spent refresh token with -14014 instead of nothing."""
        self._oauth.append("quoted" if quoted else "code")

    def of_send(self) -> tuple[str, Any] | None:
        """Take the fault of this send."""
        return self._sends.popleft() if self._sends else None

    def of_oauth(self, *kinds: str) -> str | None:
        """Take the fault of this refresh where it is one of these kinds; another waits for its turn."""
        is_one = self._oauth and self._oauth[0].partition(":")[0] in kinds
        return self._oauth.popleft() if is_one else None


@dataclass(frozen=True)
class BotHook:
    """Where the bot's events go and the secret they carry; without an address they are waited for."""

    url: str = ""
    secret: str = field(default="", repr=False)
    updated_at: str = ""


@dataclass
class Grant:
    """A pair of tokens and until when each is good."""

    access: str
    refresh: str
    access_until: datetime
    refresh_until: datetime
    is_spent: bool = False


class State:
    """Everything the hosts share; `lock` guards it."""

    def __init__(
        self,
        *,
        app_id: str,
        app_secret: str,
        oa_id: str,
        oa_secret: str,
        bot_token: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.app_id, self.app_secret = app_id, app_secret
        self.oa_id, self.oa_secret, self.bot_token = oa_id, oa_secret, bot_token
        self.clock = clock
        self.lock = threading.RLock()
        self.users: dict[str, FakeUser] = {}
        self.phones: dict[str, FakePhone] = {}
        self.templates: dict[str, FakeTemplate] = {}
        self.groups: dict[str, FakeGroup] = {}
        self.chats: dict[str, str] = {}
        self.grants: list[Grant] = []
        self.codes: dict[str, tuple[str, datetime]] = {}
        self.uploads: dict[str, datetime] = {}
        self.received: list[Received] = []
        self.calls: list[Call] = []
        self.faults = Faults()
        self.requires_proof = False
        self.wallet = self.development_wallet = 1_000_000
        self.daily_quota: int | None = None
        self.development_only = False
        self.may_exceed_quota = False
        self.assets_used: set[str] = set()
        self.bot_hook = BotHook()
        self.bot_updates: deque[dict[str, Any]] = deque()
        self.calls_a_minute = self.left_this_minute = 4_000
        self.on_received: Callable[[Received], None] = lambda _: None
        self._number = self._minute = 0

    def number(self) -> int:
        """Return the next number; ids and tokens are made of them."""
        with self.lock:
            self._number += 1
            return self._number

    def takes_a_call(self) -> bool:
        """Count a call; False where this minute holds no more."""
        with self.lock:
            minute = int(self.clock().timestamp()) // 60
            if minute != self._minute:
                self._minute, self.left_this_minute = minute, self.calls_a_minute
            if self.left_this_minute <= 0:
                return False
            self.left_this_minute -= 1
            return True

    def secret(self, kind: str) -> str:
        """Return a token that nobody can guess from another."""
        return hashlib.sha256(f"{kind}{self.app_secret}{self.number()}".encode()).hexdigest()

    def grant(self) -> Grant:
        """Return a fresh pair."""
        now = self.clock()
        pair = Grant(self.secret("access"), self.secret("refresh"), now + ACCESS_LIVES, now + REFRESH_LIVES)
        with self.lock:
            self.grants.append(pair)
        return pair

    def token_is(self, token: str) -> str:
        """Return `good`, `expired` or `unknown`; a refresh does not end the access token before it."""
        for each in self.grants:
            if hmac.compare_digest(each.access.encode(), token.encode()):
                return "good" if self.clock() < each.access_until else "expired"
        return "unknown"

    def proof_is_good(self, token: str, proof: str) -> bool:
        """Say whether a proof belongs to a token; a missing one is bad where proofs are required."""
        if not proof:
            return not self.requires_proof
        wanted = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), proof.encode())

    def has_arrived(self, message: Received) -> bool:
        """Say whether a message has reached its device."""
        phone = self.phones.get(message.to) if message.host == "zbs" else None
        return phone is None or not phone.is_away

    def keep(self, host: str, to: str, body: Mapping[str, Any]) -> str:
        """Record an accepted message and return its id."""
        with self.lock:
            message_id = hashlib.sha256(f"{host}{self.number()}{self.app_id}".encode()).hexdigest()[:20]
            message = Received(self.clock(), host, to, body, message_id)
            self.on_received(message)
            self.received.append(message)
        return message_id


def epoch_ms(at: datetime) -> str:
    """Return an instant as Zalo writes it."""
    return str(int(at.timestamp() * 1000))
