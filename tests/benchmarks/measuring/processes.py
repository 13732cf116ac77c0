"""A command and everything that it starts: how long they take, and how much processor time all of them together."""

import os
import secrets
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MARK = "STUDIES_BENCHMARK"
SECONDS_BETWEEN_LOOKS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a command printed, and what it took: processor time is that of all processes, Ray's own among them.

    `looks` holds the processor seconds so far at moments in seconds since 1970.
    """

    output: str
    wall_seconds: float
    looks: Sequence[tuple[float, float]]

    @property
    def cpu_seconds(self) -> float:
        """Processor seconds from the beginning to the end."""
        return self.looks[-1][1]

    def cpu_seconds_between(self, start: float, end: float) -> float:
        """Return the processor seconds between two moments, in between looks as if spent evenly."""
        moments, seconds = zip(*self.looks, strict=True)
        return float(np.interp(end, moments, seconds) - np.interp(start, moments, seconds))


def measure_command(
    words: Sequence[str], *, settings: Mapping[str, str] | None = None, folder: Path | None = None
) -> Command:
    """Run a command to its end in `folder`; raise CalledProcessError with what it said if it fails."""
    mark = secrets.token_hex(8)
    environment = {**os.environ, **(settings or {}), MARK: mark}
    started = time.perf_counter()
    with _counting(mark) as times:
        done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - started
    times.looks.append((time.time(), times.total))
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, list(words), done.stdout, done.stderr)
    return Command(output=done.stdout, wall_seconds=wall, looks=times.looks)


class ProcessorTimes:
    """Processor seconds of every process that bears a mark in its environment, as they were last seen."""

    def __init__(self, mark: str) -> None:
        """Have seen nothing yet."""
        self._mark = f"{MARK}={mark}".encode()
        # By process and start, because a number may be given to another process.
        self._seen: dict[tuple[int, str], float] = {}
        self._strangers: Counter[tuple[int, str]] = Counter()
        self.looks: list[tuple[float, float]] = []

    @property
    def total(self) -> float:
        """Seconds of all of them together, those that have ended included."""
        return sum(self._seen.values())

    def look(self) -> None:
        """Look at every process."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, IndexError):  # it has just ended, or is another user's
                self._look_at(folder)
        self.looks.append((time.time(), self.total))

    def _look_at(self, folder: Path) -> None:
        # The name in parentheses may hold anything; what follows it is numbers.
        numbers = (folder / "stat").read_text().rpartition(")")[2].split()
        process = (int(folder.name), numbers[19])
        if process not in self._seen:
            # Twice, because a process bears its parent's environment until it begins its own program.
            if self._strangers[process] > 1:
                return
            if self._mark not in (folder / "environ").read_bytes():
                self._strangers[process] += 1
                return
        self._seen[process] = (int(numbers[11]) + int(numbers[12])) / TICKS


@contextmanager
def _counting(mark: str) -> Iterator[ProcessorTimes]:
    """Look at the processes that bear `mark` again and again; what one does after the last look is not counted."""
    times, stop = ProcessorTimes(mark), threading.Event()

    def watch() -> None:
        while not stop.wait(SECONDS_BETWEEN_LOOKS):
            times.look()

    thread = threading.Thread(target=watch, name="processor-times", daemon=True)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()
