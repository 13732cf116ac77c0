"""What rounding does to a training, which no test may take for a fault: the yardsticks of float64 and of float32.

Two ways to compute the same numbers differ in their last bits; which bits depends on the processor's instructions and
on how many threads share a sum. Training enlarges that: a ReLU whose input lies within rounding of 0 is open in one way
and closed in the other, after which the two go apart. In float64 that is so rare (a double's last bit is 2**-29 of a
float's) that results can be held to `SAME`. In float32 it happens, on one processor or another, in every few dozen
epochs of a network, so that no fixed tolerance is both right and tight: there a difference is set against what comes of
a training whose first weights differ in the last bit.
"""

import copy
import math
from collections.abc import Iterable, Sequence

import torch
from torch import nn

SAME = 1e-9
"""Relative difference of what is the same in float64: over a few epochs 1e-16 to 1e-15 are measured, and 3e-12 where
Adam divides gradients that are 0 but for rounding, as those of a bias before a batch norm, by its eps of 1e-8."""

FACTOR = 10.0
"""So many times the nudged twins' difference is rounding: a first step's nudge stands against rounding in each step."""

LAST_BIT = 2.0**-23
"""The relative size of a float32's last bit: twins may agree to less by chance."""


def nudged(network: nn.Sequential) -> nn.Sequential:
    """Return a copy whose every parameter is one float off, up or down at random."""
    generator, twin = torch.Generator().manual_seed(0), copy.deepcopy(network)
    with torch.no_grad():
        for parameter in twin.parameters():
            is_up = torch.rand(parameter.shape, generator=generator) < 0.5
            up, down = (torch.full_like(parameter, towards) for towards in (math.inf, -math.inf))
            parameter.copy_(torch.nextafter(parameter, torch.where(is_up, up, down)))
    return twin


def difference(found: Iterable[float | None], expected: Sequence[float]) -> float:
    """Return the largest relative difference."""
    pairs = zip(found, expected, strict=True)
    return max(abs(one - other) / abs(other) if one is not None else math.inf for one, other in pairs)


def is_rounding(differences: Sequence[float], of_twins: Sequence[float]) -> bool:
    """Return whether the closest of the replicates is within `FACTOR` of the furthest of the nudged twins.

    A fault of the arithmetic is in all replicates; that rounding opens or closes a ReLU in all of them is not to be
    feared.
    """
    return min(differences) <= FACTOR * max(*of_twins, LAST_BIT)
