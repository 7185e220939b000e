"""What the tests of the fake share: a clock that stands still, and a caller that knows nothing of ours."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import httpx

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.sending import NOW, TEMPLATE, UID

CS, BY_UID, GROUP_MESSAGE = "/v3.0/oa/message/cs", "/v3.0/oa/message/template", "/v3.0/oa/group/message"
DATA = {"don_vi": "Phường MẪU", "thoi_han": "22/11/2021"}
TEXT = "Nhắc nộp hồ sơ."


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


class Caller:
    """Calls the fake's hosts as the contract says, with a token that is good."""

    def __init__(self, zalo: FakeZalo) -> None:
        self.zalo = zalo
        self.access, self.refresh = zalo.pair()
        self.http = httpx.Client(timeout=5, trust_env=False, verify=False)

    def oa(self, path: str, body: object, **more: Any) -> dict[str, Any]:
        return self.answer(self.zalo.addresses.oa + path, body, **more)

    def zbs(self, path: str, body: object, **more: Any) -> dict[str, Any]:
        return self.answer(self.zalo.addresses.zbs + path, body, **more)

    def bot(self, method: str, body: object, token: str = "") -> dict[str, Any]:
        return self.answer(f"{self.zalo.addresses.bot}/bot{token or self.zalo.bot_token}/{method}", body)

    def answer(self, url: str, body: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Return what is answered to a JSON body; its status is 200 whatever it says."""
        answered = self.http.post(
            url, json=body, headers={"access_token": self.access} if headers is None else headers
        )
        assert answered.status_code == 200
        told: dict[str, Any] = answered.json()
        return told

    def get(self, url: str, **params: str) -> dict[str, Any]:
        answered = self.http.get(url, params=params, headers={"access_token": self.access})
        assert answered.status_code == 200
        told: dict[str, Any] = answered.json()
        return told

    def token(self, **form: str) -> httpx.Response:
        """Ask the OAuth host for tokens."""
        asked = {"app_id": self.zalo.app_id} | form
        return self.http.post(
            f"{self.zalo.addresses.oauth}/v4/oa/access_token",
            data=asked,
            headers={"secret_key": self.zalo.app_secret},
        )

    def consult(self, text: object = TEXT, uid: str = UID) -> dict[str, Any]:
        return self.oa(CS, consultation(text, uid))

    def phone(self, number: str, **more: Any) -> dict[str, Any]:
        return self.zbs("/message/template", by_phone(number) | more)

    def proof(self) -> str:
        return hmac.new(self.zalo.app_secret.encode(), self.access.encode(), hashlib.sha256).hexdigest()


def consultation(text: object = TEXT, uid: str = UID) -> dict[str, Any]:
    return {"recipient": {"user_id": uid}, "message": {"text": text}}


def by_phone(number: str) -> dict[str, Any]:
    return {"phone": number, "template_id": TEMPLATE, "template_data": DATA, "tracking_id": "K-1"}
