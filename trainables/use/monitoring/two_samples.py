"""Tests of one feature in two samples, the reference's and a later one, each with an effect that n does not change."""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

EXACT_PAIRS: Final = 100_000
"""Kolmogorov-Smirnov's p value is exact while there are at most so many pairs of rows, one of each sample."""

FEW_EXPECTED: Final = 5.0
"""Cochran's rule: categories with fewer expected rows in either sample are put together before a chi-square test."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A two-sided p value (1 where nothing can be compared), the effect and the name of the test."""

    p: float
    effect: float
    test: str


NOTHING: Final = Comparison(p=1.0, effect=0.0, test="none")


def kolmogorov_smirnov(before: ArrayLike, after: ArrayLike) -> Comparison:
    """Compare two samples of a number, without missing values; the effect is D, the largest distance of the two ECDFs.

    With many pairs of rows p is that of one sample of n m / (n + m) rows, as `scipy.stats.ks_2samp` has it, at the
    next smaller whole number. Ties make it larger than it need be, never smaller.
    """
    old, new = np.sort(np.asarray(before, float)), np.sort(np.asarray(after, float))
    if not len(old) or not len(new) or old[0] == old[-1] == new[0] == new[-1]:
        return NOTHING
    both = np.concatenate([old, new])
    distances = np.searchsorted(old, both, side="right") / len(old)
    distances -= np.searchsorted(new, both, side="right") / len(new)
    distance = float(np.abs(distances).max())
    if len(old) * len(new) <= EXACT_PAIRS:
        with warnings.catch_warnings():
            # It says so where it has to fall back on the formula below.
            warnings.simplefilter("ignore", RuntimeWarning)
            p = float(stats.ks_2samp(old, new, method="exact").pvalue)
    else:
        p = float(stats.kstwo.sf(distance, int(len(old) * len(new) / (len(old) + len(new)))))
    return Comparison(p=min(p, 1.0), effect=distance, test="Kolmogorov-Smirnov")


def categories(before: ArrayLike, after: ArrayLike) -> Comparison:
    """Compare how often each category occurs; counts in the same order, shape (categories,) each.

    The effect is Cramer's V of the table of shares, in which both samples weigh the same however many rows they have:
    0 for equal shares, 1 where no category is in both. Pearson's chi-square after rare categories are put together;
    Fisher's exact test for two.
    """
    table = np.array([before, after], dtype=np.int64)
    sizes = table.sum(axis=1)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not sizes.all():
        return NOTHING
    effect = association(table[0], table[1])
    merged = _without_rare(table)
    if merged.shape[1] == 2:
        return Comparison(p=_fisher(merged), effect=effect, test="Fisher")
    p = float(stats.chi2_contingency(merged, correction=False).pvalue)
    return Comparison(p=p, effect=effect, test="chi-square")


def shares(before: tuple[int, int], after: tuple[int, int]) -> Comparison:
    """Compare two shares, each as (how many, of how many) by Fisher's exact test; the effect is their difference."""
    (old, num_old), (new, num_new) = before, after
    if not num_old or not num_new:
        return NOTHING
    table = np.array([[old, num_old - old], [new, num_new - new]], dtype=np.int64)
    effect = new / num_new - old / num_old
    return Comparison(p=_fisher(table), effect=effect, test="Fisher")


def word_shares(
    before: Counts, num_before: int, after: Counts, num_after: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compare in how many texts each word occurs: exact p values, and the changes of its share; shape (words,) each.

    Each p is twice the smaller tail of the hypergeometric distribution, which is Fisher's test doubled.
    """
    total, drawn = num_before + num_after, before + after
    low = stats.hypergeom.cdf(after, total, drawn, num_after)
    high = stats.hypergeom.sf(after - 1, total, drawn, num_after)
    p = np.minimum(2 * np.minimum(low, high), 1.0)
    return p, after / num_after - before / num_before


def association(before: ArrayLike, after: ArrayLike) -> float:
    """Return Cramer's V of sample and category with both samples weighing the same, from counts of each category."""
    old, new = (np.asarray(counts, float) / np.sum(counts) for counts in (before, after))
    both = old + new
    return float(np.sqrt(np.sum((old - new)[both > 0] ** 2 / both[both > 0]) / 2))


def stability_index(before: ArrayLike, after: ArrayLike) -> float:
    """Return the population stability index of two histograms, counts of the same bins.

    The sum of (q - p) ln(q / p) over bins. Half a row is added to each bin, so that empty ones do not make it infinite.
    """
    old, new = (np.asarray(counts, float) + 0.5 for counts in (before, after))
    old, new = old / old.sum(), new / new.sum()
    return float(np.sum((new - old) * np.log(new / old)))


def adjusted(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return Benjamini and Hochberg's (1995) adjusted p values; shape as given."""
    p = np.asarray(p_values, float)
    return np.asarray(stats.false_discovery_control(p), float) if p.size else p


def _fisher(table: Counts) -> float:
    """Fisher's exact p; where every cell has thousands, the chi-square that it then equals."""
    if table.min() > 2_000:
        return float(stats.chi2_contingency(table, correction=False).pvalue)
    return min(float(stats.fisher_exact(table).pvalue), 1.0)


def _without_rare(table: Counts) -> Counts:
    """Put categories together, rarest first, until the smaller sample expects FEW_EXPECTED rows or more of each.

    Which ones depends on both samples together only, so that the test's p stays what it is.
    """
    order = np.argsort(table.sum(axis=0), kind="stable")
    table = table[:, order]
    smaller = table.sum(axis=1).min() / table.sum()
    expected = table.sum(axis=0) * smaller
    rare = int(np.sum(expected < FEW_EXPECTED))
    if rare == 0:
        return table
    # Two are always left, which Fisher's test compares however rare one is.
    while rare < table.shape[1] - 1 and expected[:rare].sum() < FEW_EXPECTED:
        rare += 1
    rare = min(rare, table.shape[1] - 1)
    merged: Counts = np.concatenate([table[:, :rare].sum(axis=1, keepdims=True), table[:, rare:]], axis=1)
    return merged
