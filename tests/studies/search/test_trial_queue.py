"""The queue leads through both phases, and from any point of interruption to the same end."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studies.base.states import Phase, TrialState, Until
from studies.database.store import Store
from studies.planning.planned_trial import PlannedTrial
from studies.raytune.experiment import assign
from studies.search.trial_queue import QueueStatus, TrialQueue
from tests.studies.raytune.driving import DriverDiedError, drive, summary
from tests.studies.raytune.plans import plan


def test_search_is_balanced_over_cells_then_each_is_confirmed(store: Store) -> None:
    small = plan()
    drive(small, store)
    rows = summary(store, "small")
    search, confirm = rows[:16], rows[16:]
    assert [row[2] for row in search] == [1, 2, 3, 4] * 4
    assert [row[2] for row in confirm] == [1, 2, 3, 4]
    assert all(row[1] is Phase.SEARCH for row in search)
    assert all(row[1] is Phase.CONFIRM and row[4] is TrialState.COMPLETE for row in confirm)


def test_confirm_takes_the_best_rate_among_those_that_got_furthest(store: Store) -> None:
    drive(plan(), store)
    rows = summary(store, "small")
    for _, phase, cell, params, *_ in rows[16:]:
        assert phase is Phase.CONFIRM
        last = [row for row in rows[:16] if row[2] == cell and row[4] is TrialState.COMPLETE]
        assert params == min(last, key=lambda row: row[6])[3]  # type: ignore[arg-type,return-value]


def test_models_of_the_best_cell_alone_are_kept(store: Store) -> None:
    queue = drive(plan(), store)
    best = queue.best_search_trial()
    assert best is not None
    kept = [t.cell for t in queue.trials.values() if queue.keeps_models(t)]
    assert kept == [best.cell]


def test_without_cells_the_best_and_the_default_are_confirmed(store: Store) -> None:
    drive(plan("tpe", cells=False, trials=12), store)
    rows = summary(store, "small")
    ranked = sorted((row for row in rows[:12] if row[5] == 3), key=lambda row: row[6])  # type: ignore[arg-type,return-value]
    confirmed = [row[3] for row in rows[12:]]
    assert confirmed[:2] == [row[3] for row in ranked[:2]]
    assert confirmed[2] == {"depth": 1, "optimizer": "adam", "learning_rate": 1e-3}


def test_a_cell_in_which_everything_failed_has_no_confirm_trial(store: Store) -> None:
    drive(plan(), store, fails=frozenset({2, 6, 10, 14}))
    assert [row[2] for row in summary(store, "small")[16:]] == [1, 3, 4]


def complete(queue: TrialQueue, *numbers: int) -> None:
    """End search trials; the higher the number, the worse the trial."""
    for number in numbers:
        queue.reach(number, epoch=3, objective=1.0 + number)
        queue.end(number, TrialState.COMPLETE)


def test_a_cell_is_confirmed_as_soon_as_its_search_has_ended_and_it_cannot_be_the_best() -> None:
    queue = TrialQueue(plan())
    handed_out = [queue.next_trial() for _ in range(16)]
    assert all(isinstance(trial, PlannedTrial) for trial in handed_out)
    assert queue.next_trial() is QueueStatus.WAITING
    complete(queue, 1, 5, 9, 13)
    assert queue.next_trial() is QueueStatus.WAITING, (
        "the first cell may be the best: its weights would be kept"
    )
    complete(queue, 3, 7, 11, 15)
    early = queue.next_trial()
    assert isinstance(early, PlannedTrial)
    assert (early.phase, early.number, queue.keeps_models(early)) == (Phase.CONFIRM, 19, False)
    assert queue.next_trial() is QueueStatus.WAITING
    complete(queue, 2, 4, 6, 8, 10, 12, 14, 16)
    rest = [queue.next_trial() for _ in range(4)]
    assert [trial.number for trial in rest if isinstance(trial, PlannedTrial)] == [17, 18, 20]
    assert rest[3] is QueueStatus.WAITING
    assert isinstance(rest[0], PlannedTrial)
    assert queue.keeps_models(rest[0])


def test_without_cells_nothing_is_confirmed_before_the_search_has_ended() -> None:
    queue = TrialQueue(plan("random", cells=False, trials=4))
    for _ in range(4):
        queue.next_trial()
    complete(queue, 1, 2, 3)
    assert queue.next_trial() is QueueStatus.WAITING
    complete(queue, 4)
    assert isinstance(queue.next_trial(), PlannedTrial)


def test_a_trial_that_is_given_back_comes_before_anything_new_and_is_waited_for() -> None:
    queue = TrialQueue(plan())
    first, second = queue.next_trial(), queue.next_trial()
    assert isinstance(first, PlannedTrial)
    assert isinstance(second, PlannedTrial)
    queue.give_back(second.number)
    queue.give_back(first.number)
    assert [queue.next_trial() for _ in range(2)] == [second, first]
    rest = [queue.next_trial() for _ in range(14)]
    assert all(isinstance(trial, PlannedTrial) for trial in rest)
    for number in range(1, 16):
        queue.reach(number, epoch=3, objective=1.0 + number)
        queue.end(number, TrialState.COMPLETE)
    queue.give_back(16)
    again = queue.next_trial()
    assert isinstance(again, PlannedTrial)
    assert again.number == 16


def test_a_look_that_is_opened_trains_the_cells_it_names(store: Store) -> None:
    looking = plan(looks=(10, 20, 40))
    queue = drive(looking, store, until=Until.LOOK)
    assert (queue.num_looks, queue.is_finished, queue.next_trial()) == (1, True, QueueStatus.FINISHED)
    queue.open_look([2, 4])
    assert (queue.num_looks, queue.is_finished, queue.num_waiting()) == (2, False, 2)
    added = [queue.next_trial() for _ in range(2)]
    assert [
        (trial.cell.number, trial.look) for trial in added if isinstance(trial, PlannedTrial) and trial.cell
    ] == [
        (2, 1),
        (4, 1),
    ]
    assert all(isinstance(trial, PlannedTrial) and not queue.keeps_models(trial) for trial in added)
    blocks = [
        assign(looking, trial, keeps_models=False).blocks
        for trial in added
        if isinstance(trial, PlannedTrial)
    ]
    assert blocks == [tuple(range(10, 20))] * 2
    assert queue.next_trial() is QueueStatus.WAITING


def test_a_queue_is_rebuilt_with_the_looks_that_have_begun(store: Store) -> None:
    looking = plan(looks=(10, 20, 40))
    drive(looking, store, until=Until.LOOK)
    study = store.find_study("small")
    assert study is not None
    queue = TrialQueue(looking, store.trials(study.id), store.rung_results(study.id), [[1]])
    trial = queue.next_trial()
    assert isinstance(trial, PlannedTrial)
    assert (trial.cell and trial.cell.number, trial.look, queue.next_trial()) == (1, 1, QueueStatus.WAITING)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    deaths=st.lists(st.integers(0, 40), max_size=4),
    sampler=st.sampled_from(["qmc", "tpe", "random", "everything"]),
    fails=st.frozensets(st.integers(1, 16), max_size=3),
)
def test_any_interruptions_lead_to_the_same_end(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int], sampler: str, fails: frozenset[int]
) -> None:
    small = plan("tpe", cells=False, trials=12) if sampler == "everything" else plan(sampler)
    folder = tmp_path_factory.mktemp("queue")
    with Store.open(f"sqlite:///{folder}/undisturbed.db") as undisturbed:
        drive(small, undisturbed, fails=fails)
        expected = summary(undisturbed, "small")
    with Store.open(f"sqlite:///{folder}/disturbed.db") as disturbed:
        for death in deaths:
            try:
                drive(small, disturbed, die_after=death, fails=fails)
            except DriverDiedError:
                continue
        queue = drive(small, disturbed, fails=fails)
        assert not queue.changed_proposals
        assert summary(disturbed, "small") == expected
