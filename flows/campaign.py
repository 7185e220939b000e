"""All campaigns, one tick at a time. Start reading here.

A tick is told the time once, does the work of each campaign's present stage, moves on if the
rules allow it, and queues what has fallen due. Every step may run twice without harm, so a crash
costs at most the minutes to the next tick.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from flows.agency_review import follow_reviews
from flows.consolidation import consolidate_results
from flows.decision import announce_decision
from flows.planning import announce_plan
from flows.reminders import BY_EMAIL_ALONE, Queued, Reach, queue_what_is_due
from flows.running import Run, plainly
from flows.self_assessment import collect_dossiers
from flows.team import announce_review_team
from models import journal
from models.campaigns import enter_stage, get_campaign_by_id, running_campaigns, stage_facts
from models.database import transaction
from models.due_steps import Gate
from models.leases import only_one
from rules.stages import Stage, next_stage

LOG = logging.getLogger("congnhan")

STAGE_WORK: dict[Stage, Callable[[int, datetime], int]] = {
    Stage.PLANNING: announce_plan,
    Stage.TEAM: announce_review_team,
    Stage.SELF_ASSESSMENT: collect_dossiers,
    Stage.AGENCY_REVIEW: follow_reviews,
    Stage.CONSOLIDATION: consolidate_results,
    Stage.DECISION: announce_decision,
}


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did: `is_alone` is False where another tick was at work and nothing was done."""

    is_alone: bool
    campaigns: tuple[Queued, ...] = ()
    failed: tuple[str, ...] = ()

    @property
    def letters(self) -> int:
        """How many letters were made."""
        return sum(each.letters for each in self.campaigns)

    @property
    def superseded(self) -> int:
        """How many messages were overtaken by newer ones, as after an outage, and are not sent."""
        return sum(each.superseded for each in self.campaigns)


def tick(
    now: datetime, *, gate: Gate | None = None, reach: Reach = BY_EMAIL_ALONE, run: Run = plainly
) -> TickReport:
    """Go through all running campaigns once; an error in one does not stop the others."""
    with only_one("tick", at=now) as is_alone:
        if not is_alone:
            return TickReport(is_alone=False)
        with transaction() as session:
            campaign_ids = running_campaigns(session)
        done, failed = [], []
        for campaign_id in campaign_ids:
            try:
                done.append(advance(campaign_id, now, gate or Gate(), reach, run))
            except Exception as error:  # whatever it is, the other campaigns have their deadlines too
                failed.append(_note_failure(campaign_id, now, error))
    return TickReport(is_alone=True, campaigns=tuple(done), failed=tuple(failed))


def advance(campaign_id: int, now: datetime, gate: Gate, reach: Reach, run: Run) -> Queued:
    """Bring one campaign to where the facts allow it to be, then queue what is due."""
    stage: Stage | None = _stage(campaign_id)
    while stage is not None and stage in STAGE_WORK:
        run(STAGE_WORK[stage], campaign_id, now)
        stage = run(move_on, campaign_id, now)
    queued: Queued = run(queue_what_is_due, campaign_id, now, gate, reach)
    if LOG.isEnabledFor(logging.INFO):
        with transaction() as session:
            code = get_campaign_by_id(session, campaign_id).code
        LOG.info("a campaign had its turn", extra={"campaign": code, "outcome": asdict(queued)})
    return queued


def move_on(campaign_id: int, now: datetime) -> Stage | None:
    """Enter the next stage if nothing blocks it; returns the stage entered, or None."""
    with transaction() as session:
        campaign = get_campaign_by_id(session, campaign_id)
        entered = next_stage(stage_facts(session, campaign, now=now))
        if entered is not None:
            enter_stage(session, campaign, entered, at=now)
        return entered


def _stage(campaign_id: int) -> Stage:
    with transaction() as session:
        return get_campaign_by_id(session, campaign_id).stage


def _note_failure(campaign_id: int, now: datetime, error: Exception) -> str:
    """Write the failure into the campaign's journal and return the campaign's code."""
    LOG.error("campaign %d failed in a tick", campaign_id, exc_info=error)
    with transaction() as session:
        campaign = get_campaign_by_id(session, campaign_id)
        # The words of an error may hold an address of a person; its kind never does.
        journal.write(
            session, campaign, "tick_failed", at=now, by=None, detail={"error": type(error).__name__}
        )
        return campaign.code
