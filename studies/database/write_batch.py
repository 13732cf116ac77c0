"""What waits in memory to be written: what a caller waits for, and what may wait for company."""

import time
from typing import Final, final

from studies.database.writes import Write

MAX_SECONDS_DEFERRED: Final = 0.2
"""How long a trial's start waits for another write to go along with."""
SECONDS_AFTER_REFUSAL: Final = 60.0


@final
class Offer:
    """Writes of one transaction, and what came of them; a caller waits for it, unless all were deferred."""

    def __init__(self, *writes: Write) -> None:
        """Nothing has come of it yet."""
        self.writes = writes
        self.is_written = False
        self.error: Exception | None = None


@final
class Deferred:
    """Writes that go along with the next one, or alone when that does not come soon."""

    def __init__(self) -> None:
        """There are none."""
        self.writes: list[Write] = []
        self._until = 0.0

    def add(self, write: Write) -> None:
        """Let a write wait."""
        self.writes.append(write)
        self._until = time.monotonic() + MAX_SECONDS_DEFERRED

    def overdue(self) -> Offer | None:
        """Return what nothing came along for, once its time is over."""
        return Offer(*self.writes) if self.writes and time.monotonic() >= self._until else None

    def hasten(self) -> None:
        """Let them wait no longer."""
        self._until = 0.0

    def seconds_left(self) -> float | None:
        """Return the time until then; None where nothing waits."""
        return self._until - time.monotonic() if self.writes else None

    def drop(self, writes: tuple[Write, ...]) -> None:
        """Forget those that have been written or kept elsewhere."""
        self.writes = [write for write in self.writes if not any(write is each for each in writes)]

    def leave_to_next(self) -> None:
        """Leave it to the next write to meet with what these were refused for."""
        self._until = time.monotonic() + SECONDS_AFTER_REFUSAL
