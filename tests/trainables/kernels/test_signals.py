"""Each pass between two products gives what torch's own operations and autograd give."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor
from torch.nn import functional

from tests.trainables.kernels import called
from tests.trainables.kernels.drawn import EXAMPLES, PRECISIONS, SEEDS, UNITS, Floats, assert_near, normal
from trainables.kernels import compiling
from trainables.kernels.layout import ALL_KEPT, RELU, SIGMOID, TANH

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled"),
]

EPS = 1e-5
RESPONSES: dict[int, Callable[[Tensor], Tensor]] = {
    RELU: torch.relu,
    TANH: torch.tanh,
    SIGMOID: torch.sigmoid,
}
Precision = np.dtype[Any]
EACH_PRECISION = pytest.mark.parametrize(
    "dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=["float32", "float64"]
)


def exact(values: Floats) -> Tensor:
    """Return the same numbers, to compute with in float64."""
    return torch.from_numpy(values.astype(np.float64))


class Norm:
    """A batch norm of a signal: its parameters, its running statistics, and what the kernel makes of them."""

    def __init__(self, signal: Floats, seed: int, momentum: float) -> None:
        units, dtype = len(signal), signal.dtype
        self.signal, self.dtype = signal.copy(), dtype
        self.scale, self.shift, self.mean, variance = normal(seed + 1, 4, units, dtype=dtype)
        self.variance = np.abs(variance) + dtype.type(0.1)
        self.before = exact(self.mean), exact(self.variance)
        self.normalised = np.full_like(signal, np.nan)
        self.inverse_std = np.full(units, np.nan, dtype)
        called.normalise(
            self.signal,
            self.normalised,
            self.inverse_std,
            self.scale,
            self.shift,
            self.mean,
            self.variance,
            dtype.type(EPS),
            dtype.type(momentum),
        )


def signal_of(units: int, examples: int, dtype: Precision, seed: int, offset: float, spread: float) -> Floats:
    signal: Floats = (normal(seed, units, examples, dtype=np.dtype(float)) * spread + offset).astype(dtype)
    return signal


SIGNALS = {
    "units": UNITS,
    "examples": st.integers(2, 40),
    "dtype": PRECISIONS,
    "seed": SEEDS,
    "offset": st.sampled_from([0.0, -3.0, 100.0]),
    "spread": st.sampled_from([1.0, 0.01, 30.0, 0.0]),
}


@given(momentum=st.sampled_from([0.0, 0.1]), **SIGNALS)
def test_a_batch_norm_is_torchs(
    units: int, examples: int, dtype: Precision, seed: int, offset: float, spread: float, momentum: float
) -> None:
    signal = signal_of(units, examples, dtype, seed, offset, spread)
    own = Norm(signal, seed, momentum)
    mean, variance = own.before
    # To torch a momentum of 0 is a cumulative average.
    means, variances = (mean.clone(), variance.clone()) if momentum else (None, None)
    expected = functional.batch_norm(
        exact(signal).T, means, variances, exact(own.scale), exact(own.shift), True, momentum, EPS
    ).T
    inverse = 1 / (exact(signal).var(1, correction=0) + EPS).sqrt()
    # A mean is off by rounding of the signal, which division by a small deviation enlarges.
    size = 1 + float(np.abs(signal).max()) * float(inverse.max())
    assert_near(own.signal, expected, dtype, size=size * float(np.abs(own.scale).max()))
    assert_near(own.inverse_std, inverse, dtype, size=size * float(inverse.max()))
    normalised = (exact(signal) - exact(signal).mean(1, keepdim=True)) * inverse[:, None]
    assert_near(own.normalised, normalised, dtype, size=size)
    if momentum:
        assert_near(own.mean, means, dtype, size=float(np.abs(signal).max()))
        assert_near(own.variance, variances, dtype, size=float(np.square(signal).max()))
    else:
        np.testing.assert_array_equal(own.mean, mean)
        np.testing.assert_array_equal(own.variance, variance)


@given(factor=st.sampled_from([1.0, 0.5, -2.0]), **SIGNALS)
def test_back_through_a_batch_norm_it_is_autograds(
    units: int, examples: int, dtype: Precision, seed: int, offset: float, spread: float, factor: float
) -> None:
    signal = signal_of(units, examples, dtype, seed, offset, spread)
    own = Norm(signal, seed, 0.0)
    delta, slopes = normal(seed + 2, 2, units, examples, dtype=dtype)
    within, scale_gradient, shift_gradient = np.empty_like(delta), *np.empty((2, units), dtype)
    called.back_to_norm(
        delta,
        slopes,
        dtype.type(factor),
        within,
        own.normalised,
        own.inverse_std,
        own.scale,
        scale_gradient,
        shift_gradient,
    )
    inputs, scale, shift = (exact(values).requires_grad_() for values in (signal, own.scale, own.shift))
    outputs = functional.batch_norm(inputs.T, None, None, scale, shift, True, 0.0, EPS).T
    expected = torch.autograd.grad(
        outputs, [inputs, scale, shift], grad_outputs=exact(delta) * exact(slopes) * factor
    )
    inverse = float(own.inverse_std.max())
    size = 1 + float(np.abs(signal).max()) * inverse
    largest = float(np.abs(delta * slopes).max()) * abs(factor) * examples
    assert_near(within, expected[0], dtype, size=size * largest * inverse * float(np.abs(own.scale).max()))
    assert_near(scale_gradient, expected[1], dtype, size=size * largest)
    assert_near(shift_gradient, expected[2], dtype, size=largest)


@given(units=UNITS, examples=EXAMPLES, dtype=PRECISIONS, seed=SEEDS)
def test_in_evaluation_a_batch_norm_goes_by_its_running_statistics(
    units: int, examples: int, dtype: Precision, seed: int
) -> None:
    signal = normal(seed, units, examples, dtype=dtype)
    scale, shift, mean, variance = normal(seed + 1, 4, units, dtype=dtype)
    variance = np.abs(variance)
    expected = functional.batch_norm(
        exact(signal.T), exact(mean), exact(variance), exact(scale), exact(shift), False, 0.0, EPS
    ).T
    size = float(np.max(np.abs(scale) / np.sqrt(variance + EPS) * (np.abs(signal).max() + np.abs(mean))))
    called.normalise_by_running(signal, scale, shift, mean, variance, dtype.type(EPS))
    assert_near(signal, expected, dtype, size=1 + size)


@EACH_PRECISION
def test_a_single_example_is_normalised_to_the_shift(dtype: Precision) -> None:
    own = Norm(normal(0, 5, 1, dtype=dtype), 0, 0.0)
    np.testing.assert_array_equal(own.signal[:, 0], own.shift)
    np.testing.assert_array_equal(own.normalised, 0)


@EACH_PRECISION
@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_a_batch_norm_keeps_nan_within_its_unit(dtype: Precision, poison: float) -> None:
    signal = normal(0, 5, 13, dtype=dtype)
    healthy = Norm(signal, 0, 0.1)
    signal[3, 7] = poison
    sick = Norm(signal, 0, 0.1)
    for name in ("signal", "normalised", "inverse_std", "variance"):
        one, other = getattr(sick, name), getattr(healthy, name)
        others = [0, 1, 2, 4]
        np.testing.assert_array_equal(one[others], other[others])
    assert np.isnan(sick.signal[3, 7])
    assert not np.isfinite(sick.mean[3])
    assert np.isnan(sick.variance[3])


# Also such as have no finite square, none that is a normal number, and none at all.
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
SPECIAL = [0.0, -0.0, 1e-45, -1e-45, 1e-38, 3e38, -3e38, math.nan, math.inf, -math.inf, 0.625, 15.0, -100.0]


@given(
    activation=st.sampled_from([RELU, TANH, SIGMOID]),
    dtype=PRECISIONS,
    values=arrays(np.float32, st.integers(1, 40), elements=NUMBERS),
)
@example(activation=RELU, dtype=np.dtype(np.float32), values=np.array(SPECIAL, np.float32))
@example(activation=TANH, dtype=np.dtype(np.float32), values=np.array(SPECIAL, np.float32))
@example(activation=SIGMOID, dtype=np.dtype(np.float32), values=np.array(SPECIAL, np.float32))
@example(activation=RELU, dtype=np.dtype(np.float64), values=np.array(SPECIAL, np.float32))
@example(activation=TANH, dtype=np.dtype(np.float64), values=np.array(SPECIAL, np.float32))
@example(activation=SIGMOID, dtype=np.dtype(np.float64), values=np.array(SPECIAL, np.float32))
def test_responses_and_slopes_are_autograds(activation: int, dtype: Precision, values: Floats) -> None:
    signal = values.astype(dtype)
    inputs, slopes = exact(signal).requires_grad_(), np.full_like(signal, 7)
    expected = RESPONSES[activation](inputs)
    (expected_slopes,) = torch.autograd.grad(expected.sum(), [inputs])
    called.respond(activation, signal, slopes)
    assert_near(signal, expected.detach(), dtype, size=0 if activation == RELU else 0.1)
    assert_near(slopes, expected_slopes, dtype)


@EACH_PRECISION
def test_a_relu_is_exact(dtype: Precision) -> None:
    signal = np.array(SPECIAL, dtype)
    expected = torch.relu(torch.from_numpy(signal.copy())).numpy()
    slopes = np.empty_like(signal)
    called.respond(RELU, signal, slopes)
    np.testing.assert_array_equal(signal, expected)
    np.testing.assert_array_equal(slopes, ~(np.array(SPECIAL) <= 0))


@given(
    units=UNITS,
    examples=EXAMPLES,
    batches=st.integers(1, 3),
    dtype=PRECISIONS,
    seed=SEEDS,
    activation=st.sampled_from([RELU, TANH, SIGMOID]),
)
def test_responses_are_noted_over_batches(
    units: int, examples: int, batches: int, dtype: Precision, seed: int, activation: int
) -> None:
    saturates, is_unipolar = activation != RELU, activation == SIGMOID
    drawn = RESPONSES[activation](exact(normal(seed, batches, units, examples, dtype=dtype) * 3))
    responses = np.full(units, 1.0 if saturates else 0.0, dtype)
    for signal in drawn.numpy().astype(dtype):
        called.note_responses(signal, responses, saturates, is_unipolar)
    sizes = (drawn - 0.5).abs() * 2 if is_unipolar else drawn.abs()
    expected = sizes.amin((0, 2)) if saturates else drawn.sum((0, 2))
    assert_near(responses, expected, dtype, size=1 if saturates else 3 * batches * examples)


@EACH_PRECISION
@pytest.mark.parametrize("saturates", [False, True])
@pytest.mark.parametrize("is_unipolar", [False, True])
def test_a_unit_that_was_nan_once_is_noted_as_nan(
    dtype: Precision, saturates: bool, is_unipolar: bool
) -> None:
    """As torch.minimum has it: a diverged network is not one whose units are all saturated."""
    signal = np.ones((3, 17), dtype)
    signal[1, 5] = np.nan
    responses = np.full(3, 1.0 if saturates else 0.0, dtype)
    for batch in (signal, np.ones_like(signal)):
        called.note_responses(batch, responses, saturates, is_unipolar)
    np.testing.assert_array_equal(np.isnan(responses), [False, True, False])


@EACH_PRECISION
@pytest.mark.parametrize("kept", [0, 1, 19661, 32768, 65535])
def test_just_the_share_that_is_kept_is_kept(dtype: Precision, kept: int) -> None:
    """Of all 16-bit numbers, once each."""
    bits = np.random.default_rng(0).permutation(1 << 16).astype(np.uint16)
    scale = dtype.type(ALL_KEPT / max(kept, 1))
    signal, slopes = normal(0, 2, 1 << 16, dtype=dtype)
    mask = np.where(bits < kept, scale, dtype.type(0))
    expected = signal * mask, slopes * mask
    called.drop(signal, slopes, bits, kept, scale)
    np.testing.assert_array_equal(signal, expected[0])
    np.testing.assert_array_equal(slopes, expected[1])
    assert np.count_nonzero(mask) == kept
    if kept:
        assert float(mask.mean(dtype=float)) == pytest.approx(1, rel=1e-6)


@given(size=st.integers(1, 50), dtype=PRECISIONS, seed=SEEDS, kept=st.integers(1, ALL_KEPT - 1))
def test_what_is_dropped_has_no_gradient(size: int, dtype: Precision, seed: int, kept: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 1 << 16, size + 7).astype(np.uint16)
    scale, signal, slopes = dtype.type(ALL_KEPT / kept), np.ones(size, dtype), np.ones(size, dtype)
    called.drop(signal, slopes, bits, kept, scale)
    np.testing.assert_array_equal(signal, slopes)
    np.testing.assert_array_equal(signal != 0, bits[:size] < kept)


@EACH_PRECISION
def test_dropout_keeps_nan_and_infinity(dtype: Precision) -> None:
    signal = np.array([np.nan, np.nan, np.inf, np.inf], dtype)
    called.drop(signal, np.ones_like(signal), np.array([0, 9, 0, 9], np.uint16), 5, dtype.type(2))
    # As in torch, infinity times 0 is NaN.
    np.testing.assert_array_equal(signal, [np.nan, np.nan, np.inf, np.nan])


def losses(
    logits: Floats, targets: Any, smoothing: float = 0.0
) -> tuple[tuple[float, int], Floats, float, Any]:
    """Return loss and hits of the kernel, its gradient, torch's loss, and torch's gradient."""
    given_logits = exact(logits).requires_grad_()
    target = torch.from_numpy(np.asarray(targets))
    options: dict[str, Any] = {"label_smoothing": smoothing}
    mean = functional.cross_entropy(given_logits.T, target, **options)
    expected = functional.cross_entropy(given_logits.T, target, reduction="sum", **options)
    made = logits.copy()
    columns, best = np.full((2, made.shape[1]), np.nan, made.dtype), np.full(made.shape[1], -1)
    found = called.loss_and_gradient(made, np.asarray(targets), made.dtype.type(smoothing), columns, best)
    return found, made, float(expected.detach()), torch.autograd.grad(mean, [given_logits])[0]


@given(
    classes=st.integers(2, 12),
    examples=EXAMPLES,
    dtype=PRECISIONS,
    seed=SEEDS,
    smoothing=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    spread=st.sampled_from([0.0, 1.0, 20.0, 1e4]),
)
def test_the_loss_is_torchs_and_its_gradient_is_autograds(
    classes: int, examples: int, dtype: Precision, seed: int, smoothing: float, spread: float
) -> None:
    logits = normal(seed, classes, examples, dtype=dtype) * dtype.type(spread)
    targets = np.random.default_rng(seed).integers(0, classes, examples)
    found, gradient, loss, expected = losses(logits, targets, smoothing)
    assert_near(found[0], loss, dtype, size=1 + examples * spread)
    # An exponential is as far off as its argument is rounded.
    assert_near(gradient, expected, dtype, size=(1 + spread) / examples)
    assert found[1] == np.sum(logits.argmax(0) == targets)


@given(examples=EXAMPLES, dtype=PRECISIONS, seed=SEEDS)
def test_of_equal_logits_the_first_is_predicted(examples: int, dtype: Precision, seed: int) -> None:
    generator = np.random.default_rng(seed)
    logits = generator.integers(-1, 2, (4, examples)).astype(dtype)
    targets = generator.integers(0, 4, examples)
    found, gradient, loss, expected = losses(logits, targets)
    assert found[1] == np.sum(logits.argmax(0) == targets)
    assert_near(found[0], loss, dtype, size=examples)
    assert_near(gradient, expected, dtype)


@EACH_PRECISION
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("size", [90.0, 1e4, 1e30])
def test_extreme_logits_give_finite_losses(dtype: Precision, smoothing: float, size: float) -> None:
    logits = np.array([[size, -size, 0], [-size, size, size], [0, 0, -size]], dtype)
    found, gradient, loss, expected = losses(logits, [0, 0, 2], smoothing)
    assert_near(found[0], loss, dtype)
    assert_near(gradient, expected, dtype, size=1e-2)
    assert found[1] == 1


@EACH_PRECISION
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("poison", [math.nan, math.inf])
@pytest.mark.parametrize("place", [(0, 0), (1, 4), (2, 8)])
def test_nan_and_infinity_are_seen_in_the_loss(
    dtype: Precision, smoothing: float, poison: float, place: tuple[int, int]
) -> None:
    logits = normal(0, 3, 9, dtype=dtype)
    logits[place] = poison
    found, gradient, loss, expected = losses(logits, [1] * 9, smoothing)
    assert math.isnan(loss)
    assert math.isnan(found[0])
    np.testing.assert_array_equal(np.isnan(gradient), expected.isnan())


@EACH_PRECISION
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_logit_of_minus_infinity_counts_as_in_torch(dtype: Precision, smoothing: float, label: int) -> None:
    logits = normal(0, 3, 9, dtype=dtype)
    logits[label, 4] = -math.inf
    found, gradient, loss, expected = losses(logits, [1] * 9, smoothing)
    assert found[0] == pytest.approx(loss, rel=1e-6)
    assert_near(gradient, expected, dtype)


@given(units=UNITS, examples=EXAMPLES, dtype=PRECISIONS, seed=SEEDS, factor=st.sampled_from([1.0, -0.5]))
def test_back_to_a_bias(units: int, examples: int, dtype: Precision, seed: int, factor: float) -> None:
    delta, slopes = normal(seed, 2, units, examples, dtype=dtype)
    within, gradient = np.full_like(delta, np.nan), np.full(units, np.nan, dtype)
    called.back_to_bias(delta, slopes, dtype.type(factor), within, gradient)
    expected = exact(delta) * exact(slopes) * factor
    assert_near(within, expected, dtype, size=0)
    assert_near(gradient, expected.sum(1), dtype, size=float(expected.abs().sum(1).max()))


@given(units=UNITS, examples=EXAMPLES, dtype=PRECISIONS, seed=SEEDS, factor=st.sampled_from([1.0, 0.0, -0.5]))
def test_sums_copies_and_skips(units: int, examples: int, dtype: Precision, seed: int, factor: float) -> None:
    signal, other = normal(seed, 2, units, examples, dtype=dtype)
    bias, room, sums = (
        normal(seed + 1, units, dtype=dtype),
        np.full_like(signal, np.nan),
        np.empty(units, dtype),
    )
    branch, skipped = exact(signal), exact(other)
    squares, total, again, product = called.pass_on(signal, other, room, bias, sums, dtype.type(factor))
    size = units * examples
    assert squares == pytest.approx(float(branch.square().sum()), rel=1e-12)
    assert again == pytest.approx(squares, rel=1e-12)
    assert total == pytest.approx(float(branch.sum()), rel=1e-12, abs=1e-12 * size)
    assert_near(product, (branch * skipped).sum(), dtype, size=size)
    with_bias = branch + exact(bias)[:, None]
    assert_near(room, with_bias, dtype)
    assert_near(sums, with_bias.sum(1), dtype, size=examples)
    assert_near(signal, skipped + factor * branch, dtype)
    assert_near(other, 2 * skipped + factor * branch, dtype)


@pytest.mark.parametrize("size", [1e30, 1e-30])
def test_squares_of_float32s_neither_overflow_nor_vanish(size: float) -> None:
    dtype = np.dtype(np.float32)
    signal = np.full((3, 5), size, dtype)
    squares, total, again, _ = called.pass_on(
        signal,
        np.zeros_like(signal),
        np.zeros_like(signal),
        np.zeros(3, dtype),
        np.zeros(3, dtype),
        dtype.type(1),
    )
    assert (squares, again) == pytest.approx((15 * size**2,) * 2, rel=1e-6)
    assert total == pytest.approx(15 * size, rel=1e-6)


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_sums_of_what_is_not_finite_are_not_either(poison: float) -> None:
    dtype = np.dtype(np.float32)
    signal, other, room = (np.ones((3, 5), dtype) for _ in range(3))
    signal[1, 2], sums = poison, np.zeros(3, dtype)
    for found in called.pass_on(signal, other, room, np.zeros(3, dtype), sums, dtype.type(0.5)):
        assert found == poison or math.isnan(found)
    np.testing.assert_array_equal(np.isfinite(sums), [True, False, True])
    assert not math.isfinite(signal[1, 2] + other[1, 2])


@given(
    rows=st.lists(st.integers(0, 6), min_size=1, max_size=40), features=UNITS, dtype=PRECISIONS, seed=SEEDS
)
def test_rows_are_gathered(rows: list[int], features: int, dtype: Precision, seed: int) -> None:
    inputs = normal(seed, 7, features, dtype=dtype)
    mean, factor = normal(seed + 1, 2, features, dtype=dtype)
    none, chosen = np.zeros(0, dtype), np.array(rows)
    gathered = np.full((len(rows), features), np.nan, dtype)
    called.gather(inputs, chosen, none, none, False, gathered)
    np.testing.assert_array_equal(gathered, inputs[chosen])
    called.gather(inputs, chosen, mean, factor, True, gathered)
    np.testing.assert_array_equal(gathered, (inputs[chosen] - mean) * factor)


@EACH_PRECISION
def test_a_feature_that_is_constant_becomes_0_by_its_factor(dtype: Precision) -> None:
    gathered = np.empty((2, 1), dtype)
    inputs = np.array([[4.0], [9.0]], dtype)
    called.gather(inputs, np.array([1, 0]), np.full(1, 4, dtype), np.zeros(1, dtype), True, gathered)
    np.testing.assert_array_equal(gathered, 0)


def test_a_tile_is_a_view_of_its_part() -> None:
    room = np.arange(20.0)
    tile = called.tile(room, 5, 3, 4)
    np.testing.assert_array_equal(tile, np.arange(5.0, 17).reshape(3, 4))
    tile[0, 0] = -1
    assert room[5] == -1
