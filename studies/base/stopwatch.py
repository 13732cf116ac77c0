"""Time without an answer, as counted by someone who polls."""

import threading
import time
from collections.abc import Callable

MAX_SECONDS_BETWEEN_LOOKS = 1.0


class Stopwatch:
    """Counts seconds since the last restart, at most one between two looks. May be used from several threads.

    The cap keeps a driver that was suspended, or waited for its database, from counting its own pause as silence of
    others.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at 0 s; `clock` returns seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Count from 0 s again."""
        with self._lock:
            self._seconds, self._looked_at = 0.0, self._clock()

    def look(self) -> float:
        """Return the seconds counted since the last restart."""
        with self._lock:
            now = self._clock()
            self._seconds += min(now - self._looked_at, MAX_SECONDS_BETWEEN_LOOKS)
            self._looked_at = now
            return self._seconds
