"""Consent to an official account, and the exchange of what it gives for tokens (zalo-contract.md §2)."""

import base64
import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeGuard
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from notifications.zalo.platform import ZaloAddresses, ZaloApp
from rules.tokens import Pair

LONGEST_WORDS = 200
LONGEST_LIFE = 366 * 24 * 3600  # seconds; what is said to last longer is not believed
# All that a renewal may wait for has to end within the lease of whoever is at it.
LONGEST_WAIT = 60.0  # seconds, each for connecting, writing and reading
CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 4.1
BARE_CODE = re.compile(r"[A-Za-z0-9._~+/=-]{8,}")
# Raised before a byte of the request was written.
NOT_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
# Zalo stops at these before it looks at the token: too many calls, no such application, no such callback.
BEFORE_THE_TOKEN = frozenset({"-32", "-14002", "-14003"})


@dataclass(frozen=True, slots=True)
class Refused:
    """Zalo refuses for good; without code and words its answer was empty, as for a token used before."""

    code: str
    words: str

    @property
    def said(self) -> str:
        """The code and the words, as far as there are any."""
        return f"{self.code} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class AppRefused:
    """Zalo refused the application, or the hour, before it looked at what was handed over."""

    code: str
    words: str

    @property
    def said(self) -> str:
        """The code and the words, as far as there are any."""
        return f"{self.code} {self.words}".strip()


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows what happened: no answer came, or none that can be read."""

    words: str


@dataclass(frozen=True, slots=True)
class NotReached:
    """Nothing was handed over."""

    words: str


Answer = Pair | Refused | AppRefused | Lost | NotReached


class CodeProblem(StrEnum):
    """Why what was pasted is not what a browser shows after the consent."""

    NOT_A_CODE = "not_a_code"
    NO_CODE = "no_code"
    STILL_THE_LINK = "still_the_link"
    OTHER_ACCOUNT = "other_account"
    DECLINED = "declined"


class NotACallback(Exception):
    """What was pasted holds no authorization code for this account; `problem` says why, nothing quotes it."""

    def __init__(self, problem: CodeProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class VerifierUnusable(Exception):
    """The code verifier of this installation is none: 43 to 128 letters, digits, `-`, `.`, `_`, `~`."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """The host that gives tokens to one application for one account; `timeout` is in seconds."""

    addresses: ZaloAddresses
    app: ZaloApp
    timeout: float = 20.0

    def consent_link(self, callback_url: str, verifier: str) -> str:
        """Return the link under which an administrator of the account consents."""
        asked = {
            "app_id": self.app.app_id,
            "redirect_uri": callback_url,
            "code_challenge": challenge(verifier),
        }
        return f"{self.addresses.oauth}/v4/oa/permission?{urlencode(asked)}"

    def exchange(self, code: str, verifier: str) -> Answer:
        """Hand in the authorization code of a consent; it is good once, for ten minutes."""
        return self._ask("authorization_code", {"code": code, "code_verifier": verifier})

    def refresh(self, refresh_token: str) -> Answer:
        """Hand in a refresh token, which is good once; never raises."""
        return self._ask("refresh_token", {"refresh_token": refresh_token})

    def _ask(self, grant: str, handed_over: dict[str, str]) -> Answer:
        # Only the kinds of errors are told on: their texts may quote a header, and so a secret.
        try:
            client = httpx.Client(timeout=min(self.timeout, LONGEST_WAIT))
        except Exception as error:
            return NotReached(type(error).__name__)
        with client:
            try:
                request = client.build_request(
                    "POST",
                    f"{self.addresses.oauth}/v4/oa/access_token",
                    data={**handed_over, "app_id": self.app.app_id, "grant_type": grant},
                    headers={"secret_key": self.app.secret},
                )
            except Exception as error:
                return NotReached(type(error).__name__)
            try:
                response = client.send(request)
            except NOT_WRITTEN as error:
                return NotReached(type(error).__name__)
            except Exception as error:
                return Lost(type(error).__name__)
        secret = (*handed_over.values(), self.app.secret)
        return _Said(response.status_code, response.content, secret).answer()


@dataclass(frozen=True, slots=True)
class _Said:
    """What came back, and what it must not be quoted with."""

    status: int
    body: bytes
    secret: tuple[str, ...]

    def answer(self) -> Answer:
        if self.status >= 500:
            return Lost(f"HTTP {self.status}")
        if self.status == 200 and not self.body.strip():
            return Refused("", "")
        try:
            told = json.loads(self.body)
        except (ValueError, RecursionError):
            return Lost(f"HTTP {self.status}, not JSON")
        if not isinstance(told, dict):
            return Lost(f"HTTP {self.status}, not an object")
        code = _code(told.get("error"))
        if code or told.get("error_name"):
            refused = AppRefused if code in BEFORE_THE_TOKEN else Refused
            return refused(code, self._words(told))
        access, renewing = told.get("access_token"), told.get("refresh_token")
        if self.status != 200 or not is_token(access) or not is_token(renewing):
            return Lost(f"HTTP {self.status}, no tokens")
        return Pair(access, renewing, seconds_of(told.get("expires_in")))

    def _words(self, told: dict[str, Any]) -> str:
        """Return what Zalo says of its refusal, on one line; nothing where it repeats a secret."""
        said = [told.get(name) for name in ("error_name", "error_reason", "error_description", "message")]
        texts = [CONTROLS.sub(" ", text).strip() for text in said if isinstance(text, str)]
        words = "; ".join(dict.fromkeys(text for text in texts if text))
        return "" if any(each in words for each in self.secret) else words[:LONGEST_WORDS]


def _code(error: object) -> str:
    """Return an error's code as text, however it was written; empty for zero and for none."""
    if error is None or isinstance(error, bool | float | dict | list):
        return ""
    code = CONTROLS.sub(" ", str(error)).strip()[:32]
    with suppress(ValueError):
        return str(int(code)) if int(code) else ""
    return code


