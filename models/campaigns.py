"""Campaigns: opened from a file, moved from stage to stage by counted facts."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import exists, or_
from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile, campaign_from_texts
from models import journal
from models.deadlines import write_deadline
from models.inserting import inserting
from models.papers import register_paper, registered_roles
from models.people import record_units
from models.standings import count_open
from models.tables import (
    Campaign,
    CampaignUnit,
    DeadlineVersion,
    Letter,
    Notice,
    StageEntry,
    WorkItem,
)
from models.work_items import cancel_open, complete, create_items
from rules.calendar import counted_from, deadline
from rules.letters import Paper as PaperFacts
from rules.notices import LetterState, NoticeState
from rules.stages import DONE_BY_FREEZING, MAY_GO_ON, Ower, PaperRole, Stage, StageFacts


class CampaignExists(Exception):
    """A campaign with this code was opened before."""


class UnknownCampaign(Exception):
    """No campaign with this code was opened; `known` lists those that were."""

    def __init__(self, code: str, known: tuple[str, ...]) -> None:
        super().__init__(code)
        self.code, self.known = code, known


class DeadlinesPassed(Exception):
    """The file's deadlines have passed; `stages` names those, with their first late instant."""

    def __init__(self, stages: tuple[tuple[Stage, datetime], ...]) -> None:
        super().__init__(", ".join(stage for stage, _ in stages))
        self.stages = stages


class StageNotReady(Exception):
    """What was asked belongs to another stage than the campaign's; `stage` is the present one."""

    def __init__(self, stage: Stage, wanted: Stage) -> None:
        super().__init__(f"{stage}, not {wanted}")
        self.stage, self.wanted = stage, wanted


class DeadlineNotPassed(Exception):
    """The standing office cannot go on before the deadline; `late_from` is when it can."""

    def __init__(self, late_from: datetime | None) -> None:
        super().__init__(str(late_from))
        self.late_from = late_from


def open_campaign(
    session: Session, file: CampaignFile, *, at: datetime, by: str | None, past: bool = False
) -> Campaign:
    """Open a campaign from its file and keep a copy of the file; its first stage is entered.

    Papers that the file cites with number and day are registered where that day has come. With
    `past` deadlines that have passed are accepted, and their old steps recorded as superseded.

    Raises CampaignExists, and DeadlinesPassed unless `past`.
    """
    if session.exec(select(Campaign.id).where(Campaign.code == file.code)).first() is not None:
        raise CampaignExists(file.code)
    passed = passed_deadlines(file, at)
    if passed and not past:
        raise DeadlinesPassed(passed)
    ids = record_units(session, file.units)
    campaign = Campaign(
        code=file.code,
        title=file.title,
        stage=Stage.PLANNING,
        mode=file.mode,
        late_policy=file.self_assessment.late,
        files=dict(file.source_texts),
        opened_at=at,
        records_past_steps=past,
    )
    session.add(campaign)
    session.flush()
    parts = [
        (Ower.ORGANISER, (file.organiser,)),
        (Ower.STANDING_OFFICE, (file.standing_office,)),
        (Ower.COMMUNE, tuple(unit.code for unit in file.communes)),
        (Ower.AGENCY, tuple(unit.code for unit in file.agencies)),
    ]
    session.execute(
        inserting(session, CampaignUnit),
        [
            {
                "campaign_id": campaign.id,
                "unit_id": ids[code],
                "part": part,
                "branches": list(file.branches_of(code)) if part is Ower.AGENCY else [],
            }
            for part, codes in parts
            for code in codes
        ],
    )
    journal.write(session, campaign, "opened", at=at, by=by, detail={"title": file.title})
    today = file.calendar.day_of(at)
    for cited in file.legal_basis:
        if cited.paper.issued_on <= today:
            register_paper(session, campaign, cited.paper, cited.roles, today=today, at=at, by=by)
    enter_stage(session, campaign, Stage.PLANNING, at=at)
    return campaign


