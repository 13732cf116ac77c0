"""Digits in a stack, for every test of training."""

from dataclasses import replace

import pytest
import torch

from trainables import datasets
from trainables.data.splits import split_block
from trainables.data.stack_data import StackData
from trainables.kernels import cache

BLOCKS = (0, 1, 2)


def load_digits() -> StackData:
    """Return the digits with the splits of three blocks."""
    dataset = datasets.load("digits")
    splits = [split_block(dataset.targets, seed=0, block=block) for block in BLOCKS]
    return StackData.make(dataset, splits, torch.device("cpu"))


@pytest.fixture(scope="session")
def digits() -> StackData:
    """The digits with the splits of three blocks."""
    return load_digits()


@pytest.fixture
def by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train with torch's own operations, as where nothing can be compiled."""
    monkeypatch.setenv(cache.OFF, "1")


@pytest.fixture
def by_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in compiled kernels, even where they are switched off."""
    monkeypatch.delenv(cache.OFF, raising=False)


@pytest.fixture(params=["compiled", "by-torch"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in compiled kernels, then with torch's own operations."""
    if request.param == "by-torch":
        monkeypatch.setenv(cache.OFF, "1")


@pytest.fixture
def few_digits(digits: StackData) -> StackData:
    """A part of them, for networks that are slow to train."""
    return replace(digits, train=digits.train[:, :200], validation=digits.validation[:, :60])
