"""How gradients grow from the output to the input: measured per network, predicted by theory, compared by level."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

VERDICTS = (
    *("DIVERGED", "BLOWN UP", "UNTRAINED", "EXPLODING", "VANISHING", "WATCH"),
    *("SPIKY", "DEAD", "STALLED", "HOT", "STABLE"),
)
_NETWORK = ["trial_number", "replicate", "epoch"]


def growth(frame: pd.DataFrame) -> float:
    """Growth of the gradient signal per hidden block, toward the input, of one network at one epoch.

    `frame` has the columns layer (from 1 at the input) and delta_rms, one row per hidden layer. The result
    is exp(-slope of the least-squares line of ln delta_rms over layer): above 1, gradients grow toward the
    input. NaN where it is undefined: fewer than two layers, or a delta_rms that is missing, infinite or not
    positive. Raises ValueError where a layer stands twice.

    >>> import pandas as pd
    >>> from reports.stability import growth
    >>> round(growth(pd.DataFrame({"layer": [1, 2, 3], "delta_rms": [4.0, 2.0, 1.0]})), 9)
    2.0
    """
    if frame["layer"].duplicated().any():
        raise ValueError("growth needs one network and epoch: a layer stands more than once")
    one = frame.assign(trial_number=0, replicate=0, epoch=0)
    table = growths(one)
    return float(table["growth"].iloc[0]) if len(table) else math.nan


def ln_growth(layers: Sequence[int], signals: Sequence[float]) -> float | None:
    """The logarithm of `growth` for one network and epoch, without a frame: a driver asks it of every epoch.

    `signals` are the delta_rms of `layers`. None with fewer than two layers, where a signal is not finite, and where
    none arrives at all. Where the signal reaches the last layer and is 0 in another, it has vanished: minus infinity.

    >>> ln_growth([1, 2, 3], [4.0, 2.0, 1.0]) == math.log(2)
    True
    """
    if len(signals) < 2 or not all(map(math.isfinite, signals)) or signals[-1] <= 0:
        return None
    if min(signals) <= 0:
        return -math.inf
    return -statistics.linear_regression(layers, list(map(math.log, signals))).slope


def growths(gradients: pd.DataFrame) -> pd.DataFrame:
    """Growth of every network at every recorded epoch.

    `gradients`: trial_number, replicate, epoch, layer, delta_rms. One row per network and epoch: those
    three, num_layers, growth (see `growth`), total_growth = growth^(num_layers - 1), raw_ratio = delta_rms
    of the first layer over that of the last, ln_total_growth. Undefined values are NaN.
    """
    rows = gradients[[*_NETWORK, "layer"]].assign(signal=_logarithm(gradients["delta_rms"]))
    rows["layer"] = rows["layer"].astype(float)
    rows["product"], rows["square"] = rows["layer"] * rows["signal"], rows["layer"] ** 2
    groups = rows.sort_values([*_NETWORK, "layer"]).groupby(_NETWORK, sort=True)
    # A layer without a defined signal leaves its network undefined, rather than a slope through the others.
    sums = groups[["layer", "product", "square", "signal"]].sum().assign(num=groups.size())
    defined = (groups["signal"].count() == sums["num"]) & (sums["num"] > 1)
    spread = (sums["num"] * sums["square"] - sums["layer"] ** 2).where(defined)
    slope = (sums["num"] * sums["product"] - sums["layer"] * sums["signal"]) / spread
    ends = (groups["signal"].first() - groups["signal"].last()).where(defined)
    return _growth_columns(sums["num"], -slope, ends)


def _logarithm(column: pd.Series[Any]) -> pd.Series[Any]:
    values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    usable = np.isfinite(values) & (values > 0)
    logs = np.log(values, out=np.full(values.shape, np.nan), where=usable)
    return pd.Series(logs, index=column.index)


def _growth_columns(num_layers: pd.Series[Any], slope: pd.Series[Any], ends: pd.Series[Any]) -> pd.DataFrame:
    total = slope * (num_layers - 1)
    with np.errstate(
        over="ignore"
    ):  # beyond 1e308 a growth is infinite, and its logarithm still says how far
        table = pd.DataFrame(
            {
                "num_layers": num_layers,
                "growth": np.exp(slope),
                "total_growth": np.exp(total),
                "raw_ratio": np.exp(ends),
                "ln_total_growth": total,
            }
        )
    return table.reset_index()


def theoretical_growth(dropout: float, batch_norm: bool, gain: float = 1.0) -> float:
    """Growth per block that He initialisation times `gain` and ReLU give at the start, for wide layers.

    With keep probability q = 1 - dropout: gain q^(-1/2) without batch normalisation and (1 - q/pi)^(-1/2) with it, in
    which the scale of the weights cancels (mean-field theory: Schoenholz et al. 2017, Yang et al. 2019). Raises
    ValueError unless 0 <= dropout < 1.

    >>> round(theoretical_growth(0.5, False), 3), round(theoretical_growth(0.5, True), 3)
    (1.414, 1.091)
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must be at least 0 and below 1, not {dropout!r}")
    keep = 1 - dropout
    return 1 / math.sqrt(1 - keep / math.pi) if batch_norm else gain / math.sqrt(keep)


