"""The kill loop without Ray: a driver is killed at a random moment, looked after, and resumed, study after study."""

import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from studies.errors import HeldError
from tests.studies.faults.forked import Nursery
from tests.studies.faults.light_run import SECONDS_TO_TAKE_OVER, LightRun, Rows
from tests.studies.faults.tally import Tally
from tests.studies.faults.traces import Moment, wait_until

NUM_MOMENTS = 400
"""About half of what an undisturbed driver goes through, so that most studies are killed several times."""


def loop(
    nursery: Nursery,
    folder: Path,
    make_url: Callable[[Path], str],
    *,
    undisturbed: Rows,
    tally: Tally,
    loops: int,
) -> None:
    """Kill so many drivers; raise AssertionError where a promise is broken."""
    draw = random.Random(tally.seed)
    while tally.rounds < loops:
        tally.studies += 1
        place = folder / f"study-{tally.studies}"
        place.mkdir(parents=True)
        run = LightRun(nursery, place, make_url(place), workers=draw.choice((1, 1, 2, 3)))
        while tally.rounds < loops and _is_killed(run, draw, tally):
            tally.resumes += 1
            _look_after(run, tally)
        run.finish()
        tally.epochs += run.check_end(undisturbed)
        tally.acknowledged += len(run.acknowledged.reports())
        tally.waits += run.num_waits
        shutil.rmtree(place)


def _is_killed(run: LightRun, draw: random.Random, tally: Tally) -> bool:
    """Start a driver and kill it at some moment; return whether it was not done before."""
    kind, count, seconds = draw.random(), draw.randrange(NUM_MOMENTS), draw.random()
    began = time.monotonic()
    while True:
        driver = run.start()
        if kind < 0.15:  # while it starts and rebuilds what it knows
            time.sleep(0.4 * seconds)
        elif kind < 0.9:  # anywhere in training
            wait_until(
                lambda: driver.has_ended or run.moments.count >= count or run.moments.now is Moment.ENDING,
                "the moment to kill",
            )
            time.sleep(0.003 * seconds)
        else:  # while it writes its report
            wait_until(lambda: driver.has_ended or run.moments.now is Moment.ENDING, "the end of training")
            time.sleep(seconds)
        driver.send(signal.SIGKILL)
        code = driver.finish()
        if code != HeldError.exit_code or time.monotonic() - began > SECONDS_TO_TAKE_OVER:
            break
        run.num_waits += 1
    if code == -signal.SIGKILL:
        tally.kills[run.moments.now.words] += 1
        return True
    assert code == 0, driver.errors
    return False


def _look_after(run: LightRun, tally: Tally) -> None:
    missing = run.missing()
    tally.lost += len(missing)
    assert not missing, f"acknowledged and lost: {sorted(missing)}"
    run.check_sound()
