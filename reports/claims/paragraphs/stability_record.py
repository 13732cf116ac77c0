"""The part of report.json about stability: verdicts, growth compared in gated words, theory, what goes along."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from reports.claims.answers import Said
from reports.claims.growth_claims import opening_growth
from reports.claims.paragraphs.limits import association
from reports.claims.sensitivity import sensitivity
from reports.inputs.inputs import ReportInputs
from reports.results.results import Results

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
