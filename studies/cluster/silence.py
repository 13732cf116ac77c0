"""How long a trial may be silent before its worker counts as hung; arithmetic alone."""

from collections import Counter
from collections.abc import Callable

from studies.base.stopwatch import Stopwatch

MIN_SECONDS_OF_SILENCE = 600.0
"""What every trial may take to its next report, of which one comes at the first epoch after 5 s, and every worker to
start: ten to twenty times what importing torch takes on a machine that does much else."""
TIMES_THE_LONGEST = 20
"""A trial may take this many times as long as any report of this run took, should that be more."""
STARTING = "while its worker started (its imports, the study's data)"
BEGINNING = "before its first report (its code is read, its networks are built, its first epoch is trained)"


class Silence:
    """Who has been silent for how long, and for how long each may be.

    A worker that hangs cannot be told from one whose epochs are long, so the limit grows with the longest time between
    two reports, and doubles for a trial each time that it was found silent: one that is slow gets through at last.
    """

    def __init__(
        self,
        *,
        min_seconds: float = MIN_SECONDS_OF_SILENCE,
        stopwatch: Callable[[], Stopwatch] = Stopwatch,
    ) -> None:
        """Allow `min_seconds` at least."""
        self._min_seconds, self._stopwatch = min_seconds, stopwatch
        self._longest = 0.0
        self._running: dict[int, Stopwatch] = {}
        self._doing: dict[int, str] = {}
        self._num_times: Counter[int] = Counter()
        self._ended_after: dict[int, float] = {}

    def start(self, number: int, doing: str = BEGINNING) -> None:
        """Take note that a trial, or its worker, was started, or started again."""
        self._running[number], self._doing[number] = self._stopwatch(), doing
        self._ended_after.pop(number, None)

    def hear(self, number: int, epoch: int) -> None:
        """Take note of a report."""
        if number in self._running:
            self._longest = max(self._longest, self._running[number].look())
            self._running[number].restart()
            self._doing[number] = f"after epoch {epoch}"

    def end(self, number: int) -> None:
        """Take note that a trial is not running any more."""
        self._running.pop(number, None)

    def limit(self, number: int) -> float:
        """Return the seconds that a trial may be silent."""
        usual = max(self._min_seconds, TIMES_THE_LONGEST * self._longest)
        return usual * 2.0 ** self._num_times[number]

    def find(self) -> list[int]:
        """Return the trials that have been silent for too long; each is found once, until it is started again."""
        seconds = {number: stopwatch.look() for number, stopwatch in self._running.items()}
        silent = [number for number in seconds if seconds[number] > self.limit(number)]
        for number in silent:
            self._ended_after[number] = seconds[number]
            self._num_times[number] += 1
            self.end(number)
        return silent

    def words(self, number: int) -> str | None:
        """Say that a trial was found silent since it was last started; None of one that was not."""
        seconds = self._ended_after.get(number)
        if seconds is None:
            return None
        doing = self._doing[number]
        return f"the trial was silent for {seconds:.0f} s {doing} and taken to hang, so its worker was killed"
