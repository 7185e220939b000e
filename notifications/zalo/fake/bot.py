"""The fake's bot platform: the token stands in the address, and HTTP 200 does not mean that it went well."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import Dropped, answered, parsed, whole
from notifications.zalo.fake.state import BotHook, State, epoch_ms

LONGEST_TEXT = 2000
SECRET_LENGTHS = range(8, 257)
LONGEST_WAIT = 30  # seconds that one call may wait for an update
LOOKS_EVERY = 0.02
LOOPBACK = ("127.0.0.1", "localhost")


class _Refused(Exception):
    """The call is answered with a code and words."""

    def __init__(self, code: int, words: str) -> None:
        self.code, self.words = code, words


async def answer(state: State, token: str, method: str, request: Request) -> Response:
    """Answer a method of the bot."""
    if token != state.bot_token:
        return JSONResponse(refused(401, "Unauthorized"))
    try:
        body = parsed(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JSONResponse(refused(400, "Bad Request: body is not JSON"))
    try:
        if method in SENDS:
            return await _send(state, method, body)
        if method == "getUpdates":
            return JSONResponse(succeeded(await _update(state, body)))
        if method in METHODS:
            return JSONResponse(succeeded(METHODS[method](state, body)))
    except _Refused as refusal:
        return JSONResponse(refused(refusal.code, refusal.words))
    return JSONResponse(refused(404, "Not Found"))


async def _send(state: State, method: str, body: dict[str, Any]) -> Response:
    fault = state.faults.of_send()
    if fault is not None and fault[0] == "code":
        raise _Refused(fault[1], "Error")
    if fault is not None and fault[0] == "drop_unread":
        raise Dropped
    chat_id = str(body.get("chat_id", ""))
    # A chat is known only once the person has written to the bot.
    if chat_id not in state.chats or not SENDS[method](body):
        what = "text" if method == "sendMessage" else "content"
        raise _Refused(400, f"Bad Request: chat_id or {what} is invalid")
    message_id = state.keep("bot", chat_id, body)
    sent = succeeded({"message_id": message_id, "date": int(state.clock().timestamp() * 1000)})
    return await answered(state, fault, sent)


def _is_text(body: dict[str, Any]) -> bool:
    text, mode = body.get("text"), body.get("parse_mode")
    return isinstance(text, str) and 1 <= len(text) <= LONGEST_TEXT and mode in (None, "markdown", "html")


def _is_photo(body: dict[str, Any]) -> bool:
    caption = body.get("caption", "")
    is_told = isinstance(caption, str) and len(caption) <= LONGEST_TEXT
    return is_told and urlsplit(str(body.get("photo"))).scheme in ("http", "https")


# What becomes a message, and whether its body will do; how a sticker or a voice is named is not documented.
SENDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "sendMessage": _is_text,
    "sendPhoto": _is_photo,
    "sendSticker": lambda body: len(body) > 1,
    "sendVoice": lambda body: len(body) > 1,
}


async def _update(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Wait for one update and return it; each is given out once."""
    if state.bot_hook.url:
        raise _Refused(400, "Bad Request: getUpdates is not available while a webhook is set")
    try:
        waits = min(whole(body.get("timeout", LONGEST_WAIT)), LONGEST_WAIT)
    except ValueError:
        raise _Refused(400, "Bad Request: timeout is invalid") from None
    for _ in range(int(waits / LOOKS_EVERY) + 1):
        if state.bot_updates:
            return state.bot_updates.popleft()
        await asyncio.sleep(LOOKS_EVERY)
    raise _Refused(408, "Request timeout")


def _me(state: State, body: dict[str, Any]) -> dict[str, Any]:
    me = {"id": state.bot_token.partition(":")[0], "account_name": "bot.mau", "account_type": "BASIC"}
    return me | {"can_join_groups": False}


def _act(state: State, body: dict[str, Any]) -> dict[str, Any]:
    if str(body.get("chat_id", "")) not in state.chats or body.get("action") != "typing":
        raise _Refused(400, "Bad Request: chat_id or action is invalid")
    return {}


def _set_hook(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Keep where events go; a public address is one of https, but loopback will do here."""
    url, secret = str(body.get("url") or ""), str(body.get("secret_token") or "")
    where = urlsplit(url)
    is_public = where.scheme == "https" and bool(where.hostname)
    if not is_public and not (where.scheme == "http" and where.hostname in LOOPBACK):
        raise _Refused(400, "Bad Request: url is invalid")
    if len(secret) not in SECRET_LENGTHS:
        raise _Refused(400, "Bad Request: secret_token is invalid")
    state.bot_hook = BotHook(url, secret, epoch_ms(state.clock()))
    return _hook(state, body)


def _delete_hook(state: State, body: dict[str, Any]) -> dict[str, Any]:
    state.bot_hook = BotHook(updated_at=epoch_ms(state.clock()))
    return _hook(state, body)


def _hook(state: State, body: dict[str, Any]) -> dict[str, Any]:
    return {"url": state.bot_hook.url, "updated_at": state.bot_hook.updated_at}


METHODS: dict[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "getMe": _me,
    "sendChatAction": _act,
    "setWebhook": _set_hook,
    "deleteWebhook": _delete_hook,
    "getWebhookInfo": _hook,
}


def succeeded(result: dict[str, Any]) -> dict[str, Any]:
    """Return a success."""
    return {"ok": True, "result": result}


def refused(code: int, words: str) -> dict[str, Any]:
    """Return a failure; its HTTP status is 200 all the same."""
    return {"ok": False, "description": words, "error_code": code}
