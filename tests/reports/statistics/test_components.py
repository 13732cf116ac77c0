"""Variance components are those that the table was drawn with; retraining is told apart by a second network."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from reports.statistics.components import variance_components
from tests.reports.balanced import table


def drawn(seed: int = 0, *, num_cells: int = 60, num_blocks: int = 300) -> tuple[pd.DataFrame, float, float]:
    """Cells with a spread of 3, blocks with 2, cells within blocks with 1.5, networks with 1; two networks each."""
    generator = np.random.default_rng(seed)
    cells, blocks = generator.normal(0, 3, num_cells), generator.normal(0, 2, num_blocks)
    both = cells[:, None] + blocks + generator.normal(0, 1.5, (num_cells, num_blocks))
    scores = both + generator.normal(0, 1, (2, num_cells, num_blocks))
    frame = pd.DataFrame(
        {
            "width": np.repeat(np.arange(num_cells), num_blocks),
            "block": np.tile(np.arange(num_blocks), num_cells),
            "confirmed": scores[0].ravel(),
            "searched": scores[1].ravel(),
        }
    )
    return frame, float(cells.var(ddof=1)), float(blocks.var(ddof=1))


def test_one_network_each_leaves_retraining_within_the_rest() -> None:
    frame, cells, blocks = drawn()
    found = variance_components(frame.drop(columns="searched"), "confirmed")
    assert found.cell_by_block == pytest.approx(1.5**2 + 1, rel=0.05)
    assert (found.block, found.cell) == pytest.approx((blocks, cells), rel=0.02)
    assert math.isnan(found.retraining)


def test_a_second_network_tells_retraining_apart() -> None:
    frame, cells, blocks = drawn()
    found = variance_components(frame, "confirmed", "searched")
    assert found.retraining == pytest.approx(1, rel=0.05)
    assert found.cell_by_block == pytest.approx(1.5**2, rel=0.05)
    assert (found.block, found.cell) == pytest.approx((blocks, cells), rel=0.02)


def test_a_network_selected_for_its_mean_and_seeds_that_a_block_shares_change_no_retraining() -> None:
    frame, _, _ = drawn()
    luck = frame["searched"] - 0.1 * frame["width"] + np.sin(frame["block"])
    shifted = variance_components(frame.assign(searched=luck), "confirmed", "searched")
    plain = variance_components(frame, "confirmed", "searched")
    assert shifted.retraining == pytest.approx(plain.retraining)


def test_small_studies_are_right_on_average() -> None:
    studies = [
        variance_components(drawn(seed, num_cells=8, num_blocks=10)[0], "confirmed", "searched")
        for seed in range(80)
    ]
    assert np.mean([each.retraining for each in studies]) == pytest.approx(1, abs=0.07)
    assert np.mean([each.cell_by_block for each in studies]) == pytest.approx(1.5**2, abs=0.2)


def test_one_block_or_cell_identifies_none() -> None:
    for frame in (table({"depth": [3, 5]}, num_blocks=1), table({"depth": [3]}), table({"depth": [3]})[:0]):
        assert math.isnan(variance_components(frame, "test_loss").block)
        second = frame.assign(searched=frame["test_loss"])
        assert math.isnan(variance_components(second, "test_loss", "searched").retraining)


def test_a_negative_moment_is_zero() -> None:
    frame = pd.DataFrame({"depth": [3, 3, 5, 5], "block": [0, 1, 0, 1], "test_loss": [1.0, 2.0, 2.0, 1.0]})
    assert variance_components(frame, "test_loss").block == 0
