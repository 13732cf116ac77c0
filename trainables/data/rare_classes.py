"""Removes a dataset's rare classes: their rows are dropped, or merged into one class called other."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainables.data.class_presence import splittable_counts
from trainables.data.dataset import Dataset

OTHER = "other"
"""Name of the merged class; an existing class of this name takes the others in."""


def without_rare_classes(dataset: Dataset, min_count: int, *, merge: bool = False) -> Dataset:
    """Return `dataset` without the classes that have fewer than `min_count` rows, with a note about them.

    Rows of an official test set are not counted. With `merge` these classes become one, the last; otherwise their rows
    are dropped, in an official test set too. Raises ValueError if fewer than two classes would be left.
    """
    counts = splittable_counts(dataset)
    rare = np.flatnonzero(counts < min_count)
    if not len(rare):
        return replace(
            dataset,
            notes=(*dataset.notes, f"min_class_count {min_count}: no class has fewer rows, all are kept"),
        )
    made = _merged(dataset, rare) if merge else _dropped(dataset, rare)
    if made.num_classes < 2:
        raise ValueError(
            f"min_class_count {min_count} leaves {made.num_classes or 'no'} class of {dataset.num_classes}, and at "
            f"least 2 are needed; rows by class: {_listed(dataset, np.arange(len(counts)))}"
        )
    return replace(made, notes=(*dataset.notes, _note(dataset, made, rare, min_count, merge=merge)))


def _dropped(dataset: Dataset, rare: NDArray[np.int64]) -> Dataset:
    is_kept = ~np.isin(dataset.targets, rare)
    rows = np.flatnonzero(is_kept)
    kept = np.setdiff1d(np.arange(dataset.num_classes), rare)
    if not len(kept):
        return replace(dataset, classes=(), targets=dataset.targets.astype(np.float64))
    return replace(
        dataset,
        inputs=dataset.inputs[rows],
        targets=np.searchsorted(kept, dataset.targets[rows]).astype(np.int64),
        classes=tuple(dataset.classes[index] for index in kept),
        official_test=_among(rows, dataset.official_test),
        texts=None if dataset.texts is None else dataset.texts.take(rows),
        raw_texts=tuple(dataset.raw_texts[row] for row in rows) if dataset.raw_texts else (),
    )


def _among(rows: NDArray[np.int64], official_test: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Return the positions of the official test set's rows among the kept rows."""
    if official_test is None:
        return None
    return np.searchsorted(rows, official_test[np.isin(official_test, rows)]).astype(np.int64)


def _merged(dataset: Dataset, rare: NDArray[np.int64]) -> Dataset:
    kept = [index for index in range(dataset.num_classes) if index not in set(rare.tolist())]
    classes = [dataset.classes[index] for index in kept]
    classes += [] if OTHER in classes else [OTHER]
    place = np.full(dataset.num_classes, classes.index(OTHER))
    place[kept] = np.arange(len(kept))
    return replace(dataset, targets=place[dataset.targets].astype(np.int64), classes=tuple(classes))


def _note(dataset: Dataset, made: Dataset, rare: NDArray[np.int64], min_count: int, *, merge: bool) -> str:
    several = f"{len(rare)} classes" if len(rare) > 1 else "class"
    fewer = f"fewer than min_class_count {min_count}"
    if not merge:
        before = len(dataset.targets)
        return (
            f"{several} with {fewer} rows left out: {_listed(dataset, rare)}; "
            f"{before - len(made.targets):,} of {before:,} rows are left out, {made.num_classes} classes stay"
        )
    joined = int((made.targets == made.classes.index(OTHER)).sum())
    return (
        f"{several} with {fewer} rows made one class, {OTHER}, of {joined:,} rows: {_listed(dataset, rare)}"
    )


def _listed(dataset: Dataset, indices: NDArray[np.int64], most: int = 20) -> str:
    counts = splittable_counts(dataset)
    told = [
        f"{dataset.classes[index]} ({counts[index]:,} {'row' if counts[index] == 1 else 'rows'})"
        for index in indices[:most]
    ]
    return ", ".join(told) + (f" and {len(indices) - most:,} more" if len(indices) > most else "")
