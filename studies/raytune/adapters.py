"""Adapters that Ray Tune calls: the searcher, the scheduler, and the removal of ended trials from Tune's memory."""

from collections.abc import Callable
from typing import Any, final

from ray.tune import Callback
from ray.tune.progress_reporter import ProgressReporter, TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from studies.base.errors import StudiesError
from studies.base.states import Decision
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.worker_allocation import WorkerAllocation
from studies.search.trial_queue import QueueStatus, TrialQueue


class QueueSearcher(Searcher):
    """Suggests the queue's next trial; Optuna is given results by the recorder, after they are stored.

    It never raises, because an exception here would kill the Tune run: if the search space is exhausted, it keeps the
    error in `failure`, and the run is stopped.
    """

    def __init__(
        self,
        queue: TrialQueue,
        *,
        metric: str,
        mode: str,
        announce: Callable[[PlannedTrial], bool],
        hand_out: Callable[[PlannedTrial], dict[str, Any] | None],
        go_on: Callable[[], bool],
        allocation: WorkerAllocation,
    ) -> None:
        """`announce` adds a trial's row, `hand_out` commits it and returns the configuration for Tune to send.

        They return False and None if that was not possible. No trial is suggested while all workers are taken. When the
        queue is finished, `go_on` may open the next look, and then returns True.
        """
        super().__init__(metric=metric, mode=mode)
        self._queue = queue
        self._announce, self._hand_out, self._go_on = announce, hand_out, go_on
        self._allocation = allocation
        self._ahead: PlannedTrial | None = None
        self.failure: StudiesError | None = None

    def set_max_concurrency(self, max_concurrent: int) -> bool:
        """Return True: the allocation limits the trials at a time, whose number Tune could not change in a run."""
        return True

    def suggest(self, trial_id: str) -> Any:
        """Return the next configuration, None while there is none yet, FINISHED after the last one or a failure.

        If no trial runs after None, Tune asks again for ten minutes without handling anything else. The allocation is
        never full while none is handed out.
        """
        if self._allocation.is_full():
            return None
        if self._ahead is not None:
            ready, self._ahead = self._ahead, None
            return self._hand_out(ready) or Searcher.FINISHED
        try:
            trial = self._queue.next_trial()
            while trial is QueueStatus.FINISHED and self._go_on():
                trial = self._queue.next_trial()
        except StudiesError as error:
            self.failure = error
            return Searcher.FINISHED
        if trial is QueueStatus.FINISHED:
            return Searcher.FINISHED
        if trial is QueueStatus.WAITING:
            return None
        assert isinstance(trial, PlannedTrial)
        return (self._announce(trial) and self._hand_out(trial)) or Searcher.FINISHED

    def look_ahead(self) -> None:
        """Propose and add the next trial while workers train, so that the one that becomes free need not wait."""
        if self._ahead is not None or self.failure is not None or self._allocation.divides:
            return
        try:
            trial = self._queue.next_ahead()
        except StudiesError as error:
            self.failure = error
            return
        if trial is not None and self._announce(trial):
            self._ahead = trial

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the recorder has updated the queue already."""

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: a study is resumed from the database, and Tune's snapshot is never read."""

    def restore(self, checkpoint_path: str) -> None:
        """Refuse: a study is resumed from the database."""
        raise NotImplementedError("a study is resumed by giving its command again")

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing."""
        return {}


class RungScheduler(FIFOScheduler):
    """Starts trials in the order of the queue and stops those that ASHA stops.

    `decisions` holds ASHA's latest decision on a trial until the recorder takes it: Tune calls the scheduler before
    the recorder, which writes a result and the decision on it in one transaction.
    """

    def __init__(self, queue: TrialQueue) -> None:
        """Ask `queue` for the decisions."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._queue = queue
        self._ended = EndedTrials()
        self.decisions: dict[int, Decision] = {}

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Accept the objective, which the queue knows already."""
        return True

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none, so that Tune starts waiting trials itself, in their order.

        A chosen trial would take the first worker that becomes free, and the worker being started for it would be
        given up: where trials are shorter than the start of a worker, no further worker would ever start.

        Tune calls this at every step, before it uses its list of trials: the safe moment to remove ended ones.
        """
        self._ended.forget(tune_controller)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return STOP where ASHA stops the trial, CONTINUE otherwise."""
        number = trial.config["trial_spec"].number
        decision = self._queue.decide(number, epoch=result["epoch"], objective=result["objective"])
        if decision is None:
            return str(TrialScheduler.CONTINUE)
        self.decisions[number] = decision
        return str(TrialScheduler.STOP if decision is Decision.STOP else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Note a completed trial for removal."""
        self._ended.add(trial)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Note a trial whose worker was lost for removal."""
        self._ended.add(trial)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Note a trial that ended before it ran for removal."""
        self._ended.add(trial)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing: Tune's snapshot is never read."""
        return {}


@final
class EndedTrials:
    """Ended trials that are still to be removed from Tune's collections.

    When a run ends, Tune goes through all trials that it keeps, writes them down and looks for result files of each;
    it needs none of them, since the database has everything.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._waiting: list[Any] = []

    def add(self, trial: Any) -> None:
        """Note a trial that is ending; Tune still uses it until its next step."""
        self._waiting.append(trial)

    def forget(self, tune_controller: Any) -> None:
        """Remove the ended trials from Tune's collections, which is safe between two of its steps.

        The collections are private attributes of Ray's; one that a version of Ray does not have is skipped.
        """
        if not self._waiting:
            return
        ended = [trial for trial in self._waiting if trial.is_finished()]
        self._waiting = [trial for trial in self._waiting if not trial.is_finished()]
        controller = getattr(tune_controller, "_tune_controller", tune_controller)
        for trial in ended:
            for name, take_out in COLLECTIONS.items():
                collection = getattr(controller, name, None)
                if collection is not None:
                    take_out(collection, trial)


def _remove(trials: list[Any], trial: Any) -> None:
    if trial in trials:
        trials.remove(trial)


def _discard(trials: set[Any], trial: Any) -> None:
    trials.discard(trial)


def _pop(by_id: dict[str, Any], trial: Any) -> None:
    by_id.pop(trial.trial_id, None)


COLLECTIONS: dict[str, Callable[[Any, Any], None]] = {
    "_trials": _remove,
    "_stopped_trials": _discard,
    "_failed_trials": _discard,
    "_trials_to_cache": _discard,
    "_trial_metadata": _pop,
}
"""The collections in which Ray 2.60 keeps ended trials, and how a trial is removed from each."""


@final
class LooksAhead(Callback):
    """Has the searcher propose the next trial at the end of each of Tune's steps, after a worker got its work."""

    def __init__(self, searcher: QueueSearcher) -> None:
        """Look ahead with `searcher`."""
        self._searcher = searcher

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Propose the next trial unless one is waiting."""
        self._searcher.look_ahead()

    def __getstate__(self) -> dict[str, Any]:
        """Pickle nothing: Tune pickles its callbacks to disk."""
        return {}


@final
class NoTrialProgress(TrialProgressCallback):
    """Replaces Tune's own progress callback, which keeps every trial in memory and prints."""

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Do nothing."""

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Do nothing."""

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Do nothing."""


@final
class NoReport(ProgressReporter):
    """Replaces Tune's own report, which in a notebook clears what the cell has put out and puts itself there."""

    def should_report(self, trials: list[Any], done: bool = False) -> bool:
        """Return False."""
        return False

    def report(self, trials: list[Any], done: bool, *sys_info: Any) -> None:
        """Do nothing."""
