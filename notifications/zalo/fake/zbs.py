"""The fake's ZBS host: templates by telephone number, their description, status, quota and quality."""

import json
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import Dropped, answered, envelope, error
from notifications.zalo.fake.state import FakeTemplate, State, epoch_ms
from notifications.zalo.fake.templates import described, problem_of
from rules.calendar import CITY

PHONE = re.compile(r"(?:\+?84|0)?([35789]\d{8})")
TRACKING = re.compile(r"[A-Za-z0-9_-]{1,48}")
NIGHT = (22, 6)


async def answer(state: State, path: str, request: Request) -> Response:
    """Answer a call of the ZBS host."""
    token = request.headers.get("access_token", "")
    if request.headers.get("authorization") or state.token_is(token) != "good":
        return JSONResponse(error(-124, "Access token is invalid"))
    if not state.proof_is_good(token, request.headers.get("appsecret_proof", "")):
        return JSONResponse(error(-1241, "appsecret_proof is invalid"))
    if request.method == "GET":
        return JSONResponse(_lookup(state, path, dict(request.query_params)))
    raw = await request.body()
    if not raw:
        return JSONResponse(error(-121, "Body is empty"))
    try:
        body = json.loads(raw)
    except ValueError:
        return JSONResponse(error(-122, "Body is not JSON"))
    if path == "/response/get":
        return JSONResponse(envelope({"data": [], "total": 0}))
    if path != "/message/template":
        return JSONResponse(error(-106, "Method is not supported"))
    fault = state.faults.of_send()
    if fault is not None and fault[0] == "code":
        return JSONResponse(error(fault[1], "Error"))
    if fault is not None and fault[0] == "drop_unread":
        raise Dropped
    with state.lock:
        done = _send(state, body if isinstance(body, dict) else {})
    if done["error"] != 0:
        return JSONResponse(done)
    return await answered(state, fault, done)


def _send(state: State, body: dict[str, Any]) -> dict[str, Any]:
    template = state.templates.get(str(body.get("template_id", "")))
    found = PHONE.fullmatch(str(body.get("phone", "")))
    if found is None:
        return error(-108, "Phone number is invalid")
    if template is None:
        return error(-109, "Template ID is invalid")
    if not TRACKING.fullmatch(str(body.get("tracking_id", ""))):
        return error(-132, "tracking_id is invalid")
    number = f"84{found[1]}"
    refusal = _of_template(state, template, body) or _of_phone(state, number, body)
    if refusal is not None:
        return error(*refusal)
    if state.wallet <= 0:
        return error(-115, "Out of quota")
    if state.daily_quota == 0:
        return error(-144, "OA has exceeded its daily quota")
    for owner in (state, template):
        if owner.daily_quota:
            owner.daily_quota -= 1
    state.wallet -= 1
    # Nothing is told apart by its tracking_id: the same one twice is two messages.
    now, message_id = epoch_ms(state.clock()), state.keep("zbs", number, body)
    quota = {
        "dailyQuota": "500",
        "remainingQuota": str(499 if state.daily_quota is None else state.daily_quota),
    }
    return envelope({"msg_id": message_id, "sent_time": now, "sending_mode": "1", "quota": quota})


def _of_template(state: State, template: FakeTemplate, body: dict[str, Any]) -> tuple[int, str] | None:
    if template.low_quality:
        return (-146, "Template is disabled for low quality")
    if template.status != "ENABLE":
        return (-131, "Template is not approved")
    if problem := problem_of(template, body.get("template_data")):
        return problem
    hour = state.clock().astimezone(CITY).hour
    if template.day_only and (hour >= NIGHT[0] or hour < NIGHT[1]):
        return (-133, "This template cannot be sent at night")
    if template.daily_quota == 0:
        return (-147, "Template has exceeded its daily quota")
    return None


def _of_phone(state: State, number: str, body: dict[str, Any]) -> tuple[int, str] | None:
    phone = state.phones.get(number)
    is_development = body.get("mode") == "development"
    if not (phone is not None and phone.is_admin) if is_development else state.development_only:
        return (-127, "Template can be sent to administrators only")
    if phone is None or not phone.on_zalo:
        return (-118, "Zalo account does not exist")
    if phone.outdated:
        return (-110, "Zalo version is not supported")
    if phone.opted_out:
        return (-139, "User has opted out of this type of message")
    if phone.refuses_account:
        return (-141, "User refuses messages of the OA")
    return None


def _lookup(state: State, path: str, asked: dict[str, str]) -> dict[str, Any]:
    match path:
        case "/template/info/v2":
            template = state.templates.get(asked.get("template_id", ""))
            return envelope(described(template)) if template else error(-109, "Template ID is invalid")
        case "/template/all":
            first, limit = int(asked.get("offset", "0")), int(asked.get("limit", "100"))
            if limit > 100:
                return error(-130, "limit is over its length")
            every = [
                {"templateId": each.template_id, "templateName": each.name, "status": each.status}
                for each in state.templates.values()
            ]
            return {
                "error": 0,
                "message": "Success",
                "data": every[first : first + limit],
                "metadata": {"total": len(every)},
            }
        case "/message/status":
            known = next((m for m in state.received if m.message_id == asked.get("message_id")), None)
            if known is None:
                return envelope({"status": -1, "message": "The message does not exist"})
            return envelope({"delivery_time": epoch_ms(known.at), "status": 1, "message": "MẪU"})
        case "/message/quota":
            left = 500 if state.daily_quota is None else state.daily_quota
            return envelope({"dailyQuota": 500, "remainingQuota": left, "dailyQuotaPromotion": None})
        case "/quality":
            return envelope({"oaCurrentQuality": "HIGH", "oa7dayQuality": "HIGH"})
    return error(-106, "Method is not supported")
