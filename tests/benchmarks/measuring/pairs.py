"""Two things timed in turn on one thread, so that a busy machine disturbs both alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.measuring.spread import Spread


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Seconds of two things: the thread's own processor time, and on the clock."""

    cpu: list[tuple[float, float]]
    wall: list[tuple[float, float]]

    @property
    def ratio(self) -> Spread:
        """How many times the first takes of the second, by processor time."""
        return Spread.of(first / second for first, second in self.cpu)

    @property
    def wall_ratio(self) -> Spread:
        """The same on the clock."""
        return Spread.of(first / second for first, second in self.wall)

    @property
    def seconds(self) -> tuple[float, float]:
        """The least processor time of each: what it takes when nothing disturbs it."""
        first, second = (min(times) for times in zip(*self.cpu, strict=True))
        return first, second


def time_pairs(first: Callable[[], object], second: Callable[[], object], *, count: int) -> Pairs:
    """Run both once for warmth, then `count` times in turn, each time the other one first."""
    first(), second()
    pairs = []
    for number in range(count):
        if number % 2:
            times = _time(second)
            pairs.append((_time(first), times))
        else:
            times = _time(first)
            pairs.append((times, _time(second)))
    return Pairs(
        cpu=[(a[0], b[0]) for a, b in pairs],
        wall=[(a[1], b[1]) for a, b in pairs],
    )


def _time(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return time.thread_time() - cpu, time.perf_counter() - wall
