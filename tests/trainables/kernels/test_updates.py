"""Each optimizer's update is torch.optim's, step after step."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainables.kernels import called
from tests.trainables.kernels.drawn import SEEDS, Floats, normal
from trainables.kernels import compiling
from trainables.kernels.updates import ADAM, ADAMW, RMSPROP, SGD

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

STEPS = 5
KINDS = {"sgd": SGD, "adam": ADAM, "adamw": ADAMW, "rmsprop": RMSPROP}
BOUND = {"float32": 1e-4, "float64": 1e-12}
"""Of what five updates change: float32 also rounds a weight itself."""


class Kernel:
    """Updates of one flat array of numbers."""

    def __init__(self, kind: str, values: Floats, *, rate: float, **settings: float) -> None:
        self.kind, self.values, self.rate = KINDS[kind], values.copy(), rate
        self.firsts, self.seconds = np.zeros_like(values), np.zeros_like(values)
        self.settings = {"momentum": 0.0, "decay": 0.0, "eps": 0.0, "weight_decay": 0.0, **settings}
        self.step = 0

    def update(self, gradient: Floats, *, clip: float = 1.0, measured: bool = True) -> tuple[float, float]:
        self.step += 1
        settings = self.settings
        return called.update(
            self.kind,
            self.values,
            gradient,
            self.firsts,
            self.seconds,
            clip,
            self.rate,
            settings["momentum"],
            settings["decay"],
            settings["eps"],
            settings["weight_decay"],
            self.step,
            measured,
        )


def torchs(kind: str, parameter: torch.Tensor, *, rate: float, **settings: float) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": rate, "weight_decay": settings["weight_decay"]}
    match kind:
        case "sgd":
            return torch.optim.SGD([parameter], momentum=settings["momentum"], **options)
        case "rmsprop":
            return torch.optim.RMSprop([parameter], alpha=settings["decay"], eps=settings["eps"], **options)
    made = torch.optim.Adam if kind == "adam" else torch.optim.AdamW
    return made([parameter], betas=(settings["momentum"], settings["decay"]), eps=settings["eps"], **options)


def state_of(optimizer: torch.optim.Optimizer, parameter: torch.Tensor, kind: str) -> list[Any]:
    state = optimizer.state[parameter]
    names: dict[str, list[str]] = {"sgd": ["momentum_buffer"], "rmsprop": ["square_avg"]}
    return [state.get(name) for name in names.get(kind, ["exp_avg", "exp_avg_sq"])]


@pytest.mark.parametrize("kind", KINDS)
@given(
    size=st.integers(1, 40),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=SEEDS,
    rate=st.sampled_from([1e-3, 0.1, 1.0]),
    momentum=st.sampled_from([0.0, 0.5, 0.9]),
    decay=st.sampled_from([0.5, 0.9, 0.999]),
    eps=st.sampled_from([1e-8, 1e-3]),
    weight_decay=st.sampled_from([0.0, 0.01, 0.5]),
    clip=st.sampled_from([1.0, 0.25]),
)
def test_five_updates_are_torchs(
    kind: str, size: int, dtype: str, seed: int, rate: float, clip: float, **settings: float
) -> None:
    number = np.dtype(dtype)
    values = normal(seed, size, dtype=number)
    gradients = normal(seed + 1, STEPS, size, dtype=number)
    kernel = Kernel(kind, values, rate=rate, **settings)
    parameter = torch.from_numpy(values.astype(float))
    optimizer = torchs(kind, parameter, rate=rate, **settings)
    for gradient in gradients:
        before = parameter.clone()
        parameter.grad = torch.from_numpy(gradient.astype(float)) * clip
        optimizer.step()
        squares, changes = kernel.update(gradient, clip=clip)
        bound, size_now = BOUND[dtype], 1 + float(parameter.abs().max())
        np.testing.assert_allclose(kernel.values, parameter, rtol=bound, atol=bound * size_now)
        assert squares == pytest.approx(float(parameter.square().sum()), rel=bound, abs=bound * size_now)
        norm = float((parameter - before).square().sum().sqrt())
        assert math.sqrt(changes) == pytest.approx(norm, rel=bound, abs=bound * size_now)
    found = [kernel.seconds] if kind == "rmsprop" else [kernel.firsts, kernel.seconds]
    for own, expected in zip(found, state_of(optimizer, parameter, kind), strict=False):
        if expected is None:  # SGD without momentum has none
            np.testing.assert_array_equal(own, 0)
        else:
            np.testing.assert_allclose(own, expected, rtol=bound, atol=bound * size_now)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_not_measured_is_updated_to_the_same_bits(kind: str, dtype: str) -> None:
    values, *gradients = normal(0, 4, 37, dtype=np.dtype(dtype))
    settings = {"momentum": 0.9, "decay": 0.99, "eps": 1e-8, "weight_decay": 0.01}
    one, other = (Kernel(kind, values, rate=0.1, **settings) for _ in range(2))
    for gradient in gradients:
        one.update(gradient)
        assert other.update(gradient, measured=False) == (0, 0)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.firsts, other.firsts)
    np.testing.assert_array_equal(one.seconds, other.seconds)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_stays_where_it_came_in(kind: str, dtype: str) -> None:
    values, gradient = normal(0, 2, 19, dtype=np.dtype(dtype))
    gradient[7] = math.nan
    kernel = Kernel(kind, values, rate=0.1, momentum=0.9, decay=0.99, eps=1e-8)
    squares, changes = kernel.update(gradient)
    assert math.isnan(squares)
    assert math.isnan(changes)
    kernel.update(np.ones_like(gradient))
    np.testing.assert_array_equal(np.isnan(kernel.values), np.arange(19) == 7)


@pytest.mark.parametrize("kind", KINDS)
def test_with_a_rate_of_0_nothing_moves(kind: str) -> None:
    values, gradient = normal(0, 2, 19, dtype=np.dtype(np.float32))
    kernel = Kernel(kind, values, rate=0.0, momentum=0.9, decay=0.99, eps=1e-8, weight_decay=0.1)
    assert kernel.update(gradient)[1] == 0
    np.testing.assert_array_equal(kernel.values, values)


@pytest.mark.parametrize("kind", ["adam", "adamw", "rmsprop"])
def test_gradients_of_0_move_nothing_without_a_penalty(kind: str) -> None:
    values = normal(0, 19, dtype=np.dtype(np.float32))
    kernel = Kernel(kind, values, rate=0.1, momentum=0.9, decay=0.999, eps=1e-8)
    assert kernel.update(np.zeros_like(values))[1] == 0
    np.testing.assert_array_equal(kernel.values, values)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_late_in_training_moments_are_no_longer_corrected(kind: str) -> None:
    values, gradient = normal(0, 2, 5, dtype=np.dtype(np.float64))
    kernel = Kernel(kind, values, rate=0.1, momentum=0.9, decay=0.999, eps=1e-8)
    kernel.firsts[:], kernel.seconds[:], kernel.step = gradient, gradient**2, 10_000_000
    kernel.update(gradient)
    np.testing.assert_allclose(kernel.values, values - 0.1 * np.sign(gradient), rtol=1e-6)
