"""The searcher hands out what the queue names, and ends a run in words rather than by an exception."""

import pickle
from collections.abc import Callable
from typing import Any

from ray.tune.search import Searcher

from studies.base.errors import StudiesError
from studies.base.states import TrialState, Until
from studies.database.store import Store
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.adapters import QueueSearcher
from studies.raytune.worker_allocation import WorkerAllocation
from studies.search.trial_queue import TrialQueue
from tests.studies.raytune.driving import drive
from tests.studies.raytune.plans import plan


def make(
    queue: TrialQueue, *, stores: bool = True, go_on: Callable[[], bool] = lambda: False
) -> tuple[QueueSearcher, list[int]]:
    handed: list[int] = []

    def hand_out(trial: PlannedTrial) -> dict[str, Any] | None:
        handed.append(trial.number)
        return {"number": trial.number} if stores else None

    allocation = WorkerAllocation(num_workers=2, model="mlp")
    searcher = QueueSearcher(
        queue, metric="objective", mode="min", hand_out=hand_out, go_on=go_on, allocation=allocation
    )
    return searcher, handed


def test_it_hands_out_the_agendas_trials_and_waits_between_the_phases() -> None:
    searcher, handed = make(TrialQueue(plan(trials=1)))
    assert [searcher.suggest("tune's id") for _ in range(4)] == [{"number": n} for n in (1, 2, 3, 4)]
    assert searcher.suggest("tune's id") is None, "the confirm phase waits for the search"
    assert handed == [1, 2, 3, 4]


def test_it_goes_on_to_the_next_look_once_the_queue_is_finished(store: Store) -> None:
    looking = plan(looks=(10, 20))
    queue = drive(looking, store, until=Until.LOOK)
    opened: list[int] = []

    def go_on() -> bool:
        if not opened:
            opened.append(queue.num_looks)
            queue.open_look([1])
            return True
        return False

    searcher, handed = make(queue, go_on=go_on)
    assert searcher.suggest("") == {"number": 21}
    assert (handed, opened) == ([21], [1])
    assert searcher.suggest("") is None, "the trial runs"
    queue.end(21, TrialState.COMPLETE)
    assert searcher.suggest("") == Searcher.FINISHED


def test_a_row_that_cannot_be_committed_ends_the_run() -> None:
    searcher, handed = make(TrialQueue(plan()), stores=False)
    assert searcher.suggest("") == Searcher.FINISHED
    assert handed == [1]


def test_an_queue_without_a_proposal_ends_the_run_in_words() -> None:
    queue = TrialQueue(plan())
    error = StudiesError("the search space is exhausted", "Widen it.")

    def exhausted() -> PlannedTrial:
        raise error

    queue.next_trial = exhausted  # type: ignore[method-assign]
    searcher, handed = make(queue)
    assert searcher.suggest("") == Searcher.FINISHED
    assert (searcher.failure, handed) == (error, [])


def test_nothing_of_it_is_pickled() -> None:
    searcher, _ = make(TrialQueue(plan()))
    assert pickle.loads(pickle.dumps(searcher)).__dict__ == {}
