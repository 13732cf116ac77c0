"""The scheduler asks ASHA at rungs alone, and leaves the decision for the recorder."""

import pickle
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import TrialScheduler

from studies.base.states import Decision
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.adapters import RungScheduler
from studies.search.trial_queue import TrialQueue
from tests.studies.raytune.plans import plan


def tune_trial(queue: TrialQueue) -> Any:
    planned = queue.next_trial()
    assert isinstance(planned, PlannedTrial)
    return SimpleNamespace(config={"trial_spec": SimpleNamespace(number=planned.number)})


def test_the_worse_trial_of_a_cell_is_stopped_and_the_decision_left() -> None:
    queue = TrialQueue(plan(trials=3))
    scheduler = RungScheduler(queue)
    trials = [tune_trial(queue) for _ in range(5)]
    first, worse = trials[0], trials[4]  # four cells: the fifth trial is the first cell's second
    good, bad = {"epoch": 1, "objective": 0.2}, {"epoch": 1, "objective": 0.9}
    assert scheduler.on_trial_result(None, first, good) == TrialScheduler.CONTINUE
    assert scheduler.on_trial_result(None, worse, bad) == TrialScheduler.STOP
    assert scheduler.decisions == {1: Decision.CONTINUE, 5: Decision.STOP}


def test_between_rungs_nothing_is_decided() -> None:
    queue = TrialQueue(plan())
    scheduler = RungScheduler(queue)
    result = {"epoch": 2, "objective": 9.0}
    assert scheduler.on_trial_result(None, tune_trial(queue), result) == TrialScheduler.CONTINUE
    assert scheduler.decisions == {}


def test_tunes_metric_is_accepted_and_nothing_pickled() -> None:
    scheduler = RungScheduler(TrialQueue(plan()))
    assert scheduler.set_search_properties("objective", "min")
    assert pickle.loads(pickle.dumps(scheduler)).__dict__ == {}
