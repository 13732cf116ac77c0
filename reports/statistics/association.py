"""Whether two measured things go together within strata of the factors, with cells as units; else nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from reports.inputs.cube import plain

LEAST_CELLS = 4
"""A stratum of fewer cells has no standard error of its correlation."""


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """The rank correlation (Spearman's) over the cells at one level of a factor."""

    factor: str
    level: Any
    correlation: float
    num_cells: int


@dataclass(frozen=True, kw_only=True)
class Association:
    """Rank correlations over cells, at each level of each factor.

    - `strata`: where both things vary over at least four cells
    - `agree`: whether there are at least two strata and all correlations have the same sign: nothing is said of strata
      that disagree
    - `factor`, `correlation`, `low`, `high`: of the factor within whose levels the correlation, pooled over these, is
      nearest to 0, that correlation with its 95 % interval; None and NaN where strata disagree
    """

    strata: tuple[Stratum, ...]
    agree: bool
    factor: str | None
    correlation: float
    low: float
    high: float


def association(networks: pd.DataFrame, factors: Sequence[str], first: str, second: str) -> Association:
    """Correlate the cells' means of two columns within the levels of each factor.

    `networks` has the factors and both columns; rows without both are left out. Networks of a cell share its settings,
    and cells what their factors set: over all networks two things may go together only because a factor moves both. So
    cells are the units, and each factor is held at a level in turn. A factor's correlations are pooled by Fisher's z,
    weighted by their cells less 3 (Hedges and Olkin 1985, section 11.2), with the standard error of a rank correlation
    (Bonett and Wright 2000).
    """
    cells = _cells(networks, factors, first, second)
    strata = tuple(_strata(cells, factors, first, second))
    signs = {math.copysign(1, each.correlation) if each.correlation else 0 for each in strata}
    agree = len(strata) > 1 and len(signs) == 1 and 0 not in signs
    if not agree:
        return Association(
            strata=strata, agree=False, factor=None, correlation=math.nan, low=math.nan, high=math.nan
        )
    pooled = {
        factor: _pooled([each for each in strata if each.factor == factor])
        for factor in dict.fromkeys(each.factor for each in strata)
    }
    weakest = min(pooled, key=lambda name: abs(pooled[name][0]))
    correlation, low, high = pooled[weakest]
    return Association(strata=strata, agree=True, factor=weakest, correlation=correlation, low=low, high=high)


def _cells(networks: pd.DataFrame, factors: Sequence[str], first: str, second: str) -> pd.DataFrame:
    rows = networks[[*factors, first, second]].dropna()
    rows = rows[np.isfinite(rows[[first, second]].to_numpy(dtype=float)).all(axis=1)]
    groups = rows.groupby([*factors], sort=False, observed=True, dropna=False)
    means: pd.DataFrame = groups[[first, second]].mean().reset_index()
    return means


def _strata(cells: pd.DataFrame, factors: Sequence[str], first: str, second: str) -> list[Stratum]:
    found = []
    for factor in factors:
        levels = cells[factor].map(plain)
        if levels.nunique(dropna=False) < 2:
            continue  # all cells at one level are no stratum among others
        for level in dict.fromkeys(levels):
            there = cells[[value == level for value in levels]]
            if len(there) < LEAST_CELLS or there[first].nunique() < 2 or there[second].nunique() < 2:
                continue
            rank = float(stats.spearmanr(there[first], there[second]).statistic)
            found.append(Stratum(factor=factor, level=level, correlation=rank, num_cells=len(there)))
    return found


def _pooled(strata: Sequence[Stratum]) -> tuple[float, float, float]:
    """The pooled correlation with its 95 % interval, which stays between -1 and 1."""
    weights = np.array([each.num_cells - 3 for each in strata], dtype=float)
    ranks = np.clip([each.correlation for each in strata], -1 + 1e-9, 1 - 1e-9)
    z = float(np.arctanh(ranks) @ weights / weights.sum())
    error = math.sqrt((1 + math.tanh(z) ** 2 / 2) / weights.sum())
    half = float(stats.norm.ppf(0.975)) * error
    return math.tanh(z), math.tanh(z - half), math.tanh(z + half)
