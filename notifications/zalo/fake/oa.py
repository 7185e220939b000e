"""The fake's official-account host: consultation messages, templates by UID, groups, uploads, lookups."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import Dropped, answered, envelope, error
from notifications.zalo.fake.state import UPLOAD_LIVES, FakeGroup, State, epoch_ms
from notifications.zalo.fake.templates import problem_of
from rules.calendar import CITY

FREE, BILLED = timedelta(hours=48), timedelta(days=7)
LONGEST_TEXT = 2000
SENDS = {"/v3.0/oa/message/cs", "/v3.0/oa/message/template", "/v3.0/oa/group/message"}
CODES = {
    -32: "Your application reached limit call api",
    -201: "user_id is invalid!",
    -213: "User has not followed OA",
    -227: "User is banned or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -244: "User has restricted this type of message from your OA",
    -217: "User has blocked invitation",
}


async def answer(state: State, path: str, request: Request) -> Response:
    """Answer a call of the official account's host, and say how many this minute has left."""
    if state.takes_a_call():
        response = await _answer(state, path, request)
    else:
        response = JSONResponse(error(-32, CODES[-32]))
    response.headers["X-RateLimit-Limit"] = str(state.calls_a_minute)
    response.headers["X-RateLimit-Remain"] = str(state.left_this_minute)
    return response


async def _answer(state: State, path: str, request: Request) -> Response:
    refusal = entrance(state, request)
    if refusal is not None:
        return refusal
    if path.startswith("/v2.0/oa/upload/"):
        return await _upload(state, path.rpartition("/")[2], request)
    if request.method == "GET":
        return JSONResponse(_lookup(state, path, request))
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JSONResponse(error(-201, "body is invalid!"))
    if path == "/v3.0/oa/quota/message":
        return JSONResponse(_quota(state, body))
    if path not in SENDS:
        return JSONResponse(_manage(state, path, body))
    fault = state.faults.of_send()
    if fault is not None and fault[0] == "code":
        return JSONResponse(error(fault[1], CODES.get(fault[1], "Error")))
    if fault is not None and fault[0] == "drop_unread":
        raise Dropped
    with state.lock:
        done = HANDLERS[path](state, body)
    if done["error"] != 0:
        return JSONResponse(done)
    return await answered(state, fault, done)


def entrance(state: State, request: Request) -> Response | None:
    """Return the refusal of a call without a good bare token, or None."""
    token = request.headers.get("access_token", "")
    if not token or request.headers.get("authorization"):
        return JSONResponse(error(-216, "Access token is invalid"))
    known = state.token_is(token)
    if known == "unknown":
        return JSONResponse(error(-216, "Access token is invalid"))
    if known == "expired":
        return JSONResponse(error(-220, "access_token is expired or removed"))
    if not state.proof_is_good(token, request.headers.get("appsecret_proof", "")):
        return JSONResponse(error(-242, "appsecret_proof provided in the API request is invalid"))
    return None


def _consult(state: State, body: dict[str, Any]) -> dict[str, Any]:
    user = state.users.get(str(_in(body, "recipient").get("user_id", "")))
    message = _in(body, "message")
    text = message.get("text", "")
    attachment = _in(message, "attachment")
    if user is None:
        return error(-201, CODES[-201])
    if not isinstance(text, str) or not (text or attachment):
        return error(-201, "text is invalid!")
    if len(text) > LONGEST_TEXT:
        return error(-210, "Parameter text exceeds allowable limit")
    if _is_expired(state, attachment):
        return error(-100, "attachment_id was expired")
    for flag, code in ((user.blocked, -217), (user.inactive_45d, -227), (user.restricted, -244)):
        if flag:
            return error(code, CODES[code])
    if user.last_interaction is None and not user.followed:
        return error(-213, CODES[-213])
    now = state.clock()
    # Following alone keeps no window open.
    if user.last_interaction is None or now - user.last_interaction > BILLED:
        return error(-230, CODES[-230])
    kind = "reply" if now - user.last_interaction <= FREE else "purchase_quota"
    message_id = state.keep("oa", user.uid, body)
    sent = {"message_id": message_id, "user_id": user.uid, "sent_time": epoch_ms(now)}
    return envelope(sent | {"quota": {"quota_type": kind, "remain": "8", "total": "8"}})


def _template(state: State, body: dict[str, Any]) -> dict[str, Any]:
    user = state.users.get(str(body.get("user_id", "")))
    if user is None:
        return error(-201, CODES[-201])
    template = state.templates.get(str(body.get("template_id", "")))
    if template is None:
        return error(-201, "template_id is invalid!")
    if not template.by_uid:
        return error(-249, "Template does not support send via UID")
    if problem_of(template, body.get("template_data")):
        return error(-201, "template_data is invalid!")
    for flag, code in ((user.blocked, -217), (user.inactive_45d, -227), (user.restricted, -244)):
        if flag:
            return error(code, CODES[code])
    if template.daily_quota == 0:
        return error(-211, "Out of quota")
    if template.daily_quota:
        template.daily_quota -= 1
    message_id = state.keep("oa", user.uid, body)
    sent = {"message_id": message_id, "user_id": user.uid, "sent_time": epoch_ms(state.clock())}
    return envelope(sent | {"quota": {"quota_type": "purchase_quota", "remain": 4821}})


