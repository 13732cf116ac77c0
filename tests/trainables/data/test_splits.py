"""Splits: stratified, disjoint, the same wherever they are made."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from trainables import datasets
from trainables.data.splits import split_block, split_blocks, split_places

DIGITS = datasets.load("digits")


def test_parts_are_disjoint_and_hold_every_row() -> None:
    split = split_block(DIGITS.targets, seed=0, block=3)
    rows = np.concatenate([split.train, split.validation, split.test])
    assert sorted(rows) == list(range(len(DIGITS.targets)))
    shares = [len(part) / len(rows) for part in (split.train, split.validation, split.test)]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.001)
    assert all((np.diff(part) > 0).all() for part in (split.train, split.validation, split.test))


def test_each_part_has_the_classes_in_their_shares() -> None:
    split = split_block(DIGITS.targets, seed=0, block=0)
    overall = np.bincount(DIGITS.targets) / len(DIGITS.targets)
    for part in (split.train, split.validation, split.test):
        shares = np.bincount(DIGITS.targets[part], minlength=10) / len(part)
        assert shares == pytest.approx(overall, abs=1.5 / len(part))


def test_a_block_is_the_same_every_time_and_unlike_the_others() -> None:
    again = [split_block(DIGITS.targets, seed=5, block=2).test for _ in range(2)]
    assert (again[0] == again[1]).all()
    others = [split_block(DIGITS.targets, seed=5, block=3), split_block(DIGITS.targets, seed=6, block=2)]
    assert all(set(other.test) != set(again[0]) for other in others)


def test_a_smaller_training_part_is_a_part_of_the_whole_one() -> None:
    whole = split_block(DIGITS.targets, seed=0, block=1)
    half = split_block(DIGITS.targets, seed=0, block=1, train_size=0.5)
    assert set(half.train) < set(whole.train)
    assert len(half.train) == pytest.approx(len(whole.train) / 2, abs=1)
    assert (half.test == whole.test).all()
    assert (half.validation == whole.validation).all()


def test_an_official_test_set_stays_the_test_set() -> None:
    official = np.arange(300)[::-1].copy()
    split = split_block(DIGITS.targets, seed=0, block=1, official_test=official)
    assert (split.test == np.arange(300)).all()
    assert not set(split.train) & set(range(300))
    assert len(split.train) == pytest.approx(3 * len(split.validation), abs=3)


def test_a_class_that_is_too_rare_is_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        split_block(DIGITS.targets, seed=0, block=0, train_size=0.001)


def test_all_blocks_and_sizes_at_once() -> None:
    splits = split_blocks(DIGITS, seed=0, blocks=iter([0, 1]), sizes=iter([None, 0.5]))
    assert set(splits) == {(None, 0), (None, 1), (0.5, 0), (0.5, 1)}
    alone = split_block(DIGITS.targets, seed=0, block=1, train_size=0.5)
    assert (splits[0.5, 1].train == alone.train).all()


@given(
    counts=st.lists(st.integers(12, 60), min_size=2, max_size=5),
    seed=st.integers(0, 2**63 - 1),
    block=st.integers(0, 1000),
    has_official=st.booleans(),
    train_size=st.sampled_from([None, 0.5, 1.0]),
)
def test_any_targets_are_split_apart_by_class(
    counts: list[int], seed: int, block: int, has_official: bool, train_size: float | None
) -> None:
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    official = np.arange(0, len(targets), 9) if has_official and len(targets) > 60 else None
    split = split_block(targets, seed=seed, block=block, official_test=official, train_size=train_size)
    rows = np.concatenate([split.train, split.validation, split.test])
    assert len(set(rows)) == len(rows), "parts overlap"
    assert set(rows) <= set(range(len(targets)))
    again = split_block(targets, seed=seed, block=block, official_test=official, train_size=train_size)
    assert all(
        (getattr(split, part) == getattr(again, part)).all() for part in ("train", "validation", "test")
    )
    if official is not None:
        assert (split.test == official).all()
    rest = np.concatenate([split.train, split.validation])
    shares = np.bincount(targets[rest], minlength=len(counts)) / len(rest)
    for part in (split.train, split.validation):
        found = np.bincount(targets[part], minlength=len(counts))
        # The shares of a whole training part; a cut one is stratified in its turn, which rounds once more.
        assert np.abs(found - shares * len(part)).max() < 2 if train_size is None else found.min() > 0


@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([0.05, 0.2, 0.25, 0.7]))
def test_places_are_those_of_scikit_learn(seed: int, num_classes: int, share: float) -> None:
    random = np.random.default_rng(seed)
    num = int(random.integers(2, 120))
    for classes in (None, random.integers(0, num_classes, num)):
        try:
            expected = train_test_split(np.arange(num), test_size=share, stratify=classes, random_state=seed)
        except ValueError as refusal:
            with pytest.raises(ValueError, match=re.escape(str(refusal))):
                split_places(num, share, classes=classes, random_state=seed)
        else:
            found = split_places(num, share, classes=classes, random_state=seed)
            assert all((mine == theirs).all() for mine, theirs in zip(found, expected, strict=True))
