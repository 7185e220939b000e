"""A campaign file with all it refers to: read, checked as a whole, turned into the types of `rules/`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from config.calendars import Override, office_calendar_text, working_calendar
from config.campaign_checks import problems_of
from config.criteria_file import read_criteria, read_kept_criteria
from config.located import FileInvalid, Located, Problem, read_located
from config.messages import say
from config.shapes import CampaignShape, EscalateShape, MeetingShape, PartShape
from config.shaping import shaped
from config.units_file import Units, UnitSpec, read_units
from rules.calendar import InYear, Wording, WorkingCalendar
from rules.criteria import CriteriaSet
from rules.dossiers import WantedPart
from rules.ladder import ESCALATE_AT, REMIND_AT, Ladder, Ladders, Repeat, Step
from rules.letters import Paper, UnitKind
from rules.meetings import MeetingRules
from rules.notices import Channel
from rules.stages import Mode, PaperRole, Stage
from rules.work_items import LatePolicy

__all__ = [
    "CampaignFile",
    "CampaignFileInvalid",
    "FileInvalid",
    "Problem",
    "UnitSpec",
    "campaign_from_texts",
    "read_campaign",
    "read_directory",
]

# The campaign's own name for it: a mistake in any of its files refuses the campaign.
CampaignFileInvalid = FileInvalid


@dataclass(frozen=True, slots=True)
class CitedPaper:
    """A paper the campaign rests on (căn cứ), with the roles it plays."""

    paper: Paper
    roles: tuple[PaperRole, ...]


@dataclass(frozen=True, slots=True)
class PlannedAmendment:
    """A change of the plan that the file knows of: by which paper, from which day, what and why."""

    paper: str
    on: date
    mode: Mode | None
    reason: str


@dataclass(frozen=True, slots=True)
class SelfAssessment:
    """How the dossiers are collected."""

    opens_on: date
    dossier_of: str
    wait_for_all: bool
    late: LatePolicy


@dataclass(frozen=True, slots=True)
class ChannelOrder:
    """Which channels are tried, in which order."""

    default: tuple[Channel, ...]
    urgent: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class CampaignFile:
    """What the office decided for one campaign (design.md §9).

    `source_texts` holds the text of every file it was read from: a running campaign keeps them,
    and `campaign_from_texts` reads the same campaign from them again.
    """

    code: str
    title: str
    short_title: str
    year: int
    organiser: str
    standing_office: str
    timezone: str
    mode: Mode
    legal_basis: tuple[CitedPaper, ...]
    amendments: tuple[PlannedAmendment, ...]
    self_assessment: SelfAssessment
    due: Mapping[Stage, Wording]
    ladders: Ladders
    channels: ChannelOrder
    calendar: WorkingCalendar
    units: tuple[UnitSpec, ...]
    criteria: CriteriaSet
    reviews: Mapping[str, tuple[str, ...]]
    wanted_parts: tuple[WantedPart, ...]
    meeting: MeetingRules | None
    area_class: str | None
    source_texts: Mapping[str, str]

    @property
    def dossier_parts(self) -> tuple[str, ...]:
        """What a dossier consists of, by the names the plan gives its parts."""
        return tuple(each.title for each in self.wanted_parts)

    @property
    def owing(self) -> tuple[UnitSpec, ...]:
        """The units that owe a dossier, in official order: communes, or a ward's own groups."""
        kind = UnitKind.GROUP if self.self_assessment.dossier_of == "group" else UnitKind.COMMUNE
        return tuple(unit for unit in self.units if unit.kind is kind)

    @property
    def agencies(self) -> tuple[UnitSpec, ...]:
        """The units that owe a review, in official order."""
        return tuple(unit for unit in self.units if unit.code in self.reviews)

    def branches_of(self, code: str) -> tuple[str, ...]:
        """Return the branches of the criteria that a unit assesses; none for one that assesses nothing."""
        return self.reviews.get(code, ())


def read_campaign(path: Path) -> CampaignFile:
    """Read and check a campaign file; raises FileInvalid with every problem, `file:line: text` each."""
    text = _text_of(path, str(path), None, ())
    campaign = read_located(str(path), text)
    shape = shaped(CampaignShape, campaign)
    texts = {"campaign": text, "office_calendar": office_calendar_text()}
    names = {"campaign": str(path)}
    problems: list[Problem] = []
    for key, relative in (("units", shape.units), ("criteria", shape.criteria)):
        referred = path.parent / relative
        names[key] = str(_shortest(referred))
        try:
            texts[key] = _text_of(referred, names[key], campaign, (key,))
        except FileInvalid as error:
            problems += error.problems
    if problems:
        raise FileInvalid(problems)
    return _campaign(texts, names)


def read_directory(path: Path) -> tuple[UnitSpec, ...]:
    """Read and check a units file by itself; raises FileInvalid."""
    text = _text_of(path, str(path), None, ())
    return read_units(read_located(str(path), text)).units


def campaign_from_texts(texts: Mapping[str, str]) -> CampaignFile:
    """Read a campaign again from the texts it was opened with (`CampaignFile.source_texts`)."""
    return _campaign(texts, {})


