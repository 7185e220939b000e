"""A letter's facts in, the message out: its words stand in `templates/`, only their form is made here.

Each kind of letter is written once, in `templates/<kind>/body.txt`, in lines that say what they are:

    = heading    # numbered item    - list item    | table | row    ~ signature    ^ small print

Any other line belongs to a paragraph; a blank line ends one. From this the plain text and the blocks
of `body.html` are made: numbers, and the `;` and `.` that end the items of a list, come from here.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from icalendar import Calendar, Event, vCalAddress
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.utils import urlize
from markupsafe import Markup, escape

from notifications.messages import Attachment, Message
from rules.calendar import CITY
from rules.letters import Letter, Line
from rules.notices import NoticeKind

WEEKDAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")

# These put several lines into one letter; any other letter is about one thing.
HAS_MANY_LINES = frozenset({NoticeKind.ESCALATION, NoticeKind.DRAFT_WAITING, NoticeKind.UNDELIVERABLE})
CARRIES_CALENDAR = frozenset({NoticeKind.OPENING, NoticeKind.REMINDER})
CALENDAR_ENTRY = timedelta(minutes=30)

MARKS = {
    "=": "heading",
    "#": "number",
    "-": "bullets",
    "|": "table",
    "~": "signature",
    "^": "small_print",
}
LISTS = ("bullets", "table")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a letter: lines of one kind; `number` counts the numbered items, `rows` is a table's."""

    kind: str
    lines: tuple[str, ...]
    number: int = 0

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The cells of a table, its head first."""
        width = self.lines[0].count("|")
        return tuple(tuple(cell.strip() for cell in line.split("|", width)) for line in self.lines)

    @property
    def items(self) -> tuple[str, ...]:
        """The items of a list or a table, ended as papers do: `;` after each, `.` after the last."""
        lines = self.lines
        if self.kind == "table":
            lines = tuple(f"{first}: {'; '.join(filter(None, rest))}" for first, *rest in self.rows[1:])
        bare = [_clause(line) for line in lines]
        return (*(f"{item};" for item in bare[:-1]), f"{bare[-1]}.")

    @property
    def text(self) -> str:
        """The block as plain text."""
        if self.kind == "number":
            return f"{self.number}. {self.lines[0]}"
        if self.kind in LISTS:
            return "\n".join(f"- {item}" for item in self.items)
        return "\n".join(self.lines)


def compose(letter: Letter, *, from_name: str | None, to_address: str, repeats: int = 0) -> Message:
    """Return the message that says this letter; the same letter gives the same bytes.

    `repeats` is how often it may have gone before. Without `from_name` the standing office signs as
    sender. Raises ValueError for a letter with nothing to say, jinja2.UndefinedError where a
    template asks for a fact that is not there.
    """
    facts = facts_of(letter)
    office = letter.campaign.standing
    subject = one_line(render(letter, "subject.txt", facts))
    blocks = _blocks(render(letter, "body.txt", facts))
    html = render(letter, "body.html", facts | {"subject": subject, "blocks": blocks})
    return Message(
        message_id=letter.message_id,
        to_name=_nfc(letter.to.name),
        to_address=to_address,
        sent_at=letter.as_of,
        subject=subject,
        text=_text(blocks),
        html=_nfc(html) + "\n",
        from_name=one_line(from_name or _start(office.name)),
        reply_to=office.email or office.contact.email,
        attachments=_attachments(letter),
        repeats=repeats,
    )


@cache
def templates() -> Environment:
    """Return the templates; a name they do not know raises, and only HTML is escaped."""
    environment = Environment(
        loader=PackageLoader("notifications"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html",), default=False, default_for_string=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # an included part ends its own last line
        auto_reload=False,  # else each of a letter's dozen templates asks the disk whether it has changed
    )
    environment.filters |= {
        "date": _date,
        "clock": _clock,
        "weekday": _weekday,
        "two": _two,
        "start": _start,
        "clause": _clause,
        "linked": _linked,
    }
    return environment


def facts_of(letter: Letter) -> dict[str, Any]:
    """Return the names a template may use; raises ValueError for a letter with nothing to say."""
    if not letter.lines and letter.kind is not NoticeKind.DRAFT_WAITING:
        raise ValueError(f"the letter {letter.key} has nothing to say")
    if len(letter.lines) > 1 and letter.kind not in HAS_MANY_LINES:
        raise ValueError(f"the letter {letter.key} speaks of more than one thing")
    facts: dict[str, Any] = {
        "letter": letter,
        "to": letter.to,
        "campaign": letter.campaign,
        "office": letter.campaign.standing,
    }
    if letter.lines:
        facts |= {"line": letter.lines[0], "unit": letter.lines[0].unit}
    return facts


def render(letter: Letter, name: str, facts: Mapping[str, Any]) -> str:
    """Return a template of the letter's kind filled with these facts."""
    return templates().get_template(f"{letter.kind}/{name}").render(facts)


