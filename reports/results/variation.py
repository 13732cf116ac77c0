"""Where the variation of the outcome comes from, near the best and over all, and what more blocks would buy."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pandas as pd

from reports.inputs.cube import plain
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.results.second_networks import second_networks
from reports.statistics.components import Components, variance_components
from reports.statistics.effects import with_more_blocks
from reports.wording.phrases import Sentence, capital
from reports.wording.words import count, decimals_for, number

MORE = 10
NEAR = 4
"""Cells are near the best that are among the quarter with the lowest objective of the search, at least so many."""


def variation_record(inputs: ReportInputs, results: Results) -> dict[str, Any] | None:
    """Variance components and their standard deviations, the sentence about them, and more blocks' intervals.

    - `components`, `sd`: of the outcome over all configurations; `near_best`: the same over the cells near the best,
      None without cells or where these are all
    - `retraining`: with `all` and `near_best` as above, of the outcome on the validation part, where the search's
      network is a second one of the same configuration and block; None where there is none of the same length

    None where no network is confirmed, or every one failed; components are null where the design does not identify
    them.
    """
    rows = results.rows
    if rows.empty or all_failed(rows):
        return None
    outcome = inputs.outcome
    levels = list(inputs.factors) if inputs.has_cells else []
    frame = rows if levels else rows.assign(configuration=rows["trial_number"])
    names = levels or ["configuration"]
    whole = variance_components(frame[[*names, "block", outcome.name]], outcome.name)
    near = _near(frame[[*names, "block", outcome.name]], inputs, results)
    part = None if near is None else variance_components(near, outcome.name)
    second = _with_second(inputs, results, names)
    said = about_components(whole, outcome, part, second)
    return {
        **_record(whole),
        "near_best": None if part is None else _record(part),
        "retraining": None
        if second is None
        else {place: None if found is None else _record(found) for place, found in second.items()},
        "sentence": None if said is None else said.text,
        "numbers": {} if said is None else dict(said.numbers),
        "more_blocks": with_more_blocks(results.contrasts, MORE).to_dict("records"),
    }


def _record(components: Components) -> dict[str, Any]:
    names = ("cell", "block", "cell_by_block", "retraining")
    return {
        "components": asdict(components),
        "sd": {name: math.sqrt(getattr(components, name)) for name in names},
    }


def _near(frame: pd.DataFrame, inputs: ReportInputs, results: Results) -> pd.DataFrame | None:
    """The rows of the cells near the best; None where those are all, or there are no cells."""
    chosen, factors = results.chosen, list(inputs.factors)
    if not inputs.has_cells or not factors or len(chosen) <= NEAR:
        return None
    lowest = chosen.sort_values(["objective", "cell"]).head(max(NEAR, round(len(chosen) / 4)))
    kept = {tuple(plain(row[name]) for name in factors) for row in lowest.to_dict("records")}
    there = [tuple(plain(row[name]) for name in factors) in kept for row in frame.to_dict("records")]
    near = frame[there]
    # A Categorical's level without a row would be a cell without networks.
    plain_levels = {
        name: pd.Series([plain(v) for v in near[name]], index=near.index, dtype=object) for name in factors
    }
    cells = near.assign(**plain_levels)
    return cells.assign(configuration=cells.groupby(factors, sort=False, dropna=False).ngroup()).drop(
        columns=factors
    )


def _with_second(
    inputs: ReportInputs, results: Results, names: list[str]
) -> dict[str, Components | None] | None:
    """Components on the validation part, over all and near the best, with retraining told apart."""
    pairs = second_networks(inputs, results)
    if pairs.rows.empty or not pairs.same_length:
        return None
    by_trial = pairs.rows.assign(configuration=pairs.rows["trial_number"])
    frame = by_trial if names == ["configuration"] else pairs.rows
    both = frame[[*names, "block", "searched", "confirmed"]]
    near = _near(both, inputs, results)
    found = {
        "all": variance_components(both, "confirmed", "searched"),
        "near_best": None if near is None else variance_components(near, "confirmed", "searched"),
    }
    return found if math.isfinite(found["all"].retraining) else None  # type: ignore[union-attr]


def about_components(
    components: Components,
    outcome: Measure = TEST_LOG_LOSS,
    near: Components | None = None,
    second: dict[str, Components | None] | None = None,
) -> Sentence | None:
    """How much configurations, blocks and the rest contribute, as standard deviations; None where not identified.

    Near the best first, where that is told apart, then over all; `second` are those with retraining (`_with_second`).
    """
    if not math.isfinite(components.cell_by_block):
        return None
    near = near if near is not None and math.isfinite(near.cell_by_block) else None
    first = near or components
    numbers: dict[str, float] = {}
    text = f"{capital(outcome.title)} varies between configurations with a standard deviation of {{}}, between blocks "
    text += "with {} (comparing within blocks removes it), and within a block from configuration to configuration by "
    text += "{} more, retraining included"
    if near is not None:
        numbers |= {"near_cells": near.num_cells, "num_cells": components.num_cells}
        validated = f"that validated {outcome.extreme} in the search"
        text = (
            f"Among the {count(near.num_cells)} of {count(components.num_cells)} configurations {validated}, "
            + (text[:1].lower() + text[1:])
        )
    sds = _sds(first)
    shown = _shown([*sds.values()], outcome)
    text = text.format(*shown)
    numbers |= {f"{name}_near" if near else name: value for name, value in sds.items()}
    if near is not None:
        whole = _sds(components)
        text += "; over all of them by {}, {} and {}".format(*_shown([*whole.values()], outcome))
        numbers |= whole
    told, more = _retraining(second, outcome)
    return Sentence(text=f"{text}.{told}", gate=None, numbers=numbers | more)


def _sds(components: Components) -> dict[str, float]:
    return {name: math.sqrt(getattr(components, name)) for name in ("cell", "block", "cell_by_block")}


def _shown(values: list[float], outcome: Measure) -> list[str]:
    """Standard deviations as text, with the decimals that the smallest needs; the unit stands after the first."""
    places = max(2, min(5, decimals_for(min((each for each in values if each > 0), default=0.0))))
    first, *rest = (number(each, places) for each in values)
    return [f"{first} {outcome.unit}".rstrip(), *rest]


def _retraining(
    second: dict[str, Components | None] | None, outcome: Measure
) -> tuple[str, dict[str, float]]:
    """What two networks of the same configuration and block differ by, near the best and over all."""
    if second is None:
        return "", {}
    values = {
        f"retraining_{place}": math.sqrt(found.retraining)
        for place, found in (("near_best", second["near_best"]), ("all", second["all"]))
        if found is not None and math.isfinite(found.retraining)
    }
    shown = _shown([*values.values()], outcome)
    where = " among these and ".join(shown) + (" over all" if len(shown) > 1 else "")
    return (
        " Retraining alone, with other seeds on the same data, has a standard deviation of "
        f"{where} on the validation part, where the search’s network is a second one of the same configuration and "
        "block.",
        values,
    )
