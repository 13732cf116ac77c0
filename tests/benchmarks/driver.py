"""Does the driver keep up with its workers, and does its memory stay flat?

The real path from Ray Tune through searcher, scheduler and recorder to the database. Workers really train depth_study,
sharing the cores that there are; or, as on a machine with a core for each, they wait as long as a trial takes and then
report as much as its ten replicates would; or do that without waiting.
"""

import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from studies.raytune import experiment
from studies.run import main as run_command
from tests.benchmarks.driving.command import INTERRUPTED, run_words
from tests.benchmarks.driving.light import light_trial
from tests.benchmarks.driving.meter import Meter
from tests.benchmarks.driving.readings import PARTS, Taken
from tests.benchmarks.measuring.part import part_parser
from tests.benchmarks.measuring.text import table
from trainables.trial import StackTrial

REPLICATES = 10
SECONDS_PER_EPOCH = 0.085
"""What an epoch of ten networks takes a worker with one core in depth_study: a trial takes about 1.1 s."""

MAX_SHARE = 0.05
NUM_CELLS = 54
MIN_TRIALS = 150
"""Over fewer trials, memory says more of what was done for the first time than of what a trial adds."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """So many workers, each of which waits so long for an epoch, until so many trials have ended; None: they train."""

    workers: int
    seconds_per_epoch: float | None
    trials: int

    @property
    def work(self) -> str:
        """What the workers do."""
        return "train" if self.seconds_per_epoch is None else "wait" if self.seconds_per_epoch else "nothing"


FULL = (
    Setting(workers=2, seconds_per_epoch=0.0, trials=2000),
    *(Setting(workers=workers, seconds_per_epoch=None, trials=200) for workers in (2, 8, 16)),
    Setting(workers=2, seconds_per_epoch=SECONDS_PER_EPOCH, trials=100),
    Setting(workers=8, seconds_per_epoch=SECONDS_PER_EPOCH, trials=400),
    Setting(workers=16, seconds_per_epoch=SECONDS_PER_EPOCH, trials=1000),
    Setting(workers=64, seconds_per_epoch=9 * SECONDS_PER_EPOCH, trials=800),
)
QUICK = (Setting(workers=2, seconds_per_epoch=0.0, trials=300),)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What trials took once all workers had started, and the driver's memory in MiB after so many trials."""

    setting: Setting
    taken: Taken
    memory: dict[int, float]

    @property
    def share(self) -> float:
        """Share of the time on the clock that search, ASHA and recording take of the driver."""
        return self.taken.wall_of_parts / self.taken.wall

    @property
    def busy_share(self) -> float:
        """Share of the time in which the workers trained, or rather waited."""
        return self.taken.busy / (self.setting.workers * self.taken.wall)

    @property
    def mib_per_thousand(self) -> float:
        """How much memory a thousand trials added in the last half of them."""
        counts = sorted(self.memory)
        middle, last = counts[len(counts) // 2], counts[-1]
        return 1000 * (self.memory[last] - self.memory[middle]) / max(1, last - middle)


def measure(setting: Setting, *, replicates: int = REPLICATES) -> Measured:
    """Run a study until enough trials have ended, and interrupt it."""
    settings = {"replicates": replicates, "search.trials_per_cell": setting.trials // NUM_CELLS + 2}
    meter, said = Meter(stop_after=setting.trials), io.StringIO()
    trainable = StackTrial if setting.seconds_per_epoch is None else light_trial(setting.seconds_per_epoch)
    with tempfile.TemporaryDirectory() as folder:
        words = ["depth_study", *run_words(settings, workers=setting.workers, folder=folder)]
        with (
            patch.object(experiment, "StackTrial", trainable),
            meter.in_place(),
            redirect_stderr(said),
            redirect_stdout(said),  # on which Ray warns of many workers on few cores
        ):
            code = run_command(words)
    assert code == INTERRUPTED, f"the run ended with {code}: {said.getvalue()}"
    # The second half: on few cores many workers take long to start, and those that have started train meanwhile.
    taken = meter.taken(setting.trials // 2, setting.trials)
    return Measured(setting=setting, taken=taken, memory=meter.memory)


def section(measured: Sequence[Measured]) -> str:
    """Return the tables."""
    return "\n\n".join(
        [
            f"Made-up reports of {REPLICATES} replicates at the rungs of depth_study, once all workers have started. "
            "Share: of the time on the clock that the driver's main thread spends in, or waits for, search, ASHA and "
            f"recording; goal: below {MAX_SHARE:.0%} where trials take as long as in depth_study: where workers train, "
            "all on this machine's cores, or wait as if each had a core of its own. Milliseconds are of "
            "processor time of the driver for a trial, by part, and on the clock for those parts together.",
            table(
                [
                    "workers",
                    "they",
                    "s a trial",
                    "trials",
                    "results each",
                    "workers busy",
                    "share",
                    "goal met",
                    "of it on the clock, ms",
                ],
                map(_shares, measured),
            ),
            table(
                [
                    "workers",
                    "they",
                    "s a trial",
                    *(f"{part}, ms" for part in PARTS),
                    "Tune and Ray, ms",
                    "all, ms",
                    "all, ms a result",
                ],
                map(_milliseconds, measured),
            ),
            "Memory of the driver's process:",
            table(
                [
                    "workers",
                    "they",
                    "s a trial",
                    "MiB at the start",
                    "half-way",
                    "at the end",
                    "MiB for 1,000 more trials",
                ],
                map(_memory, measured),
            ),
        ]
    )


def _name(measured: Measured) -> list[str]:
    return [str(measured.setting.workers), measured.setting.work, f"{measured.taken.busy:.2f}"]


def _shares(measured: Measured) -> list[str]:
    taken = measured.taken
    met = "yes" if measured.share < MAX_SHARE else "no"
    return [
        *_name(measured),
        f"{taken.trials:,}",
        f"{taken.results:.2f}",
        f"{measured.busy_share:.1%}" if measured.setting.work != "nothing" else "",
        f"{measured.share:.1%}",
        met if measured.setting.work != "nothing" else "",
        f"{1e3 * taken.wall_of_parts:.1f}",
    ]


def _milliseconds(measured: Measured) -> list[str]:
    taken = measured.taken
    rest = taken.cpu - taken.cpu_of_parts
    seconds = [*taken.cpu_by_part.values(), rest, taken.cpu, taken.cpu / taken.results]
    return [*_name(measured), *(f"{1e3 * each:.2f}" for each in seconds)]


def _memory(measured: Measured) -> list[str]:
    counts = sorted(measured.memory)
    looks = [measured.memory[count] for count in (counts[0], counts[len(counts) // 2], counts[-1])]
    is_told = counts[-1] - counts[len(counts) // 2] >= MIN_TRIALS
    added = f"{measured.mib_per_thousand:.1f}" if is_told else ""
    return [*_name(measured), *(f"{look:.0f}" for look in looks), added]


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--trials", type=int, help="trials of the workers that do not wait (try 10000)")
    options = parser.parse_args()
    settings: Sequence[Setting] = QUICK if options.quick else FULL
    if options.trials:
        settings = [Setting(workers=2, seconds_per_epoch=0.0, trials=options.trials)]
    print(section([measure(setting) for setting in settings]))


if __name__ == "__main__":
    main()
