"""What holds for every calendar, wording and moment."""

from datetime import date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as some

from rules.calendar import (
    CITY,
    Before,
    By,
    InYear,
    WithinDays,
    WithinWorkingDays,
    WorkingCalendar,
    deadline,
    parse_wording,
)
from rules.ladder import ESCALATE_AT, REMIND_AT, Ladder, Ladders, Step, fire_times

DAYS = some.dates(date(2021, 3, 1), date(2023, 10, 31))
MOMENTS = some.datetimes(datetime(2021, 3, 1), datetime(2023, 10, 31)).map(lambda at: at.replace(tzinfo=CITY))  # noqa: DTZ001
CALENDARS = some.builds(
    lambda off, worked: WorkingCalendar(
        years=frozenset(range(2020, 2026)), days_off=off - worked, worked_days=worked
    ),
    some.frozensets(DAYS, max_size=30),
    some.frozensets(DAYS, max_size=10),
)
COUNTS = some.integers(1, 60)
WORDINGS = some.one_of(
    some.builds(Before, DAYS),
    some.builds(By, DAYS),
    some.builds(By, DAYS, some.times().map(lambda at: time(at.hour, at.minute))),
    some.builds(WithinDays, COUNTS, DAYS),
    some.builds(WithinWorkingDays, COUNTS, DAYS),
    some.builds(InYear, some.integers(2021, 2023)),
)
LADDERS = Ladders(
    remind=tuple(Step(Ladder.REMIND, days, REMIND_AT) for days in (5, 3, 1, 0)),
    escalate=tuple(Step(Ladder.ESCALATE, days, ESCALATE_AT, to="unit_head") for days in (0, 1, 3, 8)),
)


@given(WORDINGS)
def test_every_wording_survives_being_written_down(wording):
    assert parse_wording(str(wording)) == wording


@given(WORDINGS, CALENDARS)
def test_a_unit_is_never_told_an_hour_at_which_it_would_be_late(wording, calendar):
    meant = deadline(wording, calendar)
    assert meant.closes_at <= meant.late_from
    if not (isinstance(wording, By) and wording.at):
        assert calendar.is_working_day(calendar.day_of(meant.closes_at))
        assert meant.closes_at < meant.late_from


@given(WORDINGS, CALENDARS)
def test_reminders_come_before_the_hour_and_escalations_after_it(wording, calendar):
    meant = deadline(wording, calendar)
    for step, at in fire_times(LADDERS, meant, calendar):
        assert calendar.is_working_day(calendar.day_of(at))
        if step.ladder is Ladder.REMIND:
            assert at < meant.closes_at
        else:
            assert at > meant.late_from


@given(MOMENTS, CALENDARS)
def test_a_message_waits_for_the_nearest_window_and_no_longer(now, calendar):
    leaves = calendar.next_sending_time(now)
    assert calendar.is_sending_time(leaves)
    assert leaves >= now
    between = [now + timedelta(minutes=n) for n in range(0, int((leaves - now).total_seconds() // 60), 15)]
    assert not any(calendar.is_sending_time(moment) for moment in between)
