"""Making Ray Tune forget the trials that have ended: it would keep each of them, some 35 KiB, to the end."""

from collections.abc import Callable
from typing import Any, final

from ray.tune.progress_reporter import TrialProgressCallback


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
