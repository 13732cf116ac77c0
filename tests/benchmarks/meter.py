"""A meter in the driver: which of its parts takes how much time, trial by trial."""

import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from studies.database.results import TrialResult
from studies.database.store import Store
from studies.tuning.agenda import Agenda
from studies.tuning.recorder import Recorder
from studies.tuning.scheduler import RungScheduler
from studies.tuning.searcher import AgendaSearcher

SUGGESTING = "suggesting"
DECIDING = "ASHA"
TELLING = "telling Optuna"
RECORDING = "making rows"
DATABASE = "database"
REST = "Tune and Ray"
OURS = (SUGGESTING, DECIDING, TELLING, RECORDING, DATABASE)

PARTS: Sequence[tuple[type, str, str]] = (
    (AgendaSearcher, "suggest", SUGGESTING),
    (RungScheduler, "on_trial_result", DECIDING),
    (Agenda, "reach", TELLING),
    (Agenda, "end", TELLING),
    (Recorder, "on_trial_start", RECORDING),
    (Recorder, "on_trial_result", RECORDING),
    (Store, "add_trial", DATABASE),
    (Store, "start_trial", DATABASE),
    (Store, "record_result", DATABASE),
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the driver had done and taken when a trial ended: seconds since the first trial began, by part."""

    trials: int
    results: int
    wall: float
    cpu: float
    wall_by_part: dict[str, float]
    cpu_by_part: dict[str, float]
    busy: float
    """Seconds of the workers' time, summed over them."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a trial took of the driver, in the mean over a stretch of trials; seconds."""

    trials: int
    results: int
    wall: float
    cpu: float
    wall_by_part: dict[str, float]
    cpu_by_part: dict[str, float]
    busy: float

    @classmethod
    def between(cls, first: Reading, last: Reading) -> "Taken":
        """Return the means over the trials that ended between two readings."""
        trials = last.trials - first.trials
        return cls(
            trials=trials,
            results=last.results - first.results,
            wall=(last.wall - first.wall) / trials,
            cpu=(last.cpu - first.cpu) / trials,
            wall_by_part={
                part: (last.wall_by_part[part] - first.wall_by_part[part]) / trials for part in OURS
            },
            cpu_by_part={part: (last.cpu_by_part[part] - first.cpu_by_part[part]) / trials for part in OURS},
            busy=(last.busy - first.busy) / trials,
        )

    @property
    def ours(self) -> float:
        """Seconds of the clock that search, ASHA and recording take of the driver for a trial."""
        return sum(self.wall_by_part.values())

    @property
    def rest(self) -> float:
        """Processor seconds of the driver's process that are Tune's and Ray's."""
        return self.cpu - sum(self.cpu_by_part.values())


@dataclass
class Meter:
    """Times the parts of the driver that run in its main thread; a part within a part is counted once, as itself.

    After `stop_after` trials it asks the run to stop, as Ctrl-C does.
    """

    stop_after: int
    readings: list[Reading] = field(default_factory=list)
    memory: dict[int, float] = field(default_factory=dict)
    """MiB of the driver's memory after so many trials."""
    first_suggested: float | None = None
    """The value of time.perf_counter() when the first trial had been suggested."""

    def __post_init__(self) -> None:
        self._wall = dict.fromkeys(OURS, 0.0)
        self._cpu = dict.fromkeys(OURS, 0.0)
        self._open: list[str] = []
        self._since = (0.0, 0.0)
        self._results = 0
        self._busy = 0.0
        self._began: tuple[float, float] | None = None

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Measure whatever the driver does meanwhile in this process."""
        with ExitStack() as stack:
            for owner, method, part in PARTS:
                stack.enter_context(
                    patch.object(owner, method, self._metered(getattr(owner, method), part))
                )
            yield

    def taken(self, first: int, last: int) -> Taken:
        """Return what trials took, in the mean from the end of the `first`th to that of the `last`th."""
        return Taken.between(self.readings[first - 1], self.readings[last - 1])

    def _metered(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def metered(*arguments: Any, **named: Any) -> Any:
            is_elsewhere = threading.current_thread() is not threading.main_thread()
            # Before the first trial, what an earlier run recorded is told again.
            if is_elsewhere or (self._began is None and part != SUGGESTING):
                return function(*arguments, **named)
            self._enter(part)
            try:
                return function(*arguments, **named)
            finally:
                self._leave()
                if part == DATABASE:
                    self._count(arguments[-1])
                elif part == SUGGESTING and self.first_suggested is None:
                    self.first_suggested = time.perf_counter()

        return metered

    def _enter(self, part: str) -> None:
        self._charge()
        if self._began is None:
            self._began = time.perf_counter(), time.process_time()
        self._open.append(part)

    def _leave(self) -> None:
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        """Charge what went by since the last look to the part that is open."""
        wall, cpu = time.perf_counter(), time.thread_time()
        if self._open:
            self._wall[self._open[-1]] += wall - self._since[0]
            self._cpu[self._open[-1]] += cpu - self._since[1]
        self._since = wall, cpu

    def _count(self, written: object) -> None:
        """Take note of a result that was written, and of a trial's end."""
        if not isinstance(written, TrialResult):
            return
        self._results += 1
        self._busy += written.busy_seconds
        if written.ending is not None:
            self._read()
            if len(self.readings) == self.stop_after:
                os.kill(os.getpid(), signal.SIGINT)

    def _read(self) -> None:
        assert self._began is not None
        number = len(self.readings) + 1
        if number == 1 or number % max(1, self.stop_after // 20) == 0:
            self.memory[number] = resident_mib()
        self.readings.append(
            Reading(
                trials=number,
                results=self._results,
                wall=time.perf_counter() - self._began[0],
                cpu=time.process_time() - self._began[1],
                wall_by_part=dict(self._wall),
                cpu_by_part=dict(self._cpu),
                busy=self._busy,
            )
        )


def resident_mib() -> float:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
