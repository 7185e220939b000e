"""How a step is run: plainly here, as a Prefect flow in production; the sequence is the same."""

from collections.abc import Callable
from typing import Any, Protocol


class Run(Protocol):
    """Runs one step of the sequence and returns what the step returns."""

    def __call__(self, step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call the step with these arguments."""


def plainly(step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a step as the function it is, without the engine."""
    return step(*args, **kwargs)