def passed_deadlines(file: CampaignFile, now: datetime) -> tuple[tuple[Stage, datetime], ...]:
    """Return the stages whose deadline, known from the file alone, has passed at `now`."""
    passed = []
    for stage, wording in file.due.items():
        if getattr(wording, "start", True) is None:
            continue  # counted from a day that is not known yet
        late_from = deadline(wording, file.calendar).late_from
        if late_from <= now:
            passed.append((stage, late_from))
    return tuple(passed)


@lru_cache(maxsize=32)
def _parsed(texts: tuple[tuple[str, str], ...]) -> CampaignFile:
    return campaign_from_texts(dict(texts))


def file_of(campaign: Campaign) -> CampaignFile:
    """Return the file the campaign was opened with, whatever has become of the file since."""
    return _parsed(tuple(sorted(campaign.files.items())))


def get_campaign(session: Session, code: str) -> Campaign:
    """Return a campaign by its code; raises UnknownCampaign."""
    found = session.exec(select(Campaign).where(Campaign.code == code)).one_or_none()
    if found is None:
        raise UnknownCampaign(code, tuple(session.exec(select(Campaign.code).order_by(Campaign.code))))
    return found


def campaigns(session: Session) -> list[Campaign]:
    """Return every campaign, the running ones first."""
    return list(session.exec(select(Campaign).order_by(col(Campaign.closed_at).is_not(None), Campaign.code)))


def running_campaigns(session: Session) -> list[int]:
    """Return the ids of the campaigns for which a tick has work: not suspended or cancelled, and
    not closed unless something is still to be put into letters."""
    is_unposted = exists().where(
        col(Notice.campaign_id) == Campaign.id,
        col(Notice.state) == NoticeState.QUEUED,
        col(Notice.letter_id).is_(None),
    )
    return list(
        session.exec(
            select(Campaign.id)
            .where(or_(col(Campaign.stage) != Stage.CLOSED, is_unposted), col(Campaign.side_state).is_(None))
            .order_by(Campaign.code)
        )
    )


def campaigns_that_send(session: Session, now: datetime) -> list[int]:
    """Return the ids of the campaigns with letters to send whose sending window is open now.

    A closed one still sends what it has. One whose kept file cannot be read sends nothing, and does
    not stop the others.
    """
    has_letters = exists().where(
        col(Letter.campaign_id) == Campaign.id, col(Letter.state) == LetterState.QUEUED
    )
    rows = session.exec(select(Campaign).where(col(Campaign.side_state).is_(None), has_letters))
    return [row.id for row in rows if _is_sending_time(row, now)]


def _is_sending_time(campaign: Campaign, now: datetime) -> bool:
    try:
        return file_of(campaign).calendar.is_sending_time(now)
    except Exception:  # the tick has said so in the journal
        return False


def stage_facts(session: Session, campaign: Campaign, *, now: datetime) -> StageFacts:
    """Count what `rules.stages` needs to decide whether the campaign moves on."""
    file = file_of(campaign)
    late_from = stage_late_from(session, campaign, campaign.stage)
    return StageFacts(
        stage=campaign.stage,
        papers=registered_roles(session, campaign),
        is_opening_day_reached=file.calendar.day_of(now) >= file.self_assessment.opens_on,
        open_items=count_open(session, campaign, campaign.stage),
        is_past_late_from=late_from is not None and now >= late_from,
        wait_for_all=file.self_assessment.wait_for_all,
        has_gone_on=campaign.gone_on_from == campaign.stage,
        is_list_frozen=campaign.list_frozen_at is not None,
    )


def stage_late_from(session: Session, campaign: Campaign, stage: Stage) -> datetime | None:
    """Return the first late instant of a stage's first deadline, which decides when it may be left."""
    return session.exec(
        select(DeadlineVersion.late_from)
        .where(DeadlineVersion.campaign_id == campaign.id, DeadlineVersion.stage == stage)
        .order_by(col(DeadlineVersion.version))
        .limit(1)
    ).one_or_none()


