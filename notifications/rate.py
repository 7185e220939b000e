"""A rate limit kept in the transport: calls are spaced so that no minute holds more than it may."""

import time
from collections.abc import Callable
from threading import Lock


class Rate:
    """At most `per_minute` calls a minute for everybody who asks this object; 0 is no limit.

    May be asked from several threads. `clock` and `sleep` are in seconds.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pause = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free_at = clock()
        self._lock = Lock()

    def wait_ahead(self) -> float:
        """Return how many seconds whoever asks now would have to wait."""
        return max(0.0, self._free_at - self._clock())

    def wait(self) -> None:
        """Wait for the next free place and take it."""
        with self._lock:
            now = self._clock()
            begins = max(now, self._free_at)
            self._free_at = begins + self._pause
        if begins > now:
            self._sleep(begins - now)

    def hold_back(self, seconds: float) -> None:
        """Let nobody through for so long: the provider has said that its limit is near."""
        with self._lock:
            self._free_at = max(self._free_at, self._clock() + seconds)
