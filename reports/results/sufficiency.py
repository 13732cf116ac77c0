"""Did the epochs suffice, and can accuracy still tell levels apart? The limits that a comparison must name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.measures import LOG_LOSS, Measure

LAST_PART = 1 / 5


def still_improving(
    epochs: pd.DataFrame,
    cells: pd.DataFrame,
    factors: Mapping[str, Sequence[Any]],
    smallest_effect: float,
    chance_loss: float,
    measure: Measure = LOG_LOSS,
) -> pd.DataFrame:
    """By level, the share of cells that still got better by more than the smallest effect when training ended.

    `epochs`: trial_number, epoch and the measure of the confirm phase's networks, such as val_loss; `cells`:
    trial_number and the factors, one row per trial. The measure is the mean over replicates, none worse than a failure
    (`chance_loss`), and its change is taken over the last fifth of the epochs (at least one). Columns: factor, level,
    share, num_cells. Trials of one epoch only have no change and count as not improving.
    """
    falls = _falls(epochs, replace(measure, failure=chance_loss))
    improving = cells["trial_number"].map(falls).fillna(0.0) > smallest_effect
    rows = [
        {"factor": factor, "level": plain(level), **_share(improving, cells[factor], level)}
        for factor, levels in factors.items()
        for level in levels
    ]
    table = pd.DataFrame(rows, columns=["factor", "level", "share", "num_cells"])
    return table.assign(level=pd.Series([row["level"] for row in rows], dtype=object))


def _falls(epochs: pd.DataFrame, measure: Measure) -> pd.Series[Any]:
    """Per trial, its mean loss a fifth before the end less that at the end; the other way where higher is better."""
    capped = measure.sign * measure.scored(pd.to_numeric(epochs[measure.name]))
    means = epochs.assign(capped=capped).groupby(["trial_number", "epoch"])["capped"].mean().unstack("epoch")
    found = {trial: _fall(row.dropna()) for trial, row in means.iterrows()}
    return pd.Series(found, dtype=float)


def _fall(curve: pd.Series[Any]) -> float:
    if len(curve) < 2:
        return 0.0
    back = max(1, round(len(curve) * LAST_PART))
    return float(curve.iloc[-1 - back] - curve.iloc[-1])


def _share(improving: pd.Series[Any], column: pd.Series[Any], level: Any) -> dict[str, float]:
    there = improving[[plain(value) == plain(level) for value in column]]
    return {"share": float(there.mean()) if len(there) else math.nan, "num_cells": len(there)}


def median_accuracy(rows: pd.DataFrame) -> float:
    """Median test accuracy over the confirm phase's networks (`outcomes.contrast_rows`); NaN without any."""
    has_error = len(rows) > 0 and "test_error" in rows
    return float(1 - rows["test_error"].median()) if has_error else math.nan
