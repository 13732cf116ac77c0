"""Kernels are compiled once and kept, or compiled anew where nothing can be kept, or torch does without them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainables.kernels import cache, compiling

needs_numba = pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled")

WITHOUT_NUMBA = """
import sys

sys.modules["numba"] = sys.modules["llvmlite"] = None  # importing it fails

import torch
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.kernels import cache, compiling, epoch, functions
from trainables.training.kernel_cache import make_ready
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.training.training_step import TrainingStep

assert not compiling.HAS_NUMBA and not compiling.are_on()
make_ready()
rows = torch.arange(20).view(1, -1)
data = StackData(
    inputs=torch.randn(20, 3),
    targets=torch.arange(20) % 2,
    train=rows,
    validation=rows,
    test=rows,
    num_classes=2,
)
stack = Stack.make("mlp", Hyperparameters(depth=2, width=4), data, seeds=[0])
assert type(stack.step) is TrainingStep
((record,),) = train(stack, epochs=1)
print(record.val_loss)
"""


def doubled(values: Any) -> Any:
    """A function to compile."""
    for i in range(values.size):
        values[i] *= 2
    return values.sum()


def tripled(values: Any) -> Any:
    """Another one."""
    for i in range(values.size):
        values[i] *= 3
    return values.sum()


def test_where_it_is_switched_off_none_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.OFF, raising=False)
    assert compiling.are_on() == compiling.HAS_NUMBA
    monkeypatch.setenv(cache.OFF, "1")
    assert not compiling.are_on()
    monkeypatch.delenv(cache.OFF)
    monkeypatch.setattr(compiling, "HAS_NUMBA", False)
    assert not compiling.are_on()


def test_where_numba_is_missing_everything_is_imported_and_torch_trains() -> None:
    ended = subprocess.run([sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) > 0


def test_without_numba_a_function_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "numba", None)
    for wrap in (compiling.kernel, compiling.inner_kernel, compiling.contracted_kernel):
        assert wrap(doubled) is doubled


@needs_numba
@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not-kept"])
def test_a_kernel_computes_whether_or_not_it_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, keeps: bool
) -> None:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path if keeps else None)
    compiled: Any = compiling.kernel(doubled)
    values = np.arange(5.0)
    assert compiled(values) == 20
    np.testing.assert_array_equal(values, [0, 2, 4, 6, 8])
    assert bool(list(tmp_path.rglob("*.nbi"))) == keeps
    again: Any = compiling.kernel(doubled)
    assert again(values) == 40
    assert sum(again.stats.cache_hits.values()) == int(keeps)


@needs_numba
def test_numbas_own_cache_is_left_where_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import numba

    config: Any = numba.config
    own, ours = tmp_path / "own", tmp_path / "ours"
    monkeypatch.setattr(config, "CACHE_DIR", str(own))
    monkeypatch.setattr(cache, "folder", lambda: ours)
    compiling.kernel(tripled)(np.ones(3))
    assert str(own) == config.CACHE_DIR
    assert not own.exists()
    assert list(ours.rglob("*.nbi"))
    numba.njit(cache=True)(tripled)(np.ones(3))
    assert list(own.rglob("*.nbi"))


@needs_numba
def test_numbas_own_cache_is_left_where_it_was_after_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import numba

    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    config: Any = numba.config
    before = config.CACHE_DIR
    with pytest.raises(TypeError):
        compiling.kernel("no function")  # type: ignore[type-var]
    assert before == config.CACHE_DIR


@needs_numba
def test_nan_and_infinity_are_numbers_to_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: None)

    @compiling.kernel
    def quotient(one: float, other: float) -> float:
        return one / other

    assert quotient(1.0, 0.0) == np.inf
    assert np.isnan(quotient(0.0, 0.0))
    assert np.isnan(quotient(np.nan, 1.0))


@needs_numba
def test_kernels_run_beside_python_and_keep_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: None)
    for wrap in (compiling.kernel, compiling.inner_kernel, compiling.contracted_kernel):
        compiled: Any = wrap(doubled)
        options = compiled.targetoptions
        assert options["nogil"]
        # Otherwise a caller loaded from the cache has another version than the process that compiled it.
        assert wrap is compiling.kernel or options["forceinline"]
        assert not {"nnan", "ninf", "afn", "arcp", "fast"} & set(options["fastmath"])


TRAINING = """
import hashlib
from dataclasses import replace

import torch
from tests.trainables.conftest import load_digits
from trainables.base.hyperparameters import Hyperparameters
from trainables.kernels import epoch
from trainables.training.loop import train
from trainables.training.stack import Stack

torch.set_num_threads(1)
digits = load_digits()
data = replace(digits, train=digits.train[:, :200], validation=digits.validation[:, :60])
numbers = hashlib.sha256()
for optimizer in ("sgd", "adam", "rmsprop"):
    for changes in ({"activation": "tanh", "label_smoothing": 0.1}, {"batch_norm": True, "dropout": 0.3}):
        hp = Hyperparameters(depth=3, width=37, optimizer=optimizer, residual="zero", **changes)
        stack = Stack.make("mlp", hp, data, seeds=(1, 2, 3))
        numbers.update(repr(list(train(stack, epochs=2, layers_at=(0, 2)))).encode())
        numbers.update(stack.model.parameters.values.numpy().tobytes())
print(sum(epoch.train_steps.stats.cache_hits.values()), numbers.hexdigest())
"""


@needs_numba
@pytest.mark.slow
def test_kept_kernels_give_the_numbers_of_the_process_that_compiled_them(tmp_path: Path) -> None:
    """A trial may begin in one and go on in the other."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    environment.pop(cache.OFF, None)
    (compiled, numbers), (loaded, again) = (
        subprocess.run(
            [sys.executable, "-c", TRAINING], capture_output=True, text=True, env=environment, check=True
        ).stdout.split()
        for _ in range(2)
    )
    assert (compiled, loaded) == ("0", "1")
    assert again == numbers
