"""What the search's selection of cells adds to comparisons at best: a bootstrap of the search over its blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from reports.inputs.cube import Floats, plain

NUM_DRAWS = 2000
SEED = 20_240_229
TRIALS_AT_ONCE = 10_000
"""Trials whose means are computed for all draws at once: 160 MB."""
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Search:
    """The candidates that a search chose from, and what its cells scored afterwards.

    - `cells`: one mapping a cell, its levels, in the order in which the search names them
    - `scores`: of each candidate trial in each block, shape (trials, blocks), the lower the better
    - `cell_of`: the place in `cells` of each trial
    - `outcomes`: of each cell in the same blocks, confirmed with fresh seeds, shape (cells, blocks); NaN where missing
    """

    cells: Sequence[Mapping[str, Any]]
    scores: Floats
    cell_of: Places
    outcomes: Floats

    @property
    def num_blocks(self) -> int:
        """How many blocks the search was scored on."""
        return int(self.scores.shape[1])


def search_of(
    candidates: pd.DataFrame, confirmed: pd.DataFrame, factors: Sequence[str], outcome: str
) -> Search | None:
    """Lay out a search; None with fewer than two blocks, or where nothing is scored in all of them.

    `candidates` has one row per trial that could have been chosen and block: trial_number, cell, the factors, block,
    score (the lower the better). `confirmed` has one row per cell and block: the factors, block and the outcome.
    """
    if candidates.empty:
        return None
    table = candidates.pivot(index=["cell", "trial_number"], columns="block", values="score").sort_index()
    table = table[np.isfinite(table.to_numpy(dtype=float)).all(axis=1)]
    if table.empty or table.shape[1] < 2:
        return None
    numbers = table.index.get_level_values("cell")
    known = candidates.drop_duplicates("cell").set_index("cell")
    order = list(dict.fromkeys(numbers))
    cells = [{name: plain(known.at[cell, name]) for name in factors} for cell in order]
    fresh = {(*_levels(row, factors), row["block"]): row[outcome] for row in confirmed.to_dict("records")}
    outcomes = [[fresh.get((*cell.values(), block), math.nan) for block in table.columns] for cell in cells]
    return Search(
        cells=cells,
        scores=table.to_numpy(dtype=float),
        cell_of=np.array([order.index(cell) for cell in numbers], dtype=np.intp),
        outcomes=np.array(outcomes, dtype=float),
    )


def _levels(row: Mapping[Any, Any], factors: Sequence[str]) -> tuple[Any, ...]:
    return tuple(plain(row[name]) for name in factors)


@dataclass(frozen=True, kw_only=True)
class Reselected:
    """What a bootstrap of the search says about one comparison of two levels, each at its selected cell.

    - `share_other_a`, `share_other_b`: draws in which another cell is selected for the level
    - `fixed_low`, `fixed_high`: the bootstrap's 95 % interval of the difference (b less a) of the two selected cells
    - `low`, `high`: that of the difference with the cells selected anew in each draw
    - `width_ratio`: how many times as wide the second is as the first; NaN where the first has no width
    """

    share_other_a: float
    share_other_b: float
    fixed_low: float
    fixed_high: float
    low: float
    high: float
    width_ratio: float


def reselect(
    search: Search,
    contrasts: Sequence[tuple[str, Any, Any]],
    num_draws: int = NUM_DRAWS,
    seed: int = SEED,
) -> list[Reselected]:
    """Draw the search's blocks again, with replacement, and select each level's cell anew; one result a contrast.

    `contrasts` are (factor, level_a, level_b). In each draw a trial's score is its mean over the drawn blocks, a cell
    has that of its lowest trial, and a level takes its lowest cell; the outcomes confirmed in the same blocks are then
    compared (Efron 2014 on estimates after selection). Which trials reached the last rung, and the values confirmed for
    each cell, stay as they are. Intervals are percentiles, expanded so that ten blocks give the width of a t interval
    (Hesterberg 2015, section 4.2). The first draw is the blocks as they are.
    """
    num_blocks = search.num_blocks
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(num_blocks, [1 / num_blocks] * num_blocks, num_draws) / num_blocks
    weights = np.concatenate([np.full((1, num_blocks), 1 / num_blocks), weights])
    lowest = _lowest(search, weights)
    fresh = weights @ search.outcomes.T
    return [_reselected(search, lowest, fresh, contrast) for contrast in contrasts]


def _lowest(search: Search, weights: Floats) -> Floats:
    """The score of each cell's lowest trial in each draw, shape (draws, cells)."""
    # One product of all trials is faster, but for many trials takes half a gigabyte.
    means = weights @ search.scores.T if len(search.scores) <= TRIALS_AT_ONCE else None
    lowest = np.full((len(weights), len(search.cells)), np.inf)
    for place in range(len(search.cells)):
        of_cell = search.cell_of == place
        scores = weights @ search.scores[of_cell].T if means is None else means[:, of_cell]
        lowest[:, place] = scores.min(axis=1)
    return lowest


def _reselected(search: Search, lowest: Floats, fresh: Floats, contrast: tuple[str, Any, Any]) -> Reselected:
    factor, *levels = contrast
    chosen = [_chosen(search, lowest, factor, level) for level in levels]
    if any(places is None for places in chosen):
        return Reselected(**dict.fromkeys(Reselected.__dataclass_fields__, math.nan))
    a, b = (places for places in chosen if places is not None)
    draws = np.arange(len(lowest))
    again = fresh[draws, b] - fresh[draws, a]
    fixed = fresh[:, b[0]] - fresh[:, a[0]]
    fixed_low, fixed_high = _interval(fixed[1:], search.num_blocks)
    low, high = _interval(again[1:], search.num_blocks)
    width = fixed_high - fixed_low
    return Reselected(
        share_other_a=float((a[1:] != a[0]).mean()),
        share_other_b=float((b[1:] != b[0]).mean()),
        fixed_low=fixed_low,
        fixed_high=fixed_high,
        low=low,
        high=high,
        width_ratio=(high - low) / width if width > 0 else math.nan,
    )


def _chosen(search: Search, lowest: Floats, factor: str, level: Any) -> Places | None:
    """The cell selected for a level in each draw; None where no cell has that level."""
    there = np.array(
        [place for place, cell in enumerate(search.cells) if cell[factor] == level], dtype=np.intp
    )
    return there[lowest[:, there].argmin(axis=1)] if len(there) else None


def _interval(draws: Floats, num_blocks: int) -> tuple[float, float]:
    finite = draws[np.isfinite(draws)]
    if len(finite) < len(draws) or num_blocks < 2:
        return math.nan, math.nan  # a cell that is selected in some draw was not confirmed in every block
    critical = stats.t.ppf(0.975, num_blocks - 1) * math.sqrt(num_blocks / (num_blocks - 1))
    outside = float(stats.norm.cdf(-critical))
    low, high = np.quantile(finite, [outside, 1 - outside])
    return float(low), float(high)
