"""The watchdog: looks at the program from outside the engine, and writes to the operator itself.

It runs as a process of its own (`congnhan watch`) and, besides, as a deployment: whichever looks first
takes what is new, so that nobody is told twice. A letter of it passes no queue (design.md §7).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from config.messages import say
from config.settings import settings
from flows.refusals import shown
from flows.servers import mail_server
from models.alarms import News, Wrong, note_told, take_news
from models.campaigns import get_campaign_by_id, running_campaigns
from models.database import Session, transaction
from models.leases import only_one
from models.people import officers_of
from models.pulses import WATCH, beat
from models.watching import look
from notifications.alarms import send_alarm
from rules.stages import Ower
from rules.watch import AlarmKind, Found, wrong

LOG = logging.getLogger("congnhan")
PING_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look found: everything that is wrong, in words, and how many were told something new."""

    wrong: tuple[str, ...]
    told: int
    is_told: bool = True


def watch(now: datetime) -> Watched:
    """Look once, tell the operator what is new or over, and tell the dead-man's switch that all went well.

    Where nobody could be told the next look tries again, and the switch is not told either. Of two that
    look at the same time one does nothing.
    """
    with only_one("watch", at=now) as is_alone:
        return _watch(now) if is_alone else Watched((), 0)


def _watch(now: datetime) -> Watched:
    with transaction() as session:
        found = wrong(look(session, oa_id=settings().zalo_oa_id, now=now), now)
        words = [Wrong(each.key, in_words(each), each.told_again_after) for each in found]
        news = take_news(session, words, at=now)
        recipients = _recipients(session) if news.standing or news.over else []
        beat(session, WATCH, at=now)
    told = _tell(news, recipients, now)
    is_told = bool(told) or not (news.standing or news.over)
    if is_told:
        # Only now: a watchdog that dies over its letter tells at its next look.
        with transaction() as session:
            note_told(session, news.keys, at=now)
        _ping()
    return Watched(tuple(each.words for each in words), len(told), is_told)


def in_words(found: Found) -> str:
    """Return what is wrong and what to do, in one sentence."""
    return say(
        f"alarm.{found.kind}" if found.kind is not AlarmKind.NO_TICK or found.since else "alarm.never_ticked",
        about=found.about.partition("|")[0],
        since=shown(found.since) if found.since else "–",
        count=found.count,
    )


def _recipients(session: Session) -> list[str]:
    """Return the operator's addresses; with none set, those of the standing offices' officers."""
    chosen = settings()
    if chosen.alarm_to:
        return [address.strip() for address in chosen.alarm_to.split(",") if address.strip()]
    campaigns = [get_campaign_by_id(session, campaign_id) for campaign_id in running_campaigns(session)]
    officers = [
        officer for campaign in campaigns for officer in officers_of(session, campaign, Ower.STANDING_OFFICE)
    ]
    return list(dict.fromkeys(officer.email for officer in officers if officer.email))


def _tell(news: News, recipients: Sequence[str], now: datetime) -> list[str]:
    if not (news.standing or news.over):
        return []
    for each in news.standing:
        LOG.error("alarm: %s", each)
    chosen = settings()
    with mail_server() as server:
        return send_alarm(
            server,
            recipients,
            standing=news.standing,
            over=news.over,
            at=now,
            from_name=chosen.mail_from_name or "congnhan",
            domain=chosen.mail_domain,
        )


def _ping() -> None:
    """Tell the dead-man's switch that the watchdog is alive; one that does not answer is no alarm."""
    url = settings().deadman_url
    if url is None:
        return
    try:
        httpx.get(url.get_secret_value(), timeout=PING_TIMEOUT).raise_for_status()
    except httpx.HTTPError as error:
        # The address may hold a token.
        LOG.warning("the dead-man's switch did not answer: %s", type(error).__name__)
