"""Whether one factor's effect depends on another: contrasts of contrasts over blocks, and simple effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from reports.cube import Cube, cube, mean_over_cells, pairs_to_compare, snap
from reports.gates import Rules, benjamini_hochberg
from reports.paired import summarise

COLUMNS = [
    "factor",
    "level_a",
    "level_b",
    "by",
    "by_a",
    "by_b",
    "effect_a",
    "effect_b",
    "estimate",
    "ci_low",
    "ci_high",
    "p",
    "q",
    "num_blocks",
]


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """The factor that changes a contrast most: its simple effects by level, and whether they reverse."""

    by: str
    q: float
    effects: dict[Any, float]
    reverses: bool

    @property
    def spread(self) -> float:
        """The largest simple effect less the smallest."""
        return max(self.effects.values()) - min(self.effects.values())


def interactions(frame: pd.DataFrame, factors: Sequence[str], outcome: str) -> pd.DataFrame:
    """Every two-factor contrast of contrasts, one row each; exploratory.

    `frame` and `outcome` as for `comparison.contrasts`. For each pair of `factors` and each contrast of both:
    per block, the effect of factor (level_b - level_a) at by_b less its effect at by_a, averaged over the
    remaining factors; t over blocks. Columns: factor, level_a, level_b, by, by_a, by_b, effect_a and effect_b
    (at by_a, by_b), estimate (effect_b - effect_a), ci_low, ci_high, p, q (Benjamini-Hochberg over all
    rows), num_blocks.
    """
    return interactions_of(cube(frame, outcome), factors)


def interactions_of(table: Cube, factors: Sequence[str]) -> pd.DataFrame:
    """As `interactions`, from a cube."""
    rows = [
        _row(table, factor, pair, by, by_pair)
        for factor, by in combinations(factors, 2)
        for pair in pairs_to_compare(table.factors[factor])
        for by_pair in pairs_to_compare(table.factors[by])
    ]
    result = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "q"])
    result["q"] = benjamini_hochberg(list(result["p"]))
    return result[COLUMNS]


def _row(
    table: Cube, factor: str, pair: tuple[Any, Any], by: str, by_pair: tuple[Any, Any]
) -> dict[str, Any]:
    effects = [mean_over_cells(table.at(by, level).difference(factor, *pair)) for level in by_pair]
    change = snap(effects[1] - effects[0], table.scale)
    paired = summarise(change[np.isfinite(change)])
    return {
        "factor": factor,
        "level_a": pair[0],
        "level_b": pair[1],
        "by": by,
        "by_a": by_pair[0],
        "by_b": by_pair[1],
        "effect_a": _mean(effects[0]),
        "effect_b": _mean(effects[1]),
        "estimate": float(paired.estimate),
        "ci_low": float(paired.ci_low),
        "ci_high": float(paired.ci_high),
        "p": float(paired.p),
        "num_blocks": paired.num_blocks,
    }


def _mean(differences: np.ndarray[Any, Any]) -> float:
    finite = differences[np.isfinite(differences)]
    return float(finite.mean()) if finite.size else float("nan")


def dependence(
    table: Cube,
    found: pd.DataFrame,
    factor: str,
    pair: tuple[Any, Any],
    smallest_effect: float | None,
    rules: Rules,
) -> Dependence | None:
    """The other factor on which a contrast depends, or None; the widest spread of simple effects wins.

    It does where an interaction's q is below the rules' limit and the simple effects differ by more than the
    smallest effect and by more than a factor of two (or in sign). Without a smallest effect that cannot be
    judged, and only a reversal counts. `found` is what `interactions_of` gives for all factors of the study.
    """
    candidates = []
    for by in table.factors:
        q = _smallest_q(found, factor, pair, by) if by != factor else 1.0
        if not q < rules.interaction_q:
            continue
        effects = {level: _mean(_simple(table, factor, pair, by, level)) for level in table.factors[by]}
        reverses = _reverses(table, factor, pair, by)
        if reverses or _differ(list(effects.values()), smallest_effect, rules.interaction_ratio):
            candidates.append(Dependence(by=by, q=q, effects=effects, reverses=reverses))
    return max(candidates, key=lambda found: found.spread, default=None)


def _simple(table: Cube, factor: str, pair: tuple[Any, Any], by: str, level: Any) -> np.ndarray[Any, Any]:
    return mean_over_cells(table.at(by, level).difference(factor, *pair))


def _smallest_q(found: pd.DataFrame, factor: str, pair: tuple[Any, Any], by: str) -> float:
    """The pair may stand on either side of a row: an interaction is symmetric."""
    smallest = 1.0
    for row in found.to_dict("records"):
        first = (row["factor"], row["level_a"], row["level_b"]) == (factor, *pair) and row["by"] == by
        second = (row["by"], row["by_a"], row["by_b"]) == (factor, *pair) and row["factor"] == by
        if (first or second) and row["q"] < smallest:
            smallest = float(row["q"])
    return smallest


def _differ(effects: list[float], smallest_effect: float | None, ratio: float) -> bool:
    if smallest_effect is None:
        return False
    low, high = min(effects), max(effects)
    sizes = sorted(abs(effect) for effect in effects)
    return high - low > smallest_effect and (low * high < 0 or sizes[-1] > ratio * sizes[0])


def _reverses(table: Cube, factor: str, pair: tuple[Any, Any], by: str) -> bool:
    """Whether intervals of opposite sign both exclude 0."""
    intervals = []
    for level in table.factors[by]:
        values = _simple(table, factor, pair, by, level)
        intervals.append(summarise(values[np.isfinite(values)]))
    above = any(bool(interval.ci_low > 0) for interval in intervals)
    return above and any(bool(interval.ci_high < 0) for interval in intervals)
