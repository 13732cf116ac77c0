"""Kernels as Python can call them: an inner kernel is compiled within a caller, as those of training do with it."""

from typing import Any

from trainables.kernels import functions, philox, signals, updates
from trainables.kernels.compiling import kernel

# What Python sees of a compiled function has no types.
Array = Any


@kernel
def normalise(
    signal: Array,
    normalised: Array,
    inverse_std: Array,
    scale: Array,
    shift: Array,
    running_mean: Array,
    running_variance: Array,
    eps: Any,
    momentum: Any,
) -> None:
    """Call `signals.normalise`."""
    signals.normalise(
        signal, normalised, inverse_std, scale, shift, running_mean, running_variance, eps, momentum
    )


@kernel
def normalise_by_running(
    signal: Array, scale: Array, shift: Array, running_mean: Array, running_variance: Array, eps: Any
) -> None:
    """Call `signals.normalise_by_running`."""
    signals.normalise_by_running(signal, scale, shift, running_mean, running_variance, eps)


@kernel
def back_to_norm(
    delta: Array,
    slopes: Array,
    factor: Any,
    within: Array,
    normalised: Array,
    inverse_std: Array,
    scale: Array,
    scale_gradient: Array,
    shift_gradient: Array,
) -> None:
    """Call `signals.back_to_norm`."""
    signals.back_to_norm(
        delta, slopes, factor, within, normalised, inverse_std, scale, scale_gradient, shift_gradient
    )


@kernel
def back_to_bias(delta: Array, slopes: Array, factor: Any, within: Array, bias_gradient: Array) -> None:
    """Call `signals.back_to_bias`."""
    signals.back_to_bias(delta, slopes, factor, within, bias_gradient)


@kernel
def respond(activation: int, signal: Array, slopes: Array) -> None:
    """Call `signals.respond`."""
    signals.respond(activation, signal, slopes)


@kernel
def note_responses(signal: Array, responses: Array, saturates: bool, is_unipolar: bool) -> None:
    """Call `signals.note_responses`."""
    signals.note_responses(signal, responses, saturates, is_unipolar)


@kernel
def drop(signal: Array, slopes: Array, bits: Array, kept: int, scale: Any) -> None:
    """Call `signals.drop`."""
    signals.drop(signal, slopes, bits, kept, scale)


@kernel
def loss_and_gradient(
    logits: Array, targets: Array, smoothing: Any, columns: Array, best: Array
) -> tuple[float, int]:
    """Call `signals.loss_and_gradient`."""
    return signals.loss_and_gradient(logits, targets, smoothing, columns, best)


@kernel
def gather(inputs: Array, rows: Array, mean: Array, factor: Array, is_scaled: bool, gathered: Array) -> None:
    """Call `signals.gather`."""
    signals.gather(inputs, rows, mean, factor, is_scaled, gathered)


@kernel
def pass_on(
    signal: Array, other: Array, room: Array, bias: Array, sums: Array, factor: Any
) -> tuple[float, float, float, Any]:
    """Write signal + bias to `room` and its rows' sums to `sums`; then make `signal` a branch beside `other`, and add
    that to `other`.

    Returns the sum of the squares that `signal` began with, its moments, and its product with `other`.
    """
    squares = signals.sum_of_squares(signal.reshape(-1))
    total, again = signals.moments(signal.reshape(-1))
    product = signals.sum_of_products(signal.reshape(-1), other.reshape(-1))
    signals.copy(signal.reshape(-1), room.reshape(-1))
    signals.add_bias(room, bias)
    signals.sum_rows(room, sums)
    signals.add_skip(signal.reshape(-1), other.reshape(-1), factor)
    signals.add_to(other.reshape(-1), signal.reshape(-1))
    return squares, total, again, product


@kernel
def tile(room: Array, start: int, rows: int, columns: int) -> Array:
    """Call `signals.tile`."""
    return signals.tile(room, start, rows, columns)


@kernel
def apply(x: Array, exp: Array, tanh: Array, sigmoid: Array) -> None:
    """Write the functions' values for flat `x`."""
    for i in range(x.size):
        exp[i] = functions.exp(x[i])
        tanh[i] = functions.tanh(x[i])
        sigmoid[i] = functions.sigmoid(x[i])


@kernel
def fill_words(words: Array, key0: Any, key1: Any, c1: Any, c2: Any, c3: Any) -> None:
    """Call `philox.fill_words`."""
    philox.fill_words(words, key0, key1, c1, c2, c3)


@kernel
def update(
    kind: int,
    values: Array,
    gradients: Array,
    firsts: Array,
    seconds: Array,
    clip: float,
    rate: float,
    momentum: float,
    decay: float,
    eps: float,
    weight_decay: float,
    step: int,
    measured: bool,
) -> tuple[float, float]:
    """Call `updates.update`."""
    return updates.update(
        kind,
        values,
        gradients,
        firsts,
        seconds,
        clip,
        rate,
        momentum,
        decay,
        eps,
        weight_decay,
        step,
        measured,
    )
