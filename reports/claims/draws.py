"""The seed lottery of one study: its shares, its sentences, and the losses that the page draws from again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.claims.remarks import about_lottery
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.best import describe
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.lottery import Lottery, lottery

CONFIGURATION = "configuration"


def lottery_record(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """What single-seed sweeps would have told, for report.json.

    None where there is nothing to draw between: before a look is whole, with one configuration or one block, or where
    every network failed. Without
    cells the confirmed configurations take part, each under the number of its trial.
    """
    rows = results.rows
    if not results.look.number or rows.empty or all_failed(rows) or rows["block"].nunique() < 2:
        return None
    factors = list(inputs.factors) if inputs.has_cells else []
    names = factors or [CONFIGURATION]
    outcome = inputs.outcome
    # The lottery crowns the lowest: what is the better the higher is drawn with the other sign.
    lowered = outcome.sign * rows[outcome.name]
    frame = rows.assign(**{CONFIGURATION: rows["trial_number"], outcome.name: lowered})[
        [*names, "block", outcome.name]
    ]
    drawn = lottery(frame, factors, outcome.name)
    if drawn is None or len(drawn.crowned) < 2:
        return None
    said = about_lottery(drawn, outcome)
    return {
        **drawn.to_dict(),
        "sentences": [each.text for each in said],
        "numbers": [dict(each.numbers) for each in said],
        "networks": _networks(inputs, frame, names, drawn),
    }


def _networks(
    inputs: ReportInputs, frame: pd.DataFrame, names: list[str], drawn: Lottery
) -> list[dict[str, Any]]:
    """One dict a configuration: its name, its losses by block, its share of draws won; the lowest mean first."""
    grouped = frame.groupby(names, sort=False, observed=True, dropna=False)[inputs.outcome.name]
    losses = {_key(key): [float(loss) for loss in group.sort_index()] for key, group in grouped}
    ordered = drawn.crowned.sort_values(["mean", "share"], ascending=[True, False])
    return [
        {
            "name": configuration_name(inputs, {name: row[name] for name in names}),
            "losses": losses[_key(tuple(row[name] for name in names))],
            "mean": row["mean"],
            "share": row["share"],
        }
        for row in ordered.to_dict("records")
    ]


def _key(levels: Any) -> tuple[Any, ...]:
    return tuple(plain(level) for level in levels) if isinstance(levels, tuple) else (plain(levels),)


def configuration_name(inputs: ReportInputs, levels: Mapping[str, Any]) -> str:
    """A cell by its levels, a confirmed configuration without a cell by what it was trained with."""
    if CONFIGURATION not in levels:
        return describe({name: plain(value) for name, value in levels.items()})
    number = int(levels[CONFIGURATION])
    row = inputs.trials[inputs.trials["number"] == number].iloc[0]
    shown = [name for name in (*inputs.factors, *inputs.plan["nuisances"]) if name in row]
    return f"trial {number}: " + describe({name: plain(row[name]) for name in dict.fromkeys(shown)})
