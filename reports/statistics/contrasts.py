"""Contrasts between levels over blocks: averaged over the other factors, by level of one, and at best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import Cube, Floats, cube, mean_over_cells, pairs_to_compare, snap
from reports.statistics import holm
from reports.statistics.best_cells import BestPair, Cell, best_pairs, num_distinct, same_cells
from reports.statistics.families import Family, Levels, simultaneous_half_width
from reports.statistics.gates import Evidence, Rules, gate_of, has_direction, is_equivalent, read_interval
from reports.statistics.interactions import Dependence, dependence, interactions, interactions_of, smallest_q
from reports.statistics.new_samples import TEST_TO_TRAINING, beyond_sample
from reports.statistics.paired import check_smallest_effect, summarise_each

__all__ = ["COLUMNS", "at_best", "contrasts", "interactions", "simple_effects"]

Boundary = Mapping[str, Mapping[Any, float]]


def contrasts(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    smallest_effect: float | None = None,
    boundary: Boundary | None = None,
    *,
    rules: Rules | None = None,
    family: Family | None = None,
    levels: Levels | None = None,
    depends: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare the levels of each factor over blocks, the other factors averaged out: one look, one family, 5 %.

    `frame` has one row per cell and block: all factors of the study, `block` and the outcome (lower is
    better where the wording matters). Numbers and booleans compare neighbours, others each level with the
    first, in the order of a pandas Categorical or of appearance. Per block the mean over the other factors'
    cells of the difference, then t over blocks. `smallest_effect` is in the outcome's unit; `boundary`
    gives for factor and level the share of cells whose chosen learning rate lies at the end of its range; a
    gate that lacks its input is not applied.

    A report hands over the `family` in which these are counted, the plan's `levels` (one that no row has is missing)
    and `interactions` of its own (`depends`).

    One row per contrast: factor, level_a, level_b, estimate (b - a), ci_low, ci_high (unadjusted, 95 %),
    simultaneous_low, simultaneous_high (adjusted within the family: the one interval that every gate is read off), p
    (unadjusted), p_sign_flip, num_blocks, gate (a `gates.Gate` value); then outcome, sd (of the block differences),
    sample_low, sample_high and beyond_sample (for new samples: `at_best` alone has them), direction, equivalent (both
    may hold), fails_sign_flip, probability_lower (share of matched cell and block pairs in which b is lower, ties a
    half), complete (all cells and blocks of the study), constant (the outcome never varies), boundary, interacts_with
    (factor or None), states_interaction, smallest_effect, share and num_hypotheses (of the family).

    A missing or non-finite outcome counts as a missing cell: numbers come from the pairs there are, and
    nothing is claimed. One block gives an estimate and NaN elsewhere; one level gives no row; a difference that is the
    same in every block has an interval of width 0 and is UNRESOLVED. Raises ValueError for an unknown factor, a missing
    column, two rows for one cell and block, or a smallest effect that is not positive.

    >>> import numpy as np
    >>> import pandas as pd
    >>> from reports.comparison import contrasts
    >>> shallow = pd.DataFrame({"depth": 3, "block": range(10), "test_loss": np.linspace(0.20, 0.22, 10)})
    >>> deep = pd.DataFrame({"depth": 5, "block": range(10), "test_loss": np.linspace(0.15, 0.18, 10)})
    >>> (found,) = contrasts(pd.concat([shallow, deep]), factors=["depth"], outcome="test_loss").to_dict("records")
    >>> found["level_a"], found["level_b"], round(found["estimate"], 3), str(found["gate"])
    (3, 5, -0.045, 'DIRECTION')
    """
    rules = rules or Rules()
    rows = contrast_family(
        cube(frame, outcome, levels), factors, smallest_effect, boundary, rules, depends=depends
    )
    return gated(rows, smallest_effect, rules, family)


