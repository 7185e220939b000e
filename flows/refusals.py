"""What a deed is refused with, and the one line a person is told for it."""

from datetime import datetime

from config.messages import say
from flows.rehearsal import RehearsalFailed, ScriptBeforeOpening, ScriptRefused
from models import campaigns, papers, work_items
from models.database import DatabaseIsNewer, DatabaseUnreachable
from rules.calendar import CITY, CalendarEnds

KNOWN = (
    DatabaseIsNewer,
    DatabaseUnreachable,
    ScriptBeforeOpening,
    RehearsalFailed,
    ScriptRefused,
    CalendarEnds,
    campaigns.CampaignExists,
    campaigns.UnknownCampaign,
    campaigns.DeadlinesPassed,
    campaigns.StageNotReady,
    campaigns.DeadlineNotPassed,
    papers.PaperWithoutNumber,
    papers.PaperFromTheFuture,
    papers.PaperAlreadyRegistered,
    work_items.UnknownUnit,
    work_items.NothingOwed,
    work_items.DeadlinePassed,
    work_items.FromTheFuture,
)


def line_for(error: Exception) -> str:
    """Return one line that says what was refused, why, and what would be allowed."""
    code = f"refused.{type(error).__name__}"
    match error:
        case DatabaseIsNewer(revision=revision):
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
        case CalendarEnds(year=year):
            return say(code, year=year)
        case campaigns.UnknownCampaign(code=asked, known=known):
            return say(code, code=asked, known=", ".join(known) or "–")
        case campaigns.DeadlinesPassed(stages=stages):
            passed = ", ".join(f"{say(f'stage.{stage}')} ({shown(at)})" for stage, at in stages)
            return say(code, stages=passed)
        case campaigns.StageNotReady(stage=stage, wanted=wanted):
            return say(code, stage=say(f"stage.{stage}"), wanted=say(f"stage.{wanted}"))
        case campaigns.DeadlineNotPassed(late_from=late_from):
            return say(code, late_from=shown(late_from) if late_from else "–")
        case work_items.UnknownUnit(code=asked, known=known):
            return say(code, unit=asked, known=", ".join(known) or "–")
        case work_items.NothingOwed(item=item, state=state):
            return say(code, item=item, state=say(f"item_state.{state or 'none'}"))
        case work_items.DeadlinePassed(late_from=late_from):
            return say(code, late_from=shown(late_from))
    return say(code)


def shown(instant: datetime) -> str:
    """Return an instant as a clerk reads it: `22/11/2021 08:30`."""
    return f"{instant.astimezone(CITY):%d/%m/%Y %H:%M}"
