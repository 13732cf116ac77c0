"""The split of a block: stratified and deterministic, 60 % training, 20 % validation, 20 % test."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.base.seeds import derive_seed, seed_for_libraries
from trainables.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows of one block's parts, disjoint and each in ascending order."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


TEST_SHARE = 0.2
"""The test part's share of all rows."""

VALIDATION_SHARE = 0.25
"""The validation part's share of the rows outside the test part."""

Splits = Mapping[tuple[float | None, int], Split]
"""The split for each fraction of the training part (None: all of it) and block."""


def split_block(
    targets: NDArray[Any],
    *,
    seed: int,
    block: int,
    train_size: float | None = None,
    official_test: NDArray[np.int64] | None = None,
) -> Split:
    """Split the rows of `targets` for `block`, the same way in every cell and in both phases.

    With `official_test` those rows are the test part and the others are split 3:1. `train_size` keeps that
    fraction of the training part. Targets that are real numbers are not stratified. A class with few rows may be
    missing from a part (`class_presence`). Raises ValueError if there are too few rows to split.
    """
    random_state = seed_for_libraries(derive_seed(seed, "split", block))
    rows = np.arange(len(targets))
    if official_test is None:
        rest, test = _halve(rows, targets, TEST_SHARE, random_state)
    else:
        rest, test = np.setdiff1d(rows, official_test), np.sort(official_test)
    train, validation = _halve(rest, targets, VALIDATION_SHARE, random_state)
    if train_size is not None and train_size < 1:
        train, _ = _halve(train, targets, 1 - train_size, random_state)
    return Split(train=train, validation=validation, test=test)


def split_blocks(
    dataset: Dataset, *, seed: int, blocks: Iterable[int], sizes: Iterable[float | None] = (None,)
) -> Splits:
    """Split `dataset` for every block and every fraction of the training part in `sizes`; raises as `split_block`."""
    blocks = tuple(blocks)
    return {
        (size, block): split_block(
            dataset.targets,
            seed=seed,
            block=block,
            train_size=size,
            official_test=dataset.official_test,
        )
        for size in sizes
        for block in blocks
    }


def _halve(
    rows: NDArray[np.int64], targets: NDArray[Any], share: float, random_state: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Imported here: workers get finished splits and need not import scikit-learn, which takes a second.
    from sklearn.model_selection import train_test_split

    # Real numbers have no classes to stratify by.
    stratify = targets[rows] if targets.dtype.kind in "iu" else None
    first, second = train_test_split(rows, test_size=share, stratify=stratify, random_state=random_state)
    return np.sort(first), np.sort(second)
