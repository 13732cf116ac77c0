"""How plans of versions 1 and 2 license claims: Holm's adjustment of p values, and unadjusted intervals.

Their reports are made by these rules for as long as they are kept; every later plan has simultaneous intervals
(`reports.statistics.gates.read_interval`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reports.statistics.gates import Rules
from reports.statistics.new_samples import TEST_TO_TRAINING, widening

SIMPLE_SHARE = 0.5
"""The part of the error rate that simple effects may spend beside the averages."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment (1979) within one family; NaN (undefined) stays NaN and takes no part.

    The same numbers as statsmodels' `multipletests(method="holm")`, which runs the garbage collector each time.
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values)[: int(np.isfinite(values).sum())]  # NaN sorts last
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in adjusted]


def adjusted_within(rows: Sequence[Mapping[str, Any]], share: float) -> list[dict[str, float]]:
    """For each contrast of a family p_holm, p_equivalent and p_beyond, adjusted, and divided by the family's share."""
    names = {"p_holm": "p", "p_equivalent": "p_equivalent", "p_beyond": "p_beyond"}
    found = {
        name: [min(1.0, p / share) if p == p else p for p in holm([row[plain] for row in rows])]
        for name, plain in names.items()
    }
    return [{name: values[place] for name, values in found.items()} for place in range(len(rows))]


def read_p_values(row: Mapping[str, Any], rules: Rules) -> dict[str, bool]:
    """What the adjusted p values of a contrast say: as `gates.read_interval`, from which later plans read it."""
    size = row["smallest_effect"]
    direction = row["p_holm"] < rules.alpha and row["p_sign_flip"] < rules.alpha
    beyond = (row["ci_low"] > size or row["ci_high"] < -size) and row["p_beyond"] < rules.alpha / 2
    return {
        "direction": bool(direction),
        "meaningful": bool(direction and beyond),
        "equivalent": bool(row["p_equivalent"] < rules.alpha),
        "fails_sign_flip": False,
    }


def new_samples(row: Mapping[str, Any]) -> dict[str, Any]:
    """Nadeau and Bengio's interval, not adjusted, with the whole training part whatever networks were trained on."""
    half = (row["ci_high"] - row["ci_low"]) / 2
    half *= widening(row["num_blocks"], TEST_TO_TRAINING) if row["num_blocks"] else math.nan
    low, high = row["estimate"] - half, row["estimate"] + half
    return {
        "sample_low": low,
        "sample_high": high,
        "beyond_sample": bool(row["direction"] and (low > 0 or high < 0)),
    }
