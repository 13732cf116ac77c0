"""The settings in which whole studies are simulated: what is true, and how networks scatter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from reports.inputs.inputs import Value
from tests.reports.sample import FACTORS
from tests.reports.simulated_studies import SMALLEST, World, world

LITTLE: dict[str, tuple[Value, ...]] = {"depth": (3, 5, 7), "batch_norm": (False, True)}
NARROW: dict[str, Any] = {"split": 0.005, "retraining": 0.008, "block": 0.03, "growth_noise": 0.05}
"""An average of cells and a pair of single cells are both resolved to a fraction of the smallest effect."""

Factors = Mapping[str, tuple[Value, ...]]
# Of neighbours, some differ by nothing, some by the smallest effect exactly, up or down.
_MARGINS = {
    "depth": (0.0, SMALLEST, SMALLEST),
    "dropout": (0.0, 0.0, -SMALLEST),
    "batch_norm": (0.0, SMALLEST),
    "optimizer": (0.0, SMALLEST, 0.0),
}


def null(factors: Factors) -> World:
    """No cell differs from another in anything."""
    return world(factors, split=0.01, retraining=0.02)


def narrow_null(factors: Factors) -> World:
    """The same, and resolved so well that equivalence is claimed."""
    return world(factors, **NARROW)


def margins(factors: Factors) -> World:
    """All contrasts at 0 or at the smallest effect."""
    return world(factors, {name: _MARGINS[name] for name in factors}, **NARROW)


def turned_margins(factors: Factors) -> World:
    """Effects of the first factor change by the smallest effect with the last level of the second."""
    one, names = margins(factors), list(factors)
    last = {name: factors[name][-1] for name in names[:2]}
    corner = np.array([all(cell[name] == level for name, level in last.items()) for cell in one.cells])
    return World(**{**vars(one), "loss": one.loss + SMALLEST * corner})


def failures(factors: Factors) -> World:
    """One network in a hundred scores as chance, in every cell alike."""
    one = narrow_null(factors)
    return World(**{**vars(one), "failing": np.full(len(one.loss), 0.01)})


def skewed(factors: Factors) -> World:
    """Noise with a long tail to high losses; contrasts at the margins."""
    return World(**{**vars(margins(factors)), "skewed": True})


def new_samples(factors: Factors) -> World:
    """The data set is one sample of a population in which no cell differs from another."""
    return world(factors, split=0.01, retraining=0.02, new_samples=True)


def lone_best(factors: Factors) -> World:
    """The first level has one good cell, the others many that are as good: only these are selected for luck."""
    one, (name, levels) = world(factors, split=0.02, retraining=0.005), next(iter(factors.items()))
    there = [place for place, cell in enumerate(one.cells) if cell[name] == levels[0]]
    loss = one.loss.copy()
    loss[there[1:]] += 0.5
    return World(**{**vars(one), "loss": loss, "rates": 1})


SETTINGS: dict[str, Callable[[Factors], World]] = {
    "complete null": null,
    "null, equivalence within reach": narrow_null,
    "at the margins": margins,
    "interactions at the margins": turned_margins,
    "1 % of networks fail": failures,
    "skewed, at the margins": skewed,
    "null in the population": new_samples,
    "one good cell against many": lone_best,
}
DESIGNS: dict[str, Factors] = {"54 cells": FACTORS, "6 cells": LITTLE}
