"""What the watchdog makes of what it sees: which silence is too long, what needs a person (design.md §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.calendar import WorkingCalendar

TOO_LONG = timedelta(hours=1)  # of the sending window
STRIDE = timedelta(minutes=5)
FARTHEST = timedelta(days=21)  # longer than any holiday


class AlarmKind(StrEnum):
    """What can be wrong."""

    NO_TICK = "no_tick"
    LETTERS_WAIT = "letters_wait"
    NEEDS_CONSENT = "needs_consent"
    CHANNEL_HELD = "channel_held"
    BROKEN = "broken"
    COMPUTED_YEAR = "computed_year"
    OTHER_DAYS = "other_days"


# What stands is told again after a day; what waits for a paper, or for the office to decide, after a week.
TOLD_AGAIN_AFTER = timedelta(days=1)
NO_HURRY = {kind: timedelta(days=7) for kind in (AlarmKind.COMPUTED_YEAR, AlarmKind.OTHER_DAYS)}


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong: `about` tells two of a kind apart, `since` from when, `count` how many."""

    kind: AlarmKind
    about: str = ""
    since: datetime | None = None
    count: int = 0

    @property
    def key(self) -> str:
        """What makes it the same alarm at the next look."""
        return f"{self.kind}|{self.about}"

    @property
    def told_again_after(self) -> timedelta:
        """How long it may stand before it is told once more."""
        return NO_HURRY.get(self.kind, TOLD_AGAIN_AFTER)


@dataclass(frozen=True, slots=True)
class CampaignSeen:
    """A running campaign: since when a letter of it could have left, and the years its terms fall into.

    `today` is the calendar it would have if it were opened with the office's table of today.
    """

    code: str
    calendar: WorkingCalendar
    letters_waiting: int = 0
    waiting_since: datetime | None = None
    years: frozenset[int] = frozenset()
    today: WorkingCalendar | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watchdog saw: `ticked_at` None where no tick has ever ended, `since` from when it watches.

    `broken` names campaigns whose kept files cannot be read: no tick can serve them.
    """

    campaigns: Sequence[CampaignSeen]
    ticked_at: datetime | None
    since: datetime | None = None
    needs_consent: bool = False
    held: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def sending_time(calendar: WorkingCalendar, since: datetime, now: datetime, *, most: timedelta) -> timedelta:
    """Return how much sending time has passed since an instant, to five minutes and at most so much."""
    passed, instant = timedelta(0), now
    first = max(since, now - FARTHEST)
    while instant - STRIDE >= first and passed < most and calendar.day_of(instant).year in calendar.years:
        instant -= STRIDE
        if calendar.day_of(instant).year in calendar.years and calendar.is_sending_time(instant):
            passed += STRIDE
    return passed


def wrong(seen: Seen, now: datetime) -> list[Found]:
    """Return everything that is wrong, in a fixed order.

    No tick is missed outside the sending windows, over a weekend or a holiday, nor where no campaign runs.
    """
    found: list[Found] = []
    since = seen.ticked_at or seen.since
    silent = [each for each in seen.campaigns if since is not None and _too_long(each, since, now)]
    if silent:
        found.append(Found(AlarmKind.NO_TICK, since=seen.ticked_at))
    for each in seen.campaigns:
        if each.waiting_since is not None and _too_long(each, each.waiting_since, now):
            found.append(Found(AlarmKind.LETTERS_WAIT, each.code, each.waiting_since, each.letters_waiting))
    if seen.needs_consent:
        found.append(Found(AlarmKind.NEEDS_CONSENT))
    found += [Found(AlarmKind.CHANNEL_HELD, channel) for channel in seen.held]
    found += [Found(AlarmKind.BROKEN, code) for code in seen.broken]
    for each in seen.campaigns:
        for year in sorted(each.years - each.calendar.decreed_years):
            if each.today is None or year not in each.today.decreed_years:
                found.append(Found(AlarmKind.COMPUTED_YEAR, f"{each.code}|{year}", count=year))
            elif not each.calendar.agrees_with(each.today, year):
                found.append(Found(AlarmKind.OTHER_DAYS, f"{each.code}|{year}", count=year))
    return found


def _too_long(campaign: CampaignSeen, since: datetime, now: datetime) -> bool:
    return sending_time(campaign.calendar, since, now, most=TOO_LONG) >= TOO_LONG
