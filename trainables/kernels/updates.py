"""The updates of SGD, Adam, AdamW and RMSprop as torch's optimizers make them, for one network at a time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainables.kernels.compiling import contracted_kernel, inner_kernel
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


# The order of each formula's operations is fixed: reordered, they would depend on whether sums are taken beside them.


@contracted_kernel
def _pulled(gradient: Any, scale: Any, penalty: Any, value: Any) -> Any:
    """Return the clipped gradient with the penalty's."""
    return gradient * scale + penalty * value


@contracted_kernel
def _moved(value: Any, stride: Any, towards: Any) -> Any:
    """Return the value after a step against `towards`."""
    return value - stride * towards


@contracted_kernel
def _kept(moment: Any, keep: Any, take: Any, new: Any) -> Any:
    """Return a decaying mean after `new`."""
    return keep * moment + take * new


@contracted_kernel
def _drawn(moment: Any, take: Any, new: Any) -> Any:
    """Return a decaying mean after `new`, as torch.lerp has it."""
    return moment + take * (new - moment)


@contracted_kernel
def _divided(moment: Any, second: Any, root: Any, small: Any) -> Any:
    """Return a moment over the root of the second one."""
    return moment / (math.sqrt(second) * root + small)


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
    one = number(1)
    size, change = 0.0, 0.0
    if kind == SGD:
        has_momentum = momentum != 0
        for i in range(values.size):
            value = values[i]
            gradient = _pulled(gradients[i], scale, penalty, value)
            if has_momentum:
                gradient = _kept(firsts[i], keep_first, one, gradient)
                firsts[i] = gradient
            new = _moved(value, stride, gradient)
            values[i] = new
            if measured:
                size += np.float64(new) * np.float64(new)
                change += np.float64(new - value) * np.float64(new - value)
    elif kind == RMSPROP:
        for i in range(values.size):
            value = values[i]
            gradient = _pulled(gradients[i], scale, penalty, value)
            second = _kept(seconds[i], keep_second, take_second, gradient * gradient)
            seconds[i] = second
            new = _moved(value, stride, _divided(gradient, second, one, small))
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
            gradient = _pulled(gradients[i], scale, pull, value)
            first = _drawn(firsts[i], take_first, gradient)
            second = _kept(seconds[i], keep_second, take_second, gradient * gradient)
            firsts[i] = first
            seconds[i] = second
            new = _moved(value * shrink, length, _divided(first, second, root, small))
            values[i] = new
            if measured:
                size += np.float64(new) * np.float64(new)
                change += np.float64(new - value) * np.float64(new - value)
    return size, change
