"""The script of a rehearsal: what people do and when, refused with `file:line` when wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from config.campaign_file import CampaignFile
from config.located import FileInvalid, Located, Problem, read_located
from config.messages import say
from config.script_shapes import (
    ABOUT_AN_ITEM,
    FOR_MANY,
    NEEDS,
    GroupShape,
    LineShape,
    MarkShape,
    ScriptShape,
    Verb,
    VoteShape,
)
from config.shaping import shaped
from rules.calendar import CITY, By, WithinWorkingDays, Wording
from rules.dossiers import DossierPart
from rules.stages import Mode, PaperChange, PaperRole, Stage
from rules.work_items import ItemKind, Via

__all__ = ["ScriptLine", "Verb", "read_script"]


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """What somebody does: `at` is when it happens, `recorded_at` when it is typed in.

    `until` ends an outage; `term` is a new term, `None` where the line leaves it to the rule.
    `change` names what a paper does to an earlier one, and the number of that one.
    """

    line: int
    at: datetime
    recorded_at: datetime
    do: Verb
    units: tuple[str, ...] = ()
    item: ItemKind = ItemKind.DOSSIER
    via: Via | None = None
    number: str | None = None
    issued_on: date | None = None
    kind: str | None = None
    roles: tuple[PaperRole, ...] = ()
    change: tuple[PaperChange, str] | None = None
    title: str | None = None
    signed_by: str | None = None
    step: str | None = None
    by: str | None = None
    until: datetime | None = None
    term: Wording | None = None
    reasons: tuple[str, ...] = ()
    note: str | None = None
    subject: str | None = None
    complaint: str | None = None
    mode: Mode | None = None
    dues: Mapping[Stage, Wording] = field(default_factory=dict)
    opens_on: date | None = None
    person: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    zalo: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    groups: Mapping[str, GroupShape] = field(default_factory=dict)
    marks: tuple[MarkShape, ...] = ()
    agree: bool = False
    final: bool = False
    part: DossierPart | None = None
    group: str | None = None
    leaf: str | None = None
    words: str | None = None
    agency: str | None = None
    code: str | None = None
    holds_at: datetime | None = None
    place: str | None = None
    papers: bool = False
    members: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    opinions: Mapping[str, str] = field(default_factory=dict)
    votes: tuple[VoteShape, ...] = ()

    @property
    def unit(self) -> str | None:
        """The unit the line is about, the first where it names several."""
        return self.units[0] if self.units else None

    @property
    def reason(self) -> str:
        """Why, in one text."""
        return "; ".join(self.reasons)


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
        if not any(getattr(line, FIELDS.get(name, name)) for name in key.split("|")):
            yield document.problem(path, "script.needs", verb=line.do, key=key.replace("|", ", "))
    instants = {"at": line.at, "recorded_at": line.recorded_at}
    if line.do is Verb.OUTAGE:
        instants["until"] = line.until
    if line.holds_at is not None:
        instants["on"] = line.holds_at
    broken = [key for key, text in instants.items() if text is not None and _instant(text) is None]
    for key in broken:
        yield document.problem((*path, key), "script.not_an_instant", got=instants[key])
    if line.do is not Verb.OUTAGE and line.until and _by(line.until) is None:
        yield document.problem((*path, "until"), "script.not_a_day", got=line.until)
    if line.until and line.within:
        yield document.problem((*path, "within"), "script.one_term")
    if not broken and line.recorded_at and _must(line.recorded_at) < _must(line.at):
        yield document.problem((*path, "recorded_at"), "script.recorded_before")
    if len(line.unit) > 1 and line.do not in FOR_MANY:
        yield document.problem((*path, "unit"), "script.one_unit", verb=line.do)
    if len([name for name in PaperChange if getattr(line, name)]) > 1:
        yield document.problem(path, "script.one_change")
    known = _known_units(line, campaign)
    for unit in line.unit:
        if unit not in known:
            yield document.problem(
                (*path, "unit"), "script.unknown_unit", unit=unit, verb=line.do, known=", ".join(known)
            )


# A name in the file that is no name in Python, or not ours.
FIELDS = {"from": "first_day", "on": "holds_at"}


# Deeds about a unit that owes a dossier.
OF_A_DOSSIER = frozenset(
    {
        *(Verb.SUBMIT, Verb.SUBMIT_NOTHING, Verb.RETURN, Verb.ASSESS_SELF, Verb.PUT_IN),
        *(Verb.PROPOSE_COMPLETION, Verb.EXPLAIN, Verb.RECUSE, Verb.VETO, Verb.LIFT_VETO),
    }
)


def _known_units(line: LineShape, campaign: CampaignFile) -> list[str]:
    owes = line.do in OF_A_DOSSIER
    if line.do in (Verb.REVIEW, Verb.ASSESS) or (line.do in ABOUT_AN_ITEM and line.item == "review"):
        return [unit.code for unit in campaign.agencies]
    if owes or line.do in ABOUT_AN_ITEM:
        return [unit.code for unit in campaign.owing]
    return [unit.code for unit in campaign.units]


def _line(document: Located, place: int, shape: LineShape) -> ScriptLine:
    at = _must(shape.at)
    changes = [(how, earlier) for how in PaperChange if (earlier := getattr(shape, how))]
    is_term = shape.do is not Verb.OUTAGE and shape.do is not Verb.DEPUTISE
    until = _by(shape.until) if shape.until and is_term else None
    last_day = _by(shape.until) if shape.until and shape.do is Verb.DEPUTISE else None
    return ScriptLine(
        line=document.line(("lines", place)),
        at=at,
        recorded_at=_must(shape.recorded_at or shape.at),
        do=shape.do,
        units=shape.unit,
        item=ItemKind(shape.item or ItemKind.DOSSIER),
        via=shape.via,
        number=shape.number,
        issued_on=shape.issued_on,
        kind=shape.kind,
        roles=shape.role,
        change=changes[0] if changes else None,
        title=shape.title,
        signed_by=shape.signed_by,
        step=shape.step,
        by=shape.by,
        until=_must(shape.until) if shape.until and shape.do is Verb.OUTAGE else None,
        term=WithinWorkingDays(shape.within, at.astimezone(CITY).date()) if shape.within else until,
        reasons=shape.reason,
        note=shape.note,
        subject=shape.subject,
        complaint=shape.complaint,
        mode=shape.mode,
        dues={stage: due.wording() for stage, due in shape.due.items()},
        opens_on=shape.opens_on,
        person=shape.person,
        name=shape.name,
        email=shape.email,
        phone=shape.phone,
        zalo=shape.zalo,
        first_day=shape.first_day,
        last_day=last_day.on if last_day else None,
        groups=shape.groups,
        marks=shape.marks,
        agree=shape.agree,
        final=shape.final,
        part=shape.part,
        group=shape.group,
        leaf=shape.leaf,
        words=shape.words,
        agency=shape.agency,
        code=shape.code,
        holds_at=_must(shape.holds_at) if shape.holds_at else None,
        place=shape.place,
        papers=shape.papers,
        members=shape.members,
        present=shape.present,
        opinions=shape.opinions,
        votes=shape.votes,
    )


def _by(text: str) -> By | None:
    """Return the term that ends on a day, or at an hour of it; None for neither."""
    try:
        on, mark, at = text.partition("T")
        return By(date.fromisoformat(on), time.fromisoformat(at) if mark else None)
    except ValueError:
        return None


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
