"""The second network of a configuration and block: its search trial's beside the one confirmed with fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.results.outcomes import LOST
from reports.results.results import Results

COLUMNS = ["trial_number", "searched_trial", "block", "searched", "confirmed"]


@dataclass(frozen=True, kw_only=True)
class SecondNetworks:
    """Pairs of networks that differ in their seeds alone, scored on the validation part by the outcome's measure.

    - `rows`: one row a configuration and block that both phases trained: trial_number (of the confirm phase),
      searched_trial, the factors where there are cells, block, searched, confirmed (a failure scores what it scores)
    - `same_length`: whether the search's last rung is the confirm phase's last epoch, so that nothing else differs
    """

    rows: pd.DataFrame
    same_length: bool


def second_networks(inputs: ReportInputs, results: Results) -> SecondNetworks:
    """The pairs of every confirmed configuration; without rows where no search trial is its configuration's."""
    plan, name = inputs.plan, inputs.validation.name
    factors = list(inputs.factors) if inputs.has_cells else []
    columns = [*COLUMNS[:2], *factors, *COLUMNS[2:]]
    same = int(plan["search"]["rungs"][-1]) == int(plan["confirm"]["epochs"])
    searched = _searched_trials(inputs, results)
    if not searched or name not in inputs.replicates or results.rows.empty:
        return SecondNetworks(rows=pd.DataFrame(columns=columns), same_length=same)
    confirmed = results.rows.assign(
        searched_trial=results.rows["trial_number"].map(searched), confirmed=results.rows[name]
    ).dropna(subset="searched_trial")
    first = inputs.replicates[inputs.replicates["trial_number"].isin(set(searched.values()))]
    scores = inputs.validation.scored(pd.to_numeric(first[name]), first["outcome"].isin(LOST))
    first = first.assign(searched=scores).rename(columns={"trial_number": "searched_trial"})
    rows = confirmed.merge(first[["searched_trial", "block", "searched"]], on=["searched_trial", "block"])
    return SecondNetworks(rows=rows[columns].dropna(subset=["searched", "confirmed"]), same_length=same)


def _searched_trials(inputs: ReportInputs, results: Results) -> dict[int, int]:
    """The search trial whose values each confirm trial took, by their numbers."""
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"]
    if inputs.has_cells:
        chosen = results.chosen
        by_cell = dict(zip(chosen["cell"], chosen["trial_number"], strict=True)) if len(chosen) else {}
        return {
            int(number): int(by_cell[cell])
            for number, cell in zip(confirm["number"], confirm["cell"], strict=True)
            if cell in by_cell
        }
    names = [name for name in (*inputs.factors, *inputs.plan["nuisances"]) if name in confirm]
    search = inputs.search_trials
    ended = search[search["state"] == "complete"].sort_values("number", ascending=False)
    known = {key: int(number) for key, number in zip(_keys(ended, names), ended["number"], strict=True)}
    numbers = zip(_keys(confirm, names), confirm["number"], strict=True)
    return {int(number): known[key] for key, number in numbers if key in known}


def _keys(trials: pd.DataFrame, names: list[str]) -> list[tuple[object, ...]]:
    return [tuple(plain(row[name]) for name in dict.fromkeys(names)) for row in trials.to_dict("records")]
