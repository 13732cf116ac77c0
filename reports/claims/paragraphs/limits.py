"""Third paragraph: where training was unstable, what limits the answer, and what was not tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from reports.claims.paragraphs.paragraph import Line, Paragraph, line_of, paragraph
from reports.claims.remarks import about_association, about_saturation
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.inputs.measures import Measure
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.results.sufficiency import median_accuracy
from reports.stability.growth import VERDICTS
from reports.statistics.effects import with_more_blocks
from reports.statistics.gates import Rules
from reports.wording.phrases import condition, data_named, epochs_spoken, factor_spoken, level_spoken, listed
from reports.wording.words import count, decimals_for, level_name, number, percent

_HEALTHY = ("STABLE", "WATCH")


def limits(inputs: ReportInputs, results: Results) -> Paragraph:
    """Stability and limits, from the confirm phase's records."""
    rules = Rules()
    return paragraph(
        [
            _verdicts(inputs),
            _by_level(inputs),
            _growth(results),
            association(results, inputs.outcome),
            _budget(inputs, results, rules),
            _saturated(results, rules),
            boundary(inputs, results, rules),
            _more_blocks(results, inputs.outcome),
            untested(inputs),
        ]
    )


def _confirmed(inputs: ReportInputs) -> pd.DataFrame:
    rows = inputs.replicates
    return rows[rows["phase"] == "confirm"] if len(rows) else rows


def _verdicts(inputs: ReportInputs) -> Line | None:
    confirmed = _confirmed(inputs)
    if confirmed.empty or confirmed["verdict_trained"].isna().all():
        return None
    known = confirmed["verdict_trained"].dropna()
    counts = {verdict: int((known == verdict).sum()) for verdict in VERDICTS}
    parts = [
        f"{count(num)} {verdict.lower()}" for verdict, num in counts.items() if num and verdict != "STABLE"
    ]
    rest = f"; the others are {listed(parts)}" if parts else ""
    share = counts["STABLE"] / len(known)
    return Line(
        text=f"Of {count(len(known))} confirmed networks, {count(counts['STABLE'])} ({percent(share)}) trained stably "
        f"by their gradients and losses{rest}.",
        numbers=[len(known), counts, share],
    )


def _by_level(inputs: ReportInputs) -> Line | None:
    """Unstable shares of the factor whose levels differ most in them."""
    confirmed = _confirmed(inputs)
    if not (inputs.has_cells and inputs.factors):
        return None
    if confirmed.empty or confirmed["verdict_trained"].isna().all():
        return None
    unstable = ~confirmed["verdict_trained"].isin(_HEALTHY) & confirmed["verdict_trained"].notna()
    shares = {
        factor: _shares(unstable, confirmed[factor], levels) for factor, levels in inputs.factors.items()
    }
    factor = max(shares, key=lambda name: np.ptp(list(shares[name].values())))
    if np.ptp(list(shares[factor].values())) == 0:
        return None
    parts = [f"{percent(share)} {condition(factor, level)}" for level, share in shares[factor].items()]
    return Line(
        text=f"The share that was unstable differs by {factor_spoken(factor)}: {listed(parts)}.",
        numbers=[list(shares[factor].values()), list(shares[factor])],
    )


def _shares(hits: pd.Series[Any], column: pd.Series[Any], levels: Any) -> dict[Any, float]:
    found = {}
    for level in levels:
        there = hits[[plain(value) == plain(level) for value in column]]
        if len(there):
            found[plain(level)] = float(there.mean())
    return found


def _growth(results: Results) -> Line | None:
    """How far gradients grow per block at the start, and how near that is to theory."""
    theory = results.theory
    if theory.empty or theory["measured"].isna().all():
        return None
    measured = theory["measured"].dropna()
    low, high = float(measured.min()), float(measured.max())
    span = f"{number(low, 2)} to {number(high, 2)}"
    text = f"At initialisation gradients grow toward the input by a factor of {span} per hidden block"
    ratios = theory["ratio"].dropna()
    if ratios.empty:
        return Line(text=f"{text}; no theory is at hand for these settings.", numbers=[low, high])
    off = float((ratios - 1).abs().median())
    known, cells = len(ratios), len(theory)
    where = "" if known == cells else f", where there is one ({count(known)} of {count(cells)} cells)"
    return Line(
        text=f"{text}, in the median within {percent(off)} of theory{where}.",
        numbers=[low, high, off, known, cells],
    )


def association(results: Results, outcome: Measure) -> Line | None:
    """ASSOCIATION: whether gradients' growth at the start goes along with the loss at the end."""
    grown, rows = results.growths, results.rows
    if grown.empty or rows.empty:
        return None
    keys = ["trial_number", "replicate"]
    start = (
        grown[grown["epoch"] == 0][[*keys, "ln_total_growth"]]
        .merge(rows[[*keys, outcome.name]], on=keys)
        .dropna()
    )
    if len(start) < 3 or start["ln_total_growth"].nunique() < 2 or start[outcome.name].nunique() < 2:
        return None
    rank = float(stats.spearmanr(start["ln_total_growth"], start[outcome.name]).statistic)
    return line_of(
        [about_association("total gradient growth at initialisation", outcome.title, rank, len(start))]
    )


