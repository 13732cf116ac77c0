"""Retrying while a storage is unreachable, and for how long."""

import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from studies.database.engines.problems import OutageError

MAX_SECONDS_OUT: Final = 120.0
"""How long a run waits for an unreachable storage where it cannot continue without: to read, and at its end."""
SECONDS_TO_STOP: Final = 2.0
"""How long anything is waited for once the run is to stop."""

T = TypeVar("T")


class RetryLimit:
    """A time limit in seconds, shortened to SECONDS_TO_STOP once the run is to stop."""

    def __init__(self, seconds: float, should_stop: Callable[[], bool]) -> None:
        """Start now."""
        self._seconds, self._should_stop = seconds, should_stop
        self._since = time.monotonic()
        self._asked_to_stop: float | None = None

    def is_over(self, last_success: float = 0.0) -> bool:
        """Return whether the time is over; it counts from `last_success`, a value of time.monotonic(), if later."""
        now = time.monotonic()
        if self._asked_to_stop is None and self._should_stop():
            self._asked_to_stop = now
        if self._asked_to_stop is not None and now - self._asked_to_stop > SECONDS_TO_STOP:
            return True
        return now - max(self._since, last_success) > self._seconds


def pauses() -> Iterator[float]:
    """Yield seconds to wait between tries: 0.05, doubled up to 1."""
    pause = 0.05
    while True:
        yield pause
        pause = min(2 * pause, 1.0)


def retry(
    action: Callable[[], T],
    *,
    max_seconds: float = MAX_SECONDS_OUT,
    should_stop: Callable[[], bool] = lambda: False,
) -> T:
    """Call `action`, which must be repeatable, until the storage is reachable; raise its OutageError after a while."""
    patience = RetryLimit(max_seconds, should_stop)
    for pause in pauses():
        try:
            return action()
        except OutageError:
            if patience.is_over():
                raise
        time.sleep(pause)
    raise AssertionError("pauses end never")
