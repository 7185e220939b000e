"""Commands of consolidation: scores side by side, what differs, what is settled, the frozen list."""

from typing import Annotated

import typer

from config.messages import say
from flows import result_view
from flows.command_line import (
    BAD_USAGE,
    At,
    ByWhom,
    Code,
    Force,
    Json,
    Now,
    OfUnit,
    UnitCode,
    about,
    app,
    moment,
    refuse,
)
from flows.dossier_commands import OfGroup
from flows.list_facts import as_text
from flows.mark_reading import mark_of
from flows.review_commands import Leaf
from models import referrals
from models.campaigns import get_campaign
from models.disagreements import disagreements as differing
from models.groups import get_group, groups_of
from models.rankings import ranking_of
from models.results import freeze_list, results_of, versions_of
from models.settled_scores import SettledMark, settle_scores
from models.sheets import known_of
from models.work_items import UnknownUnit, get_item
from rules.reviews import ScoreKind
from rules.work_items import ItemKind

WhyOption = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help=say("help.why_again"))]


@app.command(help=say("help.conclude"))
def conclude(
    code: Code,
    reason: WhyOption = None,
    as_json: Json = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Freeze the consolidated list; a list that has changed since becomes its next version."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        frozen = freeze_list(
            session, campaign, at=when.at, recorded_at=when.recorded_at, by=by, reason=reason
        )
    if as_json:
        typer.echo(result_view.version_as_json(frozen))
    elif frozen is None:
        typer.echo(say("done.concluded", code=code))
    else:
        typer.echo(
            say(
                "done.list_frozen",
                code=code,
                version=frozen.version,
                groups=frozen.groups,
                recognised=frozen.recognised,
                hash=frozen.hash,
            )
        )


@app.command(help=say("help.results"))
def results(
    code: Code,
    version: Annotated[int | None, typer.Option("--version", metavar="N", help=say("help.version"))] = None,
    unit: OfUnit = None,
    as_json: Json = False,
) -> None:
    """Show the result of every group in a frozen version of the list, and why."""
    with about(code) as (session, campaign):
        frozen, found = results_of(session, campaign, version)
        versions = versions_of(session, campaign)
    units = tuple(dict.fromkeys(each.unit for each in found))
    if unit is not None and unit not in units:
        raise UnknownUnit(unit, units)
    chosen = [each for each in found if unit in (None, each.unit)]
    if as_json:
        typer.echo(result_view.results_as_json(code, frozen, chosen))
    else:
        result_view.print_results(frozen, chosen, versions)


@app.command(help=say("help.ranking"))
def ranking(
    code: Code,
    years: Annotated[
        list[str] | None, typer.Option("--years", metavar="UNIT/GROUP=N", help=say("help.years"))
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who of the recognised is within the quota of the set's ranking."""
    known = dict(_years(text) for text in years or ())
    with about(code) as (session, campaign):
        found = ranking_of(session, campaign, known)
    if as_json:
        typer.echo(result_view.ranking_as_json(found))
    else:
        result_view.print_ranking(found)


def _years(text: str) -> tuple[tuple[str, str], int]:
    whose, _, count = text.rpartition("=")
    unit, _, group = whose.partition("/")
    if not (unit and group and count.isdecimal()):
        refuse(say("usage.years", text=text), BAD_USAGE)
    return (unit, group), int(count)


@app.command("take-over", help=say("help.take_over"))
def take_over(
    code: Code,
    other: Annotated[str, typer.Argument(metavar="OTHER", help=say("help.other_campaign"))],
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Take over what the frozen list of another campaign says of the same units and those below them."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        taken = referrals.take_over(
            session,
            campaign,
            get_campaign(session, other),
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
        is_frozen = campaign.list_frozen_at is not None
    typer.echo(
        say(
            "done.taken_over",
            other=other,
            version=taken.of.version,
            scores=taken.scores,
            shares=taken.shares,
        )
    )
    if is_frozen:
        typer.echo(say("done.freeze_again", code=code))


@app.command(help=say("help.scores"))
def scores(code: Code, unit: UnitCode, group: OfGroup = None, as_json: Json = False) -> None:
    """Show the four scores of every leaf of a unit's groups side by side."""
    with about(code) as (session, campaign):
        get_item(session, campaign, ItemKind.DOSSIER, unit)
        chosen = [get_group(session, campaign, unit, group)] if group else groups_of(session, campaign, unit)
        sides = result_view.side_by_side(campaign, known_of(session, campaign, chosen))
    if as_json:
        typer.echo(as_text(sides))
    else:
        result_view.print_scores(sides)


@app.command(help=say("help.disagreements"))
def disagreements(code: Code, as_json: Json = False) -> None:
    """Show where the scores differ, those on which a result hangs first."""
    with about(code) as (session, campaign):
        found = differing(session, campaign)
    if as_json:
        typer.echo(result_view.disagreements_as_json(found))
    else:
        result_view.print_disagreements(found)


@app.command("settle-score", help=say("help.settle_score"))
def settle_score(
    code: Code,
    unit: UnitCode,
    leaf: Leaf,
    mark: Annotated[str, typer.Argument(metavar="MARK", help=say("help.mark"))],
    group: OfGroup = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help=say("help.reason"))] = None,
    final: Annotated[bool, typer.Option("--final", help=say("help.final"))] = False,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Settle a score in consolidation, or with `--final` as the meeting has it."""
    when = moment(at, now, force=force)
    kind = ScoreKind.FINAL if final else ScoreKind.CONSOLIDATED
    with about(code) as (session, campaign):
        settled = SettledMark(unit, group, leaf, mark_of(campaign, leaf, mark), reason)
        settle_scores(session, campaign, kind, [settled], at=when.at, recorded_at=when.recorded_at, by=by)
        is_frozen = campaign.list_frozen_at is not None
    typer.echo(say("done.settled_score", leaf=leaf, group=group or unit))
    if is_frozen:
        typer.echo(say("done.freeze_again", code=code))
