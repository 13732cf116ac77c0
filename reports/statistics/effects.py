"""Further quantities beside the contrasts: failure rates, optimism, what more blocks buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.statistics.contrasts import contrasts
from reports.statistics.paired import half_width, summarise
from reports.statistics.shares import share_interval


def failure_rates(rows: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Share of failed networks with its interval over blocks, for each combination of the columns `by`.

    `rows` has block and `failed` (1.0 or 0.0, as `outcomes.contrast_rows` gives it). Columns: `by`, count, num, share,
    low, high (`shares.share_interval`). Give all factors for one row per cell, one factor for its levels.
    """
    groups = rows.groupby([*by], sort=False, observed=True)
    table = groups["failed"].agg(["sum", "size"]).reset_index()
    table = table.rename(columns={"sum": "count", "size": "num"}).astype({"count": int})
    bounds = [share_interval(there["failed"], there["block"]) for _, there in groups]
    return table.assign(
        share=table["count"] / table["num"],
        low=pd.Series([low for low, _ in bounds], dtype=float),
        high=pd.Series([high for _, high in bounds], dtype=float),
    )


def failure_contrasts(rows: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Contrasts of the failure rate over blocks (columns as `comparison.contrasts`), described and never claimed."""
    return within_shares(contrasts(rows, factors, "failed"))


def within_shares(contrast: pd.DataFrame) -> pd.DataFrame:
    """Contrasts of shares with the ends of their intervals cut at -1 and 1, which no difference of shares exceeds."""
    named = [str(name) for name in contrast if str(name).endswith(("_low", "_high"))]
    return contrast.assign(**{name: contrast[name].clip(-1.0, 1.0) for name in named})


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


def optimism(searched: pd.Series[float], confirmed: pd.Series[float]) -> Estimate:
    """The winner's score in the search less its score with fresh seeds, over blocks: below 0, a loss was flattered.

    Both have one score a block, in the same order. Blocks without both are left out.
    """
    gaps = searched.to_numpy(dtype=float) - confirmed.to_numpy(dtype=float)
    paired = summarise(gaps[np.isfinite(gaps)])
    return Estimate(
        estimate=float(paired.estimate),
        ci_low=float(paired.ci_low),
        ci_high=float(paired.ci_high),
        num_blocks=paired.num_blocks,
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
