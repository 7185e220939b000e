"""The operator's desk in the Prefect UI: each deed that fits a form is a deployment of its own.

A deed does what its command does, in one transaction, and stands in the journal with who did it. A refused
one ends as a failed run whose message says what would be allowed. Whatever was done, a tick is asked
for at once, and where it makes letters a delivery, so that nobody waits for the sweep.
"""

import os
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.states import Completed, Failed
from pydantic import BaseModel, ValidationError

from config.campaign_file import read_campaign
from config.located import FileInvalid
from config.messages import say
from config.script_file import Verb
from flows import deed_forms
from flows.deed_forms import (
    AmendForm,
    ExtendForm,
    How,
    LetterForm,
    OpenForm,
    RegisterForm,
    ReturnForm,
    SettleForm,
    SubmitForm,
    WaiveForm,
)
from flows.deeds import carry_out
from flows.refusals import KNOWN, line_for
from flows.runs import SWEEP, ask_for, name_run
from models import settling
from models.campaigns import open_campaign
from models.database import database, transaction


def _form(name: str, deed: str, model: type[BaseModel]) -> Callable[[Callable[[Any], Any]], Any]:
    """Return what makes a deed a flow with this form; what is filled in wrongly is said in one line.

    The form is read here: the engine's own words for a field are several lines, and not a clerk's.
    """

    def as_flow(do: Callable[[Any], Any]) -> Any:
        @wraps(do)
        def filled_in(form: Any) -> Any:
            try:
                read = model.model_validate(form)
            except ValidationError as error:
                name_run(say("desk_run.unread"))
                return Failed(message=say("desk_done.unread", fields=deed_forms.fields_of(model, error)))
            return do(read)

        return flow(
            name=name, persist_result=False, validate_parameters=False, description=say(f"desk.{deed}")
        )(filled_in)

    return as_flow


def _done(deed: Callable[[datetime], str], name: str) -> Any:
    """Do a deed and say so in the run's name and state; a refusal becomes a failed run with one line."""
    now = deed_forms.now()
    try:
        database().migrate()
        said = deed(now)
    except FileInvalid as error:
        return _refused("\n".join(str(problem) for problem in error.problems), name)
    except KNOWN as error:
        return _refused(line_for(error), name)
    except ValueError as error:
        return _refused(str(error), name)
    name_run(name)
    ask_for(SWEEP)
    return Completed(message=said, data=said)


def _refused(words: str, name: str) -> Any:
    name_run(say("desk_run.refused", name=name))
    return Failed(message=words)


@_form("open-campaign", "open", OpenForm)
def open_by_form(form: OpenForm) -> Any:
    """Open a campaign from its file (mở đợt)."""

    def deed(now: datetime) -> str:
        file = read_campaign(_path(form.file))
        with transaction() as session:
            open_campaign(session, file, at=form.moment(now), by=form.by, past=form.past)
        return say("done.opened", code=file.code, title=file.title)

    return _done(deed, say("desk_run.open", file=Path(form.file).stem))


def _path(name: str) -> Path:
    """Return the file as it was written, else below the folder in which the service was started."""
    path = Path(name).expanduser()
    started_in = os.environ.get("CONGNHAN_STARTED_IN")
    return path if path.is_absolute() or path.exists() or not started_in else Path(started_in) / path


@_form("submit-dossier", "submit", SubmitForm)
def submit_by_form(form: SubmitForm) -> Any:
    """Record that a dossier was received (nhận hồ sơ)."""

    def deed(now: datetime) -> str:
        verb = Verb.SUBMIT_NOTHING if form.nothing else Verb.SUBMIT
        carry_out(form.code, form.line(verb, now, units=(form.unit,), via=form.via, number=form.number))
        return say("done.submitted", unit=form.unit, code=form.code)

    return _done(deed, say("desk_run.submit", code=form.code, unit=form.unit))


@_form("return-dossier", "return", ReturnForm)
def return_by_form(form: ReturnForm) -> Any:
    """Send a dossier back to be completed (yêu cầu bổ sung)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(Verb.RETURN, now, units=(form.unit,), reasons=tuple(form.reasons), term=form.term(now)),
        )
        return say("done.returned", unit=form.unit, code=form.code)

    return _done(deed, say("desk_run.return", code=form.code, unit=form.unit))


@_form("extend-term", "extend", ExtendForm)
def extend_by_form(form: ExtendForm) -> Any:
    """Give units more time by a paper (gia hạn)."""

    def deed(now: datetime) -> str:
        term = form.term(now)
        if term is None:
            raise ValueError(say("usage.one_term_form"))
        carry_out(
            form.code,
            form.line(
                Verb.EXTEND,
                now,
                units=tuple(form.units),
                item=form.item,
                term=term,
                reasons=(form.reason,),
                number=form.number,
                issued_on=form.issued_on,
                kind=form.kind,
                signed_by=form.signed_by,
            ),
        )
        return say("desk_done.extend", code=form.code, units=", ".join(form.units))

    return _done(deed, say("desk_run.extend", code=form.code, count=len(form.units)))


@_form("waive", "waive", WaiveForm)
def waive_by_form(form: WaiveForm) -> Any:
    """Let units off (miễn thực hiện)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(Verb.WAIVE, now, units=tuple(form.units), item=form.item, reasons=(form.reason,)),
        )
        return say("desk_done.waive", code=form.code, units=", ".join(form.units))

    return _done(deed, say("desk_run.waive", code=form.code, count=len(form.units)))


@_form("register-paper", "register", RegisterForm)
def register_by_form(form: RegisterForm) -> Any:
    """Register a paper that was issued (đăng ký văn bản)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(
                Verb.REGISTER,
                now,
                roles=tuple(form.roles),
                number=form.number,
                issued_on=form.issued_on,
                kind=form.kind,
                title=form.title,
                signed_by=form.signed_by,
                change=form.changed(),
            ),
        )
        return say("desk_done.register", code=form.code, number=form.number)

    return _done(deed, say("desk_run.register", code=form.code, number=form.number))


@_form("amend-plan", "amend", AmendForm)
def amend_by_form(form: AmendForm) -> Any:
    """Change the plan by a paper (điều chỉnh kế hoạch)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(
                Verb.AMEND,
                now,
                number=form.number,
                issued_on=form.issued_on,
                kind=form.kind,
                signed_by=form.signed_by,
                reasons=(form.reason,),
                mode=form.mode,
                dues=form.dues(),
                opens_on=form.opens_on,
            ),
        )
        return say("done.amended", code=form.code, number=form.number)

    return _done(deed, say("desk_run.amend", code=form.code, number=form.number))


@_form("resend-letter", "resend", LetterForm)
def resend_by_form(form: LetterForm) -> Any:
    """Send what a letter said once more, as far as it is still true (gửi lại)."""

    def deed(now: datetime) -> str:
        with transaction() as session:
            again = settling.resend(session, form.number, at=now, by=form.by)
            name = settling.name_of(session, again)
            return say("done.resent", number=form.number, name=name, again=again.id)

    return _done(deed, say("desk_run.resend", number=form.number))


@_form("settle-letter", "settle", SettleForm)
def settle_by_form(form: SettleForm) -> Any:
    """Settle a letter of which nobody knows whether it has gone (xử lý thư chưa rõ)."""

    def deed(now: datetime) -> str:
        do = settling.send_uncertain if form.how is How.SEND else settling.drop_uncertain
        with transaction() as session:
            letter = do(session, form.number, at=now, by=form.by)
            name = settling.name_of(session, letter)
        return say(f"done.settled_{form.how}", number=form.number, name=name)

    return _done(deed, say("desk_run.settle", number=form.number))
