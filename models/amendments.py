"""What a registered paper makes known to everybody: a change of the plan, the decision."""

from datetime import datetime

from sqlmodel import Session, select

from models import journal
from models.campaigns import file_of
from models.notices import queue_event
from models.papers import find_paper
from models.tables import (
    Amendment,
    Campaign,
    Paper,
)
from rules.notices import NoticeKind
from rules.stages import Ower, PaperRole, Stage


def apply_amendments(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Carry out the amendments of the file whose day has come and whose paper is registered.

    Everyone concerned is told; a commune whose launch letter is the same paper reads of it there
    (design.md §2). Returns how many were carried out.
    """
    file = file_of(campaign)
    if campaign.stage in (Stage.PLANNING, Stage.TEAM):
        return 0  # nobody has been asked for anything yet
    done = 0
    launch = find_paper(session, campaign, PaperRole.LAUNCH)
    for planned in file.amendments:
        if planned.on > file.calendar.day_of(now):
            continue
        paper = session.exec(
            select(Paper).where(Paper.campaign_id == campaign.id, Paper.number == planned.paper)
        ).first()
        if paper is None:
            continue
        known = session.exec(select(Amendment.id).where(Amendment.paper_id == paper.id)).first()
        if known is not None:
            continue
        session.add(
            Amendment(
                campaign_id=campaign.id,
                paper_id=paper.id,
                amended_at=now,
                mode=planned.mode,
                reason=planned.reason,
            )
        )
        changed = {"mode": [campaign.mode.value, planned.mode.value]} if planned.mode else {}
        if planned.mode is not None:
            campaign.mode = planned.mode
        session.add(campaign)
        session.flush()
        journal.write(
            session,
            campaign,
            "amended",
            at=now,
            by=None,
            detail={"paper": paper.number, "reason": planned.reason, **changed},
        )
        if campaign.records_past_steps and planned.on < file.calendar.day_of(campaign.opened_at):
            done += 1
            continue  # everybody concerned heard of it in its day
        in_launch = launch is not None and launch.id == paper.id
        queue_event(
            session,
            campaign,
            NoticeKind.AMENDED,
            f"paper/{paper.number}",
            to=(Ower.AGENCY,) if in_launch else (Ower.COMMUNE, Ower.AGENCY),
            at=now,
        )
        done += 1
    return done


def announce_result(session: Session, campaign: Campaign, *, at: datetime) -> int:
    """Queue the news of the decision for communes and agencies once its paper is registered.

    Returns how many notices were new.
    """
    paper = find_paper(session, campaign, PaperRole.DECISION)
    if paper is None:
        return 0
    return queue_event(
        session,
        campaign,
        NoticeKind.DECISION,
        f"paper/{paper.number}",
        to=(Ower.COMMUNE, Ower.AGENCY),
        at=at,
    )
