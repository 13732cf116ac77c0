"""Can a classifier tell later rows from the reference's? A two-sample test over all features at once."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.kernel_approximation import RBFSampler
from sklearn.utils.extmath import randomized_svd

from trainables.use.monitoring.reference import ColumnGroup

MAX_ROWS: Final = 2_000
"""Rows of each sample that are used: an AUC of 0.55 then lies five standard errors from 0.5."""

MIN_ROWS: Final = 20
NUM_FOLDS: Final = 5
NUM_PERMUTATIONS: Final = 199
"""At once. The smallest p is then 0.005; where less may be spent on false alarms, more permutations follow."""

MOST_PERMUTATIONS: Final = 100 * NUM_PERMUTATIONS

MOST_LINEAR: Final = 100
NUM_RANDOM: Final = 100
RIDGE: Final = 1.0

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Separation:
    """How well the samples can be told apart: the cross-fitted AUC (0.5 is not at all), its p, rows used of each.

    `auc` is None and `p` 1 where there are too few rows. No p is smaller than 1 / (1 + num_permutations).
    """

    auc: float | None
    p: float
    num_before: int
    num_after: int
    num_permutations: int


def separation(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    groups: tuple[ColumnGroup, ...],
    *,
    alpha: float = 0.01,
    seed: int = 0,
) -> Separation:
    """Test whether a classifier tells two samples of rows apart (Lopez-Paz and Oquab 2017).

    The classifier is ridge regression of the sample on ranks, categories and random Fourier features of both, which
    sees shifts of one feature and of how features go together. It is fitted on four of five folds, and ranks the rows
    of the fifth: the AUC, mean over folds. p is that of a permutation test: the whole procedure is repeated with the
    samples' labels exchanged at random within folds. Neither the fits nor the folds' dependence can make it too
    small, and AUC does not depend on how many rows each sample has.

    `alpha` is the level that p will be held against: for a small one there are more permutations, MOST_PERMUTATIONS at
    most, until it is clear that p is above it.

    Copies of a row would be counted as evidence once for each copy, so that where any row occurs twice the same
    number of rows is drawn of both samples and each row is used once within a sample.
    """
    random = np.random.default_rng(seed)
    # Sorted first, so that the order in which rows come changes nothing.
    old, new = (
        _drawn(rows[np.argsort(_keys(rows), kind="stable")], MAX_ROWS, random) for rows in (before, after)
    )
    if num_copies(np.concatenate([old, new])):
        size = min(len(old), len(new))
        old, new = (_once(_drawn(rows, size, random)) for rows in (old, new))
    if min(len(old), len(new)) < MIN_ROWS:
        return Separation(auc=None, p=1.0, num_before=len(old), num_after=len(new), num_permutations=0)
    seen = _design(np.concatenate([old, new]), groups, seed)
    is_new = np.repeat([0.0, 1.0], [len(old), len(new)])
    folds = np.concatenate([random.permutation(len(rows)) % NUM_FOLDS for rows in (old, new)])
    auc, exceeding, num = 0.0, 0, 0
    wanted = min(math.ceil(2 / alpha) - 1, MOST_PERMUTATIONS) if alpha > 0 else NUM_PERMUTATIONS
    # With two as large as the AUC itself, p is above alpha whatever the others would be.
    while num == 0 or (num < wanted and exceeding < 2):
        aucs = cross_fitted_aucs(seen, _permuted(is_new, folds, random), folds)
        auc = float(aucs[0])
        exceeding += int(np.sum(aucs[1:] >= auc - 1e-12))
        num += NUM_PERMUTATIONS
    return Separation(
        auc=auc,
        p=(1 + exceeding) / (1 + num),
        num_before=len(old),
        num_after=len(new),
        num_permutations=num,
    )


def cross_fitted_aucs(seen: Matrix, labels: Matrix, folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the AUC, mean over folds, of ridge regression fitted on the other folds, for each column of labels.

    `seen` is (rows, features), `labels` 0 or 1 of shape (rows, repetitions), as often 1 in a fold in each of them.
    """
    total = np.zeros(labels.shape[1])
    for fold in range(NUM_FOLDS):
        out = folds == fold
        middle = seen[~out].mean(axis=0)
        known, answers = seen[~out] - middle, labels[~out] - labels[~out].mean(axis=0)
        gram = known.T @ known
        gram.flat[:: len(gram) + 1] += RIDGE
        weights = np.linalg.solve(gram, known.T @ answers)
        total += _aucs((seen[out] - middle) @ weights, labels[out])
    return total / NUM_FOLDS


