"""What the watchdog sees in the database: when the tick last ended, what waits, what a person must mend."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from config.calendars import office_calendar_text
from config.campaign_file import campaign_from_texts
from config.located import FileInvalid
from models.campaigns import file_of, running_campaigns
from models.outbox import waiting_since
from models.pulses import TICK, last_beat
from models.tables import Campaign, ChannelHold, DeadlineStep, WorkItem
from models.tokens import find_facts
from rules.calendar import CITY, WorkingCalendar
from rules.sending import TokenState
from rules.watch import CampaignSeen, Seen
from rules.work_items import ItemState


def look(session: Session, *, oa_id: str | None, now: datetime) -> Seen:
    """Return what the watchdog needs to know of every running campaign; `oa_id` names the Zalo account."""
    ids = running_campaigns(session)
    running = session.exec(select(Campaign).where(col(Campaign.id).in_(ids)).order_by(Campaign.code)).all()
    calendars = {each.id: calendar for each in running if (calendar := _calendar(each)) is not None}
    campaigns = [each for each in running if each.id in calendars]
    letters = waiting_since(now).c
    waiting = {
        campaign_id: (count, since)
        for campaign_id, count, since in session.execute(
            select(letters.campaign_id, func.count(), func.min(letters.since)).group_by(letters.campaign_id)
        )
    }
    spans = {
        campaign_id: (first, last)
        for campaign_id, first, last in session.execute(
            select(WorkItem.campaign_id, func.min(DeadlineStep.fires_at), func.max(DeadlineStep.fires_at))
            .join(DeadlineStep, col(DeadlineStep.deadline_id) == WorkItem.deadline_id)
            .where(WorkItem.state == ItemState.OPEN, DeadlineStep.fires_at > now)
            .group_by(col(WorkItem.campaign_id))
        )
    }
    facts = find_facts(session, oa_id) if oa_id else None
    return Seen(
        campaigns=[
            CampaignSeen(
                code=each.code,
                calendar=calendars[each.id],
                letters_waiting=waiting.get(each.id, (0, None))[0],
                waiting_since=waiting.get(each.id, (0, None))[1],
                years=_years(*spans[each.id]) if each.id in spans else frozenset(),
                today=_calendar_of_today(each),
            )
            for each in campaigns
        ],
        ticked_at=last_beat(session, TICK),
        since=min((each.opened_at for each in campaigns), default=None),
        needs_consent=facts is not None and facts.state is TokenState.NEEDS_CONSENT,
        held=tuple(str(each) for each in session.exec(select(ChannelHold.channel)).all()),
        broken=tuple(each.code for each in running if each.id not in calendars),
    )


def _calendar(campaign: Campaign) -> WorkingCalendar | None:
    """Return the calendar of a campaign; None where what it keeps of its files cannot be read."""
    try:
        return file_of(campaign).calendar
    except Exception:  # whatever is wrong with it, the watchdog has to see the others
        return None


def _calendar_of_today(campaign: Campaign) -> WorkingCalendar | None:
    """Return the calendar of a campaign with the office's table of today; None where that cannot be said."""
    texts = dict(campaign.files)
    table = office_calendar_text()
    if texts["office_calendar"] == table:
        return file_of(campaign).calendar
    try:
        return campaign_from_texts(texts | {"office_calendar": table}).calendar
    except FileInvalid:
        return None


def _years(first: datetime, last: datetime) -> frozenset[int]:
    """Return the city years from the first to the last of these instants."""
    years = (each.astimezone(CITY).year for each in (first, last))
    return frozenset(range(next(years), next(years) + 1))
