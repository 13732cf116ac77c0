"""A driver that is killed loses nothing that it was told is written, and leaves no half of a write."""

import random
import subprocess
import sys
from collections import Counter

import pytest

from studies.database.store import Store
from tests.studies.database.driver import NUM_TRIALS, RUNGS
from tests.studies.database.recorded import contents, num_rows

ROWS_OF_AN_EPOCH = 2


def run_and_kill(url: str, num_lines: int) -> list[tuple[int, str]]:
    """Run the driver until it has said so many writes, kill it, and return all that it said."""
    command = [sys.executable, "-m", "tests.studies.database.driver", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        said = [driver.stdout.readline() for _ in range(num_lines)]
        driver.kill()
        said += driver.stdout.readlines()
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(int(number), what) for number, what in whole]


@pytest.mark.parametrize("seed", range(2))
def test_everything_acknowledged_is_there_after_kill_9(url: str, seed: int) -> None:
    draw = random.Random(seed)
    acknowledged: list[tuple[int, str]] = []
    for _ in range(3):
        acknowledged += run_and_kill(url, draw.randint(1, 12))
        with Store.open(url) as store:
            check(store, acknowledged)
    rest = subprocess.run(
        [sys.executable, "-m", "tests.studies.database.driver", url],
        check=True,
        capture_output=True,
        text=True,
    )
    assert rest.stderr == ""
    with Store.open(url) as store:
        check(store, acknowledged)
        rows = num_rows(store)
        assert rows["trial"] == NUM_TRIALS
        assert rows["epoch"] == NUM_TRIALS * RUNGS[-1] * ROWS_OF_AN_EPOCH
        assert rows["rung_result"] == NUM_TRIALS * len(RUNGS)
        assert rows["event"] == 0


def check(store: Store, acknowledged: list[tuple[int, str]]) -> None:
    """Compare the database with what the driver has said."""
    rows = contents(store)
    rungs = {(row["trial_number"], row["epoch"]) for row in rows["rung_result"]}
    epochs = Counter((row["trial_number"], row["epoch"]) for row in rows["epoch"])
    gradients = Counter((row["trial_number"], row["epoch"]) for row in rows["layer_gradient"])
    states = {row["number"]: row["state"] for row in rows["trial"]}
    for number, what in acknowledged:
        if what == "end":
            assert states[number] == "complete"
        else:
            assert (number, int(what)) in rungs
    # A report is there with all of its rows or not at all: up to the last rung, and nothing beyond.
    last = {number: max(epoch for of, epoch in rungs if of == number) for number, _ in rungs}
    assert epochs == {(n, e): 2 for n, to in last.items() for e in range(1, to + 1)}
    assert gradients == {(n, e): 6 for n, to in last.items() for e in range(to + 1)}