def _aucs(scores: Matrix, labels: Matrix) -> NDArray[np.float64]:
    """Return the share of pairs in which the row of label 1 has the higher score, ties a half, for each column."""
    ranks = stats.rankdata(np.round(scores, 10), axis=0)
    positive = labels.sum(axis=0)
    found: NDArray[np.float64] = ((ranks * labels).sum(axis=0) - positive * (positive + 1) / 2) / (
        positive * (len(labels) - positive)
    )
    return found


def _permuted(labels: NDArray[np.float64], folds: NDArray[np.int64], random: np.random.Generator) -> Matrix:
    """Return the labels as they are, and NUM_PERMUTATIONS times exchanged within each fold, one column each."""
    columns = np.repeat(labels[:, None], 1 + NUM_PERMUTATIONS, axis=1)
    for fold in range(NUM_FOLDS):
        rows = np.flatnonzero(folds == fold)
        columns[rows, 1:] = random.permuted(columns[rows, 1:], axis=0)
    return columns


def _design(rows: NDArray[np.float32], groups: tuple[ColumnGroup, ...], seed: int) -> Matrix:
    """Return what the classifier sees of the rows of both samples; nothing in it knows of which sample a row is."""
    parts = []
    for group in groups:
        values = rows[:, group.columns].astype(float)
        is_missing = np.isnan(values)
        if group.kind == "number":
            values = _normal_scores(values)
        parts.append(np.where(is_missing, 0.0, values))
        if is_missing.any():
            parts.append(is_missing[:, :1].astype(float))
    linear = _scaled(np.concatenate(parts, axis=1))
    if linear.shape[1] == 0:
        return np.zeros((len(rows), 1))
    if linear.shape[1] > MOST_LINEAR:
        left, size, _ = randomized_svd(linear, MOST_LINEAR, random_state=seed)
        linear = _scaled(left * size)
    some = linear[np.random.default_rng(seed).permutation(len(linear))[:200]]
    squared = np.sum((some[:, None] - some[None]) ** 2, axis=2)
    middle = float(np.median(squared[np.triu_indices(len(some), 1)]))
    if middle <= 0:
        return linear
    waves = RBFSampler(gamma=1 / middle, n_components=NUM_RANDOM, random_state=seed).fit_transform(linear)
    return np.concatenate([linear, _scaled(waves)], axis=1)


def _normal_scores(values: Matrix) -> Matrix:
    """Return the normal quantiles of the ranks in each column, NaN where a value is missing."""
    ranks = stats.rankdata(values, axis=0, nan_policy="omit")
    known = np.sum(~np.isnan(values), axis=0)
    return np.asarray(stats.norm.ppf(ranks / (known + 1)), float)


def _scaled(values: Matrix) -> Matrix:
    """Return the columns that vary, each with mean 0 and standard deviation 1."""
    spread = values.std(axis=0)
    varies = spread > 1e-9
    scaled: Matrix = (values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies]
    return scaled


def _drawn(rows: NDArray[np.float32], wanted: int, random: np.random.Generator) -> NDArray[np.float32]:
    return rows if len(rows) <= wanted else rows[random.choice(len(rows), wanted, replace=False)]


def num_copies(rows: NDArray[np.float32]) -> int:
    """Return how many rows are exact copies of an earlier one."""
    return len(rows) - len(np.unique(_keys(rows)))


def _once(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each of the rows once."""
    return rows[np.unique(_keys(rows), return_index=True)[1]]


def _keys(rows: NDArray[np.float32]) -> NDArray[np.void]:
    """Return the bytes of each row: equal for equal rows, missing values included."""
    whole = np.ascontiguousarray(rows, np.float32) + np.float32(0)  # no negative zeros
    if whole.shape[1] == 0:
        return np.zeros(len(whole), "V1")
    return whole.view(np.dtype((np.void, whole.dtype.itemsize * whole.shape[1])))[:, 0]
