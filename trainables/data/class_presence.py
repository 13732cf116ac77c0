"""Which classes are missing from a part of a block, and how many rows a class needs to be in every part."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainables.data.dataset import Dataset
from trainables.data.splits import TEST_SHARE, VALIDATION_SHARE, Splits

PARTS = ("train", "validation", "test")
"""The parts of a split, named as its attributes."""

Counts = NDArray[np.int64]
"""Number of rows of each class."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A class that some parts of blocks lack.

    `rows` counts its rows without those of an official test set. `lacking` counts the blocks that lack it, by the
    fraction of the training part (None: all of it) and the part.
    """

    index: int
    rows: int
    lacking: Mapping[tuple[float | None, str], int]


def missing_classes(dataset: Dataset, splits: Splits) -> list[Missing]:
    """Return the classes that some part of a block lacks; an official test set, which is fixed, is not checked."""
    counts = splittable_counts(dataset)
    lacking: dict[int, dict[tuple[float | None, str], int]] = {}
    parts = PARTS[: 3 if dataset.official_test is None else 2]
    for (size, _), split in splits.items():
        for part in parts:
            found = np.bincount(dataset.targets[getattr(split, part)], minlength=dataset.num_classes)
            for index in np.flatnonzero(found == 0).tolist():
                by_part = lacking.setdefault(index, {})
                by_part[size, part] = by_part.get((size, part), 0) + 1
    return [
        Missing(index=index, rows=int(counts[index]), lacking=by_part)
        for index, by_part in sorted(lacking.items())
    ]


def classes_without_place(dataset: Dataset, sizes: Sequence[float | None]) -> list[Missing]:
    """Return the classes with so few rows that some part of some block may lack them."""
    counts, has_test = splittable_counts(dataset), dataset.official_test is not None
    places = {
        count: _is_everywhere(counts, index, sizes, has_test)
        for count, index in zip(*np.unique(counts, return_index=True), strict=True)
    }
    return [
        Missing(index=index, rows=int(count), lacking={})
        for index, count in enumerate(counts)
        if not places[count]
    ]


def splittable_counts(dataset: Dataset) -> Counts:
    """Return the number of rows of each class, without those of an official test set."""
    targets = dataset.targets
    if dataset.official_test is not None:
        targets = np.delete(targets, dataset.official_test)
    return np.bincount(targets, minlength=dataset.num_classes)


def rows_needed(dataset: Dataset, index: int, sizes: Sequence[float | None]) -> int:
    """Return how many rows a class needs to be in every part of any block, if the other classes stay as they are."""
    counts, has_test = splittable_counts(dataset), dataset.official_test is not None

    def suffices(rows: int) -> bool:
        counts[index] = rows
        return _is_everywhere(counts, index, sizes, has_test)

    few = int(counts[index])
    enough = few + 1
    while not suffices(enough):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if suffices(middle) else (middle, enough)
    return enough


def _is_everywhere(counts: Counts, index: int, sizes: Sequence[float | None], has_test: bool) -> bool:
    if counts[index] < (2 if has_test else 3):
        return False
    return all(least > 0 for size in sizes for least in _rows_by_part(counts, index, size, has_test))


def _rows_by_part(counts: Counts, index: int, size: float | None, has_test: bool) -> Iterator[int]:
    """Yield the number of rows of a class in each part of a block, for every way in which ties may be broken."""
    for rest, test in [(counts, None)] if has_test else _halves(counts, TEST_SHARE, index):
        if test is not None:
            yield int(test[index])
        for train, validation in _halves(rest, VALIDATION_SHARE, index):
            yield int(validation[index])
            cut = size is not None and size < 1
            for used, _ in _halves(train, 1 - size, index) if cut and size is not None else [(train, train)]:
                yield int(used[index])


def _halves(counts: Counts, share: float, index: int) -> Iterator[tuple[Counts, Counts]]:
    """Yield the rows of each class in both halves, rounded as in scikit-learn's stratified split.

    Each class gets the integer part of its share of the first half; the remaining rows go to the classes with the
    largest fractions. Ties are broken at random there; here both with and against the class `index`.
    """
    total = int(counts.sum())
    draws = total - math.ceil(share * total)
    if counts[index] < 2 or draws <= 0:  # scikit-learn does not split a class of one row
        nothing = counts.copy()
        nothing[index] = 0
        yield nothing, nothing
        return
    exact = counts / total * draws
    whole = np.floor(exact)
    left, fraction = int(draws - whole.sum()), exact - whole
    for preference in (-1, 1):
        order = np.arange(len(counts)) * 2
        order[index] += preference * 2 * len(counts)
        chosen = np.lexsort((order, -fraction))[:left]
        first = whole.astype(np.int64)
        first[chosen] += 1
        yield first, counts - first
