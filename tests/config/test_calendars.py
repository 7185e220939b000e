"""The calendar of Vietnam as the office has it: decreed swaps, overrides, and who beats whom."""

from datetime import date, time

import pytest

from config.calendars import Override, office_calendar_text, working_calendar
from rules.calendar import CalendarEnds

HOURS = (time(7, 30), time(17))
WINDOWS = ((time(7, 30), time(11, 30)), (time(13, 30), time(17)))
CALENDAR = working_calendar([], HOURS, WINDOWS)
NO_TABLE = "overrides: []\ndecreed_years: [2026]\n"


def day(text):
    """Read `Mon 2021-11-22`; the weekday must be the true one."""
    weekday, _, iso = text.partition(" ")
    found = date.fromisoformat(iso)
    assert found.strftime("%a") == weekday, f"{iso} is a {found:%a}"
    return found


@pytest.mark.parametrize(
    ("text", "is_working"),
    [
        pytest.param("Wed 2024-02-07", True, id="before-tet-2024"),
        pytest.param("Thu 2024-02-08", False, id="tet-2024-begins"),
        pytest.param("Wed 2024-02-14", False, id="tet-2024-ends"),
        pytest.param("Thu 2024-02-15", True, id="after-tet-2024"),
        pytest.param("Fri 2025-01-24", True, id="before-tet-2025"),
        pytest.param("Mon 2025-01-27", False, id="tet-2025-begins"),
        pytest.param("Fri 2025-01-31", False, id="tet-2025-ends"),
        pytest.param("Mon 2025-02-03", True, id="after-tet-2025"),
        pytest.param("Mon 2024-04-29", False, id="swapped-off-2024"),
        pytest.param("Sat 2024-05-04", True, id="make-up-saturday-2024"),
        pytest.param("Sat 2024-05-11", False, id="any-saturday"),
        pytest.param("Mon 2026-08-31", False, id="swapped-off-2026"),
        pytest.param("Sat 2026-08-22", True, id="make-up-saturday-2026"),
        pytest.param("Fri 2026-01-02", False, id="off-by-the-offices-table"),
        pytest.param("Sat 2026-01-10", True, id="worked-by-the-offices-table"),
        pytest.param("Tue 2026-11-24", False, id="culture-day-2026"),
        pytest.param("Wed 2021-11-24", True, id="no-culture-day-yet"),
        pytest.param("Fri 2021-11-19", True, id="the-letters-last-day"),
    ],
)
def test_knows_the_working_days_of_the_country(text, is_working):
    assert CALENDAR.is_working_day(day(text)) is is_working


def test_the_package_alone_does_not_know_what_the_offices_table_adds():
    bare = working_calendar([], HOURS, WINDOWS, office_table=NO_TABLE)
    assert bare.is_working_day(day("Fri 2026-01-02"))
    assert not bare.is_working_day(day("Sat 2026-01-10"))


def test_a_campaigns_override_beats_the_offices_table_and_the_package():
    overrides = [
        Override(day("Fri 2026-01-02"), True, "x"),
        Override(day("Sat 2026-01-10"), False, "x"),
        Override(day("Tue 2026-11-24"), True, "x"),
        Override(day("Sat 2026-08-22"), False, "x"),
        Override(day("Mon 2026-11-23"), False, "x"),
    ]
    own = working_calendar(overrides, HOURS, WINDOWS)
    assert [own.is_working_day(each.on) for each in overrides] == [each.is_working for each in overrides]


def test_2027_is_computed_and_not_decreed():
    assert 2027 in CALENDAR.years
    assert CALENDAR.decreed_years == frozenset(range(2018, 2027))


def test_refuses_to_guess_beyond_its_years():
    assert CALENDAR.years == frozenset(range(2018, 2036))
    with pytest.raises(CalendarEnds):
        CALENDAR.is_working_day(date(2036, 1, 2))


def test_may_be_asked_for_fewer_years():
    short = working_calendar([], HOURS, WINDOWS, range(2021, 2023))
    assert short.years == frozenset({2021, 2022})


def test_every_override_of_the_office_names_its_source():
    assert office_calendar_text().count("source: 12729/VPCP-KGVX") == 2


def test_hours_and_windows_are_those_given():
    assert (CALENDAR.office_hours, CALENDAR.sending_windows) == (HOURS, WINDOWS)
