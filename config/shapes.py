"""The shape of a campaign file: which keys, which kinds of values."""

import re
from datetime import date, time
from fractions import Fraction
from typing import Annotated, Any, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rules.calendar import Before, By, InYear, WithinDays, WithinWorkingDays, Wording
from rules.dossiers import DossierPart
from rules.ladder import IfSilent, Release
from rules.notices import Channel
from rules.stages import Mode, PaperRole
from rules.work_items import LatePolicy

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def refusal(code: str) -> PydanticCustomError:
    """Return an error that the catalogue has a sentence of its own for."""
    return PydanticCustomError("ours", "{code}", {"code": code})


def _slug(value: str) -> str:
    if not SLUG.fullmatch(value):
        raise refusal("file.not_a_slug")
    return value


def _mail(value: str) -> str:
    try:
        checked = validate_email(value, check_deliverability=False)
    except EmailNotValidError:
        raise refusal("file.not_an_address") from None
    if checked.ascii_email is None:
        raise refusal("file.not_an_address")
    return value


def _phone(value: str) -> str:
    try:
        number = phonenumbers.parse(value, "VN")
    except phonenumbers.NumberParseException:
        raise refusal("file.not_a_phone") from None
    if not phonenumbers.is_possible_number(number):
        raise refusal("file.not_a_phone")
    return value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _hour(value: Any) -> Any:
    if not isinstance(value, str) or not HOUR.fullmatch(value):
        raise refusal("file.not_an_hour")
    return time.fromisoformat(value)


def _day(value: Any) -> Any:
    """Return the day; pydantic alone would also take a number for seconds since 1970."""
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise refusal("file.want_day")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refusal("file.want_day") from None


def _day_or_null(value: Any) -> Any:
    return None if value is None else _day(value)


def _share(value: Any) -> Any:
    """Return a share as a fraction of the whole; `2/3` and `50%` are both understood."""
    text = str(value).strip()
    try:
        share = Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise refusal("file.not_a_share") from None
    if not 0 <= share <= 1:
        raise refusal("file.not_a_share")
    return share


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Slug = Annotated[str, Field(min_length=1), AfterValidator(_slug)]
Mail = Annotated[str, AfterValidator(_mail)]
Phone = Annotated[str, BeforeValidator(_text), AfterValidator(_phone)]
Hour = Annotated[time, BeforeValidator(_hour)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day_or_null)]
Count = Annotated[int, Field(ge=0, strict=True)]
Flag = Annotated[bool, Field(strict=True)]


