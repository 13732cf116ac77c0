"""What the search bought: expected best, agreement of rungs, robustness to the rate."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from reports.statistics.budget_curve import expected_best, rate_robustness, rung_agreement


class TestExpectedBest:
    def test_equals_the_mean_over_all_subsets(self) -> None:
        values = np.random.default_rng(0).normal(size=8)
        expected = [np.mean([min(subset) for subset in combinations(values, k)]) for k in range(1, 9)]
        assert expected_best(values) == pytest.approx(expected)

    def test_goes_from_the_mean_to_the_best(self) -> None:
        curve = expected_best([0.3, 0.1, 0.2])
        assert curve[0] == pytest.approx(0.2)
        assert curve[-1] == pytest.approx(0.1)

    def test_a_lost_trial_counts_as_worst(self) -> None:
        assert expected_best([0.1, math.nan, 0.3]) == pytest.approx(expected_best([0.1, 0.3, 0.3]))

    def test_nothing_and_only_losses(self) -> None:
        assert expected_best([]).size == 0
        assert np.isnan(expected_best([math.inf])).all()

    def test_many_trials_do_not_overflow(self) -> None:
        curve = expected_best(np.arange(2000.0))
        assert np.isfinite(curve).all()
        assert (np.diff(curve) <= 1e-6).all()


class TestRungs:
    def frame(self, second: list[float | None]) -> pd.DataFrame:
        rows = [
            {"cell": 1, "trial_number": trial, "epoch": epoch, "val_loss": loss}
            for epoch, losses in ((6, [0.1, 0.2, 0.3]), (18, second))
            for trial, loss in enumerate(losses)
            if loss is not None
        ]
        return pd.DataFrame(rows)

    def test_same_and_reversed_order(self) -> None:
        assert rung_agreement(self.frame([0.1, 0.2, 0.3]), [6, 18])["tau"].iloc[0] == pytest.approx(1)
        assert rung_agreement(self.frame([0.3, 0.2, 0.1]), [6, 18])["tau"].iloc[0] == pytest.approx(-1)

    def test_stopped_trials_are_left_out(self) -> None:
        found = rung_agreement(self.frame([0.2, 0.1, None]), [6, 18]).iloc[0]
        assert (found["tau"], found["num_trials"]) == (-1, 2)

    def test_a_lone_survivor_says_nothing(self) -> None:
        found = rung_agreement(self.frame([0.2, None, None]), [6, 18]).iloc[0]
        assert math.isnan(found["tau"])
        assert found["num_cells"] == 0


def test_robustness_to_the_rate() -> None:
    frame = pd.DataFrame(
        {
            "optimizer": ["sgd"] * 4 + ["adam"] * 4,
            "cell": [1] * 4 + [2] * 4,
            "val_loss": [0.1, 0.5, math.nan, 9.0, 0.2, 0.2, 0.2, 0.2],
        }
    )
    found = rate_robustness(frame, ["optimizer"], chance_loss=2.3).set_index("level")
    assert found.loc["sgd", "failed_share"] == 0.5
    assert list(found.loc["adam"])[-2:] == [0, 0]
    assert found.loc["sgd", "spread"] == pytest.approx(2.3 - 0.4)