def is_token(value: object) -> TypeGuard[str]:
    """Say whether this can be a token: it goes into a header as it is."""
    return (
        isinstance(value, str)
        and bool(value)
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def seconds_of(value: object) -> int | None:
    """Return the seconds of `expires_in`, a number or a text of one; None where it is not believed."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        seconds = int(value)
    except ValueError:
        return None
    return seconds if 0 < seconds <= LONGEST_LIFE else None


def new_verifier() -> str:
    """Return a new code verifier: 43 characters that nobody else has."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return what is shown of a verifier in the link (PKCE, S256); raises VerifierUnusable."""
    if not VERIFIER.fullmatch(verifier):
        raise VerifierUnusable
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).decode("ascii").rstrip("=")


def authorization_code(pasted: str, *, oa_id: str) -> str:
    """Return the code in the address a browser shows after the consent, or the bare code itself.

    Raises NotACallback where there is none, or where it is another account's than `oa_id`.
    """
    text = pasted.strip().strip("\"'<>")
    is_address = "://" in text
    if is_address or "=" in text.rstrip("="):
        found = _asked(text if is_address else f"?{text.removeprefix('?')}")
        if "code" not in found:
            raise NotACallback(_why_no_code(found))
        if found.get("oa_id", oa_id) != oa_id:
            raise NotACallback(CodeProblem.OTHER_ACCOUNT)
        text = found["code"]
    if not BARE_CODE.fullmatch(text):
        raise NotACallback(CodeProblem.NOT_A_CODE)
    return text


def _asked(address: str) -> dict[str, str]:
    with suppress(ValueError):
        return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return {}


def _why_no_code(found: dict[str, str]) -> CodeProblem:
    if "code_challenge" in found:
        return CodeProblem.STILL_THE_LINK
    if any(name.startswith("error") for name in found):
        return CodeProblem.DECLINED
    return CodeProblem.NO_CODE
