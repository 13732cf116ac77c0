"""What the driver had taken when a trial ended, and what trials took in the mean between two such moments."""

from dataclasses import dataclass
from typing import Self

SUGGESTING = "search"
DECIDING = "ASHA"
TELLING = "telling Optuna"
RECORDING = "making rows"
DATABASE = "database"
PARTS = (SUGGESTING, DECIDING, TELLING, RECORDING, DATABASE)
"""The driver's own parts; the rest of it is Tune's and Ray's."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Totals when a trial ended: seconds of the clock and of the processor since the first trial was asked for.

    `wall_by_part` is what the main thread spent or waited in each part, `cpu_by_part` the processor time of any
    thread for it. `busy` adds up the workers' seconds.
    """

    trials: int
    results: int
    wall: float
    cpu: float
    wall_by_part: dict[str, float]
    cpu_by_part: dict[str, float]
    busy: float


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds that a trial took, in the mean over `trials` of them; `results` is how many each had."""

    trials: int
    results: float
    wall: float
    cpu: float
    wall_by_part: dict[str, float]
    cpu_by_part: dict[str, float]
    busy: float

    @classmethod
    def between(cls, first: Reading, last: Reading) -> Self:
        """Return the means over the trials that ended between two readings."""
        trials = last.trials - first.trials

        def mean(before: float, after: float) -> float:
            return (after - before) / trials

        return cls(
            trials=trials,
            results=mean(first.results, last.results),
            wall=mean(first.wall, last.wall),
            cpu=mean(first.cpu, last.cpu),
            wall_by_part={part: mean(first.wall_by_part[part], last.wall_by_part[part]) for part in PARTS},
            cpu_by_part={part: mean(first.cpu_by_part[part], last.cpu_by_part[part]) for part in PARTS},
            busy=mean(first.busy, last.busy),
        )

    @property
    def wall_of_parts(self) -> float:
        """Seconds of the clock that the driver's own parts take."""
        return sum(self.wall_by_part.values())

    @property
    def cpu_of_parts(self) -> float:
        """Processor seconds that the driver's own parts take."""
        return sum(self.cpu_by_part.values())
