"""Tune forgets a trial once it has ended, whatever of Tune's collections a version of Ray has."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from studies.raytune.adapters import COLLECTIONS, EndedTrials, RungScheduler
from studies.search.trial_queue import TrialQueue
from tests.studies.raytune.plans import plan


@dataclass(eq=False)
class TuneTrial:
    trial_id: str
    has_ended: bool = False

    def is_finished(self) -> bool:
        return self.has_ended


@dataclass
class Controller:
    """Tune's, as far as it keeps trials."""

    _trials: list[Any] = field(default_factory=list)
    _stopped_trials: set[Any] = field(default_factory=set)
    _failed_trials: set[Any] = field(default_factory=set)
    _trials_to_cache: set[Any] = field(default_factory=set)
    _trial_metadata: dict[str, Any] = field(default_factory=dict)

    def keep(self, trial: TuneTrial) -> TuneTrial:
        self._trials.append(trial)
        for trials in (self._stopped_trials, self._failed_trials, self._trials_to_cache):
            trials.add(trial)
        self._trial_metadata[trial.trial_id] = "{}"
        return trial

    def kept(self) -> list[set[str]]:
        """Return the names of the trials in each collection."""
        trials = (self._trials, self._stopped_trials, self._failed_trials, self._trials_to_cache)
        return [*({trial.trial_id for trial in some} for some in trials), set(self._trial_metadata)]


def test_what_has_ended_is_forgotten_and_the_rest_kept() -> None:
    controller, ended = Controller(), EndedTrials()
    for name in ("first", "second"):
        ended.add(controller.keep(TuneTrial(name, has_ended=True)))
    controller.keep(TuneTrial("running"))
    ended.forget(controller)
    assert controller.kept() == [{"running"}] * 5


def test_a_trial_that_tune_still_works_on_waits_until_it_has_ended() -> None:
    controller, ended = Controller(), EndedTrials()
    trial = controller.keep(TuneTrial("ending"))
    ended.add(trial)
    ended.forget(controller)
    assert controller.kept() == [{"ending"}] * 5
    trial.has_ended = True
    ended.forget(controller)
    assert controller.kept() == [set()] * 5


@pytest.mark.parametrize("missing", COLLECTIONS)
def test_a_collection_that_a_version_of_ray_lacks_is_left_alone(missing: str) -> None:
    controller, ended = Controller(), EndedTrials()
    ended.add(controller.keep(TuneTrial("ended", has_ended=True)))
    delattr(controller, missing)
    ended.forget(controller)
    assert all(not getattr(controller, name) for name in COLLECTIONS if name != missing)


@pytest.mark.parametrize("how", ["on_trial_complete", "on_trial_error", "on_trial_remove"])
def test_the_scheduler_lets_tune_forget_at_its_next_step(how: str) -> None:
    controller = Controller()
    trial = controller.keep(TuneTrial("ended", has_ended=True))
    scheduler = RungScheduler(TrialQueue(plan()))
    getattr(scheduler, how)(controller, trial, *([{}] if how == "on_trial_complete" else []))
    assert controller.kept() == [{"ended"}] * 5
    scheduler.choose_trial_to_run(SimpleNamespace(_tune_controller=controller))  # as Tune wraps it
    assert controller.kept() == [set()] * 5
