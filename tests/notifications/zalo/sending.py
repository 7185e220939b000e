"""What the tests of sending over Zalo share: messages, installations, tokens, a server that says anything."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from notifications.receipts import Receipt
from notifications.zalo.fake import FakeGroup, FakeParam, FakePhone, FakeTemplate, FakeUser, FakeZalo
from notifications.zalo.platform import (
    NeedsConsent,
    TemplateUse,
    ZaloAddresses,
    ZaloApp,
    ZaloMessage,
    ZaloPlatform,
    ZaloRecipient,
)
from notifications.zalo.sender import ZaloSender
from rules.notices import NoticeKind
from rules.sending import Outcome, Way

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 09:00 in the city
LATELY = NOW - timedelta(hours=1)
UID, PHONE, GROUP, CHAT = "3000000000000000003", "84912000001", "g-mau", "c-mau"
TEMPLATE = "500001"
KEY = "0123456789abcdef0123456789abcdef"
TEXT = "Nhắc nộp hồ sơ trước ngày 22/11/2021."
FIELDS = {"ten": ("Phường MẪU",), "han": ("trước ngày 22/11/2021", "22/11/2021")}
PARAMS = (FakeParam("don_vi", max_length=30), FakeParam("thoi_han", type="DATE", max_length=20))
USES = {"don_vi": "ten", "thoi_han": "han"}

ACCEPTED, TRANSIENT, PERMANENT = Outcome.ACCEPTED, Outcome.TRANSIENT, Outcome.PERMANENT
CONFIGURATION, UNKNOWN = Outcome.CONFIGURATION, Outcome.UNKNOWN

OA, BY_UID, BY_PHONE = Way.ZALO_OA, Way.ZBS_UID, Way.ZBS_PHONE
CONSULT, ASK = "oa/v3.0/oa/message/cs", "oa/v3.0/oa/quota/message"
TO_UID, TO_PHONE = "oa/v3.0/oa/message/template", "zbs/message/template"
TO_GROUP, READ = "oa/v3.0/oa/group/message", "zbs/template/info/v2"
NO_WAY = "no way that can work: no template for reminder, no open window"


@dataclass
class Pairs:
    """Tokens kept in memory: a new one is a fresh pair of the fake's, an exception is raised."""

    access: str
    fresh: Sequence[str | Exception] = ()
    refused: list[str] = field(default_factory=list)

    def current(self) -> str:
        if not self.access:
            raise NeedsConsent("none")
        return self.access

    def renewed(self, refused: str) -> str:
        self.refused.append(refused)
        given = self.fresh[len(self.refused) - 1]
        if isinstance(given, Exception):
            raise given
        self.access = given
        return given


def furnished(fake: FakeZalo) -> FakeZalo:
    """Put a person, a telephone number, a template, a group and a chat into a fake."""
    fake.users[UID] = FakeUser(UID, last_interaction=LATELY)
    fake.phones[PHONE] = FakePhone()
    fake.templates[TEMPLATE] = FakeTemplate(TEMPLATE, PARAMS)
    fake.groups[GROUP] = FakeGroup()
    fake.chats[CHAT] = "MẪU"
    return fake


def app_of(fake: FakeZalo, **more: Any) -> ZaloApp:
    return ZaloApp(fake.app_id, fake.oa_id, fake.app_secret, **more)


def platform_of(fake: FakeZalo, **more: Any) -> ZaloPlatform:
    """Return an installation that has everything of this fake; without a limit of calls."""
    values: dict[str, Any] = {
        "addresses": fake.addresses,
        "app": app_of(fake),
        "bot_token": fake.bot_token,
        "templates": {NoticeKind.REMINDER: TemplateUse(TEMPLATE, USES)},
        "timeout": 5.0,
        "per_minute": 0,
    }
    return ZaloPlatform(**(values | more))


def tokens_of(fake: FakeZalo) -> Pairs:
    """Return tokens that work, and two more."""
    return Pairs(fake.pair()[0], [fake.pair()[0], fake.pair()[0]])


