"""How the fake answers: envelopes, a gateway's page, a connection that is closed without a word."""

import asyncio
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from notifications.zalo.fake.state import State


class Dropped(Exception):
    """The connection is to be closed without an answer."""


def envelope(data: dict[str, Any]) -> dict[str, Any]:
    """Return a success."""
    return {"error": 0, "message": "Success", "data": data}


def error(code: int, words: str) -> dict[str, Any]:
    """Return an error; without data, as a rule."""
    return {"error": code, "message": words}


def page(status: int) -> Response:
    """Return the page of a gateway."""
    return HTMLResponse("<html><body><h1>Gateway</h1></body></html>", status)


async def answered(state: State, fault: tuple[str, Any] | None, body: dict[str, Any]) -> Response:
    """Return the answer to a message that has been recorded, spoilt as the fault says."""
    match fault:
        case ("http", status):
            return Response(b"", status)
        case ("html", status):
            return page(status)
        case ("empty", _):
            return Response(b"", 200)
        case ("hang", seconds):
            await asyncio.sleep(seconds)
        case ("drop", _):
            raise Dropped
    return JSONResponse(body)
