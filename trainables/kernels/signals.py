"""What stands between two matrix products of a network, each as one pass over memory.

Signals have shape (units, examples), the gradients `delta` with respect to them as well. Numbers are float32 or
float64; within one call all have the same type.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainables.kernels import functions
from trainables.kernels.compiling import inner_kernel
from trainables.kernels.layout import RELU, TANH, Floats


@inner_kernel
def tile(room: Floats, start: int, rows: int, columns: int) -> Floats:
    """Return a part of `room` as a matrix."""
    return room[start : start + rows * columns].reshape(rows, columns)


@inner_kernel
def sum_of_squares(values: Floats) -> float:
    """Return the sum in float64, which holds the square of every float32."""
    total = 0.0
    for i in range(values.size):
        value = np.float64(values[i])
        total += value * value
    return total


@inner_kernel
def gather(
    inputs: Floats, rows: NDArray[np.int64], mean: Floats, factor: Floats, is_scaled: bool, gathered: Floats
) -> None:
    """Copy `rows` of the inputs to `gathered` (examples, features), scaled as (input - mean) x factor if asked to."""
    for example in range(gathered.shape[0]):
        source, target = inputs[rows[example]], gathered[example]
        if is_scaled:
            for feature in range(target.size):
                target[feature] = (source[feature] - mean[feature]) * factor[feature]
        else:
            for feature in range(target.size):
                target[feature] = source[feature]


@inner_kernel
def add_bias(signal: Floats, bias: Floats) -> None:
    """Add each unit's bias."""
    for unit in range(signal.shape[0]):
        for example in range(signal.shape[1]):
            signal[unit, example] += bias[unit]


@inner_kernel
def normalise(
    signal: Floats,
    normalised: Floats,
    inverse_std: Floats,
    scale: Floats,
    shift: Floats,
    running_mean: Floats,
    running_variance: Floats,
    eps: Any,
    momentum: Any,
) -> None:
    """Replace the signal by its batch norm (Ioffe and Szegedy, 2015), as torch computes it in training mode.

    `normalised` and `inverse_std` get what the backward pass needs. The running statistics are moved by `momentum`,
    with the variance over examples - 1.
    """
    examples = signal.shape[1]
    one, count = signal.dtype.type(1), signal.dtype.type(examples)
    for unit in range(signal.shape[0]):
        mean = one - one
        for example in range(examples):
            mean += signal[unit, example]
        mean /= count
        variance = one - one
        for example in range(examples):
            distance = signal[unit, example] - mean
            variance += distance * distance
        variance /= count
        inverse = one / math.sqrt(variance + eps)
        inverse_std[unit] = inverse
        factor, bias = scale[unit], shift[unit]
        for example in range(examples):
            value = (signal[unit, example] - mean) * inverse
            normalised[unit, example] = value
            signal[unit, example] = value * factor + bias
        if momentum > one - one:
            unbiased = variance * (count / (count - one))
            running_mean[unit] += momentum * (mean - running_mean[unit])
            running_variance[unit] += momentum * (unbiased - running_variance[unit])


@inner_kernel
def normalise_by_running(
    signal: Floats, scale: Floats, shift: Floats, running_mean: Floats, running_variance: Floats, eps: Any
) -> None:
    """Replace the signal by its batch norm in evaluation mode."""
    one = signal.dtype.type(1)
    for unit in range(signal.shape[0]):
        factor = scale[unit] * (one / math.sqrt(running_variance[unit] + eps))
        bias = shift[unit] - running_mean[unit] * factor
        for example in range(signal.shape[1]):
            signal[unit, example] = signal[unit, example] * factor + bias


@inner_kernel
def respond(activation: int, signal: Floats, slopes: Floats) -> None:
    """Replace a flat signal by the units' responses, and write their derivatives."""
    zero, one = signal.dtype.type(0), signal.dtype.type(1)
    if activation == RELU:
        for i in range(signal.size):
            value = signal[i]
            # Compared in this way, NaN stays NaN.
            signal[i] = zero if value <= zero else value
            slopes[i] = zero if value <= zero else one
    elif activation == TANH:
        for i in range(signal.size):
            value = functions.tanh(signal[i])
            signal[i] = value
            slopes[i] = one - value * value
    else:
        for i in range(signal.size):
            value = functions.sigmoid(signal[i])
            signal[i] = value
            slopes[i] = value * (one - value)


@inner_kernel
def note_responses(signal: Floats, responses: Floats, saturates: bool, is_unipolar: bool) -> None:
    """Add each unit's responses to their sum, or keep its least saturation: a response's size on a scale of 0 to 1."""
    half, two = signal.dtype.type(0.5), signal.dtype.type(2)
    for unit in range(signal.shape[0]):
        if saturates:
            least = responses[unit]
            for example in range(signal.shape[1]):
                value = signal[unit, example]
                size = abs(value - half) * two if is_unipolar else abs(value)
                # NaN stays, as in torch.minimum.
                least = size if size < least or size != size else least
            responses[unit] = least
        else:
            total = signal.dtype.type(0)
            for example in range(signal.shape[1]):
                total += signal[unit, example]
            responses[unit] += total


