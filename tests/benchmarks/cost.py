"""How does the cost of an epoch grow with replicates, width, depth and data, and where does a stack pay?

A stack is trained for an epoch, evaluation included, on one thread with the memory settings of a worker; all but what
grows stays as in depth_study: ten networks of five hidden layers of 64 units, batches of 64, as many examples as the
digits have. Beside it stand the same stack in torch's own operations, one such network alone as a plain torch module,
and the bare matrix products of the same epoch.
"""

import math
import os
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tests.benchmarks.contenders.networks import BATCH_SIZE, WIDTH
from tests.benchmarks.measuring import cost_plot
from tests.benchmarks.measuring.floor import least_seconds
from tests.benchmarks.measuring.matrix_products import (
    NUM_CLASSES,
    NUM_FEATURES,
    TRAIN_ROWS,
    MatrixProducts,
    epoch_batches,
)
from tests.benchmarks.measuring.part import part_parser, run_with_the_memory_of_a_worker
from tests.benchmarks.measuring.spread import digits
from tests.benchmarks.measuring.stacks import REPLICATES, hyperparameters, prepare_thread
from tests.benchmarks.measuring.text import table
from trainables.data.stack_data import StackData
from trainables.kernels import cache
from trainables.networks import plain_mlp
from trainables.networks.module_stack import BuildModule
from trainables.training.loop import train_epochs
from trainables.training.stack import Stack

FIGURE = Path(__file__).with_name("cost.png")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a trial is: the networks of its stack, their shape, and the examples that each trains on."""

    replicates: int = REPLICATES
    width: int = WIDTH
    depth: int = 5
    examples: int = TRAIN_ROWS
    features: int = NUM_FEATURES


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of one core that an epoch of one network takes.

    In the stack: plain, and with batch norm and dropout. With both: in a stack of torch's operations, and alone as a
    plain module. The products of the plain one alone.
    """

    size: Size
    plain: float
    regularised: float
    by_torch: float
    alone: float
    products: float


AXES = {
    "replicates": (1, 2, 5, 10, 30, 100),
    "width": (16, 64, 256, 1024),
    "depth": (1, 3, 7, 20, 50),
    "examples": (1000, 10_000, 100_000, 1_000_000),
    "features": (10, 100, 1000, 10_000, 100_000),
}
"""What grows, and the values that it takes."""

QUICK_AXES = {name: values[:2] for name, values in AXES.items()}
LINES = {
    "plain": "plain",
    "regularised": "batch norm, dropout",
    "by_torch": "by torch",
    "alone": "one by one",
    "products": "products",
}
ENOUGH_SECONDS = 2.0
"""Spent on a point, fewer epochs than asked for are enough."""


def measure(size: Size, *, repeats: int) -> Cost:
    """Return what an epoch costs at a size: the least processor time of some repeats counts.

    The whole of a large size is measured on fewer networks where one network's cost is asked for.
    """
    data = made_up_data(size)
    products = MatrixProducts(
        depth=size.depth,
        replicates=size.replicates,
        width=size.width,
        batch_sizes=epoch_batches(size.examples),
        num_features=size.features,
    )
    with _by_torch():
        by_torch = _train(size, data, repeats, regularised=True)
        alone = _train(
            replace(size, replicates=1), data.part(range(1)), repeats, regularised=True, plain=True
        )
    return Cost(
        size=size,
        plain=_train(size, data, repeats, regularised=False),
        regularised=_train(size, data, repeats, regularised=True),
        by_torch=by_torch,
        alone=alone,
        products=least_seconds(products.run_epoch, repeats, enough_seconds=ENOUGH_SECONDS) / size.replicates,
    )


@contextmanager
def _by_torch() -> Iterator[None]:
    """Switch compiled kernels off."""
    os.environ[cache.OFF] = "1"
    try:
        yield
    finally:
        del os.environ[cache.OFF]


