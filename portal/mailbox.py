"""The letters of the embedded mailbox, for whoever tries the program out.

They are there only where no mail server is set up, so that nothing has left for a real reader; then
everybody who reaches the application may read them.
"""

from math import ceil
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from config.settings import settings
from notifications.kept import KeptLetters
from portal.pages import POLICY_OF_A_FILE, POLICY_WITH_A_LETTER, not_found, page, safe_headers

ON_A_PAGE = 50
LONGEST_SEARCH = 200  # characters

router = APIRouter()


@router.get("/")
def start() -> Response:
    """Lead to the mailbox where there is one, else say that the application runs; everybody may ask."""
    if settings().smtp_host is None:
        return RedirectResponse("/thu", status_code=303, headers=safe_headers({"default-src": "'none'"}))
    return page("running.html")


@router.get("/thu")
def list_letters(q: Annotated[str, Query()] = "", trang: Annotated[str, Query()] = "1") -> Response:
    """Show the letters, newest first, 50 a page; a page beyond the last shows the last."""
    kept = _kept()
    if kept is None:
        return not_found()
    wanted = q[:LONGEST_SEARCH].strip()
    names = kept.find(wanted)
    last = max(1, ceil(len(names) / ON_A_PAGE))
    number = min(max(1, _number(trang) or 1), last)
    begin = (number - 1) * ON_A_PAGE
    return page(
        "letters.html",
        letters=kept.letters(names[begin : begin + ON_A_PAGE]),
        total=len(names),
        wanted=wanted,
        number=number,
        last=last,
    )


@router.get("/thu/{name}")
def show_letter(name: str) -> Response:
    """Show one letter: its headers, its HTML in a frame where nothing runs, its plain text, its files."""
    kept = _kept()
    found = kept.open(name) if kept else None
    if found is None:
        return not_found()
    return page("letter.html", policy=POLICY_WITH_A_LETTER, opened=found)


@router.get("/thu/{name}/eml")
def raw_letter(name: str) -> Response:
    """Answer the letter's own bytes, to be saved."""
    kept = _kept()
    found = kept.open(name) if kept else None
    if found is None:
        return not_found()
    return _to_save(found.raw, found.letter.name)


@router.get("/thu/{name}/{number}")
def attachment(name: str, number: str) -> Response:
    """Answer a letter's file by its number, from 1, to be saved."""
    kept = _kept()
    found = kept.open(name) if kept else None
    which = _number(number)
    if found is None or which is None or not 1 <= which <= len(found.attachments):
        return not_found()
    file = found.attachments[which - 1]
    return _to_save(file.content, file.name)


@router.get("/thu/{rest:path}")
def nothing_else(rest: str) -> Response:
    """Say in the reader's words that there is nothing else here."""
    return not_found()


def _kept() -> KeptLetters | None:
    """Return the letters there are, or None where a mail server is set up and no mailbox is used."""
    chosen = settings()
    return KeptLetters(chosen.home / "mailbox") if chosen.smtp_host is None else None


def _to_save(content: bytes, name: str) -> Response:
    """Return a file that a browser saves and does not open, whatever it says it is."""
    return Response(
        content,
        media_type="application/octet-stream",
        headers=safe_headers(POLICY_OF_A_FILE)
        | {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )


def _number(text: str) -> int | None:
    """Return a number of at most six digits; None for anything else."""
    return int(text) if len(text) <= 6 and text.isascii() and text.isdecimal() else None
