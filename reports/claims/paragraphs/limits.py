"""Third paragraph: where training was unstable, what limits the answer, and what was not tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from reports.claims.answers import is_told_once
from reports.claims.paragraphs.paragraph import Line, Paragraph, line_of, paragraph
from reports.claims.remarks import about_association, about_saturation
from reports.inputs.cube import plain
from reports.inputs.early_stopping import stops_early
from reports.inputs.inputs import ReportInputs
from reports.results.looks import looks_until_clear
from reports.results.outcomes import all_failed
from reports.results.results import Results
from reports.results.sufficiency import median_accuracy
from reports.stability.classes import CLASSES, LOST, STABLE, UNSTABLE, WATCH, class_of, classes
from reports.stability.growth import VERDICTS
from reports.statistics.association import Association, association
from reports.statistics.effects import with_more_blocks
from reports.statistics.gates import Gate, Rules
from reports.statistics.shares import share_interval
from reports.wording.phrases import (
    Sentence,
    condition,
    counted,
    data_named,
    epochs_spoken,
    level_spoken,
    listed,
)
from reports.wording.words import count, decimals_for, level_name, number, percent


def limits(inputs: ReportInputs, results: Results) -> Paragraph:
    """Stability and limits, from the confirm phase's records."""
    rules = Rules()
    return paragraph(
        [
            _verdicts(inputs),
            _by_level(inputs),
            _growth(results),
            _association(inputs, results),
            _budget(inputs, results, rules),
            _saturated(results, rules),
            boundary(inputs, results, rules),
            rare_failures(results),
            _more_blocks(inputs, results),
            untested(inputs),
        ]
    )


def _confirmed(inputs: ReportInputs) -> pd.DataFrame:
    rows = inputs.replicates
    return rows[rows["phase"] == "confirm"] if len(rows) else rows


def _verdicts(inputs: ReportInputs) -> Line | None:
    """How many confirmed networks are stable, on watch and unstable, and what the unstable ones are."""
    confirmed = _confirmed(inputs)
    if confirmed.empty or confirmed["verdict_trained"].isna().all():
        return None
    found = classes(confirmed)
    shares = {name: value / 100 for name, value in found.percents.items() if value is not None}
    first, *rest = (f"{count(found.counts[name])} ({percent(shares[name])})" for name in CLASSES)
    unjudged = (
        f"; {counted(found.unjudged, 'network has', 'networks have')} no verdict" if found.unjudged else ""
    )
    which = _unstable(confirmed)
    parts = [f"{count(num)} {name.lower()}" for name, num in which.items()]
    named = f": {listed(parts)}" if parts else ""
    return Line(
        text=f"Of {count(found.num)} confirmed networks {first} are {STABLE} by their gradients and losses, {rest[0]} "
        f"{WATCH} and {rest[1]} {UNSTABLE}{named}{unjudged}.",
        numbers=[found.num, dict(found.counts), shares, which, found.unjudged],
    )


def _unstable(confirmed: pd.DataFrame) -> dict[str, int]:
    """What the unstable networks are: by verdict, worst first, or by how they ended where that has none."""
    unstable = confirmed[class_of(confirmed) == UNSTABLE]
    verdicts = [name for name in VERDICTS if name not in ("STABLE", "WATCH")]
    named = unstable["verdict_trained"].where(unstable["verdict_trained"].isin(verdicts), unstable["outcome"])
    counts = named.value_counts()
    return {name: int(counts[name]) for name in (*verdicts, *LOST) if name in counts}


def _by_level(inputs: ReportInputs) -> Line | None:
    """Unstable shares of the factor whose levels differ most in them: described over blocks, never claimed."""
    found = _most_apart(inputs)
    if found is None:
        return None
    factor, table = found
    parts = [f"{_with_ends(*ends)} {condition(factor, level)}" for level, ends in table.items()]
    return Line(
        text=f"The share that is {UNSTABLE}, described and not claimed, is {listed(parts)} (95 % intervals over "
        "blocks); levels of no other factor lie further apart in it.",
        numbers=[list(table.values()), list(table), 0.95],
    )


def unstable_levels(inputs: ReportInputs) -> tuple[str, dict[Any, float]] | None:
    """The factor whose levels differ most in the share of unstable networks, and the shares; None without any."""
    found = _most_apart(inputs)
    return None if found is None else (found[0], {level: share for level, (share, _, _) in found[1].items()})


def _most_apart(inputs: ReportInputs) -> tuple[str, dict[Any, tuple[float, float, float]]] | None:
    confirmed = _confirmed(inputs)
    if not (inputs.has_cells and inputs.factors):
        return None
    if confirmed.empty or confirmed["verdict_trained"].isna().all():
        return None
    judged = confirmed.assign(found=class_of(confirmed)).dropna(subset="found")
    tables = {factor: _unstable_shares(judged, factor, levels) for factor, levels in inputs.factors.items()}
    spread = {
        name: np.ptp([share for share, _, _ in table.values()] or [0.0]) for name, table in tables.items()
    }
    factor = max(spread, key=lambda name: spread[name])
    return None if spread[factor] == 0 else (factor, tables[factor])