def contrast_family(
    table: Cube,
    factors: Sequence[str],
    smallest_effect: float | None,
    boundary: Boundary | None,
    rules: Rules,
    *,
    depends: pd.DataFrame | None = None,
) -> list[dict[str, Any]]:
    """The contrasts of `contrasts` from a cube, before numbers and gates (`gate_family`)."""
    check_smallest_effect(smallest_effect)
    found = interactions_of(table, list(table.factors), rules=rules) if depends is None else depends
    q_values = smallest_q(found)
    family = []
    for factor in factors:
        table.axis(factor)
        for pair in pairs_to_compare(table.factors[factor]):
            other = dependence(table, q_values, factor, pair, smallest_effect, rules)
            at_boundary = _at_boundary(boundary, factor, pair, rules)
            family.append(_compared(table, factor, pair, other, at_boundary))
    return family


def simple_effects(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    smallest_effect: float | None = None,
    boundary: Boundary | None = None,
    *,
    rules: Rules | None = None,
    family: Family | None = None,
    levels: Levels | None = None,
) -> pd.DataFrame:
    """Every contrast at every level of every other factor, each gated as a contrast of its own.

    Arguments, errors and columns as `contrasts`, with the columns by, by_level and averages_over (the names of the
    other factors with more than one level, over whose cells it averages) in front. All rows are one family, for which
    of them are shown (those of the factor that interacts most) is chosen after looking.
    """
    rules = rules or Rules()
    rows = simple_family(cube(frame, outcome, levels), factors, boundary, rules)
    result = gated(rows, smallest_effect, rules, family)
    for place, name in enumerate(("by", "by_level", "averages_over")):
        result.insert(place, name, pd.Series([row[name] for row in rows], dtype=object))
    return result


def simple_family(
    table: Cube, factors: Sequence[str], boundary: Boundary | None, rules: Rules
) -> list[dict[str, Any]]:
    """The contrasts of `simple_effects` from a cube, before numbers and gates (`gate_family`)."""
    family = []
    for factor, by in permutations(factors, 2):
        table.axis(factor)
        others = {name: levels for name, levels in table.factors.items() if name not in (factor, by)}
        over = tuple(name for name, levels in others.items() if len(levels) > 1)
        for pair, level in product(pairs_to_compare(table.factors[factor]), table.factors[by]):
            limited = _at_boundary(boundary, factor, pair, rules)
            row = _compared(table.at(by, level), factor, pair, None, limited)
            place = {"by": by, "by_level": level, "averages_over": over}
            family.append({**row, **place, "complete": table.complete})
    return family


def with_slices(rows: pd.DataFrame, table: Cube, smallest_effect: float | None) -> pd.DataFrame:
    """Rows of `simple_effects` with the column slices: what each is by the levels of a third factor, or None.

    That is the factor among those averaged over by which the effect differs most, and only where it differs by more
    than the smallest effect. A dict of by, levels and estimates (means over blocks), to be described and not claimed.
    """
    found = [_slices(table, row, smallest_effect) for row in rows.to_dict("records")]
    return rows.assign(slices=pd.Series(found, index=rows.index, dtype=object))


def _slices(table: Cube, row: Mapping[Any, Any], smallest_effect: float | None) -> dict[str, Any] | None:
    there = table.at(row["by"], row["by_level"])
    found = []
    for by in row["averages_over"]:
        levels = there.factors[by]
        differences = [
            there.at(by, level).difference(row["factor"], row["level_a"], row["level_b"]) for level in levels
        ]
        estimates = [_mean(mean_over_cells(each)) for each in differences]
        found.append({"by": by, "levels": list(levels), "estimates": estimates})
    widest = max(found, key=_spread, default=None)
    return widest if widest is not None and _spread(widest) > (smallest_effect or np.inf) else None


def _spread(slices: Mapping[str, Any]) -> float:
    estimates = slices["estimates"]
    return float(np.ptp(estimates)) if np.isfinite(estimates).all() else 0.0


