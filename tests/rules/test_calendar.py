"""Deadlines by every wording, with the weekday written beside each day so that a reader can check."""

from datetime import date, datetime, time

import pytest

from rules.calendar import (
    CITY,
    Before,
    By,
    CalendarEnds,
    InYear,
    NoWorkingDay,
    WithinDays,
    WithinWorkingDays,
    WorkingCalendar,
    counted_from,
    deadline,
    parse_wording,
)

YEARS = frozenset(range(2020, 2030))


def day(text: str) -> date:
    """Read `Mon 2021-11-22`; the weekday must be the true one."""
    weekday, _, iso = text.partition(" ")
    found = date.fromisoformat(iso)
    assert found.strftime("%a") == weekday, f"{iso} is a {found:%a}"
    return found


def instant(text: str) -> datetime:
    """Read `Mon 2021-11-22 08:30` as city time."""
    head, _, clock = text.rpartition(" ")
    return datetime.combine(day(head), time.fromisoformat(clock), CITY)


TET_2024 = [f"2024-02-{n:02d}" for n in range(8, 15)]
CALENDAR = WorkingCalendar(
    years=YEARS,
    days_off=frozenset(
        date.fromisoformat(each)
        for each in [*TET_2024, "2024-04-29", "2024-04-30", "2024-05-01", "2026-01-01", "2026-01-02"]
    ),
    worked_days=frozenset({date(2024, 5, 4), date(2026, 1, 10)}),
)


@pytest.mark.parametrize(
    ("wording", "closes_at", "late_from"),
    [
        pytest.param(
            Before(day("Mon 2021-11-22")), "Fri 2021-11-19 17:00", "Mon 2021-11-22 00:00", id="the-letter"
        ),
        pytest.param(
            Before(day("Tue 2021-11-23")), "Mon 2021-11-22 17:00", "Tue 2021-11-23 00:00", id="before-weekday"
        ),
        pytest.param(
            Before(day("Sun 2021-11-21")), "Fri 2021-11-19 17:00", "Sun 2021-11-21 00:00", id="before-sunday"
        ),
        pytest.param(
            Before(day("Thu 2024-02-15")),
            "Wed 2024-02-07 17:00",
            "Thu 2024-02-15 00:00",
            id="after-tet",
        ),
        pytest.param(
            Before(day("Mon 2024-05-06")),
            "Sat 2024-05-04 17:00",
            "Mon 2024-05-06 00:00",
            id="worked-saturday",
        ),
        pytest.param(By(day("Mon 2021-11-22")), "Mon 2021-11-22 17:00", "Tue 2021-11-23 00:00", id="by-day"),
        pytest.param(
            By(day("Sun 2024-05-05")), "Sat 2024-05-04 17:00", "Mon 2024-05-06 00:00", id="by-sunday-no-roll"
        ),
        pytest.param(
            By(day("Mon 2021-11-22"), time(17)), "Mon 2021-11-22 17:00", "Mon 2021-11-22 17:00", id="by-hour"
        ),
        pytest.param(
            WithinDays(10, day("Thu 2021-11-11")),
            "Mon 2021-11-22 17:00",
            "Tue 2021-11-23 00:00",
            id="ten-days-roll-over-the-weekend",
        ),
        pytest.param(
            WithinDays(11, day("Thu 2021-11-11")),
            "Mon 2021-11-22 17:00",
            "Tue 2021-11-23 00:00",
            id="eleven-days-end-on-the-same-monday",
        ),
        pytest.param(
            WithinDays(5, day("Mon 2024-02-05")),
            "Thu 2024-02-15 17:00",
            "Fri 2024-02-16 00:00",
            id="days-roll-over-tet",
        ),
        pytest.param(
            WithinWorkingDays(5, day("Thu 2021-11-11")),
            "Thu 2021-11-18 17:00",
            "Fri 2021-11-19 00:00",
            id="five-working-days",
        ),
        pytest.param(
            WithinWorkingDays(3, day("Fri 2024-05-03")),
            "Tue 2024-05-07 17:00",
            "Wed 2024-05-08 00:00",
            id="a-make-up-saturday-counts",
        ),
        pytest.param(
            WithinWorkingDays(1, day("Wed 2025-12-31")),
            "Mon 2026-01-05 17:00",
            "Tue 2026-01-06 00:00",
            id="the-second-of-january-2026-is-off",
        ),
        pytest.param(
            Before(day("Mon 2026-01-12")),
            "Sat 2026-01-10 17:00",
            "Mon 2026-01-12 00:00",
            id="the-tenth-of-january-2026-is-worked",
        ),
        pytest.param(InYear(2021), "Fri 2021-12-31 17:00", "Sat 2022-01-01 00:00", id="in-year"),
        pytest.param(InYear(2022), "Fri 2022-12-30 17:00", "Sun 2023-01-01 00:00", id="in-year-to-saturday"),
    ],
)
def test_deadline_closes_on_the_last_working_day(wording, closes_at, late_from):
    meant = deadline(wording, CALENDAR)
    assert (meant.closes_at, meant.late_from) == (instant(closes_at), instant(late_from))


