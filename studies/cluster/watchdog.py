"""Ray Tune's Stopper, asked at each step: ends a run that is to stop or has lost Ray, and the workers that hang."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, final

import ray
from ray import tune

from studies.base.stopwatch import Stopwatch
from studies.cluster.liveness import Liveness

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

    def update(self, number: int, epoch: int) -> None:
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


@final
class Watchdog(tune.Stopper, tune.Callback):
    """Watches over a run from within Tune, whose loop asks it at each step and tells it of every start and report.

    A worker whose trial was silent for too long is killed, and so is one that does not come up; Tune then takes it for
    lost, and `words` says why. At the end of a run every worker is killed, as one that hangs would keep Tune waiting:
    what it has not yet reported is lost either way.
    """

    def __init__(
        self, *, should_stop: Callable[[], bool], liveness: Liveness, silence: Silence | None = None
    ) -> None:
        """Watch until `should_stop`."""
        self._should_stop, self._liveness = should_stop, liveness
        self._silence = silence or Silence()
        self._actors: dict[int, Any] = {}
        self._starting: dict[int, Any] = {}

    def stop_all(self) -> bool:
        """Say whether the run is to end now."""
        if self._liveness.loss() is not None:
            self._stay()
        if self._should_stop():
            self.kill_all()
            return True
        for number in self._silence.find():
            self._kill(number)
        return False

    def kill_all(self) -> None:
        """End every worker."""
        for number in {*self._actors, *self._starting}:
            self._kill(number)

    def see_starting(self, actors: Mapping[int, Any]) -> None:
        """Take note of the workers that are being started at this step, by the numbers of their trials."""
        for number, actor in actors.items():
            if self._starting.get(number) is not actor:
                self._silence.start(number, STARTING)
        self._starting = dict(actors)

    def is_ray_lost(self) -> bool:
        """Say whether Ray is lost, so that no trial is blamed for it, as soon as that is known."""
        return self._liveness.is_lost()

    def words(self, number: int) -> str | None:
        """Say why the worker of a trial was killed; None where it was not."""
        return self._silence.words(number)

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Stop no trial by itself."""
        return False

    def on_trial_start(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Watch a trial."""
        number = _number(trial)
        self._actors[number] = trial.temporary_state.ray_actor
        self._silence.start(number)

    def on_trial_result(
        self, iteration: int, trials: Sequence[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Take note of a report."""
        self._silence.update(_number(trial), result["epoch"])

    def on_trial_complete(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Watch a trial no more."""
        self._forget(trial)

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Watch a trial no more."""
        self._forget(trial)

    def _stay(self) -> NoReturn:
        """Never return, so that Tune asks a dead Ray for nothing: a call that waits for it ends the process with it."""
        while True:
            threading.Event().wait()

    def _forget(self, trial: Any) -> None:
        self._silence.end(_number(trial))
        self._actors.pop(_number(trial), None)

    def _kill(self, number: int) -> None:
        actor = self._actors.pop(number, None) or self._starting.get(number)
        if actor is not None:
            ray.kill(actor, no_restart=True)

    def __getstate__(self) -> dict[str, Any]:
        """Keep nothing: Tune pickles its callbacks to disk."""
        return {}


def _number(trial: Any) -> int:
    number: int = trial.config["trial_spec"].number
    return number
