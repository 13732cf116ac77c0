"""Workers are shared out: none is idle while replicates could be spread, and no trial waits for another."""

import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from studies.raytune.worker_allocation import (
    MIN_SECONDS,
    TRIALS_UNTIL_MORE,
    WorkerAllocation,
    has_stacked_form,
    spread,
)
from tests.trainables.small import trial_spec
from trainables.base.records import EpochRecord, TrialReport
from trainables.trials.trial_spec import TrialSpec


def task(number: int, *, replicates: int = 10, epochs: int = 6) -> TrialSpec:
    return trial_spec(
        number=number, blocks=tuple(range(replicates)), seeds=tuple(range(replicates)), rungs=(epochs,)
    )


def give(allocation: WorkerAllocation, number: int, *, waiting: int = 0) -> int:
    return allocation.give(task(number), num_waiting=lambda: waiting)


def end(allocation: WorkerAllocation, number: int, how: str = "on_trial_complete") -> None:
    getattr(allocation, how)(0, [], SimpleNamespace(config={"trial_spec": task(number)}))


def update(allocation: WorkerAllocation, *, seconds_an_epoch: float) -> None:
    """Let it hear of two epochs of three networks, with what was measured of the initialisation."""
    epochs = tuple(EpochRecord(replicate=r, epoch=epoch) for epoch in (0, 1, 2) for r in range(3))
    report = TrialReport(
        epoch=2,
        objective=0.0,
        epochs=epochs,
        replicates=(),
        busy_seconds=6 * seconds_an_epoch,
        worker="w",
    )
    allocation.on_trial_result(0, [], None, {"report": report})


@pytest.mark.parametrize("model", ["own", "cnn"])
def test_a_trial_gets_an_even_share_of_the_workers_that_are_free(model: str) -> None:
    allocation = WorkerAllocation(num_workers=lambda: 8, model=model)
    assert give(allocation, 1, waiting=1) == 4
    assert not allocation.is_full()
    assert give(allocation, 2) == 4
    assert allocation.is_full()
    end(allocation, 1)
    assert give(allocation, 3, waiting=9) == 1, "others wait for the three that are left"
    end(allocation, 2, "on_trial_error")
    assert give(allocation, 4) == 5, "seven would not be faster than five"


def test_with_more_trials_than_workers_each_has_one() -> None:
    allocation = WorkerAllocation(num_workers=lambda: 2, model="own")
    assert [give(allocation, number, waiting=5) for number in (1, 2)] == [1, 1]
    assert allocation.is_full()


def test_a_trial_whose_networks_are_a_stack_has_one_worker() -> None:
    allocation = WorkerAllocation(num_workers=lambda: 2, model="mlp")
    assert give(allocation, 1) == 1
    assert not allocation.is_full()
    assert give(allocation, 2) == 1
    assert allocation.is_full()


@pytest.mark.parametrize("model", ["own", "mlp"])
def test_where_the_number_of_workers_falls_trials_end_before_more_are_handed_out(model: str) -> None:
    now = [3]
    allocation = WorkerAllocation(num_workers=lambda: now[0], model=model)
    assert [give(allocation, number, waiting=9) for number in (1, 2, 3)] == [1, 1, 1]
    now[0] = 1
    end(allocation, 1)
    assert allocation.is_full(), "two run, where one may"
    end(allocation, 2, "on_trial_error")
    assert allocation.is_full()
    end(allocation, 3)
    assert not allocation.is_full()
    assert give(allocation, 4, waiting=0) == 1
    now[0] = 4
    assert not allocation.is_full(), "nodes have joined"
    assert give(allocation, 5, waiting=0) == (3 if model == "own" else 1)


def test_without_any_room_one_trial_is_handed_out_which_waits_for_it() -> None:
    allocation = WorkerAllocation(num_workers=lambda: 0, model="mlp")
    assert not allocation.is_full()
    assert give(allocation, 1) == 1
    assert allocation.is_full()


@pytest.mark.parametrize("model", ["own", "mlp"])
def test_a_limit_for_want_of_memory_holds_however_many_nodes_join(model: str) -> None:
    now = [2]
    allocation = WorkerAllocation(num_workers=lambda: now[0], model=model)
    for number in (1, 2):
        give(allocation, number, waiting=9)
    end(allocation, 2, "on_trial_error")
    allocation.give_up_one()
    now[0] = 8
    assert allocation.is_full()
    end(allocation, 1)
    for number in range(TRIALS_UNTIL_MORE):
        give(allocation, number, waiting=9)
        end(allocation, number)
    give(allocation, 50, waiting=9)
    assert not allocation.is_full()
    give(allocation, 51, waiting=9)
    assert allocation.is_full(), "one more at a time"


@pytest.mark.parametrize("model", ["own", "mlp"])
def test_where_memory_runs_short_fewer_are_at_work_until_it_has_sufficed_for_a_while(model: str) -> None:
    allocation = WorkerAllocation(num_workers=lambda: 3, model=model)
    for number in (1, 2, 3):
        give(allocation, number, waiting=9)
    end(allocation, 3, "on_trial_error")
    assert allocation.give_up_one() == "2 of 3 workers at a time"
    assert allocation.is_full()
    end(allocation, 2, "on_trial_error")
    assert allocation.give_up_one() == "1 of 3 workers at a time"
    end(allocation, 1, "on_trial_error")
    assert allocation.give_up_one() == "1 of 3 workers at a time"
    assert not allocation.is_full(), "one is always at work"
    for number in range(TRIALS_UNTIL_MORE):
        assert give(allocation, number, waiting=0) == 1
        assert allocation.is_full()
        end(allocation, number)
    assert give(allocation, 50, waiting=9) == 1
    assert not allocation.is_full()


def test_what_was_handed_out_is_taken_back_when_all_is_lost() -> None:
    allocation = WorkerAllocation(num_workers=lambda: 2, model="own")
    give(allocation, 1)
    assert allocation.is_full()
    allocation.take_back_all()
    assert not allocation.is_full()


def test_a_worker_is_not_started_for_a_trial_that_is_soon_over() -> None:
    allocation = WorkerAllocation(num_workers=lambda: 4, model="own")
    update(allocation, seconds_an_epoch=0.9 * MIN_SECONDS / 60)
    assert give(allocation, 1) == 1
    update(allocation, seconds_an_epoch=1.2 * MIN_SECONDS / 60)
    assert give(allocation, 2) > 1


@pytest.mark.parametrize(
    ("replicates", "free", "expected"),
    [(10, 1, 1), (10, 4, 4), (10, 9, 5), (10, 99, 10), (3, 2, 2), (1, 8, 1)],
)
def test_no_more_workers_than_make_it_faster(replicates: int, free: int, expected: int) -> None:
    assert spread(replicates, free) == expected


def test_which_models_have_a_stacked_form() -> None:
    assert {name: has_stacked_form(name) for name in ("mlp", "cnn", "own")} == {
        "mlp": True,
        "cnn": False,
        "own": False,
    }


def test_nothing_of_it_is_pickled() -> None:
    kept: Any = pickle.loads(pickle.dumps(WorkerAllocation(num_workers=lambda: 2, model="own")))
    assert kept.__dict__ == {}
