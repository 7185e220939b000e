"""How a step is run: plainly here, as a Prefect flow in production; the sequence is the same."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

# How much time has passed since a run read the clock; a long run must not live in the past.
Elapsed = Callable[[], timedelta]


class Run(Protocol):
    """Runs one step of the sequence and returns what the step returns."""

    def __call__(self, step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call the step with these arguments."""


def plainly(step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a step as the function it is, without the engine."""
    return step(*args, **kwargs)


def standing_still() -> timedelta:
    """Return that no time has passed: on a simulated clock a run takes none."""
    return timedelta(0)


def stopwatch() -> Elapsed:
    """Return a function that says how long ago this was called."""
    began = time.monotonic()
    return lambda: timedelta(seconds=time.monotonic() - began)