def _campaign(texts: Mapping[str, str], names: Mapping[str, str]) -> CampaignFile:
    campaign = read_located(names.get("campaign", "campaign"), texts["campaign"])
    shape = shaped(CampaignShape, campaign)
    units, criteria = _referred(texts, names)
    read = _read(shape, units, criteria, texts)
    problems = list(problems_of(shape, campaign, units, criteria, read.ladders, read.calendar))
    if problems:
        raise FileInvalid(problems)
    return read


def _referred(texts: Mapping[str, str], names: Mapping[str, str]) -> tuple[Units, CriteriaSet]:
    """Return units and criteria; what is wrong in either file is told at once."""
    problems: list[Problem] = []
    units = criteria = None
    try:
        units = read_units(read_located(names.get("units", "units"), texts["units"]))
    except FileInvalid as error:
        problems += error.problems
    try:
        read = read_criteria if names else read_kept_criteria
        criteria = read(read_located(names.get("criteria", "criteria"), texts["criteria"]))
    except FileInvalid as error:
        problems += error.problems
    if units is None or criteria is None:
        raise FileInvalid(problems)
    return units, criteria


def _read(
    shape: CampaignShape, units: Units, criteria: CriteriaSet, texts: Mapping[str, str]
) -> CampaignFile:
    stages = shape.stages
    due: dict[Stage, Wording] = {
        Stage.SELF_ASSESSMENT: stages.self_assessment.due.wording(),
        Stage.AGENCY_REVIEW: stages.agency_review.due.wording(),
    }
    if stages.consolidation.due is not None:
        due[Stage.CONSOLIDATION] = stages.consolidation.due.wording()
    if stages.decision.due is not None:
        due[Stage.DECISION] = stages.decision.due.wording()
    decided_in = due.get(Stage.DECISION)
    opens_on = stages.self_assessment.opens_on
    hours = shape.calendar.office_hours
    return CampaignFile(
        code=shape.code,
        title=shape.title,
        short_title=shape.short_title or shape.title,
        year=decided_in.year if isinstance(decided_in, InYear) else opens_on.year,
        organiser=shape.organiser,
        standing_office=shape.standing_office,
        timezone=shape.timezone,
        mode=shape.mode,
        legal_basis=tuple(
            CitedPaper(Paper(each.kind, each.number, each.date, each.title, each.signed_by), tuple(each.role))
            for each in shape.legal_basis
        ),
        amendments=tuple(
            PlannedAmendment(each.paper, each.on, each.mode, each.reason) for each in shape.amendments
        ),
        self_assessment=SelfAssessment(
            opens_on,
            stages.self_assessment.dossier_of,
            stages.self_assessment.wait_for_all,
            stages.self_assessment.late,
        ),
        due=due,
        ladders=_ladders(shape),
        channels=ChannelOrder(tuple(shape.channels.default), tuple(shape.channels.urgent)),
        calendar=working_calendar(
            [Override(each.date, each.working, each.source) for each in shape.calendar.overrides],
            (hours[0], hours[1]),
            tuple((window[0], window[1]) for window in shape.calendar.sending_windows),
            office_table=texts["office_calendar"],
        ),
        units=units.units,
        criteria=criteria,
        reviews={code: tuple(branches) for code, branches in shape.reviews.items()},
        wanted_parts=tuple(_wanted(each) for each in stages.self_assessment.dossier),
        meeting=_meeting(stages.consolidation.meeting),
        area_class=shape.area_class,
        source_texts=dict(texts),
    )


def _wanted(each: str | PartShape) -> WantedPart:
    return WantedPart(each) if isinstance(each, str) else WantedPart(each.title, each.part)


def _meeting(shape: MeetingShape | None) -> MeetingRules | None:
    if shape is None:
        return None
    return MeetingRules(shape.quorum, shape.in_favour, shape.papers_ahead, shape.most_members)


def _ladders(shape: CampaignShape) -> Ladders:
    remind = [Step(Ladder.REMIND, each.before, each.at or REMIND_AT) for each in shape.remind]
    escalate = [_step(each) for each in shape.escalate if each.repeat is None]
    for each in shape.escalate:
        if each.repeat is not None and escalate:
            last = max(escalate, key=lambda step: step.days)
            escalate += Repeat(each.repeat.every, each.repeat.until).steps_after(last)
    return Ladders(
        remind=tuple(sorted(remind, key=lambda step: -step.days)),
        escalate=tuple(sorted(escalate, key=lambda step: step.days)),
        grace_working_days=shape.grace_working_days,
    )


def _step(each: EscalateShape) -> Step:
    step = Step(
        Ladder.ESCALATE, each.after or 0, each.at or ESCALATE_AT, to=each.to or "", copy=tuple(each.copy_)
    )
    return replace(step, draft=each.draft, release=each.release, if_silent=each.if_silent)


def _text_of(path: Path, name: str, referring: Located | None, at: tuple[str, ...]) -> str:
    """Return a file's text; a file that cannot be read is a problem of whoever refers to it."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FileInvalid([Problem(name, 1, say("file.not_utf8"))]) from None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        if referring is None:
            raise FileInvalid([Problem(name, 1, say("file.not_found", name=name))]) from None
        raise FileInvalid([referring.problem(at, "file.not_found", name=name)]) from None


def _shortest(path: Path) -> Path:
    """Return a path without `a/../`, relative as the user gave it."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in ("..", "/"):
            parts.pop()
        else:
            parts.append(part)
    return Path(*parts)
