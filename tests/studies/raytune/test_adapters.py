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
    queue: TrialQueue,
    *,
    stores: bool = True,
    go_on: Callable[[], bool] = lambda: False,
    announced: list[int] | None = None,
) -> tuple[QueueSearcher, list[int]]:
    handed: list[int] = []

    def announce(trial: PlannedTrial) -> bool:
        if announced is not None:
            announced.append(trial.number)
        return stores

    def hand_out(trial: PlannedTrial) -> dict[str, Any] | None:
        handed.append(trial.number)
        return {"number": trial.number}

    allocation = WorkerAllocation(num_workers=lambda: 2, model="mlp")
    searcher = QueueSearcher(
        queue,
        metric="objective",
        mode="min",
        announce=announce,
        hand_out=hand_out,
        go_on=go_on,
        allocation=allocation,
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


def test_a_row_that_cannot_be_added_ends_the_run() -> None:
    announced: list[int] = []
    searcher, handed = make(TrialQueue(plan()), stores=False, announced=announced)
    assert searcher.suggest("") == Searcher.FINISHED
    assert (announced, handed) == ([1], [])


def test_the_next_trial_is_added_ahead_and_handed_out_once() -> None:
    announced: list[int] = []
    queue = TrialQueue(plan(trials=1, sampler="qmc"))
    searcher, handed = make(queue, announced=announced)
    assert searcher.suggest("") == {"number": 1}
    for _ in range(3):
        searcher.look_ahead()
    assert (announced, handed) == ([1, 2], [1])
    queue.give_back(1)
    assert searcher.suggest("") == {"number": 2}, "what was promised comes before what was given back"
    searcher.look_ahead()
    assert searcher.suggest("") == {"number": 1}
    assert [searcher.suggest("") for _ in range(2)] == [{"number": 3}, {"number": 4}]
    searcher.look_ahead()
    assert searcher.suggest("") is None, "nothing is added ahead of the search's results"
    assert handed == [1, 2, 1, 3, 4]
    assert sorted(announced) == [1, 1, 2, 3, 4]


def test_what_is_ahead_is_what_would_have_been_next() -> None:
    far = plan(trials=3, sampler="qmc")
    ahead, one_by_one = TrialQueue(far), TrialQueue(far)
    searcher, _ = make(ahead)
    for _ in range(12):
        searcher.look_ahead()
        searcher.suggest("")
        one_by_one.next_trial()
    assert ahead.trials == one_by_one.trials


def test_a_sampler_that_learns_is_not_asked_ahead() -> None:
    announced: list[int] = []
    searcher, _ = make(TrialQueue(plan(sampler="tpe")), announced=announced)
    searcher.look_ahead()
    assert announced == []


def test_an_exhausted_space_ends_the_run_in_words_ahead_of_it_too() -> None:
    queue, error = TrialQueue(plan()), StudiesError("the search space is exhausted", "Widen it.")

    def exhausted() -> PlannedTrial | None:
        raise error

    queue.next_ahead = exhausted  # type: ignore[method-assign]
    searcher, handed = make(queue)
    searcher.look_ahead()
    assert (searcher.failure, handed) == (error, [])


def test_trials_that_could_not_be_added_ahead_end_the_run() -> None:
    searcher, handed = make(TrialQueue(plan(sampler="qmc")), stores=False)
    searcher.look_ahead()
    assert searcher.suggest("") == Searcher.FINISHED
    assert handed == []


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
