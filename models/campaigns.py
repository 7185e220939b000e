"""Campaigns: opened from a file, moved from stage to stage by counted facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy import exists, or_
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from config.campaign_file import CampaignFile, campaign_from_texts
from models import journal
from models.deadlines import stage_late_from, write_deadline
from models.directory import record_units
from models.groups import freeze_groups, freeze_leaves
from models.inserting import inserting
from models.notices import makes_a_letter
from models.papers import register_paper, registered_roles
from models.permits import permit
from models.standings import count_open
from models.tables import (
    Amendment,
    Campaign,
    CampaignUnit,
    Letter,
    Notice,
    StageEntry,
    WorkItem,
)
from models.work_items import cancel_open, create_items
from rules.calendar import Wording, counted_from, deadline, parse_wording
from rules.deeds import Deed
from rules.letters import Paper as PaperFacts
from rules.notices import LetterState
from rules.stages import Ower, PaperRole, Stage, StageFacts
from rules.work_items import ItemState, VersionCause


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
    today = file.calendar.day_of(at)
    ids, _ = record_units(session, file.organiser, file.units, at=at, today=today)
    campaign = Campaign(
        code=file.code,
        title=file.title,
        stage=Stage.PLANNING,
        mode=file.mode,
        late_policy=file.self_assessment.late,
        files=dict(file.source_texts),
        files_hash=_hash(file.source_texts),
        opened_at=at,
        records_past_steps=past,
    )
    session.add(campaign)
    session.flush()
    journal.begin(session, campaign)
    parts = [
        (Ower.ORGANISER, (file.organiser,)),
        (Ower.STANDING_OFFICE, (file.standing_office,)),
        (Ower.COMMUNE, tuple(unit.code for unit in file.owing)),
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
    freeze_groups(session, campaign, file)
    freeze_leaves(session, campaign, file, ids)
    journal.write(session, campaign, "opened", at=at, by=by, detail={"title": file.title})
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


# The kept file is read from the database only where it has not been parsed yet.
WITHOUT_FILES = (defer(Campaign.files),)  # type: ignore[arg-type]

# Reading a country's file takes seconds; a kept file never changes under its hash.
MOST_READ = 32
_READ: dict[str, CampaignFile] = {}


def file_of(campaign: Campaign) -> CampaignFile:
    """Return the file the campaign was opened with, whatever has become of the file since."""
    found = _READ.get(campaign.files_hash)
    if found is None:
        found = campaign_from_texts(dict(campaign.files))
        if len(_READ) >= MOST_READ:
            _READ.pop(next(iter(_READ)))
        _READ[campaign.files_hash] = found
    return found


def _hash(texts: Mapping[str, str]) -> str:
    return sha256(json.dumps(dict(texts), sort_keys=True).encode()).hexdigest()


def get_campaign(session: Session, code: str) -> Campaign:
    """Return a campaign by its code; raises UnknownCampaign."""
    found = session.exec(select(Campaign).options(*WITHOUT_FILES).where(Campaign.code == code)).one_or_none()
    if found is None:
        raise UnknownCampaign(code, tuple(session.exec(select(Campaign.code).order_by(Campaign.code))))
    return found


def campaigns(session: Session) -> list[Campaign]:
    """Return every campaign, the running ones first."""
    rows = select(Campaign).options(*WITHOUT_FILES)
    return list(session.exec(rows.order_by(col(Campaign.closed_at).is_not(None), Campaign.code)))


def running_campaigns(session: Session) -> list[int]:
    """Return the ids of the campaigns for which a tick has work: not suspended or cancelled, and
    not closed unless something is still to be put into letters or a complaint is open."""
    is_unposted = exists().where(col(Notice.campaign_id) == Campaign.id, makes_a_letter())
    is_owed = exists().where(col(WorkItem.campaign_id) == Campaign.id, col(WorkItem.state) == ItemState.OPEN)
    return list(
        session.exec(
            select(Campaign.id)
            .where(
                or_(col(Campaign.stage) != Stage.CLOSED, is_unposted, is_owed),
                col(Campaign.side_state).is_(None),
            )
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
    rows = session.exec(
        select(Campaign).options(*WITHOUT_FILES).where(col(Campaign.side_state).is_(None), has_letters)
    )
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
        is_opening_day_reached=file.calendar.day_of(now) >= opens_on(session, campaign),
        open_items=count_open(session, campaign, campaign.stage),
        is_past_late_from=late_from is not None and now >= late_from,
        wait_for_all=file.self_assessment.wait_for_all,
        has_gone_on=campaign.gone_on_from == campaign.stage,
        is_list_frozen=campaign.list_frozen_at is not None,
    )


def opens_on(session: Session, campaign: Campaign) -> date:
    """Return the day on which the self-assessment opens: the file's, unless an amendment moved it."""
    amended = session.exec(
        select(Amendment)
        .where(Amendment.campaign_id == campaign.id, col(Amendment.opens_on).is_not(None))
        .order_by(col(Amendment.id).desc())
        .limit(1)
    ).first()
    return (amended and amended.opens_on) or file_of(campaign).self_assessment.opens_on


def due_of(session: Session, campaign: Campaign, stage: Stage) -> Wording | None:
    """Return the wording of a stage's term: the file's, unless an amendment changed it."""
    for dues in session.exec(
        select(Amendment.dues).where(Amendment.campaign_id == campaign.id).order_by(col(Amendment.id).desc())
    ):
        if stage in dues:
            return parse_wording(dues[stage])
    return file_of(campaign).due.get(stage)


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
    if (wording := due_of(session, campaign, stage)) is not None:
        meant = deadline(counted_from(wording, file.calendar.day_of(at)), file.calendar)
        deadline_id = write_deadline(
            session,
            campaign,
            stage,
            meant,
            cause=VersionCause.ENTERED,
            ladders=file.ladders,
            calendar=file.calendar,
            at=at,
        ).id
    created = create_items(session, campaign, stage, deadline_id, at=at)
    cancelled = cancel_open(session, campaign, at=at) if stage is Stage.CLOSED else 0
    detail = {"items": created} if created else {"cancelled": cancelled} if cancelled else {}
    journal.write(session, campaign, "stage_entered", at=at, by=None, detail=detail)


def go_on(
    session: Session,
    campaign: Campaign,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    reason: str,
) -> None:
    """Go on to the next stage without the dossiers or reviews that are missing, giving the reason.

    Raises DeedRefused in a stage that waits for nobody else, DeadlineNotPassed before the
    `late_from` of the stage.
    """
    permit(campaign, Deed.GO_ON, at=at, recorded_at=recorded_at)
    late_from = stage_late_from(session, campaign, campaign.stage)
    if late_from is None or at < late_from:
        raise DeadlineNotPassed(late_from)
    campaign.gone_on_from = campaign.stage
    session.add(campaign)
    session.flush()
    journal.write(
        session, campaign, "gone_on", at=at, recorded_at=recorded_at, by=by, detail={"reason": reason}
    )


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
    return session.get_one(Campaign, campaign_id, options=WITHOUT_FILES)
