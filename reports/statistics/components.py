"""Variance components of a cell x block table, with retraining told apart where each has a second network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from reports.inputs.cube import Floats, cube


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variance components of one outcome, in its unit squared; NaN where the design does not identify them.

    `block`: between blocks (data splits and seeds, shared by all cells); `cell_by_block`: what differs between cells
    within a block, retraining included where a cell has one network in a block; `retraining`: between two networks of
    the same cell and block that differ in their seeds, NaN without a second one; `cell`: between cells' means. A moment
    estimate may fall below 0; it is then 0.
    """

    block: float
    cell_by_block: float
    cell: float
    num_cells: int
    num_blocks: int
    retraining: float = math.nan


def variance_components(frame: pd.DataFrame, outcome: str, second: str | None = None) -> Components:
    """Balanced moments of the cell x block table (Searle, Casella and McCulloch 1992, section 4.4).

    `frame` as for `comparison.contrasts`; blocks in which a cell is missing are left out. `second` names the column
    with the score of a second network of the cell and block. Retraining is then half the variance of the difference of
    the two, less each cell's mean (the one may have been selected for its mean) and each block's (seeds that all cells
    share belong to the block).
    """
    first = cube(frame.drop(columns=second or []), outcome).flat
    if second is None:
        return _of(first, 1)
    other = cube(frame.drop(columns=outcome), second).flat
    both = (first + other) / 2
    apart = (first - other)[:, np.isfinite(both).all(axis=0)]
    return _of(both, 2, _residual(apart) / 2 if min(apart.shape) > 1 else math.nan)


def _of(values: Floats, num_networks: int, retraining: float = math.nan) -> Components:
    """Components of a table whose entries are means of so many networks."""
    values = values[:, np.isfinite(values).all(axis=0)]
    num_cells, num_blocks = values.shape
    counts = {"num_cells": num_cells, "num_blocks": num_blocks}
    if num_cells < 2 or num_blocks < 2:
        return Components(block=math.nan, cell_by_block=math.nan, cell=math.nan, **counts)
    residual = _residual(values)
    blocks = num_cells * float(values.mean(axis=0).var(ddof=1))
    cells = num_blocks * float(values.mean(axis=1).var(ddof=1))
    return Components(
        block=max(0.0, (blocks - residual) / num_cells),
        cell_by_block=residual if num_networks == 1 else max(0.0, residual - retraining / num_networks),
        cell=max(0.0, (cells - residual) / num_blocks),
        retraining=retraining,
        **counts,
    )


def _residual(values: Floats) -> float:
    """The mean square of what is left without the means of rows and columns."""
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((rest**2).sum() / ((values.shape[0] - 1) * (values.shape[1] - 1)))
