"""What does recording gradients cost?

A stack of ten replicates (width 64, batch 64, digits) is trained with recording in every epoch and without any, in
alternating pairs, on one thread and with the memory settings of a worker. Goal: at most 1.10.
"""

from collections.abc import Collection
from itertools import product

from tests.benchmarks.contenders.networks import DEPTHS
from tests.benchmarks.measuring.pairs import Pairs, time_pairs
from tests.benchmarks.measuring.part import part_parser, run_with_the_memory_of_a_worker
from tests.benchmarks.measuring.stacks import REPLICATES, digits, hyperparameters, prepare_thread
from tests.benchmarks.measuring.text import table
from trainables.hyperparameters import Hyperparameters
from trainables.training import Stack, StackData, train_epochs

EPOCHS = 4
GOAL = 1.10
SHAPES = tuple(product((False, True), DEPTHS, (0.0, 0.3)))
"""Batch norm, depth, dropout."""


def measure(hp: Hyperparameters, data: StackData, *, count: int) -> tuple[Pairs, int]:
    """Return the seconds of short trainings with recording and without, and the steps of one."""

    def run(layers_at: Collection[int]) -> None:
        stack = Stack.make("mlp", hp, data, seeds=range(len(data.train)))
        # As the initialisation tells, which is measured once in a trial.
        stack.precise_norms = False
        trained = list(train_epochs(stack, epochs=EPOCHS, layers_at=layers_at))
        # As in a worker, records are due when the trial reports.
        for epoch in trained:
            epoch.records()

    pairs = time_pairs(lambda: run(range(1, EPOCHS + 1)), lambda: run(()), count=count)
    return pairs, EPOCHS * -(-data.train.shape[1] // hp.batch_size)


def section(shapes: Collection[tuple[bool, int, float]], *, count: int, data: StackData) -> str:
    """Return the table, one row for each shape."""
    rows = []
    for batch_norm, depth, dropout in shapes:
        hp = hyperparameters(depth=depth, batch_norm=batch_norm, dropout=dropout)
        pairs, num_steps = measure(hp, data, count=count)
        recorded, bare = pairs.seconds
        goal = "yes" if pairs.ratio.median <= GOAL else "no"
        figures = [f"{1e6 * bare / num_steps:.0f}", f"{recorded / bare:.3f}", f"{pairs.ratio.median:.3f}"]
        limits = f"{pairs.ratio.low:.2f} to {pairs.ratio.high:.2f}"
        rows.append(["on" if batch_norm else "off", depth, dropout, *figures, limits, goal])
    head = ["batch norm", "depth", "dropout", "µs a step without", "fastest", "median", "range", "goal met"]
    return "\n\n".join(
        [
            "Training with gradients recorded in every epoch over training without, evaluation included: ratio of the "
            f"fastest, and median and range of {count} alternating pairs of {EPOCHS} epochs, by the thread's processor "
            f"time. Goal: a median of at most {GOAL:.2f}.",
            table(head, rows),
        ]
    )


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--pairs", type=int, help="pairs of trainings for each shape")
    options = parser.parse_args()
    prepare_thread()
    shapes = [shape for shape in SHAPES if shape[1] == 5 or not options.quick]
    print(section(shapes, count=options.pairs or (5 if options.quick else 20), data=digits(REPLICATES)))


if __name__ == "__main__":
    run_with_the_memory_of_a_worker("recording")
    main()