def test_the_instant_before_late_from_is_on_time_and_the_instant_itself_is_late():
    meant = deadline(Before(day("Mon 2021-11-22")), CALENDAR)
    assert not meant.is_late(instant("Sun 2021-11-21 23:59"))
    assert meant.is_late(instant("Mon 2021-11-22 00:00"))


@pytest.mark.parametrize(
    "wording",
    [
        Before(date(2021, 11, 22)),
        By(date(2021, 11, 22)),
        By(date(2021, 11, 22), time(17)),
        WithinDays(10, date(2021, 11, 11)),
        WithinDays(10),
        WithinWorkingDays(5),
        WithinWorkingDays(5, date(2021, 11, 11)),
        InYear(2021),
    ],
    ids=str,
)
def test_wording_survives_being_written_down(wording):
    assert parse_wording(str(wording)) == wording


def test_text_that_is_no_wording_is_refused():
    with pytest.raises(ValueError, match="not a wording"):
        parse_wording("soon: 2021-11-22")


def test_a_term_from_the_stage_counts_from_the_day_it_was_entered():
    wording = counted_from(WithinWorkingDays(7), day("Mon 2021-11-22"))
    assert deadline(wording, CALENDAR).closes_at == instant("Wed 2021-12-01 17:00")


def test_a_term_that_does_not_say_from_when_has_no_deadline_yet():
    with pytest.raises(ValueError, match="from which day"):
        deadline(WithinDays(3), CALENDAR)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("Mon 2021-11-22 07:29", "Mon 2021-11-22 07:30"),
        ("Mon 2021-11-22 07:30", "Mon 2021-11-22 07:30"),
        ("Mon 2021-11-22 11:29", "Mon 2021-11-22 11:29"),
        ("Mon 2021-11-22 11:30", "Mon 2021-11-22 13:30"),
        ("Mon 2021-11-22 17:00", "Tue 2021-11-23 07:30"),
        ("Fri 2021-11-19 17:00", "Mon 2021-11-22 07:30"),
        ("Sun 2021-11-21 20:00", "Mon 2021-11-22 07:30"),
        ("Wed 2024-02-07 18:00", "Thu 2024-02-15 07:30"),
        ("Fri 2024-05-03 18:00", "Sat 2024-05-04 07:30"),
        ("Thu 2026-01-01 09:00", "Mon 2026-01-05 07:30"),
    ],
)
def test_messages_wait_for_the_next_sending_window(now, expected):
    assert CALENDAR.next_sending_time(instant(now)) == instant(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("Mon 2021-11-22 06:00", "Mon 2021-11-22 07:30"),
        ("Mon 2021-11-22 12:00", "Mon 2021-11-22 12:00"),
        ("Mon 2021-11-22 17:00", "Tue 2021-11-23 07:30"),
    ],
)
def test_the_office_acts_in_its_hours(now, expected):
    assert CALENDAR.next_office_time(instant(now)) == instant(expected)


def test_working_days_are_counted_after_the_first_day():
    assert CALENDAR.working_days_between(day("Fri 2021-11-19"), day("Tue 2021-11-23")) == 2
    assert CALENDAR.working_days_between(day("Tue 2021-11-23"), day("Fri 2021-11-19")) == 0
    assert CALENDAR.working_day_before(day("Mon 2021-11-22"), 1) == day("Fri 2021-11-19")
    with pytest.raises(ValueError, match="counted from one"):
        CALENDAR.working_day_after(day("Mon 2021-11-22"), 0)


def test_a_year_outside_the_calendar_is_refused_instead_of_guessed():
    with pytest.raises(CalendarEnds, match="2019"):
        CALENDAR.is_working_day(date(2019, 12, 31))


def test_a_calendar_without_working_days_says_so():
    idle = WorkingCalendar(
        years=YEARS,
        days_off=frozenset(
            date.fromordinal(n) for n in range(date(2021, 1, 1).toordinal(), date(2022, 1, 1).toordinal())
        ),
    )
    with pytest.raises(NoWorkingDay):
        deadline(Before(date(2021, 11, 22)), idle)
