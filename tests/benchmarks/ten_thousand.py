"""How long do 10,000 trials of ten replicates take to list, verify, report and resume?

`python -m tests.benchmarks.ten_thousand FOLDER [--trials-per-cell N]` prints it. The storage is `depth_study` with more
rates a cell and made-up results of the usual shape; it is built once and kept in FOLDER (about 800 MB).
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.made_up import NAME, build, request

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command took: seconds of the clock, and the largest memory of its process in MiB."""

    seconds: float
    peak_mib: float


def measure(folder: Path, door: str, *arguments: str) -> Measured:
    """Run a door as a user does; fail if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", f"studies.{door}", *arguments], cwd=folder, env=environment(), stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        raise SystemExit(f"studies.{door} ended with status {status}")
    return Measured(seconds=seconds, peak_mib=usage.ru_maxrss / 1024)
