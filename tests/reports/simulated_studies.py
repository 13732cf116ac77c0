"""Studies drawn with a known truth and laid out as `studies` records them: search, selection and confirm phase."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from reports.inputs.inputs import ReportInputs, Value
from tests.reports.sample import START, assemble
from tests.reports.sample_networks import CHANCE

Floats = npt.NDArray[np.float64]
EPOCHS = (1, 2)
RATES = 6
SMALLEST = 0.02
SMALLEST_ERROR = 0.005
_TEST_TO_TRAINING = 1 / 3


@dataclass(frozen=True, kw_only=True)
class World:
    """What is true of each cell of a study, and how its networks scatter around that; arrays have one row a cell.

    - `loss`, `error`, `growth`: expected test log-loss, test error and ln total growth at initialisation, networks
      that fail left out
    - `failing`: probability that a network of the cell fails and scores as chance
    - `block`: sd over blocks that all cells share; `split`: sd of a cell in a block, which search and confirm phase
      share, for both train on that block's training part; `retraining`: sd of one network around that
    - `level_block`: sd of what the first factor's level does in a block, shared by all of its cells
    - `skewed`: noise follows a centred log-normal distribution instead of a normal one
    - `recorded`: residuals of a recorded study, shape (2, cells, blocks): search and confirm phase; given, they
      replace split and retraining with draws of the same variances and correlations
    - `line`: by how much a linear model, which never fails, is worse than the first cell
    - `new_samples`: the data set is itself drawn from a population, and truth has two readings
    """

    factors: Mapping[str, tuple[Value, ...]]
    loss: Floats
    error: Floats
    growth: Floats
    failing: Floats
    block: float = 0.05
    split: float = 0.01
    retraining: float = 0.02
    growth_noise: float = 0.05
    level_block: float = 0.0
    skewed: bool = False
    recorded: Floats | None = None
    new_samples: bool = False
    line: float = 0.0
    num_blocks: int = 10
    rates: int = RATES

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(levels) for levels in self.factors.values())

    @property
    def cells(self) -> list[dict[str, Value]]:
        return [
            dict(zip(self.factors, levels, strict=True))
            for levels in itertools.product(*self.factors.values())
        ]


@dataclass(frozen=True, kw_only=True)
class Study:
    """One study drawn from a world: what was measured, and what is true on its data set and in the population.

    `objective` (cells) is what the search chose by; `loss`, `error`, `growth`, `failed` have shape (cells, blocks).
    `line` is the test loss of a linear model by block.
    The true means include what failures cost.
    """

    world: World
    objective: Floats
    loss: Floats
    error: Floats
    growth: Floats
    failed: npt.NDArray[np.bool_]
    line: Floats
    true: Mapping[str, Floats]
    of_population: Mapping[str, Floats]
    line_truth: float


def world(
    factors: Mapping[str, tuple[Value, ...]],
    effects: Mapping[str, Sequence[float]] | None = None,
    **given: Any,
) -> World:
    """Additive effects by level (in nats; errors differ by a quarter of that), all else equal in all cells."""
    shape = tuple(len(levels) for levels in factors.values())
    shift = np.zeros(shape)
    for axis, name in enumerate(factors):
        along = np.asarray((effects or {}).get(name, np.zeros(shape[axis])), dtype=float)
        shift = shift + along.reshape([-1 if place == axis else 1 for place in range(len(shape))])
    flat = shift.ravel()
    base = {
        "loss": 0.2 + flat,
        "error": 0.06 + flat * SMALLEST_ERROR / SMALLEST,
        "growth": 1.0 + 0 * flat,
        "failing": 0 * flat,
    }
    return World(**{"factors": factors, **base, **given})


def draw(one: World, generator: np.random.Generator) -> Study:
    """Draw a study: its data set, its search with selection of a learning rate per cell, its confirm phase."""
    cells, blocks = len(one.loss), one.num_blocks
    searched, confirmed = _residuals(one, generator)
    sample = _sample_effects(one, confirmed, generator)
    shared = generator.normal(0, one.block, (1, blocks))
    failed = generator.random((cells, blocks)) < one.failing[:, None]
    loss = one.loss[:, None] + sample[:, None] + shared + confirmed
    # Test errors follow the losses, a quarter as large, with rounding of their own.
    ratio = SMALLEST_ERROR / SMALLEST
    wobble = generator.normal(0, 0.5 * ratio * confirmed.std(), (cells, blocks))
    error = one.error[:, None] + ratio * (sample[:, None] + shared + confirmed) + wobble
    growth = one.growth[:, None] + generator.normal(0, one.growth_noise, (cells, blocks))
    chance = {"loss": CHANCE, "error": 0.9}
    true = {
        "loss": one.loss + sample,
        "error": one.error + ratio * sample,
        "growth": one.growth,
    }
    of_population = {"loss": one.loss, "error": one.error, "growth": one.growth}

    def with_failures(means: Mapping[str, Floats]) -> dict[str, Floats]:
        return {
            name: mean + one.failing * (chance[name] - mean) if name in chance else mean
            for name, mean in means.items()
        }

    return Study(
        world=one,
        objective=(one.loss + sample + shared.mean() + searched),
        loss=np.where(failed, CHANCE, loss),
        error=np.where(failed, 0.9, error),
        growth=growth,
        failed=failed,
        line=one.loss[0]
        + one.line
        + sample[0]
        + shared[0]
        + generator.normal(0, 0.5 * confirmed.std(), blocks),
        true=with_failures(true),
        of_population=with_failures(of_population),
        line_truth=float(one.loss[0] + one.line + sample[0]),
    )


def _residuals(one: World, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """The objective's error (cells), already the lowest of the rates tried, and the confirm phase's (cells, blocks)."""
    cells, blocks = len(one.loss), one.num_blocks
    if one.recorded is not None:
        mixing = generator.normal(0, 1, (one.recorded.shape[-1], blocks)) / math.sqrt(
            one.recorded.shape[-1] - 1
        )
        searched, confirmed = one.recorded @ mixing
        return searched.mean(axis=1), confirmed
    scatter = _skewed if one.skewed else _normal
    split = scatter(generator, one.split, (cells, blocks))
    if one.level_block:
        levels = generator.normal(0, one.level_block, (one.shape[0], blocks))
        split = split + np.repeat(levels, cells // one.shape[0], axis=0)
    tried = generator.normal(0, one.retraining, (cells, one.rates, blocks)).mean(axis=-1)
    return split.mean(axis=1) + tried.min(axis=1), split + scatter(generator, one.retraining, (cells, blocks))


def _normal(generator: np.random.Generator, sd: float, shape: tuple[int, ...]) -> Floats:
    return generator.normal(0, sd, shape)


def _skewed(generator: np.random.Generator, sd: float, shape: tuple[int, ...]) -> Floats:
    """A log-normal of that sd, centred, with a skewness of about 2.3."""
    width = 0.6
    values = np.exp(generator.normal(0, width, shape)) - math.exp(width**2 / 2)
    return np.asarray(sd * values / math.sqrt((math.exp(width**2) - 1) * math.exp(width**2)))


def _sample_effects(one: World, confirmed: Floats, generator: np.random.Generator) -> Floats:
    """How this data set shifts each cell, as Nadeau and Bengio's correlation has it: a third of a block's variance."""
    if not one.new_samples:
        return np.zeros(len(one.loss))
    spread = math.sqrt(one.split**2 + one.retraining**2)
    return np.asarray(generator.normal(0, math.sqrt(_TEST_TO_TRAINING) * spread, len(one.loss)))


def studies(one: World, num: int, seed: int) -> Iterator[Study]:
    """So many studies of a world."""
    generator = np.random.default_rng(seed)
    for _ in range(num):
        yield draw(one, generator)


def linear_models(study: Study) -> pd.DataFrame:
    """The line to beat, one row a block."""
    return pd.DataFrame(
        {
            "model": "logistic regression",
            "train_size": math.nan,
            "block": np.arange(1, len(study.line) + 1),
            "strength": 1.0,
            "val_loss": study.line,
            "val_accuracy": 0.9,
            "test_loss": study.line,
            "test_accuracy": 0.9,
            "seconds": 0.1,
        }
    )


def as_recorded(study: Study, plan_version: int = 3) -> ReportInputs:
    """The study's frames: of each cell the search trial that was chosen and the confirm trial, gradients at epoch 0."""
    cells, blocks = study.loss.shape
    levels = study.world.cells
    params = pd.DataFrame(levels).assign(learning_rate=0.01)
    both = pd.concat([params, params], ignore_index=True)
    phase = np.repeat(["search", "confirm"], cells)
    number = np.arange(1, 2 * cells + 1)
    trials = both.assign(
        number=number,
        phase=phase,
        cell=np.tile(np.arange(1, cells + 1), 2),
        state="complete",
        stop_reason=None,
        rung=np.where(phase == "search", len(EPOCHS), np.nan),
        epochs=EPOCHS[-1],
        objective=np.concatenate([study.objective, study.loss.mean(axis=1)]),
        attempt=1,
        started_at=START + timedelta(seconds=1),
        ended_at=START + timedelta(seconds=2),
        busy_seconds=1.0,
        error=None,
        worker="worker",
    )
    tables = {
        "replicates": [_replicates(study, trials, blocks)],
        "epochs": [_epochs(study, blocks)],
        "gradients": [_gradients(study)],
    }
    inputs = assemble(
        study.world.factors,
        [{str(name): value for name, value in row.items()} for row in trials.to_dict("records")],
        tables,
        num_blocks=blocks,
        rates=1,
        rungs=EPOCHS,
        state="complete",
    )
    plan = {**inputs.plan, "plan_version": plan_version}
    return replace(inputs, plan=plan, linear_models=linear_models(study))


