"""Networks that stopped early: which there may be, and what they count as in the epochs that they did not train."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs

NAME = "patience"
BEST, STOPPED = "best_epoch", "stopped_epoch"
_KEY = ["trial_number", "replicate"]


def stops_early(plan: Mapping[str, Any]) -> bool:
    """Return whether networks of a study may stop before its last epoch.

    >>> stops_early({"factors": {"patience": [None, 5]}}), stops_early({"fixed": {"patience": None}})
    (True, False)
    """
    levels = plan.get("factors", {}).get(NAME, [])
    held = plan.get("fixed", {}).get(NAME)
    return any(level is not None for level in levels) or held is not None or NAME in plan.get("nuisances", {})


def rested(epochs: pd.DataFrame, replicates: pd.DataFrame, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `epochs`, and one for each epoch that a network rested through while its trial went on.

    It then counts with the scores of its best epoch, whose weights it keeps. `replicates` has best_epoch and
    stopped_epoch where early stopping is on, `trials` number and epochs. A network that diverged has no best epoch,
    and gets no rows.
    """
    if STOPPED not in replicates or epochs.empty:
        return epochs
    reached = replicates["trial_number"].map(trials.set_index("number")["epochs"])
    resting = replicates.assign(num=(reached - replicates[STOPPED]).fillna(0))
    resting = resting[resting[BEST].notna() & (resting["num"] > 0)]
    best = resting[[*_KEY, BEST, STOPPED, "num"]].merge(
        epochs, left_on=[*_KEY, BEST], right_on=[*_KEY, "epoch"]
    )
    num = best["num"].astype(int)
    rows = best.loc[best.index.repeat(num)]
    after = np.concatenate([np.arange(1, each + 1) for each in num]) if len(num) else np.array([], dtype=int)
    rows = rows.assign(epoch=rows[STOPPED].astype(int) + after)
    if "learning_rate" in rows:
        rows = rows.assign(learning_rate=np.nan)
    return pd.concat([epochs, rows[list(epochs.columns)]], ignore_index=True)


def kept(epochs: pd.DataFrame, replicates: pd.DataFrame, trials: pd.DataFrame, last: int) -> pd.DataFrame:
    """Return the rows of `rested`, with the scores of the weights that networks keep where they end.

    Both those that stopped, from the epoch on after which they did, and those that came to the study's last epoch
    without stopping count with their best epoch.
    """
    if BEST not in replicates or epochs.empty:
        return epochs
    rows = rested(epochs, replicates, trials)
    ended = replicates.loc[replicates[BEST].notna(), [*_KEY, BEST]]
    ended = ended.assign(end=replicates[STOPPED].fillna(last).astype(int))
    best = ended.merge(epochs, left_on=[*_KEY, BEST], right_on=[*_KEY, "epoch"])
    best = best.assign(epoch=best["end"])
    index = pd.MultiIndex.from_frame(rows[[*_KEY, "epoch"]])
    replaced = index.isin(pd.MultiIndex.from_frame(best[[*_KEY, "epoch"]]))
    ends = best[best.set_index([*_KEY, "epoch"]).index.isin(index)]
    return pd.concat([rows[~replaced], ends[list(rows.columns)]], ignore_index=True)


def best_so_far(epochs: pd.DataFrame, replicates: pd.DataFrame, name: str) -> pd.Series:
    """Return a measure that is to be lowered: of networks that keep their best weights the least up to each epoch."""
    values: pd.Series = pd.to_numeric(epochs[name]).astype(float)
    if BEST not in replicates:
        return values
    keeping = pd.MultiIndex.from_frame(replicates.loc[replicates[BEST].notna(), _KEY])
    is_kept = pd.MultiIndex.from_frame(epochs[_KEY]).isin(keeping)
    least = values[is_kept].groupby([epochs.loc[is_kept, key] for key in _KEY]).cummin()
    return values.where(~is_kept, least)


def early_stops(inputs: ReportInputs, rows: pd.DataFrame) -> dict[str, Any] | None:
    """How many networks of the confirm phase stopped early and after how many epochs; None without early stopping.

    `rows` are theirs, with trial_number, replicate and the factors. `overall`, and `by_level` with factor and level:
    networks, stopped (before the last epoch, other than by diverging), and the median, lowest and highest epoch after
    which these did (None where there are none).
    """
    if not stops_early(inputs.plan) or rows.empty or STOPPED not in inputs.replicates:
        return None
    ends = inputs.replicates[[*_KEY, BEST, STOPPED]]
    networks = rows[[*_KEY, *inputs.factors]].merge(ends, on=_KEY)
    last = int(inputs.plan["confirm"]["epochs"])
    early = networks[STOPPED].where(networks[BEST].notna() & (networks[STOPPED] < last))
    return {
        "overall": _counted(early),
        "by_level": [
            {"factor": factor, "level": plain(level), **_counted(early[_at(networks[factor], level)])}
            for factor, levels in inputs.factors.items()
            for level in levels
        ],
    }


def _at(column: pd.Series, level: Any) -> list[bool]:
    return [plain(value) == plain(level) for value in column]


def _counted(early: pd.Series) -> dict[str, Any]:
    ended = early.dropna()
    summary = {"networks": len(early), "stopped": len(ended)}
    if ended.empty:
        return {**summary, "median": None, "low": None, "high": None}
    return {
        **summary,
        "median": float(ended.median()),
        "low": float(ended.min()),
        "high": float(ended.max()),
    }
