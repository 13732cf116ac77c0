"""The kill loop: a driver is killed at a random moment, looked after, and resumed, study after study."""

import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from studies.base.errors import HeldError
from tests.studies.faults.tally import Tally
from tests.studies.faults.watched_run import SECONDS_TO_TAKE_OVER, Fate, Rows, WatchedRun

MakeRun = Callable[[Path, int], WatchedRun]
"""Makes a study in a folder, with so many workers."""


def loop(folder: Path, make_run: MakeRun, *, undisturbed: Rows, tally: Tally, loops: int) -> None:
    """Kill so many drivers; raise AssertionError where a promise is broken."""
    draw = random.Random(tally.seed)
    while tally.rounds < loops:
        tally.studies += 1
        place = folder / f"study-{tally.studies}"
        place.mkdir(parents=True)
        with closing(make_run(place, draw.choice((1, 1, 2, 3)))) as run:
            while tally.rounds < loops and _is_killed(run, draw, tally):
                tally.resumes += 1
                _look_after(run, tally)
            run.finish()
            tally.epochs += run.check_end(undisturbed)
            tally.acknowledged += len(run.acknowledged.reports())
            tally.waits += run.num_waits


def _is_killed(run: WatchedRun, draw: random.Random, tally: Tally) -> bool:
    """Start a driver and kill it at some moment; return whether it was not done before."""
    fate = _fate(run, draw.random(), draw.random(), draw.random())
    if fate.code == -signal.SIGKILL:
        tally.kills[fate.moment] += 1
        return True
    assert fate.code == 0, fate.errors
    return False


def _fate(run: WatchedRun, kind: float, place: float, delay: float) -> Fate:
    """Kill a driver and return its fate; one that finds the study still locked is started again, for a while."""
    deadline = time.monotonic() + SECONDS_TO_TAKE_OVER
    while (fate := run.kill(kind, place, delay)).code == HeldError.exit_code:
        assert time.monotonic() < deadline, f"who was killed holds the study still: {fate.errors}"
        run.num_waits += 1
    return fate


def _look_after(run: WatchedRun, tally: Tally) -> None:
    missing = run.missing()
    tally.lost += len(missing)
    assert not missing, f"acknowledged and lost: {sorted(missing)}"
    run.check_sound()
