"""Rows to compare come from the confirm phase, scored at chance where a network was lost, none dropped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.results.accounting import AccountingError
from reports.results.outcomes import at_best_rows, boundary_shares, contrast_rows, mark_boundary
from reports.statistics.contrasts import contrasts
from tests.reports.sample import sample_inputs

FACTORS: dict[str, tuple[Any, ...]] = {"optimizer": ("sgd", "adam"), "depth": (3, 5)}


def replicates() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial_number": 1,
            "phase": ["confirm"] * 4 + ["search"],
            "optimizer": ["adam", "adam", "sgd", "sgd", "sgd"],
            "depth": 3,
            "replicate": [1, 2, 1, 2, 1],
            "block": [1, 2, 1, 2, 1],
            "outcome": ["complete", "diverged", "complete", "failed", "stopped"],
            "val_loss": [0.2, np.nan, 5.0, None, 0.1],
            "val_accuracy": [0.9, 0.9, 0.3, None, 0.1],
            "test_loss": [0.3, 0.1, 4.0, None, np.nan],
            "test_accuracy": [0.8, 0.9, 0.2, None, np.nan],
        }
    )


def test_lost_and_capped_networks_score_as_chance() -> None:
    rows = contrast_rows(replicates(), FACTORS, num_classes=4)
    assert rows["test_loss"].tolist() == pytest.approx([0.3, math.log(4), math.log(4), math.log(4)])
    assert rows["test_error"].tolist() == pytest.approx([0.2, 0.75, 0.8, 0.75])
    assert rows["failed"].tolist() == [0, 1, 1, 1]
    assert rows["uncapped_loss"].iloc[2] == 4.0


def test_levels_stand_in_plan_order() -> None:
    rows = contrast_rows(replicates(), FACTORS, num_classes=4)
    assert list(rows["optimizer"].cat.categories) == ["sgd", "adam"]


def test_a_stopped_network_among_the_rows_is_an_error() -> None:
    with pytest.raises(AccountingError, match="stopped networks"):
        contrast_rows(replicates().assign(phase="confirm"), FACTORS, num_classes=4)


def test_a_study_goes_through_to_its_contrasts() -> None:
    study = sample_inputs({"depth": (3, 7), "optimizer": ("sgd", "adam")}, num_blocks=10, rates=3)
    rows = contrast_rows(study.replicates, study.factors, study.num_classes)
    found = contrasts(rows, list(study.factors), "test_loss", 0.02)
    assert found["complete"].all()
    assert found["factor"].tolist() == ["depth", "optimizer"]


RANGES = {
    "learning_rate": {
        "sgd": {"low": 1e-3, "high": 1e-1, "log": True},
        "adam": {"low": 1e-4, "high": 1e-2, "log": True},
    }
}


class TestBoundary:
    def mark(self, optimizer: str, rate: float) -> bool:
        chosen = pd.DataFrame({"optimizer": [optimizer], "learning_rate": [rate]})
        return bool(mark_boundary(chosen, RANGES)["at_boundary"].iloc[0])

    def test_outer_tenth_on_the_log_scale_of_the_optimizers_own_range(self) -> None:
        assert self.mark("sgd", 1.1e-3)
        assert self.mark("adam", 9.9e-3)
        assert not self.mark("sgd", 9.9e-3)
        assert not self.mark("adam", 1.1e-3)

    def test_one_range_for_all_and_none(self) -> None:
        chosen = pd.DataFrame({"learning_rate": [0.5, 0.01]})
        one = {"learning_rate": {"low": 0.0, "high": 1.0, "log": False}}
        assert mark_boundary(chosen, one)["at_boundary"].tolist() == [False, True]
        assert mark_boundary(chosen, {})["at_boundary"].tolist() == [False, False]

    def test_shares_by_level(self) -> None:
        chosen = pd.DataFrame({"depth": [3, 3, 5, 5], "at_boundary": [True, False, False, False]})
        assert boundary_shares(chosen, ["depth"]) == {"depth": {3: 0.5, 5: 0.0}}


def distinct() -> pd.DataFrame:
    """The networks, each with a key of its own, as the database has them."""
    return replicates().assign(trial_number=[1, 1, 2, 2, 3])


class TestAtBest:
    """Blocks that no search has read are compared by both held-out parts together."""

    def test_rows_with_such_scores_take_them_and_others_stay(self) -> None:
        scored = distinct().assign(
            holdout_loss=[0.25, np.nan, 7.0, np.nan, np.nan],
            holdout_accuracy=[0.85, np.nan, 0.25, np.nan, np.nan],
        )
        before = contrast_rows(scored, FACTORS, num_classes=4)
        rows = at_best_rows(before, scored, num_classes=4)
        assert rows["test_loss"].tolist() == pytest.approx([0.25, math.log(4), math.log(4), math.log(4)])
        assert rows["test_error"].tolist() == pytest.approx([0.15, 0.75, 0.75, 0.75])
        others = [name for name in before if name not in ("test_loss", "test_error")]
        pd.testing.assert_frame_equal(rows[others], before[others])

    def test_a_lost_or_infinite_network_scores_as_chance(self) -> None:
        scored = distinct().assign(holdout_loss=[math.inf, 0.1, 0.2, 0.1, 0.1], holdout_accuracy=0.9)
        rows = at_best_rows(contrast_rows(scored, FACTORS, num_classes=4), scored, num_classes=4)
        assert rows["test_loss"].tolist() == pytest.approx([math.log(4), math.log(4), 0.2, math.log(4)])
        assert rows["test_error"].tolist() == pytest.approx([0.1, 0.75, 0.1, 0.75])

    def test_the_networks_are_found_whatever_the_order_and_index_of_the_rows(self) -> None:
        pooled = np.array([0.25, np.nan, 0.75, np.nan, np.nan])
        scored = distinct().assign(holdout_loss=pooled, holdout_accuracy=1 - pooled)
        before = contrast_rows(scored, FACTORS, num_classes=4)
        turned = at_best_rows(before[::-1].reset_index(drop=True), scored[::-1], num_classes=4)
        assert turned["test_loss"].tolist()[::-1] == at_best_rows(before, scored, 4)["test_loss"].tolist()
        assert turned["test_loss"].tolist() == pytest.approx([math.log(4), 0.75, math.log(4), 0.25])

    def test_a_study_without_such_scores_is_compared_by_its_test_part(self) -> None:
        before = contrast_rows(distinct(), FACTORS, num_classes=4)
        pd.testing.assert_frame_equal(at_best_rows(before, distinct(), num_classes=4), before)
        lacking = distinct().assign(holdout_loss=np.nan, holdout_accuracy=np.nan)
        pd.testing.assert_frame_equal(at_best_rows(before, lacking, num_classes=4), before)