def _unstable_shares(judged: pd.DataFrame, factor: str, levels: Any) -> dict[Any, tuple[float, float, float]]:
    """Each level's share with the ends of its interval over blocks."""
    found = {}
    for level in levels:
        there = judged[[plain(value) == plain(level) for value in judged[factor]]]
        if len(there):
            hits = there["found"] == UNSTABLE
            found[plain(level)] = (float(hits.mean()), *share_interval(hits, there["block"]))
    return found


def _with_ends(share: float, low: float, high: float) -> str:
    if not np.isfinite(low):
        return percent(share)
    return f"{percent(share)} [{number(100 * low, 1)} to {number(100 * high, 1)}]"


def _growth(results: Results) -> Line | None:
    """How far gradients grow per layer at the start, and how near that is to theory."""
    theory = results.theory
    if theory.empty or theory["measured"].isna().all():
        return None
    measured = theory["measured"].dropna()
    low, high = float(measured.min()), float(measured.max())
    span = f"{number(low, 2)} to {number(high, 2)}"
    text = f"At initialisation gradients grow toward the input by a factor of {span} per layer"
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


def growth_and_outcome(inputs: ReportInputs, results: Results) -> Association | None:
    """How growth at the start and the outcome go together within strata of the factors; None without cells."""
    grown, rows, name = results.growths, results.rows, inputs.outcome.name
    if not (inputs.has_cells and inputs.factors) or grown.empty or rows.empty or all_failed(rows):
        return None
    keys = ["trial_number", "replicate"]
    start = grown.loc[grown["epoch"] == 0, [*keys, "ln_total_growth"]].merge(
        rows[[*keys, *inputs.factors, name]], on=keys
    )
    return association(start, list(inputs.factors), "ln_total_growth", name)


def said_association(inputs: ReportInputs, results: Results) -> Sentence | None:
    """ASSOCIATION: whether gradients' growth at the start goes along with the outcome; None without a stratum."""
    found = growth_and_outcome(inputs, results)
    if found is None or not found.strata:
        return None
    return about_association("total gradient growth at initialisation", inputs.outcome.title, found)


def _association(inputs: ReportInputs, results: Results) -> Line | None:
    """Nothing where strata disagree."""
    said = said_association(inputs, results)
    return None if said is None or said.gate is None else line_of([said])


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


def rare_failures(results: Results) -> Line | None:
    """What practical equality leaves open: networks that fail so seldom that no block has one.

    Of B networks none of which failed, up to 1 - .05^(1/B) may (Clopper and Pearson 1934, one-sided, 95 %).
    """
    told = [*results.at_best.to_dict("records"), *results.contrasts.to_dict("records")]
    equal = [
        row
        for row in told
        if row["gate"] == Gate.EQUIVALENT
        or (row["gate"] in (Gate.DIRECTION, Gate.MEANINGFUL) and row["equivalent"])
    ]
    if not equal:
        return None
    blocks = int(min(row["num_blocks"] for row in equal))
    most = 1 - 0.05 ** (1 / blocks)
    return Line(
        text="What is practically equal is so of networks that train: where none of "
        f"{counted(blocks, 'network', 'networks')} failed, up to {percent(most)} of such networks may (95 % bound).",
        numbers=[blocks, most],
    )


def boundary_levels(results: Results, rules: Rules | None = None) -> list[tuple[str, Any]]:
    """The levels in over a fifth of whose cells the chosen learning rate lies at the end of its range."""
    share_allowed = (rules or Rules()).boundary_share
    return [
        (factor, level)
        for factor, shares in (results.boundary or {}).items()
        for level, share in shares.items()
        if share > share_allowed
    ]


def boundary(inputs: ReportInputs, results: Results, rules: Rules) -> Line | None:
    """BOUNDARY: the levels in over a fifth of whose cells the chosen learning rate lies at the end of its range."""
    places = boundary_levels(results, rules)
    if not places:
        return None
    where = listed([condition(factor, level) for factor, level in places])
    return Line(
        text=f"Chosen learning rates lie at the end of their range in over a fifth of the cells {where}, so a wider "
        "range could change these.",
        numbers=[level for _, level in places],
    )


def _more_blocks(inputs: ReportInputs, results: Results) -> Line | None:
    """What more blocks would buy; where later looks follow questions at best, of averages, which stay as they are."""
    outcome, looks = inputs.outcome, looks_until_clear(inputs.plan)
    if looks and is_told_once(results):
        return None
    if all_failed(results.rows):
        return None
    table = with_more_blocks(results.contrasts).dropna() if len(results.contrasts) else pd.DataFrame()
    if table.empty:
        return None
    now, then = float(table["half_width"].median()), float(table["half_width_then"].median())
    places = decimals_for(then)
    before, after = number(now, places), number(then, places)
    if looks:
        text = (
            f"Averages stay at the {counted(looks[0], 'block', 'blocks')} of the first look; ten more would narrow "
            f"their typical interval from ±{before} to {f'±{after} {outcome.unit}'.rstrip()}."
        )
        return Line(text=text, numbers=[now, then, looks[0]])
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
