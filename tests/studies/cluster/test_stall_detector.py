"""Silent trials: found at their limit, which grows with what reports take and with each time that one was found."""

import pytest

from studies.base.stopwatch import Stopwatch
from studies.cluster.watchdog import STARTING, TIMES_THE_LONGEST, StallDetector
from tests.studies.base.test_stopwatch import Clock


class Watched:
    """A stall detector whose time a test lets pass."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stalls = StallDetector(min_seconds=10.0, stopwatch=lambda: Stopwatch(self.clock))

    def wait(self, seconds: int) -> list[int]:
        """Look each second, as Tune's loop does, and return who was found."""
        found = []
        for _ in range(seconds):
            self.clock.now += 1.0
            found += self.stalls.find()
        return found


@pytest.fixture
def watched() -> Watched:
    """Trials 1 and 2 have just been started."""
    watched = Watched()
    watched.stalls.start(1)
    watched.stalls.start(2)
    return watched


def test_a_trial_that_reports_is_not_silent(watched: Watched) -> None:
    found = []
    for _ in range(25):
        found += watched.wait(1)
        watched.stalls.update(2, 1)
    assert found == [1]
    assert watched.stalls.words(1) == (
        "the trial was silent for 21 s before its first report (its code is read, its networks are built, its first "
        "epoch is trained) and taken to hang, so its worker was killed"
    )
    assert watched.stalls.words(2) is None


def test_a_trial_that_has_ended_is_not_silent(watched: Watched) -> None:
    watched.stalls.end(1)
    watched.stalls.update(1, 1)  # its last report
    assert watched.wait(30) == [2]


def test_the_limit_follows_the_longest_time_between_reports(watched: Watched) -> None:
    watched.wait(3)
    watched.stalls.update(1, 1)
    assert watched.stalls.limit(2) == TIMES_THE_LONGEST * 3
    assert watched.wait(TIMES_THE_LONGEST * 3 - 3) == []
    assert watched.wait(1) == [2]


def test_a_trial_that_was_found_may_be_silent_for_twice_as_long(watched: Watched) -> None:
    assert watched.wait(11) == [1, 2]
    watched.stalls.start(1)
    assert watched.stalls.words(1) is None, "it has not been silent since"
    assert watched.wait(20) == []
    assert watched.wait(1) == [1]
    assert watched.stalls.limit(2) == 20.0
    assert watched.stalls.limit(3) == 10.0


def test_what_it_was_doing_is_told(watched: Watched) -> None:
    watched.stalls.update(1, 7)
    watched.stalls.start(2, STARTING)
    watched.wait(11)
    assert str(watched.stalls.words(1)).startswith(
        "the trial was silent for 11 s after epoch 7 and taken to hang"
    )
    assert str(watched.stalls.words(2)).startswith("the trial was silent for 11 s while its worker started (")


def test_a_trial_is_found_once(watched: Watched) -> None:
    assert watched.wait(100) == [1, 2]
