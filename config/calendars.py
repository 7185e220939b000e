"""The working calendar: computed public holidays, below the office's table, below the campaign's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from importlib.resources import files
from typing import Any

import holidays

from config.located import read_located
from config.shapes import OfficeCalendarShape
from config.shaping import shaped
from rules.calendar import WorkingCalendar

# The package knows these years; a campaign that reaches beyond them is refused, not guessed at.
YEARS = range(2018, 2036)


@dataclass(frozen=True, slots=True)
class Override:
    """A day that is off or worked against the ordinary calendar, and where that is written."""

    on: date
    is_working: bool
    source: str


def office_calendar_text() -> str:
    """Return the office's own table as it stands in `config/calendar.yaml`."""
    return files("config").joinpath("calendar.yaml").read_text(encoding="utf-8")


def working_calendar(
    overrides: Iterable[Override],
    office_hours: tuple[time, time],
    sending_windows: tuple[tuple[time, time], ...],
    years: range = YEARS,
    *,
    office_table: str | None = None,
) -> WorkingCalendar:
    """Return the calendar of a campaign: its own overrides beat the office's, those the package's.

    Public holidays and days in lieu: Bộ luật Lao động 2019, Điều 111 khoản 3 and Điều 112.
    """
    table = office_calendar_text() if office_table is None else office_table
    office = shaped(OfficeCalendarShape, read_located("calendar.yaml", table))
    days_off, worked_days = _package_days(years)
    off, worked = set(days_off), set(worked_days)
    of_office = [Override(each.date, each.working, each.source) for each in office.overrides]
    for override in (*of_office, *overrides):
        (worked if override.is_working else off).add(override.on)
        (off if override.is_working else worked).discard(override.on)
    return WorkingCalendar(
        years=frozenset(years),
        days_off=frozenset(off),
        worked_days=frozenset(worked),
        decreed_years=frozenset(office.decreed_years),
        office_hours=office_hours,
        sending_windows=sending_windows,
    )


@cache
def _package_days(years: range) -> tuple[frozenset[date], frozenset[date]]:
    """Return the days off and the make-up days that the package computes for these years."""
    computed: Any = holidays.country_holidays("VN", years=years)
    return frozenset(computed), frozenset(computed.weekend_workdays)
