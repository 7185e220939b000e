"""Working days and deadlines: from the wording of a paper to the two instants that it means."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = timedelta(days=1)

# A calendar that finds no working day in this many days is wrong, not merely long on holidays.
LONGEST_REST_DAYS = 60


class NoWorkingDay(Exception):
    """The calendar holds no working day where one is needed."""


class CalendarEnds(Exception):
    """A day was asked for in a year that the calendar does not cover; `year` says which."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the calendar does not cover the year {year}")
        self.year = year


@dataclass(frozen=True, slots=True)
class Before:
    """Trước ngày: everything on the day itself is late."""

    on: date

    def __str__(self) -> str:
        return f"before: {self.on}"


@dataclass(frozen=True, slots=True)
class By:
    """Chậm nhất, đến hết ngày; with `at`, the instant itself is the first late one."""

    on: date
    at: time | None = None

    def __str__(self) -> str:
        return f"by: {self.on}" if self.at is None else f"by: {self.on}T{self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class WithinDays:
    """Trong thời hạn … ngày; `start` None stands for the city day on which the stage is entered."""

    days: int
    start: date | None = None

    def __str__(self) -> str:
        return f"within_days: {self.days}, from: {self.start or 'stage'}"


@dataclass(frozen=True, slots=True)
class WithinWorkingDays:
    """Trong thời hạn … ngày làm việc; `start` None stands for the city day of entering the stage."""

    days: int
    start: date | None = None

    def __str__(self) -> str:
        return f"within_working_days: {self.days}, from: {self.start or 'stage'}"


@dataclass(frozen=True, slots=True)
class InYear:
    """Trong năm."""

    year: int

    def __str__(self) -> str:
        return f"in_year: {self.year}"


Wording = Before | By | WithinDays | WithinWorkingDays | InYear


def parse_wording(text: str) -> Wording:
    """Return the wording that `str` of a wording wrote; raises ValueError for any other text."""
    parts = dict(part.split(": ", 1) for part in text.split(", "))
    match list(parts.items()):
        case [("before", day)]:
            return Before(date.fromisoformat(day))
        case [("by", day)]:
            on, _, at = day.partition("T")
            return By(date.fromisoformat(on), time.fromisoformat(at) if at else None)
        case [("within_days", days), ("from", start)]:
            return WithinDays(int(days), None if start == "stage" else date.fromisoformat(start))
        case [("within_working_days", days), ("from", start)]:
            return WithinWorkingDays(int(days), None if start == "stage" else date.fromisoformat(start))
        case [("in_year", year)]:
            return InYear(int(year))
    raise ValueError(f"not a wording: {text!r}")


def counted_from(wording: Wording, stage_entered_on: date) -> Wording:
    """Return the wording with `from: stage` replaced by the day the stage was entered."""
    match wording:
        case WithinDays(days, None):
            return WithinDays(days, stage_entered_on)
        case WithinWorkingDays(days, None):
            return WithinWorkingDays(days, stage_entered_on)
    return wording


