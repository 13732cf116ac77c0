"""A column's cells as texts: the distinct texts, which cells have each, and which are missing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trainables.data.tables.spellings import is_missing


@dataclass(frozen=True, kw_only=True, eq=False)
class TextCells:
    """A column's cells: `codes` are indices into `texts`, -1 if a cell is `missing`."""

    name: str
    missing: NDArray[np.bool_]
    codes: NDArray[np.int64]
    texts: tuple[str, ...]
    absent: tuple[str, ...] = ()
    """The texts that were taken for missing values."""
    is_missing_text: bool = True
    """Whether texts such as NA count as missing; else only empty ones do."""

    @classmethod
    def of(cls, name: str, cells: pd.Series, *, is_missing_text: bool) -> "TextCells":
        """Read cells as texts; with `is_missing_text` texts such as NA count as missing, else only empty ones."""
        codes, found = pd.factorize(cells.astype("str"), sort=True)
        texts = [str(text) for text in found]
        absent = [is_missing(text) if is_missing_text else not text.strip() for text in texts]
        places = np.array([-1, *(np.cumsum(~np.array(absent, bool)) - 1)], np.int64)
        places[1:][np.array(absent, bool)] = -1
        codes = places[codes + 1]
        kept = tuple(text for text, gone in zip(texts, absent, strict=True) if not gone)
        gone_texts = tuple(text for text, gone in zip(texts, absent, strict=True) if gone and text.strip())
        return cls(
            name=name,
            missing=codes < 0,
            codes=codes,
            texts=kept,
            absent=gone_texts,
            is_missing_text=is_missing_text,
        )

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many cells have each text."""
        return np.bincount(self.codes[~self.missing], minlength=len(self.texts))

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each cell's value, given that of each text; NaN where a cell is missing."""
        return np.append(values, np.nan)[self.codes]

    @property
    def num_present(self) -> int:
        """How many cells are not missing."""
        return int((~self.missing).sum())
