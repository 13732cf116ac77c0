"""A pilot measures training alone."""

import subprocess
import sys

import pytest

from trainables.kernels import compiling

TWICE = """
from studies.forecast.pilot import run_pilot
from studies.planning.request import Request, draft
from trainables import datasets

digits = datasets.load("digits")
plan = draft(Request(study="depth_study", profile="smoke")).freeze(digits)
print(*(run_pilot(plan, digits, epochs=1).seconds_per_network_epoch for _ in range(2)))
"""


@pytest.mark.skipif(not compiling.HAS_NUMBA, reason="nothing can be compiled")
def test_it_does_not_count_the_time_in_which_kernels_are_loaded() -> None:
    """Loading takes seconds, an epoch milliseconds: a first pilot in a process was off by a factor of a hundred."""
    told = subprocess.run(
        [sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=120, check=True
    )
    first, second = map(float, told.stdout.split())
    assert first < 20 * second
