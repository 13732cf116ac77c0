"""What the search's budget bought: the expected best of k trials, agreement of rungs, robustness to the rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from reports.inputs.cube import Floats
from reports.inputs.measures import LOG_LOSS, Measure

_CHUNK = 256


def expected_best(values: npt.ArrayLike, *, lower_is_better: bool = True) -> Floats:
    """Expected best of k of n values drawn without replacement, for k = 1..n: element k-1.

    The unbiased form of Tang et al. (2020, "Showing your work doesn't always work"): order statistics
    weighted with C(i-1, k-1) / C(n, k). Not finite values count as worst: they take the worst finite one's
    place. Empty for no value; NaN where none is finite.

    >>> round(float(expected_best(range(1, 11), lower_is_better=False)[2]), 2)
    8.25
    """
    scores = np.asarray(values, dtype=float).ravel()
    finite = np.isfinite(scores)
    if not finite.any():
        return np.full(scores.shape, np.nan)
    sign = -1.0 if lower_is_better else 1.0
    scores = np.where(finite, sign * scores, (sign * scores[finite]).min())
    ordered, num = np.sort(scores), len(scores)
    # In chunks of k: the whole matrix of weights would not fit for 10,000 trials.
    chunks = [
        _expected_maximum(ordered, np.arange(low, min(low + _CHUNK, num + 1)))
        for low in range(1, num + 1, _CHUNK)
    ]
    return np.asarray(sign * np.concatenate(chunks))


def _expected_maximum(ordered: Floats, drawn: npt.NDArray[np.intp]) -> Floats:
    num, rank = len(ordered), np.arange(1, len(ordered) + 1)[:, None]
    factorials = special.gammaln(np.arange(1, num + 2))
    weights = np.exp(_log_choose(rank - 1, drawn - 1, factorials) - _log_choose(num, drawn, factorials))
    return np.asarray(ordered @ weights)


def _log_choose(num: Any, drawn: Any, factorials: Floats) -> Floats:
    """ln C(num, drawn), of the logarithms of the factorials from 0!; -inf where more are drawn than there are."""
    inside = drawn <= num
    logs = factorials[num] - factorials[drawn] - factorials[np.where(inside, num - drawn, 0)]
    return np.where(inside, logs, -np.inf)


def rung_agreement(
    search_epochs: pd.DataFrame, rungs: Sequence[int], values: str = "val_loss"
) -> pd.DataFrame:
    """Do early rungs rank trials as later ones do? Kendall's tau within cells, averaged.

    `search_epochs`: cell, trial_number, epoch, and the column `values` (mean over the replicates, one row per trial
    and rung). For each pair of neighbouring rungs: rung_a, rung_b, tau (mean over cells with at least two
    trials at both and no ties only), num_cells, num_trials. Trials stopped at the earlier rung cannot be
    compared.
    """
    wide = search_epochs.pivot(index=["cell", "trial_number"], columns="epoch", values=values)
    rows = [_agreement(wide, *pair) for pair in pairwise(rungs)]
    return pd.DataFrame(rows, columns=["rung_a", "rung_b", "tau", "num_cells", "num_trials"])


def _agreement(wide: pd.DataFrame, first: int, second: int) -> dict[str, Any]:
    present = wide.reindex(columns=[first, second]).dropna()
    taus, num = [], 0
    for _, rows in present.groupby(level="cell"):
        varied = rows[first].nunique() > 1 and rows[second].nunique() > 1
        if varied:
            taus.append(float(stats.kendalltau(rows[first], rows[second]).statistic))
            num += len(rows)
    tau = float(np.mean(taus)) if taus else float("nan")
    return {"rung_a": first, "rung_b": second, "tau": tau, "num_cells": len(taus), "num_trials": num}


def rate_robustness(
    first_rung: pd.DataFrame, factors: Sequence[str], chance_loss: float, measure: Measure = LOG_LOSS
) -> pd.DataFrame:
    """How much the learning rate matters, by level, from rung 1 of the search, which every trial reaches.

    `first_rung` has one row per trial: the factors, cell and the measure, such as val_loss (mean over replicates).
    Columns: factor, level, num_trials, failed_share (loss not finite or no better than chance), spread
    (nats; median over cells of the interquartile range over rates, losses capped at chance).
    """
    capped = replace(measure, failure=chance_loss).scored(pd.to_numeric(first_rung[measure.name]))
    table = first_rung.assign(capped=capped, lost=capped == chance_loss)
    rows = [
        {
            "factor": factor,
            "level": level,
            "num_trials": len(there),
            "failed_share": float(there["lost"].mean()),
            "spread": float(there.groupby("cell")["capped"].agg(_interquartile).median()),
        }
        for factor in factors
        for level, there in table.groupby(factor, sort=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=["factor", "level", "num_trials", "failed_share", "spread"])


def _interquartile(losses: pd.Series[Any]) -> float:
    return float(losses.quantile(0.75) - losses.quantile(0.25))
