"""A short pilot: trains a few of a plan's configurations on this machine, to predict the time of the whole study."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from search_spaces import Value
from studies.definition.ranges import middle
from studies.definition.study import Study
from studies.planning.plan import Cell, Plan
from trainables.base.hyperparameters import Hyperparameters
from trainables.base.metrics import COLUMNS, TEST, VALIDATION, classification, find
from trainables.base.seeds import derive_seed
from trainables.data.dataset import Dataset
from trainables.data.splits import Split, split_block
from trainables.data.stack_data import StackData
from trainables.training.evaluation import evaluate
from trainables.training.kernel_cache import make_ready
from trainables.training.loop import train
from trainables.training.stack import Stack
from trainables.trials.loop_trial import LoopTrial
from trainables.trials.reporting import validation_score
from trainables.trials.trial_spec import TrialSpec
from trainables.user_code.loop import Loop
from trainables.user_code.random_numbers import generators_kept

MAX_CELLS = 6
"""Most cells that a pilot trains: some of every level, not every combination."""

MAX_BLOCKS = 5
"""Most replicates in a pilot's stack."""

MAX_SECONDS = 20.0
"""A pilot trains fewer epochs than the plan if it would take longer than about this."""

MAX_EXAMPLES = 100_000
"""Of larger data a pilot uses every second, third, ... example: an epoch alone would take minutes."""

MAX_PIXELS = 120_000
"""The same limit for convolutional networks, whose time grows with the pixels of all examples (digits just fits)."""


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """The measurements of a pilot.

    `seconds_per_network_epoch`: one worker's time for an epoch of one network in a stack. `outcomes`: one row for
    each cell and block with the factors, `block` and what `outcome_of` names (`test_loss` in nats, capped at chance;
    where a loop of the user's own trains, its primary metric), after `epochs`. It is taken on the validation part: the
    test part is read once, in the confirm phase.
    `stride`: one of so many examples was taken.
    """

    seconds_per_network_epoch: float
    outcomes: pd.DataFrame
    epochs: int
    stride: int = 1


def run_pilot(plan: Plan, dataset: Dataset, *, epochs: int | None = None) -> Pilot:
    """Train up to six cells at the middle of their nuisances' ranges, for `epochs` (default: the plan's).

    It takes about a thousandth of the study's time; where that is long, all cells train as many epochs as fit into the
    limit. It uses one thread, as a worker on a busy machine does.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if plan.loop is None:
            make_ready(plan.study.model)  # compiling or loading kernels is no part of an epoch's time
        with generators_kept():
            return _run(plan, dataset, epochs or plan.study.confirm.epochs)
    finally:
        torch.set_num_threads(threads)


def _run(plan: Plan, dataset: Dataset, epochs: int) -> Pilot:
    blocks = range(min(MAX_BLOCKS, plan.study.replicates))
    stride = _stride(plan, dataset)
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
        values = plan.hyperparameters({**levels, **amid_ranges(plan, levels)})
        hp = Hyperparameters.from_dict(values, own=plan.study.hyperparameters)
        started = time.perf_counter()
        trained = _train(plan, hp, data, seeds, epochs)
        for epoch, num_trained, scores_then in trained:
            scores = scores_then
            network_epochs += num_trained  # 0 once all networks have stopped early
            if not rows and time.perf_counter() - started > MAX_SECONDS / len(cells):
                epochs = epoch  # for the other cells too, so that they are comparable
            if epoch == epochs:
                break
        seconds += time.perf_counter() - started
        name = outcome_of(plan.study)
        rows += [{**levels, "block": block, name: score} for block, score in enumerate(scores())]
    per_epoch = stride * seconds / network_epochs
    return Pilot(
        seconds_per_network_epoch=per_epoch, outcomes=pd.DataFrame(rows), epochs=epochs, stride=stride
    )


def _stride(plan: Plan, dataset: Dataset) -> int:
    examples = len(dataset.targets)
    pixels = examples * math.prod(dataset.shape or ()) if plan.study.model == "cnn" else 0
    return max(math.ceil(examples / MAX_EXAMPLES), math.ceil(pixels / MAX_PIXELS))


def _thinned(split: Split, stride: int) -> Split:
    return Split(
        train=split.train[::stride], validation=split.validation[::stride], test=split.test[::stride]
    )


def _train(
    plan: Plan, hp: Hyperparameters, data: StackData, seeds: Sequence[int], epochs: int
) -> Iterator[tuple[int, int, Callable[[], list[float]]]]:
    """Train one configuration; yield each epoch, its number of trained networks, and a function for the outcomes."""
    if plan.loop is not None:
        yield from _train_by_loop(plan, plan.loop, hp, data, seeds, epochs)
        return
    stack = Stack.make(plan.study.model, hp, data, seeds=seeds, build=plan.build)
    for records in train(stack, epochs=epochs):
        yield stack.epoch, len(seeds) * bool(records), lambda: _losses(stack)


def _train_by_loop(
    plan: Plan, loop: Loop, hp: Hyperparameters, data: StackData, seeds: Sequence[int], epochs: int
) -> Iterator[tuple[int, int, Callable[[], list[float]]]]:
    study, blocks = plan.study, tuple(range(len(seeds)))
    trial_spec = TrialSpec(
        number=0,
        model=study.model,
        objective=study.objective,
        metrics=study.metrics,
        hyperparameters=hp,
        blocks=blocks,
        seeds=tuple(seeds),
        rungs=(epochs,),
        layers_at=(),
    )
    metric = (study.metrics or classification(data.num_classes))[0]
    trial = LoopTrial(trial_spec, data, loop, checkpoint=None)
    while trial.epoch < epochs:
        interval = trial.train_interval(lambda epoch: True)
        scores = [
            metric.score(validation_score(each, VALIDATION + metric.name)) for each in interval.replicates
        ]
        yield interval.epoch, len(seeds), lambda scores=scores: scores  # type: ignore[misc]


@torch.no_grad()
def _losses(stack: Stack) -> list[float]:
    losses, _ = evaluate(stack.model, stack.data, stack.data.validation)
    metric = find(classification(stack.data.num_classes), VALIDATION + COLUMNS[0])
    return [metric.score(loss) for loss in losses.tolist()]


def outcome_of(study: Study) -> str:
    """Return the name of the metric that the confirm phase of a study compares."""
    return TEST + (study.metrics[0].name if study.metrics else COLUMNS[0])


def _pilot_levels(plan: Plan) -> Sequence[Mapping[str, Value]]:
    """Return pairs of cells that differ in the first two levels of the first factor, spread evenly over the others."""
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


def amid_ranges(plan: Plan, levels: Mapping[str, Value]) -> dict[str, Value]:
    """Return the middle of every nuisance's range in the cell with these levels."""
    return {name: middle(range_) for name, range_ in plan.study.nuisance_distributions(levels).items()}
