"""The guard: when its driver is killed it says how to go on and ends what is left, else it leaves no trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.cluster.reaper import ROOT, TEMPORARY

DRIVER = """
import os, shutil, subprocess, sys
from pathlib import Path
from studies.cluster.reaper import TEMPORARY, guarded

folder = Path(sys.argv[1])
with guarded(folder, "error: it was killed"):
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "import time; time.sleep(600)"],
        env={**os.environ, "TMPDIR": str(folder / TEMPORARY)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    print(child.pid, flush=True)
    sys.stdin.readline()
    child.kill()
    child.wait()
    shutil.rmtree(folder)
"""


class Driver:
    """A driver in a process group of its own, with a folder and a process that works in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / TEMPORARY).mkdir(parents=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.child = int(self.process.stdout.readline())


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """A driver at work."""
    driver = Driver(tmp_path / "studies-guarded")
    yield driver
    driver.process.kill()
    driver.process.communicate()


def test_a_driver_that_ends_in_order_leaves_nothing_to_do(driver: Driver) -> None:
    output, errors = driver.process.communicate(b"\n", timeout=60)
    assert (output, errors, driver.process.returncode) == (b"", b"", 0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_driver_leaves_is_ended_at_once(driver: Driver, number: signal.Signals) -> None:
    """The signal goes to the whole group, as a terminal's does; the guard is not in it."""
    begun = time.monotonic()
    os.killpg(driver.process.pid, number)
    # The guard has the other end of this pipe: it breaks when the guard has ended.
    _, errors = driver.process.communicate(timeout=60)
    assert errors == b"error: it was killed\n"
    assert not driver.folder.exists()
    while (
        is_alive(driver.child) and time.monotonic() - begun < 30
    ):  # a process that was killed takes a moment to end
        time.sleep(0.01)
    assert not is_alive(driver.child)
    assert time.monotonic() - begun < 30


def is_alive(process: int) -> bool:
    """Say whether a process runs; one that only waits to be collected does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
