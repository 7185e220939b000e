"""What Zalo tells: signed events of the official account and of ZBS, and what is written to the bot.

Anybody may call these addresses; only who knows the secret is listened to. An event is answered
after one short transaction and no call to anybody, well inside the two seconds Zalo waits.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from config.settings import Settings, settings
from models.database import transaction
from models.zalo_people import note_interaction, redeem
from models.zalo_receipts import REACHED, SEEN, Report, keep_event, take_reports
from portal.deps import now

LOG = logging.getLogger("congnhan")
LARGEST_BODY = 256 * 1024  # bytes
SIGNATURE, BOT_SECRET = "X-ZEvent-Signature", "X-Bot-Api-Secret-Token"

# What a person does that opens his interaction window (zalo-contract.md §3).
OPENS_WINDOW = ("user_send_", "user_submit_info", "user_click", "user_call", "oa_user_click")
OK = Response("{}", media_type="application/json")

router = APIRouter()
Now = Annotated[datetime, Depends(now)]


@router.post("/zalo/webhook")
async def webhook(request: Request, at: Now) -> Response:
    """Take in one event of the official account; 401 without a good signature, nothing being written."""
    raw = await _body(request)
    if raw is None:
        return Response(status_code=413)
    chosen = settings()
    event = _object(raw)
    if event is None:
        return Response(status_code=400)
    variant = signed_with(chosen, raw, event, request.headers.get(SIGNATURE, ""))
    if variant is None:
        LOG.warning("an event of Zalo has no good signature")
        return Response(status_code=401)
    LOG.info("an event of Zalo, signed with %s", variant)
    await run_in_threadpool(_take_in, event, str(chosen.zalo_oa_id), at)
    return OK


@router.post("/zalo/bot")
async def bot(request: Request, at: Now) -> Response:
    """Take in what somebody has written to the bot."""
    secret = settings().zalo_bot_secret
    given = request.headers.get(BOT_SECRET, "")
    if secret is None or not hmac.compare_digest(given.encode(), secret.get_secret_value().encode()):
        return Response(status_code=401)
    raw = await _body(request)
    if raw is None:
        return Response(status_code=413)
    event = _object(raw)
    if event is None:
        return Response(status_code=400)
    await run_in_threadpool(_take_in_chat, _part(event, "result"), at)
    return OK


def signed_with(chosen: Settings, raw: bytes, event: Mapping[str, Any], header: str) -> str | None:
    """Return which of the known ways of signing the signature is of, or None.

    Plain SHA-256 of a lead, the raw body, the body's own timestamp and a secret. Sources disagree
    on the secret and the lead (zalo-contract.md §9), so each is tried, the likeliest first.
    """
    given = header.strip().removeprefix("mac=").lower()
    stamp = str(event.get("timestamp", "")).encode()
    found = None
    for name, lead, secret in _variants(chosen):
        mac = hashlib.sha256(lead.encode() + raw + stamp + secret.encode()).hexdigest()
        # Every variant is computed, whichever matches: the time says nothing.
        if hmac.compare_digest(mac.encode(), given.encode()) and found is None:
            found = name
    return found


def _variants(chosen: Settings) -> Iterator[tuple[str, str, str]]:
    leads = {"app_id": chosen.zalo_app_id, "oa_id": chosen.zalo_oa_id}
    secrets = {"oa_secret": chosen.zalo_oa_secret, "app_secret": chosen.zalo_app_secret}
    for lead, value in leads.items():
        for name, secret in secrets.items():
            if value is not None and secret is not None:
                yield f"{lead}+{name}", value, secret.get_secret_value()


def _take_in(event: Mapping[str, Any], oa_id: str, at: datetime) -> None:
    """Write down what an event says, in one transaction; told again it changes nothing."""
    name = str(event.get("event_name", ""))
    message = _part(event, "message")
    happened_at = _instant(event.get("timestamp"), at)
    with transaction() as session:
        if name in (REACHED, SEEN):
            take_reports(session, _reports(name, message, happened_at), at=at)
            return
        uid = _person(event, oa_id)
        if not uid:
            return
        told = message.get("msg_id") or f"{uid}|{event.get('timestamp')}"
        key = f"{name}|{told}"
        if not keep_event(session, key, name, happened_at=happened_at, at=at):
            return
        if name in ("follow", "unfollow"):
            note_interaction(session, uid, at=happened_at, follows=name == "follow")
        elif name.startswith(OPENS_WINDOW):
            note_interaction(session, uid, at=happened_at)
        if name == "user_send_text":
            redeem(session, str(message.get("text", "")), uid, uid=uid, at=at)


def _take_in_chat(result: Mapping[str, Any], at: datetime) -> None:
    """Link who has sent the bot a code; in a group nobody is linked."""
    message = _part(result, "message")
    chat, sender = _part(message, "chat"), _part(message, "from")
    chat_id = str(chat.get("id") or "")
    if result.get("event_name") != "message.text.received" or not chat_id:
        return
    if chat.get("chat_type") != "PRIVATE" or sender.get("is_bot"):
        return
    with transaction() as session:
        key = f"bot|{message.get('message_id')}"
        if keep_event(session, key, "message.text.received", happened_at=at, at=at):
            text = str(message.get("text", ""))
            redeem(session, text, f"bot:{chat_id}", uid=f"bot:{chat_id}", at=at)


def _reports(name: str, message: Mapping[str, Any], happened_at: datetime) -> list[Report]:
    """Return what is reported; the telephone channel tells the real time, and our tracking id."""
    ids = message.get("msg_ids") if name == SEEN else [message.get("msg_id")]
    real = _instant(message.get("delivery_time"), happened_at)
    tracking = str(message.get("tracking_id") or "") or None
    listed = ids if isinstance(ids, list) else []
    return [Report(name, str(each), real, tracking) for each in listed if each]


def _person(event: Mapping[str, Any], oa_id: str) -> str:
    """Return the UID of the person an event is about; which side he stands on varies."""
    sides = [_part(event, side).get("id") for side in ("follower", "sender", "recipient")]
    return next((str(each) for each in sides if each and str(each) != oa_id), "")


async def _body(request: Request) -> bytes | None:
    """Return the raw body, or None where it is larger than any event."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _object(raw: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _instant(told: Any, otherwise: datetime) -> datetime:
    """Return an instant told in milliseconds; one that cannot be, or lies ahead of now, is not believed."""
    try:
        found = datetime.fromtimestamp(int(told) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise
    return min(found, otherwise)
