"""The confirm phase's scores are means over networks, and a diverged network counts as guessing."""

import math

import pytest

from studies.base.states import Phase, TrialState
from studies.database.rows import StudyRow
from studies.database.store import Store
from studies.terminal.confirmed import Confirmed, confirmed, read_trials
from tests.studies.terminal import recorded

CHANCE = math.log(10)


def found(store: Store, study: StudyRow) -> list[Confirmed]:
    return confirmed(store, study, *read_trials(store, study))


def test_there_is_nothing_before_the_confirm_phase(store: Store, searched: StudyRow) -> None:
    assert found(store, searched) == []


def test_scores_are_means_over_all_networks(store: Store, complete: StudyRow) -> None:
    first, second = found(store, complete)
    assert (first.trials, first.cell, first.num_networks, first.num_diverged) == ([5], 1, 2, 0)
    assert first.val_loss == pytest.approx((0.5 + 0.6) / 2)
    assert first.test_loss == pytest.approx((0.6 + 0.7) / 2)
    assert first.test_accuracy == pytest.approx(0.85)
    assert (second.num_networks, second.num_diverged) == (2, 1)
    assert second.val_loss == pytest.approx((0.4 + CHANCE) / 2)
    assert second.test_accuracy == pytest.approx((0.85 + 0.1) / 2)


def test_best_is_the_cell_that_the_search_prefers(store: Store, complete: StudyRow) -> None:
    assert [result.is_best for result in found(store, complete)] == [False, True]
    assert not any(result.is_default for result in found(store, complete))


def test_a_trial_at_work_has_no_scores_yet(store: Store, searched: StudyRow) -> None:
    recorded.train(store, searched, 5, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01, losses=(0.5, 0.6))
    recorded.start(store, searched, 6, phase=Phase.CONFIRM, cell=2, depth=5, rate=0.02)
    first, second = found(store, searched)
    assert first.state is TrialState.COMPLETE
    assert (second.state, second.num_networks, second.val_loss) == (TrialState.RUNNING, 0, None)


def test_the_trials_of_several_looks_are_one_result_with_the_scores_of_the_first(
    store: Store, complete: StudyRow
) -> None:
    recorded.train(store, complete, 7, phase=Phase.CONFIRM, cell=1, depth=3, rate=0.01, losses=(0.1, 0.2))
    first, second = found(store, complete)
    assert (first.trials, first.num_networks) == ([5, 7], 2)
    assert first.val_loss == pytest.approx((0.5 + 0.6) / 2)
    assert second.trials == [6]


def test_without_cells_the_default_is_marked_and_never_the_best(store: Store) -> None:
    sweep = recorded.add_sweep(store)
    best, default = found(store, sweep)
    assert (best.trials, best.cell, best.is_best, best.is_default) == ([3], None, True, False)
    assert (default.trials, default.is_best, default.is_default) == ([4], False, True)
    assert default.val_loss is not None
    assert best.val_loss is not None
    assert default.val_loss < best.val_loss
