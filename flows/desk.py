"""The operator's desk in the Prefect UI: each deed that fits a form is a deployment of its own.

A deed does what its command does, in one transaction, and stands in the journal with who did it. A refused
one ends as a failed run whose message says what would be allowed. Whatever was done, a tick is asked
for at once, and where it makes letters a delivery, so that nobody waits for the sweep.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.states import Failed

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


def _done(deed: Callable[[datetime], str], name: str) -> Any:
    """Do a deed and say so in the run's name; a refusal becomes a failed run with one line."""
    now = deed_forms.now()
    try:
        database().migrate()
        said = deed(now)
    except FileInvalid as error:
        return Failed(message="\n".join(str(problem) for problem in error.problems))
    except KNOWN as error:
        return Failed(message=line_for(error))
    except ValueError as error:
        return Failed(message=str(error))
    name_run(name)
    ask_for(SWEEP)
    return said


@flow(name="open-campaign", persist_result=False, description=say("desk.open"))
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


@flow(name="submit-dossier", persist_result=False, description=say("desk.submit"))
def submit_by_form(form: SubmitForm) -> Any:
    """Record that a dossier was received (nhận hồ sơ)."""

    def deed(now: datetime) -> str:
        verb = Verb.SUBMIT_NOTHING if form.nothing else Verb.SUBMIT
        carry_out(form.code, form.line(verb, now, units=(form.unit,), via=form.via, number=form.number))
        return say("done.submitted", unit=form.unit, code=form.code)

    return _done(deed, say("desk_run.submit", code=form.code, unit=form.unit))


@flow(name="return-dossier", persist_result=False, description=say("desk.return"))
def return_by_form(form: ReturnForm) -> Any:
    """Send a dossier back to be completed (yêu cầu bổ sung)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(Verb.RETURN, now, units=(form.unit,), reasons=tuple(form.reasons), term=form.term(now)),
        )
        return say("done.returned", unit=form.unit, code=form.code)

    return _done(deed, say("desk_run.return", code=form.code, unit=form.unit))


@flow(name="extend-term", persist_result=False, description=say("desk.extend"))
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


@flow(name="waive", persist_result=False, description=say("desk.waive"))
def waive_by_form(form: WaiveForm) -> Any:
    """Let units off (miễn thực hiện)."""

    def deed(now: datetime) -> str:
        carry_out(
            form.code,
            form.line(Verb.WAIVE, now, units=tuple(form.units), item=form.item, reasons=(form.reason,)),
        )
        return say("desk_done.waive", code=form.code, units=", ".join(form.units))

    return _done(deed, say("desk_run.waive", code=form.code, count=len(form.units)))


@flow(name="register-paper", persist_result=False, description=say("desk.register"))
def register_by_form(form: RegisterForm) -> Any:
    """Register a paper that was issued (đăng ký văn bản)."""

    def deed(now: datetime) -> str:
        change = (form.change, form.changes_number or "") if form.change else None
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
                change=change,
            ),
        )
        return say("desk_done.register", code=form.code, number=form.number)

    return _done(deed, say("desk_run.register", code=form.code, number=form.number))


@flow(name="amend-plan", persist_result=False, description=say("desk.amend"))
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


@flow(name="resend-letter", persist_result=False, description=say("desk.resend"))
def resend_by_form(form: LetterForm) -> Any:
    """Send what a letter said once more, as far as it is still true (gửi lại)."""

    def deed(now: datetime) -> str:
        with transaction() as session:
            again = settling.resend(session, form.number, at=now, by=form.by)
            name = settling.name_of(session, again)
            return say("done.resent", number=form.number, name=name, again=again.id)

    return _done(deed, say("desk_run.resend", number=form.number))


@flow(name="settle-letter", persist_result=False, description=say("desk.settle"))
def settle_by_form(form: SettleForm) -> Any:
    """Settle a letter of which nobody knows whether it has gone (xử lý thư chưa rõ)."""

    def deed(now: datetime) -> str:
        do = settling.send_uncertain if form.how is How.SEND else settling.drop_uncertain
        with transaction() as session:
            letter = do(session, form.number, at=now, by=form.by)
            name = settling.name_of(session, letter)
        return say(f"done.settled_{form.how}", number=form.number, name=name)

    return _done(deed, say("desk_run.settle", number=form.number))
