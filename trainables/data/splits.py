"""The split of a block: stratified and deterministic, 60 % training, 20 % validation, 20 % test."""

import math
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
    # Real numbers have no classes to stratify by.
    classes = targets[rows] if targets.dtype.kind in "iu" else None
    first, second = split_places(len(rows), share, classes=classes, random_state=random_state)
    return np.sort(rows[first]), np.sort(rows[second])


def split_places(
    num: int, share: float, *, classes: NDArray[np.int64] | None, random_state: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split the places 0 to `num` - 1 at random; the second part has `share` of them, of each class if these are given.

    The places are those of scikit-learn's `train_test_split`, whose import takes longer than the start of Ray; where it
    would refuse to split, its ValueError is raised.
    """
    num_second = math.ceil(share * num)
    num_first = num - num_second
    random = np.random.RandomState(random_state)
    if classes is None:
        if num_first < 1 or num_second < 1:
            return _refused(num, share, classes)
        places = random.permutation(num)
        return places[num_second:], places[:num_second]
    _, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if not len(counts) or counts.min() < 2 or min(num_first, num_second) < len(counts):
        return _refused(num, share, classes)
    by_class = np.split(np.argsort(numbers, kind="stable"), np.cumsum(counts)[:-1])
    in_first = _drawn(counts, num_first, random)
    in_second = _drawn(counts - in_first, num_second, random)
    first, second = [], []
    for places, one, other in zip(by_class, in_first, in_second, strict=True):
        shuffled = places[random.permutation(len(places))]
        first.append(shuffled[:one])
        second.append(shuffled[one : one + other])
    return random.permutation(np.concatenate(first)), random.permutation(np.concatenate(second))


def _drawn(counts: NDArray[np.int64], num: int, random: np.random.RandomState) -> NDArray[np.int64]:
    """Return how many of each class are among `num` drawn without replacement: about the most likely numbers.

    What is left over by rounding down goes to the classes with the largest remainders, ties at random.
    """
    exact = counts / counts.sum() * num
    drawn = np.floor(exact)
    missing, left = int(num - drawn.sum()), exact - drawn
    for value in np.unique(left)[::-1]:
        if missing <= 0:
            break
        (tied,) = np.where(left == value)
        chosen = random.choice(tied, size=min(len(tied), missing), replace=False)
        drawn[chosen] += 1
        missing -= len(chosen)
    whole: NDArray[np.int64] = drawn.astype(np.int64)
    return whole


def _refused(
    num: int, share: float, classes: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from sklearn.model_selection import train_test_split

    train_test_split(np.arange(num), test_size=share, stratify=classes)
    raise AssertionError("scikit-learn splits what was refused here")
