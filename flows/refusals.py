"""What a deed is refused with, and the one line a person is told for it."""

from collections.abc import Iterable
from datetime import datetime

from config.messages import say
from config.score_words import bad_mark_words
from flows.example import DayOfRest, ExampleExists
from flows.rehearsal import RehearsalFailed, ScriptBeforeOpening, ScriptRefused
from flows.zalo_tokens import NotAPair, NotExchanged, NoZaloAccount
from models import (
    agencies,
    amendments,
    assessors,
    backup,
    campaigns,
    deadlines,
    directory,
    dossiers,
    explanations,
    extensions,
    file_store,
    groups,
    handing_in,
    leaders,
    marks,
    meetings,
    papers,
    permits,
    proof,
    rankings,
    referrals,
    replacements,
    results,
    reviews,
    sealing,
    settling,
    vetoes,
    work_items,
)
from models.database import DatabaseIsNewer, DatabaseUnreachable, HoldsSomething
from models.zalo_people import PersonHasLeft
from notifications.bounces import BounceMailboxFailed
from notifications.zalo.oauth import NotACallback, VerifierUnusable
from notifications.zalo.platform import NeedsConsent, NotRenewed
from rules.calendar import CITY, CalendarEnds, NoWorkingDay
from rules.scoring import BadMark
from rules.tokens import read_reason

KNOWN = (
    HoldsSomething,
    backup.BackupIsNewer,
    backup.FileMissing,
    backup.NotABackup,
    DatabaseIsNewer,
    DatabaseUnreachable,
    ExampleExists,
    DayOfRest,
    ScriptBeforeOpening,
    RehearsalFailed,
    ScriptRefused,
    NeedsConsent,
    NoZaloAccount,
    NotACallback,
    NotAPair,
    NotExchanged,
    NotRenewed,
    VerifierUnusable,
    sealing.KeyUnusable,
    sealing.WrongKey,
    CalendarEnds,
    NoWorkingDay,
    amendments.AmendedAlready,
    amendments.NothingAmended,
    amendments.OpenedAlready,
    campaigns.CampaignExists,
    campaigns.UnknownCampaign,
    campaigns.DeadlinesPassed,
    campaigns.DeadlineNotPassed,
    deadlines.TermAlreadyOver,
    replacements.DaysBackwards,
    replacements.DeputyOfHimself,
    directory.NobodyLeft,
    replacements.UnknownPerson,
    extensions.AskedAlready,
    extensions.NoTerm,
    extensions.NothingAsked,
    extensions.NotLater,
    handing_in.DeadlinePassed,
    handing_in.NoReasons,
    handing_in.NothingHandedIn,
    handing_in.ReviewsAreOver,
    handing_in.StillProposes,
    leaders.NothingWaits,
    BounceMailboxFailed,
    PersonHasLeft,
    settling.NoLongerTrue,
    settling.NobodyToSendTo,
    settling.NotEnded,
    settling.NotUncertain,
    settling.UnknownLetter,
    papers.ChangesItself,
    papers.PaperWithoutNumber,
    papers.PaperFromTheFuture,
    papers.PaperAlreadyRegistered,
    papers.UnknownPaper,
    permits.DeedRefused,
    permits.FromTheFuture,
    proof.NoDeadline,
    work_items.UnknownUnit,
    work_items.NothingOwed,
    BadMark,
    agencies.NotHandedIn,
    assessors.ConflictOfInterest,
    assessors.NobodyNamed,
    dossiers.DossierHandedIn,
    dossiers.NoSuchPart,
    dossiers.NotProposedWithoutReason,
    dossiers.UnknownClass,
    dossiers.VotesDoNotAddUp,
    explanations.NothingToExplain,
    file_store.FileLost,
    file_store.FileRefused,
    groups.UnknownGroup,
    groups.UnknownLeaf,
    marks.ReasonMissing,
    meetings.HeldAlready,
    meetings.MeetingFallsShort,
    meetings.MemberTwice,
    meetings.NoMeeting,
    meetings.TooManyVotes,
    meetings.UnknownMember,
    meetings.VotedTwice,
    rankings.NoRanking,
    referrals.NothingToTakeOver,
    results.ChangedWithoutReason,
    results.ExplanationsUnanswered,
    results.NothingFrozen,
    results.ResultsIncomplete,
    results.UnknownVersion,
    reviews.ReviewIncomplete,
    vetoes.NoVeto,
    vetoes.UnknownVeto,
)


