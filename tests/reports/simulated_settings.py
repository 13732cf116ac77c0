"""The settings in which whole studies are simulated: what is true, and how networks scatter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reports.inputs.inputs import Value
from tests.reports.sample import FACTORS
from tests.reports.simulated_studies import SMALLEST, Floats, World, world

LITTLE: dict[str, tuple[Value, ...]] = {"depth": (3, 5, 7), "batch_norm": (False, True)}
CROWD: dict[str, tuple[Value, ...]] = {"depth": (3, 5), **{name: FACTORS[name] for name in [*FACTORS][1:]}}
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
    return world(factors, split=0.005, retraining=0.02)


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
    return replace(one, loss=one.loss + SMALLEST * corner)


def failures(factors: Factors) -> World:
    """One network in a hundred scores as chance, in every cell alike; the linear model never does, and is far worse."""
    one = narrow_null(factors)
    return replace(one, failing=np.full(len(one.loss), 0.01), line=0.1)


def rare_failures(factors: Factors) -> World:
    """They fail at the first level alone: a mean difference of .021 nats, which most samples of ten do not show."""
    one, (name, levels) = failures(factors), next(iter(factors.items()))
    first = np.array([cell[name] == levels[0] for cell in one.cells])
    return replace(one, failing=one.failing * first)


def skewed(factors: Factors) -> World:
    """Noise with a long tail to high losses; contrasts at the margins."""
    return replace(margins(factors), skewed=True)


def new_samples(factors: Factors) -> World:
    """The data set is one sample of a population in which no cell differs from another."""
    return world(factors, split=0.005, retraining=0.02, new_samples=True)


def lone_best(factors: Factors) -> World:
    """The first level has one good cell, the others many that are as good: only these are selected for luck."""
    one, (name, levels) = null(factors), next(iter(factors.items()))
    there = [place for place, cell in enumerate(one.cells) if cell[name] == levels[0]]
    loss = one.loss.copy()
    loss[there[1:]] += 0.5
    return replace(one, loss=loss)


def shared_noise(factors: Factors) -> World:
    """The same, with noise that the search sees and the confirm phase repeats, as recorded networks have hardly any."""
    return replace(lone_best(factors), split=0.02, retraining=0.005)


RECORDED = Path(__file__).with_name("recorded_networks.csv")
"""Losses of 160 networks, two for each of eight cells of `depth_study` (Adam) in each of ten blocks.

Trained for 18 epochs with a learning rate of .003, once as in a search (validation loss) and once with the seeds of a
confirm phase (test loss).
"""
_SMOKE: dict[str, tuple[Value, ...]] = {"depth": (3, 7), "dropout": (0.1, 0.5), "batch_norm": (False, True)}


def _recorded() -> Floats:
    """Recorded losses, shape (2, cells, blocks): validation loss of a search, test loss of a confirm phase."""
    rows = pd.read_csv(RECORDED).sort_values([*_SMOKE, "block"])
    return np.asarray(rows[["val_loss", "test_loss"]].to_numpy().T.reshape(2, 8, 10))


def recorded_null() -> World:
    """Networks scatter as recorded ones did, with the same variances and correlations; all cells are equally good."""
    return world(_SMOKE, recorded=_centred(_recorded()), block=0.0)


def recorded_margins() -> World:
    """The same, with contrasts at 0 or at the smallest effect."""
    effects = {name: _MARGINS[name][-len(levels) :] for name, levels in _SMOKE.items()}
    return world(_SMOKE, effects, recorded=_centred(_recorded()), block=0.0)


def recorded_means() -> World:
    """The same, with the means of the recorded test losses; 1.8 at most, for chance (2.3) caps what is compared."""
    return replace(recorded_null(), loss=np.minimum(_recorded()[1].mean(axis=1), 1.8))


def _centred(losses: Floats) -> Floats:
    return np.asarray(losses - losses.mean(axis=-1, keepdims=True))


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
DESIGNS: dict[str, Factors] = {"6 cells": LITTLE, "54 cells": FACTORS}
WORLDS: dict[str, Callable[[], World]] = {
    **{
        f"{design}, {setting}": partial(make, factors)
        for design, factors in DESIGNS.items()
        for setting, make in SETTINGS.items()
    },
    "8 cells, recorded scatter, null": recorded_null,
    "8 cells, recorded scatter, at the margins": recorded_margins,
    "8 cells, recorded means": recorded_means,
    "36 cells, one good cell against many, search and test share their noise": partial(shared_noise, CROWD),
}
LIMITS: dict[str, Callable[[], World]] = {
    "6 cells, 1 % of networks fail at one level": partial(rare_failures, LITTLE),
}
"""Where intervals of ten blocks do not keep the error rate: docs/simulations.md says so."""