@inner_kernel
def drop(signal: Floats, slopes: Floats, bits: NDArray[np.uint16], kept: int, scale: Any) -> None:
    """Keep a flat signal and its slopes, times `scale`, where 16 random bits are below `kept`; else they become 0."""
    zero, below = signal.dtype.type(0), np.uint16(kept)
    for i in range(signal.size):
        share = scale if bits[i] < below else zero
        signal[i] *= share
        slopes[i] *= share


@inner_kernel
def add_skip(signal: Floats, skipped: Floats, factor: Any) -> None:
    """Replace a flat branch by skipped + factor x branch."""
    for i in range(signal.size):
        signal[i] = skipped[i] + factor * signal[i]


@inner_kernel
def moments(signal: Floats) -> tuple[float, float]:
    """Return the sum of a flat signal and that of its squares."""
    total, squares = 0.0, 0.0
    for i in range(signal.size):
        value = np.float64(signal[i])
        total += value
        squares += value * value
    return total, squares


@inner_kernel
def loss_and_gradient(
    logits: Floats, targets: NDArray[np.int64], smoothing: Any, columns: Floats, best: NDArray[np.int64]
) -> tuple[float, int]:
    """Return the summed cross-entropy and the number of right predictions; replace logits by the mean's gradient.

    With label smoothing s the target is (1-s) one-hot + s/classes, as in torch.nn.functional.cross_entropy. Of equal
    logits the first counts as predicted. `columns` (2, examples) and `best` are room to work in.
    """
    classes, examples = logits.shape
    zero, one = logits.dtype.type(0), logits.dtype.type(1)
    highest, total = columns[0], columns[1]
    for example in range(examples):
        highest[example] = logits[0, example]
        best[example] = 0
        total[example] = zero
    for label in range(1, classes):
        for example in range(examples):
            is_more = logits[label, example] > highest[example]
            highest[example] = logits[label, example] if is_more else highest[example]
            best[example] = label if is_more else best[example]
    loss, correct = 0.0, 0
    of_all = smoothing / logits.dtype.type(classes)
    for example in range(examples):
        target = targets[example]
        loss -= (1.0 - np.float64(smoothing)) * np.float64(logits[target, example] - highest[example])
        correct += best[example] == target
    if of_all > zero:  # 0 times a logit of minus infinity would be NaN
        for label in range(classes):
            for example in range(examples):
                loss -= np.float64(of_all) * np.float64(logits[label, example] - highest[example])
    for label in range(classes):
        for example in range(examples):
            value = functions.exp(logits[label, example] - highest[example])
            logits[label, example] = value
            total[example] += value
    count = logits.dtype.type(examples)
    for example in range(examples):
        loss += math.log(np.float64(total[example]))
        total[example] = one / (total[example] * count)
    share, whole = of_all / count, (one - smoothing) / count
    for label in range(classes):
        for example in range(examples):
            logits[label, example] = logits[label, example] * total[example] - share
    for example in range(examples):
        logits[targets[example], example] -= whole
    return loss, correct


@inner_kernel
def sum_of_products(one: Floats, other: Floats) -> Any:
    """Return the sum of the products of two flat arrays."""
    total = one.dtype.type(0)
    for i in range(one.size):
        total += one[i] * other[i]
    return total


@inner_kernel
def back_to_bias(delta: Floats, slopes: Floats, factor: Any, within: Floats, bias_gradient: Floats) -> None:
    """Write the gradient before the activation, delta x slope x factor, to `within`, and its sums: the biases'."""
    for unit in range(delta.shape[0]):
        total = delta.dtype.type(0)
        for example in range(delta.shape[1]):
            value = delta[unit, example] * slopes[unit, example] * factor
            within[unit, example] = value
            total += value
        bias_gradient[unit] = total


@inner_kernel
def back_to_norm(
    delta: Floats,
    slopes: Floats,
    factor: Any,
    within: Floats,
    normalised: Floats,
    inverse_std: Floats,
    scale: Floats,
    scale_gradient: Floats,
    shift_gradient: Floats,
) -> None:
    """Write the gradient before the batch norm, through its mean and variance, to `within`; and its parameters'."""
    examples = delta.shape[1]
    count = delta.dtype.type(examples)
    for unit in range(delta.shape[0]):
        total, along = delta.dtype.type(0), delta.dtype.type(0)
        for example in range(examples):
            value = delta[unit, example] * slopes[unit, example] * factor
            within[unit, example] = value
            total += value
            along += value * normalised[unit, example]
        shift_gradient[unit], scale_gradient[unit] = total, along
        mean, slant = total / count, along / count
        through = scale[unit] * inverse_std[unit]
        for example in range(examples):
            within[unit, example] = (
                within[unit, example] - mean - normalised[unit, example] * slant
            ) * through


@inner_kernel
def add_to(values: Floats, more: Floats) -> None:
    """Add one flat array to another."""
    for i in range(values.size):
        values[i] += more[i]


@inner_kernel
def copy(values: Floats, to: Floats) -> None:
    """Copy one flat array to another."""
    for i in range(values.size):
        to[i] = values[i]


@inner_kernel
def sum_rows(values: Floats, sums: Floats) -> None:
    """Write the sum of each row."""
    for row in range(values.shape[0]):
        total = values.dtype.type(0)
        for column in range(values.shape[1]):
            total += values[row, column]
        sums[row] = total
