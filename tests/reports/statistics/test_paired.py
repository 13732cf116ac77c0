"""The numbers about block differences equal those of scipy and statsmodels, and stay defined at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from reports.statistics.paired import blocks_needed, half_width, sign_flip, summarise

DIFFERENCES = np.random.default_rng(3).normal(0.02, 0.03, (5, 10))


class TestAgainstLibraries:
    def test_t_and_interval(self) -> None:
        found = summarise(DIFFERENCES)
        expected = stats.ttest_1samp(DIFFERENCES, 0, axis=-1)
        bounds = expected.confidence_interval()
        assert found.p == pytest.approx(expected.pvalue)
        assert found.ci_low == pytest.approx(bounds.low)
        assert found.ci_high == pytest.approx(bounds.high)

    def test_equivalence_is_the_larger_of_two_one_sided_tests(self) -> None:
        found = summarise(DIFFERENCES, smallest_effect=0.03)
        for row, p in zip(DIFFERENCES, found.p_equivalent, strict=True):
            assert p == pytest.approx(DescrStatsW(row).ttost_mean(-0.03, 0.03)[0])

    def test_beyond_is_the_one_sided_test_against_the_margin(self) -> None:
        found = summarise(DIFFERENCES + 0.1, smallest_effect=0.03)
        expected = stats.ttest_1samp(DIFFERENCES + 0.1, 0.03, axis=-1, alternative="greater")
        assert found.p_beyond == pytest.approx(expected.pvalue)

    @pytest.mark.parametrize("count", [2, 5, 10])
    def test_sign_flip_is_scipys_exact_permutation_test(self, count: int) -> None:
        for row in DIFFERENCES[:, :count]:
            expected = stats.permutation_test(
                (row,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", vectorized=True
            )
            assert sign_flip(row) == pytest.approx(expected.pvalue)

    def test_sampled_sign_flips_are_close_to_exact_ones_and_repeat(self) -> None:
        long = np.random.default_rng(4).normal(0.3, 1, 15)
        patterns = np.array(np.meshgrid(*[[-1, 1]] * 15)).reshape(15, -1).T
        exact = (np.abs(patterns @ long) >= abs(long.sum()) - 1e-12).mean()
        assert sign_flip(long) == pytest.approx(exact, abs=0.005)
        assert sign_flip(long) == sign_flip(long)

    def test_blocks_needed_reach_the_power(self) -> None:
        num = blocks_needed(0.5, 1.0)
        assert num is not None
        powers = [TTestPower().power(0.5, nobs=count, alpha=0.05) for count in (num - 1, num)]
        assert powers[0] < 0.8 <= powers[1]


class TestEdges:
    def test_sign_flip_reaches_two_in_all_patterns_and_no_less(self) -> None:
        assert sign_flip(np.ones(10)) == 2 / 2**10
        assert sign_flip(np.ones(5)) == 0.0625

    def test_one_block_has_an_estimate_and_no_interval(self) -> None:
        found = summarise([0.3], smallest_effect=0.1)
        assert found.estimate == 0.3
        assert math.isnan(found.ci_low)
        assert math.isnan(found.p)
        assert found.p_sign_flip == 1

    def test_no_block_has_nothing(self) -> None:
        found = summarise([])
        assert found.num_blocks == 0
        assert math.isnan(found.estimate)

    def test_equal_differences_have_no_width(self) -> None:
        found = summarise(np.full(10, 0.1), smallest_effect=0.05)
        assert found.ci_low == found.ci_high == pytest.approx(0.1)
        assert found.p == 0
        assert found.p_beyond == 0
        assert found.p_equivalent == 1

    def test_zeros_are_no_evidence_of_a_difference(self) -> None:
        found = summarise(np.zeros(10), smallest_effect=0.05)
        assert found.p == found.p_sign_flip == 1
        assert found.p_equivalent == 0

    def test_a_difference_that_is_not_finite_is_refused(self) -> None:
        with pytest.raises(ValueError, match="finite"):
            summarise([0.1, np.nan])

    @pytest.mark.parametrize("effect", [0.0, -1.0, math.nan, math.inf])
    def test_a_smallest_effect_is_positive(self, effect: float) -> None:
        with pytest.raises(ValueError, match="positive"):
            summarise([0.1, 0.2], smallest_effect=effect)

    def test_needed_blocks_without_effect_spread_or_hope(self) -> None:
        assert blocks_needed(0.0, 1.0) is None
        assert blocks_needed(math.nan, 1.0) is None
        assert blocks_needed(1.0, 0.0) == 10
        assert blocks_needed(0.001, 1.0) is None

    def test_half_width_of_fewer_than_two_blocks_is_undefined(self) -> None:
        assert math.isnan(float(half_width(1.0, 1)))
