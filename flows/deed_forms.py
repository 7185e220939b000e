"""The operator's deeds as forms: what each asks for, with the titles a clerk reads in the Prefect UI."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from config.messages import say
from config.script_file import ScriptLine, Verb
from models.settling import HIGHEST_NUMBER
from rules.calendar import CITY, By, WithinWorkingDays, Wording
from rules.stages import Mode, PaperChange, PaperRole, Stage
from rules.work_items import ItemKind, Via


def asked(name: str, default: Any = PydanticUndefined, **more: Any) -> Any:
    """Return a field with the title and the explanation of the catalogue."""
    return Field(default, title=say(f"form.{name}"), description=say(f"form_help.{name}"), **more)


def described(deed: str) -> ConfigDict:
    """Return what makes a form introduce itself in the clerk's language, not in that of its docstring."""
    return ConfigDict(json_schema_extra={"description": say(f"desk.{deed}")})


def fields_of(model: type[BaseModel], error: ValidationError) -> str:
    """Return the titles of the fields that were filled in wrongly; an unknown one by its own name."""
    names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors() if problem["loc"])
    known = model.model_fields
    return ", ".join((known[name].title or name) if name in known else name for name in names)


class How(StrEnum):
    """What is done with a letter of which nobody knows whether it has gone."""

    SEND = "send"
    DROP = "drop"


class Form(BaseModel):
    """What every deed asks for: who does it, and when it happened (now where nothing is said)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, title=say("form.title"))

    by: str = asked("by", min_length=1, max_length=200)
    at: datetime | None = asked("at", None)

    def moment(self, now: datetime) -> datetime:
        """Return when the deed happened; what names no zone is meant in city time."""
        if self.at is None:
            return now
        return self.at if self.at.tzinfo else self.at.replace(tzinfo=CITY)


class Deed(Form):
    """A deed about one campaign."""

    code: str = asked("code", min_length=1)

    def line(self, verb: Verb, now: datetime, **facts: Any) -> ScriptLine:
        """Return the deed as a script tells it, recorded now."""
        return ScriptLine(0, self.moment(now), now, verb, by=self.by, **facts)


class Term(Deed):
    """A deed that sets a new term: up to a day, or so many working days."""

    until: date | None = asked("until", None)
    until_hour: time | None = asked("until_hour", None)
    within: int | None = asked("within", None, ge=1, le=60)

    def term(self, now: datetime) -> Wording | None:
        """Return the term that was asked for; raises ValueError where two were."""
        if self.within is not None and (self.until or self.until_hour) is not None:
            raise ValueError(say("usage.one_term_form"))
        if self.within is not None:
            return WithinWorkingDays(self.within, self.moment(now).astimezone(CITY).date())
        return By(self.until, self.until_hour) if self.until is not None else None


class OpenForm(Form):
    """Open a campaign from its file."""

    model_config = described("open")

    file: str = asked("file", min_length=1)
    past: bool = asked("past", False)


class SubmitForm(Deed):
    """Record that a dossier was received."""

    model_config = described("submit")

    unit: str = asked("unit", min_length=1)
    via: Via = asked("via", Via.PAPER)
    number: str | None = asked("number", None)
    nothing: bool = asked("nothing", False)


class ExtendForm(Term):
    """Give units more time by a paper."""

    model_config = described("extend")

    units: list[str] = asked("units", min_length=1)
    item: ItemKind = asked("item", ItemKind.DOSSIER)
    reason: str = asked("reason", min_length=1)
    number: str = asked("paper_number", min_length=1)
    issued_on: date = asked("paper_date")
    kind: str = asked("paper_kind", "CV")
    signed_by: str | None = asked("signed_by", None)


class WaiveForm(Deed):
    """Let units off."""

    model_config = described("waive")

    units: list[str] = asked("units", min_length=1)
    item: ItemKind = asked("item", ItemKind.DOSSIER)
    reason: str = asked("reason", min_length=1)


class ReturnForm(Term):
    """Send a dossier back to be completed, with all reasons at once."""

    model_config = described("return")

    unit: str = asked("unit", min_length=1)
    reasons: list[str] = asked("reasons", default_factory=list)


class RegisterForm(Deed):
    """Register a paper that was issued."""

    model_config = described("register")

    roles: list[PaperRole] = asked("roles", default_factory=list)
    number: str = asked("paper_number", min_length=1)
    issued_on: date = asked("paper_date")
    kind: str = asked("paper_kind", "CV")
    title: str | None = asked("paper_title", None)
    signed_by: str | None = asked("signed_by", None)
    change: PaperChange | None = asked("change", None)
    changes_number: str | None = asked("changes_number", None)

    def changed(self) -> tuple[PaperChange, str] | None:
        """Return what this paper does to which earlier one; raises ValueError where one is missing."""
        if bool(self.change) != bool(self.changes_number):
            raise ValueError(say("usage.change_and_number"))
        return (self.change, self.changes_number) if self.change and self.changes_number else None


class AmendForm(Deed):
    """Change the plan by a paper: the mode, a term, the opening day."""

    model_config = described("amend")

    number: str = asked("paper_number", min_length=1)
    issued_on: date = asked("paper_date")
    kind: str = asked("paper_kind", "CV")
    signed_by: str | None = asked("signed_by", None)
    reason: str = asked("reason", min_length=1)
    mode: Mode | None = asked("mode", None)
    stage: Stage | None = asked("stage", None)
    due_on: date | None = asked("due_on", None)
    opens_on: date | None = asked("opens_on", None)

    def dues(self) -> Mapping[Stage, Wording]:
        """Return the new term of the stage that is named; raises ValueError where one of both is missing."""
        if (self.stage is None) != (self.due_on is None):
            raise ValueError(say("usage.stage_and_day"))
        return {self.stage: By(self.due_on)} if self.stage and self.due_on else {}


class LetterForm(Form):
    """A deed about one letter of the delivery log."""

    model_config = described("resend")

    number: int = asked("letter", ge=1, le=HIGHEST_NUMBER)


class SettleForm(LetterForm):
    """Settle a letter of which nobody knows whether it has gone."""

    model_config = described("settle")

    how: How = asked("how", How.SEND)


def now() -> datetime:
    """Return the wall clock, read once by each deed."""
    return datetime.now(UTC)
