"""A short pilot: a few of a plan's configurations trained here and now, to predict what the whole will take."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from search_spaces import Value
from studies.planning import Cell, Plan
from trainables.datasets import Dataset
from trainables.evaluation import evaluate
from trainables.hyperparameters import Hyperparameters
from trainables.metrics import classification, find
from trainables.seeds import derive_seed
from trainables.splits import Split, split_block
from trainables.stack import Stack
from trainables.stack_data import StackData
from trainables.training import train

MAX_CELLS = 6
"""Cells that a pilot trains: some of every level, not all of every combination."""

MAX_BLOCKS = 5
"""Replicates in a pilot's stack."""

MAX_SECONDS = 20.0
"""A pilot trains fewer epochs than the plan rather than longer than about that."""

MAX_EXAMPLES = 100_000
"""Of larger data a pilot takes every second example, or third, ...: an epoch alone would take minutes."""


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """What a pilot measured.

    `seconds_per_network_epoch`: one worker's time for an epoch of one network in a stack. `outcomes`: one row for
    each cell and block with the factors, `block` and `test_loss` in nats, capped at chance, after `epochs`.
    """

    seconds_per_network_epoch: float
    outcomes: pd.DataFrame
    epochs: int


def run_pilot(plan: Plan, dataset: Dataset, *, epochs: int | None = None) -> Pilot:
    """Train up to six cells at the middle of their nuisances' ranges, for the plan's epochs unless given fewer.

    It takes about a thousandth of the study; where that is long, all cells train as many epochs as there is time for.
    One thread, as a worker of a busy machine has.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _run(plan, dataset, epochs or plan.study.confirm.epochs)
    finally:
        torch.set_num_threads(threads)


def _run(plan: Plan, dataset: Dataset, epochs: int) -> Pilot:
    blocks = range(min(MAX_BLOCKS, plan.study.replicates))
    stride = -(-len(dataset.targets) // MAX_EXAMPLES)
    splits = [
        _thinned(
            split_block(
                dataset.targets,
                seed=plan.seed,
                block=b,
                train_size=plan.study.fixed.get("train_size"),  # type: ignore[arg-type]
                official_test=dataset.official_test,
            ),
            stride,
        )
        for b in blocks
    ]
    data = StackData.make(dataset, splits, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    seeds = [derive_seed(plan.seed, "pilot", block) for block in blocks]
    seconds, network_epochs = 0.0, 0
    rows: list[dict[str, object]] = []
    cells = _pilot_levels(plan)
    for levels in cells:
        values = plan.hyperparameters({**levels, **middle(plan, levels)})
        hp = Hyperparameters.from_dict(values, own=plan.study.hyperparameters)
        started = time.perf_counter()
        stack = Stack.make(plan.study.model, hp, data, seeds=seeds, build=plan.build)
        for records in train(stack, epochs=epochs):
            network_epochs += len(seeds) * bool(records)  # nothing is trained when all have stopped early
            if not rows and time.perf_counter() - started > MAX_SECONDS / len(cells):
                epochs = stack.epoch  # for the other cells too: they are compared after as many
            if stack.epoch == epochs:
                break
        seconds += time.perf_counter() - started
        rows += _outcomes(stack, levels, dataset.num_classes)
    per_epoch = stride * seconds / network_epochs
    return Pilot(seconds_per_network_epoch=per_epoch, outcomes=pd.DataFrame(rows), epochs=epochs)


def _thinned(split: Split, stride: int) -> Split:
    return Split(
        train=split.train[::stride], validation=split.validation[::stride], test=split.test[::stride]
    )


@torch.no_grad()
def _outcomes(stack: Stack, levels: Mapping[str, Value], num_classes: int) -> list[dict[str, object]]:
    losses, _ = evaluate(stack.model, stack.data, stack.data.test)
    metric = find(classification(num_classes), "test_loss")
    return [
        {**levels, "block": block, "test_loss": metric.score(loss)}
        for block, loss in enumerate(losses.tolist())
    ]


def _pilot_levels(plan: Plan) -> Sequence[Mapping[str, Value]]:
    """Return pairs of cells that differ in the first factor's first two levels, the rest spread evenly."""
    if not plan.cells:
        return [{name: levels[0] for name, levels in plan.study.factors.items()}]
    first = next(iter(plan.study.factors))
    levels = plan.study.factors[first][:2]
    settings = [cell for cell in plan.cells if cell.levels[first] == levels[0]]
    count = min(len(settings), MAX_CELLS // len(levels))
    chosen = [settings[index] for index in np.linspace(0, len(settings) - 1, count).round().astype(int)]
    return [_with(cell, first, level) for cell in chosen for level in levels]


def _with(cell: Cell, factor: str, level: Value) -> dict[str, Value]:
    return {**cell.levels, factor: level}


def middle(plan: Plan, levels: Mapping[str, Value]) -> dict[str, Value]:
    """Return the middle of every nuisance's range, on its own scale."""
    middles: dict[str, Value] = {}
    for name, distribution in plan.study.nuisance_distributions(levels).items():
        choices = getattr(distribution, "choices", None)
        if choices is not None:
            middles[name] = choices[len(choices) // 2]
            continue
        low, high = distribution.low, distribution.high  # type: ignore[attr-defined]
        middle = math.sqrt(low * high) if distribution.log else (low + high) / 2  # type: ignore[attr-defined]
        middles[name] = round(middle) if isinstance(low, int) else middle
    return middles
