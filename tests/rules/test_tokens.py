"""When tokens are renewed, and what may be tried after a renewal that broke off."""

from datetime import datetime, timedelta

import pytest

from rules.calendar import CITY
from rules.sending import TokenState
from rules.tokens import NextTry, Setback, TokenFacts, is_due, is_usable, next_try, read_reason, renews_at

NOON = datetime(2026, 11, 23, 12, tzinfo=CITY)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def facts(
    *, lives: float | None = 25, started: float | None = None, tries: int = 0, reason: str | None = None
):
    return TokenFacts(
        TokenState.WORKING,
        NOON,
        None if lives is None else hours(lives),
        None if started is None else hours(started),
        tries,
        reason,
    )


@pytest.mark.parametrize(
    ("kept", "renewed_at"),
    [
        pytest.param(facts(), hours(20), id="20-of-25-hours"),
        pytest.param(facts(lives=1), hours(0.8), id="a-short-life"),
        pytest.param(facts(lives=None), hours(0), id="of-unknown-age"),
    ],
)
def test_a_pair_is_renewed_at_four_fifths_of_its_life(kept, renewed_at):
    before = renewed_at - timedelta(seconds=1)
    assert renews_at(kept) == renewed_at
    assert (is_due(kept, now=before), is_due(kept, now=renewed_at)) == (False, True)


def test_a_renewal_that_broke_off_is_due_at_any_age():
    assert is_due(facts(started=1, tries=1), now=hours(1))


@pytest.mark.parametrize(
    ("kept", "at", "usable"),
    [(facts(), 24.99, True), (facts(), 25, False), (facts(lives=None), 1000, True)],
)
def test_an_access_token_is_usable_to_the_end_of_its_life(kept, at, usable):
    assert is_usable(kept, now=hours(at)) is usable


@pytest.mark.parametrize(
    ("kept", "at", "then"),
    [
        pytest.param(facts(), 20, NextTry.NOW, id="never-begun"),
        pytest.param(facts(reason="not_reached: ConnectError"), 20, NextTry.NOW, id="not-reached"),
        pytest.param(facts(started=20, tries=1), 20.1, NextTry.NOW, id="whoever-began-died"),
        pytest.param(facts(started=20, tries=1, reason="lost: x"), 21.49, NextTry.LATER, id="lost-lately"),
        pytest.param(facts(started=20, tries=1, reason="lost: x"), 21.5, NextTry.NOW, id="lost-a-while-ago"),
        pytest.param(facts(started=20, tries=1, reason="not_reached: x"), 20.1, NextTry.NOW, id="then-away"),
        pytest.param(facts(started=20, tries=2), 20.1, NextTry.NOW, id="died-twice"),
        pytest.param(facts(started=20, tries=3), 20.1, NextTry.NEVER, id="died-three-times"),
        pytest.param(facts(started=20, tries=3, reason="lost: x"), 30, NextTry.NEVER, id="lost-three-times"),
    ],
)  # fmt: skip
def test_what_may_be_spent_already_is_tried_again_a_little(kept, at, then):
    assert next_try(kept, now=hours(at)) is then


def test_a_person_need_not_wait():
    kept = facts(started=20, tries=1, reason="lost: x")
    assert next_try(kept, now=hours(20), pause=timedelta(0)) is NextTry.NOW


@pytest.mark.parametrize("setback", Setback)
@pytest.mark.parametrize("words", ["", "-14014 Invalid: refresh token."])
def test_a_reason_is_read_as_it_was_written(setback, words):
    assert read_reason(setback.because(words)) == (setback, words)
