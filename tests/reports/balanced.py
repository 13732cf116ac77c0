"""Balanced tables with a known truth, as the statistics of a report receive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

DEPTH_STUDY: dict[str, Sequence[Any]] = {
    "depth": [3, 5, 7],
    "dropout": [0.1, 0.3, 0.5],
    "batch_norm": [False, True],
    "optimizer": ["sgd", "adam", "rmsprop"],
}
Truth = Callable[[Mapping[str, Any]], float]


def zero(_: Mapping[str, Any]) -> float:
    """Nothing matters."""
    return 0.0


def table(
    factors: Mapping[str, Sequence[Any]],
    truth: Truth = zero,
    *,
    num_blocks: int = 10,
    noise: float = 0.01,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per cell and block: the factors, block (from 0), test_loss = 0.2 + truth + block effect + noise."""
    generator = np.random.default_rng(seed)
    shifts = generator.normal(0, 0.05, num_blocks)
    rows = []
    for levels in product(*factors.values()):
        cell = dict(zip(factors, levels, strict=True))
        for block in range(num_blocks):
            loss = 0.2 + truth(cell) + shifts[block] + noise * generator.normal()
            rows.append({**cell, "block": block, "test_loss": loss})
    return pd.DataFrame(rows)
