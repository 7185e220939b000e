"""The fake's OAuth v4: consent, exchange with PKCE, refresh tokens that are good once."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from notifications.zalo.fake.replies import Dropped, page
from notifications.zalo.fake.state import CODE_LIVES, Grant, State

LIVES = "90000"  # seconds, as a text


async def access_token(state: State, request: Request) -> Response:
    """Answer the exchange of a code or the refresh of a token."""
    form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
    kind = request.headers.get("content-type", "").partition(";")[0]
    secret = request.headers.get("secret_key", "")
    if request.method != "POST" or kind != "application/x-www-form-urlencoded":
        return refused(-14001, "Invalid request.")
    if form.get("app_id") != state.app_id or not hmac.compare_digest(
        secret.encode(), state.app_secret.encode()
    ):
        return refused(-14002, "Invalid app id.")
    if form.get("grant_type") == "authorization_code":
        return _exchange(state, form)
    if form.get("grant_type") == "refresh_token":
        return _refresh(state, form.get("refresh_token", ""))
    return refused(-14001, "Invalid grant type.")


def _exchange(state: State, form: dict[str, str]) -> Response:
    with state.lock:
        challenge, until = state.codes.pop(form.get("code", ""), ("", state.clock()))
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    given = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not challenge or state.clock() >= until:
        return refused(-14010, "Invalid authorization code.")
    if not hmac.compare_digest(given, challenge):
        return refused(-14019, "Invalid code verifier.")
    return _given(state.grant())


def _refresh(state: State, token: str) -> Response:
    fault = state.faults.of_oauth("unread", "html")
    if fault == "unread":
        raise Dropped
    if fault is not None:
        return page(int(fault.partition(":")[2]))
    with state.lock:
        known = next((each for each in state.grants if each.refresh == token), None)
        if known is None:
            return refused(-14014, "Invalid refresh token.")
        if known.is_spent or state.clock() >= known.refresh_until:
            fault = state.faults.of_oauth("code", "quoted")
            if fault is None:
                return Response(b"", 200)
            return refused(-14014, "Invalid refresh token.", is_quoted=fault == "quoted")
        known.is_spent = True
        pair = state.grant()
    if state.faults.of_oauth("lost"):
        raise Dropped
    return _given(pair)


def _given(pair: Grant) -> Response:
    return JSONResponse({"access_token": pair.access, "refresh_token": pair.refresh, "expires_in": LIVES})


def refused(code: int, words: str, *, is_quoted: bool = False) -> Response:
    """Answer that nothing is given; with HTTP 200, as everything."""
    error: int | str = str(code) if is_quoted else code
    return JSONResponse(
        {"error": error, "error_name": words, "error_reason": "", "ref_doc": "", "message": ""}
    )


def authorization_code(state: State, challenge: str) -> str:
    """Return a code as if an administrator had consented."""
    code = state.secret("code")
    with state.lock:
        state.codes[code] = (challenge, state.clock() + CODE_LIVES)
    return code
