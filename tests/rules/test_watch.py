"""The watchdog's judgement: an hour of the sending window, not of the clock."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from rules.calendar import CITY, WorkingCalendar
from rules.watch import AlarmKind, CampaignSeen, Seen, sending_time, wrong

CALENDAR = WorkingCalendar(years=frozenset({2021}), decreed_years=frozenset({2021}))


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CITY)


def seen(ticked: str | None, **more) -> Seen:
    campaign = CampaignSeen("mau-2021", CALENDAR, **more)
    return Seen([campaign], at(ticked) if ticked else None, since=at("2021-11-11 07:30"))


def kinds(found: Seen, now: str) -> list[AlarmKind]:
    return [each.kind for each in wrong(found, at(now))]


@pytest.mark.parametrize(
    ("ticked", "now", "alarms"),
    [
        pytest.param("2021-11-16 08:00", "2021-11-16 08:55", [], id="not-yet-an-hour"),
        pytest.param("2021-11-16 08:00", "2021-11-16 09:00", [AlarmKind.NO_TICK], id="an-hour"),
        pytest.param("2021-11-16 11:15", "2021-11-16 13:45", [], id="noon-does-not-count"),
        pytest.param("2021-11-16 11:15", "2021-11-16 14:15", [AlarmKind.NO_TICK], id="around-noon"),
        pytest.param("2021-11-19 17:00", "2021-11-22 08:25", [], id="nor-does-a-weekend"),
        pytest.param("2021-11-19 17:00", "2021-11-22 08:30", [AlarmKind.NO_TICK], id="monday-morning"),
        pytest.param("2021-11-20 12:00", "2021-11-21 20:00", [], id="a-whole-sunday"),
        pytest.param(None, "2021-11-11 08:25", [], id="just-opened"),
        pytest.param(None, "2021-11-11 08:30", [AlarmKind.NO_TICK], id="never-ticked"),
    ],
)
def test_no_tick_for_an_hour_of_the_sending_window_is_an_alarm(ticked, now, alarms):
    assert kinds(seen(ticked), now) == alarms


def test_where_no_campaign_runs_no_tick_is_missed():
    assert wrong(Seen([], None), at("2021-11-16 10:00")) == []


def test_a_letter_that_could_have_left_an_hour_ago_is_an_alarm():
    waits = seen("2021-11-16 09:55", letters_waiting=3, waiting_since=at("2021-11-16 08:00"))
    (found,) = wrong(waits, at("2021-11-16 10:00"))
    assert (found.kind, found.about, found.count) == (AlarmKind.LETTERS_WAIT, "mau-2021", 3)


def test_consent_a_held_channel_and_a_computed_year_are_told():
    found = Seen(
        [CampaignSeen("mau-2021", CALENDAR, years=frozenset({2021, 2022}))],
        at("2021-11-16 09:55"),
        needs_consent=True,
        held=("zalo",),
    )
    assert [each.key for each in wrong(found, at("2021-11-16 10:00"))] == [
        "needs_consent|",
        "channel_held|zalo",
        "computed_year|mau-2021|2022",
    ]


def test_time_is_counted_no_further_than_asked_and_ends_where_the_calendar_does():
    hour = timedelta(hours=1)
    assert sending_time(CALENDAR, at("2021-11-01 07:30"), at("2021-11-16 10:00"), most=hour) == hour
    assert sending_time(CALENDAR, at("2020-12-30 07:30"), at("2021-01-01 00:10"), most=hour) == timedelta(0)


def test_a_year_decreed_since_is_well_if_its_days_are_the_same_and_told_if_they_are_not():
    decreed = replace(CALENDAR, decreed_years=frozenset({2021, 2022}))
    other = replace(decreed, days_off=frozenset({date(2022, 1, 3)}))
    for today, kind in ((CALENDAR, "computed_year"), (decreed, None), (other, "other_days")):
        campaign = CampaignSeen("mau-2021", CALENDAR, years=frozenset({2022}), today=today)
        found = wrong(Seen([campaign], at("2021-11-16 09:55")), at("2021-11-16 10:00"))
        assert [each.kind for each in found] == ([kind] if kind else [])
        assert all(each.told_again_after == timedelta(days=7) for each in found)
