"""One HTTP client for Zalo's hosts: the header, the proof, the envelope, and what was never answered."""

import hashlib
import hmac
import json
import logging
import re
import ssl
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from notifications.rate import Rate
from notifications.zalo.errors import Host
from notifications.zalo.oauth import is_token
from notifications.zalo.platform import ZaloPlatform

LONGEST_WORDS = 500
CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
BOT_TOKEN = re.compile(r"/bot[^/\s\"']+")

# A connection the other side may have closed by now is not used again: nobody could tell whether
# what was written to it had been read.
KEPT_IDLE_SECONDS = 3.0
# Below this many calls left of its limit the provider is given a rest.
FEW_CALLS_LEFT = 20
REST_SECONDS = 5.0

# Raised before a byte of the request was written.
UNWRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
# Whoever logs for the HTTP library; a filter is asked only of the logger it was given to.
LOGGERS = (
    "httpx",
    *(f"httpcore{each}" for each in ("", ".connection", ".http11", ".http2", ".proxy", ".socks")),
)


class NothingWritten(Exception):
    """The request has certainly not been read by anybody; its words hold no secret."""


class AnswerLost(Exception):
    """The request was written and no answer came that can be read: it may have been obeyed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered: code 0 is success; every number in `data` is a text, as ids have to be."""

    code: int
    words: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class _Redacting(logging.Filter):
    """Takes the bot's token, which stands in its addresses, out of what the HTTP library logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True, the record being clean now."""
        text = record.getMessage()
        if "/bot" in text:
            record.msg, record.args = BOT_TOKEN.sub("/bot***", text), ()
        return True


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_Redacting())


class ZaloClient:
    """Speaks to Zalo over kept connections; `close` gives them back.

    Every call raises NothingWritten or AnswerLost where there is no answer to return.
    """

    def __init__(self, platform: ZaloPlatform, *, rate: Rate | None = None) -> None:
        self._addresses, self._app = platform.addresses, platform.app
        self._rate = rate or Rate(platform.per_minute)
        self._http = httpx.Client(
            verify=_tls(),
            timeout=platform.timeout,
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=KEPT_IDLE_SECONDS),
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def post(self, host: Host, path: str, body: Mapping[str, Any], token: str) -> Answer:
        """Post JSON with an access token and return the answer."""
        return self._call("POST", host, path, token, content=_json(body))

    def get(self, host: Host, path: str, asked: Mapping[str, Any], token: str) -> Answer:
        """Ask something; the official account's host takes one parameter, `data`, that holds it all."""
        params = {"data": _json(asked).decode()} if host is Host.OA else dict(asked)
        return self._call("GET", host, path, token, params=params)

    def call_bot(self, method: str, body: Mapping[str, Any], token: str) -> Answer:
        """Call a method of the bot platform and return the answer; its token stands in the address."""
        url = f"{self._addresses.bot}/bot{quote(token, safe=':')}/{method}"
        told = _envelope(self._answered("POST", url, {}, content=_json(body)), "ok")
        if told["ok"] is True:
            return Answer(0, data=_mapping(told.get("result")))
        return Answer(_code(told.get("error_code", -1)), _words(told.get("description"), token))

    def _call(self, method: str, host: Host, path: str, token: str, **request: Any) -> Answer:
        # The HTTP library would quote a header that it cannot send.
        if not is_token(token):
            raise NothingWritten("the access token cannot stand in a header")
        headers = {"access_token": token}
        if self._app is not None and self._app.sends_proof:
            proof = hmac.new(self._app.secret.encode(), token.encode(), hashlib.sha256)
            headers["appsecret_proof"] = proof.hexdigest()
        base = self._addresses.oa if host is Host.OA else self._addresses.zbs
        answered = self._answered(method, base + path, headers, **request)
        if answered.status_code >= 500:
            raise AnswerLost(f"HTTP {answered.status_code}")
        told = _envelope(answered, "error")
        words = _words(told.get("message"), *headers.values())
        return Answer(_code(told["error"]), words, _mapping(told.get("data")))

    def _answered(self, method: str, url: str, headers: dict[str, str], **request: Any) -> httpx.Response:
        self._rate.wait()
        if "content" in request:
            headers = headers | {"Content-Type": "application/json"}
        # Only the kinds of errors are told on: their texts may quote an address or a header.
        try:
            asked = self._http.build_request(method, url, headers=headers, **request)
        except Exception as error:
            raise NothingWritten(type(error).__name__) from None
        try:
            answered = self._http.send(asked)
        except UNWRITTEN as error:
            raise NothingWritten(type(error).__name__) from None
        except Exception as error:
            raise AnswerLost(type(error).__name__) from None
        with suppress(ValueError):
            if int(answered.headers.get("X-RateLimit-Remain", FEW_CALLS_LEFT)) < FEW_CALLS_LEFT:
                self._rate.hold_back(REST_SECONDS)
        return answered


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # It reads a file of certificates; once is enough.


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _envelope(answered: httpx.Response, mark: str) -> Mapping[str, Any]:
    """Return the object that was answered; anything else may hide that the request was obeyed."""
    try:
        told = json.loads(answered.content, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or mark not in told:
        raise AnswerLost(f"HTTP {answered.status_code} without an answer that can be read")
    return told


def _code(value: object) -> int:
    """Return an error's code, which may come quoted; what is no number may be a success as well."""
    try:
        return int(str(value))
    except ValueError:
        raise AnswerLost("an answer without a code that can be read") from None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object, *secrets: str) -> str:
    """Return what was said, on one line; nothing where it repeats a secret."""
    text = CONTROLS.sub(" ", unicodedata.normalize("NFC", str(value or ""))).strip()
    return "" if any(secret in text for secret in secrets) else text[:LONGEST_WORDS]
