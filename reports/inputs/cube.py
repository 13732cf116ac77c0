"""A balanced table as an array: one axis per factor, the blocks last; a missing cell is NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

# Columns that `studies` records beside the factors: a frame may keep them, they are never factors.
RECORDED = frozenset(
    {
        *("trial_number", "phase", "cell", "replicate", "block", "outcome", "epoch", "objective"),
        *("val_loss", "val_accuracy", "val_error", "test_loss", "test_accuracy", "test_error"),
        *("holdout_loss", "holdout_accuracy"),
        *("failed", "capped", "verdict_initial", "verdict_trained", "at_boundary"),
        *("growth", "total_growth", "ln_total_growth", "raw_ratio", "num_layers"),
    }
)
# Differences below this share of the values are rounding, not effects.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Cube:
    """One outcome of a study: `values[i, j, ..., b]`, axes in the order of `factors`, then blocks.

    `scale` is the largest absolute value, below a 1e-12th of which a difference counts as rounding.
    """

    values: Floats
    factors: Mapping[str, tuple[Any, ...]]
    blocks: tuple[Any, ...]
    outcome: str

    @property
    def complete(self) -> bool:
        """Whether every cell has a finite outcome in every block."""
        return self.values.size > 0 and bool(np.isfinite(self.values).all())

    @property
    def scale(self) -> float:
        """The largest absolute outcome; 0 where there is none."""
        finite = self.values[np.isfinite(self.values)]
        return float(np.abs(finite).max()) if finite.size else 0.0

    @property
    def flat(self) -> Floats:
        """The outcomes with one row per cell, shape (cells, blocks)."""
        num_cells = math.prod(self.values.shape[:-1])
        return self.values.reshape(num_cells, self.values.shape[-1])

    def axis(self, factor: str) -> int:
        """The axis of a factor; ValueError lists the right names."""
        if factor not in self.factors:
            raise ValueError(f"unknown factor {factor!r}; the frame has {', '.join(self.factors) or 'none'}")
        return list(self.factors).index(factor)

    def at(self, factor: str, level: Any) -> Cube:
        """The slice at one level; the factor stays, with that level alone."""
        axis, position = self.axis(factor), self.factors[factor].index(level)
        values = np.take(self.values, [position], axis=axis)
        return Cube(
            values=values,
            factors={**self.factors, factor: (level,)},
            blocks=self.blocks,
            outcome=self.outcome,
        )

    def difference(self, factor: str, level_a: Any, level_b: Any) -> Floats:
        """level_b minus level_a, matched over all other factors: shape (other factors..., blocks)."""
        axis, levels = self.axis(factor), self.factors[factor]
        first = np.take(self.values, levels.index(level_a), axis=axis)
        second = np.take(self.values, levels.index(level_b), axis=axis)
        return snap(second - first, self.scale)


def snap(differences: Floats, scale: float) -> Floats:
    """Differences with those that are only rounding (below 1e-12 of `scale`) set to 0."""
    return np.where(np.abs(differences) <= ROUNDING * scale, 0.0, differences)


def mean_over_cells(differences: Floats) -> Floats:
    """Per block, the mean over cells, NaN cells left out; NaN for a block that has none. Shape (blocks,)."""
    flat = differences.reshape(-1, differences.shape[-1])
    present = np.isfinite(flat)
    counts = present.sum(axis=0)
    sums = np.where(present, flat, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def levels_of(column: pd.Series[Any]) -> tuple[Any, ...]:
    """The levels of a column as plain Python values.

    Numbers and booleans ascend; others keep the order of a Categorical or of appearance. A Categorical's
    level counts even where no row has it. A missing value is the level None.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        raw = [*column.cat.categories, *([None] if column.isna().any() else [])]
    else:
        raw = list(column)
    seen = list(dict.fromkeys(plain(value) for value in raw))
    return tuple(sorted(seen)) if are_numbers(seen) else tuple(seen)


def _all_levels(column: pd.Series[Any], planned: Sequence[Any]) -> tuple[Any, ...]:
    """The plan's levels, then those that only the column has; numbers and booleans ascend."""
    levels = tuple(dict.fromkeys([*map(plain, planned), *levels_of(column)]))
    return tuple(sorted(levels)) if are_numbers(levels) else levels


def are_numbers(levels: Sequence[Any]) -> bool:
    """Whether all levels are numbers or booleans, so that neighbours are compared."""
    return all(isinstance(level, Real) for level in levels)


def pairs_to_compare(levels: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Neighbouring levels of numbers and booleans; of others, each against the first."""
    if are_numbers(levels):
        return list(pairwise(levels))
    return [(levels[0], level) for level in levels[1:]]


def plain(value: Any) -> Any:
    """A level as a hashable Python value: numpy scalars unwrapped, lists as tuples, NaN as None."""
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NA or value != value else value


def cube(frame: pd.DataFrame, outcome: str, planned: Mapping[str, Sequence[Any]] | None = None) -> Cube:
    """Arrange one row per cell and block as an array.

    `planned` are the levels of factors as the plan has them, in its order: one that no row has is missing throughout.

    `frame` has the columns `block`, `outcome` and the study's factors; columns that `studies` records
    otherwise are ignored, and so is a column no value of which occurs in two blocks (a measurement). An
    outcome that is not finite counts as a missing cell. Raises ValueError for a missing column, an outcome
    that is not a number, or two rows for the same cell and block.
    """
    _check_columns(frame, outcome)
    names = _factor_columns(frame, outcome)
    factors = {name: _all_levels(frame[name], (planned or {}).get(name, ())) for name in names}
    blocks = levels_of(frame["block"])
    axes = {**factors, "block": blocks}
    places = [_positions(frame[name], levels) for name, levels in axes.items()]
    _check_once(frame, names, places)
    values = np.full([len(levels) for levels in axes.values()], np.nan)
    found = pd.to_numeric(frame[outcome]).to_numpy(dtype=float, na_value=np.nan)
    values[tuple(places)] = np.where(np.isfinite(found), found, np.nan)
    return Cube(values=values, factors=factors, blocks=blocks, outcome=outcome)


def _check_columns(frame: pd.DataFrame, outcome: str) -> None:
    missing = [name for name in ("block", outcome) if name not in frame]
    if missing:
        raise ValueError(f"the frame needs the column {' and '.join(missing)}; it has {list(frame.columns)}")


def _factor_columns(frame: pd.DataFrame, outcome: str) -> list[str]:
    candidates = [str(name) for name in frame.columns if name not in RECORDED and name != outcome]
    return [name for name in candidates if not _is_measurement(frame, name)]


def _is_measurement(frame: pd.DataFrame, name: str) -> bool:
    """A level of a factor stands in every block; a measured value in one."""
    if not pd.api.types.is_float_dtype(frame[name]) or frame["block"].nunique() < 2 or frame.empty:
        return False
    return int(frame.groupby(name, observed=True)["block"].nunique().max()) < 2


def _positions(column: pd.Series[Any], levels: tuple[Any, ...]) -> npt.NDArray[np.intp]:
    index = {level: position for position, level in enumerate(levels)}
    return np.array([index[plain(value)] for value in column], dtype=np.intp)


def _check_once(frame: pd.DataFrame, names: list[str], places: list[npt.NDArray[np.intp]]) -> None:
    keys = pd.DataFrame(dict(enumerate(places)))
    twice = keys.duplicated(keep=False).to_numpy()
    if twice.any():
        rows = frame.loc[twice, [*names, "block"]].head(4).to_dict("records")
        raise ValueError(
            f"one row per cell and block is needed, and {int(twice.sum())} rows share theirs, such as {rows}"
        )
