"""From recorded replicates to the rows that are compared: the confirm phase, scored, with nothing dropped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.measures import LOG_LOSS, Measure
from reports.results.accounting import AccountingError

LOST = ("diverged", "failed")
"""How a network ended that scores as a failure."""
HOLDOUT = ("holdout_loss", "holdout_accuracy")
"""Scores over the examples of the validation and the test part together, of blocks that no search has read."""
_KEY = ["trial_number", "replicate"]


def contrast_rows(
    replicates: pd.DataFrame,
    factors: Mapping[str, Sequence[Any]],
    num_classes: int,
    objective: Measure = LOG_LOSS,
    own: Sequence[Measure] = (),
) -> pd.DataFrame:
    """The confirm phase's networks, one row each, ready for `comparison.contrasts`.

    Columns: the factors (text levels as a Categorical in plan order), block, trial_number, replicate,
    outcome, test_loss (nats, capped at ln C), test_error (fraction), uncapped_loss (NaN or infinite where
    recorded so), val_loss (capped), val_error, failed (1.0 where the network diverged, failed or is capped,
    else 0.0), and the search's objective under its name. A network that diverged or failed, or whose scores are not
    finite, scores as chance: ln C and 1 - 1/C; an objective that is undefined is missing. With `own` metrics the scores
    are those (`own_scores`). Raises
    AccountingError where a stopped network is among the rows.
    """
    rows = replicates[replicates["phase"] == "confirm"]
    stopped = rows[rows["outcome"] == "stopped"]
    if len(stopped):
        numbers = sorted({int(number) for number in stopped["trial_number"]})
        raise AccountingError([f"stopped networks of trials {numbers} stand among the rows to compare"])
    scored = own_scores(rows, own) if own else _scored(rows, num_classes)
    if objective.name not in scored:
        lost = rows["outcome"].isin(LOST)
        scored[objective.name] = objective.scored(pd.to_numeric(rows[objective.name]), lost)
    return scored.assign(**{name: _level_column(rows[name], levels) for name, levels in factors.items()})


def at_best_rows(rows: pd.DataFrame, replicates: pd.DataFrame, num_classes: int) -> pd.DataFrame:
    """The rows of `contrast_rows`, with the scores of validation and test part together where a network has them.

    Those are the networks of blocks that no search has read: their `holdout_loss` and `holdout_accuracy` in
    `replicates` take the place of test_loss and test_error, scored the same way (capped at ln C, chance where not
    finite). A lost network has none, and keeps chance. All other columns stay, and so does every row of a study whose
    frame lacks the scores.
    """
    if not {*HOLDOUT} <= {*replicates.columns}:
        return rows
    pooled = replicates.set_index(_KEY)[[*HOLDOUT]].reindex(pd.MultiIndex.from_frame(rows[_KEY]))
    loss, accuracy = (pooled[name].set_axis(rows.index) for name in HOLDOUT)
    lost = rows["outcome"].isin(LOST).to_numpy()
    has_loss, has_error = loss.notna().to_numpy(), accuracy.notna().to_numpy()
    return rows.assign(
        test_loss=np.where(has_loss, _capped(loss, lost, math.log(num_classes)), rows["test_loss"]),
        test_error=np.where(has_error, _error(accuracy, lost, num_classes), rows["test_error"]),
    )


def all_failed(rows: pd.DataFrame) -> bool:
    """Whether every one of these networks diverged, failed or did no better: what they score is no measurement."""
    return len(rows) > 0 and bool(rows["failed"].all())


def is_measured(rows: pd.DataFrame, name: str, failure: float = math.nan) -> bool:
    """Whether any of these networks has a score of its own under `name`, rather than what a failure scores."""
    return not bool((rows["outcome"].isin(LOST) | (rows[name] == failure) | rows[name].isna()).all())


def _scored(rows: pd.DataFrame, num_classes: int) -> pd.DataFrame:
    chance = math.log(num_classes)
    lost = rows["outcome"].isin(LOST).to_numpy()
    test, val = (_capped(rows[name], lost, chance) for name in ("test_loss", "val_loss"))
    return pd.DataFrame(
        {
            "block": rows["block"],
            "trial_number": rows["trial_number"],
            "replicate": rows["replicate"],
            "outcome": rows["outcome"],
            "test_loss": test,
            "test_error": _error(rows["test_accuracy"], lost, num_classes),
            "uncapped_loss": pd.to_numeric(rows["test_loss"]).astype(float),
            "val_loss": val,
            "val_error": _error(rows["val_accuracy"], lost, num_classes),
            "failed": np.where(lost | (test >= chance), 1.0, 0.0),
        },
        index=rows.index,
    )


def own_scores(rows: pd.DataFrame, own: Sequence[Measure]) -> pd.DataFrame:
    """The networks' scores by the metrics that a plan declares, on the validation and the test part.

    `own` are those of the test part, the primary one first; `failed` is 1.0 where a network diverged, failed or does
    no better by that one. Another metric that a network lacks is undefined, and missing.
    """
    lost = rows["outcome"].isin(LOST)
    named = rows[["block", "trial_number", "replicate", "outcome"]]
    # The primary one is what every network is judged by: one without it is lost.
    scores = {
        name: measure.scored(pd.to_numeric(rows[name]).where(~lost), None if measure is own[0] else lost)
        for measure in own
        for name in (f"val_{measure.name.removeprefix('test_')}", measure.name)
    }
    failed = (lost | (scores[own[0].name] == own[0].failure)).astype(float)
    return named.assign(**scores, failed=failed)


def _capped(column: pd.Series[Any], lost: np.ndarray[Any, Any], chance: float) -> np.ndarray[Any, Any]:
    values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    return np.where(lost | ~np.isfinite(values), chance, np.minimum(values, chance))


def _error(column: pd.Series[Any], lost: np.ndarray[Any, Any], num_classes: int) -> np.ndarray[Any, Any]:
    values = pd.to_numeric(column).to_numpy(dtype=float, na_value=np.nan)
    return np.where(lost | ~np.isfinite(values), 1 - 1 / num_classes, 1 - values)


def _level_column(column: pd.Series[Any], levels: Sequence[Any]) -> pd.Series[Any]:
    if all(isinstance(level, str) for level in levels):
        return column.astype(pd.CategoricalDtype([*levels]))
    return pd.Series([plain(value) for value in column], index=column.index, dtype=object)


def boundary_shares(chosen: pd.DataFrame, factors: Sequence[str]) -> dict[str, dict[Any, float]]:
    """For factor and level, the share of cells whose chosen learning rate lies at the end of its range.

    `chosen` has one row per cell: the factors and `at_boundary` (bool), as `mark_boundary` gives it.
    """
    return {
        factor: {
            level: float(chosen.loc[chosen[factor].map(plain) == level, "at_boundary"].mean())
            for level in dict.fromkeys(chosen[factor].map(plain))
        }
        for factor in factors
    }


def mark_boundary(
    chosen: pd.DataFrame, nuisances: Mapping[str, Any], name: str = "learning_rate", outer: float = 0.1
) -> pd.DataFrame:
    """Add `at_boundary`: whether `name` lies in the outer tenth of its range, on the range's own scale.

    `nuisances` is the plan's: {"low", "high", "log"} or one such mapping per optimizer (then `chosen` needs
    the column optimizer, or holds it fixed at the only one given). False where the nuisance is not in the
    plan.
    """
    ranges = nuisances.get(name)
    marks = [
        ranges is not None and _in_outer_part(row[name], _range_of(ranges, row), outer)
        for row in chosen.to_dict("records")
    ]
    return chosen.assign(at_boundary=pd.Series(marks, index=chosen.index, dtype=bool))


def _range_of(ranges: Mapping[str, Any], row: Mapping[Any, Any]) -> Mapping[str, Any]:
    return ranges if "low" in ranges else ranges[str(row["optimizer"])]


def _in_outer_part(value: float, bounds: Mapping[str, Any], outer: float) -> bool:
    scale = math.log if bounds.get("log") else float
    low, high, place = scale(bounds["low"]), scale(bounds["high"]), scale(value)
    share = (place - low) / (high - low)
    return share < outer or share > 1 - outer