def _budget(inputs: ReportInputs, results: Results, rules: Rules) -> Line | None:
    if not inputs.has_cells or results.improving.empty or all_failed(results.rows):
        return None
    table = results.improving
    last = int(inputs.plan["confirm"]["epochs"])
    after = f"After {epochs_spoken(last, at_most=stops_early(inputs.plan))}"
    found = table[table["share"] > rules.budget_share]
    if found.empty:
        return Line(
            text=f"{after} the validation {inputs.validation.kind} had levelled off at every level.",
            numbers=[last],
        )
    where = listed([condition(row["factor"], row["level"]) for row in found.to_dict("records")])
    if len(found) == len(table):
        where = "at every level"
    return Line(
        text=f"{after} networks were still improving {where}: more epochs could change the comparison.",
        numbers=[last, list(found["level"])],
    )


def _saturated(results: Results, rules: Rules) -> Line | None:
    median = median_accuracy(results.rows)
    return line_of([about_saturation(median)]) if median > rules.saturated_accuracy else None


def boundary(inputs: ReportInputs, results: Results, rules: Rules) -> Line | None:
    """BOUNDARY: the levels in over a fifth of whose cells the chosen learning rate lies at the end of its range."""
    places = [
        (factor, level)
        for factor, shares in (results.boundary or {}).items()
        for level, share in shares.items()
        if share > rules.boundary_share
    ]
    if not places:
        return None
    where = listed([condition(factor, level) for factor, level in places])
    return Line(
        text=f"Chosen learning rates lie at the end of their range in over a fifth of the cells {where}, so a wider "
        "range could change these.",
        numbers=[level for _, level in places],
    )


def _more_blocks(results: Results, outcome: Measure) -> Line | None:
    if all_failed(results.rows):
        return None
    table = with_more_blocks(results.contrasts).dropna() if len(results.contrasts) else pd.DataFrame()
    if table.empty:
        return None
    now, then = float(table["half_width"].median()), float(table["half_width_then"].median())
    places = decimals_for(then)
    before, after = number(now, places), number(then, places)
    return Line(
        text=f"Ten more blocks would narrow the typical interval from ±{before} to "
        f"{f'±{after} {outcome.unit}'.rstrip()}.",
        numbers=[now, then],
    )


def untested(inputs: ReportInputs) -> Line:
    """What the answer is conditional on, and what was held fixed."""
    plan = inputs.plan
    held = listed([_held(name, value) for name, value in plan["fixed"].items()])
    kept = f" ({held})" if held else ""
    return Line(
        text=f"{_mechanics(plan)}{_conditional(inputs)}Not tested were other data than {data_named(plan)}, other "
        f"models, and other values of what was held fixed{kept}.",
        numbers=[plan["fixed"], plan["dataset"], plan["nuisances"]],
    )


def _mechanics(plan: Mapping[str, Any]) -> str:
    """Said where pictures are too small for what a convolutional network is made for."""
    if plan.get("model") != "cnn" or plan["dataset"] != "digits":
        return ""
    return (
        "Digits of 8 x 8 pixels show the mechanics only: what convolutions and augmentation are worth takes larger "
        "pictures (Fashion-MNIST: --set dataset=fashion_mnist). "
    )


def _conditional(inputs: ReportInputs) -> str:
    """What the search allowed; where optimizers are compared, how wide it was for each, for it may rank them."""
    nuisances = inputs.plan["nuisances"]
    if not (inputs.has_cells and nuisances):
        return ""
    first = f"Intervals are conditional on the {listed(_nuisances(inputs.plan))} tried"
    ranges = nuisances.get("learning_rate", {})
    names: dict[str, list[str]] = {}
    for optimizer in inputs.factors.get("optimizer", ()):
        own = ranges.get(optimizer, ranges)
        if "low" in own:
            names.setdefault(f"{own['low']:g} to {own['high']:g}", []).append(level_name(optimizer))
    if not names:
        return f"{first} and on this budget. "
    stated = "; ".join(f"{range_} for {listed(those)}" for range_, those in names.items())
    return (
        f"{first}, and optimizers compare only under these ranges (learning rates from {stated}) and this budget: a "
        "wider or a narrower search may rank them otherwise. "
    )


def _nuisances(plan: Mapping[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')}s" for name in plan["nuisances"]]


def _held(name: str, value: Any) -> str:
    return f"no {level_spoken(name, True)}" if value is False else level_spoken(name, value)
