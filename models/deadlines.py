"""Deadline versions: written once, with every step of their ladders and its instant."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func
from sqlmodel import Session, col, select, update

from models.inserting import inserting
from models.notices import OF_ONE_VERSION, settle_unsaid
from models.tables import Campaign, DeadlineStep, DeadlineVersion, Notice, StepRecipient, WorkItem
from models.work_items import note_terms
from rules.calendar import Deadline, WorkingCalendar, parse_wording
from rules.ladder import Ladders, fire_times
from rules.notices import NoticeState
from rules.stages import Stage
from rules.work_items import OF_THE_STAGE, ItemState, VersionCause


class TermAlreadyOver(Exception):
    """A term that has passed cannot be set; `closes_at` is when it would have closed."""

    def __init__(self, closes_at: datetime) -> None:
        super().__init__(str(closes_at))
        self.closes_at = closes_at


def write_deadline(
    session: Session,
    campaign: Campaign,
    stage: Stage,
    meant: Deadline,
    *,
    cause: VersionCause,
    ladders: Ladders,
    calendar: WorkingCalendar,
    at: datetime,
    replaces_id: int | None = None,
    paper_id: int | None = None,
) -> DeadlineVersion:
    """Write the next version of a stage's deadline with its steps and their recipients; returns the row.

    Steps whose moment has come when the version is written do not fire: whoever is concerned is
    told of the new term itself. A campaign opened after its deadlines records them instead.
    """
    latest = session.exec(
        select(func.max(DeadlineVersion.version)).where(
            DeadlineVersion.campaign_id == campaign.id, DeadlineVersion.stage == stage
        )
    ).one()
    row = DeadlineVersion(
        campaign_id=campaign.id,
        stage=stage,
        version=(latest or 0) + 1,
        wording=str(meant.wording),
        closes_at=meant.closes_at,
        late_from=meant.late_from,
        written_at=at,
        cause=cause,
        replaces_id=replaces_id,
        paper_id=paper_id,
    )
    session.add(row)
    session.flush()
    keeps_past = campaign.records_past_steps and cause is VersionCause.ENTERED
    recipients = []
    for step, fires_at in fire_times(ladders, meant, calendar):
        kept = DeadlineStep(
            deadline_id=row.id,
            ladder=step.ladder,
            step=step.name,
            fires_at=fires_at,
            wants_draft=step.draft is not None,
            repeats=step.repeats,
            fired_at=at if fires_at <= at and not keeps_past else None,
        )
        session.add(kept)
        session.flush()
        for copy_no, recipient in enumerate((step.to, *step.copy)):
            # A copy waits for, and goes with, what it is a copy of.
            gate, if_silent = step.gate(step.to)
            recipients.append(
                {
                    "step_id": kept.id,
                    "copy_no": copy_no,
                    "role": str(recipient),
                    "release": gate,
                    "if_silent": if_silent,
                }
            )
    if recipients:
        session.execute(inserting(session, StepRecipient), recipients)
    return row


def still_open(meant: Deadline, now: datetime) -> Deadline:
    """Return a term that is still open; raises TermAlreadyOver where nobody could keep it any more."""
    if meant.closes_at <= now:
        raise TermAlreadyOver(meant.closes_at)
    return meant


def put_under(
    session: Session, campaign: Campaign, items: Select[Any], version: DeadlineVersion, *, at: datetime
) -> list[int]:
    """Put the open ones among these items under a version and return their ids.

    What was queued under their old version and has not been said is suppressed; an acknowledgement
    of the old term does not hold for the new one.
    """
    settle_unsaid(
        session,
        NoticeState.SUPPRESSED,
        and_(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.kind).in_(OF_ONE_VERSION),
            col(Notice.item_id).in_(items),
        ),
        at=at,
    )
    moved = session.execute(
        update(WorkItem)
        .where(col(WorkItem.id).in_(items), col(WorkItem.state) == ItemState.OPEN)
        .values(deadline_id=version.id, acknowledged_at=None)
        .returning(col(WorkItem.id))
        .execution_options(synchronize_session="fetch")
    )
    note_terms(session, items, at=at)
    return sorted(row[0] for row in moved)


def version_of_stage(session: Session, campaign: Campaign, stage: Stage) -> DeadlineVersion | None:
    """Return the version that holds for a whole stage now: the newest of its entry and its amendments."""
    return session.exec(
        select(DeadlineVersion)
        .where(
            DeadlineVersion.campaign_id == campaign.id,
            DeadlineVersion.stage == stage,
            col(DeadlineVersion.cause).in_(OF_THE_STAGE),
        )
        .order_by(col(DeadlineVersion.version).desc())
        .limit(1)
    ).one_or_none()


def stage_late_from(session: Session, campaign: Campaign, stage: Stage) -> datetime | None:
    """Return the first late instant of a stage, which decides when it may be left; None without one."""
    version = version_of_stage(session, campaign, stage)
    return version.late_from if version else None


def meaning(row: DeadlineVersion, calendar: WorkingCalendar) -> Deadline:
    """Return the deadline a row keeps, its instants in the city's zone."""
    return Deadline(
        parse_wording(row.wording),
        row.closes_at.astimezone(calendar.zone),
        row.late_from.astimezone(calendar.zone),
    )
