"""How many trials are handed out, and how many workers each gets: several where its replicates can be trained apart."""

import math
from collections.abc import Callable, Sequence
from typing import Any, final

from ray import tune

from trainables import models
from trainables.base.records import TrialReport
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.code import OWN

MIN_SECONDS = 30.0
"""A trial shorter than this on one worker gets no further workers, as starting these would take longer."""
TRIALS_UNTIL_MORE = 10
"""After this many trials that did not run out of memory, the number of concurrent workers is raised by one."""


@final
class WorkerAllocation(tune.Callback):
    """Divides workers among trials whose networks cannot be stacked; every other trial has one worker.

    A trial gets an even share of the workers that are free when it is handed out, and never waits for another trial.
    As a Tune callback it learns of reports and ends. After memory ran low it limits the number of busy workers.

    The number of workers may change meanwhile, as nodes join and leave or other studies share them: trials that run
    go on, and no more are handed out until fewer workers are taken.
    """

    def __init__(self, *, num_workers: Callable[[], int], model: str) -> None:
        """Divide the workers, whose number now `num_workers` returns, among trials that train `model`."""
        self._num_workers, self._spreads = num_workers, not has_stacked_form(model)
        self._most: int | None = None
        """How many workers may be taken since memory ran low; None if it never did, or has sufficed for long."""
        self._num_ended = 0
        self._taken: dict[int, int] = {}
        self._busy_seconds, self._network_epochs = 0.0, 0

    @property
    def divides(self) -> bool:
        """Whether a trial's share of the workers depends on how many other trials wait."""
        return self._spreads

    @property
    def _limit(self) -> int:
        now = max(1, self._num_workers())
        return now if self._most is None else min(self._most, now)

    def is_full(self) -> bool:
        """Return whether as many workers are taken as there may be, or more."""
        return sum(self._taken.values()) >= self._limit

    def give_up_one(self) -> str:
        """Lower the limit on concurrent workers by one and return it as text; called when memory ran low."""
        self._most = max(1, min(self._limit - 1, sum(self._taken.values())))
        self._num_ended = 0
        return f"{self._most} of {self._num_workers()} workers at a time"

    def take_back_all(self) -> None:
        """Free the workers of every trial, as after all were lost."""
        self._taken.clear()

    def give(self, trial_spec: TrialSpec, *, num_waiting: Callable[[], int]) -> int:
        """Return how many workers train the trial; `num_waiting` returns how many others could be handed out now."""
        if not self._spreads:
            self._taken[trial_spec.number] = 1
            return 1
        free = max(1, self._limit - sum(self._taken.values()))
        even = free // (1 + num_waiting()) if self._is_long(trial_spec) else 1
        given = self._taken[trial_spec.number] = spread(len(trial_spec.seeds), even)
        return given

    def on_trial_result(
        self, iteration: int, trials: Sequence[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Measure how long an epoch takes."""
        report: TrialReport = result["report"]
        self._busy_seconds += report.busy_seconds
        self._network_epochs += sum(record.epoch > 0 for record in report.epochs)

    def on_trial_complete(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Take a trial's workers back."""
        self._taken.pop(trial.config["trial_spec"].number, None)
        self._num_ended += 1
        if self._num_ended >= TRIALS_UNTIL_MORE and self._most is not None:
            more = self._most + 1
            self._most, self._num_ended = None if more >= self._num_workers() else more, 0

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        """Take a trial's workers back."""
        self._taken.pop(trial.config["trial_spec"].number, None)

    def _is_long(self, trial_spec: TrialSpec) -> bool:
        """Return whether a trial is long enough for more workers; the first ones are, as their workers start anyway."""
        if not self._network_epochs:
            return True
        pace = self._busy_seconds / self._network_epochs
        return pace * trial_spec.epochs * len(trial_spec.seeds) >= MIN_SECONDS

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing: Tune pickles its callbacks to disk."""
        return {}


def has_stacked_form(model: str) -> bool:
    """Return whether replicates of a model are trained as one stack."""
    return model != OWN and models.plain_build(model) is None


def spread(num_replicates: int, num_free: int) -> int:
    """Return the smallest number of workers that finishes as soon as `num_free` workers would.

    >>> spread(10, 7), spread(3, 8), spread(10, 0)
    (5, 3, 1)
    """
    most = math.ceil(num_replicates / max(1, num_free))
    return math.ceil(num_replicates / most)