def enter_stage(session: Session, campaign: Campaign, stage: Stage, *, at: datetime) -> None:
    """Enter a stage: write its deadline with all its steps and create its items.

    Entering `closed` cancels what is still open; nothing is said about it any more.
    """
    file = file_of(campaign)
    campaign.stage = stage
    if stage is Stage.CLOSED:
        campaign.closed_at = at
    session.add(campaign)
    session.add(StageEntry(campaign_id=campaign.id, stage=stage, entered_at=at))
    session.flush()
    deadline_id = None
    if (wording := file.due.get(stage)) is not None:
        meant = deadline(counted_from(wording, file.calendar.day_of(at)), file.calendar)
        deadline_id = write_deadline(
            session,
            campaign,
            stage,
            meant,
            version=1,
            ladders=file.ladders,
            calendar=file.calendar,
            at=at,
        ).id
    created = create_items(session, campaign, stage, deadline_id, at=at)
    cancelled = cancel_open(session, campaign, at=at) if stage is Stage.CLOSED else 0
    detail = {"items": created} if created else {"cancelled": cancelled} if cancelled else {}
    journal.write(session, campaign, "stage_entered", at=at, by=None, detail=detail)


def freeze_list(session: Session, campaign: Campaign, *, at: datetime, by: str | None) -> None:
    """Freeze the consolidated list (chốt danh sách); raises StageNotReady outside consolidation."""
    if campaign.stage is not Stage.CONSOLIDATION:
        raise StageNotReady(campaign.stage, Stage.CONSOLIDATION)
    if campaign.list_frozen_at is not None:
        return
    campaign.list_frozen_at = at
    session.add(campaign)
    session.flush()
    journal.write(session, campaign, "list_frozen", at=at, by=by)
    settled = select(WorkItem.id).where(
        WorkItem.campaign_id == campaign.id, col(WorkItem.kind).in_(DONE_BY_FREEZING)
    )
    complete(session, campaign, settled, at=at)


def go_on(session: Session, campaign: Campaign, *, at: datetime, by: str | None, reason: str) -> None:
    """Go on to the next stage without the dossiers or reviews that are missing, giving the reason.

    Raises StageNotReady in a stage that waits for nobody else, DeadlineNotPassed before the
    `late_from` of the stage.
    """
    if campaign.stage not in MAY_GO_ON:
        raise StageNotReady(campaign.stage, Stage.AGENCY_REVIEW)
    late_from = stage_late_from(session, campaign, campaign.stage)
    if late_from is None or at < late_from:
        raise DeadlineNotPassed(late_from)
    campaign.gone_on_from = campaign.stage
    session.add(campaign)
    session.flush()
    journal.write(session, campaign, "gone_on", at=at, by=by, detail={"reason": reason})


@dataclass(frozen=True, slots=True)
class Entered:
    """A stage and when it was entered."""

    stage: Stage
    entered_at: datetime


def stages_entered(session: Session, campaign: Campaign) -> list[Entered]:
    """Return the stages the campaign has been in, in their order."""
    rows = session.exec(select(StageEntry).where(StageEntry.campaign_id == campaign.id))
    order = list(Stage)
    return sorted(
        (Entered(row.stage, row.entered_at) for row in rows), key=lambda entry: order.index(entry.stage)
    )


def cited_papers(campaign: Campaign) -> tuple[tuple[PaperFacts, tuple[PaperRole, ...]], ...]:
    """Return the papers the campaign's file cites, with the roles they play."""
    return tuple((cited.paper, cited.roles) for cited in file_of(campaign).legal_basis)


def get_campaign_by_id(session: Session, campaign_id: int) -> Campaign:
    """Return the campaign with this id, which a tick was given."""
    return session.get_one(Campaign, campaign_id)
