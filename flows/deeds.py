"""What people do, told by a line of a script; the commands do the same by hand."""

from collections.abc import Callable
from datetime import date

from config.script_file import ScriptLine, Verb
from flows.review_deeds import REVIEW_DEEDS, who
from models import (
    amendments,
    campaigns,
    complaints,
    extensions,
    handing_in,
    leaders,
    papers,
    replacements,
    results,
    reviews,
    side_states,
    work_items,
)
from models.campaigns import file_of, get_campaign
from models.database import Session, transaction
from models.tables import Campaign
from rules.calendar import By
from rules.letters import Paper
from rules.work_items import ItemKind, Via


def carry_out(code: str, line: ScriptLine) -> None:
    """Do what one line says, in one transaction; a refused deed raises and leaves nothing behind."""
    with transaction() as session:
        DEEDS[line.do](session, get_campaign(session, code), line)


def _hand_in(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    if line.do is Verb.REVIEW and line.agree:
        reviews.agree_with_the_rest(session, campaign, line.unit or "", **who(line))
    handing_in.hand_in(
        session,
        campaign,
        ItemKind.REVIEW if line.do is Verb.REVIEW else ItemKind.DOSSIER,
        line.unit or "",
        via=line.via or Via.PORTAL,
        number=line.number,
        is_not_proposing=line.do is Verb.SUBMIT_NOTHING,
        **who(line),
    )


def _return(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    handing_in.return_dossier(
        session, campaign, line.unit or "", reasons=line.reasons, within=line.term, **who(line)
    )


def _waive(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    work_items.waive(session, campaign, line.item, line.units, reason=line.reason, **who(line))


def _request_extension(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    extensions.request_extension(
        session,
        campaign,
        line.item,
        line.unit or "",
        reason=line.reason,
        wanted=line.term,
        number=line.number,
        issued_on=line.issued_on,
        **who(line),
    )


def _extend(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    day = _day(campaign, line)
    extensions.extend(
        session,
        campaign,
        line.item,
        line.units,
        until=line.term or By(day),
        reason=line.reason,
        paper=_paper(line, day),
        **who(line),
    )


def _refuse_extension(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    extensions.refuse_extension(session, campaign, line.item, line.units, reason=line.reason, **who(line))


def _amend(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    amendments.amend(
        session,
        campaign,
        _paper(line, _day(campaign, line)),
        reason=line.reason,
        mode=line.mode,
        dues=line.dues,
        opening_day=line.opens_on,
        **who(line),
    )


def _suspend(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    side_states.suspend(session, campaign, reason=line.reason, **who(line))


def _resume(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    side_states.resume(session, campaign, **who(line))


def _cancel(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    side_states.cancel(session, campaign, reason=line.reason, **who(line))


def _conclude(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    results.freeze_list(session, campaign, reason=line.reason or None, **who(line))


def _go_on(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    campaigns.go_on(session, campaign, reason=line.reason, **who(line))


def _register(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    day = _day(campaign, line)
    papers.register_paper(
        session,
        campaign,
        _paper(line, day),
        line.roles,
        today=day,
        change=papers.Change(*line.change) if line.change else None,
        **who(line),
    )


def _complain(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    complaints.complain(
        session,
        campaign,
        line.unit or "",
        subject=line.subject or "",
        number=line.number,
        within=line.term,
        **who(line),
    )


def _answer(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    complaints.answer(session, campaign, line.complaint or "", number=line.number, **who(line))


def _release(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    leaders.release(session, campaign, unit=line.unit, step=line.step, **who(line))


def _hold(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    leaders.hold(session, campaign, unit=line.unit, step=line.step, reason=line.reason, **who(line))


def _annotate(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    leaders.annotate(
        session, campaign, unit=line.unit or "", step=line.step, note=line.note or "", **who(line)
    )


def _acknowledge(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    leaders.acknowledge(session, campaign, line.item, line.unit or "", **who(line))


def _replace_contact(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    new = replacements.NewPerson(line.name or "", line.title or "", line.email, line.phone, line.zalo)
    replacements.replace_contact(session, campaign, line.unit or "", line.person or "", new, **who(line))


def _deputise(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    replacements.deputise(
        session,
        campaign,
        line.unit or "",
        line.person or "",
        deputy=replacements.NewPerson(line.name, line.title or "", line.email, line.phone, line.zalo)
        if line.name
        else None,
        first_day=line.first_day or _day(campaign, line),
        last_day=line.last_day,
        **who(line),
    )


def _nothing(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    """Nobody acts; the rehearsal holds its ticks."""


DEEDS: dict[Verb, Callable[[Session, Campaign, ScriptLine], None]] = {
    Verb.SUBMIT: _hand_in,
    Verb.SUBMIT_NOTHING: _hand_in,
    Verb.REVIEW: _hand_in,
    Verb.RETURN: _return,
    Verb.WAIVE: _waive,
    Verb.REQUEST_EXTENSION: _request_extension,
    Verb.EXTEND: _extend,
    Verb.REFUSE_EXTENSION: _refuse_extension,
    Verb.AMEND: _amend,
    Verb.SUSPEND: _suspend,
    Verb.RESUME: _resume,
    Verb.CANCEL: _cancel,
    Verb.CONCLUDE: _conclude,
    Verb.GO_ON: _go_on,
    Verb.REGISTER: _register,
    Verb.COMPLAIN: _complain,
    Verb.ANSWER: _answer,
    Verb.RELEASE: _release,
    Verb.HOLD: _hold,
    Verb.ANNOTATE: _annotate,
    Verb.ACKNOWLEDGE: _acknowledge,
    Verb.REPLACE_CONTACT: _replace_contact,
    Verb.DEPUTISE: _deputise,
    Verb.OUTAGE: _nothing,
    **REVIEW_DEEDS,
}


def _day(campaign: Campaign, line: ScriptLine) -> date:
    return file_of(campaign).calendar.day_of(line.at)


def _paper(line: ScriptLine, day: date) -> Paper:
    return Paper(line.kind or "CV", line.number or "", line.issued_on or day, line.title, line.signed_by)
