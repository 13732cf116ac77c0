"""The part of report.json about stability: verdicts, growth compared in gated words, theory, what goes along."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from reports.claims.answers import Said
from reports.claims.growth_claims import opening_growth
from reports.claims.paragraphs.limits import association
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results
from reports.stability.growth import VERDICTS
from reports.stability.verdict_sensitivity import PLANNED, flips, recount

# Constants in the words that explain growth: what a logarithm of growth means, and ratios first to last with 7 layers.
EXPLAINED = {
    "ln_growth": {"twice": math.log(2), "ten_times": math.log(10)},
    "num_layers": 7,
    "twice_he_gain": {"weights": 0.2, "signal": 69},
    "tanh_half_gain": {"gain": 0.5, "weights": 1.0, "signal": 0.014},
}


def stability_record(
    inputs: ReportInputs,
    results: Results,
    said: Sequence[Said],
    contrast_records: Callable[[pd.DataFrame, Sequence[Said]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """Shares of verdicts, what thresholds change of them, growth by contrast with its sentences, theory by cell.

    `said` is `said_growth`. `association`, the sentence on growth and loss, is null before a look is whole.
    """
    along = association(results, inputs.outcome) if results.look.number else None
    return {
        "verdicts": results.verdicts.to_dict("records"),
        "total_growth": contrast_records(results.growth_contrasts, said),
        "growth_interactions": results.growth_interactions.to_dict("records"),
        "opening": [
            [{"sentence": each.text, "gate": each.gate} for each in sentences]
            for sentences in opening_growth(said)
        ],
        "association": None if along is None else along.text,
        "association_numbers": None if along is None else along.numbers,
        "sensitivity": sensitivity(inputs),
        "theory": results.theory.to_dict("records"),
        "explained": EXPLAINED,
    }


WHEN = ("initial", "trained")


def sensitivity(inputs: ReportInputs) -> dict[str, Any]:
    """For "initial" and "trained": `variants` and `flips`, as plain data; without what verdicts were made from, none.

    Each variant: threshold ("as planned" for none), value (what it is then; None for none), num, counts (verdict to
    networks, those that occur in any variant) and depends (whether any ranking of two levels by the share of a verdict
    flips against the plan's). `flips` has the columns of `verdict_sensitivity.flips`.
    """
    confirm = inputs.replicates
    if confirm.empty or "verdicts" not in confirm:
        return {}
    confirm = confirm[(confirm["phase"] == "confirm") & confirm["verdicts"].notna()]
    if confirm.empty:
        return {}
    thresholds = {name: float(value) for name, value in inputs.plan["thresholds"].items()}
    found = {when: _of(confirm, inputs, thresholds, when) for when in WHEN}
    return {when: table for when, table in found.items() if table["variants"]}


def _of(
    confirm: pd.DataFrame, inputs: ReportInputs, thresholds: Mapping[str, float], when: str
) -> dict[str, Any]:
    # Without a factor all networks are one level.
    rows, factors = confirm.assign(all_networks=0), list(inputs.factors)
    shares = recount(rows, [*factors, "all_networks"], thresholds, when=when)
    whole, by_level = (shares[(shares["factor"] == "all_networks") == is_whole] for is_whole in (True, False))
    flipped = flips(by_level)
    depending = set(zip(flipped["threshold"], flipped["multiple"], strict=True))
    variants = []
    for _, part in whole.groupby(["threshold", "multiple"], sort=False):
        threshold, multiple = str(part["threshold"].iloc[0]), float(part["multiple"].iloc[0])
        counts = dict(zip(part["verdict"], part["count"], strict=True))
        variants.append(
            {
                "threshold": threshold,
                "multiple": multiple,
                "value": None if threshold == PLANNED else thresholds[threshold] * multiple,
                "num": int(part["num"].iloc[0]),
                "counts": {name: int(counts[name]) for name in VERDICTS if name in counts},
                "depends": (threshold, multiple) in depending,
            }
        )
    return {"variants": variants, "flips": flipped.to_dict("records")}
