"""A driver's progress and the database's rows lead to the same standing."""

from dataclasses import replace

from reports.inputs.measures import classifier_measure
from studies.base.states import Phase, TrialState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.search.best_trials import best_complete
from studies.search.progress import Best, Progress, RunningTrial
from studies.terminal.progress_snapshot import from_progress, from_record
from tests.studies.database.so_far import so_far
from tests.studies.terminal import recorded


def test_a_record_is_counted_by_phase_and_state(store: Store, searched: StudyRow) -> None:
    recorded.start(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01)
    snapshot = from_record(searched, so_far(store.trials(searched.id)), num_networks=8, num_diverged=0)
    assert snapshot.planned == {Phase.SEARCH: 4, Phase.CONFIRM: 2}
    assert (snapshot.num_ended(Phase.SEARCH), snapshot.num_ended(Phase.CONFIRM)) == (4, 0)
    assert [snapshot.total(state) for state in TrialState] == [0, 1, 2, 1, 1]
    assert [(trial.number, trial.epoch) for trial in snapshot.running] == [(5, 0)]
    assert snapshot.best is not None
    assert (snapshot.best.number, snapshot.best.objective) == (2, 0.4)
    assert snapshot.planned_networks == 12


def test_without_a_trial_nothing_is_best(store: Store, begun: StudyRow) -> None:
    snapshot = from_record(begun, so_far(store.trials(begun.id)), num_networks=0, num_diverged=0)
    assert snapshot.best is None
    assert snapshot.num_ended(Phase.SEARCH) == 0


def test_the_best_has_the_lowest_loss_or_the_highest_accuracy(store: Store, searched: StudyRow) -> None:
    trials = store.trials(searched.id)
    by_loss, by_accuracy = (best_complete(trials, mode=mode) for mode in ("min", "max"))
    assert by_loss is not None
    assert by_accuracy is not None
    assert (by_loss.number, by_accuracy.number) == (2, 1)


def test_only_trials_that_came_to_the_last_rung_can_be_best(store: Store, searched: StudyRow) -> None:
    trials = [
        replace(trial, objective=0.01) if trial.state is TrialState.PRUNED else trial
        for trial in store.trials(searched.id)
    ]
    best = best_complete(trials, mode="min")
    assert best is not None
    assert best.number == 2


def test_progress_becomes_a_snapshot_that_no_longer_changes() -> None:
    progress = Progress(
        planned={Phase.SEARCH: 4, Phase.CONFIRM: 2}, planned_networks=12, expected_network_epochs=30.0
    )
    progress.ended[Phase.SEARCH][TrialState.PRUNED] = 1
    progress.running[2] = RunningTrial(number=2, phase=Phase.SEARCH, params={"depth": 3}, epoch=6)
    progress.best = Best(number=1, objective=0.5, params={"depth": 3})
    progress.num_networks, progress.num_diverged = 2, 1
    objective = classifier_measure("val_loss")
    snapshot = from_progress(progress, name="x", question="?", objective=objective, elapsed_seconds=2.0)
    progress.running.clear()
    progress.ended[Phase.SEARCH][TrialState.PRUNED] = 3
    assert snapshot.num_ended(Phase.SEARCH) == snapshot.total(TrialState.PRUNED) == 1
    assert [trial.number for trial in snapshot.running] == [2]
    assert (snapshot.num_networks, snapshot.planned_networks, snapshot.num_diverged) == (2, 12, 1)
    assert snapshot.best == progress.best
    assert snapshot.seconds_left is None
