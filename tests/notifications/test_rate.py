"""Calls are spaced so that no minute holds more than it may; by a clock of the test's own."""

from threading import Thread

import pytest

from notifications.rate import Rate


class Clock:
    """Passes only while somebody sleeps, and remembers for how long."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def waited(rate: Rate, clock: Clock, times: int) -> list[float]:
    for _ in range(times):
        rate.wait()
    return clock.slept


@pytest.mark.parametrize(
    ("per_minute", "slept"),
    [(60, [1.0, 1.0, 1.0]), (120, [0.5, 0.5, 0.5]), (3000, [0.02, 0.02, 0.02]), (0, [])],
)
def test_calls_are_spaced_over_the_minute(per_minute: int, slept: list[float]) -> None:
    clock = Clock()
    rate = Rate(per_minute, clock=clock, sleep=clock.sleep)
    assert waited(rate, clock, 4) == pytest.approx(slept)


def test_time_that_has_passed_is_not_waited_for_again() -> None:
    clock = Clock()
    rate = Rate(60, clock=clock, sleep=clock.sleep)
    rate.wait()
    clock.now += 0.75
    rate.wait()
    clock.now += 30
    rate.wait()
    assert clock.slept == [0.25]


def test_quiet_minute_is_not_made_up_for() -> None:
    clock = Clock()
    rate = Rate(60, clock=clock, sleep=clock.sleep)
    clock.now += 600
    assert waited(rate, clock, 3) == [1.0, 1.0]


@pytest.mark.parametrize("per_minute", [60, 0])
def test_nobody_goes_while_it_is_held_back(per_minute: int) -> None:
    clock = Clock()
    rate = Rate(per_minute, clock=clock, sleep=clock.sleep)
    rate.hold_back(5)
    assert rate.wait_ahead() == 5.0
    assert waited(rate, clock, 1) == [5.0]


def test_longer_wait_outlasts_a_shorter_one() -> None:
    clock = Clock()
    rate = Rate(0, clock=clock, sleep=clock.sleep)
    rate.hold_back(5)
    rate.hold_back(2)
    assert waited(rate, clock, 2) == [5.0]


def test_wait_ahead_is_that_of_the_next_call() -> None:
    clock = Clock()
    rate = Rate(60, clock=clock, sleep=clock.sleep)
    assert rate.wait_ahead() == 0.0
    rate.wait()
    assert rate.wait_ahead() == 1.0
    clock.now += 4
    assert rate.wait_ahead() == 0.0


def test_each_of_many_threads_gets_a_place_of_its_own() -> None:
    slept: list[float] = []
    rate = Rate(60, clock=lambda: 0.0, sleep=slept.append)
    threads = [Thread(target=rate.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [float(place) for place in range(1, 20)]
