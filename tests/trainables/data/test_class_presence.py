"""Every class is in every part of every block, or it is named with the rows that it needs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.data.class_presence import PARTS, classes_without_place, missing_classes, rows_needed
from trainables.data.dataset import Dataset
from trainables.data.splits import split_blocks

BLOCKS = range(4)


def dataset(counts: list[int], official: int = 0) -> Dataset:
    """Return classes with so many rows, mixed; of each class the first `official` rows are a test set."""
    targets = np.random.default_rng(len(counts)).permutation(np.repeat(np.arange(len(counts)), counts))
    test = [row for index in range(len(counts)) for row in np.flatnonzero(targets == index)[:official]]
    return Dataset(
        name="made up",
        about="",
        licence="",
        inputs=np.zeros((len(targets), 1), np.float32),
        targets=targets,
        classes=tuple(f"c{index}" for index in range(len(counts))),
        official_test=np.array(test) if official else None,
    )


def refused(data: Dataset, seed: int, size: float | None) -> bool:
    """Return whether a class is missing, and hold the splits against a plain count."""
    try:
        splits = split_blocks(data, seed=seed, blocks=BLOCKS, sizes=[size])
    except ValueError:
        assert classes_without_place(data, [size]), "no class is too rare, and there is no split"
        return True
    found = {each.index for each in missing_classes(data, splits)}
    parts = PARTS[: 3 if data.official_test is None else 2]
    plain = {
        index
        for index in range(data.num_classes)
        if any(index not in data.targets[getattr(s, part)] for s in splits.values() for part in parts)
    }
    assert found == plain
    return bool(found)


@settings(max_examples=40)
@given(
    counts=st.lists(st.one_of(st.integers(1, 9), st.integers(1, 60)), min_size=2, max_size=5),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([None, 1.0, 0.5, 0.1]),
    official=st.sampled_from([0, 0, 1]),
)
def test_a_class_is_everywhere_or_named(
    counts: list[int], seed: int, size: float | None, official: int
) -> None:
    data = dataset([count + official for count in counts], official)
    if refused(data, seed, size):
        assert classes_without_place(data, [size]), "counts promised what the splits do not hold"


@settings(max_examples=30)
@given(
    rare=st.integers(1, 6),
    common=st.integers(30, 200),
    seed=st.integers(0, 2**32),
    size=st.sampled_from([None, 0.5, 0.2]),
)
def test_with_the_rows_it_needs_a_class_is_everywhere(
    rare: int, common: int, seed: int, size: float | None
) -> None:
    needed = rows_needed(dataset([common, common, rare]), 2, [size])
    assert needed > rare
    assert not refused(dataset([common, common, needed]), seed, size)


@pytest.mark.parametrize(
    ("rows", "parts"), [(2, {"validation", "test"}), (3, {"test"}), (4, set()), (5, set())]
)
def test_a_few_rows_among_120(rows: int, parts: set[str]) -> None:
    targets = np.where(np.arange(120) < rows, 2, np.arange(120) % 2)
    data = dataset(np.bincount(targets).tolist())
    found = missing_classes(data, split_blocks(data, seed=0, blocks=range(20)))
    assert {part for each in found for _, part in each.lacking} == parts
    assert {num for each in found for num in each.lacking.values()} <= {20}
    assert [(each.index, each.rows) for each in found] == ([(2, rows)] if parts else [])


def test_the_smallest_size_decides() -> None:
    data = dataset([58, 58, 4])
    assert not missing_classes(data, split_blocks(data, seed=0, blocks=BLOCKS))
    (found,) = missing_classes(data, split_blocks(data, seed=0, blocks=BLOCKS, sizes=[1.0, 0.1]))
    assert found.lacking == {(0.1, "train"): len(BLOCKS)}
    assert rows_needed(data, 2, [1.0, 0.1]) > rows_needed(data, 2, [0.5])


def test_a_thousand_classes_are_looked_through_at_once() -> None:
    found = classes_without_place(dataset([1, 2, 3, 4, 40] * 200), [None])
    assert {each.rows for each in found} == {1, 2, 3}
