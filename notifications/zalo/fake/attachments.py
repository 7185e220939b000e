"""What the fake's official account takes beside a text: uploads, kept for seven days, and attachments."""

from pathlib import PurePath
from typing import Any

from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import envelope, error, part
from notifications.zalo.fake.state import UPLOAD_LIVES, State

IMAGE, FILE = (".jpg", ".jpeg", ".png"), (".pdf", ".doc", ".docx", ".csv")
# Of each kind of upload: the largest in bytes, the endings it may have, what its id is called.
KINDS = {
    "image": (1024**2, IMAGE, "attachment_id"),
    "gif": (1024**2, (".gif",), "attachment_id"),
    "file": (5 * 1024**2, FILE, "token"),
}
TEMPLATE_IMAGE = 500 * 1024
MEDIA = ("image", "gif", "sticker")
QUERIES, LINKS = ("oa.query.show", "oa.query.hide"), ("oa.open.phone", "oa.open.sms")
LONGEST_TITLE, MOST_BUTTONS = 35, 5

INVALID = (-201, "attachment is invalid!")
UNSUPPORTED = (-233, "Message type is invalid or not support")
EXPIRED = (-100, "attachment_id was expired")


async def upload(state: State, kind: str, request: Request) -> Response:
    """Answer an upload to the official account's host; a file without an ending is taken as it is."""
    if kind not in KINDS or request.method != "POST":
        return JSONResponse(error(-209, "Not supported this api"))
    largest, endings, name = KINDS[kind]
    filename, content = await _sent(request)
    if not 0 < len(content) <= largest:
        return JSONResponse(error(-210, "Parameter file exceeds allowable limit"))
    if _ending(filename) not in ("", *endings):
        return JSONResponse(error(-201, "file is invalid!"))
    return JSONResponse(envelope({name: _kept(state)}))


async def upload_for_templates(state: State, request: Request) -> Response:
    """Answer an upload to the ZBS host: an image that templates show."""
    filename, content = await _sent(request)
    if not 0 < len(content) <= TEMPLATE_IMAGE:
        return JSONResponse(error(-158, "File size is invalid"))
    if _ending(filename) not in ("", *IMAGE):
        return JSONResponse(error(-159, "File format is invalid"))
    return JSONResponse(envelope({"media_id": _kept(state)}))


def _kept(state: State) -> str:
    token = state.secret("upload")
    with state.lock:
        state.uploads[token] = state.clock() + UPLOAD_LIVES
    return token


async def _sent(request: Request) -> tuple[str, bytes]:
    try:
        file = (await request.form()).get("file")
    except MultiPartException:
        return "", b""
    return (file.filename or "", await file.read()) if file and not isinstance(file, str) else ("", b"")


def _ending(filename: str) -> str:
    return PurePath(filename).suffix.lower()


def problem_of(state: State, message: dict[str, Any], *, in_group: bool = False) -> tuple[int, str] | None:
    """Return the code and words of the first thing that is wrong with a message's attachment, or None."""
    if message.get("attachment") is None:
        return None
    attachment = part(message, "attachment")
    payload = part(attachment, "payload")
    match attachment.get("type"):
        case "file":
            token = payload.get("token")
            return _of_upload(state, token) if isinstance(token, str) else INVALID
        case "template" if in_group and ("buttons" in payload or payload.get("template_type") != "media"):
            return UNSUPPORTED
        case "template":
            return _of_template(state, message, payload)
    return UNSUPPORTED


def _of_template(state: State, message: dict[str, Any], payload: dict[str, Any]) -> tuple[int, str] | None:
    kind, elements = payload.get("template_type"), payload.get("elements")
    if "buttons" in payload and (problem := _of_buttons(payload["buttons"])):
        return problem
    if kind is None:
        return None if payload.get("buttons") and message.get("text") else INVALID
    if not isinstance(elements, list) or not elements or not all(isinstance(each, dict) for each in elements):
        return INVALID
    if kind == "media":
        return next((found for each in elements if (found := _of_medium(state, each))), None)
    return None if kind in ("request_user_info", "list") else UNSUPPORTED


def _of_medium(state: State, medium: dict[str, Any]) -> tuple[int, str] | None:
    """An image is named either by its address or by its upload; that of a GIF says how large it is."""
    kind, named = medium.get("media_type"), [name for name in ("url", "attachment_id") if medium.get(name)]
    if kind not in MEDIA or len(named) != 1:
        return INVALID
    if kind == "gif" and not (medium.get("width") and medium.get("height")):
        return INVALID
    return _of_upload(state, medium["attachment_id"]) if named == ["attachment_id"] else None


def _of_buttons(buttons: Any) -> tuple[int, str] | None:
    if not isinstance(buttons, list) or not all(isinstance(each, dict) for each in buttons):
        return INVALID
    if len(buttons) > MOST_BUTTONS or any(len(str(each.get("title"))) > LONGEST_TITLE for each in buttons):
        return (-210, "Parameter buttons exceeds allowable limit")
    return None if all(each.get("title") and _leads_somewhere(each) for each in buttons) else INVALID


def _leads_somewhere(button: dict[str, Any]) -> bool:
    payload = button.get("payload")
    match button.get("type"):
        case "oa.open.url":
            return isinstance(payload, dict) and bool(payload.get("url"))
        case kind if kind in QUERIES:
            return isinstance(payload, str) and bool(payload)
        case kind:
            return kind in LINKS and bool(payload)


def _of_upload(state: State, named: Any) -> tuple[int, str] | None:
    """An upload that was never made and one that is no longer kept are answered alike."""
    until = state.uploads.get(str(named))
    return EXPIRED if until is None or state.clock() >= until else None
