"""What does recording gradients cost?

A stack of ten replicates (width 64, batch 64, digits) is trained with recording and without any, in alternating pairs,
on one thread and with the memory settings of a worker: as a confirm trial, recorded in every epoch, and as a search
trial, recorded at its first rung. Goal: at most 1.10 over all that depth_study trains.
"""

from collections.abc import Collection
from itertools import product

from tests.benchmarks.contenders.networks import DEPTHS
from tests.benchmarks.measuring.pairs import Pairs, time_pairs
from tests.benchmarks.measuring.part import part_parser, run_with_the_memory_of_a_worker
from tests.benchmarks.measuring.stacks import REPLICATES, digits, hyperparameters, prepare_thread
from tests.benchmarks.measuring.text import table
from trainables.base.hyperparameters import Hyperparameters
from trainables.data.stack_data import StackData
from trainables.training.loop import train_epochs
from trainables.training.stack import Stack

EPOCHS = 6
"""Those up to the first rung of depth_study."""
CONFIRM_SHARE = 54 * 18 / (54 * 18 + 157 * 6 + 167 * 18)
"""Of the epochs of a stack that a depth_study trained: 54 confirm trials, and search trials stopped at 6 or not."""
GOAL = 1.10
SHAPES = tuple(product((False, True), DEPTHS, (0.0, 0.3)))
"""Batch norm, depth, dropout."""


def measure(hp: Hyperparameters, data: StackData, *, layers_at: Collection[int], count: int) -> Pairs:
    """Return the seconds of short trainings with these epochs recorded (0: the initialisation) and with none."""

    def run(layers_at: Collection[int]) -> None:
        stack = Stack.make("mlp", hp, data, seeds=range(len(data.train)))
        # As in a worker, records are due when the trial reports.
        for epoch in list(train_epochs(stack, epochs=EPOCHS, layers_at=layers_at)):
            epoch.records()

    return time_pairs(lambda: run(layers_at), lambda: run(()), count=count)


def section(shapes: Collection[tuple[bool, int, float]], *, count: int, data: StackData) -> str:
    """Return the table, one row for each shape."""
    rows, whole = [], []
    for batch_norm, depth, dropout in shapes:
        hp = hyperparameters(depth=depth, batch_norm=batch_norm, dropout=dropout)
        confirm = measure(hp, data, layers_at=range(EPOCHS + 1), count=count)
        search = measure(hp, data, layers_at=(0, EPOCHS), count=count)
        num_steps = EPOCHS * -(-data.train.shape[1] // hp.batch_size)
        bare = min(confirm.seconds[1], search.seconds[1])
        mixed = CONFIRM_SHARE * confirm.ratio.median + (1 - CONFIRM_SHARE) * search.ratio.median
        whole.append(mixed)
        figures = [figure for pairs in (confirm, search) for figure in _figures(pairs)]
        step = f"{1e6 * bare / num_steps:.0f}"
        rows.append(["on" if batch_norm else "off", depth, dropout, step, *figures, f"{mixed:.3f}"])
    head = ["batch norm", "depth", "dropout", "µs a step without"]
    head += ["confirm trial", "range", "search trial", "range", "study"]
    mean = sum(whole) / len(whole)
    return "\n\n".join(
        [
            "Training with gradients recorded over training without, evaluation included: median and range of "
            f"{count} alternating pairs of {EPOCHS} epochs, by the thread's processor time. A confirm trial records "
            "every epoch, a search trial the initialisation and its rungs; of the epochs that depth_study trains "
            f"{100 * CONFIRM_SHARE:.0f} % belong to confirm trials, which gives the last column.",
            table(head, rows),
            f"All shapes alike, recording costs a study {mean:.3f} of what it takes without (goal: at most "
            f"{GOAL:.2f}, {'met' if mean <= GOAL else 'missed'}). Every report prints its own run's share.",
        ]
    )


def _figures(pairs: Pairs) -> list[str]:
    return [f"{pairs.ratio.median:.3f}", f"{pairs.ratio.low:.2f} to {pairs.ratio.high:.2f}"]


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--pairs", type=int, help="pairs of trainings for each shape")
    options = parser.parse_args()
    prepare_thread()
    shapes = [shape for shape in SHAPES if shape[1] == 5 or not options.quick]
    print(section(shapes, count=options.pairs or (2 if options.quick else 12), data=digits(REPLICATES)))


if __name__ == "__main__":
    run_with_the_memory_of_a_worker("recording")
    main()
