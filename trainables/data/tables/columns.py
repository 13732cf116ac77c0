"""The features of a table's columns: numbers, categories, or words of free texts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainables.data.column_encoding import ColumnEncoding
from trainables.data.column_facts import Findings, quoted
from trainables.data.tables.cells import TextCells
from trainables.data.tables.encoding import MAX_NUMBER, word_hits, word_sets
from trainables.data.tables.spellings import alike
from trainables.data.text_counts import MIN_DOCUMENTS

MAX_CATEGORIES = 1000
"""A column with more distinct texts holds free text or names, from which a network only memorises its rows."""

MAX_WORDS = 1000
"""At most this many words of a column of free texts become features, the most frequent ones."""

FAR_FROM_ZERO = 1000.0
"""Numbers further from zero than this many times their range, such as times in seconds, lose digits in float32."""

SQUEEZED_SHARE = 0.01
"""An extreme value is an outlier if the middle 98 % of the values fill less than this share of the range."""

MIN_VALUES = 10
"""With fewer values there are no outliers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """One column's features: `values` are numbers, NaN where missing, or None for texts.

    For texts, feature `places[i]` is 1 in row `rows[i]`, one feature for each category or word in `names`. `offset` was
    subtracted from the numbers, which were read as `reading` says (`trainables.data.tables.encoding`).
    """

    name: str
    missing: NDArray[np.bool_]
    values: NDArray[np.float64] | None = None
    names: tuple[str, ...] = ()
    rows: NDArray[np.int64] | None = None
    places: NDArray[np.int64] | None = None
    are_words: bool = False
    offset: float = 0.0
    reading: str | None = None
    is_missing_text: bool = True

    @property
    def encoding(self) -> ColumnEncoding:
        """How the same column of other rows becomes the same features."""
        return ColumnEncoding(
            name=self.name,
            kind="number" if self.is_number else "text" if self.are_words else "category",
            has_missing=self.has_missing,
            names=self.names,
            offset=self.offset,
            reading=self.reading,
            is_missing_text=self.is_missing_text,
        )

    @property
    def is_number(self) -> bool:
        """Whether the column holds numbers."""
        return self.values is not None

    @property
    def has_missing(self) -> bool:
        """Whether values are missing."""
        return bool(self.missing.any())

    @property
    def num_features(self) -> int:
        """One for numbers, or one per category or word, plus one if values are missing."""
        return (1 if self.is_number else len(self.names)) + self.has_missing

    def write(self, features: NDArray[np.float32]) -> None:
        """Write the features into zeros of shape (rows, num_features); a missing number is NaN."""
        if self.values is not None:
            features[:, 0] = self.values
        else:
            features[self.rows, self.places] = 1
        if self.has_missing:
            features[:, -1] = self.missing


def numbers(name: str, values: NDArray[np.float64], findings: Findings) -> Column:
    missing = np.isnan(values)
    large = np.abs(values) > MAX_NUMBER
    findings.mistakes += [
        f"row {row + 1}, column {name}: {values[row]} is too large" for row in np.flatnonzero(large)
    ]
    usable, offset = values[~missing & ~large], 0.0
    if len(usable):
        low, high = usable.min(), usable.max()
        _tell_outlier(name, values, usable, findings)
        if max(abs(low), abs(high)) > FAR_FROM_ZERO * (high - low):
            # Scaling subtracts the mean anyway.
            offset = float(low)
            values = values - offset
    return Column(name=name, values=values, missing=missing, offset=offset)


def _tell_outlier(
    name: str, values: NDArray[np.float64], usable: NDArray[np.float64], findings: Findings
) -> None:
    """Add a note about a value so extreme that scaling makes nearly all others equal."""
    if len(usable) < MIN_VALUES:
        return
    num_out = max(1, len(usable) // 100)
    sides = [0, num_out, len(usable) - 1 - num_out, len(usable) - 1]
    least, low, high, most = np.partition(usable, sides)[sides]
    if not 0 < high - low < SQUEEZED_SHARE * (most - least):
        return
    outlier = most if most - high > low - least else least
    row = int(np.flatnonzero(values == outlier)[0]) + 1
    findings.tell(
        f"row {row} has {outlier:g}, so far out that the middle 98 % of the values ({low:g} to {high:g}) fill less "
        f"than {SQUEEZED_SHARE:.0%} of the range after scaling; correct or leave out the row if it is a mistake",
        name,
    )


def categories(cells: TextCells, findings: Findings) -> Column:
    if len(cells.texts) > MAX_CATEGORIES:
        findings.mistakes.append(
            f"column {cells.name} has {len(cells.texts):,} different texts, and at most {MAX_CATEGORIES:,} can be "
            f"categories: bring them into groups, or --set columns.{cells.name}=text or =ignore"
        )
    same = alike(cells.texts)
    if same:
        told = "; ".join(quoted(group) for group in same[:3])
        findings.tell(
            f"texts that differ by a space, case or number form are categories of their own ({told})",
            cells.name,
        )
    rows = np.flatnonzero(~cells.missing)
    return Column(
        name=cells.name,
        missing=cells.missing,
        names=cells.texts,
        rows=rows,
        places=cells.codes[rows],
        is_missing_text=cells.is_missing_text,
    )


def words(cells: TextCells, findings: Findings) -> Column:
    """Return a column of free texts with a feature for each word that occurs in enough rows."""
    found = word_sets(cells.texts)
    frequency: dict[str, int] = {}
    for words, count in zip(found, cells.counts, strict=True):
        for word in words:
            frequency[word] = frequency.get(word, 0) + int(count)
    often = [word for word, count in frequency.items() if count >= MIN_DOCUMENTS]
    names = sorted(sorted(often, key=lambda word: (-frequency[word], word))[:MAX_WORDS])
    if cells.texts and not names:
        findings.mistakes.append(
            f"column {cells.name} has no word that {MIN_DOCUMENTS} rows have, and columns.{cells.name} is text"
        )
    if len(often) > len(names):
        findings.tell(
            f"the {MAX_WORDS:,} words that most rows have are features, of {len(often):,}", cells.name
        )
    rows, places = word_hits(cells, found, names)
    return Column(
        name=cells.name,
        missing=cells.missing,
        names=tuple(names),
        rows=rows,
        places=places,
        are_words=True,
        is_missing_text=cells.is_missing_text,
    )