def _group(state: State, body: dict[str, Any]) -> dict[str, Any]:
    group_id = str(_in(body, "recipient").get("group_id", ""))
    group = state.groups.get(group_id)
    message = _in(body, "message")
    if group is None or not group.ours:
        return error(-403, "OA is not in group")
    if group.disabled:
        return error(-237, "Group was disabled")
    attachment = _in(message, "attachment")
    if "buttons" in _in(attachment, "payload"):
        return error(-233, "Message type is invalid or not support")
    text = message.get("text", "")
    if not isinstance(text, str) or not (text or attachment):
        return error(-201, "text is invalid!")
    if _is_expired(state, attachment):
        return error(-100, "attachment_id was expired")
    if len(text) > LONGEST_TEXT:
        return error(-210, "Parameter text exceeds allowable limit")
    return envelope({"message_id": state.keep("gmf", group_id, body), "group_id": group_id})


HANDLERS: dict[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "/v3.0/oa/message/cs": _consult,
    "/v3.0/oa/message/template": _template,
    "/v3.0/oa/group/message": _group,
}


def _quota(state: State, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("quota_owner") == "OA":
        return envelope({"quota_type": "sub_quota", "remain": "500", "total": "500"})
    user = state.users.get(str(body.get("user_id", "")))
    if user is None:
        return error(-201, CODES[-201])
    last = epoch_ms(user.last_interaction) if user.last_interaction else None
    told = {"cs_reply": {"remain": "8", "total": "8"}, "promotion": {"remain": "1", "total": "1"}}
    return envelope(told | {"last_interaction": last} if last else told)


def _lookup(state: State, path: str, request: Request) -> dict[str, Any]:
    if set(request.query_params) - {"data"}:
        return error(-201, "data is invalid!")  # everything in one parameter
    try:
        asked = json.loads(request.query_params.get("data", "{}"))
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        return error(-201, "data is invalid!")
    match path:
        case "/v2.0/oa/getoa":
            followers = sum(user.followed for user in state.users.values())
            return envelope(
                {
                    "oaid": state.oa_id,
                    "name": "MẪU",
                    "is_verified": True,
                    "oa_type": 1,
                    "num_follower": followers,
                    "package_name": "MẪU",
                    "linked_ZCA": "MẪU",
                }
            )
        case "/v3.0/oa/user/detail":
            user = state.users.get(str(asked.get("user_id", "")))
            if user is None:
                return error(-201, CODES[-201])
            last = f"{user.last_interaction.astimezone(CITY):%d/%m/%Y}" if user.last_interaction else ""
            return envelope(
                {
                    "user_id": user.uid,
                    "user_id_by_app": user.uid,
                    "display_name": user.name,
                    "user_is_follower": user.followed,
                    "user_last_interaction_date": last,
                }
            )
        case "/v3.0/oa/user/getlist":
            first, count = int(asked.get("offset", 0)), int(asked.get("count", 50))
            if first > 9951 or count > 50:
                return error(-210, "Parameter exceeds allowable limit")
            found = [{"user_id": uid} for uid, user in state.users.items() if user.followed]
            return envelope({"total": len(found), "users": found[first : first + count]})
        case "/v3.0/oa/group/getgroupsofoa":
            groups = [
                {"group_id": group_id, "name": group.name}
                for group_id, group in state.groups.items()
                if group.ours
            ]
            return envelope({"groups": groups, "total": len(groups)})
        case "/v3.0/oa/group/listmember":
            group = state.groups.get(str(asked.get("group_id", "")))
            return (
                envelope({"members": [{"id": each} for each in group.members]})
                if group
                else error(-403, "OA is not in group")
            )
    return error(-209, "Not supported this api")


def _manage(state: State, path: str, body: dict[str, Any]) -> dict[str, Any]:
    if path == "/v3.0/oa/group/creategroupwithoa":
        group_id = f"g{state.number()}"
        state.groups[group_id] = FakeGroup(
            str(body.get("group_name", "")), members=[str(each) for each in body.get("member_user_ids", [])]
        )
        return envelope({"group_id": group_id, "group_link": f"https://zalo.me/g/{group_id}"})
    if path == "/v3.0/oa/group/invite":
        group = state.groups.get(str(body.get("group_id", "")))
        if group is None or not group.ours:
            return error(-403, "OA is not in group")
        group.members += [str(each) for each in body.get("member_user_ids", [])]
        return envelope({})
    if path in ("/v3.0/oa/message/transaction", "/v3.0/oa/message/promotion"):
        return error(-233, "Message type is invalid or not support")
    if path.startswith("/v2.0/oa/message"):
        return error(-240, "MessageV2 has been shut down")
    return error(-209, "Not supported this api")


async def _upload(state: State, kind: str, request: Request) -> Response:
    form = await request.form()
    file = form.get("file")
    content = await file.read() if file is not None and not isinstance(file, str) else b""
    largest = 1024 * 1024 if kind in ("image", "gif") else 5 * 1024 * 1024
    if not content or len(content) > largest:
        return JSONResponse(error(-210, "Parameter file exceeds allowable limit"))
    token = state.secret("upload")
    state.uploads[token] = state.clock() + UPLOAD_LIVES
    return JSONResponse(envelope({"attachment_id" if kind in ("image", "gif") else "token": token}))


def _is_expired(state: State, attachment: dict[str, Any]) -> bool:
    """Say whether an attachment names an upload that is no longer kept, or never was."""
    payload = _in(attachment, "payload")
    elements = payload.get("elements")
    named = [payload["token"]] if "token" in payload else []
    for element in elements if isinstance(elements, list) else []:
        if isinstance(element, dict) and "attachment_id" in element:
            named.append(element["attachment_id"])
    if not named:
        return attachment.get("type") == "file"
    now, kept = state.clock(), [state.uploads.get(str(each)) for each in named]
    return any(until is None or now >= until for until in kept)


def _in(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
