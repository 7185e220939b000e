"""Commands for what people do: each in the journal, with who, when it happened and when it was recorded."""

from typing import Annotated

import typer

from config.messages import say
from flows.command_line import (
    At,
    ByWhom,
    Code,
    Force,
    Item,
    Now,
    Number,
    OfStep,
    OfUnit,
    PaperDate,
    PaperKind,
    PaperNumber,
    PaperTitle,
    Reason,
    SignedBy,
    UnitCode,
    UnitCodes,
    Until,
    Within,
    about,
    app,
    day,
    moment,
    paper,
    refuse,
    term,
)
from models import campaigns, complaints, extensions, handing_in, leaders, papers, side_states, work_items
from models.amendments import amend as amend_plan
from models.campaigns import file_of
from rules.calendar import parse_wording
from rules.stages import Mode, PaperChange, PaperRole, Stage
from rules.work_items import ItemKind, Via

ViaOption = Annotated[Via, typer.Option("--via", help=say("help.via"))]


@app.command(help=say("help.submit"))
def submit(
    code: Code,
    unit: UnitCode,
    at: At = None,
    by: ByWhom = None,
    via: ViaOption = Via.PAPER,
    number: Number = None,
    nothing: Annotated[bool, typer.Option("--nothing", help=say("help.nothing"))] = False,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record a dossier that was handed in, at the time it was received."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        handing_in.hand_in(
            session,
            campaign,
            ItemKind.DOSSIER,
            unit,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
            via=via,
            number=number,
            is_not_proposing=nothing,
        )
    typer.echo(say("done.submitted", unit=unit, code=code))


