"""Families: shares that add up, hypotheses as SCIENCE counts them, Bonferroni's interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from reports.statistics.families import (
    ErrorShares,
    Family,
    num_averages,
    num_growth,
    num_interactions,
    num_simple_effects,
    simultaneous_half_width,
)
from tests.reports.balanced import DEPTH_STUDY


class TestShares:
    def test_they_add_up_to_five_per_cent(self) -> None:
        assert ErrorShares().total == pytest.approx(0.05)

    def test_a_plan_may_state_them_and_leave_some_out(self) -> None:
        found = ErrorShares.of({"error_shares": {"growth": 0.025, "loss_at_best": 0.0025}})
        assert (found.growth, found.loss_at_best, found.averages) == (0.025, 0.0025, 0.0075)
        assert ErrorShares.of({}) == ErrorShares()


class TestCounts:
    def test_of_depth_study(self) -> None:
        counts = [
            count(DEPTH_STUDY) for count in (num_averages, num_simple_effects, num_interactions, num_growth)
        ]
        assert counts == [7, 57, 18, 82]

    @pytest.mark.parametrize("levels", [{}, {"depth": (3,)}, {"depth": (3,), "dropout": (0.1,)}])
    def test_nothing_to_compare_counts_nothing(self, levels: dict[str, tuple[float, ...]]) -> None:
        assert num_growth(levels) == 0


class TestInterval:
    def test_is_bonferronis(self) -> None:
        family = Family(share=0.025, num_hypotheses=7)
        half = float(simultaneous_half_width(0.3, 10, family))
        assert half == pytest.approx(stats.t.ppf(1 - 0.025 / 14, 9) * 0.3 / math.sqrt(10))

    def test_of_one_hypothesis_at_five_per_cent_is_the_unadjusted_one(self) -> None:
        values = np.random.default_rng(0).normal(size=10)
        interval = stats.ttest_1samp(values, 0).confidence_interval()
        half = float(simultaneous_half_width(values.std(ddof=1), 10, Family(num_hypotheses=1)))
        assert 2 * half == pytest.approx(interval.high - interval.low)

    def test_is_undefined_below_two_blocks(self) -> None:
        assert np.isnan(simultaneous_half_width([0.1, 0.2], 1, Family(num_hypotheses=1))).all()

    @pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
    def test_a_family_needs_something_to_spend(self, share: float) -> None:
        with pytest.raises(ValueError, match="share between 0 and 1"):
            Family(share=share, num_hypotheses=1)
