"""Seconds without a sign of life, as far as somebody looked."""

from studies.base.stopwatch import Stopwatch


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_seconds_count_from_the_last_restart() -> None:
    clock = Clock()
    stopwatch = Stopwatch(clock)
    for _ in range(5):
        clock.now += 0.5
        stopwatch.look()
    assert stopwatch.look() == 2.5
    stopwatch.restart()
    assert stopwatch.look() == 0.0


def test_a_gap_between_two_looks_counts_for_a_second() -> None:
    clock = Clock()
    stopwatch = Stopwatch(clock)
    clock.now += 3600.0
    assert stopwatch.look() == 1.0, "the driver was stopped for an hour: nobody was silent"
    clock.now += 0.25
    assert stopwatch.look() == 1.25
