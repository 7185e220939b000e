"""How the fake answers: envelopes, a gateway's page, a connection that is closed without a word."""

import asyncio
import json
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


def parsed(raw: bytes) -> Any:
    """Return what a body of JSON holds; raises ValueError where it is none that could be kept."""
    try:
        held = json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deep") from None
    json.dumps(held, ensure_ascii=False).encode()  # Half of a surrogate pair is no text.
    return held


def part(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the object of this name inside another; an empty one where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def whole(value: Any) -> int:
    """Return a number that counts something, quoted or not; raises ValueError where it is none."""
    number = int(str(value))
    if number < 0:
        raise ValueError("less than nothing")
    return number


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
