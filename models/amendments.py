"""A change of the plan in flight (điều chỉnh kế hoạch), and the decision announced."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlmodel import Session, col, select

from models import journal
from models.campaigns import due_of, file_of, opens_on
from models.deadlines import put_under, still_open, version_of_stage, write_deadline
from models.notices import queue_event
from models.papers import about_paper, find_paper, registered
from models.permits import permit
from models.tables import Amendment, Campaign, DeadlineVersion, Paper, StageEntry, WorkItem
from rules.calendar import Wording, counted_from, deadline
from rules.deeds import Deed
from rules.letters import Paper as PaperFacts
from rules.notices import NoticeKind
from rules.stages import Mode, Ower, PaperRole, Stage
from rules.work_items import ItemState, VersionCause

# Whoever owes something in the campaign.
CONCERNED = (Ower.COMMUNE, Ower.AGENCY)


class NothingAmended(Exception):
    """The amendment changes neither mode nor any date."""


class AmendedAlready(Exception):
    """The paper has amended the plan already; another change needs another paper."""


class OpenedAlready(Exception):
    """The opening day cannot be moved once the self-assessment has opened, or to a day that has passed."""


def amend(
    session: Session,
    campaign: Campaign,
    paper: PaperFacts,
    *,
    reason: str,
    mode: Mode | None = None,
    dues: Mapping[Stage, Wording] | None = None,
    opening_day: date | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> Amendment:
    """Amend the plan by a paper, which is registered if it was not: mode, terms, the opening day.

    Only an instant that changes makes a new version of a deadline, and only for what is open: an
    item with an extension that ends later keeps it. A term of a stage to come is kept until that
    stage is entered. Everyone concerned is told (design.md §2).

    Raises NothingAmended, AmendedAlready, OpenedAlready, TermAlreadyOver, DeedRefused, and what
    `models.papers.register_paper` raises.
    """
    permit(campaign, Deed.AMEND, at=at, recorded_at=recorded_at)
    file = file_of(campaign)
    row = registered(
        session,
        campaign,
        paper,
        PaperRole.AMENDMENT,
        today=file.calendar.day_of(at),
        at=at,
        by=by,
        recorded_at=recorded_at,
    )
    if _is_amended_by(session, row):
        raise AmendedAlready
    changed: dict[str, object] = {}
    if mode is not None and mode is not campaign.mode:
        changed["mode"] = [campaign.mode.value, mode.value]
    if opening_day is not None and opening_day != (before := opens_on(session, campaign)):
        if campaign.stage not in (Stage.PLANNING, Stage.TEAM) or opening_day < file.calendar.day_of(at):
            raise OpenedAlready
        changed["opens_on"] = [before.isoformat(), opening_day.isoformat()]
    kept = {}
    for stage, wording in (dues or {}).items():
        old = due_of(session, campaign, stage)
        if str(old) != str(wording):
            kept[stage] = wording
            changed[stage.value] = [str(old) if old else None, str(wording)]
    if not changed:
        raise NothingAmended
    amendment = _note(
        session,
        campaign,
        row,
        mode if "mode" in changed else None,
        reason,
        changed,
        at=at,
        recorded_at=recorded_at,
        by=by,
        opening_day=opening_day if "opens_on" in changed else None,
        dues=kept,
    )
    for stage, wording in kept.items():
        _move_stage(session, campaign, stage, wording, row, at=recorded_at)
    _announce(session, campaign, row, CONCERNED, at=recorded_at)
    return amendment


def _move_stage(
    session: Session, campaign: Campaign, stage: Stage, wording: Wording, paper: Paper, *, at: datetime
) -> None:
    """Put what is open in a stage under its amended term, if that moves any instant."""
    current = version_of_stage(session, campaign, stage)
    entered_at = session.exec(
        select(StageEntry.entered_at).where(StageEntry.campaign_id == campaign.id, StageEntry.stage == stage)
    ).one_or_none()
    if entered_at is None:
        return  # it is kept for when the stage is entered
    file = file_of(campaign)
    meant = deadline(counted_from(wording, file.calendar.day_of(entered_at)), file.calendar)
    if current is not None and (current.closes_at, current.late_from) == (meant.closes_at, meant.late_from):
        return
    version = write_deadline(
        session,
        campaign,
        stage,
        still_open(meant, at),
        cause=VersionCause.AMENDED,
        ladders=file.ladders,
        calendar=file.calendar,
        at=at,
        replaces_id=current.id if current else None,
        paper_id=paper.id,
    )
    its_own = select(DeadlineVersion.id).where(
        DeadlineVersion.campaign_id == campaign.id,
        col(DeadlineVersion.cause).not_in([VersionCause.ENTERED, VersionCause.AMENDED]),
        DeadlineVersion.late_from > meant.late_from,
    )
    concerned = select(WorkItem.id).where(
        WorkItem.campaign_id == campaign.id,
        WorkItem.stage == stage,
        WorkItem.state == ItemState.OPEN,
        col(WorkItem.deadline_id).is_(None) | col(WorkItem.deadline_id).not_in(its_own),
    )
    put_under(session, campaign, concerned, version, at=at)


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
        paper = session.exec(
            select(Paper).where(Paper.campaign_id == campaign.id, Paper.number == planned.paper)
        ).first()
        if paper is None or planned.on > file.calendar.day_of(now) or _is_amended_by(session, paper):
            continue
        changed: dict[str, object] = {}
        if planned.mode is not None:
            changed["mode"] = [campaign.mode.value, planned.mode.value]
        _note(session, campaign, paper, planned.mode, planned.reason, changed, at=now, recorded_at=now)
        done += 1
        if campaign.records_past_steps and planned.on < file.calendar.day_of(campaign.opened_at):
            continue  # everybody concerned heard of it in its day
        in_launch = launch is not None and launch.id == paper.id
        _announce(session, campaign, paper, (Ower.AGENCY,) if in_launch else CONCERNED, at=now)
    return done


def _is_amended_by(session: Session, paper: Paper) -> bool:
    return session.exec(select(Amendment.id).where(Amendment.paper_id == paper.id)).first() is not None


def _note(
    session: Session,
    campaign: Campaign,
    paper: Paper,
    mode: Mode | None,
    reason: str,
    changed: Mapping[str, object],
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None = None,
    opening_day: date | None = None,
    dues: Mapping[Stage, Wording] | None = None,
) -> Amendment:
    """Record an amendment, with what it changed in the journal; the mode changes at once."""
    amendment = Amendment(
        campaign_id=campaign.id,
        paper_id=paper.id,
        amended_at=at,
        mode=mode,
        reason=reason,
        opens_on=opening_day,
        dues={stage.value: str(wording) for stage, wording in (dues or {}).items()},
    )
    session.add(amendment)
    if mode is not None:
        campaign.mode = mode
    session.add(campaign)
    session.flush()
    detail = {"paper": paper.number, "reason": reason, **changed}
    journal.write(session, campaign, "amended", at=at, recorded_at=recorded_at, by=by, detail=detail)
    return amendment


def _announce(
    session: Session, campaign: Campaign, paper: Paper, to: tuple[Ower, ...], *, at: datetime
) -> None:
    queue_event(session, campaign, NoticeKind.AMENDED, about_paper(paper), to=to, at=at)


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
        about_paper(paper),
        to=CONCERNED,
        at=at,
    )
