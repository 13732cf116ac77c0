"""What does recording gradients cost?

A stack of ten replicates (width 64, batch 64, digits) is trained with recording and without any, in alternating pairs,
on one thread and with the memory settings of a worker: as a confirm trial, recorded in every epoch, and as a search
trial, recorded at its rungs. Goals: at most 1.10 for a confirm trial, 1.05 over all that depth_study trains.
"""

from collections.abc import Collection, Sequence
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

KINDS = {
    "confirm trial": (18, range(19), 54 * 18),
    "search trial, stopped": (6, (0, 6), 157 * 6),
    "search trial, to the end": (18, (0, 6, 18), 167 * 18),
}
"""Epochs that a trial of depth_study trains, those in which it records, and how many epochs all such trials of one
study trained."""
GOALS = {"a confirm trial": 1.10, "a study": 1.05}
"""The most that is allowed in the mean over all shapes."""
SHAPES = tuple(product((False, True), DEPTHS, (0.0, 0.3)))
"""Batch norm, depth, dropout."""


def measure(
    hp: Hyperparameters, data: StackData, *, epochs: int, layers_at: Collection[int], count: int
) -> Pairs:
    """Return the seconds of trainings with these epochs recorded (0: the initialisation) and with none."""

    def run(layers_at: Collection[int]) -> None:
        stack = Stack.make("mlp", hp, data, seeds=range(len(data.train)))
        # As in a worker, records are due when the trial reports.
        for epoch in list(train_epochs(stack, epochs=epochs, layers_at=layers_at)):
            epoch.records()

    return time_pairs(lambda: run(layers_at), lambda: run(()), count=count)


def section(shapes: Collection[tuple[bool, int, float]], *, count: int, data: StackData) -> str:
    """Return the table, one row for each shape."""
    rows = []
    found: dict[str, list[float]] = {what: [] for what in GOALS}
    weights = [epochs for _, _, epochs in KINDS.values()]
    for batch_norm, depth, dropout in shapes:
        hp = hyperparameters(depth=depth, batch_norm=batch_norm, dropout=dropout)
        pairs = [
            measure(hp, data, epochs=epochs, layers_at=layers_at, count=count)
            for epochs, layers_at, _ in KINDS.values()
        ]
        num_steps = -(-data.train.shape[1] // hp.batch_size)
        bare = min(
            each.seconds[1] / (epochs * num_steps)
            for each, (epochs, _, _) in zip(pairs, KINDS.values(), strict=True)
        )
        ratios = [each.ratio.median for each in pairs]
        mixed = sum(w * r for w, r in zip(weights, ratios, strict=True)) / sum(weights)
        found["a confirm trial"].append(ratios[0])
        found["a study"].append(mixed)
        figures = [figure for each in pairs for figure in _figures(each)]
        rows.append(
            ["on" if batch_norm else "off", depth, dropout, f"{1e6 * bare:.0f}", *figures, f"{mixed:.3f}"]
        )
    head = ["batch norm", "depth", "dropout", "µs a step without"]
    head += [text for kind in KINDS for text in (kind, "range")] + ["study"]
    return "\n\n".join(
        [
            "Training with gradients recorded over training without, evaluation included: median and range of "
            f"{count} alternating pairs, by the thread's processor time. A confirm trial records every epoch, a search "
            "trial the initialisation and its rungs. The last column weighs them by what depth_study trains.",
            table(head, rows),
            *(_against_goal(what, ratios) for what, ratios in found.items()),
        ]
    )


def _against_goal(what: str, ratios: Sequence[float]) -> str:
    mean = sum(ratios) / len(ratios)
    return (
        f"All shapes alike, {what} takes {mean:.3f} of what it takes without (goal: at most {GOALS[what]:.2f}, "
        f"{'met' if mean <= GOALS[what] else 'missed'})."
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
