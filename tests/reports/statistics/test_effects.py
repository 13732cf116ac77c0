"""Failure rates, optimism, variance components and the price of precision."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from reports.statistics.contrasts import contrasts
from reports.statistics.effects import (
    failure_contrasts,
    failure_rates,
    failures_first,
    optimism,
    variance_components,
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
    def test_is_validation_minus_test(self) -> None:
        rows = pd.DataFrame({"val_loss": [0.1, 0.2, 0.3], "test_loss": [0.12, 0.21, 0.33]})
        found = optimism(rows)
        assert found.estimate == pytest.approx(-0.02)
        assert found.ci_low < -0.02 < found.ci_high
        assert found.num_blocks == 3

    def test_leaves_out_blocks_without_a_score(self) -> None:
        rows = pd.DataFrame({"val_loss": [0.1, np.nan], "test_loss": [0.1, 0.2]})
        assert optimism(rows).num_blocks == 1


class TestComponents:
    def test_are_found_again(self) -> None:
        generator = np.random.default_rng(0)
        cells, blocks = generator.normal(0, 3, 60), generator.normal(0, 2, 300)
        rows = [
            {"width": cell, "block": block, "test_loss": cells[cell] + blocks[block] + noise}
            for cell in range(60)
            for block, noise in enumerate(generator.normal(0, 1, 300))
        ]
        found = variance_components(pd.DataFrame(rows), "test_loss")
        assert found.cell_by_block == pytest.approx(1, rel=0.05)
        assert found.block == pytest.approx(blocks.var(ddof=1), rel=0.02)
        assert found.cell == pytest.approx(cells.var(ddof=1), rel=0.02)

    def test_are_not_identified_by_one_block_or_cell(self) -> None:
        for frame in (
            table({"depth": [3, 5]}, num_blocks=1),
            table({"depth": [3]}),
            table({"depth": [3]})[:0],
        ):
            assert math.isnan(variance_components(frame, "test_loss").block)

    def test_a_negative_moment_is_zero(self) -> None:
        frame = pd.DataFrame(
            {"depth": [3, 3, 5, 5], "block": [0, 1, 0, 1], "test_loss": [1.0, 2.0, 2.0, 1.0]}
        )
        assert variance_components(frame, "test_loss").block == 0


def test_ten_more_blocks_narrow_the_interval() -> None:
    found = with_more_blocks(contrasts(table({"depth": [3, 5]}), ["depth"], "test_loss"))
    row = found.iloc[0]
    # t quantiles of 9 and 19 degrees of freedom: 2.2622 and 2.0930.
    assert row["half_width_then"] / row["half_width"] == pytest.approx(
        2.0930 / 2.2622 / math.sqrt(2), abs=1e-4
    )
    assert row["num_blocks_then"] == 20