def _replicates(study: Study, trials: pd.DataFrame, blocks: int) -> pd.DataFrame:
    rows = trials.loc[trials.index.repeat(blocks)].reset_index(drop=True)
    confirm = (rows["phase"] == "confirm").to_numpy()
    failed = np.concatenate([np.zeros_like(study.failed).ravel(), study.failed.ravel()])

    def of_confirm(values: Floats) -> Floats:
        found = np.concatenate([np.full(values.size, np.nan), values.ravel()])
        return np.where(failed, np.nan, found)

    block = np.tile(np.arange(1, blocks + 1), len(trials))
    val = np.concatenate(
        [np.repeat(study.objective, blocks), np.where(study.failed, np.nan, study.loss).ravel()]
    )
    return pd.DataFrame(
        {
            "trial_number": rows["number"],
            "phase": rows["phase"],
            "cell": rows["cell"],
            **{name: rows[name] for name in (*study.world.factors, "learning_rate")},
            "replicate": block,
            "block": block,
            "outcome": np.where(failed, "diverged", "complete"),
            "val_loss": val,
            "val_accuracy": np.exp(-val),
            "test_loss": of_confirm(study.loss),
            "test_accuracy": 1 - of_confirm(study.error),
            "verdict_initial": "STABLE",
            "verdict_trained": np.where(failed, "DIVERGED", np.where(confirm, "STABLE", "WATCH")),
        }
    )


