"""Initial weights, drawn for each replicate from its own seed."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def _he_normal(weight: Tensor, generator: torch.Generator) -> None:
    weight.normal_(0.0, math.sqrt(2 / weight.shape[1]), generator=generator)


def _lecun_normal(weight: Tensor, generator: torch.Generator) -> None:
    weight.normal_(0.0, math.sqrt(1 / weight.shape[1]), generator=generator)


def _xavier_normal(weight: Tensor, generator: torch.Generator) -> None:
    weight.normal_(0.0, math.sqrt(2 / (weight.shape[0] + weight.shape[1])), generator=generator)


def _default(weight: Tensor, generator: torch.Generator) -> None:
    bound = 1 / math.sqrt(weight.shape[1])
    weight.uniform_(-bound, bound, generator=generator)


INITS: dict[str, Callable[[Tensor, torch.Generator], None]] = {
    "he_normal": _he_normal,
    "lecun_normal": _lecun_normal,
    "xavier_normal": _xavier_normal,
    "default": _default,
}

FITTING = {"relu": "he_normal", "tanh": "lecun_normal", "sigmoid": "lecun_normal"}
"""The usual initialisation for an activation; for ReLU and tanh it keeps the size of signals across layers."""


def draw_weights(shapes: Sequence[tuple[int, int]], *, init: str, activation: str, seed: int) -> list[Tensor]:
    """Return one network's weight matrices of shapes (out, in), in order, from one seed.

    `he_normal` has standard deviation sqrt(2/in) (He et al., 2015), `lecun_normal` sqrt(1/in) (LeCun et al., 1998),
    `xavier_normal` sqrt(2/(in+out)) (Glorot and Bengio, 2010); `default` is uniform within 1/sqrt(in), as in
    torch.nn.Linear; `fitting` is the one that `FITTING` names for the activation.
    They are drawn on the CPU, so that they are equal on every device.
    """
    if init == "fitting":
        init = FITTING[activation]
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.empty(shape) for shape in shapes]
    for weight in weights:
        INITS[init](weight, generator)
    return weights
