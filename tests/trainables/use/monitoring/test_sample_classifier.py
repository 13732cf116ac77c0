"""The classifier two-sample test: scikit-learn's ridge regression, its level, copies, sizes, order."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from trainables.use.monitoring.reference import ColumnGroup
from trainables.use.monitoring.sample_classifier import (
    NUM_FOLDS,
    NUM_PERMUTATIONS,
    RIDGE,
    cross_fitted_aucs,
    num_copies,
    separation,
)


def numbers(count: int) -> tuple[ColumnGroup, ...]:
    return tuple(
        ColumnGroup(name=str(place), kind="number", first=place, last=place) for place in range(count)
    )


def normal(random: np.random.Generator, num: int, columns: int) -> NDArray[np.float32]:
    return random.normal(size=(num, columns)).astype(np.float32)


def test_the_auc_is_that_of_scikit_learns_ridge_fitted_fold_by_fold() -> None:
    random = np.random.default_rng(0)
    seen, labels = random.normal(size=(120, 7)), np.repeat([0.0, 1.0], 60)
    seen[60:, 2] += 1
    folds = np.concatenate([random.permutation(60) % NUM_FOLDS] * 2)
    aucs = []
    for fold in range(NUM_FOLDS):
        out = folds == fold
        model = Ridge(alpha=RIDGE).fit(seen[~out], labels[~out])
        aucs.append(roc_auc_score(labels[out], model.predict(seen[out])))
    assert cross_fitted_aucs(seen, labels[:, None], folds) == pytest.approx([np.mean(aucs)])


def test_a_shift_is_found_and_which_sample_is_larger_does_not_matter() -> None:
    random = np.random.default_rng(1)
    shifted = normal(random, 150, 4)
    shifted[:, 0] += 0.8
    assert separation(normal(random, 1_900, 4), shifted, numbers(4)).p == 0.005
    assert separation(shifted, normal(random, 1_900, 4), numbers(4)).p == 0.005


def test_features_that_only_go_together_otherwise_are_found() -> None:
    random = np.random.default_rng(2)
    before, after = normal(random, 1_500, 2), normal(random, 1_500, 2)
    after[:, 1] = 0.9 * after[:, 0] + np.sqrt(1 - 0.81) * after[:, 1]
    found = separation(before, after, numbers(2))
    assert found.p == 0.005
    assert found.auc is not None
    assert found.auc > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normal", "few values", "copies", "small"])
def test_it_errs_no_more_often_than_it_says(kind: str) -> None:
    """Level 0.05 in 60 repetitions; the folds' dependence, sample sizes and copies of rows do not raise it."""
    random = np.random.default_rng(3)
    alarms = 0
    for repetition in range(60):
        if kind == "few values":
            before = random.integers(0, 3, (400, 3)).astype(np.float32)
            after = random.integers(0, 3, (90, 3)).astype(np.float32)
        else:
            before = normal(random, 400, 3)
            after = normal(random, {"normal": 90, "copies": 30, "small": 25}[kind], 3)
        if kind == "copies":
            after = np.repeat(after, 8, axis=0)
        alarms += separation(before, after, numbers(3), seed=repetition).p <= 0.05
    assert alarms <= stats.binom.ppf(0.999, 60, 0.05)


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(4)
    before, after = normal(random, 2_500, 3), normal(random, 2_200, 3)
    before[::7, 1] = np.nan
    assert separation(before, after, numbers(3)) == separation(before[::-1], after[::-1], numbers(3))


def test_the_same_rows_are_no_drift_and_few_rows_no_answer() -> None:
    rows = normal(np.random.default_rng(5), 300, 3)
    assert separation(rows, rows, numbers(3)).p > 0.5
    assert separation(rows, rows[:5], numbers(3)).auc is None
    constant = np.ones((50, 3), np.float32)
    assert separation(constant, constant, numbers(3)).auc is None
    assert num_copies(constant) == 49


@pytest.mark.parametrize("fill", [np.nan, 1.0])
def test_columns_that_say_nothing_do_no_harm(fill: float) -> None:
    random = np.random.default_rng(6)
    before, after = normal(random, 300, 3), normal(random, 300, 3)
    before[:, 1] = after[:, 1] = fill
    assert separation(before, after, numbers(3)).p > 0.01
    after[:, 2] = np.nan
    assert separation(before, after, numbers(3)).auc == 1


def test_a_small_level_gets_more_permutations_until_p_is_clearly_above_it() -> None:
    random = np.random.default_rng(7)
    before, same = normal(random, 200, 3), normal(random, 100, 3)
    shifted = same + np.float32(2)
    assert separation(before, shifted, numbers(3), alpha=0.001).p == pytest.approx(1 / 2_190)
    assert separation(before, same, numbers(3), alpha=0.001).num_permutations == NUM_PERMUTATIONS
    assert separation(before, shifted, numbers(3), alpha=0.0).num_permutations == NUM_PERMUTATIONS
