"""The seed lottery of one study: its shares, its sentences, and the losses that the page draws from again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.remarks import about_both_best, about_lottery
from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.best import describe
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.statistics.gates import Gate
from reports.statistics.intervals import t_interval
from reports.statistics.lottery import Lottery, lottery
from reports.wording.phrases import Sentence

CONFIGURATION = "configuration"
DIRECTED = (Gate.DIRECTION, Gate.MEANINGFUL)


def lottery_record(
    inputs: ReportInputs, results: Results, best: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """What single-seed sweeps would have told, for report.json; `best` is the configuration of the front page.

    None where there is nothing to draw between: before a look is whole, with one configuration or one block, or where
    every network failed. Without cells the confirmed configurations take part, each under the number of its trial.
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
    claimed = [_claimed(family, outcome) for family in (results.contrasts, results.at_best)]
    drawn = lottery(frame, factors, outcome.name, *claimed)
    if drawn is None or len(drawn.crowned) < 2:
        return None
    said = [*about_lottery(drawn, outcome), *_about_both(inputs, results, best, frame, drawn)]
    return {
        **drawn.to_dict(),
        "sentences": [each.text for each in said],
        "numbers": [dict(each.numbers) for each in said],
        "networks": _networks(inputs, frame, names, drawn),
    }


def _claimed(family: pd.DataFrame, outcome: Measure) -> dict[tuple[str, Any, Any], float]:
    """The lowered estimates of the contrasts whose direction is claimed."""
    return {
        (row["factor"], plain(row["level_a"]), plain(row["level_b"])): outcome.sign * row["estimate"]
        for row in family.to_dict("records")
        if row["outcome"] == outcome.name and row["gate"] in DIRECTED
    }


def _about_both(
    inputs: ReportInputs,
    results: Results,
    best: Mapping[str, Any] | None,
    frame: pd.DataFrame,
    drawn: Lottery,
) -> list[Sentence]:
    """The sentence that joins the front page's best and the lottery's, where they differ and blocks have both."""
    if best is None or not best["trial_numbers"]:
        return []
    names, outcome = list(drawn.winner), inputs.outcome
    by_block = {
        _key(key): group.set_index("block")[outcome.name]
        for key, group in frame.groupby(names, sort=False, observed=True, dropna=False)
    }
    mine = frame[results.rows["trial_number"].isin(best["trial_numbers"])]
    if mine.empty:
        return []
    taken = {name: plain(mine[name].iloc[0]) for name in names}
    won = {name: plain(drawn.winner[name]) for name in names}
    if taken == won:
        return []
    gaps = outcome.sign * (by_block[tuple(taken.values())] - by_block[tuple(won.values())]).dropna()
    gap = t_interval(gaps.to_numpy(dtype=float))
    if not np.isfinite(gap).all():
        return []
    spoken = configuration_name(inputs, taken), configuration_name(inputs, won)
    return [about_both_best(*spoken, gap, len(gaps), outcome)]


def _networks(
    inputs: ReportInputs, frame: pd.DataFrame, names: list[str], drawn: Lottery
) -> list[dict[str, Any]]:
    """One dict a configuration: its name, its losses by block (None where it has no network), its share of sweeps won;
    the lowest mean first."""
    grouped = frame.groupby(names, sort=False, observed=True, dropna=False)
    blocks = sorted(frame["block"].unique())
    losses = {
        _key(key): group.set_index("block")[inputs.outcome.name].reindex(blocks).to_list()
        for key, group in grouped
    }
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