def at_best(
    frame: pd.DataFrame,
    factors: Sequence[str],
    outcome: str,
    search: pd.DataFrame,
    smallest_effect: float | None = None,
    *,
    rules: Rules | None = None,
    family: Family | None = None,
    levels: Levels | None = None,
    beyond: Family | None = None,
    first_blocks: Sequence[Any] | None = None,
    ratio: Callable[[Cell, Cell], float] = lambda _, __: TEST_TO_TRAINING,
) -> pd.DataFrame:
    """Compare levels at their best cells: does a level help once the rest is tuned? A family of its own.

    `search` has one row per cell: all factors, `objective` (the lowest validation loss the search found
    there; not finite counts as worst) and, optionally, `at_boundary` (bool: the chosen learning rate lies
    at the end of its range). For each level the cell with the lowest objective is chosen there, and the two
    cells' `outcome`s in `frame` (as for `contrasts`) are compared over blocks. The family's hypotheses are the
    distinct pairs of cells: contrasts of two factors may compare the same two cells, and have one interval, mirrored.
    For new samples the blocks `first_blocks` (None: all) are compared within the family `beyond` (None: not at all),
    with the `ratio` of test to training examples that the two cells were trained with.

    Columns as `contrasts`, and best_a, best_b (the levels of the two cells as dicts; None where the search has no cell
    of a level that only `levels` knows), mean_a, mean_b (of the outcome there), same_cells_as (the place of the first
    row with the same two cells, None for the first itself). Raises ValueError as `contrasts` does, and where a level
    has no cell in `search`.
    """
    check_smallest_effect(smallest_effect)
    rules, table = rules or Rules(), cube(frame, outcome, levels)
    for factor in factors:
        table.axis(factor)
    pairs = best_pairs(search, factors, table.factors, planned=levels is not None)
    counted = family or Family(num_hypotheses=num_distinct(pairs))
    rows = gate_family([_at_cells(table, pair) for pair in pairs], smallest_effect, rules, counted)
    if not rules.holm:
        first = [first_blocks is None or block in first_blocks for block in table.blocks]
        for row, pair in zip(rows, pairs, strict=True):
            row |= beyond_sample(
                row, row["differences"][np.array(first, dtype=bool)], ratio(*pair.found), beyond
            )
    return _with_cells(_as_frame(rows, rules), rows, pairs)


def _at_cells(table: Cube, pair: BestPair) -> dict[str, Any]:
    """The contrast of two selected cells before its numbers, from a cube with one factor of two levels."""
    values = np.stack([_values(table, cell) for cell in pair.cells])
    slim = Cube(values=values, factors={pair.factor: pair.levels}, blocks=table.blocks, outcome=table.outcome)
    means = dict(zip(("mean_a", "mean_b"), map(_mean, values), strict=True))
    return {**_compared(slim, pair.factor, pair.levels, None, pair.at_boundary), **means}


def _values(table: Cube, cell: Cell | None) -> Floats:
    """The outcomes of a cell by block; NaN without one."""
    if cell is None:
        return np.full(len(table.blocks), np.nan)
    values: Floats = table.values[tuple(table.factors[name].index(cell[name]) for name in table.factors)]
    return values


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _with_cells(
    result: pd.DataFrame, rows: Sequence[Mapping[str, Any]], pairs: Sequence[BestPair]
) -> pd.DataFrame:
    """Which cells were compared, their means, and which contrast compared the same two before."""
    added: dict[str, list[Any]] = {
        "best_a": [pair.cells[0] for pair in pairs],
        "best_b": [pair.cells[1] for pair in pairs],
        "mean_a": [row["mean_a"] for row in rows],
        "mean_b": [row["mean_b"] for row in rows],
        "same_cells_as": same_cells(pairs),
        "test_to_training": [row.get("test_to_training", float("nan")) for row in rows],
    }
    objects = ("best_a", "best_b", "same_cells_as")
    return result.assign(
        **{
            name: pd.Series(values, dtype=object if name in objects else float)
            for name, values in added.items()
        }
    )


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
        "states_interaction": bool(depends and depends.stated),
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
    *(
        "factor",
        "level_a",
        "level_b",
        "estimate",
        "ci_low",
        "ci_high",
        "simultaneous_low",
        "simultaneous_high",
    ),
    *(
        "p",
        "p_sign_flip",
        "num_blocks",
        "gate",
        "outcome",
        "sd",
        "sample_low",
        "sample_high",
        "beyond_sample",
    ),
    *("direction", "equivalent", "fails_sign_flip", "probability_lower", "complete", "constant", "boundary"),
    *("interacts_with", "states_interaction", "reverses", "smallest_effect", "share", "num_hypotheses"),
]


