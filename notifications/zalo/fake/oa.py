"""The fake's official-account host: consultation messages, templates by UID, lookups."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake import groups
from notifications.zalo.fake.attachments import problem_of as problem_of_attachment
from notifications.zalo.fake.attachments import upload
from notifications.zalo.fake.replies import Dropped, answered, envelope, error, parsed, part, whole
from notifications.zalo.fake.state import FakeUser, State, epoch_ms
from notifications.zalo.fake.templates import problem_of
from rules.calendar import CITY

FREE, BILLED, TEMPLATES = timedelta(hours=48), timedelta(days=7), timedelta(days=365)
LONGEST_TEXT = 2000
LAST_DAYS = re.compile(r"L(\d{1,3})D")
GROUPS = "/v3.0/oa/group/"
SENDS = {"/v3.0/oa/message/cs", "/v3.0/oa/message/template", "/v3.0/oa/group/message"}
CODES = {
    -32: "Your application reached limit call api",
    -201: "user_id is invalid!",
    -213: "User has not followed OA",
    -227: "User is banned or has been inactive for more than 45 days",
    -230: "User has not interacted with the OA in the past 7 days",
    -232: "User interaction has expired",
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
        return await upload(state, path.rpartition("/")[2], request)
    if request.method == "GET":
        return JSONResponse(_asked(state, path, request))
    try:
        body = parsed(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return JSONResponse(error(-201, "body is invalid!"))
    if path == "/v3.0/oa/quota/message":
        return JSONResponse(_quota(state, body))
    if path not in SENDS:
        with state.lock:
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
    user = state.users.get(str(part(body, "recipient").get("user_id", "")))
    message = part(body, "message")
    text = message.get("text", "")
    if user is None:
        return error(-201, CODES[-201])
    if not isinstance(text, str) or not (text or message.get("attachment")):
        return error(-201, "text is invalid!")
    if len(text) > LONGEST_TEXT:
        return error(-210, "Parameter text exceeds allowable limit")
    if problem := problem_of_attachment(state, message):
        return error(*problem)
    if code := _unreachable(user):
        return error(code, CODES[code])
    if user.last_interaction is None and not user.followed:
        return error(-213, CODES[-213])
    now = state.clock()
    # Following alone keeps no window open.
    if not user.wrote_within(BILLED, now):
        return error(-230, CODES[-230])
    kind = "reply" if user.wrote_within(FREE, now) else "purchase_quota"
    message_id = state.keep("oa", user.uid, body)
    sent = {"message_id": message_id, "user_id": user.uid, "sent_time": epoch_ms(now)}
    return envelope(sent | {"quota": {"quota_type": kind, "remain": "8", "total": "8"}})


def _template(state: State, body: dict[str, Any]) -> dict[str, Any]:
    user = state.users.get(str(body.get("user_id", "")))
    if user is None:
        return error(-201, CODES[-201])
    template = state.templates.get(str(body.get("template_id", "")))
    if template is None or template.status != "ENABLE" or template.low_quality:
        return error(-201, "template_id is invalid!")
    if not template.by_uid:
        return error(-249, "Template does not support send via UID")
    if problem_of(template, body.get("template_data")):
        return error(-201, "template_data is invalid!")
    if code := _unreachable(user):
        return error(code, CODES[code])
    if user.last_interaction is not None and not user.wrote_within(TEMPLATES, state.clock()):
        return error(-232, CODES[-232])
    if template.daily_quota == 0:
        return error(-211, "Out of quota")
    if template.daily_quota:
        template.daily_quota -= 1
    message_id = state.keep("oa", user.uid, body)
    sent = {"message_id": message_id, "user_id": user.uid, "sent_time": epoch_ms(state.clock())}
    return envelope(sent | {"quota": {"quota_type": "purchase_quota", "remain": 4821}})


HANDLERS: dict[str, Callable[[State, dict[str, Any]], dict[str, Any]]] = {
    "/v3.0/oa/message/cs": _consult,
    "/v3.0/oa/message/template": _template,
    "/v3.0/oa/group/message": groups.send,
}


def _unreachable(user: FakeUser) -> int | None:
    flags = ((user.blocked, -217), (user.inactive_45d, -227), (user.restricted, -244))
    return next((code for flag, code in flags if flag), None)


def _quota(state: State, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("quota_owner") == "OA":
        return envelope({"quota_type": "sub_quota", "remain": "500", "total": "500"})
    user = state.users.get(str(body.get("user_id", "")))
    if user is None:
        return error(-201, CODES[-201])
    last = epoch_ms(user.last_interaction) if user.last_interaction else None
    told = {"cs_reply": {"remain": "8", "total": "8"}, "promotion": {"remain": "1", "total": "1"}}
    return envelope(told | {"last_interaction": last} if last else told)


def _asked(state: State, path: str, request: Request) -> dict[str, Any]:
    if set(request.query_params) - {"data"}:
        return error(-201, "data is invalid!")  # everything in one parameter
    try:
        asked = parsed(request.query_params.get("data", "{}").encode())
        if isinstance(asked, dict):
            return _looked_up(state, path, asked)
    except ValueError:
        pass
    return error(-201, "data is invalid!")


def _looked_up(state: State, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a question; raises ValueError where a number is none."""
    match path:
        case "/v2.0/oa/getoa":
            followers = sum(user.followed for user in list(state.users.values()))
            return envelope(
                {
                    "oaid": state.oa_id,
                    "name": "MẪU",
                    "is_verified": True,
                    "oa_type": 1,
                    "num_follower": followers,
                    "package_name": "MẪU",
                    "package_valid_through_date": "",
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
                    "shared_info": {"name": user.name} | ({"phone": user.phone} if user.phone else {}),
                    "tags_and_notes_info": {"tag_names": [], "notes": []},
                }
            )
        case "/v3.0/oa/user/getlist":
            first, count = whole(asked.get("offset", 0)), whole(asked.get("count", 50))
            if first > 9951 or count > 50:
                return error(-210, "Parameter exceeds allowable limit")
            found = [{"user_id": user.uid} for user in _people(state, asked)]
            return envelope({"total": len(found), "users": found[first : first + count]})
        case "/v3.0/oa/group/getgroupsofoa" | "/v3.0/oa/group/listmember":
            return groups.look_up(state, path.removeprefix(GROUPS), asked)
    return error(-209, "Not supported this api")


def _people(state: State, asked: dict[str, Any]) -> list[FakeUser]:
    """Return who follows the account, or does not, and has been in touch of late where that is asked."""
    follows, lately = (
        asked.get("is_follower", True),
        LAST_DAYS.fullmatch(str(asked.get("last_interaction_period"))),
    )
    return [
        user
        for user in list(state.users.values())
        if user.followed is follows
        and (lately is None or user.wrote_within(timedelta(days=int(lately[1])), state.clock()))
    ]


def _manage(state: State, path: str, body: dict[str, Any]) -> dict[str, Any]:
    deed = path.removeprefix(GROUPS)
    if deed in ("creategroupwithoa", "invite", "updateinfo"):
        return groups.manage(state, deed, body)
    if path in ("/v3.0/oa/message/transaction", "/v3.0/oa/message/promotion"):
        return error(-233, "Message type is invalid or not support")
    if path.startswith("/v2.0/oa/message"):
        return error(-240, "MessageV2 has been shut down")
    return error(-209, "Not supported this api")
