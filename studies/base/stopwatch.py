"""How long nothing was heard, as somebody who looks again and again can say it."""

import threading
import time
from collections.abc import Callable

MAX_SECONDS_BETWEEN_LOOKS = 1.0


class Stopwatch:
    """Counts the seconds since it was restarted, but only while somebody looks.

    Between two looks at most a second is counted: a driver that was stopped, or waited for its database, has heard
    nothing meanwhile and blames nobody for it. May be used from several threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start at 0."""
        self._clock = clock
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """Count from 0 again: something was heard."""
        with self._lock:
            self._seconds, self._looked_at = 0.0, self._clock()

    def look(self) -> float:
        """Return the seconds counted."""
        with self._lock:
            now = self._clock()
            self._seconds += min(now - self._looked_at, MAX_SECONDS_BETWEEN_LOOKS)
            self._looked_at = now
            return self._seconds
