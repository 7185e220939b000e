"""What the fake tells a webhook: signed and tried again as Zalo does; late, twice, out of order."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from notifications.zalo.fake.state import FakeUser, Received, State, epoch_ms

# Seconds after which an event that was not answered with 200 within two seconds is told again.
LADDER = (30, 300, 900, 1_800, 3_600)
ANSWERS_WITHIN = 2.0


@dataclass(frozen=True)
class Told:
    """One telling of an event and what it was answered; 0 where nothing came."""

    event: str
    num_retry: int
    status: int


class Webhooks:
    """Tells events to an address; `scale` shortens the waits between tries."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.url = ""
        self.variant = "app_id+oa_secret"
        self.prefix = True
        self.scale = 0.0
        self.reader_is_sender = True
        self.told: list[Told] = []

    def signature(self, raw: bytes, timestamp: str) -> str:
        """Return the value of `X-ZEvent-Signature` for a body."""
        state = self._state
        lead, _, secret = self.variant.partition("+")
        first = state.app_id if lead == "app_id" else state.oa_id
        last = state.oa_secret if secret == "oa_secret" else state.app_secret
        mac = hashlib.sha256(first.encode() + raw + timestamp.encode() + last.encode()).hexdigest()
        return f"mac={mac}" if self.prefix else mac

    def tell(self, event: dict[str, Any], *, is_zbs: bool = False, again: bool = True) -> int:
        """Tell an event until it is answered with 200; returns the last status."""
        event = {"timestamp": epoch_ms(self._state.clock()), "app_id": self._state.app_id} | event
        raw = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-ZEvent-Signature": self.signature(raw, str(event["timestamp"])),
        } | ({"X-ZEvent-Server": "ZNS"} if is_zbs else {})
        status = 0
        for number, wait in enumerate((0, *LADDER)):
            time.sleep(wait * self.scale)
            status = self._post(self.url, raw, headers | ({"num_retry": str(number)} if number else {}))
            self.told.append(Told(str(event["event_name"]), number, status))
            if status == 200 or not again:
                break
        return status

    def receipt(self, message: Received) -> tuple[dict[str, Any], bool]:
        """Return the event that says a message has reached its reader, and whether ZBS tells it."""
        state = self._state
        if message.host == "zbs":
            told = {
                "delivery_time": epoch_ms(state.clock()),
                "msg_id": message.message_id,
                "tracking_id": message.body.get("tracking_id", ""),
            }
            sides = {"sender": {"id": state.oa_id}, "recipient": {"id": message.to}}
            return {"event_name": "user_received_message", "message": told} | sides, True
        told = {"msg_id": message.message_id}
        return {"event_name": "user_received_message", "message": told} | self._sides(message.to), False

    def seen(self, uid: str, message_ids: Iterable[str]) -> dict[str, Any]:
        """Return the event that says a person has read messages."""
        told = {"msg_ids": list(message_ids)}
        return {"event_name": "user_seen_message", "message": told} | self._sides(uid)

    def _sides(self, uid: str) -> dict[str, Any]:
        """Return who tells whom; which of them is the reader is not agreed on (zalo-contract.md §9)."""
        sides = [{"id": uid}, {"id": self._state.oa_id}]
        sender, recipient = sides if self.reader_is_sender else reversed(sides)
        return {"sender": sender, "recipient": recipient}

    def said(self, user: FakeUser, text: str) -> dict[str, Any]:
        """Return the event that a person has written."""
        state = self._state
        return {
            "event_name": "user_send_text",
            "sender": {"id": user.uid},
            "recipient": {"id": state.oa_id},
            "user_id_by_app": user.uid,
            "message": {"text": text, "msg_id": f"m{state.number()}"},
        }

    def followed(self, user: FakeUser, event: str) -> dict[str, Any]:
        """Return the event that a person follows the account, or no longer."""
        return {
            "event_name": event,
            "oa_id": self._state.oa_id,
            "follower": {"id": user.uid},
            "user_id_by_app": user.uid,
            "source": "oa_profile",
        }

    def tell_bot(self, chat_id: str, text: str) -> int:
        """Tell the bot what a person has written to it; returns the status, 0 where it waits to be asked."""
        message = {
            "from": {"id": chat_id, "display_name": "MẪU", "is_bot": False},
            "chat": {"id": chat_id, "chat_type": "PRIVATE"},
            "text": text,
            "message_id": f"b{self._state.number()}",
            "date": int(self._state.clock().timestamp() * 1000),
        }
        update = {"event_name": "message.text.received", "message": message}
        hook = self._state.bot_hook
        if not hook.url:
            self._state.bot_updates.append(update)
            return 0
        body = {"ok": True, "result": update}
        headers = {"Content-Type": "application/json", "X-Bot-Api-Secret-Token": hook.secret}
        return self._post(hook.url, json.dumps(body, ensure_ascii=False).encode(), headers)

    def _post(self, url: str, raw: bytes, headers: dict[str, str]) -> int:
        try:
            return httpx.post(
                url, content=raw, headers=headers, timeout=ANSWERS_WITHIN, trust_env=False
            ).status_code
        except httpx.HTTPError:
            return 0
