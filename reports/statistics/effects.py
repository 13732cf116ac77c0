"""Further quantities beside the contrasts: failure rates, optimism, variance components, what more blocks buy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from reports.inputs.cube import cube
from reports.statistics.contrasts import contrasts
from reports.statistics.paired import half_width, summarise


def wilson(count: int, num: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share; (NaN, NaN) of none."""
    if num == 0:
        return math.nan, math.nan
    low, high = proportion_confint(count, num, alpha=1 - confidence, method="wilson")
    return max(0.0, float(low)), min(1.0, float(high))


def failure_rates(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Share of failed networks with Wilson's interval, for each combination of the columns `by`.

    `rows` has `failed` (1.0 or 0.0, as `outcomes.contrast_rows` gives it). Columns: `by`, count, num, share,
    low, high. Give all factors for one row per cell, one factor for its levels.
    """
    table = rows.groupby([*by], sort=False, observed=True)["failed"].agg(["sum", "size"]).reset_index()
    table = table.rename(columns={"sum": "count", "size": "num"}).astype({"count": int})
    bounds = [wilson(int(count), int(num)) for count, num in zip(table["count"], table["num"], strict=True)]
    return table.assign(
        share=table["count"] / table["num"],
        low=pd.Series([low for low, _ in bounds], dtype=float),
        high=pd.Series([high for _, high in bounds], dtype=float),
    )


def failure_contrasts(rows: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Contrasts of the failure rate over blocks (columns as `comparison.contrasts`), described and never claimed."""
    return contrasts(rows, factors, "failed")


def failures_first(rates: pd.DataFrame) -> bool:
    """Whether failure rates are to be compared before losses: levels of one factor differ in failed networks."""
    return len(rates) > 1 and rates["share"].nunique() > 1


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over blocks with its 95 % interval (NaN with one block)."""

    estimate: float
    ci_low: float
    ci_high: float
    num_blocks: int


def optimism(rows: pd.DataFrame, validation: str = "val_loss", test: str = "test_loss") -> Estimate:
    """Validation minus test of the best configuration over its blocks: below 0, validation flattered it.

    `rows` has one row per block of that configuration. Blocks without both scores are left out.
    """
    gaps = (rows[validation] - rows[test]).to_numpy(dtype=float)
    paired = summarise(gaps[np.isfinite(gaps)])
    return Estimate(
        estimate=float(paired.estimate),
        ci_low=float(paired.ci_low),
        ci_high=float(paired.ci_high),
        num_blocks=paired.num_blocks,
    )


@dataclass(frozen=True, kw_only=True)
class Components:
    """Variance components of one outcome, in its unit squared; NaN where the design does not identify them.

    `block`: between blocks (data splits and seeds, shared by all cells); `cell_by_block`: what differs
    between cells within a block, retraining included (not separable with one network per cell and block);
    `cell`: between cells' means. A moment estimate may fall below 0; it is then 0.
    """

    block: float
    cell_by_block: float
    cell: float
    num_cells: int
    num_blocks: int


def variance_components(frame: pd.DataFrame, outcome: str) -> Components:
    """Balanced moments of the cell x block table (Searle, Casella and McCulloch 1992, section 4.4).

    `frame` as for `comparison.contrasts`; blocks in which a cell is missing are left out.
    """
    values = cube(frame, outcome).flat
    values = values[:, np.isfinite(values).all(axis=0)]
    num_cells, num_blocks = values.shape
    if num_cells < 2 or num_blocks < 2:
        return Components(
            block=math.nan, cell_by_block=math.nan, cell=math.nan, num_cells=num_cells, num_blocks=num_blocks
        )
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    residual = float((rest**2).sum() / ((num_cells - 1) * (num_blocks - 1)))
    blocks = num_cells * float(values.mean(axis=0).var(ddof=1))
    cells = num_blocks * float(values.mean(axis=1).var(ddof=1))
    return Components(
        block=max(0.0, (blocks - residual) / num_cells),
        cell_by_block=residual,
        cell=max(0.0, (cells - residual) / num_blocks),
        num_cells=num_cells,
        num_blocks=num_blocks,
    )


def with_more_blocks(contrast: pd.DataFrame, extra: int = 10) -> pd.DataFrame:
    """What `extra` more blocks would buy: the expected half-width of each interval, now and then.

    `contrast` is a result of `comparison.contrasts`. Columns: factor, level_a, level_b, num_blocks,
    half_width, num_blocks_then, half_width_then (the spread of the block differences taken as it is).
    """
    rows: list[dict[str, Any]] = [
        {
            "factor": row["factor"],
            "level_a": row["level_a"],
            "level_b": row["level_b"],
            "num_blocks": row["num_blocks"],
            "half_width": float(half_width(row["sd"], row["num_blocks"])),
            "num_blocks_then": row["num_blocks"] + extra,
            "half_width_then": float(half_width(row["sd"], row["num_blocks"] + extra)),
        }
        for row in contrast.to_dict("records")
    ]
    names = "factor level_a level_b num_blocks half_width num_blocks_then half_width_then"
    return pd.DataFrame(rows, columns=names.split())