def made_up_data(size: Size) -> StackData:
    """Return random examples in the shape of the digits, split 3:1:1 as theirs; the last fifth is never read."""
    generator = torch.Generator().manual_seed(0)
    third = max(1, size.examples // 3)
    num_rows = size.examples + 2 * third
    rows = torch.arange(num_rows).expand(size.replicates, num_rows)
    return StackData(
        inputs=torch.rand(num_rows, size.features, generator=generator),
        targets=torch.randint(NUM_CLASSES, (num_rows,), generator=generator),
        train=rows[:, : size.examples],
        validation=rows[:, size.examples : size.examples + third],
        test=rows[:, size.examples + third :],
        num_classes=NUM_CLASSES,
    )


def _train(size: Size, data: StackData, repeats: int, *, regularised: bool, plain: bool = False) -> float:
    """Return the seconds of an epoch of one network; with `plain` it is a plain module."""
    hp = hyperparameters(depth=size.depth, batch_norm=regularised, dropout=0.3 if regularised else 0.0)
    build: BuildModule | None = plain_mlp.build_plain if plain else None
    seeds = range(size.replicates)
    stack = Stack.make("mlp", replace(hp, width=size.width), data, seeds=seeds, build=build)
    epochs = train_epochs(stack, epochs=repeats + 1)
    return least_seconds(lambda: next(epochs), repeats, enough_seconds=ENOUGH_SECONDS) / size.replicates


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the power of the size with which the cost grows over its upper half, by least squares on logarithms.

    >>> round(exponent([1, 2, 4, 8], [9.0, 8.0, 16.0, 32.0]), 6)
    1.0
    """
    half = len(sizes) // 2 if len(sizes) > 3 else 0
    upper = ([math.log(value) for value in values[half:]] for values in (sizes, seconds))
    return statistics.linear_regression(*upper).slope


def section(costs: dict[str, list[Cost]], *, repeats: int) -> str:
    """Return the tables."""
    tables = []
    for name, measured in costs.items():
        sizes = [getattr(cost.size, name) for cost in measured]
        lines = {line: [getattr(cost, line) for cost in measured] for line in LINES}
        rows: list[list[str]] = [
            [f"{size:,}", *(digits(1e3 * seconds[place]) for seconds in lines.values())]
            for place, size in enumerate(sizes)
        ]
        rows.append(["grows as", *(f"size^{exponent(sizes, seconds):.2f}" for seconds in lines.values())])
        tables.append(table([name, *(f"{text}, ms" for text in LINES.values())], rows))
    return "\n\n".join(
        [
            "Milliseconds of one core for an epoch of one network of the stack, evaluation included: the least of "
            f"{repeats} epochs, or of as many as fit into {ENOUGH_SECONDS:g} s. The stack is plain, or has batch norm "
            "and dropout; these also in a stack of torch’s own operations, and in one network alone, a torch module. "
            f"What does not grow is {REPLICATES} replicates, width {WIDTH}, depth 5, "
            f"{TRAIN_ROWS:,} training examples of {NUM_FEATURES} features, batches of {BATCH_SIZE}, Adam. "
            "The last row of a table fits the upper half of its sizes.",
            *tables,
        ]
    )


def main() -> None:
    """Print the section, and draw it."""
    parser = part_parser(__doc__)
    parser.add_argument("--figure", type=Path, help="where to draw it (default: cost.png, if not quick)")
    options = parser.parse_args()
    prepare_thread()
    axes, repeats = (QUICK_AXES, 2) if options.quick else (AXES, 5)
    costs = {
        name: [measure(replace(Size(), **{name: value}), repeats=repeats) for value in values]
        for name, values in axes.items()
    }
    figure = options.figure or (None if options.quick else FIGURE)
    if figure is not None:
        figure.write_bytes(cost_plot.draw(points(costs)))
        print(
            "![Cost of an epoch of one network against replicates, width, depth, examples and features]"
            f"({figure.name})\n"
        )
    print(section(costs, repeats=repeats))


def points(costs: dict[str, list[Cost]]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Return what is drawn: for each axis and line, sizes with milliseconds."""
    return {
        name: {
            text: [(getattr(cost.size, name), 1e3 * getattr(cost, line)) for cost in measured]
            for line, text in LINES.items()
        }
        for name, measured in costs.items()
    }


if __name__ == "__main__":
    run_with_the_memory_of_a_worker("cost")
    main()
