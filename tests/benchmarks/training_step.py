"""How many times its bare matrix products does a stack's training step take?

A step gathers the batch, goes forward, takes the loss, goes backward and updates; the products are those of the same
forward and backward pass, in the same shapes. Both run on one thread with the memory settings of a worker, in
alternating pairs of whole epochs. Goals: in the median of the shapes at most 1.4 without batch norm and 1.8 with it, at
worst 1.6 and 2.1.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch

from tests.benchmarks.contenders.networks import BATCH_SIZE, DEPTHS
from tests.benchmarks.measuring.matrix_products import MatrixProducts
from tests.benchmarks.measuring.pairs import Pairs, time_pairs
from tests.benchmarks.measuring.part import part_parser, run_with_the_memory_of_a_worker
from tests.benchmarks.measuring.stacks import REPLICATES, digits, hyperparameters, prepare_thread
from tests.benchmarks.measuring.text import table
from trainables.data.stack_data import StackData
from trainables.training.loop import run_steps
from trainables.training.stack import Stack

GOALS = {False: (1.4, 1.6), True: (1.8, 2.1)}
"""The most that is allowed in the median of the shapes and in the worst, without and with batch norm."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides how much a step takes besides its products."""

    depth: int
    batch_norm: bool
    dropout: float
    optimizer: str


SHAPES = [
    Shape(depth=depth, batch_norm=batch_norm, dropout=dropout, optimizer=optimizer)
    for batch_norm, depth, dropout, optimizer in product(
        (False, True), DEPTHS, (0.0, 0.3), ("sgd", "adam", "rmsprop")
    )
]


def measure(shape: Shape, data: StackData, *, count: int) -> tuple[Pairs, int]:
    """Return the seconds of epochs of training and of their products, and the steps of an epoch."""
    hp = hyperparameters(
        depth=shape.depth, batch_norm=shape.batch_norm, dropout=shape.dropout, optimizer=shape.optimizer
    )
    replicates = len(data.train)
    stack = Stack.make("mlp", hp, data, seeds=range(replicates))
    batches = torch.split(data.train, BATCH_SIZE, dim=1)
    products = MatrixProducts(
        depth=shape.depth, replicates=replicates, batch_sizes=[rows.shape[1] for rows in batches]
    )
    with torch.no_grad():
        pairs = time_pairs(lambda: run_steps(stack, batches), products.run_epoch, count=count)
    return pairs, len(batches)


def section(shapes: Sequence[Shape], *, count: int, data: StackData) -> str:
    """Return the table, one row for each shape."""
    rows = []
    found: dict[bool, list[float]] = {False: [], True: []}
    for shape in shapes:
        pairs, num_steps = measure(shape, data, count=count)
        step, floor = (f"{1e6 * seconds / num_steps:.0f}" for seconds in pairs.seconds)
        found[shape.batch_norm].append(pairs.ratio.median)
        described = ["on" if shape.batch_norm else "off", shape.depth, shape.dropout, shape.optimizer]
        rows.append([*described, step, floor, pairs.ratio, f"{pairs.wall_ratio.median:.2f}"])
    head = [
        "batch norm",
        "depth",
        "dropout",
        "optimizer",
        "step, µs",
        "products, µs",
        "ratio",
        "on the clock",
    ]
    return "\n\n".join(
        [
            f"A training step of a stack of {len(data.train)} networks of width 64 at batch 64, against the bare "
            "matrix products of its forward and backward pass, on one thread. Ratio: median and range of "
            f"{count} alternating pairs of epochs, by the thread's processor time; beside it the median on the clock. "
            "Microseconds are those of the fastest epoch.",
            table(head, rows),
            *(_against_goals(name, ratios) for name, ratios in found.items() if ratios),
        ]
    )


def _against_goals(batch_norm: bool, ratios: Sequence[float]) -> str:
    median, worst = statistics.median(ratios), max(ratios)
    goals = GOALS[batch_norm]
    is_met = median <= goals[0] and worst <= goals[1]
    return (
        f"{'With' if batch_norm else 'Without'} batch norm {median:.2f} in the median of {len(ratios)} shapes and "
        f"{worst:.2f} at worst (goals: at most {goals[0]:g} and {goals[1]:g}, {'met' if is_met else 'missed'})."
    )


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--pairs", type=int, help="pairs of epochs for each shape")
    options = parser.parse_args()
    prepare_thread()
    shapes = [shape for shape in SHAPES if shape.depth == 5 or not options.quick]
    print(section(shapes, count=options.pairs or (8 if options.quick else 30), data=digits(REPLICATES)))


if __name__ == "__main__":
    run_with_the_memory_of_a_worker("training_step")
    main()
