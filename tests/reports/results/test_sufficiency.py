"""Levels that were still improving are found, and only they."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from reports.results.sufficiency import median_accuracy, still_improving

CELLS = pd.DataFrame({"trial_number": [1, 2, 3], "depth": [3, 3, 7]})
LEVELS = {"depth": (3, 7)}


def curves(*losses: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"trial_number": trial, "replicate": replicate, "epoch": epoch, "val_loss": loss}
            for trial, curve in enumerate(losses, start=1)
            for replicate in (1, 2)
            for epoch, loss in enumerate(curve, start=1)
        ]
    )


def shares(epochs: pd.DataFrame) -> list[float]:
    return still_improving(epochs, CELLS, LEVELS, smallest_effect=0.02, chance_loss=2.3)["share"].tolist()


def test_the_fall_over_the_last_fifth_decides() -> None:
    flat = [1.0] * 8 + [0.2, 0.2]
    steep = [*np.linspace(1.0, 0.1, 10)]
    # Epoch 8 of 10 is the last fifth's start: the flat curve's fall lies before its end, but within it.
    assert shares(curves([0.2] * 10, steep, flat)) == [0.5, 1.0]
    assert shares(curves([0.2] * 10, [0.2] * 10, [1.0] * 7 + [0.2] * 3)) == [0.0, 0.0]


def test_a_network_that_diverges_counts_at_chance() -> None:
    assert shares(curves([0.2] * 10, [0.2] * 9 + [math.nan], [9.0] * 10)) == [0.0, 0.0]


def test_one_epoch_and_no_epochs_do_not_improve() -> None:
    assert shares(curves([0.2], [0.1], [0.3])) == [0.0, 0.0]
    assert shares(curves([0.2], [0.1], [0.3]).iloc[:0]) == [0.0, 0.0]


def test_median_accuracy() -> None:
    assert median_accuracy(pd.DataFrame({"test_error": [0.01, 0.02, 0.5]})) == pytest.approx(0.98)
    assert math.isnan(median_accuracy(pd.DataFrame({"test_error": []})))
