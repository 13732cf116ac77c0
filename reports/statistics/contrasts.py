"""Contrasts between levels over blocks: averaged over the other factors, by level of one, and at best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Cube, Floats, cube, levels_of, mean_over_cells, pairs_to_compare, plain, snap
from reports.statistics.gates import Evidence, Rules, gate_of, has_direction, holm, is_equivalent
from reports.statistics.interactions import Dependence, dependence, interactions, interactions_of, smallest_q
from reports.statistics.paired import check_smallest_effect, summarise_each

__all__ = ["COLUMNS", "at_best", "contrasts", "interactions", "simple_effects"]

# The part of the error rate that simple effects may spend beside the averages.
SIMPLE_SHARE = 0.5
Boundary = Mapping[str, Mapping[Any, float]]


def contrasts(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    smallest_effect: float | None = None,
    boundary: Boundary | None = None,
    *,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """Compare the levels of each factor over blocks, the other factors averaged out; a Holm family.

    `frame` has one row per cell and block: all factors of the study, `block` and the outcome (lower is
    better where the wording matters). Numbers and booleans compare neighbours, others each level with the
    first, in the order of a pandas Categorical or of appearance. Per block the mean over the other factors'
    cells of the difference, then t over blocks. `smallest_effect` is in the outcome's unit; `boundary`
    gives for factor and level the share of cells whose chosen learning rate lies at the end of its range; a
    gate that lacks its input is not applied.

    One row per contrast: factor, level_a, level_b, estimate (b - a), ci_low, ci_high, p, p_holm,
    p_sign_flip, num_blocks, gate (a `gates.Gate` value); then outcome, sd (of the block differences),
    sample_low and sample_high (Nadeau-Bengio), beyond_sample (that interval excludes 0 and DIRECTION
    holds), p_equivalent and p_beyond (Holm-adjusted), direction, equivalent (both may hold),
    probability_lower (share of matched cell and block pairs in which b is lower, ties a half), complete
    (all cells and blocks of the study), constant (the outcome never varies), boundary, interacts_with
    (factor or None), reverses, smallest_effect.

    A missing or non-finite outcome counts as a missing cell: numbers come from the pairs there are, and
    nothing is claimed. One block gives an estimate and NaN elsewhere; one level gives no row; an outcome
    that never varies gives 0 [0, 0], p 1 and UNRESOLVED. Raises ValueError for an unknown factor, a missing
    column, two rows for one cell and block, or a smallest effect that is not positive.
    """
    rules = rules or Rules()
    return gated(
        contrast_family(cube(frame, outcome), factors, smallest_effect, boundary, rules),
        smallest_effect,
        rules,
    )


def contrast_family(
    table: Cube,
    factors: Sequence[str],
    smallest_effect: float | None,
    boundary: Boundary | None,
    rules: Rules,
) -> list[dict[str, Any]]:
    """The contrasts of `contrasts` from a cube, before numbers and gates (`families.gate_family`)."""
    check_smallest_effect(smallest_effect)
    q_values = smallest_q(interactions_of(table, list(table.factors)))
    family = []
    for factor in factors:
        table.axis(factor)
        for pair in pairs_to_compare(table.factors[factor]):
            depends = dependence(table, q_values, factor, pair, smallest_effect, rules)
            at_boundary = _at_boundary(boundary, factor, pair, rules)
            family.append(_compared(table, factor, pair, depends, at_boundary))
    return family


def simple_effects(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    smallest_effect: float | None = None,
    boundary: Boundary | None = None,
    *,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """Every contrast at every level of every other factor, each gated as a contrast of its own.

    Arguments, errors and columns as `contrasts`, with the columns by and by_level in front. All rows are one
    Holm family, for which of them are shown (those of the factor that interacts most) is chosen after looking;
    and their p values count double, for the averages have spent the error rate once (simulated: at most 5.7 %
    of null studies claim anything).
    """
    rules = rules or Rules()
    family = simple_family(cube(frame, outcome), factors, boundary, rules)
    result = gated(family, smallest_effect, rules, SIMPLE_SHARE)
    result.insert(0, "by", [row["by"] for row in family])
    result.insert(1, "by_level", pd.Series([row["by_level"] for row in family], dtype=object))
    return result


def simple_family(
    table: Cube, factors: Sequence[str], boundary: Boundary | None, rules: Rules
) -> list[dict[str, Any]]:
    """The contrasts of `simple_effects` from a cube, before numbers and gates (`families.gate_family`)."""
    family = []
    for factor, by in permutations(factors, 2):
        table.axis(factor)
        for pair, level in product(pairs_to_compare(table.factors[factor]), table.factors[by]):
            limited = _at_boundary(boundary, factor, pair, rules)
            row = _compared(table.at(by, level), factor, pair, None, limited)
            family.append({**row, "by": by, "by_level": level, "complete": table.complete})
    return family


def at_best(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    search: pd.DataFrame,
    smallest_effect: float | None = None,
    *,
    rules: Rules | None = None,
) -> pd.DataFrame:
    """Compare levels at their best cells: does a level help once the rest is tuned? A Holm family of its own.

    `search` has one row per cell: all factors, `objective` (the lowest validation loss the search found
    there; not finite counts as worst) and, optionally, `at_boundary` (bool: the chosen learning rate lies
    at the end of its range). For each level the cell with the lowest objective is chosen there, and the two
    cells' `outcome`s in `frame` (as for `contrasts`) are compared over blocks. Columns as `contrasts`, and
    best_a, best_b: the levels of the two cells as dicts. Raises ValueError as `contrasts` does, and where a
    level has no cell in `search`.
    """
    check_smallest_effect(smallest_effect)
    rules, table = rules or Rules(), cube(frame, outcome)
    family, cells = [], []
    for factor in factors:
        table.axis(factor)
        for pair in pairs_to_compare(table.factors[factor]):
            best = [_best_cell(search, table, factor, level) for level in pair]
            at_boundary = any(bool(cell.get("at_boundary", False)) for cell in best)
            slim = _two_cells(table, factor, pair, best)
            family.append(_compared(slim, factor, pair, None, at_boundary))
            cells.append([{name: cell[name] for name in table.factors} for cell in best])
    result = gated(family, smallest_effect, rules)
    result["best_a"] = pd.Series([first for first, _ in cells], dtype=object)
    result["best_b"] = pd.Series([second for _, second in cells], dtype=object)
    return result


def _best_cell(search: pd.DataFrame, table: Cube, factor: str, level: Any) -> dict[str, Any]:
    rows = [{str(name): plain(value) for name, value in row.items()} for row in search.to_dict("records")]
    there = [row for row in rows if row[factor] == level]
    if not there:
        raise ValueError(
            f"the search has no cell with {factor} {level!r}; it has {levels_of(search[factor])}"
        )
    return min(there, key=lambda row: row["objective"] if _finite(row["objective"]) else np.inf)


def _finite(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))


def _two_cells(table: Cube, factor: str, pair: tuple[Any, Any], best: list[dict[str, Any]]) -> Cube:
    """A cube with one factor of two levels, each at its own cell."""
    rows = [
        table.values[tuple(table.factors[name].index(cell[name]) for name in table.factors)] for cell in best
    ]
    return Cube(values=np.stack(rows), factors={factor: pair}, blocks=table.blocks, outcome=table.outcome)


def _at_boundary(boundary: Boundary | None, factor: str, pair: tuple[Any, Any], rules: Rules) -> bool:
    shares = (boundary or {}).get(factor, {})
    return any(shares.get(level, 0.0) > rules.boundary_share for level in pair)


def _compared(
    table: Cube, factor: str, pair: tuple[Any, Any], depends: Dependence | None, at_boundary: bool
) -> dict[str, Any]:
    """What is known of one contrast before its numbers, with its differences per block."""
    matched = table.difference(factor, *pair)
    return {
        "factor": factor,
        "level_a": pair[0],
        "level_b": pair[1],
        "differences": snap(mean_over_cells(matched), table.scale),
        "outcome": table.outcome,
        "probability_lower": probability_lower(matched),
        "complete": table.complete,
        "constant": _constant(table, factor, pair),
        "boundary": at_boundary,
        "interacts_with": depends.by if depends else None,
        "reverses": bool(depends and depends.reverses),
    }


def probability_lower(matched: Floats) -> float:
    """Share of matched pairs in which b is below a, ties a half (rliable's probability of improvement)."""
    finite = matched[np.isfinite(matched)]
    return float(((finite < 0) + 0.5 * (finite == 0)).mean()) if finite.size else float("nan")


def _constant(table: Cube, factor: str, pair: tuple[Any, Any]) -> bool:
    both = np.concatenate([table.at(factor, level).values.ravel() for level in pair])
    finite = both[np.isfinite(both)]
    return finite.size == 0 or bool(np.ptp(finite) <= 1e-12 * table.scale)


COLUMNS = [
    *("factor", "level_a", "level_b", "estimate", "ci_low", "ci_high", "p", "p_holm", "p_sign_flip"),
    *("num_blocks", "gate", "outcome", "sd", "sample_low", "sample_high", "beyond_sample"),
    *("p_equivalent", "p_beyond", "direction", "equivalent", "probability_lower", "complete"),
    *("constant", "boundary", "interacts_with", "reverses", "smallest_effect"),
]


def gated(
    family: Sequence[Mapping[str, Any]], smallest_effect: float | None, rules: Rules, share: float = 1.0
) -> pd.DataFrame:
    """Numbers, adjustment within the family, gates; laid out as a frame."""
    rows = gate_family(family, smallest_effect, rules, share)
    result = pd.DataFrame(rows, columns=COLUMNS)
    # Levels of any type, and None, stay what they are.
    kept = ("level_a", "level_b", "interacts_with")
    return result.assign(**{name: pd.Series([row[name] for row in rows], dtype=object) for name in kept})


def gate_family(
    family: Sequence[Mapping[str, Any]], smallest_effect: float | None, rules: Rules, share: float = 1.0
) -> list[dict[str, Any]]:
    """Compute, adjust and gate the contrasts of one family; each row gives its `differences` per block.

    `share` is the part of the error rate that the family may spend: adjusted p values are divided by it.
    """
    confidence = 1 - rules.alpha
    numbers = summarise_each([row["differences"] for row in family], smallest_effect, confidence)
    adjusted = {
        name: [min(1.0, p / share) if p == p else p for p in holm([found[name] for found in numbers])]
        for name in ("p", "p_equivalent", "p_beyond")
    }
    return [
        _with_gate(
            {
                **row,
                **found,
                "p_holm": adjusted["p"][place],
                "p_equivalent": adjusted["p_equivalent"][place],
                "p_beyond": adjusted["p_beyond"][place],
                "smallest_effect": np.nan if smallest_effect is None else smallest_effect,
            },
            rules,
        )
        for place, (row, found) in enumerate(zip(family, numbers, strict=True))
    ]


def _with_gate(row: dict[str, Any], rules: Rules) -> dict[str, Any]:
    evidence = _evidence(row)
    direction = has_direction(evidence, rules)
    return {
        **row,
        "gate": gate_of(evidence, rules).value,
        "direction": direction,
        "equivalent": is_equivalent(evidence, rules),
        "beyond_sample": bool(direction and (row["sample_low"] > 0 or row["sample_high"] < 0)),
    }


def _evidence(row: Mapping[str, Any]) -> Evidence:
    size = row["smallest_effect"]
    return Evidence(
        num_blocks=row["num_blocks"],
        complete=row["complete"],
        p_holm=row["p_holm"],
        p_sign_flip=row["p_sign_flip"],
        p_equivalent=row["p_equivalent"],
        p_beyond=row["p_beyond"],
        beyond_effect=bool(row["ci_low"] > size or row["ci_high"] < -size),
        interacts=row["interacts_with"] is not None,
        at_boundary=row["boundary"],
        constant=row["constant"],
    )
