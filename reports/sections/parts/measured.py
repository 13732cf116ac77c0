"""The layers of confirmed networks with their levels, and panels for some of them: what stability figures share."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import plain
from reports.sections.parts.section import Material

NETWORK = ["trial_number", "replicate"]


def measured_layers(material: Material) -> pd.DataFrame:
    """One row per network of the confirm phase, epoch and layer: the gradients, num_layers, block and the factors."""
    rows, gradients = material.results.rows, material.inputs.gradients
    levels = rows[[*NETWORK, "block", *material.inputs.factors]]
    layers = gradients[gradients["trial_number"].isin(set(rows["trial_number"]))].merge(levels, on=NETWORK)
    return layers.assign(num_layers=layers.groupby("trial_number")["layer"].transform("max"))


def chosen_factors(
    factors: Mapping[str, Sequence[Any]], preferred: Sequence[str], most_panels: int
) -> list[str]:
    """The preferred factors that get panels of their own, as many as fit."""
    chosen: list[str] = []
    for name in preferred:
        if name in factors and np.prod([len(factors[each]) for each in [*chosen, name]]) <= most_panels:
            chosen.append(name)
    return chosen


def level_names(material: Material, column: "pd.Series[Any]", factor: str | None) -> "pd.Series[Any]":
    """The name of each row's level of `factor`, each distinct level named once; "all" where there is no factor."""
    if factor is None:
        return pd.Series("all", index=column.index, dtype=object)
    codes, levels = pd.factorize(column.map(plain))
    names = np.array([material.theme.style(factor, plain(level)).name for level in levels], dtype=object)
    return pd.Series(names[codes] if len(names) else [], index=column.index, dtype=object)
