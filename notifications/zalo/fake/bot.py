"""The fake's bot platform: the token stands in the address, and HTTP 200 does not mean that it went well."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import Dropped, answered
from notifications.zalo.fake.state import State, epoch_ms

LONGEST_TEXT = 2000


async def answer(state: State, token: str, method: str, request: Request) -> Response:
    """Answer a method of the bot."""
    if token != state.bot_token:
        return JSONResponse(refused(401, "Unauthorized"))
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JSONResponse(refused(400, "Bad Request: body is not JSON"))
    if method == "getMe":
        me = {"id": token.partition(":")[0], "account_name": "bot.mau", "account_type": "BASIC"}
        return JSONResponse(succeeded(me | {"can_join_groups": False}))
    if method in ("setWebhook", "deleteWebhook", "getWebhookInfo"):
        return JSONResponse(
            succeeded({"url": str(body.get("url", "")), "updated_at": epoch_ms(state.clock())})
        )
    if method == "getUpdates":
        return JSONResponse(refused(408, "Request timeout"))
    if method != "sendMessage":
        return JSONResponse(refused(404, "Not Found"))
    fault = state.faults.of_send()
    if fault is not None and fault[0] == "code":
        return JSONResponse(refused(fault[1], "Error"))
    if fault is not None and fault[0] == "drop_unread":
        raise Dropped
    chat_id, text = str(body.get("chat_id", "")), body.get("text", "")
    # A chat is known only once the person has written to the bot.
    if chat_id not in state.chats or not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
        return JSONResponse(refused(400, "Bad Request: chat_id or text is invalid"))
    message_id = state.keep("bot", chat_id, body)
    sent = succeeded({"message_id": message_id, "date": int(state.clock().timestamp() * 1000)})
    return await answered(state, fault, sent)


def succeeded(result: dict[str, Any]) -> dict[str, Any]:
    """Return a success."""
    return {"ok": True, "result": result}


def refused(code: int, words: str) -> dict[str, Any]:
    """Return a failure; its HTTP status is 200 all the same."""
    return {"ok": False, "description": words, "error_code": code}