def _epochs(study: Study, blocks: int) -> pd.DataFrame:
    num = 2 * len(study.loss) * blocks
    epoch = np.tile(EPOCHS, num)
    return pd.DataFrame(
        {
            "trial_number": np.repeat(np.arange(1, 2 * len(study.loss) + 1), blocks * len(EPOCHS)),
            "replicate": np.tile(np.repeat(np.arange(1, blocks + 1), len(EPOCHS)), 2 * len(study.loss)),
            "epoch": epoch,
            "sequence": epoch,
            **dict.fromkeys(("train_loss", "val_loss"), 0.2),
            **dict.fromkeys(("train_accuracy", "val_accuracy"), 0.9),
            "learning_rate": 0.01,
        }
    )


def _gradients(study: Study) -> pd.DataFrame:
    """Two layers, whose ratio is the total growth."""
    cells, blocks = study.growth.shape
    signal = np.stack([np.exp(study.growth), np.ones_like(study.growth)], axis=-1)
    return pd.DataFrame(
        {
            "trial_number": np.repeat(np.arange(cells + 1, 2 * cells + 1), 2 * blocks),
            "replicate": np.tile(np.repeat(np.arange(1, blocks + 1), 2), cells),
            "epoch": 0,
            "layer": np.tile([1, 2], cells * blocks),
            **{name: signal.ravel() for name in ("grad_l2", "grad_l2_max", "grad_rms", "delta_rms")},
            "update_ratio": 1e-3,
            "dead_fraction": 0.0,
        }
    )
