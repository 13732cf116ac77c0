"""What a driver leaves for those who kill it: where it is, what it has acknowledged, and a gate to hold it at."""

import mmap
import os
import struct
import time
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Self

TIMEOUT_SECONDS = 60.0
Report = tuple[int, int]
"""A trial's number and the epoch of its report."""


class Moment(IntEnum):
    """Where a driver is."""

    STARTING = 0
    HANDING_OUT = 1
    STARTING_TRIAL = 2
    TRAINING = 3
    RECORDING = 4
    COMMITTING = 5
    ACKNOWLEDGING = 6
    ENDING = 7

    @property
    def words(self) -> str:
        """The moment in words."""
        return self.name.lower().replace("_", " ")


class Moments:
    """The driver's present moment and how many there were, in memory that outlives it."""

    _FORM = struct.Struct("QQ")

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, self._FORM.size)
        self._memory = mmap.mmap(descriptor, self._FORM.size)
        os.close(descriptor)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the moments in a folder of traces."""
        return cls(folder / "moments")

    def reach(self, moment: Moment) -> None:
        """Say where the driver is now."""
        self._memory[:] = self._FORM.pack(self.count + 1, moment)

    def reset(self) -> None:
        """Forget: the next driver has not begun."""
        self._memory[:] = self._FORM.pack(0, Moment.STARTING)

    @property
    def count(self) -> int:
        """How many moments there were."""
        return int(self._FORM.unpack(self._memory[:])[0])

    @property
    def now(self) -> Moment:
        """The last moment."""
        return Moment(self._FORM.unpack(self._memory[:])[1])


class Acknowledged:
    """The reports whose worker was let go on, each synced to disk before it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return what was acknowledged according to a folder of traces."""
        return cls(folder / "acknowledged")

    def add(self, number: int, epoch: int) -> None:
        """Note a report of a trial."""
        os.write(self._descriptor, b"%d %d\n" % (number, epoch))
        os.fsync(self._descriptor)

    def reports(self) -> set[Report]:
        """Return what was noted whole."""
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return {(int(number), int(epoch)) for number, epoch in (line.split() for line in lines)}

    def clear(self) -> None:
        """Forget everything: another study begins."""
        os.truncate(self._path, 0)


class Gate:
    """A place in training where a driver waits while it is shut: before one of its reports."""

    def __init__(self, folder: Path) -> None:
        self._shut, self._waiting = folder / "shut", folder / "waiting"

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the gate in a folder of traces."""
        return cls(folder)

    def shut(self, *, before: int = 0) -> None:
        """Hold drivers before the report with this number, counted from 0, and each after it."""
        self._waiting.unlink(missing_ok=True)
        partial = self._shut.with_name("shut.partial")
        partial.write_text(str(before))
        partial.replace(self._shut)  # a driver may be reading it

    def open(self) -> None:
        """Let it go on."""
        self._shut.unlink()

    def wait(self, number: int) -> None:
        """Wait, as the driver before a report, while the gate is shut."""
        while self._is_shut_to(number):
            self._waiting.touch()
            time.sleep(0.002)

    def _is_shut_to(self, number: int) -> bool:
        try:
            return int(self._shut.read_text()) <= number
        except FileNotFoundError:
            return False

    @property
    def is_waited_at(self) -> bool:
        """Whether the driver has come to the gate."""
        return self._waiting.exists()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait until `condition` holds; fail with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.002)
