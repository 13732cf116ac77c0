"""What Ray Tune is given to call: the searcher, the scheduler, and a callback that forgets ended trials."""

from collections.abc import Callable
from typing import Any, final

from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from studies.base.errors import StudiesError
from studies.base.states import Decision
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.worker_allocation import Sharing
from studies.search.trial_queue import QueueStatus, TrialQueue


class QueueSearcher(Searcher):
    """Suggests what the queue names next; Optuna learns of results through the recorder, after they are stored.

    It never raises, because an exception here would kill the Tune run: where the queue has nothing left to propose
    it keeps the error in `failure`, and the run is stopped.
    """

    def __init__(
        self,
        queue: TrialQueue,
        *,
        metric: str,
        mode: str,
        hand_out: Callable[[PlannedTrial], dict[str, Any] | None],
        sharing: Sharing,
    ) -> None:
        """`hand_out` commits a trial's row and returns the configuration that Tune carries to a worker.

        It returns None where the row could not be committed. Nothing is handed out while all workers are taken.
        """
        super().__init__(metric=metric, mode=mode)
        self._queue = queue
        self._hand_out, self._sharing = hand_out, sharing
        self.failure: StudiesError | None = None

    def suggest(self, trial_id: str) -> Any:
        """Return the next configuration, None while there is none yet, FINISHED after the last or a failure.

        With None and no trial running, Tune would ask again for ten minutes and hear nothing else meanwhile.
        """
        if self._sharing.is_full():
            return None
        try:
            trial = self._queue.next_trial()
        except StudiesError as error:
            self.failure = error
            return Searcher.FINISHED
        if trial is QueueStatus.FINISHED:
            return Searcher.FINISHED
        if trial is QueueStatus.WAITING:
            return None
        assert isinstance(trial, PlannedTrial)
        return self._hand_out(trial) or Searcher.FINISHED

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Do nothing: the recorder has told the queue."""

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing: the database is the truth, and a snapshot is never read."""

    def restore(self, checkpoint_path: str) -> None:
        """Refuse: a study is resumed from the database."""
        raise NotImplementedError("a study is resumed by giving its command again")

    def __getstate__(self) -> dict[str, Any]:
        """Keep nothing."""
        return {}


class RungScheduler(FIFOScheduler):
    """Starts trials in the order in which the queue names them and stops those that ASHA stops.

    `decisions` holds ASHA's latest decision on a trial until the recorder takes it: Tune asks the scheduler before
    it calls the recorder, so that a result and the decision on it become one transaction.
    """

    def __init__(self, queue: TrialQueue) -> None:
        """Decide with `queue`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._queue = queue
        self._ended = EndedTrials()
        self.decisions: dict[int, Decision] = {}

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Accept the objective, which the queue knows already."""
        return True

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none, so that Tune starts waiting trials by itself, in their order.

        A trial that is chosen takes the first worker that becomes free, and the worker that is being started for it is
        given up. Where trials take less time than a worker's start, that worker would never come.

        Tune asks at each step, before it looks at its trials: the moment to make it forget those that have ended.
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
        """Take note that a trial has ended."""
        self._ended.add(trial)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Take note that a trial's worker was lost."""
        self._ended.add(trial)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """Take note that a trial ended before it ran."""
        self._ended.add(trial)

    def __getstate__(self) -> dict[str, Any]:
        """Keep nothing: the database is the truth, and a snapshot is never read."""
        return {}


@final
class EndedTrials:
    """Trials that have ended, until Tune has forgotten them.

    Tune goes through all it keeps when a run ends, writes them down and looks for result files of each; it needs none,
    since the database has everything.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: list[Any] = []

    def add(self, trial: Any) -> None:
        """Take note of a trial that ends; Tune still works on it until its next step."""
        self._waiting.append(trial)

    def forget(self, tune_controller: Any) -> None:
        """Take what has ended out of Tune's collections, which is safe between two of its steps.

        Their names are Ray's own business: where a version of Ray has none of a name, that one is left alone.
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
"""Where Ray 2.60 keeps trials that have ended, and how one is taken out of each."""


@final
class NoTrialProgress(TrialProgressCallback):
    """Stands where Tune would put a callback of its own that keeps every trial, to print what nobody asked for."""

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Print nothing, and keep nothing."""

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Print nothing, and keep nothing."""

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Print nothing, and keep nothing."""
