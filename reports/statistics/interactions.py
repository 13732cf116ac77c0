"""Whether one factor's effect depends on another: contrasts of contrasts over blocks, and simple effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Cube, Floats, cube, mean_over_cells, pairs_to_compare, snap
from reports.statistics.families import Family, simultaneous_half_width
from reports.statistics.gates import Gate, Rules, benjamini_hochberg, read_interval
from reports.statistics.paired import summarise_each

Pair = tuple[Any, Any]
COLUMNS = [
    *("factor", "level_a", "level_b", "by", "by_a", "by_b", "effect_a", "effect_b", "estimate"),
    *(
        "ci_low",
        "ci_high",
        "simultaneous_low",
        "simultaneous_high",
        "p",
        "p_sign_flip",
        "q",
        "num_blocks",
        "sd",
    ),
    *("gate", "scale", "smallest_effect", "share", "num_hypotheses"),
]


@dataclass(frozen=True, kw_only=True)
class Dependence:
    """The factor that changes a contrast most: its smallest q, the spread of effects, whether they reverse.

    `stated`: an interaction of the two is licensed by its own interval; otherwise it is merely likely enough to
    withhold an average.
    """

    by: str
    q: float
    spread: float
    reverses: bool
    stated: bool


def interactions(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    smallest_effect: float | None = None,
    *,
    rules: Rules | None = None,
    family: Family | None = None,
    levels: Mapping[str, Sequence[Any]] | None = None,
) -> pd.DataFrame:
    """Every two-factor contrast of contrasts, one row each, on the scale of differences.

    `frame`, `outcome`, `rules`, `family` and `levels` as for `comparison.contrasts`. For each pair of `factors` and
    each contrast of both: per block, the effect of factor (level_b - level_a) at by_b less its effect at by_a, averaged
    over the remaining factors; t over blocks. Columns: factor, level_a, level_b, by, by_a, by_b, effect_a and effect_b
    (at by_a, by_b), estimate (effect_b - effect_a), ci_low, ci_high (unadjusted), simultaneous_low, simultaneous_high,
    p, p_sign_flip, q (Benjamini-Hochberg over all rows), num_blocks, gate, scale ("differences"), smallest_effect,
    share and num_hypotheses (of the family).

    The gate is INTERACTION where the simultaneous interval lies wholly beyond the smallest effect (0 without one), with
    ten blocks, all cells and a small sign-flip p; else UNRESOLVED, which may still withhold an average (`dependence`).
    """
    found = cube(frame, outcome, levels)
    return interactions_of(found, factors, smallest_effect, rules=rules, family=family)


def interactions_of(
    table: Cube,
    factors: Sequence[str],
    smallest_effect: float | None = None,
    *,
    rules: Rules | None = None,
    family: Family | None = None,
) -> pd.DataFrame:
    """As `interactions`, from a cube."""
    rows = [
        _row(table, factor, pair, by, by_pair)
        for factor, by in combinations(factors, 2)
        for pair in pairs_to_compare(table.factors[factor])
        for by_pair in pairs_to_compare(table.factors[by])
    ]
    counted = family or Family(num_hypotheses=len(rows))
    numbers = summarise_each([row.pop("changes") for row in rows])
    q_values = benjamini_hochberg([found["p"] for found in numbers])
    size = 0.0 if smallest_effect is None else smallest_effect
    common = {"scale": "differences", "smallest_effect": size, "share": counted.share}
    filled = [
        _gated(
            {**row, **found, **common, "q": q, "num_hypotheses": counted.num_hypotheses},
            table.complete,
            counted,
            rules or Rules(),
        )
        for row, found, q in zip(rows, numbers, q_values, strict=True)
    ]
    return pd.DataFrame(filled, columns=COLUMNS)


def _gated(row: dict[str, Any], complete: bool, counted: Family, rules: Rules) -> dict[str, Any]:
    """Add the simultaneous interval, and whether it lets the interaction be stated."""
    if rules.holm:
        nothing = {"simultaneous_low": np.nan, "simultaneous_high": np.nan}
        return {**row, **nothing, "gate": Gate.UNRESOLVED.value}
    half = float(simultaneous_half_width(row["sd"], int(row["num_blocks"]), counted))
    row |= {"simultaneous_low": row["estimate"] - half, "simultaneous_high": row["estimate"] + half}
    varies = row["sd"] > 0 and row["num_blocks"] >= rules.min_blocks
    stated = complete and varies and read_interval(row, rules)["meaningful"]
    return {**row, "gate": (Gate.INTERACTION if stated else Gate.UNRESOLVED).value}


def _row(table: Cube, factor: str, pair: Pair, by: str, by_pair: Pair) -> dict[str, Any]:
    before, after = (_simple(table, factor, pair, by, level) for level in by_pair)
    return {
        "factor": factor,
        "level_a": pair[0],
        "level_b": pair[1],
        "by": by,
        "by_a": by_pair[0],
        "by_b": by_pair[1],
        "effect_a": _mean(before),
        "effect_b": _mean(after),
        "changes": snap(after - before, table.scale),
    }


def _simple(table: Cube, factor: str, pair: Pair, by: str, level: Any) -> Floats:
    """The effect of a pair at one level of another factor, per block."""
    return mean_over_cells(table.at(by, level).difference(factor, *pair))


def _mean(differences: Floats) -> float:
    finite = differences[np.isfinite(differences)]
    return float(finite.mean()) if finite.size else float("nan")


Keyed = tuple[str, Any, Any, str]


def smallest_q(found: pd.DataFrame) -> dict[Keyed, tuple[float, bool]]:
    """For (factor, level_a, level_b, by) the smallest q among its interactions, and whether one of them is stated.

    They hold both ways round.
    """
    smallest: dict[Keyed, tuple[float, bool]] = {}
    names = ("factor", "level_a", "level_b", "by", "by_a", "by_b", "q", "gate")
    columns = [found[name].tolist() for name in names]  # records are made several times as slowly
    for factor, level_a, level_b, by, by_a, by_b, each, gate in zip(*columns, strict=True):
        for key in ((factor, level_a, level_b, by), (by, by_a, by_b, factor)):
            q, stated = smallest.get(key, (1.0, False))
            smallest[key] = min(q, each), stated or gate == Gate.INTERACTION
    return smallest


def dependence(
    table: Cube,
    q_values: Mapping[Keyed, tuple[float, bool]],
    factor: str,
    pair: Pair,
    smallest_effect: float | None,
    rules: Rules,
) -> Dependence | None:
    """The other factor on which a contrast may depend, so that its average is withheld, or None.

    It may where an interaction's q is below the rules' limit and the simple effects differ by more than the
    smallest effect and by more than a factor of two (or in sign): lenient, for it withholds. Without a smallest effect
    that cannot be judged, and only a reversal counts. Where it may depend on several, one whose interaction is stated
    comes first, then the widest spread of simple effects. `q_values` is what `smallest_q` gives for all factors of the
    study.
    """
    candidates = []
    for by in table.factors:
        q, stated = q_values.get((factor, *pair, by), (1.0, False))
        if not q < rules.interaction_q:
            continue
        simple = [_simple(table, factor, pair, by, level) for level in table.factors[by]]
        effects = [_mean(values) for values in simple]
        reverses = _reverses(simple)
        if reverses or _differ(effects, smallest_effect, rules.interaction_ratio):
            spread = max(effects) - min(effects)
            candidates.append(Dependence(by=by, q=q, spread=spread, reverses=reverses, stated=stated))
    return max(candidates, key=lambda candidate: (candidate.stated, candidate.spread), default=None)


def _differ(effects: list[float], smallest_effect: float | None, ratio: float) -> bool:
    if smallest_effect is None:
        return False
    low, high = min(effects), max(effects)
    sizes = sorted(abs(effect) for effect in effects)
    return high - low > smallest_effect and (low * high < 0 or sizes[-1] > ratio * sizes[0])


def _reverses(simple: Sequence[Floats]) -> bool:
    """Whether intervals of opposite sign both exclude 0."""
    found = summarise_each(simple)
    return any(each["ci_low"] > 0 for each in found) and any(each["ci_high"] < 0 for each in found)