@dataclass(frozen=True, slots=True)
class Deadline:
    """Thời hạn: `closes_at` is what a unit is told, `late_from` the first instant that is late."""

    wording: Wording
    closes_at: datetime
    late_from: datetime

    def is_late(self, received_at: datetime) -> bool:
        """Say whether what was received at this instant came late."""
        return received_at >= self.late_from


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The working days of one office, its office hours and the windows in which it sends.

    `days_off` and `worked_days` are already resolved: a public holiday, a swapped day off, a
    make-up Saturday and every override stand in one of them. A working day begins at 00:00 city
    time; public holidays and days in lieu: Bộ luật Lao động 2019, Điều 111 khoản 3 and Điều 112.
    """

    years: frozenset[int]
    days_off: frozenset[date] = frozenset()
    worked_days: frozenset[date] = frozenset()
    decreed_years: frozenset[int] = frozenset()
    office_hours: tuple[time, time] = (time(7, 30), time(17, 0))
    sending_windows: tuple[tuple[time, time], ...] = (
        (time(7, 30), time(11, 30)),
        (time(13, 30), time(17, 0)),
    )
    zone: tzinfo = field(default=CITY)

    def is_working_day(self, day: date) -> bool:
        """Say whether the office works on this city day; raises CalendarEnds outside its years."""
        if day.year not in self.years:
            raise CalendarEnds(day.year)
        if day in self.worked_days:
            return True
        return day.weekday() < 5 and day not in self.days_off

    def agrees_with(self, other: "WorkingCalendar", year: int) -> bool:
        """Say whether the same days of a year are off and worked in another calendar."""
        return all(
            {day for day in ours if day.year == year} == {day for day in theirs if day.year == year}
            for ours, theirs in ((self.days_off, other.days_off), (self.worked_days, other.worked_days))
        )

    def at(self, day: date, clock: time) -> datetime:
        """Return the aware instant at which the city's clocks show this day and time."""
        return datetime.combine(day, clock, self.zone)

    def midnight(self, day: date) -> datetime:
        """Return the instant at which this city day begins."""
        return self.at(day, time(0))

    def day_of(self, instant: datetime) -> date:
        """Return the city day in which an aware instant lies."""
        return instant.astimezone(self.zone).date()

    def working_days_from(self, day: date) -> Iterator[date]:
        """Yield the working days from this day on, the day itself included."""
        return self._working_days(day, DAY)

    def working_days_until(self, day: date) -> Iterator[date]:
        """Yield the working days from this day backwards, the day itself included."""
        return self._working_days(day, -DAY)

    def _working_days(self, day: date, stride: timedelta) -> Iterator[date]:
        rest = 0
        while rest < LONGEST_REST_DAYS:
            if self.is_working_day(day):
                rest = 0
                yield day
            else:
                rest += 1
            day += stride
        raise NoWorkingDay(f"no working day within {LONGEST_REST_DAYS} days of {day - rest * stride}")

    def working_day_after(self, day: date, count: int) -> date:
        """Return the `count`-th working day after this day, which itself is not counted."""
        return _nth(self.working_days_from(day + DAY), count)

    def working_day_before(self, day: date, count: int) -> date:
        """Return the `count`-th working day before this day, which itself is not counted."""
        return _nth(self.working_days_until(day - DAY), count)

    def working_days_between(self, earlier: date, later: date) -> int:
        """Count the working days after `earlier` up to and including `later`; 0 when it is not later."""
        return sum(
            self.is_working_day(earlier + timedelta(days=n)) for n in range(1, (later - earlier).days + 1)
        )

    def is_sending_time(self, now: datetime) -> bool:
        """Say whether messages may leave now: on a working day, inside a sending window."""
        city = now.astimezone(self.zone)
        return self.is_working_day(city.date()) and any(
            start <= city.time() < end for start, end in self.sending_windows
        )

    def next_sending_time(self, now: datetime) -> datetime:
        """Return now where messages may leave now, else the beginning of the next sending window."""
        if self.is_sending_time(now):
            return now
        days = self.working_days_from(self.day_of(now))
        openings = (self.at(day, start) for day in days for start, _ in self.sending_windows)
        return next(opening for opening in openings if opening > now)

    def next_office_time(self, now: datetime) -> datetime:
        """Return now during office hours of a working day, else the next opening of the office."""
        opens, closes = self.office_hours
        days = self.working_days_from(self.day_of(now))
        coming = next(day for day in days if now < self.at(day, closes))
        return max(now, self.at(coming, opens))


def _nth(days: Iterator[date], count: int) -> date:
    """Return the `count`-th of these days, counted from one."""
    if count < 1:
        raise ValueError("days are counted from one")
    for _ in range(count - 1):
        next(days)
    return next(days)


def deadline(wording: Wording, calendar: WorkingCalendar) -> Deadline:
    """Return the instant a unit is told (`closes_at`) and the first late one (`late_from`).

    Both are aware instants. The first day of a term is not counted, and only terms counted in
    days roll past a day off (Bộ luật Dân sự 2015, Điều 147 khoản 2, Điều 148 khoản 5); no statute
    says what "trước ngày" means: the strict hour is shown, the literal one counts (design.md §3).

    Raises ValueError for a term that still counts from `stage`, NoWorkingDay when the calendar
    holds none before `late_from`, CalendarEnds when it does not reach that far.
    """
    match wording:
        case By(on, at) if at is not None:
            instant = calendar.at(on, at)
            return Deadline(wording, instant, instant)
        case Before(on):
            late_on = on
        case By(on):
            late_on = on + DAY
        case WithinDays(days, start) if start is not None:
            late_on = next(calendar.working_days_from(start + timedelta(days=days))) + DAY
        case WithinWorkingDays(days, start) if start is not None:
            late_on = calendar.working_day_after(start, days) + DAY
        case InYear(year):
            late_on = date(year + 1, 1, 1)
        case _:
            raise ValueError(f"{wording} does not say from which day it counts")
    late_from = calendar.midnight(late_on)
    closes_on = calendar.working_day_before(late_on, 1)
    return Deadline(wording, calendar.at(closes_on, calendar.office_hours[1]), late_from)
