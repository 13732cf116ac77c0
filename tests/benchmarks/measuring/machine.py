"""Where and with what figures were measured, and how busy the machine was."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("torch", "ray", "optuna", "sqlalchemy", "numpy")

BUSY = 0.15
"""Load per core from other work above which figures are marked: it is part of what was measured."""


def describe_machine() -> str:
    """Return the processor, the cores that this process may use, the memory, and the versions that matter."""
    cores = len(os.sched_getaffinity(0))
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{_processor()}, {cores} cores, {gib:.0f} GiB; Python {platform.python_version()}, {versions}"


def now() -> str:
    """Return the time to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def load() -> float:
    """Return how many processes wanted a core over the last minute."""
    return os.getloadavg()[0]


def describe_load(before: float, after: float) -> str:
    """Return the load at the start and the end; one that is not ours at the start is called by its name."""
    text = f"load average {before:.2f} at the start, {after:.2f} at the end"
    if before > BUSY * len(os.sched_getaffinity(0)):
        return f"**loaded machine**: {text}; other work ran at the same time, so trust ratios"
    return text


def _processor() -> str:
    if sys.platform == "linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()
