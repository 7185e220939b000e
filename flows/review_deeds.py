"""What people do about dossiers, scores and the list, told by a line of a script."""

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from config.script_file import ScriptLine, Verb
from flows.mark_reading import mark_of
from models import (
    assessors,
    completions,
    dossiers,
    explanations,
    meetings,
    reviews,
    settled_scores,
    vetoes,
)
from models.database import Session
from models.tables import Campaign
from rules.dossiers import DossierPart
from rules.reviews import ScoreKind


class Who(TypedDict):
    """Who did it, when it happened, and when it was recorded."""

    at: datetime
    recorded_at: datetime
    by: str | None


def who(line: ScriptLine) -> Who:
    """Return who does what a line says, and when."""
    return {"at": line.at, "recorded_at": line.recorded_at, "by": line.by}


def _assess_self(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    cases = [
        dossiers.Case(
            name,
            each.proposed,
            each.reason or "",
            each.area_class,
            dossiers.Votes(each.votes.invited, each.votes.attended, each.votes.in_favour)
            if each.votes
            else None,
        )
        for name, each in line.groups.items()
    ]
    marks = [
        dossiers.SelfMark(name, leaf, mark_of(campaign, leaf, text))
        for name, each in line.groups.items()
        for leaf, text in each.scores.items()
    ]
    dossiers.assess_self(session, campaign, line.unit or "", cases=cases, marks=marks, **who(line))


def _put_in(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    """A rehearsal has no files: what it puts in came on paper."""
    dossiers.put_in(
        session,
        campaign,
        line.unit or "",
        line.part or DossierPart.OTHER,
        group=line.group,
        leaf=line.leaf,
        note=line.note,
        **who(line),
    )


def _assess(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    marks = [
        reviews.AgencyMark(
            each.unit, each.group, each.leaf, mark_of(campaign, each.leaf, each.mark), each.reason
        )
        for each in line.marks
    ]
    reviews.assess(session, campaign, line.unit or "", marks, **who(line))


def _propose_completion(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    completions.propose_completion(
        session,
        campaign,
        line.agency or "",
        line.unit or "",
        what=line.words or "",
        group=line.group,
        leaf=line.leaf,
        **who(line),
    )


def _explain(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    explanations.explain(
        session,
        campaign,
        line.unit or "",
        line.leaf or "",
        group=line.group,
        words=line.words or "",
        **who(line),
    )


def _recuse(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    assessors.recuse(
        session,
        campaign,
        line.person or "",
        line.unit or "",
        group=line.group,
        reason=line.reason,
        **who(line),
    )


def _veto(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    do = vetoes.veto if line.do is Verb.VETO else vetoes.lift_veto
    do(
        session,
        campaign,
        line.unit or "",
        line.code or "",
        group=line.group,
        reason=line.reason,
        **who(line),
    )


def _settle_scores(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    marks = [
        settled_scores.SettledMark(
            each.unit, each.group, each.leaf, mark_of(campaign, each.leaf, each.mark), each.reason
        )
        for each in line.marks
    ]
    kind = ScoreKind.FINAL if line.final else ScoreKind.CONSOLIDATED
    settled_scores.settle_scores(session, campaign, kind, marks, **who(line))


def _convene(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    meetings.convene(
        session,
        campaign,
        holds_at=line.holds_at or line.at,
        members=line.members,
        place=line.place,
        papers_sent_at=line.at if line.papers else None,
        **who(line),
    )


def _hold_meeting(session: Session, campaign: Campaign, line: ScriptLine) -> None:
    votes = [
        meetings.Vote(each.in_favour, each.against, each.abstained, each.unit, each.group)
        for each in line.votes
    ]
    meetings.hold_meeting(
        session, campaign, present=line.present, opinions=line.opinions, votes=votes, **who(line)
    )


REVIEW_DEEDS: dict[Verb, Callable[[Session, Campaign, ScriptLine], None]] = {
    Verb.ASSESS_SELF: _assess_self,
    Verb.PUT_IN: _put_in,
    Verb.ASSESS: _assess,
    Verb.PROPOSE_COMPLETION: _propose_completion,
    Verb.EXPLAIN: _explain,
    Verb.RECUSE: _recuse,
    Verb.VETO: _veto,
    Verb.LIFT_VETO: _veto,
    Verb.SETTLE_SCORES: _settle_scores,
    Verb.CONVENE: _convene,
    Verb.HOLD_MEETING: _hold_meeting,
}
