"""Deadline versions: written once, with every step of their ladders and its instant."""

from datetime import datetime

from sqlmodel import Session

from models.inserting import inserting
from models.tables import Campaign, DeadlineStep, DeadlineVersion, StepRecipient
from rules.calendar import Deadline, WorkingCalendar, parse_wording
from rules.ladder import Ladders, fire_times
from rules.stages import Stage


def write_deadline(
    session: Session,
    campaign: Campaign,
    stage: Stage,
    meant: Deadline,
    *,
    version: int,
    ladders: Ladders,
    calendar: WorkingCalendar,
    at: datetime,
) -> DeadlineVersion:
    """Write a version of a deadline with its steps and their recipients; returns the row."""
    row = DeadlineVersion(
        campaign_id=campaign.id,
        stage=stage,
        version=version,
        wording=str(meant.wording),
        closes_at=meant.closes_at,
        late_from=meant.late_from,
        written_at=at,
    )
    session.add(row)
    session.flush()
    recipients = []
    for step, fires_at in fire_times(ladders, meant, calendar):
        kept = DeadlineStep(
            deadline_id=row.id,
            ladder=step.ladder,
            step=step.name,
            fires_at=fires_at,
            wants_draft=step.draft is not None,
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


def meaning(row: DeadlineVersion, calendar: WorkingCalendar) -> Deadline:
    """Return the deadline a row keeps, its instants in the city's zone."""
    return Deadline(
        parse_wording(row.wording),
        row.closes_at.astimezone(calendar.zone),
        row.late_from.astimezone(calendar.zone),
    )