def to(**reached: Any) -> ZaloRecipient:
    return ZaloRecipient(**reached)


def person(**more: object) -> ZaloRecipient:
    """Return a person with a UID and a telephone, whose window is open unless told otherwise."""
    return replace(to(uid=UID, phone="0912 000 001", last_interaction_at=LATELY), **more)  # type: ignore[arg-type]


def message(recipient: ZaloRecipient, **more: Any) -> ZaloMessage:
    plain = ZaloMessage(
        key=KEY, to=recipient, sent_at=NOW, kind=NoticeKind.REMINDER, text=TEXT, fields=FIELDS
    )
    return replace(plain, **more)


# One recipient for each way, reachable by no other; only a template reaches one whose window is shut.
ONLY = {
    Way.ZALO_OA: to(uid=UID, last_interaction_at=LATELY),
    Way.ZBS_UID: to(uid=UID),
    Way.ZBS_PHONE: to(phone="0912 000 001"),
    Way.ZALO_GROUP: to(group_id=GROUP),
    Way.ZALO_BOT: to(chat_id=CHAT),
}


def only_over(way: Way, **more: Any) -> ZaloMessage:
    """Return a message that can take this way and no other."""
    kind = NoticeKind.OPENING if way is Way.ZALO_GROUP else NoticeKind.REMINDER
    return message(ONLY[way], **({"kind": kind} | more))


def arranged_for(fake: FakeZalo, way: Way) -> ZaloPlatform:
    """Return an installation where what `only_over` gives has just this way."""
    fake.users[UID].last_interaction = LATELY if way is Way.ZALO_OA else None
    return platform_of(fake, **({"templates": {}} if way is Way.ZALO_OA else {}))


def send(platform: ZaloPlatform, tokens: Pairs | None, *messages: ZaloMessage) -> list[tuple[Receipt, ...]]:
    """Return the receipts of each message, sent one after the other in one run."""
    with ZaloSender(platform, tokens) as sender:
        return [sender.send(each) for each in messages]


def sent_once(platform: ZaloPlatform, tokens: Pairs | None, one: ZaloMessage) -> Receipt:
    """Return the only receipt of a message."""
    ((receipt,),) = send(platform, tokens, one)
    return receipt


def outcomes(receipts: Sequence[Receipt]) -> list[tuple[Way, Outcome, str]]:
    return [(each.way, each.outcome, each.code) for each in receipts]


def paths(fake: FakeZalo) -> list[str]:
    return [f"{each.host}{each.path}" for each in fake.calls]


@dataclass
class Said:
    """What a server that says anything was asked, and what it answers: a status, headers and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)


@contextmanager
def saying(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None, hangs_up: bool = False
) -> Iterator[tuple[ZaloAddresses, Said]]:
    """Run a server on loopback that answers everything so; a body that is not bytes is sent as JSON.

    With `hangs_up` it closes each connection after its answer without having announced it.
    """
    said = Said(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said.asked.append((self.path, dict(self.headers), asked))
            self.send_response(said.status)
            for name, value in {**said.headers, "Content-Length": str(len(said.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)
            if hangs_up:
                self.close_connection = True

        do_GET = do_POST

        def finish(self) -> None:
            super().finish()
            self.connection.close()
            said.closed.set()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield ZaloAddresses(f"{base}/oa", f"{base}/zbs", f"{base}/oauth", f"{base}/bot"), said
    finally:
        server.shutdown()
        server.server_close()


def platform_at(addresses: ZaloAddresses, **more: Any) -> ZaloPlatform:
    """Return an installation of an account and a bot, without templates."""
    values: dict[str, Any] = {
        "app": ZaloApp("1000000000000000001", "2000000000000000002", "MAU-app-secret"),
        "bot_token": "123456:MAU-bot-secret",
        "timeout": 5.0,
        "per_minute": 0,
    }
    return ZaloPlatform(addresses, **(values | more))
