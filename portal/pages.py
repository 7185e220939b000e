"""Pages for people: made from templates, and sent so that nothing in them can run or be kept."""

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from rules.calendar import CITY

router = APIRouter()

# Nothing is loaded but our own stylesheet; no script runs, nobody frames us, no form leaves us.
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# A letter's frame inherits the page's policy, and letters say in attributes how they look.
POLICY_WITH_A_LETTER = POLICY | {"style-src-attr": "'unsafe-inline'"}
POLICY_OF_A_FILE = {"default-src": "'none'", "sandbox": "", "frame-ancestors": "'none'"}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def safe_headers(policy: dict[str, str]) -> dict[str, str]:
    """Return the headers of an answer under a content security policy."""
    said = "; ".join(f"{name} {value}".strip() for name, value in policy.items())
    return HEADERS | {"Content-Security-Policy": said}


def page(template: str, *, status: int = 200, policy: dict[str, str] = POLICY, **facts: Any) -> HTMLResponse:
    """Return a page; raises jinja2.UndefinedError where the template asks for a fact that is not there."""
    content = _templates().get_template(template).render(facts)
    return HTMLResponse(content, status_code=status, headers=safe_headers(policy))


def not_found() -> HTMLResponse:
    """Return the page that says there is nothing here."""
    return page("not_found.html", status=404)


@router.get("/static/portal.css")
def stylesheet() -> Response:
    """Answer the one stylesheet; everybody may have it."""
    return Response(_stylesheet(), media_type="text/css", headers=safe_headers(POLICY))


@cache
def _stylesheet() -> bytes:
    return files("portal").joinpath("static/portal.css").read_bytes()


@cache
def _templates() -> Environment:
    """Return the templates; a name they do not know raises, and everything is escaped."""
    environment = Environment(
        loader=PackageLoader("portal"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["moment"] = lambda instant: f"{instant.astimezone(CITY):%d/%m/%Y %H:%M}"
    environment.filters["machine"] = lambda instant: instant.astimezone(CITY).isoformat(timespec="seconds")
    return environment
