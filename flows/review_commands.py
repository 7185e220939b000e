"""Commands of the review: what agencies find, what they ask for, what communes explain, who steps aside."""

from typing import Annotated

import typer

from config.messages import say
from flows.command_line import (
    At,
    ByWhom,
    Code,
    Force,
    Json,
    Now,
    Number,
    Reason,
    UnitCode,
    about,
    app,
    moment,
    said,
)
from flows.deed_commands import ViaOption
from flows.dossier_commands import OfGroup, OfLeaf
from flows.list_facts import as_text, iso
from flows.mark_reading import mark_of
from models import assessors, completions, explanations, handing_in, reviews, vetoes
from models.reviews import AgencyMark
from rules.work_items import ItemKind, Via

Agency = Annotated[str, typer.Argument(metavar="AGENCY", help=say("help.agency"))]
Leaf = Annotated[str, typer.Argument(metavar="LEAF", help=say("help.leaf"))]
Words = Annotated[str, typer.Argument(metavar="TEXT", help=say("help.words"), callback=said)]


@app.command(help=say("help.review"))
def review(
    code: Code,
    unit: UnitCode,
    at: At = None,
    by: ByWhom = None,
    via: ViaOption = Via.PORTAL,
    number: Number = None,
    agree: Annotated[bool, typer.Option("--agree", help=say("help.agree_rest"))] = False,
    as_json: Json = False,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that an agency has concluded its review; with `--agree` it shares all it did not overrule."""
    when = moment(at, now, force=force)
    agreed = 0
    with about(code) as (session, campaign):
        if agree:
            agreed = reviews.agree_with_the_rest(
                session, campaign, unit, at=when.at, recorded_at=when.recorded_at, by=by
            )
        handing_in.hand_in(
            session,
            campaign,
            ItemKind.REVIEW,
            unit,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
            via=via,
            number=number,
        )
    if as_json:
        facts = {"campaign": code, "unit": unit, "received_at": iso(when.at), "agreed": agreed}
        typer.echo(as_text(facts))
    else:
        typer.echo(say("done.reviewed", unit=unit, code=code))


@app.command(help=say("help.assess"))
def assess(
    code: Code,
    agency: Agency,
    unit: UnitCode,
    leaf: Leaf,
    mark: Annotated[str, typer.Argument(metavar="MARK", help=say("help.mark"))],
    group: OfGroup = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help=say("help.reason"))] = None,
    evidence: Annotated[
        str | None, typer.Option("--evidence", metavar="TEXT", help=say("help.evidence"))
    ] = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record what an agency finds at one leaf of one group."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        found = AgencyMark(unit, group, leaf, mark_of(campaign, leaf, mark), reason, evidence)
        reviews.assess(session, campaign, agency, [found], at=when.at, recorded_at=when.recorded_at, by=by)
        is_frozen = campaign.list_frozen_at is not None
    typer.echo(say("done.assessed", unit=unit, group=group or unit, leaf=leaf, agency=agency))
    if is_frozen:
        typer.echo(say("done.freeze_again", code=code))


@app.command("propose-completion", help=say("help.propose_completion"))
def propose_completion(
    code: Code,
    agency: Agency,
    unit: UnitCode,
    what: Words,
    group: OfGroup = None,
    leaf: OfLeaf = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Propose what a commune must complete; it goes with the next request of the standing office."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        completions.propose_completion(
            session,
            campaign,
            agency,
            unit,
            what=what,
            group=group,
            leaf=leaf,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
        waiting = len(completions.open_proposals(session, campaign, unit))
    typer.echo(say("done.completion_proposed", unit=unit, count=waiting))


@app.command(help=say("help.explain"))
def explain(
    code: Code,
    unit: UnitCode,
    leaf: Leaf,
    words: Words,
    group: OfGroup = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record what a commune explains about a score it does not share."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        agency = explanations.explain(
            session,
            campaign,
            unit,
            leaf,
            group=group,
            words=words,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.explained", unit=unit, leaf=leaf, agency=agency or "–"))


@app.command(help=say("help.recuse"))
def recuse(
    code: Code,
    person: Annotated[str, typer.Argument(metavar="NAME", help=say("help.person"), callback=said)],
    unit: UnitCode,
    reason: Reason,
    group: OfGroup = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record that a person has a part in a group or a unit and may not assess it."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        assessors.recuse(
            session,
            campaign,
            person,
            unit,
            group=group,
            reason=reason,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.recused", person=person, unit=unit, group=group or "–"))


@app.command(help=say("help.veto"))
def veto(
    code: Code,
    unit: UnitCode,
    case: Annotated[str, typer.Argument(metavar="CASE", help=say("help.veto_case"))],
    reason: Reason,
    group: OfGroup = None,
    lift: Annotated[bool, typer.Option("--lift", help=say("help.lift"))] = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record a case that excludes a group, or with `--lift` that it no longer stands."""
    when = moment(at, now, force=force)
    do = vetoes.lift_veto if lift else vetoes.veto
    with about(code) as (session, campaign):
        do(
            session,
            campaign,
            unit,
            case,
            group=group,
            reason=reason,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
        is_frozen = campaign.list_frozen_at is not None
    typer.echo(say("done.veto_lifted" if lift else "done.vetoed", unit=unit, case=case))
    if is_frozen:
        typer.echo(say("done.freeze_again", code=code))