def line_for(error: Exception) -> str:
    """Return one line that says what was refused, why, and what would be allowed."""
    code = f"refused.{type(error).__name__}"
    match error:
        case HoldsSomething(table=table):
            return say(code, table=table)
        case backup.NotABackup(part=part):
            return say(code, part=part)
        case backup.FileMissing(digest=digest):
            return say(code, digest=digest[:12])
        case DatabaseIsNewer(revision=revision) | backup.BackupIsNewer(revision=revision):
            return say(code, revision=revision)
        case DatabaseUnreachable(words=words):
            return say(code, words=words)
        case ScriptBeforeOpening(line=line, opens_at=opens_at):
            return say(code, line=line, opens_at=shown(opens_at))
        case ScriptRefused(line=line, why=why) if isinstance(why, KNOWN):
            return say(code, line=line, why=line_for(why))
        case ScriptRefused(why=why):
            raise why  # no refusal but a fault of ours
        case RehearsalFailed(at=at):
            return say(code, at=shown(at))
        case NotExchanged() | NeedsConsent() | NotRenewed():
            return say(code, why=setback(str(error)))
        case NotACallback(problem=problem):
            return say(f"not_a_callback.{problem}")
        case DayOfRest(next_day=next_day):
            return say(code, next_day=f"{next_day:%Y-%m-%d}")
        case (
            settling.NotUncertain(number=number, state=state) | settling.NotEnded(number=number, state=state)
        ):
            return say(code, number=number, state=say(f"letter_is.{state}"))
        case settling.UnknownLetter(number=number) | settling.NoLongerTrue(number=number):
            return say(code, number=number)
        case settling.NobodyToSendTo(number=number, name=name):
            return say(code, number=number, name=name)
        case PersonHasLeft(name=name):
            return say(code, name=name)
        case BounceMailboxFailed(words=words):
            return say(code, words=words)
        case CalendarEnds(year=year):
            return say(code, year=year)
        case campaigns.UnknownCampaign(code=asked, known=known):
            return say(code, code=asked, known=", ".join(known) or "–")
        case campaigns.DeadlinesPassed(stages=stages):
            passed = ", ".join(f"{say(f'stage.{stage}')} ({shown(at)})" for stage, at in stages)
            return say(code, stages=passed)
        case permits.DeedRefused(deed=deed, stage=stage, refusal=refused):
            allowed = ", ".join(say(f"stage.{each}") for each in refused.stages)
            return say(
                f"not_allowed.{refused.why}",
                deed=say(f"deed.{deed}"),
                stage=say(f"stage.{stage}"),
                allowed=allowed,
            )
        case campaigns.DeadlineNotPassed(late_from=late_from):
            return say(code, late_from=shown(late_from) if late_from else "–")
        case work_items.UnknownUnit(code=asked, known=known):
            return say(code, unit=asked, known=", ".join(known) or "–")
        case work_items.NothingOwed(item=item, state=state):
            return say(code, item=item, state=say(f"item_state.{state or 'none'}"))
        case handing_in.DeadlinePassed(late_from=late_from) | handing_in.ReviewsAreOver(late_from=late_from):
            return say(code, late_from=shown(late_from))
        case handing_in.NothingHandedIn(item=item, state=state):
            return say(code, item=item, state=say(f"item_state.{state}"))
        case deadlines.TermAlreadyOver(closes_at=closes_at):
            return say(code, closes_at=shown(closes_at))
        case extensions.NotLater(item=item, closes_at=closes_at):
            return say(code, item=item, closes_at=shown(closes_at))
        case extensions.NoTerm(item=item) | extensions.NothingAsked(item=item):
            return say(code, item=item)
        case extensions.AskedAlready(item=item):
            return say(code, item=item)
        case replacements.UnknownPerson(name=name, unit=unit, known=known):
            return say(code, name=name, unit=unit, known=", ".join(known) or "–")
        case directory.NobodyLeft(unit=unit):
            return say(code, unit=unit)
        case leaders.NothingWaits(waiting=waiting):
            return say(code, waiting=", ".join(waiting) or "–")
        case proof.NoDeadline(stage=stage, known=stages):
            return say(code, stage=say(f"stage.{stage}"), known=", ".join(stages) or "–")
        case papers.UnknownPaper(number=number, known=known):
            return say(code, number=number, known=", ".join(known) or "–")
    return say(code, **_facts(error))


