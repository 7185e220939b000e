"""The fake as a real HTTP server on loopback: four hosts below four paths of one port."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from notifications.zalo.fake import bot, oa, oauth, zbs
from notifications.zalo.fake.replies import Dropped, error
from notifications.zalo.fake.state import (
    BotHook,
    Call,
    FakeGroup,
    FakePhone,
    FakeTemplate,
    FakeUser,
    Faults,
    Received,
    State,
)
from notifications.zalo.fake.webhooks import Webhooks
from notifications.zalo.platform import ZaloAddresses


def _wall_clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class FakeZalo:
    """A Zalo of one's own on 127.0.0.1 while it is open; with `port` 0 it takes any free one."""

    def __init__(
        self,
        *,
        app_id: str = "1000000000000000001",
        app_secret: str = "MAU-app-secret",
        oa_id: str = "2000000000000000002",
        oa_secret: str = "MAU-oa-secret",
        bot_token: str = "123456:MAU-bot-secret",
        port: int = 0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.state = State(
            app_id=app_id,
            app_secret=app_secret,
            oa_id=oa_id,
            oa_secret=oa_secret,
            bot_token=bot_token,
            clock=clock or _wall_clock,
        )
        self.app_id, self.app_secret = app_id, app_secret
        self.oa_id, self.oa_secret, self.bot_token = oa_id, oa_secret, bot_token
        self.webhooks = Webhooks(self.state)
        self._listening = socket.create_server(("127.0.0.1", port))
        # Else each further call on a kept connection waits 40 ms for the acknowledgement of the last.
        self._listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._listening.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def addresses(self) -> ZaloAddresses:
        """The base addresses of the four hosts."""
        base = f"http://127.0.0.1:{self.port}"
        return ZaloAddresses(oa=f"{base}/oa", zbs=f"{base}/zbs", oauth=f"{base}/oauth", bot=f"{base}/bot")

    @property
    def users(self) -> dict[str, FakeUser]:
        """The people of the account, by UID."""
        return self.state.users

    @property
    def phones(self) -> dict[str, FakePhone]:
        """Telephone numbers, as `84987654321`."""
        return self.state.phones

    @property
    def templates(self) -> dict[str, FakeTemplate]:
        """Templates, by id."""
        return self.state.templates

    @property
    def groups(self) -> dict[str, FakeGroup]:
        """Group chats, by id."""
        return self.state.groups

    @property
    def chats(self) -> dict[str, str]:
        """Chats the bot has, by id."""
        return self.state.chats

    @property
    def received(self) -> list[Received]:
        """Every message that was accepted."""
        return self.state.received

    @property
    def calls(self) -> list[Call]:
        """Every request."""
        return self.state.calls

    @property
    def faults(self) -> Faults:
        """The faults of what is to come."""
        return self.state.faults

    @property
    def requires_proof(self) -> bool:
        """Whether a call has to carry `appsecret_proof`."""
        return self.state.requires_proof

    @requires_proof.setter
    def requires_proof(self, is_required: bool) -> None:
        self.state.requires_proof = is_required

    def __enter__(self) -> "FakeZalo":
        config = uvicorn.Config(
            _App(self.state), log_config=None, access_log=False, lifespan="off", http="h11"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name="zalo", daemon=True
        )
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join()
        self._listening.close()

    def wait(self) -> None:
        """Wait until the server is stopped, by a signal as a rule."""
        if self._thread is not None:
            while self._thread.is_alive():
                self._thread.join(0.5)

    def pair(self) -> tuple[str, str]:
        """Return a fresh access and refresh token, as after consent."""
        grant = self.state.grant()
        return grant.access, grant.refresh

    def authorization_code(self, challenge: str) -> str:
        """Return a code as if an administrator had consented."""
        return oauth.authorization_code(self.state, challenge)

    def expire_access_tokens(self) -> None:
        """Let every access token be over."""
        for grant in self.state.grants:
            grant.access_until = self.state.clock() - timedelta(seconds=1)

    def webhook_to(
        self,
        url: str,
        *,
        variant: str = "app_id+oa_secret",
        prefix: bool = True,
        scale: float = 0.0,
        bot_url: str = "",
        bot_secret: str = "",
        reader_is_sender: bool = True,
    ) -> None:
        """Tell events to an address from now on; what the bot is told goes to `bot_url` as by setWebhook."""
        hooks = self.webhooks
        hooks.url, hooks.variant, hooks.prefix, hooks.scale = url, variant, prefix, scale
        hooks.reader_is_sender = reader_is_sender
        self.state.bot_hook = BotHook(bot_url, bot_secret)

    def deliver_receipts(
        self,
        messages: Iterable[Received] | None = None,
        *,
        times: int = 1,
        shuffle: int | None = None,
        seen: bool = False,
    ) -> None:
        """Tell that messages have reached their readers, each so many times, in any order.

        Nothing is ever told of what went into a group or came from a bot, nor of a telephone that is away.
        """
        every = self.received if messages is None else messages
        reported = [each for each in every if each.is_reported and self.state.has_arrived(each)]
        told = [self.webhooks.receipt(each) for each in reported] * times
        if seen:
            of_oa = [each for each in self.received if each.host == "oa"]
            told += [(self.webhooks.seen(each.to, [each.message_id]), False) for each in of_oa]
        if shuffle is not None:
            random.Random(shuffle).shuffle(told)
        for event, is_zbs in told:
            self.webhooks.tell(event, is_zbs=is_zbs)

    def say(self, uid: str, text: str) -> int:
        """Let a person write to the account: his window opens, and the webhook is told."""
        user = self.users.setdefault(uid, FakeUser(uid))
        user.last_interaction = self.state.clock()
        return self.webhooks.tell(self.webhooks.said(user, text))

    def follow(self, uid: str) -> int:
        """Let a person follow the account."""
        user = self.users.setdefault(uid, FakeUser(uid))
        user.followed, user.last_interaction = True, self.state.clock()
        return self.webhooks.tell(self.webhooks.followed(user, "follow"))

    def unfollow(self, uid: str) -> int:
        """Let a person leave the account."""
        user = self.users.setdefault(uid, FakeUser(uid))
        user.followed = False
        return self.webhooks.tell(self.webhooks.followed(user, "unfollow"))

    def bot_say(self, chat_id: str, text: str) -> int:
        """Let a person write to the bot: only now is his chat known. Told by webhook or by getUpdates."""
        self.chats.setdefault(chat_id, "MẪU")
        return self.webhooks.tell_bot(chat_id, text)


class _App:
    """The ASGI application; a connection can be closed without an answer."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Dropped:
            # No answer at all is nothing ASGI knows; the connection is the server's.
            transport: Any = getattr(send, "__self__").transport  # noqa: B009 - a server's own object
            transport.abort()
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        state = self._state
        _, _, rest = request.url.path.partition("/")
        host, _, path = rest.partition("/")
        body = await request.body()
        state.calls.append(Call(state.clock(), host, f"/{path}", dict(request.headers), body))
        match host:
            case "oa":
                return await oa.answer(state, f"/{path}", request)
            case "zbs":
                return await zbs.answer(state, f"/{path}", request)
            case "oauth" if path == "v4/oa/access_token":
                return await oauth.access_token(state, request)
            case "bot" if path.startswith("bot"):
                token, _, method = path.removeprefix("bot").partition("/")
                return await bot.answer(state, token, method, request)
        return JSONResponse(error(-404, "empty api"), 404)
