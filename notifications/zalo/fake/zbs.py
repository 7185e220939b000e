"""The fake's ZBS host: templates by telephone number, their description, status, quota and quality."""

import re
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.attachments import upload_for_templates
from notifications.zalo.fake.replies import Dropped, answered, envelope, error, parsed, whole
from notifications.zalo.fake.state import FakeTemplate, State, epoch_ms
from notifications.zalo.fake.templates import described, problem_of
from rules.calendar import CITY

PHONE = re.compile(r"(?:\+?84|0)?([35789]\d{8})")
TRACKING = re.compile(r"[A-Za-z0-9_-]{1,48}")
HASH = re.compile(r"[0-9a-f]{64}")
NIGHT = (22, 6)
MOST_TEMPLATES = 100
DAILY_QUOTA = 500
SENDS = ("/message/template", "/message/template/hashphone")
STATUSES = {"1": "ENABLE", "2": "PENDING_REVIEW", "3": "REJECT", "4": "DISABLE"}


async def answer(state: State, path: str, request: Request) -> Response:
    """Answer a call of the ZBS host."""
    token = request.headers.get("access_token", "")
    if request.headers.get("authorization") or state.token_is(token) != "good":
        return JSONResponse(error(-124, "Access token is invalid"))
    if not state.proof_is_good(token, request.headers.get("appsecret_proof", "")):
        return JSONResponse(error(-1241, "appsecret_proof is invalid"))
    if request.method == "GET":
        try:
            return JSONResponse(_lookup(state, path, dict(request.query_params)))
        except ValueError:
            return JSONResponse(error(-129, "Parameter is invalid"))
    if path == "/upload/image":
        return await upload_for_templates(state, request)
    raw = await request.body()
    if not raw:
        return JSONResponse(error(-121, "Body is empty"))
    try:
        body = parsed(raw)
    except ValueError:
        return JSONResponse(error(-122, "Body is not JSON"))
    if path == "/response/get":
        return JSONResponse(envelope({"data": [], "total": 0}))
    if path not in SENDS:
        return JSONResponse(error(-106, "Method is not supported"))
    fault = state.faults.of_send()
    if fault is not None and fault[0] == "code":
        return JSONResponse(error(fault[1], "Error"))
    if fault is not None and fault[0] == "drop_unread":
        raise Dropped
    with state.lock:
        done = _send(state, path, body if isinstance(body, dict) else {})
    if done["error"] != 0:
        return JSONResponse(done)
    return await answered(state, fault, done)


def _send(state: State, path: str, body: dict[str, Any]) -> dict[str, Any]:
    template = state.templates.get(str(body.get("template_id", "")))
    number = _hashed(state, body) if path.endswith("/hashphone") else _number(body)
    mode, is_test = str(body.get("sending_mode", "1")), body.get("mode") == "development"
    if number is None:
        return error(-108, "Phone number is invalid")
    if template is None:
        return error(-109, "Template ID is invalid")
    if not TRACKING.fullmatch(str(body.get("tracking_id", ""))):
        return error(-132, "tracking_id is invalid")
    if mode != "1" and (mode != "3" or not state.may_exceed_quota):
        return error(-161, "sending_mode is invalid")
    if mode == "3" and template.tag != "PROMOTION":
        return error(-162, "sending_mode is not supported by this template")
    refusal = _of_template(state, template, body) or _of_phone(state, number, is_test)
    if refusal is not None:
        return error(*refusal)
    if (state.development_wallet if is_test else state.wallet) <= 0:
        return error(-126, "Development wallet is empty") if is_test else error(-115, "Out of quota")
    if mode == "1" and state.daily_quota == 0:
        return error(-144, "OA has exceeded its daily quota")
    for owner in (state, template):
        if owner.daily_quota:
            owner.daily_quota -= 1
    if is_test:
        state.development_wallet -= 1
    else:
        state.wallet -= 1
    # Nothing is told apart by its tracking_id: the same one twice is two messages.
    now, message_id = epoch_ms(state.clock()), state.keep("zbs", number, body)
    quota = {
        "dailyQuota": str(DAILY_QUOTA),
        "remainingQuota": str(DAILY_QUOTA - 1 if state.daily_quota is None else state.daily_quota),
    }
    return envelope({"msg_id": message_id, "sent_time": now, "sending_mode": mode, "quota": quota})


def _number(body: dict[str, Any]) -> str | None:
    found = PHONE.fullmatch(str(body.get("phone", "")))
    return f"84{found[1]}" if found else None


def _hashed(state: State, body: dict[str, Any]) -> str | None:
    """Return the number a hash stands for, or the hash where nobody is known by it."""
    given = str(body.get("hash_phone", ""))
    if not HASH.fullmatch(given):
        return None
    known = {sha256(number.encode()).hexdigest(): number for number in list(state.phones)}
    return known.get(given, given)


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


def _of_phone(state: State, number: str, is_test: bool) -> tuple[int, str] | None:
    phone = state.phones.get(number)
    if not (phone is not None and phone.is_admin) if is_test else state.development_only:
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
            first, limit = whole(asked.get("offset", 0)), whole(asked.get("limit", MOST_TEMPLATES))
            status = asked.get("status")
            if limit > MOST_TEMPLATES or (status is not None and status not in STATUSES):
                return error(-130, "limit or status is invalid")
            every = [
                {"templateId": each.template_id, "templateName": each.name, "status": each.status}
                for each in state.templates.values()
                if status is None or each.status == STATUSES[status]
            ]
            return {
                "error": 0,
                "message": "Success",
                "data": every[first : first + limit],
                "metadata": {"total": len(every)},
            }
        case "/message/status":
            return envelope(_status(state, asked.get("message_id", "")))
        case "/message/quota":
            left = DAILY_QUOTA if state.daily_quota is None else state.daily_quota
            return envelope({"dailyQuota": DAILY_QUOTA, "remainingQuota": left, "dailyQuotaPromotion": None})
        case "/quality":
            return envelope({"oaCurrentQuality": "HIGH", "oa7dayQuality": "HIGH"})
    return error(-106, "Method is not supported")


def _status(state: State, message_id: str) -> dict[str, Any]:
    sent = (each for each in state.received if each.host == "zbs" and each.message_id == message_id)
    message = next(sent, None)
    if message is None:
        return {"status": -1, "message": "The message does not exist"}
    if not state.has_arrived(message):
        return {"status": 0, "message": "The message was accepted"}
    return {
        "delivery_time": epoch_ms(message.at),
        "message": "The message was delivered to the user's phone",
        "status": 1,
    }