@app.command("return", help=say("help.return"))
def return_(
    code: Code,
    unit: UnitCode,
    reason: Annotated[
        list[str] | None, typer.Option("--reason", metavar="TEXT", help=say("help.reasons"))
    ] = None,
    until: Until = None,
    within: Within = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Send a dossier back to be completed, with all reasons at once."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        today = file_of(campaign).calendar.day_of(when.at)
        handing_in.return_dossier(
            session,
            campaign,
            unit,
            reasons=reason or (),
            within=term(until, within, today=today),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.returned", unit=unit, code=code))


@app.command(help=say("help.waive"))
def waive(
    code: Code,
    units: UnitCodes,
    reason: Reason,
    item: Item = ItemKind.DOSSIER,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Let units off what they owe."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        work_items.waive(
            session,
            campaign,
            item,
            units,
            reason=reason,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.waived", units=", ".join(units), code=code))


@app.command("request-extension", help=say("help.request_extension"))
def request_extension(
    code: Code,
    unit: UnitCode,
    reason: Reason,
    until: Until = None,
    item: Item = ItemKind.DOSSIER,
    number: Number = None,
    issued_on: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help=say("help.paper_date"))
    ] = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that a unit asks for more time."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        today = file_of(campaign).calendar.day_of(when.at)
        extensions.request_extension(
            session,
            campaign,
            item,
            unit,
            reason=reason,
            wanted=term(until, None, today=today),
            number=number,
            issued_on=day(issued_on) if issued_on else None,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.extension_requested", unit=unit, code=code))


@app.command(help=say("help.extend"))
def extend(
    code: Code,
    units: UnitCodes,
    number: PaperNumber,
    issued_on: PaperDate,
    reason: Reason,
    until: Until = None,
    within: Within = None,
    item: Item = ItemKind.DOSSIER,
    kind: PaperKind = "CV",
    title: PaperTitle = None,
    signed_by: SignedBy = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Give units more time, by a paper."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        wording = term(until, within, today=file_of(campaign).calendar.day_of(when.at))
        if wording is None:
            refuse(say("usage.no_term"), 2)
        extensions.extend(
            session,
            campaign,
            item,
            units,
            until=wording,
            reason=reason,
            paper=paper(number, issued_on, kind, title, signed_by),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.extended", units=", ".join(units), code=code))


@app.command("refuse-extension", help=say("help.refuse_extension"))
def refuse_extension(
    code: Code,
    units: UnitCodes,
    reason: Reason,
    item: Item = ItemKind.DOSSIER,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Refuse units more time, saying why."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        extensions.refuse_extension(
            session,
            campaign,
            item,
            units,
            reason=reason,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.extension_refused", units=", ".join(units), code=code))


@app.command(help=say("help.amend"))
def amend(
    code: Code,
    number: PaperNumber,
    issued_on: PaperDate,
    reason: Reason,
    mode: Annotated[Mode | None, typer.Option("--mode", help=say("help.mode"))] = None,
    due: Annotated[
        list[str] | None, typer.Option("--due", metavar="STAGE=WORDING", help=say("help.due"))
    ] = None,
    opens_on: Annotated[
        str | None, typer.Option("--opens-on", metavar="YYYY-MM-DD", help=say("help.opens_on"))
    ] = None,
    kind: PaperKind = "CV",
    title: PaperTitle = None,
    signed_by: SignedBy = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Amend the plan in flight, by a paper."""
    when = moment(at, now, force=force)
    dues = {}
    for each in due or []:
        stage, _, wording = each.partition("=")
        try:
            dues[Stage(stage.strip())] = parse_wording(wording.strip())
        except ValueError:
            refuse(say("usage.due", text=each), 2)
    with about(code) as (session, campaign):
        amend_plan(
            session,
            campaign,
            paper(number, issued_on, kind, title, signed_by),
            reason=reason,
            mode=mode,
            dues=dues,
            opening_day=day(opens_on) if opens_on else None,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.amended", number=number, code=code))


@app.command(help=say("help.suspend"))
def suspend(
    code: Code, reason: Reason, at: At = None, by: ByWhom = None, now: Now = None, force: Force = False
) -> None:
    """Suspend a campaign."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        side_states.suspend(session, campaign, reason=reason, at=when.at, recorded_at=when.recorded_at, by=by)
    typer.echo(say("done.suspended", code=code))


@app.command(help=say("help.resume"))
def resume(code: Code, at: At = None, by: ByWhom = None, now: Now = None, force: Force = False) -> None:
    """Resume a suspended campaign."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        side_states.resume(session, campaign, at=when.at, recorded_at=when.recorded_at, by=by)
    typer.echo(say("done.resumed", code=code))


@app.command(help=say("help.cancel"))
def cancel(
    code: Code, reason: Reason, at: At = None, by: ByWhom = None, now: Now = None, force: Force = False
) -> None:
    """Cancel a campaign for good."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        side_states.cancel(session, campaign, reason=reason, at=when.at, recorded_at=when.recorded_at, by=by)
    typer.echo(say("done.cancelled", code=code))


@app.command("go-on", help=say("help.go_on"))
def go_on(
    code: Code, reason: Reason, at: At = None, by: ByWhom = None, now: Now = None, force: Force = False
) -> None:
    """Go on without what is missing, giving the reason."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        campaigns.go_on(session, campaign, at=when.at, recorded_at=when.recorded_at, by=by, reason=reason)
    typer.echo(say("done.gone_on", code=code))


@app.command(help=say("help.release"))
def release(
    code: Code,
    unit: OfUnit = None,
    step: OfStep = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Let messages to leaders go that wait for the standing head."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        released = leaders.release(
            session, campaign, unit=unit, step=step, at=when.at, recorded_at=when.recorded_at, by=by
        )
    typer.echo(say("done.released", count=released))


@app.command(help=say("help.hold"))
def hold(
    code: Code,
    reason: Reason,
    unit: OfUnit = None,
    step: OfStep = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Hold back messages to leaders."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        held = leaders.hold(
            session,
            campaign,
            unit=unit,
            step=step,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
            reason=reason,
        )
    typer.echo(say("done.held", count=held))


@app.command(help=say("help.annotate"))
def annotate(
    code: Code,
    unit: UnitCode,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help=say("help.note"))],
    step: OfStep = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Amend the line about a unit in messages to leaders."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        changed = leaders.annotate(
            session,
            campaign,
            unit=unit,
            step=step,
            note=note,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.annotated", count=changed))


@app.command(help=say("help.acknowledge"))
def acknowledge(
    code: Code,
    unit: UnitCode,
    item: Item = ItemKind.DOSSIER,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Note that a message was received; repeated ones stop."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        leaders.acknowledge(session, campaign, item, unit, at=when.at, recorded_at=when.recorded_at, by=by)
    typer.echo(say("done.acknowledged", unit=unit, code=code))


@app.command(help=say("help.register"))
def register(
    code: Code,
    number: PaperNumber,
    issued_on: PaperDate,
    role: Annotated[list[PaperRole] | None, typer.Option("--role", help=say("help.paper_role"))] = None,
    supplements: Annotated[
        str | None, typer.Option("--supplements", metavar="N", help=say("help.supplements"))
    ] = None,
    corrects: Annotated[
        str | None, typer.Option("--corrects", metavar="N", help=say("help.corrects"))
    ] = None,
    replaces: Annotated[
        str | None, typer.Option("--replaces", metavar="N", help=say("help.replaces"))
    ] = None,
    revokes: Annotated[str | None, typer.Option("--revokes", metavar="N", help=say("help.revokes"))] = None,
    kind: PaperKind = "CV",
    title: PaperTitle = None,
    signed_by: SignedBy = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Register an issued paper with the roles it plays, or what it does to an earlier one."""
    when = moment(at, now, force=force)
    named = zip(PaperChange, (supplements, corrects, replaces, revokes), strict=True)
    changes = [papers.Change(how, earlier) for how, earlier in named if earlier]
    if len(changes) > 1 or not (changes or role):
        refuse(say("usage.paper_role"), 2)
    with about(code) as (session, campaign):
        papers.register_paper(
            session,
            campaign,
            paper(number, issued_on, kind, title, signed_by),
            role or [],
            today=file_of(campaign).calendar.day_of(when.at),
            at=when.at,
            by=by,
            recorded_at=when.recorded_at,
            change=changes[0] if changes else None,
        )
    typer.echo(say("done.registered", number=number.strip(), code=code))


@app.command(help=say("help.complain"))
def complain(
    code: Code,
    unit: UnitCode,
    subject: Annotated[str, typer.Option("--subject", metavar="TEXT", help=say("help.subject"))],
    number: Number = None,
    until: Until = None,
    within: Within = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record a complaint about a unit's result."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        item = complaints.complain(
            session,
            campaign,
            unit,
            subject=subject,
            number=number,
            within=term(until, within, today=file_of(campaign).calendar.day_of(when.at)),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
        name = item.name
    typer.echo(say("done.complaint", item=name, code=code))


@app.command(help=say("help.answer"))
def answer(
    code: Code,
    item: Annotated[str, typer.Argument(metavar="ITEM", help=say("help.complaint"))],
    number: Number = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that a complaint was answered."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        complaints.answer(
            session, campaign, item, number=number, at=when.at, recorded_at=when.recorded_at, by=by
        )
    typer.echo(say("done.answered", item=item, code=code))
