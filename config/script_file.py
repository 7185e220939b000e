"""The script of a rehearsal: what people do and when, refused with `file:line` when wrong."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from config.campaign_file import CampaignFile
from config.located import FileInvalid, Located, Problem, read_located
from config.messages import say
from config.shapes import Shape, Text
from config.shaping import shaped
from rules.calendar import CITY
from rules.stages import PaperRole
from rules.work_items import Via


class Verb(StrEnum):
    """What a line may have somebody do."""

    SUBMIT = "submit"
    SUBMIT_NOTHING = "submit_nothing"
    REVIEW = "review"
    CONCLUDE = "conclude"
    REGISTER = "register"
    RELEASE = "release"
    OUTAGE = "outage"


NEEDS: dict[Verb, tuple[str, ...]] = {
    Verb.SUBMIT: ("unit",),
    Verb.SUBMIT_NOTHING: ("unit",),
    Verb.REVIEW: ("unit",),
    Verb.CONCLUDE: (),
    Verb.REGISTER: ("number", "role"),
    Verb.RELEASE: (),
    Verb.OUTAGE: ("until",),
}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class LineShape(Shape):
    """One line of a script."""

    at: Text
    do: Verb
    unit: Text | None = None
    recorded_at: Text | None = None
    via: Via | None = None
    number: Text | None = None
    issued_on: date | None = Field(default=None, alias="date")
    kind: Text | None = None
    role: Annotated[list[PaperRole], BeforeValidator(_listed)] = Field(default=[])
    title: Text | None = None
    signed_by: Text | None = None
    step: Text | None = None
    by: Text | None = None
    until: Text | None = None


class ScriptShape(Shape):
    """All lines, under one name so that they have a shape."""

    lines: list[LineShape]


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """What somebody does: `at` is when it happens, `recorded_at` when it is typed in."""

    line: int
    at: datetime
    recorded_at: datetime
    do: Verb
    unit: str | None = None
    via: Via | None = None
    number: str | None = None
    issued_on: date | None = None
    kind: str | None = None
    roles: tuple[PaperRole, ...] = ()
    title: str | None = None
    signed_by: str | None = None
    step: str | None = None
    by: str | None = None
    until: datetime | None = None


def read_script(path: Path, campaign: CampaignFile) -> tuple[ScriptLine, ...]:
    """Return the lines of a script in the order of the clock; raises FileInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise FileInvalid([Problem(str(path), 1, say("file.not_found", name=str(path)))]) from None
    document = read_located(str(path), text)
    if not isinstance(document.data, list):
        raise FileInvalid([document.problem((), "script.not_a_list")])
    lines = {("lines", *where): line for where, line in document.lines.items()}
    named = Located(document.file, {"lines": document.data}, lines)
    shape = shaped(ScriptShape, named)
    problems = [
        problem
        for place, line in enumerate(shape.lines)
        for problem in _problems(named, place, line, campaign)
    ]
    if problems:
        raise FileInvalid(problems)
    read = [_line(named, place, line) for place, line in enumerate(shape.lines)]
    return tuple(sorted(read, key=lambda line: line.recorded_at))


def _problems(document: Located, place: int, line: LineShape, campaign: CampaignFile) -> Iterator[Problem]:
    path = ("lines", place)
    for key in NEEDS[line.do]:
        if not getattr(line, key):
            yield document.problem(path, "script.needs", verb=line.do, key=key)
    instants = {"at": line.at, "recorded_at": line.recorded_at, "until": line.until}
    broken = [key for key, text in instants.items() if text is not None and _instant(text) is None]
    for key in broken:
        yield document.problem((*path, key), "script.not_an_instant", got=instants[key])
    if not broken and line.recorded_at and _must(line.recorded_at) < _must(line.at):
        yield document.problem((*path, "recorded_at"), "script.recorded_before")
    units = campaign.agencies if line.do is Verb.REVIEW else campaign.communes
    known = [unit.code for unit in units]
    if line.do is Verb.RELEASE:
        known = [unit.code for unit in campaign.units]
    if line.unit is not None and line.unit not in known:
        yield document.problem(
            (*path, "unit"), "script.unknown_unit", unit=line.unit, verb=line.do, known=", ".join(known)
        )


def _line(document: Located, place: int, shape: LineShape) -> ScriptLine:
    read = ScriptLine(
        line=document.line(("lines", place)),
        at=_must(shape.at),
        recorded_at=_must(shape.recorded_at or shape.at),
        do=shape.do,
        unit=shape.unit,
        via=shape.via,
        number=shape.number,
        issued_on=shape.issued_on,
        kind=shape.kind,
        roles=tuple(shape.role),
        title=shape.title,
        signed_by=shape.signed_by,
        step=shape.step,
        by=shape.by,
    )
    return replace(read, until=_must(shape.until)) if shape.until else read


def _instant(text: str) -> datetime | None:
    """Return the instant a line names, in city time unless it says otherwise; None for no instant."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=CITY)


def _must(text: str) -> datetime:
    instant = _instant(text)
    if instant is None:
        raise ValueError(text)
    return instant
