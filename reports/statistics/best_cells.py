"""Which two cells each contrast at best compares: those that the search selected for its two levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.cube import levels_of, pairs_to_compare, plain
from reports.statistics.families import Levels

Cell = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class BestPair:
    """Two levels of a factor, and the cell that the search selected for each: the levels of all factors.

    A cell is None where the search has none with that level. `found` are the two rows of the search, `at_boundary`
    whether one of the chosen learning rates lies at the end of its range.
    """

    factor: str
    levels: tuple[Any, Any]
    cells: tuple[Cell | None, Cell | None]
    found: tuple[Cell, Cell]

    @property
    def at_boundary(self) -> bool:
        """Whether one of the chosen learning rates lies at the end of its range."""
        return any(bool(row.get("at_boundary", False)) for row in self.found)

    @property
    def key(self) -> frozenset[Any]:
        """The two cells, in no order: the same for two contrasts that compare the same two cells."""
        if None in self.cells:
            return frozenset({("without a cell", self.factor, repr(self.levels))})
        return frozenset(
            tuple((name, repr(cell[name])) for name in sorted(cell)) for cell in self.cells if cell
        )


def best_pairs(
    search: pd.DataFrame, factors: Sequence[str], levels: Levels, *, planned: bool
) -> list[BestPair]:
    """The pair of cells of each contrast.

    `search` has one row per cell: all factors, `objective` (not finite counts as worst) and `at_boundary`. A level
    without a cell there is a ValueError, unless `planned`: then `levels` are the plan's, and every search trial of that
    level failed.
    """
    rows = [{str(name): plain(value) for name, value in row.items()} for row in search.to_dict("records")]
    found = []
    for factor in factors:
        best = {level: _best(rows, factor, level) for level in levels[factor]}
        lost = [level for level, row in best.items() if row is None]
        if lost and not planned:
            has = levels_of(search[factor])
            raise ValueError(f"the search has no cell with {factor} {lost[0]!r}; it has {has}")
        for pair in pairs_to_compare(levels[factor]):
            a, b = best[pair[0]], best[pair[1]]
            found.append(
                BestPair(
                    factor=factor,
                    levels=pair,
                    cells=(_cell(a, levels), _cell(b, levels)),
                    found=(a or {}, b or {}),
                )
            )
    return found


def _best(rows: Sequence[Cell], factor: str, level: Any) -> Cell | None:
    return min((row for row in rows if row[factor] == level), key=_objective, default=None)


def _objective(row: Cell) -> float:
    value = row["objective"]
    return float(value) if value is not None and np.isfinite(value) else np.inf


def _cell(row: Cell | None, levels: Levels) -> Cell | None:
    return None if row is None else {name: row[name] for name in levels}


def num_distinct(pairs: Sequence[BestPair]) -> int:
    """Number of distinct pairs of cells: the hypotheses at best, however many contrasts compare them."""
    return len({pair.key for pair in pairs})


def same_cells(pairs: Sequence[BestPair]) -> list[int | None]:
    """For each contrast the place of the first one that compares the same two cells; None for that first one."""
    first: dict[frozenset[Any], int] = {}
    return [
        None if first.setdefault(pair.key, place) == place else first[pair.key]
        for place, pair in enumerate(pairs)
    ]
