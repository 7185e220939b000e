"""What an answer makes of a letter: each outcome on each channel, and when a letter goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.calendar import CITY
from rules.notices import Channel, LetterState
from rules.sending import (
    HELD_FOR,
    Outcome,
    Pause,
    Verdict,
    costs_a_try,
    parse_zalo_address,
    resumes,
    tracking_id,
    verdict,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=CITY)  # a Monday
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(
    ("outcome", "attempts", "expected"),
    [
        pytest.param(Outcome.ACCEPTED, 1, Verdict(LetterState.SENT), id="accepted"),
        pytest.param(Outcome.PERMANENT, 1, Verdict(LetterState.FAILED), id="permanent"),
        pytest.param(Outcome.TRANSIENT, 1, Verdict(LetterState.QUEUED, NOON + MINUTE), id="first-failure"),
        pytest.param(Outcome.TRANSIENT, 3, Verdict(LetterState.QUEUED, NOON + 15 * MINUTE), id="third"),
        pytest.param(Outcome.TRANSIENT, 5, Verdict(LetterState.QUEUED, NOON + 60 * MINUTE), id="hourly"),
        pytest.param(Outcome.TRANSIENT, 99, Verdict(LetterState.FAILED), id="after-a-day"),
        pytest.param(Outcome.CONFIGURATION, 99, Verdict(LetterState.QUEUED, NOON + HELD_FOR), id="held"),
        pytest.param(Outcome.NOT_TRIED, 99, Verdict(LetterState.QUEUED, NOON), id="not-tried"),
    ],
)
def test_an_answer_means_the_same_on_every_channel(channel, outcome, attempts, expected):
    assert verdict(outcome, channel=channel, attempts=attempts, at=NOON) == expected


def test_what_may_have_gone_goes_again_by_mail_and_waits_for_a_person_over_zalo():
    by_mail = verdict(Outcome.UNKNOWN, channel=Channel.EMAIL, attempts=1, at=NOON)
    over_zalo = verdict(Outcome.UNKNOWN, channel=Channel.ZALO, attempts=1, at=NOON)
    assert by_mail == Verdict(LetterState.UNCERTAIN, NOON + MINUTE)
    assert over_zalo == Verdict(LetterState.UNCERTAIN, None)
    assert verdict(Outcome.UNKNOWN, channel=Channel.EMAIL, attempts=99, at=NOON).state is LetterState.FAILED


@pytest.mark.parametrize(("attempts", "state"), [(2, LetterState.QUEUED), (3, LetterState.FAILED)])
def test_a_kind_of_failure_may_set_a_limit_of_its_own(attempts, state):
    found = verdict(Outcome.TRANSIENT, channel=Channel.ZALO, attempts=attempts, at=NOON, most_tries=3)
    assert found.state is state


@pytest.mark.parametrize("pause", [Pause.TOMORROW, Pause.NEXT_MONTH])
def test_a_quota_does_not_put_a_letter_off_for_ever(pause):
    states = [
        verdict(Outcome.TRANSIENT, channel=Channel.ZALO, attempts=number, at=NOON, pause=pause).state
        for number in (1, 2, 3)
    ]
    assert states == [LetterState.QUEUED, LetterState.QUEUED, LetterState.FAILED]


@pytest.mark.parametrize(
    ("now", "pause", "expected"),
    [
        pytest.param("2026-11-23T12:00", Pause.NEXT_MINUTE, "2026-11-23T12:01", id="next-minute"),
        pytest.param("2026-11-23T23:30", Pause.MORNING, "2026-11-24T06:05", id="late-evening"),
        pytest.param("2026-11-24T05:00", Pause.MORNING, "2026-11-24T06:05", id="before-dawn"),
        pytest.param("2026-11-24T06:05", Pause.MORNING, "2026-11-25T06:05", id="at-the-minute-itself"),
        pytest.param("2026-11-23T12:00", Pause.TOMORROW, "2026-11-24T00:05", id="tomorrow"),
        pytest.param("2026-11-30T12:00", Pause.TOMORROW, "2026-12-01T00:05", id="end-of-month"),
        pytest.param("2026-11-01T00:00", Pause.NEXT_MONTH, "2026-12-01T00:05", id="next-month"),
        pytest.param("2026-12-31T12:00", Pause.NEXT_MONTH, "2027-01-01T00:05", id="end-of-year"),
    ],
)
def test_a_letter_that_was_put_off_goes_on_when_the_answer_says(now, pause, expected):
    assert resumes(at(now), pause) == at(expected)


def test_hours_are_those_of_the_city_wherever_the_clock_stands():
    in_utc = at("2026-11-24T02:00").astimezone(UTC)
    assert resumes(in_utc, Pause.TOMORROW) == at("2026-11-25T00:05")


def test_only_what_was_tried_and_could_have_gone_costs_a_try():
    free = {outcome for outcome in Outcome if not costs_a_try(outcome)}
    assert free == {Outcome.NOT_TRIED, Outcome.CONFIGURATION}


def test_a_letter_is_tracked_by_the_name_it_has_for_good():
    assert tracking_id("<0123abc@congnhan.example>") == "0123abc"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9007199254740993001", ("9007199254740993001", None, None)),
        ("group:g1", (None, "g1", None)),
        ("bot:c1", (None, None, "c1")),
    ],
)
def test_an_address_on_zalo_says_what_it_is(text, found):
    address = parse_zalo_address(text)
    assert (address.uid, address.group_id, address.chat_id) == found
