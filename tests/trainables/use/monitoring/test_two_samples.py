"""Two-sample tests of one feature: scipy's and statsmodels' values, hand-made ones, and the level under ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from trainables.use.monitoring.two_samples import (
    NOTHING,
    adjusted,
    association,
    categories,
    kolmogorov_smirnov,
    shares,
    stability_index,
    word_shares,
)

VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=40)


@pytest.mark.parametrize(("num_before", "num_after", "method"), [(60, 40, "exact"), (4_000, 900, "asymp")])
def test_kolmogorov_smirnov_is_scipys(num_before: int, num_after: int, method: str) -> None:
    random = np.random.default_rng(1)
    before, after = random.normal(size=num_before), random.normal(0.15, 1, num_after)
    found, known = kolmogorov_smirnov(before, after), stats.ks_2samp(before, after, method=method)
    assert found.effect == pytest.approx(known.statistic)
    assert found.p == pytest.approx(known.pvalue, rel=0.02)


@given(before=VALUES, after=VALUES)
def test_kolmogorov_smirnov_does_not_depend_on_order_or_on_which_sample_is_first(
    before: list[float], after: list[float]
) -> None:
    found = kolmogorov_smirnov(before, after)
    assert 0 <= found.p <= 1
    assert 0 <= found.effect <= 1
    assert kolmogorov_smirnov(before[::-1], sorted(after)) == found
    other = kolmogorov_smirnov(after, before)
    assert (other.p, other.effect) == pytest.approx((found.p, found.effect))


@given(values=VALUES)
def test_the_same_values_are_no_change(values: list[float]) -> None:
    found = kolmogorov_smirnov(values, values)
    assert (found.p, found.effect) == (1, 0)


def test_what_is_constant_or_empty_cannot_be_compared() -> None:
    assert kolmogorov_smirnov([2, 2], [2]) == NOTHING
    assert kolmogorov_smirnov([], [1.0, 2.0]) == NOTHING
    assert categories([3, 0], [5, 0]) == NOTHING
    assert categories([3, 4], [0, 0]) == NOTHING
    assert shares((0, 0), (1, 2)) == NOTHING


def test_a_constant_that_becomes_another_is_a_change() -> None:
    found = kolmogorov_smirnov([2.0] * 50, [3.0] * 50)
    assert found.effect == 1
    assert found.p < 1e-20


@pytest.mark.parametrize("levels", [2, 4, 17])
def test_ties_make_no_more_false_alarms(levels: int) -> None:
    random = np.random.default_rng(levels)
    alarms = sum(
        kolmogorov_smirnov(random.integers(0, levels, 500), random.integers(0, levels, 300)).p <= 0.05
        for _ in range(600)
    )
    assert alarms <= stats.binom.ppf(0.999, 600, 0.05)


def test_categories_are_pearsons_chi_square() -> None:
    before, after = [50, 30, 20], [40, 50, 10]
    found = categories(before, after)
    assert found.test == "chi-square"
    assert found.p == pytest.approx(stats.chi2_contingency([before, after], correction=False).pvalue)


def test_two_categories_and_shares_are_fishers_test() -> None:
    known = stats.fisher_exact([[8, 2], [3, 7]]).pvalue
    assert categories([8, 2], [3, 7]).p == pytest.approx(known)
    found = shares((8, 10), (3, 10))
    assert found.p == pytest.approx(known)
    assert found.effect == pytest.approx(-0.5)


def test_large_counts_agree_with_fishers_test() -> None:
    table = np.array([[5_000, 5_100], [2_600, 2_400]])
    found = shares((5_000, 10_100), (2_600, 5_000))
    assert found.p == pytest.approx(stats.fisher_exact(table).pvalue, rel=0.05)


def test_rare_categories_make_no_more_false_alarms() -> None:
    random = np.random.default_rng(3)
    chance = np.array([0.9, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005])
    alarms = sum(
        categories(random.multinomial(2_000, chance), random.multinomial(100, chance)).p <= 0.05
        for _ in range(2_000)
    )
    assert alarms <= stats.binom.ppf(0.999, 2_000, 0.05)


def test_the_effect_does_not_change_with_the_number_of_rows() -> None:
    assert association([60, 40], [40, 60]) == pytest.approx(0.2)  # as phi of that table
    assert association([6_000, 4_000], [4, 6]) == pytest.approx(0.2)
    assert association([10, 0], [0, 3]) == pytest.approx(1)


def test_the_stability_index_by_hand() -> None:
    # Shares .5 .5 and .8 .2: (.3) ln 1.6 + (-.3) ln .4 = .4159.
    assert stability_index([5 * 10**6] * 2, [8 * 10**6, 2 * 10**6]) == pytest.approx(0.415888, abs=1e-5)
    assert stability_index([5, 5], [5, 5]) == 0
    assert np.isfinite(stability_index([10, 0], [0, 10]))


def test_the_adjusted_p_values_are_benjamini_and_hochbergs() -> None:
    p = np.random.default_rng(4).random(30) ** 3
    assert adjusted(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert len(adjusted([])) == 0


def test_words_are_fishers_test_doubled() -> None:
    p, change = word_shares(np.array([8, 50]), 100, np.array([15, 25]), 50)
    one_sided = stats.fisher_exact([[15, 35], [8, 92]], alternative="greater").pvalue
    assert p[0] == pytest.approx(2 * one_sided)
    assert change == pytest.approx([0.22, 0])
    assert p[1] == 1
