"""How does the cost of an epoch grow with replicates, width, depth and data?

A stack is trained for an epoch, evaluation included, on one thread with the memory settings of a worker; all but what
grows stays as in depth_study: ten networks of five hidden layers of 64 units, batches of 64, as many examples as the
digits have. Beside it stand the bare matrix products of the same epoch.
"""

import math
import statistics
from collections.abc import Sequence
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


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds of one core that an epoch of one network takes: plain, with batch norm and dropout, its products."""

    size: Size
    plain: float
    regularised: float
    products: float


AXES = {
    "replicates": (1, 2, 5, 10, 20, 40),
    "width": (16, 32, 64, 128, 256, 512),
    "depth": (1, 3, 7, 15, 30),
    "examples": (250, 1000, 4000, 16_000, 60_000),
}
"""What grows, and the values that it takes."""

QUICK_AXES = {name: values[:3] for name, values in AXES.items()}
LINES = {"plain": "plain", "regularised": "batch norm, dropout", "products": "products alone"}


def measure(size: Size, *, repeats: int) -> Cost:
    """Return what an epoch costs at a size: the least processor time of some repeats counts."""
    data = made_up_data(size)
    products = MatrixProducts(
        depth=size.depth,
        replicates=size.replicates,
        width=size.width,
        batch_sizes=epoch_batches(size.examples),
    )
    return Cost(
        size=size,
        plain=_train(size, data, repeats, batch_norm=False, dropout=0.0) / size.replicates,
        regularised=_train(size, data, repeats, batch_norm=True, dropout=0.3) / size.replicates,
        products=least_seconds(products.run_epoch, repeats) / size.replicates,
    )


def made_up_data(size: Size) -> StackData:
    """Return random examples in the shape of the digits, split 3:1:1 as theirs; the last fifth is never read."""
    generator = torch.Generator().manual_seed(0)
    third = max(1, size.examples // 3)
    num_rows = size.examples + 2 * third
    rows = torch.arange(num_rows).expand(size.replicates, num_rows)
    return StackData(
        inputs=torch.rand(num_rows, NUM_FEATURES, generator=generator),
        targets=torch.randint(NUM_CLASSES, (num_rows,), generator=generator),
        train=rows[:, : size.examples],
        validation=rows[:, size.examples : size.examples + third],
        test=rows[:, size.examples + third :],
        num_classes=NUM_CLASSES,
    )


def _train(size: Size, data: StackData, repeats: int, *, batch_norm: bool, dropout: float) -> float:
    hp = hyperparameters(depth=size.depth, batch_norm=batch_norm, dropout=dropout)
    stack = Stack.make("mlp", replace(hp, width=size.width), data, seeds=range(size.replicates))
    epochs = train_epochs(stack, epochs=repeats + 1)
    return least_seconds(lambda: next(epochs), repeats)


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
            f"{repeats} epochs. What does not grow is {REPLICATES} replicates, width {WIDTH}, depth 5, "
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
            f"![Cost of an epoch of one network against replicates, width, depth and examples]({figure.name})\n"
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
