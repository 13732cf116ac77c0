"""What is made ready before the first trial is all that training in float32 needs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.trainables.corpus import corpus, texts
from tests.trainables.small import splits_of
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.scaling import Scaling
from trainables.data.stack_data import StackData
from trainables.kernels import cache, compiling, epoch
from trainables.training.kernel_cache import make_ready
from trainables.training.loop import train
from trainables.training.stack import Stack

needs_numba = pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled")
SEEDS = (11, 12, 13)


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have kernels, whatever the environment says."""
    monkeypatch.delenv(cache.OFF, raising=False)


def in_float32() -> dict[str, list[Any]]:
    """Return the signatures in float32 that each kernel called from Python has been compiled for."""
    kernels: dict[str, Any] = {"train_steps": epoch.train_steps, "evaluate": epoch.evaluate}
    return {
        name: [own for own in kernel.signatures if str(own[0].types[0].dtype) == "float32"]
        for name, kernel in kernels.items()
    }


@needs_numba
@pytest.mark.parametrize(
    "changes",
    [
        {"depth": 4, "width": (9, 9, 8, 1), "residual": "zero", "activation": "tanh", "dropout": 0.2},
        {"residual": "scaled", "batch_norm": True, "activation": "sigmoid", "clip_norm": 1.0},
        {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.0, "label_smoothing": 0.1},
        {"optimizer": "rmsprop", "schedule": "plateau", "patience": 1},
        {"optimizer": "adamw", "augmentation": "shift", "weight_decay": 0.0},
    ],
    ids=lambda changes: next(iter(changes.values())),
)
@pytest.mark.parametrize("is_scaled", [False, True], ids=["as-they-are", "scaled"])
def test_no_training_compiles_anything_more(
    digits: StackData, changes: dict[str, Any], is_scaled: bool
) -> None:
    make_ready()
    ready = in_float32()
    assert list(map(len, ready.values())) == [1, 1]
    data = replace(digits, train=digits.train[:, :129], validation=digits.validation[:, :30])
    if is_scaled:
        inputs, groups = data.inputs.numpy(), np.arange(64)
        fitted = Scaling.fit(inputs, groups, [rows.numpy() for rows in data.train], torch.device("cpu"))
        data = replace(data, scaling=fitted)
    for part in (None, range(1, 3)):
        stack = Stack.make("mlp", Hyperparameters(**changes), data, seeds=SEEDS, part=part)
        for _ in train(stack, epochs=2, layers_at=(0, 2)):
            pass
    assert in_float32() == ready


@needs_numba
def test_nor_does_a_training_on_texts() -> None:
    make_ready()
    ready = in_float32()
    written = corpus(*texts())
    data = StackData.make(written, splits_of(written, (0, 1, 2)), torch.device("cpu"))
    for _ in train(Stack.make("mlp", Hyperparameters(depth=1, width=4), data, seeds=SEEDS), epochs=1):
        pass
    assert in_float32() == ready


@needs_numba
def test_then_the_cache_counts_as_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    assert not cache.is_filled()
    make_ready()
    assert cache.is_filled()


def test_where_kernels_are_off_nothing_is_made_ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    monkeypatch.setenv(cache.OFF, "1")
    make_ready()
    assert not cache.is_filled()
    assert list(tmp_path.iterdir()) == []


@needs_numba
def test_random_numbers_are_left_as_they_were() -> None:
    before, numpys = torch.get_rng_state(), repr(np.random.get_state())
    make_ready()
    assert torch.equal(torch.get_rng_state(), before)
    assert repr(np.random.get_state()) == numpys