class Shape(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PaperShape(Shape):
    """A paper that a campaign rests on."""

    number: Text
    date: Day
    kind: Text
    role: Annotated[list[PaperRole], BeforeValidator(_listed)] = []
    title: Text | None = None
    signed_by: Text | None = None


class AmendmentShape(Shape):
    """A change of the plan that is known when the campaign opens."""

    paper: Text
    on: Day
    mode: Mode | None = None
    reason: Text


class OverrideShape(Shape):
    """A day that is off or worked against the ordinary calendar."""

    date: Day
    working: Flag
    source: Text


class CalendarShape(Shape):
    """Office hours, sending windows and a campaign's own days."""

    office_hours: Annotated[list[Hour], Field(min_length=2, max_length=2)] = [time(7, 30), time(17)]
    sending_windows: list[Annotated[list[Hour], Field(min_length=2, max_length=2)]] = [
        [time(7, 30), time(11, 30)],
        [time(13, 30), time(17)],
    ]
    overrides: list[OverrideShape] = []


class OfficeCalendarShape(Shape):
    """The office's own table of days, `config/calendar.yaml`."""

    overrides: list[OverrideShape] = []
    decreed_years: list[Annotated[int, Field(strict=True)]]


class DueShape(Shape):
    """A deadline in the words of the paper: exactly one of them."""

    before: MaybeDay = None
    by: str | None = None
    within_days: Annotated[int, Field(ge=1, strict=True)] | None = None
    within_working_days: Annotated[int, Field(ge=1, strict=True)] | None = None
    start: str | None = Field(default=None, alias="from")
    in_year: Annotated[int, Field(ge=2000, le=2100, strict=True)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "DueShape":
        counted = self.within_days is not None or self.within_working_days is not None
        given = [self.before, self.by, self.within_days, self.within_working_days, self.in_year]
        if sum(each is not None for each in given) != 1:
            raise refusal("file.due_not_one")
        if counted and self.start is None:
            raise refusal("file.due_without_from")
        if self.start is not None and not counted:
            raise refusal("file.from_without_term")
        self.wording()
        return self

    def wording(self) -> Wording:
        """Return the wording this is; a bad day in it is refused."""
        try:
            if self.before is not None:
                return Before(self.before)
            if self.by is not None:
                on, mark, at = self.by.partition("T")
                return By(_day(on), _hour(at) if mark else None)
            start = None if self.start in (None, "stage") else _day(self.start)
        except PydanticCustomError:
            raise refusal("file.not_a_day") from None
        if self.within_days is not None:
            return WithinDays(self.within_days, start)
        if self.within_working_days is not None:
            return WithinWorkingDays(self.within_working_days, start)
        return InYear(self.in_year or 0)


class PartShape(Shape):
    """A part of the dossier with its kind, so that it can be seen whether it is there."""

    part: DossierPart
    title: Text


class MeetingShape(Shape):
    """What is asked of the meeting that settles the list; shares are written `2/3`."""

    quorum: Share = Fraction(2, 3)
    in_favour: Share = Fraction(1, 2)
    papers_ahead: Count = 3
    most_members: Annotated[int, Field(ge=1, strict=True)] = 15


class SelfAssessmentShape(Shape):
    """The stage in which the dossiers are due."""

    opens_on: Day
    due: DueShape
    dossier_of: Literal["commune", "group"] = "commune"
    wait_for_all: Flag = True
    late: LatePolicy = LatePolicy.ACCEPT_FLAGGED
    dossier: list[Text | PartShape] = []


class ReviewShape(Shape):
    """The stage in which the agencies' reviews are due."""

    due: DueShape


class StageShape(Shape):
    """A stage that may do without a deadline."""

    due: DueShape | None = None


class ConsolidationShape(StageShape):
    """The stage in which the list is settled, by a meeting where the plan asks for one."""

    meeting: MeetingShape | None = None


class StagesShape(Shape):
    """Every stage that has a deadline."""

    self_assessment: SelfAssessmentShape
    agency_review: ReviewShape
    consolidation: ConsolidationShape = ConsolidationShape()
    decision: StageShape = StageShape()


class RemindShape(Shape):
    """A step before the deadline."""

    before: Count
    at: Hour | None = None


class RepeatShape(Shape):
    """Further steps to the last recipient."""

    every: Annotated[int, Field(ge=1, strict=True)]
    until: Count


class EscalateShape(Shape):
    """A step after the deadline, or the `repeat` that closes the list."""

    after: Count | None = None
    to: Text | None = None
    copy_: Annotated[list[Text], BeforeValidator(_listed)] = Field(default=[], alias="copy")
    draft: Literal["urging_letter"] | None = None
    at: Hour | None = None
    release: Release | None = None
    if_silent: IfSilent | None = None
    repeat: RepeatShape | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "EscalateShape":
        if self.repeat is None and (self.after is None or self.to is None):
            raise refusal("file.escalate_incomplete")
        if self.repeat is not None and len(self.model_fields_set) > 1:
            raise refusal("file.repeat_alone")
        return self


class ChannelsShape(Shape):
    """Which channels are tried, in which order."""

    default: Annotated[list[Channel], Field(min_length=1)] = [Channel.EMAIL]
    urgent: Annotated[list[Channel], Field(min_length=1)] = [Channel.ZALO, Channel.EMAIL]


class CampaignShape(Shape):
    """A campaign file, design.md §9."""

    code: Slug
    title: Text
    short_title: Text | None = None
    organiser: Text
    standing_office: Text
    timezone: Literal["Asia/Ho_Chi_Minh"] = "Asia/Ho_Chi_Minh"
    mode: Mode
    units: Text
    criteria: Text
    legal_basis: list[PaperShape] = []
    amendments: list[AmendmentShape] = []
    calendar: CalendarShape = CalendarShape()
    stages: StagesShape
    remind: list[RemindShape] = []
    escalate: list[EscalateShape] = []
    grace_working_days: Count = 0
    area_class: Text | None = None
    channels: ChannelsShape = ChannelsShape()
    reviews: Annotated[
        dict[str, Annotated[list[Text], BeforeValidator(_listed), Field(min_length=1)]], Field(min_length=1)
    ]
