"""Intervals of bounded quantities stay within their bounds, agree with plain t far from them, and cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.inputs.measures import classifier_measure, measure_of
from reports.statistics.intervals import ANYWHERE, SHARE, ends, t_band, t_interval

BOUNDS = [ANYWHERE, SHARE, (0.0, math.inf), (-math.inf, 1.0), (0.0, math.log(10))]


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=12),
    st.sampled_from(BOUNDS),
)
def test_an_interval_lies_around_its_mean_and_within_its_bounds(
    values: list[float], within: tuple[float, float]
) -> None:
    mean, low, high = t_interval(np.array(values), within)
    slack = 1e-12
    assert max(within[0], -math.inf) <= low <= mean + slack
    assert mean - slack <= high <= within[1]


def test_an_error_of_a_few_percent_has_no_interval_below_zero() -> None:
    # Ten blocks whose plain interval is [-0.5 %, 7.9 %] around 3.7 %.
    half = 0.042
    low, high = ends(0.037, half, SHARE)
    # By hand: the logit is -3.259 with a half-width of 0.042 / (0.037 * 0.963) = 1.1788.
    assert (float(low), float(high)) == pytest.approx((0.0117, 0.1110), abs=5e-5)


def test_far_from_the_bounds_nothing_changes() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.001, 10)
    plain = stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    for within in BOUNDS:
        assert t_interval(values, within)[1:] == pytest.approx(plain, abs=5e-6)


def test_equal_values_on_a_bound_have_no_width() -> None:
    assert t_interval(np.zeros(5), SHARE) == (0, 0, 0)
    assert t_interval(np.ones(5), SHARE) == (1, 1, 1)
    assert np.isnan(t_interval(np.array([0.2]), SHARE)[1:]).all()


def test_the_logit_scale_covers_errors_near_zero_as_the_plain_one_does_not() -> None:
    # Errors of 2.5 % in the mean, as skewed as a beta with a shape of 1.5 is, over ten blocks.
    generator = np.random.default_rng(1)
    values = generator.beta(1.5, 58.5, (10, 4000))
    covered = {
        name: np.mean((low <= 0.025) & (high >= 0.025))
        for name, (_, low, high) in (("plain", t_band(values)), ("logit", t_band(values, SHARE)))
    }
    assert covered["logit"] > 0.925
    assert covered["logit"] > covered["plain"]


def test_a_measure_knows_what_its_mean_can_lie_between() -> None:
    assert classifier_measure("test_roc_auc").bounds([]) == SHARE
    assert classifier_measure("test_loss", 10).bounds([]) == pytest.approx((0, math.log(10)))
    own = {"metrics": [{"name": "rmse", "direction": "min", "unit": "kg", "failure": 9.0}]}
    assert measure_of(own, "test_rmse").bounds([0.5, math.nan]) == (0, 9)
    assert measure_of(own, "test_rmse").bounds([-0.5]) == (-math.inf, 9)
    raised = {"metrics": [{"name": "r2", "direction": "max", "unit": "", "failure": 0.0}]}
    assert measure_of(raised, "test_r2").bounds([0.9]) == (0, math.inf)