def _blocks(rendered: str) -> tuple[Block, ...]:
    """Read the marked lines; numbering begins anew after a paragraph or a heading."""
    blocks: list[Block] = []
    number = 0
    for kind, lines in _runs(rendered):
        if kind == "number":
            for line in lines:
                number += 1
                blocks.append(Block(kind, (line,), number))
            continue
        if kind in ("paragraph", "heading"):
            number = 0
        blocks.append(Block(kind, lines))
    return tuple(blocks)


def _runs(rendered: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each run of lines of one kind with the lines stripped of their marks."""

    def kind_of(line: str) -> str:
        if not line:
            return "blank"
        return MARKS.get(line[0], "paragraph") if line[1:2] == " " else "paragraph"

    tidy = (one_line(line) for line in rendered.splitlines())
    for kind, run in groupby(tidy, key=kind_of):
        if kind != "blank":
            yield kind, tuple(line if kind == "paragraph" else line[2:] for line in run)


def _text(blocks: tuple[Block, ...]) -> str:
    """Return the letter as plain text: a blank line between blocks, a list right under its lead."""
    parts: list[str] = []
    for block in blocks:
        if parts:
            follows = block.kind in LISTS and parts[-1].endswith(":")
            parts.append("\n" if follows else "\n\n")
        parts.append(block.text)
    return "".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class _Entry:
    """What stands in a calendar entry; its `uid` outlives every new version of the deadline."""

    uid: str
    begins_at: datetime
    ends_at: datetime
    summary: str
    description: str


def _attachments(letter: Letter) -> tuple[Attachment, ...]:
    if letter.kind not in CARRIES_CALENDAR:
        return ()
    ahead = [line for line in letter.lines if line.deadline and letter.as_of < line.deadline.closes_at]
    if not ahead:
        return ()
    office = letter.campaign.standing
    content = _calendar(
        f"-//congnhan//{letter.campaign.code}//VI",
        letter.as_of,
        office.email or office.contact.email,
        one_line(_start(office.name)),
        tuple(_entry(letter, line) for line in ahead),
    )
    return (Attachment("thoi-han.ics", content, "text/calendar; method=PUBLISH"),)


def _entry(letter: Letter, line: Line) -> _Entry:
    """Return the entry that ends when the deadline closes."""
    assert line.deadline is not None
    facts = facts_of(letter) | {"line": line, "unit": line.unit}
    summary, _, description = templates().get_template("_event.txt").render(facts).strip().partition("\n")
    return _Entry(
        uid=f"{letter.campaign.code}-{line.item}-{line.unit.code}@congnhan",
        begins_at=line.deadline.closes_at - CALENDAR_ENTRY,
        ends_at=line.deadline.closes_at,
        summary=one_line(summary),
        description=one_line(description),
    )


@lru_cache(maxsize=256)
def _calendar(
    product: str, written_at: datetime, organiser: str | None, name: str, entries: tuple[_Entry, ...]
) -> bytes:
    """Return the calendar file; the officers of a unit get the same one."""
    calendar = Calendar()
    calendar.add("prodid", product)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for entry in entries:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", written_at.astimezone(UTC))
        event.add("dtstart", entry.begins_at.astimezone(UTC))
        event.add("dtend", entry.ends_at.astimezone(UTC))
        event.add("summary", entry.summary)
        event.add("description", entry.description)
        event.add("transp", "TRANSPARENT")
        if organiser:
            address = vCalAddress(f"mailto:{organiser}")  # RFC 5546 wants one in a published event
            address.params["CN"] = name
            event.add("organizer", address)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """Return the text on one line, in NFC."""
    return _nfc(" ".join(text.split()))


def _clause(text: str) -> str:
    """Return the text as it stands inside a sentence: one line without a full stop of its own."""
    return re.sub(r"(?<!/)[.;,\s]+$", "", one_line(text))


def _linked(text: str) -> Markup:
    """Return the text as HTML with its addresses as links; most lines have none, and cost nothing."""
    if not any(mark in text for mark in ("://", "@", "www.")):
        return escape(text)
    return Markup(urlize(text, rel="noopener"))


def _start(text: str) -> str:
    """Return the text as it begins a sentence; `capitalize` would make the rest small."""
    return text[:1].upper() + text[1:]


def _date(day: date | datetime) -> str:
    return f"{_in_city(day):%d/%m/%Y}"


def _clock(moment: datetime | time) -> str:
    return f"{moment if isinstance(moment, time) else moment.astimezone(CITY):%Hh%M}"


def _weekday(day: date | datetime) -> str:
    return WEEKDAYS[_in_city(day).weekday()]


def _two(count: int) -> str:
    """Return a count as papers write it: `03`."""
    return f"{count:02d}"


def _in_city(day: date | datetime) -> date:
    return day.astimezone(CITY).date() if isinstance(day, datetime) else day
