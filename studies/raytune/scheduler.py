"""Ray Tune's scheduler: asks the agenda at each rung and leaves the decision for the recorder."""

from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from studies.base.states import Decision
from studies.raytune.ended_trials import EndedTrials
from studies.search.trial_queue import Agenda


class RungScheduler(FIFOScheduler):
    """Starts trials in the order in which the agenda names them and stops those that ASHA stops.

    `decisions` holds ASHA's latest decision on a trial until the recorder takes it: Tune asks the scheduler before
    it calls the recorder, so that a result and the decision on it become one transaction.
    """

    def __init__(self, agenda: Agenda) -> None:
        """Decide with `agenda`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._agenda = agenda
        self._ended = EndedTrials()
        self.decisions: dict[int, Decision] = {}

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Accept the objective, which the agenda knows already."""
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
        number = trial.config["assignment"].number
        decision = self._agenda.decide(number, epoch=result["epoch"], objective=result["objective"])
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
