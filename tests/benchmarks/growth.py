"""Does anything in the driver grow faster than the number of trials?

The real driver with its searcher, scheduler, recorder and database, but for Ray: made-up reports come at once. Each
study is interrupted when a tenth of its trials have ended, resumed, and interrupted again at the end. What grows
with the square of the trials costs ten times as much for one of the last trials as for one of the first tenth.
"""

import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.run import main as run_command
from tests.benchmarks.driving.command import INTERRUPTED, run_words
from tests.benchmarks.driving.loop import without_ray
from tests.benchmarks.driving.meter import Meter
from tests.benchmarks.driving.readings import PARTS, Taken
from tests.benchmarks.measuring.part import part_parser
from tests.benchmarks.measuring.spread import digits
from tests.benchmarks.measuring.text import table

WORKERS = 2


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of study: what is searched, and by whom."""

    name: str
    study: str
    settings: Mapping[str, Any]
    trials_field: str
    groups: int

    def words(self, num_trials: int, replicates: int, folder: str) -> list[str]:
        """Return the options that make it a study of a few trials more than `num_trials`."""
        per_group = num_trials // self.groups + 2
        settings = {**self.settings, "replicates": replicates, self.trials_field: per_group}
        return [self.study, *run_words(settings, workers=WORKERS, folder=folder)]


KINDS = (
    Kind(
        name="54 cells",
        study="depth_study",
        settings={},
        trials_field="search.trials_per_cell",
        groups=54,
    ),
    Kind(
        name="1,000 cells",
        study="depth_study",
        settings={
            "factors.depth": [1, 2, 3, 4, 5],
            "factors.dropout": [0.05 * step for step in range(10)],
            "factors.optimizer": ["sgd", "adam"],
            "factors.width": [8 * step for step in range(1, 11)],
            "factors.batch_norm": [False],
        },
        trials_field="search.trials_per_cell",
        groups=1000,
    ),
    Kind(
        name="2 cells",
        study="depth_study",
        settings={
            "factors.depth": [3, 5],
            "factors.dropout": [0.1],
            "factors.batch_norm": [False],
            "factors.optimizer": ["adam"],
        },
        trials_field="search.trials_per_cell",
        groups=2,
    ),
    Kind(
        name="no cells, random",
        study="tuning_study",
        settings={"search.sampler": "random"},
        trials_field="search.trials",
        groups=1,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """What a trial of the driver's took early and late, and how long two resumes took to their first trial."""

    early: Taken
    late: Taken
    resumes: tuple[float, float]


def measure(kind: Kind, *, num_trials: int, replicates: int) -> Growth:
    """Run a study to a tenth and to `num_trials`; early and late are the last half of each stretch."""
    tenth = num_trials // 10
    with tempfile.TemporaryDirectory() as folder:
        words = kind.words(num_trials, replicates, folder)
        meters = [Meter(stop_after=count) for count in (tenth, num_trials - tenth, 1)]
        resumes = []
        for meter in meters:
            started = time.perf_counter()
            said = io.StringIO()
            with without_ray(Path(folder)), meter.in_place(), redirect_stderr(said):
                code = run_command(words)
            assert code == INTERRUPTED, f"the run ended with {code}: {said.getvalue()}"
            assert meter.first_suggested is not None
            resumes.append(meter.first_suggested - started)
    return Growth(
        early=meters[0].taken(tenth // 2, tenth),
        late=meters[1].taken(num_trials - tenth - tenth // 2, num_trials - tenth),
        resumes=(resumes[1], resumes[2]),
    )


def section(kinds: Sequence[Kind], *, num_trials: int, replicates: int) -> str:
    """Return the tables."""
    rows, resumes = [], []
    for kind in kinds:
        growth = measure(kind, num_trials=num_trials, replicates=replicates)
        early, late = growth.early.cpu_by_part, growth.late.cpu_by_part
        whole = sum(early.values()), sum(late.values())
        for part, *seconds in [*((part, early[part], late[part]) for part in PARTS), ("all", *whole)]:
            rows.append(
                [kind.name, part, *(f"{1e3 * each:.2f}" for each in seconds), digits(seconds[1] / seconds[0])]
            )
        resumes.append(
            [kind.name, *map(digits, growth.resumes), digits(growth.resumes[1] / growth.resumes[0])]
        )
    tenth = num_trials // 10
    return "\n\n".join(
        [
            f"The driver without Ray, on made-up reports of {replicates} replicates: milliseconds of processor time "
            f"for a trial, after {tenth:,} trials and after {num_trials:,}. A quadratic step would come to 10 times.",
            table(["study", "part", f"at {tenth:,}", f"at {num_trials:,}", "times"], rows),
            f"Seconds on the clock from the command to the first new trial of a resume, after {tenth:,} trials and "
            f"after {num_trials:,} (10 times would be in proportion):",
            table(["study", f"at {tenth:,}", f"at {num_trials:,}", "times"], resumes),
        ]
    )


def main() -> None:
    """Print the section."""
    parser = part_parser(__doc__)
    parser.add_argument("--trials", type=int, help="trials of each study (default: 10,000)")
    parser.add_argument("--replicates", type=int, default=2, help="replicates of each trial")
    options = parser.parse_args()
    num_trials = options.trials or (600 if options.quick else 10_000)
    kinds = [KINDS[0], KINDS[3]] if options.quick else KINDS
    print(section(kinds, num_trials=num_trials, replicates=options.replicates))


if __name__ == "__main__":
    main()
