"""The best configuration and the confirmed ones: what they are, and their scores over blocks."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.cube import plain
from reports.inputs import ReportInputs
from reports.plots.intervals import t_interval
from reports.results import Results

SCORES = ("val_loss", "val_error", "test_loss", "test_error")


def best_configuration(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """The configuration that a user would take, with its scores in the confirm phase; None before there is one.

    With cells: the cell whose chosen search trial has the lowest objective; its scores are null until it is confirmed.
    Without: the confirmed configuration with the lowest mean validation loss, the stated default apart.
    """
    if inputs.has_cells:
        if results.chosen.empty:
            return None
        row = results.chosen.sort_values(["objective", "cell"]).iloc[0]
        confirm = inputs.trials[
            (inputs.trials["phase"] == "confirm") & (inputs.trials["cell"] == row["cell"])
        ]
        number = None if confirm.empty else int(confirm["number"].iloc[0])
        return {
            "cell": int(row["cell"]),
            "objective": row["objective"],
            **_scored(inputs, results, number, row),
        }
    found = [each for each in confirmed_configurations(inputs, results) if not each["is_default"]]
    found = [each for each in found if each["val_loss"] is not None]
    return min(found, key=lambda each: (each["val_loss"], each["trial_number"])) if found else None


def confirmed_configurations(inputs: ReportInputs, results: Results) -> list[dict[str, Any]]:
    """For a study without cells, every configuration of the confirm phase in order, the stated default marked."""
    if inputs.has_cells:
        return []
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"].sort_values("number")
    default = inputs.plan["confirm"].get("default") or {}
    return [
        {
            **_scored(inputs, results, int(row["number"]), row),
            "is_default": bool(default) and _is_default(row, default),
        }
        for _, row in confirm.iterrows()
    ]


def _is_default(row: pd.Series, default: Mapping[str, Any]) -> bool:
    return all(plain(row[name]) == plain(value) for name, value in default.items() if name in row)


def _scored(inputs: ReportInputs, results: Results, number: int | None, row: pd.Series) -> dict[str, Any]:
    names = [*inputs.factors, *(name for name in inputs.plan["nuisances"] if name not in inputs.factors)]
    rows = results.rows[results.rows["trial_number"] == number]
    scores: dict[str, Any] = {}
    for name in SCORES:
        mean, low, high = t_interval(rows[name].to_numpy(dtype=float))
        scores[name], scores[f"{name}_interval"] = (mean, [low, high]) if len(rows) else (None, None)
    for part in ("val", "test"):
        error = scores[f"{part}_error"]
        scores[f"{part}_accuracy"] = None if error is None else 1 - error
    return {
        "trial_number": number,
        "params": {name: plain(row[name]) for name in names if name in row},
        "num_blocks": len(rows),
        **scores,
    }
