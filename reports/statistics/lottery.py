"""The seed lottery: what a sweep with one network per configuration would have told, once for every block."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Cube, Floats, cube, pairs_to_compare, plain

SIGNS = ["factor", "level_a", "level_b", "estimate", "share_wrong"]
Claimed = Mapping[tuple[str, Any, Any], float]
"""The estimate (b less a) of each contrast whose direction is claimed, by factor, level_a and level_b."""
Differences = Callable[[Cube, str, Any, Any], Floats]
"""From a table, a factor and two levels to one difference a sweep."""


@dataclass(frozen=True, kw_only=True)
class Lottery:
    """What single-seed sweeps drawn from the recorded networks would have said.

    - `winner`: the configuration with the lowest mean over all its blocks, as levels
    - `share_other`: share of sweeps that crown another one
    - `crowned`: one row per configuration: its levels, mean, share of sweeps won; most often crowned first
    - `signs`: factor, level_a, level_b, estimate (as claimed), share_wrong (sweeps whose difference has the other
      sign), averaged over the other factors' cells; both NaN where no direction is claimed
    - `signs_at_best`: the same for each level's lowest configuration of the sweep
    """

    outcome: str
    num_sweeps: int
    winner: Mapping[str, Any]
    share_other: float
    crowned: pd.DataFrame
    signs: pd.DataFrame
    signs_at_best: pd.DataFrame

    def to_dict(self, most: int = 10) -> dict[str, Any]:
        """For report.json: all shares, and the configurations crowned most often."""
        return {
            "outcome": self.outcome,
            "num_sweeps": self.num_sweeps,
            "winner": dict(self.winner),
            "share_other": self.share_other,
            "num_crowned": int((self.crowned["share"] > 0).sum()),
            "crowned": self.crowned.head(most).to_dict("records"),
            "signs": self.signs.to_dict("records"),
            "signs_at_best": self.signs_at_best.to_dict("records"),
        }


def lottery(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    averaged: Claimed | None = None,
    at_best: Claimed | None = None,
) -> Lottery | None:
    """Take each block as a sweep with one seed: crown the lowest outcome, compare levels.

    `frame` as for `comparison.contrasts`; lower is better. A sweep has one split and one seed for all configurations,
    as a block has, so that there are as many sweeps as blocks and every share is exact. Equal outcomes share the crown.
    A configuration without a network in a block takes no part in that sweep. `averaged` and `at_best` are the estimates
    whose direction is claimed: a sign can be wrong of these alone. None where no configuration has a network.
    """
    table = cube(frame, outcome)
    flat = table.flat[:, np.isfinite(table.flat).any(axis=0)]
    if not flat.size:
        return None
    means = _means(flat)
    winner = int(np.nanargmin(means))
    shares = _crowns(flat)
    return Lottery(
        outcome=outcome,
        num_sweeps=flat.shape[1],
        winner=_levels(table, winner),
        share_other=max(0.0, float(1 - shares[winner])),
        crowned=_crowned(table, means, shares),
        signs=_signs(table, factors, averaged or {}, _averaged),
        signs_at_best=_signs(table, factors, at_best or {}, _at_lowest),
    )


def _means(flat: Floats) -> Floats:
    counts = np.isfinite(flat).sum(axis=1)
    sums = np.where(np.isfinite(flat), flat, 0.0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _crowns(flat: Floats) -> Floats:
    """The share of sweeps that each configuration wins; a tie is shared."""
    lowest = flat == np.nanmin(flat, axis=0)
    return np.asarray((lowest / lowest.sum(axis=0)).mean(axis=1))


def _levels(table: Cube, place: int) -> dict[str, Any]:
    shape = table.values.shape[:-1]
    positions = np.unravel_index(place, shape) if shape else ()
    return {
        name: levels[int(position)]
        for (name, levels), position in zip(table.factors.items(), positions, strict=True)
    }


def _crowned(table: Cube, means: Floats, shares: Floats) -> pd.DataFrame:
    rows = [
        {**_levels(table, place), "mean": float(means[place]), "share": float(shares[place])}
        for place in np.lexsort((means, -shares))
        if np.isfinite(means[place])
    ]
    return pd.DataFrame(rows, columns=[*table.factors, "mean", "share"])


def _signs(table: Cube, factors: Sequence[str], claimed: Claimed, of_sweeps: Differences) -> pd.DataFrame:
    rows = []
    for factor in factors:
        for level_a, level_b in pairs_to_compare(table.factors[factor]):
            estimate = claimed.get((factor, plain(level_a), plain(level_b)), math.nan)
            single = of_sweeps(table, factor, level_a, level_b)
            single = single[np.isfinite(single)]
            known = math.isfinite(estimate) and single.size
            wrong = float((single * estimate < 0).mean()) if known else math.nan
            rows.append(dict(zip(SIGNS, (factor, level_a, level_b, estimate, wrong), strict=True)))
    return pd.DataFrame(rows, columns=SIGNS)


def _averaged(table: Cube, factor: str, level_a: Any, level_b: Any) -> Floats:
    """Of each sweep the mean difference over the other factors' cells."""
    differences = table.difference(factor, level_a, level_b)
    return _means(differences.reshape(-1, differences.shape[-1]).T)


def _at_lowest(table: Cube, factor: str, level_a: Any, level_b: Any) -> Floats:
    """Of each sweep the difference of the levels' lowest outcomes."""
    first, second = (_lowest(table.at(factor, level).flat) for level in (level_a, level_b))
    return second - first


def _lowest(values: Floats) -> Floats:
    """The lowest of each column of (cells, sweeps); NaN where none is finite."""
    lowest = np.where(np.isfinite(values), values, np.inf).min(axis=0)
    return np.where(np.isfinite(lowest), lowest, np.nan)
