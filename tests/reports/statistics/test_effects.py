"""Failure rates, optimism and the price of precision."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.statistics.contrasts import contrasts
from reports.statistics.effects import (
    failure_contrasts,
    failure_rates,
    failures_first,
    optimism,
    with_more_blocks,
)
from tests.reports.balanced import table


class TestFailures:
    def test_rates_by_cell_and_level(self) -> None:
        rows = table({"depth": [3, 7], "batch_norm": [False, True]}, num_blocks=10)
        rows["failed"] = ((rows["depth"] == 7) & (rows["block"] < 4)).astype(float)
        cells = failure_rates(rows, ["depth", "batch_norm"])
        assert cells["count"].tolist() == [0, 0, 4, 4]
        levels = failure_rates(rows, ["depth"])
        assert levels["share"].tolist() == [0, 0.4]
        assert failures_first(levels)
        assert not failures_first(failure_rates(rows, ["batch_norm"]))

    def test_contrast_of_the_rate_over_blocks(self) -> None:
        rows = table({"depth": [3, 7]}, num_blocks=10)
        rows["failed"] = ((rows["depth"] == 7) & (rows["block"] < 4)).astype(float)
        found = failure_contrasts(rows, ["depth"])
        assert found["estimate"].iloc[0] == pytest.approx(0.4)
        assert found["outcome"].iloc[0] == "failed"

    def test_no_contrast_of_shares_exceeds_one(self) -> None:
        rows = table({"depth": [3, 7]}, num_blocks=3)
        rows["failed"] = ((rows["depth"] == 7) & (rows["block"] < 2)).astype(float)
        found = failure_contrasts(rows, ["depth"]).iloc[0]
        assert (found["ci_low"], found["ci_high"]) == (pytest.approx(2 / 3 - 1.434, abs=1e-3), 1)


class TestOptimism:
    def test_is_the_score_of_the_search_less_the_confirmed_one(self) -> None:
        # The scores of the audited study: .0634 in the search, .0801 with fresh seeds.
        searched, confirmed = pd.Series([0.0600, 0.0634, 0.0668]), pd.Series([0.0771, 0.0801, 0.0831])
        found = optimism(searched, confirmed)
        assert found.estimate == pytest.approx(-0.0167)
        bounds = stats.ttest_rel(searched, confirmed).confidence_interval()
        assert (found.ci_low, found.ci_high) == pytest.approx((bounds.low, bounds.high))
        assert found.num_blocks == 3

    def test_leaves_out_blocks_without_a_score(self) -> None:
        assert optimism(pd.Series([0.1, np.nan]), pd.Series([0.1, 0.2])).num_blocks == 1

    def test_what_the_best_of_equal_candidates_is_flattered_by(self) -> None:
        # The expected lowest of 9 standard normal means lies 1.485 below 0, and a fresh score at 0.
        generator = np.random.default_rng(0)
        gaps = []
        for _ in range(300):
            scores = generator.normal(0, 1, (9, 10))
            winner = pd.Series(scores[scores.mean(axis=1).argmin()])
            gaps.append(optimism(winner, pd.Series(generator.normal(0, 1, 10))).estimate)
        assert np.mean(gaps) == pytest.approx(-1.485 / np.sqrt(10), abs=0.05)


def test_ten_more_blocks_narrow_the_interval() -> None:
    found = with_more_blocks(contrasts(table({"depth": [3, 5]}), ["depth"], "test_loss"))
    row = found.iloc[0]
    # t quantiles of 9 and 19 degrees of freedom: 2.2622 and 2.0930.
    assert row["half_width_then"] / row["half_width"] == pytest.approx(
        2.0930 / 2.2622 / math.sqrt(2), abs=1e-4
    )
    assert row["num_blocks_then"] == 20
