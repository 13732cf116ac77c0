"""Where the seconds of a whole run go: parts that add up to its time on the clock."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

import pandas as pd

from tests.benchmarks.measuring.text import table

PARTS = (
    "from the command to the first trial: Python, imports, data, Ray and the workers' start",
    "workers training, measuring and reporting, while they are at work on a trial",
    "the rest of a trial: its report on the way to the driver, decided on and committed",
    "from one trial to the next: the next one proposed, committed and handed out",
    "workers without a trial, at the beginning and the end of the training",
    "from the last trial to the end: best model, report, Ray's end",
)


@dataclass(frozen=True, kw_only=True)
class TimeSpent:
    """Seconds on the clock, in the order of `PARTS`; those of workers are the mean over them."""

    before: float
    training: float
    reporting: float
    between: float
    waiting: float
    after: float

    @classmethod
    def of(cls, trials: pd.DataFrame, *, began: float, ended: float) -> Self:
        """Take the trials of a run that was never interrupted, and when its command began and ended, since 1970."""
        starts, ends = (trials[name].map(lambda at: at.timestamp()) for name in ("started_at", "ended_at"))
        work = pd.DataFrame(
            {"worker": trials["worker"], "start": starts, "end": ends, "busy": trials["busy_seconds"]}
        )
        first, last = starts.min(), ends.max()
        by_worker = work.groupby("worker")
        spans = by_worker["end"].max() - by_worker["start"].min()
        at_work = (work["end"] - work["start"]).groupby(work["worker"]).sum()
        busy = by_worker["busy"].sum()
        return cls(
            before=first - began,
            training=busy.mean(),
            reporting=(at_work - busy).mean(),
            between=(spans - at_work).mean(),
            waiting=(last - first) - spans.mean(),
            after=ended - last,
        )

    @property
    def total(self) -> float:
        """All of it: the time on the clock."""
        total: float = sum(astuple(self))
        return total


def table_of_time(spent: Sequence[TimeSpent]) -> str:
    """Return where the time of the first run went."""
    first = spent[0]
    rows = [
        [name, f"{seconds:.1f}", f"{100 * seconds / first.total:.1f}"]
        for name, seconds in zip(PARTS, astuple(first), strict=True)
    ]
    return table(["where the first run's time went", "s", "%"], [*rows, ["all", f"{first.total:.1f}", "100"]])
