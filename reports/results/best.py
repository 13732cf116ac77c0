"""The best configuration and the confirmed ones: what they are, and their scores over blocks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure, measure_of
from reports.results.outcomes import is_measured
from reports.results.results import Results
from reports.statistics.intervals import SHARE, Bounds, t_interval
from reports.wording.phrases import listed
from reports.wording.words import MISSING, decimals_for, factor_name, level_name, level_phrase, number, small

SCORES = ("val_loss", "val_error", "test_loss", "test_error")


def score_names(inputs: ReportInputs) -> tuple[str, ...]:
    """The scores that a configuration has: a classifier's, or the plan's own metrics on both parts."""
    if not inputs.own:
        return SCORES
    names = [measure.name.removeprefix("test_") for measure in inputs.own]
    return tuple(f"{part}_{name}" for part in ("val", "test") for name in names)


def score_columns(inputs: ReportInputs) -> list[tuple[str, str, str, float]]:
    """Of each score in a table: its name without the part, its heading, its unit, and the factor it is shown by."""
    if not inputs.own:
        return [("loss", "log-loss", "nats", 1), ("error", "error", "%", 100)]
    return [(each.name.removeprefix("test_"), each.kind, each.unit, 1) for each in inputs.own]


def best_configuration(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """The configuration that a user would take, with its scores in the confirm phase; None before there is one.

    With cells: the cell whose chosen search trial has the lowest objective; its scores are null until it is confirmed.
    Without: the confirmed configuration that is best by the mean of the objective on the validation part, the stated
    default apart.
    """
    if inputs.has_cells:
        if results.chosen.empty:
            return None
        row = best_cell(results.chosen)
        confirm = inputs.trials[
            (inputs.trials["phase"] == "confirm") & (inputs.trials["cell"] == row["cell"])
        ]
        return {
            "cell": int(row["cell"]),
            "objective": _unless_failed(inputs, float(row["objective"])),
            **_scored(inputs, results, [int(number) for number in confirm["number"].sort_values()], row),
        }
    found = [each for each in confirmed_configurations(inputs, results) if not each["is_default"]]
    found = [each for each in found if each["num_blocks"]]
    return min(found, key=lambda each: (*standing(each), each["trial_number"])) if found else None


def best_cell(chosen: pd.DataFrame) -> pd.Series:
    """The row of the cell whose chosen trial is best; of equal ones the lower trial number, whose weights are kept."""
    return chosen.sort_values(["objective", "trial_number"]).iloc[0]


def standing(each: Mapping[str, Any]) -> tuple[bool, bool, float]:
    """What confirmed configurations are ordered by: the default last, then those without scores, then the objective."""
    lowered = each["val_objective_lowered"] if "val_objective_lowered" in each else each["val_loss"]
    return each["is_default"], lowered is None, lowered or 0.0


def confirmed_configurations(inputs: ReportInputs, results: Results) -> list[dict[str, Any]]:
    """For a study without cells, every configuration of the confirm phase in order, the stated default marked."""
    if inputs.has_cells:
        return []
    confirm = inputs.trials[inputs.trials["phase"] == "confirm"].sort_values("number")
    default = inputs.plan["confirm"].get("default") or {}
    return [
        {
            **_scored(inputs, results, [int(row["number"])], row),
            "is_default": bool(default) and _is_default(row, default),
        }
        for _, row in confirm.iterrows()
    ]


def _is_default(row: pd.Series, default: Mapping[str, Any]) -> bool:
    return all(plain(row[name]) == plain(value) for name, value in default.items() if name in row)


def _scored(inputs: ReportInputs, results: Results, numbers: Sequence[int], row: pd.Series) -> dict[str, Any]:
    """Scores over the networks of these confirm trials, one for each look."""
    names = [*inputs.factors, *(name for name in inputs.plan["nuisances"] if name not in inputs.factors)]
    rows = results.rows[results.rows["trial_number"].isin(numbers)]
    scores: dict[str, Any] = {}
    for name in score_names(inputs):
        values = rows[name].to_numpy(dtype=float)
        mean, low, high = t_interval(values, score_bounds(inputs, name, values))
        measured = is_measured(rows, name, _failure(inputs, name))
        scores[name], scores[f"{name}_interval"] = (mean, [low, high]) if measured else (None, None)
    for part in () if inputs.own else ("val", "test"):
        error = scores[f"{part}_error"]
        scores[f"{part}_accuracy"] = None if error is None else 1 - error
    if inputs.own or inputs.objective.name != inputs.validation.name:
        objective = inputs.objective
        measured = is_measured(rows, objective.name, objective.failure)
        lowered = objective.lowered(rows[objective.name])
        scores["val_objective_lowered"] = float(lowered.mean()) if measured else None
    return {
        "trial_number": numbers[0] if numbers else None,
        "trial_numbers": list(numbers),
        "params": {name: plain(row[name]) for name in names if name in row},
        "num_blocks": len(rows),
        "num_failed": int(rows["failed"].sum()),
        "verdicts": _verdicts(inputs, numbers),
        **scores,
    }


def score_bounds(inputs: ReportInputs, name: str, values: Iterable[float]) -> Bounds:
    """Between what the mean of a score can lie, from its name, such as test_error, and its recorded values."""
    if name.endswith("_error") and not inputs.own:
        return SHARE
    return measure_of(inputs.plan, name, inputs.num_classes).bounds(values)


def _failure(inputs: ReportInputs, name: str) -> float:
    """What a failure scores under the name of a score; NaN for an error, which a network may have by itself."""
    return math.nan if name.endswith("_error") else measure_of(inputs.plan, name, inputs.num_classes).failure


def _unless_failed(inputs: ReportInputs, lowered: float) -> float | None:
    """An objective that is to be lowered, None where it is no better than what a failure scores."""
    objective = inputs.objective
    failure = float(objective.lowered(pd.Series([objective.failure])).iloc[0])
    return None if lowered >= failure - 1e-9 * abs(failure) else lowered


def chosen_records(inputs: ReportInputs, chosen: pd.DataFrame) -> list[dict[str, Any]]:
    """What the search chose for each cell, for report.json; its objective null where nothing was measured."""
    return [
        {
            **{str(name): value for name, value in row.items()},
            "objective": _unless_failed(inputs, row["objective"]),
        }
        for row in chosen.to_dict("records")
    ]


def nothing_to_take(best: Mapping[str, Any]) -> bool:
    """Whether every network of a confirmed configuration diverged, failed or did no better."""
    return bool(0 < best["num_blocks"] == best["num_failed"])


def _verdicts(inputs: ReportInputs, numbers: Sequence[int]) -> dict[str, int]:
    """How many networks of these trials have which verdict after training."""
    mine = (
        inputs.replicates[inputs.replicates["trial_number"].isin(numbers)]
        if numbers
        else inputs.replicates[:0]
    )
    counts = mine["verdict_trained"].dropna().value_counts() if len(mine) else pd.Series(dtype=int)
    return {str(name): int(num) for name, num in sorted(counts.items())}


def found(
    inputs: ReportInputs, best: Mapping[str, Any] | None, confirmed: Sequence[Mapping[str, Any]]
) -> str:
    """What came out lowest and how it scored, in one or two plain sentences without a claim."""
    if best is None:
        return "Nothing has been found yet: no search trial has reached the last rung."
    what = describe(best["params"])
    outcome = inputs.outcome
    if nothing_to_take(best):
        return (
            f"Nothing to take away: at {what}, where the {inputs.objective_name} was lowest, every network "
            f"{inputs.outcome.said_of_failures}."
        )
    if best[outcome.name] is None:
        return f"The search has its lowest {inputs.objective_name} so far at {what}; it is not confirmed yet."
    score = f"{outcome.title} of {spread(best, outcome.name)} {outcome.unit}".rstrip()
    if inputs.has_cells:
        lowest = f"The lowest {inputs.objective_name} in the search is at {what}."
        return f"{lowest} Confirmed with fresh seeds, it has a {score}."
    default = next((each for each in confirmed if each["is_default"] and each["num_blocks"]), None)
    against = "" if default is None else f"; {_against(default, outcome)}"
    return f"Best found: {what}. Confirmed with fresh seeds, it has a {score}{against}."


def _against(default: Mapping[str, Any], outcome: Measure) -> str:
    if nothing_to_take(default):
        return f"of the stated default every network {outcome.said_of_failures}"
    return f"the stated default has {spread(default, outcome.name)}"


def left_out(inputs: ReportInputs, results: Results) -> str:
    """Say with which levels nothing is compared, because none of their networks was confirmed; empty without any."""
    if not inputs.has_cells or not results.look.number:
        return ""
    confirmed = {factor: {plain(value) for value in results.rows[factor]} for factor in inputs.factors}
    lost = [
        level_phrase(factor, level)
        for factor, levels in inputs.factors.items()
        for level in levels
        if plain(level) not in confirmed[factor]
    ]
    if not lost:
        return ""
    return f"Nothing is compared with {listed(lost)}: every trial of the search failed there, so none was confirmed."


def describe(params: Mapping[str, Any]) -> str:
    """A configuration in one line: "depth 3, dropout 0.1, batch norm on, Adam, learning rate 0.0042"."""
    parts = []
    for name, value in params.items():
        text = small(value) if isinstance(value, float) else level_name(value)
        alone = isinstance(value, str) and name in ("optimizer", "activation")
        parts.append(text if alone else f"{factor_name(name)} {text}")
    return ", ".join(parts)


def spread(scored: Mapping[str, Any], name: str, scale: float = 1) -> str:
    """A score, times `scale`, with its interval over blocks: "0.102 [0.096, 0.108]"."""
    if scored[name] is None:
        return MISSING
    value, (low, high) = scale * scored[name], scored[f"{name}_interval"]
    if low is None or high is None or not high > low:
        return number(value, 3 if scale == 1 else 1)
    decimals = decimals_for(scale * (high - low) / 2)
    return f"{number(value, decimals)} [{number(scale * low, decimals)}, {number(scale * high, decimals)}]"
