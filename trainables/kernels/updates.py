"""The updates of SGD, Adam, AdamW and RMSprop as torch's optimizers make them, for one network at a time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.kernels.compiling import inner_kernel
from trainables.kernels.layout import Floats

SGD, ADAM, ADAMW, RMSPROP = range(4)


class Optimizer(NamedTuple):
    """An optimizer's settings and state. `first` and `second` are its
    moments, laid out as the values (empty where it has none): momentum or the first moment, and the second moment.
    """

    kind: int
    first: Floats
    second: Floats
    momentum: float
    """SGD's momentum, or the decay of the first moment."""
    decay: float
    """Decay of the second moment."""
    eps: float
    weight_decay: float
    rates: NDArray[np.float64]
    """(replicates,)"""


@inner_kernel
def update(
    kind: int,
    values: Floats,
    gradients: Floats,
    firsts: Floats,
    seconds: Floats,
    clip: float,
    rate: float,
    momentum: float,
    decay: float,
    eps: float,
    weight_decay: float,
    step: int,
    measured: bool,
) -> tuple[float, float]:
    """Update flat `values` by an optimizer of this `kind`; `step` counts from 1 over the whole training.

    Gradients are multiplied by `clip` first. Returns the sums of squares of the new values and of their changes if they
    are `measured`. As in torch.optim, all else being equal to a rounding.
    """
    number = values.dtype.type
    # Differences such as 1 - 0.999 are taken in float64, as torch does.
    scale, stride, penalty, small = number(clip), number(rate), number(weight_decay), number(eps)
    keep_first, take_first = number(momentum), number(1.0 - momentum)
    keep_second, take_second = number(decay), number(1.0 - decay)
    size, change = 0.0, 0.0
    if kind == SGD:
        has_momentum = momentum != 0
        for i in range(values.size):
            value = values[i]
            gradient = gradients[i] * scale + penalty * value
            if has_momentum:
                gradient += keep_first * firsts[i]
                firsts[i] = gradient
            new = value - stride * gradient
            values[i] = new
            if measured:
                size += np.float64(new) * np.float64(new)
                change += np.float64(new - value) * np.float64(new - value)
    elif kind == RMSPROP:
        for i in range(values.size):
            value = values[i]
            gradient = gradients[i] * scale + penalty * value
            second = keep_second * seconds[i] + take_second * gradient * gradient
            seconds[i] = second
            new = value - stride * (gradient / (math.sqrt(second) + small))
            values[i] = new
            if measured:
                size += np.float64(new) * np.float64(new)
                change += np.float64(new - value) * np.float64(new - value)
    else:
        decoupled = kind == ADAMW
        shrink = number(1.0 - rate * weight_decay if decoupled else 1.0)
        pull = number(0.0 if decoupled else weight_decay)
        length = number(rate / (1.0 - momentum**step))
        root = number(1.0 / math.sqrt(1.0 - decay**step))
        for i in range(values.size):
            value = values[i]
            gradient = gradients[i] * scale + pull * value
            first = firsts[i] + take_first * (gradient - firsts[i])
            second = keep_second * seconds[i] + take_second * gradient * gradient
            firsts[i] = first
            seconds[i] = second
            new = value * shrink - length * (first / (math.sqrt(second) * root + small))
            values[i] = new
            if measured:
                size += np.float64(new) * np.float64(new)
                change += np.float64(new - value) * np.float64(new - value)
    return size, change
