"""A meter in the driver: which of its parts takes how much time, trial by trial."""

import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import psutil

from studies.database.results import TrialResult
from studies.database.writer import Writer
from studies.raytune.adapters import QueueSearcher, RungScheduler
from studies.raytune.recorder import Recorder
from studies.search.trial_queue import TrialQueue
from tests.benchmarks.driving.readings import (
    DATABASE,
    DECIDING,
    PARTS,
    RECORDING,
    SUGGESTING,
    TELLING,
    Reading,
    Taken,
)

Function = Callable[..., Any]
METERED: Sequence[tuple[type, str, str]] = (
    (QueueSearcher, "suggest", SUGGESTING),
    (RungScheduler, "on_trial_result", DECIDING),
    (TrialQueue, "reach", TELLING),
    (TrialQueue, "end", TELLING),
    (Recorder, "on_trial_start", RECORDING),
    (Recorder, "on_trial_result", RECORDING),
    (Writer, "announce_trial", DATABASE),
    (Writer, "confirm_trial", DATABASE),
    (Writer, "start_trial", DATABASE),
    (Writer, "record_result", DATABASE),
)
WRITING = "_apply"
"""What a thread of the writer's does, for the most part while the main thread waits."""


@dataclass
class Meter:
    """Times the parts of the driver, a part within a part once, as itself.

    After `stop_after` trials it asks the run to stop, as Ctrl-C does.
    """

    stop_after: int
    readings: list[Reading] = field(default_factory=list)
    memory: dict[int, float] = field(default_factory=dict)
    """MiB of the driver's memory after so many trials."""
    first_suggested: float | None = None
    """The value of time.perf_counter() when the first trial had been suggested."""

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self._wall, self._cpu = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
        self._cpu_elsewhere = 0.0
        self._open: list[str] = []
        self._since = (0.0, 0.0)
        self._began: tuple[float, float] | None = None
        self._results, self._busy = 0, 0.0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Measure whatever the driver does meanwhile in this process."""
        with ExitStack() as stack:
            for owner, name, part in METERED:
                stack.enter_context(patch.object(owner, name, self._metered(getattr(owner, name), part)))
            stack.enter_context(
                patch.object(Writer, WRITING, self._metered_elsewhere(getattr(Writer, WRITING)))
            )
            yield

    def taken(self, first: int, last: int) -> Taken:
        """Return what trials took, in the mean from the end of the `first`th to that of the `last`th."""
        return Taken.between(self.readings[first - 1], self.readings[last - 1])

    def _metered(self, function: Function, part: str) -> Function:
        @functools.wraps(function)
        def metered(*arguments: Any, **named: Any) -> Any:
            if self._began is None and part != SUGGESTING:
                # Before the first trial, what an earlier run recorded is told again.
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

    def _metered_elsewhere(self, function: Function) -> Function:
        @functools.wraps(function)
        def metered(*arguments: Any, **named: Any) -> Any:
            started = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                if threading.current_thread() is not threading.main_thread():
                    self._cpu_elsewhere += time.thread_time() - started

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
        if written.ending is None:
            return
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
                cpu_by_part={**self._cpu, DATABASE: self._cpu[DATABASE] + self._cpu_elsewhere},
                busy=self._busy,
            )
        )


def resident_mib() -> float:
    """Return how much memory this process holds."""
    return float(psutil.Process().memory_info().rss) / 2**20
