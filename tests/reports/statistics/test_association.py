"""An association is that of cells within strata: not of networks, not of what a factor does to both, and with cover."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports.statistics.association import association

FACTORS: dict[str, list[Any]] = {"depth": [3, 5, 7], "dropout": [0.1, 0.3, 0.5], "batch_norm": [False, True]}
CELLS = [dict(zip(FACTORS, levels, strict=True)) for levels in product(*FACTORS.values())]


def networks(growth: np.ndarray, loss: np.ndarray, num_blocks: int = 10) -> pd.DataFrame:
    """The same growth and loss for each network of a cell, but for noise that is its own."""
    generator = np.random.default_rng(0)
    rows = [
        {**cell, "growth": growth[place] + 1e-9 * generator.normal(), "loss": loss[place]}
        for place, cell in enumerate(CELLS)
        for _ in range(num_blocks)
    ]
    return pd.DataFrame(rows)


def test_nothing_is_said_where_strata_disagree() -> None:
    # As in a study of depth and dropout: growth rises with dropout without batch norm and falls with it, losses rise.
    growth = np.array(
        [(-0.6 if cell["batch_norm"] else 1) * cell["dropout"] + cell["depth"] / 50 for cell in CELLS]
    )
    loss = np.array([cell["dropout"] + cell["depth"] / 100 for cell in CELLS])
    found = association(networks(growth, loss), list(FACTORS), "growth", "loss")
    assert {each.level: each.correlation > 0 for each in found.strata if each.factor == "batch_norm"} == {
        False: True,
        True: False,
    }
    assert not found.agree
    assert found.factor is None
    assert math.isnan(found.correlation)


def test_a_factor_that_moves_both_is_no_association_within_its_levels() -> None:
    generator = np.random.default_rng(4)
    by_dropout = np.array([10 * cell["dropout"] for cell in CELLS])
    rows = networks(by_dropout + generator.normal(0, 0.1, 18), by_dropout + generator.normal(0, 0.1, 18))
    pooled = stats.spearmanr(rows["growth"], rows["loss"]).statistic
    found = association(rows, list(FACTORS), "growth", "loss")
    within = [each.correlation for each in found.strata if each.factor == "dropout"]
    assert pooled > 0.8
    assert max(map(abs, within)) < 0.8
    assert not found.agree


def test_where_all_strata_agree_the_one_nearest_to_0_is_given() -> None:
    generator = np.random.default_rng(1)
    growth = generator.normal(0, 1, 18)
    found = association(
        networks(growth, growth + generator.normal(0, 0.4, 18)), list(FACTORS), "growth", "loss"
    )
    assert found.agree
    assert len(found.strata) == 8
    assert 0 < found.low < found.correlation < found.high < 1
    mine = [each for each in found.strata if each.factor == found.factor]
    # Fisher's z, weighted by cells less 3.
    weights = np.array([each.num_cells - 3 for each in mine])
    z = np.average(np.arctanh([each.correlation for each in mine]), weights=weights)
    assert found.correlation == pytest.approx(np.tanh(z))


def test_cells_count_once_however_many_networks_they_have() -> None:
    generator = np.random.default_rng(1)
    growth = generator.normal(0, 1, 18)
    loss = growth + generator.normal(0, 0.4, 18)
    few, many = (association(networks(growth, loss, num), list(FACTORS), "growth", "loss") for num in (3, 60))
    assert (few.low, few.high) == pytest.approx((many.low, many.high), abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_interval_covers(correlation: float) -> None:
    """Two strata of 27 cells, bivariate normal: Spearman's is 6/pi asin(r/2)."""
    generator = np.random.default_rng(2)
    truth = 6 / math.pi * math.asin(correlation / 2)
    frame = pd.DataFrame({"batch_norm": [False, True] * 27, "width": np.repeat(np.arange(27), 2)})
    covered, told = 0, 0
    for _ in range(80):
        first = generator.normal(0, 1, 54)
        second = correlation * first + math.sqrt(1 - correlation**2) * generator.normal(0, 1, 54)
        found = association(frame.assign(a=first, b=second), ["batch_norm", "width"], "a", "b")
        if found.agree or correlation:
            told += 1
            covered += found.low <= truth <= found.high
    if correlation:
        assert covered / told > 0.92
    else:
        # Where nothing is there, the two strata agree half of the time, and the interval mostly holds 0 even then.
        assert told < 0.65 * 80
        assert covered / told > 0.85


def test_few_cells_and_constant_values_are_no_stratum() -> None:
    rows = networks(np.ones(18), np.arange(18.0)).assign(growth=1.0)
    assert association(rows, list(FACTORS), "growth", "loss").strata == ()
    single = networks(np.arange(18.0), np.arange(18.0)).assign(batch_norm=True, dropout=0.1)
    assert {each.factor for each in association(single, list(FACTORS), "growth", "loss").strata} <= {"depth"}
    one = pd.DataFrame({"depth": [3, 5, 7], "growth": [1.0, 2.0, 3.0], "loss": [1.0, 2.0, 3.0]})
    assert association(one, ["depth"], "growth", "loss").strata == ()
