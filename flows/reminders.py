"""Reminders and escalations: whatever of any stage has fallen due is queued and put into letters."""

from dataclasses import dataclass
from datetime import datetime

from models import due_steps, leaders, notices
from models.amendments import apply_amendments
from models.campaigns import file_of, get_campaign_by_id
from models.database import transaction
from models.due_steps import Gate
from models.letters import Channels, make_letters
from models.people import people_of
from rules.ladder import Role
from rules.notices import Channel

# What this installation can send over; a campaign's other channels are passed over.
USABLE = (Channel.EMAIL,)


@dataclass(frozen=True, slots=True)
class Queued:
    """What one campaign's turn of a tick has queued."""

    reminders: int = 0
    escalations: int = 0
    superseded: int = 0
    released: int = 0
    amendments: int = 0
    letters: int = 0


def queue_what_is_due(campaign_id: int, now: datetime, gate: Gate) -> Queued:
    """Queue the steps that have fallen due, let go what was released, and make letters of it all.

    One transaction: a notice without its letter, or a letter without its notices, cannot be left
    behind by a crash.
    """
    with transaction() as session:
        campaign = get_campaign_by_id(session, campaign_id)
        file = file_of(campaign)
        people = people_of(session, campaign, today=file.calendar.day_of(now))
        amendments = apply_amendments(session, campaign, now=now)
        steps = due_steps.queue_due(
            session, campaign, now=now, people=people, gate=gate, calendar=file.calendar
        )
        released = leaders.let_go(session, campaign, now=now)
        notices.queue_draft_waiting(
            session, campaign, at=now, to=people[Role.STANDING_HEAD], calendar=file.calendar
        )
        letters = make_letters(
            session,
            campaign,
            now=now,
            channels=Channels(
                default=tuple(each for each in file.channels.default if each in USABLE),
                urgent=tuple(each for each in file.channels.urgent if each in USABLE),
            ),
            calendar=file.calendar,
        )
    return Queued(steps.reminders, steps.escalations, steps.superseded, released, amendments, letters)