def _facts(error: Exception) -> dict[str, object]:
    """Return what a refusal about dossiers, scores or results names."""
    match error:
        case BadMark():
            return {"what": bad_mark_words(error)}
        case groups.UnknownGroup(unit=unit, name=name, known=known):
            return {"unit": unit, "group": name, "known": _listed(known)}
        case groups.UnknownLeaf(leaf=leaf, known=known):
            return {"leaf": leaf, "known": _listed(known)}
        case marks.ReasonMissing(where=where):
            return {"where": "; ".join(f"{group}, {leaf}" for group, leaf in where)}
        case file_store.FileRefused(name=name, problem=problem):
            return {"name": name, "why": say(f"file_problem.{problem}")}
        case file_store.FileLost(digest=digest):
            return {"digest": digest[:12]}
        case dossiers.DossierHandedIn(unit=unit, received_at=received_at):
            return {"unit": unit, "received_at": shown(received_at)}
        case dossiers.NotProposedWithoutReason(group=group) | dossiers.VotesDoNotAddUp(group=group):
            return {"group": group}
        case handing_in.StillProposes(unit=unit, groups=names):
            return {"unit": unit, "groups": ", ".join(names)}
        case dossiers.UnknownClass(name=name, known=known):
            return {"name": name, "known": _listed(known)}
        case dossiers.NoSuchPart(part=part):
            return {"part": say(f"part.{part}")}
        case agencies.NotHandedIn(unit=unit):
            return {"unit": unit}
        case reviews.ReviewIncomplete(unscored=unscored, unanswered=unanswered):
            return {"unscored": unscored, "unanswered": unanswered}
        case explanations.NothingToExplain(group=group, leaf=leaf):
            return {"group": group, "leaf": leaf}
        case assessors.ConflictOfInterest(person=person, unit=unit, group=group, why=why):
            return {"person": person, "unit": unit, "group": group, "why": say(f"conflict.{why}")}
        case vetoes.UnknownVeto(code=veto, known=known):
            return {"code": veto, "known": _listed(known)}
        case vetoes.NoVeto(group=group, code=veto):
            return {"group": group, "code": veto}
        case meetings.UnknownMember(person=person, known=known):
            return {"person": person, "known": _listed(known)}
        case meetings.MemberTwice(person=person):
            return {"person": person}
        case meetings.TooManyVotes(subject=subject, votes=votes, members=members):
            return {"subject": _subject(subject), "votes": votes, "members": members}
        case meetings.VotedTwice(subject=subject):
            return {"subject": _subject(subject)}
        case meetings.MeetingFallsShort(gaps=found):
            return {"gaps": " ".join(say(f"meeting_gap.{gap}") for gap in found)}
        case referrals.NothingToTakeOver(other=other, set_id=set_id, known=known):
            return {"other": other, "set_id": set_id, "known": _listed(known)}
        case results.ResultsIncomplete(count=count, groups=names):
            return {"count": count, "groups": ", ".join(names)}
        case results.ExplanationsUnanswered(count=count):
            return {"count": count}
        case results.ChangedWithoutReason(version=version):
            return {"version": version}
        case results.UnknownVersion(version=version, known=known):
            return {"version": version, "known": _listed(known)}
    return {}


def _subject(subject: str) -> str:
    return say("meeting.whole_list") if subject == meetings.WHOLE_LIST else subject


def _listed(known: Iterable[object]) -> str:
    return ", ".join(str(each) for each in known) or "–"


def setback(reason: str) -> str:
    """Return why tokens were not renewed as a clerk reads it."""
    kind, words = read_reason(reason)
    return say(f"zalo_setback.{kind}", words=words)


def shown(instant: datetime) -> str:
    """Return an instant as a clerk reads it: `22/11/2021 08:30`."""
    return f"{instant.astimezone(CITY):%d/%m/%Y %H:%M}"