def gated(
    family: Sequence[Mapping[str, Any]],
    smallest_effect: float | None,
    rules: Rules,
    counted: Family | None = None,
) -> pd.DataFrame:
    """Numbers, adjustment within the family, gates; laid out as a frame."""
    return _as_frame(gate_family(family, smallest_effect, rules, counted), rules)


def _as_frame(rows: Sequence[Mapping[str, Any]], rules: Rules) -> pd.DataFrame:
    """Rows of `gate_family` as a frame; levels of any type, and None, stay what they are."""
    result = pd.DataFrame(rows, columns=[*COLUMNS, "p_holm"] if rules.holm else COLUMNS)
    kept = ("level_a", "level_b", "interacts_with")
    return result.assign(**{name: pd.Series([row[name] for row in rows], dtype=object) for name in kept})


def gate_family(
    family: Sequence[Mapping[str, Any]],
    smallest_effect: float | None,
    rules: Rules,
    counted: Family | None = None,
) -> list[dict[str, Any]]:
    """Compute, adjust and gate the contrasts of one family; each row gives its `differences` per block.

    `counted` is the family's share and its number of hypotheses; without it 5 % and the number of rows.
    """
    counted = counted or Family(share=rules.alpha, num_hypotheses=len(family))
    numbers = summarise_each([row["differences"] for row in family], smallest_effect, 1 - rules.alpha)
    size = np.nan if smallest_effect is None else smallest_effect
    common = {"smallest_effect": size, "share": counted.share, "num_hypotheses": counted.num_hypotheses}
    rows = [
        {**row, **found, **common, "interval": _interval(found, counted)}
        for row, found in zip(family, numbers, strict=True)
    ]
    return _by_holm(rows, counted, rules) if rules.holm else [_by_interval(row, rules) for row in rows]


def _interval(found: Mapping[str, Any], counted: Family) -> tuple[float, float]:
    half = float(simultaneous_half_width(found["sd"], int(found["num_blocks"]), counted))
    return found["estimate"] - half, found["estimate"] + half


def _by_interval(row: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Gate a contrast by its simultaneous interval."""
    low, high = row.pop("interval")
    row |= {"simultaneous_low": low, "simultaneous_high": high}
    row |= {"sample_low": np.nan, "sample_high": np.nan, "beyond_sample": False}
    return _with_gate({**row, "flat": bool(row["sd"] == 0)}, read_interval(row, rules), rules)


def _by_holm(rows: Sequence[dict[str, Any]], counted: Family, rules: Rules) -> list[dict[str, Any]]:
    """Gate contrasts as plans of versions 1 and 2 do: they have no simultaneous interval."""
    found = []
    for row, adjusted in zip(rows, holm.adjusted_within(rows, counted.share / rules.alpha), strict=True):
        row |= {**adjusted, "simultaneous_low": np.nan, "simultaneous_high": np.nan, "flat": False}
        row.pop("interval")
        gated_row = _with_gate(row, holm.read_p_values(row, rules), rules)
        found.append({**gated_row, **holm.new_samples(gated_row)})
    return found


def _with_gate(row: dict[str, Any], read: Mapping[str, bool], rules: Rules) -> dict[str, Any]:
    evidence = Evidence(
        num_blocks=row["num_blocks"],
        complete=row["complete"],
        direction=read["direction"],
        meaningful=read["meaningful"],
        equivalent=read["equivalent"],
        interacts=row["interacts_with"] is not None,
        at_boundary=row["boundary"],
        constant=row["constant"],
        flat=row["flat"],
    )
    return {
        **row,
        "gate": gate_of(evidence, rules).value,
        "direction": has_direction(evidence, rules),
        "equivalent": is_equivalent(evidence, rules),
        "fails_sign_flip": read["fails_sign_flip"],
    }