def theory_applies(settings: Mapping[str, Any]) -> bool:
    """Whether `theoretical_growth` holds for a model with hyperparameters: ReLU, He-normal initialisation, no skips."""
    known = {
        "model": ("mlp",),
        "activation": ("relu",),
        "init": ("he_normal", "fitting"),
        "residual": ("none",),
    }
    return all(settings.get(name, values[0]) in values for name, values in known.items())


def growth_predicted(settings: Mapping[str, Any]) -> float:
    """The growth that theory predicts for hyperparameters; NaN where it has no say."""
    if not theory_applies(settings):
        return math.nan
    return theoretical_growth(
        float(settings.get("dropout", 0.0)),
        bool(settings.get("batch_norm", False)),
        float(settings.get("init_gain", 1.0)),
    )


def growth_by_cell(
    growths_at_start: pd.DataFrame, cells: pd.DataFrame, settings: Mapping[str, Any]
) -> pd.DataFrame:
    """Growth measured and predicted at initialisation, one row per trial.

    `growths_at_start` are rows of `growths` at epoch 0, `cells` has trial_number (or number) and the
    factors, `settings` the fixed hyperparameters. Columns: trial_number, the columns of `cells`,
    num_replicates, measured (geometric mean over replicates; NaN if none is defined), predicted (NaN where
    the theory does not apply), ratio.
    """
    logs = growths_at_start.assign(log=np.log(growths_at_start["growth"]))
    grouped = logs.groupby("trial_number")["log"]
    measured = pd.DataFrame({"num_replicates": grouped.count(), "measured": np.exp(grouped.mean())})
    table = cells.rename(columns={"number": "trial_number"}).merge(measured.reset_index(), on="trial_number")
    table["predicted"] = [growth_predicted({**settings, **row}) for row in _rows(table)]
    return table.assign(ratio=table["measured"] / table["predicted"])


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def verdict_shares(replicates: pd.DataFrame, factors: Sequence[str], column: str) -> pd.DataFrame:
    """Share of each verdict by level, with its 95 % interval over blocks (`shares.share_interval`).

    `replicates` has block, the factors and `column`, which is verdict_initial or verdict_trained; a network without a
    verdict is left out of the count. Columns: factor, level, verdict, count, num (networks with a verdict), share, low,
    high; verdicts in the order of `VERDICTS`, those that occur nowhere left out.
    """
    known = replicates[replicates[column].notna()]
    present = [verdict for verdict in VERDICTS if (known[column] == verdict).any()]
    rows = [
        {
            "factor": factor,
            "level": level,
            "verdict": verdict,
            **_share(there[column] == verdict, there["block"]),
        }
        for factor in factors
        for level, there in known.groupby(factor, sort=False, observed=True, dropna=False)
        for verdict in present
    ]
    return pd.DataFrame(rows, columns=["factor", "level", "verdict", "count", "num", "share", "low", "high"])


def _share(hits: pd.Series[Any], blocks: pd.Series[Any]) -> dict[str, float]:
    count, num = int(hits.sum()), len(hits)
    # Imported here, because a run judges networks from its first trial on, and SciPy takes as long to load as torch.
    from reports.statistics.shares import share_interval

    low, high = share_interval(hits, blocks)
    return {"count": count, "num": num, "share": count / num, "low": low, "high": high}
