"""Commands about what is in a dossier: parts put in and taken out, what is there, what is missing."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from config.messages import say
from config.score_words import missing_words
from flows.command_line import (
    BAD_USAGE,
    At,
    ByWhom,
    Code,
    Force,
    Json,
    Now,
    UnitCode,
    about,
    app,
    moment,
    refuse,
)
from flows.list_facts import iso
from flows.mark_reading import mark_of
from flows.refusals import shown
from models import dossiers
from models.completions import Proposal, open_proposals
from models.dossier_states import DossierState, Entry, dossiers_of, entries_of
from models.explanations import Said, explanations_of
from models.tables import Campaign
from models.work_items import UnknownUnit
from rules.dossiers import DossierPart, Missing, plain_name

Part = Annotated[DossierPart, typer.Argument(metavar="PART", help=say("help.part"))]
OfGroup = Annotated[str | None, typer.Option("--group", metavar="NAME", help=say("help.group"))]
OfLeaf = Annotated[str | None, typer.Option("--leaf", metavar="LEAF", help=say("help.leaf"))]


@app.command(help=say("help.attach"))
def attach(
    code: Code,
    unit: UnitCode,
    part: Part,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help=say("help.attached"))] = None,
    group: OfGroup = None,
    leaf: OfLeaf = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help=say("help.part_note"))] = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Put a part into a dossier: a file, or the note that it came on paper."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        digest = dossiers.put_in(
            session,
            campaign,
            unit,
            part,
            file=file,
            group=group,
            leaf=leaf,
            note=note,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    what = "done.attached" if digest else "done.noted_on_paper"
    name = plain_name(file.name) if file else ""
    typer.echo(say(what, part=say(f"part.{part}"), unit=unit, name=name, digest=digest))


@app.command(help=say("help.detach"))
def detach(
    code: Code,
    unit: UnitCode,
    part: Part,
    name: Annotated[str | None, typer.Option("--name", metavar="FILE", help=say("help.part_name"))] = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Take a part out of a dossier again."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        count = dossiers.take_out(
            session, campaign, unit, part, name=name, at=when.at, recorded_at=when.recorded_at, by=by
        )
    typer.echo(say("done.detached", part=say(f"part.{part}"), unit=unit, count=count))


@app.command("self-assess", help=say("help.self_assess"))
def self_assess(
    code: Code,
    unit: UnitCode,
    group: OfGroup = None,
    proposed: Annotated[
        bool | None, typer.Option("--proposed/--not-proposed", help=say("help.proposed"))
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help=say("help.left_off"))] = None,
    votes: Annotated[
        str | None, typer.Option("--votes", metavar="N-N-N", help=say("help.group_votes"))
    ] = None,
    area_class: Annotated[
        str | None, typer.Option("--area-class", metavar="CLASS", help=say("help.area_class"))
    ] = None,
    scores: Annotated[
        list[str] | None, typer.Option("--score", metavar="LEAF=MARK", help=say("help.self_score"))
    ] = None,
    explanation: Annotated[
        str | None, typer.Option("--explanation", metavar="TEXT", help=say("help.explanation"))
    ] = None,
    evidence: Annotated[
        str | None, typer.Option("--evidence", metavar="TEXT", help=say("help.evidence"))
    ] = None,
    at: At = None,
    by: ByWhom = None,
    now: Now = None,
    force: Force = False,
) -> None:
    """Record what a commune says of one of its groups; what is not named here stays as it was."""
    when = moment(at, now, force=force)
    with about(code) as (session, campaign):
        marks = [_self_mark(campaign, group, each, explanation, evidence) for each in scores or ()]
        cases = []
        if not (proposed is None and votes is None and area_class is None and reason is None):
            before = dossiers.find_case(session, campaign, unit, group) or dossiers.Case(group, True)
            is_proposed = (before.is_proposed and reason is None) if proposed is None else proposed
            case = dossiers.Case(
                before.group,
                is_proposed,
                "" if is_proposed else before.reason if reason is None else reason,
                area_class or before.area_class,
                before.votes if votes is None else _votes(votes),
                before.votes_percent if votes is None else None,
            )
            cases.append(case)
        if not (cases or marks):
            refuse(say("usage.nothing_said"), BAD_USAGE)
        given = dossiers.assess_self(
            session,
            campaign,
            unit,
            cases=cases,
            marks=marks,
            at=when.at,
            recorded_at=when.recorded_at,
            by=by,
        )
    typer.echo(say("done.self_assessed", unit=unit, group=group or unit, scores=given))


def _self_mark(
    campaign: Campaign, group: str | None, text: str, explanation: str | None, evidence: str | None
) -> dossiers.SelfMark:
    leaf, equals, mark = text.rpartition("=")
    if not equals:
        refuse(say("usage.self_score", text=text), BAD_USAGE)
    return dossiers.SelfMark(
        group, leaf.strip(), mark_of(campaign, leaf.strip(), mark), explanation, evidence
    )


def _votes(text: str) -> dossiers.Votes:
    """Return the people invited, come and in favour, as `46-41-30`."""
    counts = text.split("-")
    if len(counts) != 3 or not all(each.strip().isdecimal() for each in counts):
        refuse(say("usage.group_votes", text=text), BAD_USAGE)
    invited, attended, in_favour = map(int, counts)
    return dossiers.Votes(invited, attended, in_favour)


@app.command(help=say("help.dossier"))
def dossier(
    code: Code,
    unit: Annotated[str | None, typer.Argument(metavar="UNIT", help=say("help.unit"))] = None,
    as_json: Json = False,
) -> None:
    """Show what dossiers hold and lack, all of them or one with everything that was put in."""
    with about(code) as (session, campaign):
        states = dossiers_of(session, campaign)
        if unit is not None and unit not in states:
            raise UnknownUnit(unit, tuple(states))
        chosen = {unit: states[unit]} if unit is not None else states
        entries = entries_of(session, campaign, unit) if unit is not None else []
        proposals = open_proposals(session, campaign, unit) if unit is not None else []
        said = explanations_of(session, campaign, unit) if unit is not None else []
    if as_json:
        told = [_as_json(state) for state in chosen.values()]
        whole: Any = (
            told
            if unit is None
            else told[0]
            | {
                "entries": [_entry(each) for each in entries],
                "proposals": [_proposal(each) for each in proposals],
                "explanations": [_explanation(each) for each in said],
            }
        )
        typer.echo(json.dumps(whole, ensure_ascii=False, indent=2))
        return
    for state in chosen.values():
        typer.echo(_line(state))
    lines = [
        *map(_entry_line, entries),
        *map(_proposal_line, proposals),
        *map(_explanation_line, said),
    ]
    for line in lines:
        typer.echo(line)


def _line(state: DossierState) -> str:
    what = "; ".join(missing_words(each) for each in state.missing) or say("missing.nothing")
    kind = "dossier_line.not_proposing" if state.is_not_proposing else "dossier_line.proposing"
    content = state.content
    return say(kind, unit=state.unit, groups=content.groups, scores=content.scores_given, missing=what)


def _entry_line(entry: Entry) -> str:
    where = ", ".join(each for each in (entry.group, entry.leaf) if each)
    return say(
        "dossier_line.entry" if entry.stands else "dossier_line.replaced",
        round=entry.round,
        at=shown(entry.put_at),
        part=say(f"part.{entry.part}"),
        where=f" ({where})" if where else "",
        name=entry.name or say("dossier_line.on_paper"),
        digest=(entry.sha256 or "")[:12],
    )


def _proposal_line(proposal: Proposal) -> str:
    where = ", ".join(each for each in (proposal.group, proposal.leaf) if each)
    return say(
        "dossier_line.proposal",
        agency=proposal.agency_name,
        where=f" ({where})" if where else "",
        what=proposal.what,
    )


def _explanation_line(said: Said) -> str:
    answer = say("dossier_line.unanswered")
    if said.answered_at is not None:
        answer = say("dossier_line.answered", answer=said.answer or "–")
    return say(
        "dossier_line.explained",
        at=shown(said.at),
        where=f"{said.group}, {said.leaf}",
        words=said.words,
        answer=answer,
    )


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "agency": proposal.agency,
        "group": proposal.group,
        "leaf": proposal.leaf,
        "what": proposal.what,
    }


def _explanation(said: Said) -> dict[str, Any]:
    return {
        "group": said.group,
        "leaf": said.leaf,
        "words": said.words,
        "at": iso(said.at),
        "by": said.by,
        "answer": said.answer,
        "answered_at": iso(said.answered_at),
    }


def _as_json(state: DossierState) -> dict[str, Any]:
    content = state.content
    return {
        "unit": state.unit,
        "not_proposing": state.is_not_proposing,
        "groups": content.groups,
        "groups_unlisted": content.groups_unlisted,
        "scores_given": content.scores_given,
        "scores_missing": content.scores_missing,
        "parts": sorted(part.value for part in content.parts),
        "missing": [_missing(each) for each in state.missing],
    }


def _missing(missing: Missing) -> dict[str, Any]:
    wanted = missing.part
    return {
        "part": wanted.part.value if wanted.part else None,
        "title": wanted.title,
        "count": missing.count,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "part": entry.part.value,
        "group": entry.group,
        "leaf": entry.leaf,
        "name": entry.name,
        "sha256": entry.sha256,
        "note": entry.note,
        "round": entry.round,
        "at": iso(entry.put_at),
        "by": entry.by,
        "stands": entry.stands,
    }
