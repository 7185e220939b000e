"""When each step fires."""

from datetime import date, datetime, time

import pytest

from rules.calendar import CITY, Before, By, WorkingCalendar, deadline
from rules.ladder import (
    ESCALATE_AT,
    REMIND_AT,
    IfSilent,
    Ladder,
    Ladders,
    Release,
    Repeat,
    Role,
    Step,
    fire_times,
)

CALENDAR = WorkingCalendar(
    years=frozenset(range(2020, 2030)),
    days_off=frozenset(date(2024, 2, n) for n in range(8, 15)),
    worked_days=frozenset({date(2024, 5, 4)}),
)


def remind(days: int, at: time = REMIND_AT) -> Step:
    return Step(Ladder.REMIND, days, at)


def escalate(days: int, to: str = Role.UNIT_HEAD, at: time = ESCALATE_AT) -> Step:
    return Step(Ladder.ESCALATE, days, at, to=to)


LADDERS = Ladders(
    remind=(remind(3), remind(1), remind(0)),
    escalate=(escalate(0), escalate(1, Role.STANDING_HEAD), escalate(3, Role.CHAIRMAN)),
)


def fired(ladders: Ladders, wording) -> list[tuple[str, str]]:
    return [
        (step.name, f"{at.astimezone(CITY):%a %Y-%m-%d %H:%M}")
        for step, at in fire_times(ladders, deadline(wording, CALENDAR), CALENDAR)
    ]


def test_the_letters_ladder_fires_on_the_days_its_readers_expect():
    assert fired(LADDERS, Before(date(2021, 11, 22))) == [
        ("before:3", "Tue 2021-11-16 07:30"),
        ("before:1", "Thu 2021-11-18 07:30"),
        ("before:0", "Fri 2021-11-19 07:30"),
        ("after:0", "Mon 2021-11-22 08:30"),
        ("after:1", "Tue 2021-11-23 08:30"),
        ("after:3", "Thu 2021-11-25 08:30"),
    ]


def test_a_deadline_after_tet_is_reminded_of_before_it():
    assert fired(LADDERS, Before(date(2024, 2, 15)))[:4] == [
        ("before:3", "Fri 2024-02-02 07:30"),
        ("before:1", "Tue 2024-02-06 07:30"),
        ("before:0", "Wed 2024-02-07 07:30"),
        ("after:0", "Thu 2024-02-15 08:30"),
    ]


def test_a_make_up_saturday_is_a_day_like_any_other():
    assert fired(LADDERS, Before(date(2024, 5, 6)))[1:4] == [
        ("before:1", "Fri 2024-05-03 07:30"),
        ("before:0", "Sat 2024-05-04 07:30"),
        ("after:0", "Mon 2024-05-06 08:30"),
    ]


def test_after_an_hour_of_a_day_lateness_is_told_the_next_working_day():
    steps = fired(LADDERS, By(date(2021, 11, 19), time(17)))
    assert steps[2:4] == [("before:0", "Fri 2021-11-19 07:30"), ("after:0", "Mon 2021-11-22 08:30")]


def test_an_hour_on_a_day_of_rest_is_reminded_of_on_the_working_day_before():
    steps = fired(LADDERS, By(date(2021, 11, 21), time(12)))
    assert steps[2] == ("before:0", "Fri 2021-11-19 07:30")


def test_a_reminder_that_would_come_after_the_hour_is_left_out():
    steps = fired(Ladders(remind=(remind(1), remind(0))), By(date(2021, 11, 19), time(7)))
    assert steps == [("before:1", "Thu 2021-11-18 07:30")]


def test_a_step_may_say_its_own_hour():
    steps = fired(Ladders(remind=(remind(0, time(14)),)), Before(date(2021, 11, 22)))
    assert steps == [("before:0", "Fri 2021-11-19 14:00")]


def test_grace_delays_escalation_and_nothing_else():
    patient = Ladders(remind=LADDERS.remind, escalate=LADDERS.escalate, grace_working_days=2)
    assert [at for name, at in fired(patient, Before(date(2021, 11, 22))) if name.startswith("after")] == [
        "Wed 2021-11-24 08:30",
        "Thu 2021-11-25 08:30",
        "Mon 2021-11-29 08:30",
    ]


def test_repeat_is_read_as_further_steps_to_the_last_recipient():
    last = escalate(3, Role.CHAIRMAN)
    assert [(step.name, step.to) for step in Repeat(every=2, until=10).steps_after(last)] == [
        ("after:5", "chairman"),
        ("after:7", "chairman"),
        ("after:9", "chairman"),
    ]


@pytest.mark.parametrize(
    ("recipient", "release", "if_silent"),
    [
        (Role.OFFICER, Release.AUTO, IfSilent.SEND),
        (Role.UNIT_HEAD, Release.STANDING_HEAD, IfSilent.SEND),
        (Role.VICE_CHAIRMAN, Release.STANDING_HEAD, IfSilent.HOLD),
        (Role.CHAIRMAN, Release.STANDING_HEAD, IfSilent.HOLD),
        ("Họ Tên MẪU 01", Release.STANDING_HEAD, IfSilent.HOLD),
    ],
)
def test_messages_to_leaders_pass_a_gate(recipient, release, if_silent):
    assert escalate(0).gate(recipient) == (release, if_silent)


def test_the_file_may_open_the_gate():
    step = Step(Ladder.ESCALATE, 3, time(8, 30), to=Role.CHAIRMAN, release=Release.AUTO)
    assert step.gate(Role.CHAIRMAN) == (Release.AUTO, IfSilent.HOLD)


def test_steps_come_in_the_order_of_time_with_aware_instants():
    times = [at for _, at in fire_times(LADDERS, deadline(Before(date(2021, 11, 22)), CALENDAR), CALENDAR)]
    assert times == sorted(times)
    assert all(isinstance(at, datetime) and at.tzinfo for at in times)
