"""Reminders and escalations: whatever of any stage has fallen due is queued and put into letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models import due_steps, leaders, notices
from models.amendments import apply_amendments
from models.campaigns import file_of, get_campaign_by_id
from models.channels import Channels
from models.database import transaction
from models.due_steps import Gate
from models.letters import make_letters
from models.people import people_of
from rules.ladder import Role
from rules.notices import Channel, NoticeKind


@dataclass(frozen=True, slots=True)
class Reach:
    """What can be sent over; a campaign's other channels are passed over.

    `by_phone` are the kinds of notices for which a number alone is enough on Zalo.
    """

    channels: frozenset[Channel] = frozenset({Channel.EMAIL})
    by_phone: frozenset[NoticeKind] = frozenset()

    def of(self, order: Sequence[Channel]) -> tuple[Channel, ...]:
        """Return those of an order that can be used."""
        return tuple(each for each in order if each in self.channels)


BY_EMAIL_ALONE = Reach()


@dataclass(frozen=True, slots=True)
class Queued:
    """What one campaign's turn of a tick has queued."""

    reminders: int = 0
    escalations: int = 0
    superseded: int = 0
    released: int = 0
    amendments: int = 0
    letters: int = 0


def queue_what_is_due(campaign_id: int, now: datetime, gate: Gate, reach: Reach = BY_EMAIL_ALONE) -> Queued:
    """Queue the steps that have fallen due, let go what was released, and make letters of it all.

    One transaction: a notice without its letter, or a letter without its notices, cannot be left
    behind by a crash.
    """
    with transaction() as session:
        campaign = get_campaign_by_id(session, campaign_id)
        file = file_of(campaign)
        amendments = apply_amendments(session, campaign, now=now)
        people = people_of(session, campaign, today=file.calendar.day_of(now))
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
                default=reach.of(file.channels.default),
                urgent=reach.of(file.channels.urgent),
                by_phone=reach.by_phone,
            ),
            calendar=file.calendar,
        )
    return Queued(steps.reminders, steps.escalations, steps.superseded, released, amendments, letters)
