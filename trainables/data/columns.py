"""The columns of a table: numbers, or texts that stand for categories; each becomes one feature or several."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_CATEGORIES = 1000
"""A column with more different texts is free text or a name, from which a network only learns its rows by heart."""

NUMBERS_SHARE = 0.9
"""Where so many of a column's texts are numbers, the others are mistakes."""

MAX_NUMBER = float(np.finfo(np.float32).max)

FAR_FROM_ZERO = 1000.0
"""Numbers further from zero than so many times their range, such as times in seconds, would lose digits in float32."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: `values` are numbers, NaN where missing, or the place of each text in `categories`, -1 where missing.

    `categories` is None for numbers.
    """

    name: str
    values: NDArray[np.float64] | NDArray[np.int64]
    categories: tuple[str, ...] | None = None
    has_missing: bool

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.categories is None

    @property
    def num_features(self) -> int:
        """One for numbers or one a category, and one more where values are missing."""
        return (1 if self.categories is None else len(self.categories)) + self.has_missing

    def write(self, features: NDArray[np.float32]) -> None:
        """Write the features, shape (rows, num_features), over zeros; a number that is missing is NaN."""
        if self.categories is None:
            features[:, 0] = self.values
            missing = np.isnan(self.values)
        else:
            missing = self.values < 0
            rows = np.flatnonzero(~missing)
            features[rows, self.values[rows].astype(np.int64)] = 1
        if self.has_missing:
            features[:, -1] = missing


def column_of(name: str, cells: pd.Series, mistakes: list[str]) -> Column | None:
    """Return a table's column, None where it is empty; what cannot be used is told in `mistakes` with its row."""
    if cells.isna().all():
        return None
    if not pd.api.types.is_numeric_dtype(cells):
        numbers = pd.to_numeric(cells, errors="coerce")
        wrong = np.flatnonzero(numbers.isna() & cells.notna())
        if len(wrong) > (1 - NUMBERS_SHARE) * int(cells.notna().sum()):
            return _texts(name, cells, mistakes)
        mistakes += [
            f"row {row + 1}, column {name}: {str(cells.iloc[row])[:40]!r} among numbers" for row in wrong
        ]
        cells = numbers
    return _numbers(name, cells.to_numpy(np.float64, na_value=np.nan), mistakes)


def _numbers(name: str, values: NDArray[np.float64], mistakes: list[str]) -> Column:
    missing = np.isnan(values)
    large = np.abs(values) > MAX_NUMBER
    mistakes += [f"row {row + 1}, column {name}: {values[row]} is too large" for row in np.flatnonzero(large)]
    usable = values[~missing & ~large]
    if len(usable):
        low, high = usable.min(), usable.max()
        if max(abs(low), abs(high)) > FAR_FROM_ZERO * (high - low):
            # Scaling takes the mean off anyway.
            values = values - low
    return Column(name=name, values=values, has_missing=bool(missing.any()))


def _texts(name: str, cells: pd.Series, mistakes: list[str]) -> Column:
    codes, categories = pd.factorize(cells.astype(str).where(cells.notna()), sort=True)
    if len(categories) > MAX_CATEGORIES:
        mistakes.append(
            f"column {name} has {len(categories):,} different texts, and at most {MAX_CATEGORIES:,} can be categories: "
            "leave it out, or bring them into groups"
        )
    return Column(
        name=name,
        values=codes.astype(np.int64),
        categories=tuple(str(category) for category in categories),
        has_missing=bool((codes < 0).any()),
    )
