"""Ray Tune's Stopper: ends a run that is to stop or has lost Ray, and kills workers that hang."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, final

import ray
from ray import tune

from studies.base.stopwatch import Stopwatch
from studies.cluster.liveness import Liveness

MIN_STALL_SECONDS = 600.0
"""Least time limit in seconds, both between two reports of a trial (the first comes at the first epoch after 5 s) and
for the start of a worker: ten to twenty times what importing torch takes on a busy machine."""
TIMES_THE_LONGEST = 20
"""The limit is at least this many times the longest time between two reports of this run."""
STARTING = "while its worker started (its imports, the study's data)"
BEGINNING = "before its first report (its code is read, its networks are built, its first epoch is trained)"


class StallDetector:
    """Measures the time since each trial's last report, and finds trials that exceed their limit.

    A worker that hangs looks like one whose epochs are long. So the limit grows with the longest time between two
    reports, and doubles for a trial each time that it is exceeded: a slow trial succeeds in the end.
    """

    def __init__(
        self,
        *,
        min_seconds: float = MIN_STALL_SECONDS,
        stopwatch: Callable[[], Stopwatch] = Stopwatch,
    ) -> None:
        """Allow at least `min_seconds` between reports."""
        self._min_seconds, self._stopwatch = min_seconds, stopwatch
        self._longest = 0.0
        self._running: dict[int, Stopwatch] = {}
        self._doing: dict[int, str] = {}
        self._num_times: Counter[int] = Counter()
        self._ended_after: dict[int, float] = {}

    def start(self, number: int, doing: str = BEGINNING) -> None:
        """Start measuring, when a trial or its worker was started; `doing` says what it does, for the message."""
        self._running[number], self._doing[number] = self._stopwatch(), doing
        self._ended_after.pop(number, None)

    def update(self, number: int, epoch: int) -> None:
        """Record a trial's report after `epoch`."""
        if number in self._running:
            self._longest = max(self._longest, self._running[number].look())
            self._running[number].restart()
            self._doing[number] = f"after epoch {epoch}"

    def end(self, number: int) -> None:
        """Stop measuring a trial."""
        self._running.pop(number, None)

    def limit(self, number: int) -> float:
        """Return the longest time in seconds that a trial may take between reports."""
        usual = max(self._min_seconds, TIMES_THE_LONGEST * self._longest)
        return usual * 2.0 ** self._num_times[number]

    def find(self) -> list[int]:
        """Return the trials that exceed their limit; each is returned once, until it is started again."""
        seconds = {number: stopwatch.look() for number, stopwatch in self._running.items()}
        silent = [number for number in seconds if seconds[number] > self.limit(number)]
        for number in silent:
            self._ended_after[number] = seconds[number]
            self._num_times[number] += 1
            self.end(number)
        return silent

    def words(self, number: int) -> str | None:
        """Return a message about a trial that exceeded its limit since its last start; None for any other trial."""
        seconds = self._ended_after.get(number)
        if seconds is None:
            return None
        doing = self._doing[number]
        return f"the trial was silent for {seconds:.0f} s {doing} and taken to hang, so its worker was killed"


@final
class Watchdog(tune.Stopper, tune.Callback):
    """Watches a run from within Tune, which asks it at each step and calls it at every start and report.

    It kills the worker of a trial that exceeds its time limit, and one that does not come up; Tune then treats it as
    lost, and `words` explains why. At the end of a run it kills every worker, because Tune would wait for one that
    hangs; what these have not reported yet is lost either way.
    """

    def __init__(
        self, *, should_stop: Callable[[], bool], liveness: Liveness, stalls: StallDetector | None = None
    ) -> None:
        """Watch until `should_stop` returns True."""
        self._should_stop, self._liveness = should_stop, liveness
        self._stalls = stalls or StallDetector()
        self._actors: dict[int, Any] = {}
        self._starting: dict[int, Any] = {}

    def stop_all(self) -> bool:
        """Return whether the run should end now; kill workers that hang."""
        if self._liveness.loss() is not None:
            self._stay()
        if self._should_stop():
            self.kill_all()
            return True
        for number in self._stalls.find():
            self._kill(number)
        return False

    def kill_all(self) -> None:
        """Kill every worker."""
        for number in {*self._actors, *self._starting}:
            self._kill(number)

    def see_starting(self, actors: Mapping[int, Any]) -> None:
        """Record the workers that are starting at this step, by trial number."""
        for number, actor in actors.items():
            if self._starting.get(number) is not actor:
                self._stalls.start(number, STARTING)
        self._starting = dict(actors)

    def has_workers(self) -> bool:
        """Return whether any worker is starting or training."""
        return bool(self._actors or self._starting)

    def is_ray_lost(self) -> bool:
        """Return whether Ray is lost, in which case no trial is blamed; blocks until that is known."""
        return self._liveness.is_lost()

    def words(self, number: int) -> str | None:
        """Return why a trial's worker was killed; None if it was not."""
        return self._stalls.words(number)

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Return False: single trials are stopped by the scheduler."""
        return False

    def on_trial_start(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Start watching a trial."""
        number = _number(trial)
        self._actors[number] = trial.temporary_state.ray_actor
        self._stalls.start(number)

    def on_trial_result(
        self, iteration: int, trials: Sequence[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Record a report."""
        self._stalls.update(_number(trial), result["epoch"])

    def on_trial_complete(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Stop watching a trial."""
        self._forget(trial)

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Stop watching a trial."""
        self._forget(trial)

    def _stay(self) -> NoReturn:
        """Block for ever, so that Tune calls a dead Ray no more: such a call would hang or end the process."""
        while True:
            threading.Event().wait()

    def _forget(self, trial: Any) -> None:
        self._stalls.end(_number(trial))
        self._actors.pop(_number(trial), None)

    def _kill(self, number: int) -> None:
        actor = self._actors.pop(number, None) or self._starting.get(number)
        if actor is not None:
            ray.kill(actor, no_restart=True)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing: Tune pickles its callbacks to disk."""
        return {}


def _number(trial: Any) -> int:
    number: int = trial.config["trial_spec"].number
    return number
