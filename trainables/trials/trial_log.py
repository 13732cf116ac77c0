"""What a worker's log says of the trials that it trains, between whatever their own code prints there."""

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

TITLE, DETAILS = "title", "details"
"""Keys of a trial's configuration: its study and number in a few words, and what distinguishes it."""


class TrialLog:
    """Writes a line to standard output, which Ray keeps in the worker's log, when a trial begins and when it ends.

    A line costs microseconds, and a trial has two of them.
    """

    def __init__(self) -> None:
        """Start without a trial."""
        self._title, self._details = "", ""
        self._is_open = False
        self._epoch = 0

    def take_up(self, config: Mapping[str, Any]) -> None:
        """Note the next trial; one that had not ended was stopped, of which a worker is not told."""
        self.close()
        self._title, self._details = config.get(TITLE, "a trial"), config.get(DETAILS, "")

    def begin(self, epoch: int) -> None:
        """Say that the trial begins, or goes on after `epoch`."""
        self._is_open, self._epoch = True, epoch
        self._say(f"goes on after epoch {epoch}" if epoch else "begins", self._details)

    def report(self, epoch: int, *, done: bool, error: str | None) -> None:
        """Note a report; say how the trial ends if it is the last."""
        self._epoch = epoch
        if error is not None:
            lines = error.strip().splitlines() or ["no reason"]
            self._say(f"failed after epoch {epoch}", lines[-1])
        elif done:
            self._say(f"is complete after epoch {epoch}")
        self._is_open = self._is_open and not done

    def help(self, part: range) -> None:
        """Say that this worker trains some of the trial's replicates for another one."""
        self._say(f"is helped with replicates {part.start} to {part.stop - 1}", self._details)

    def close(self) -> None:
        """Say that a trial that had begun was stopped."""
        if self._is_open:
            self._say(f"was stopped after epoch {self._epoch}")
        self._is_open = False

    def _say(self, what: str, more: str = "") -> None:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        line = f"{at} UTC {self._title} {what}{f': {more}' if more else ''}"
        # No trial is lost by its log: the disk may be full, and the study's own code may have closed the output.
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.write("".join(each if each.isprintable() else " " for each in line) + "\n")
            sys.stdout.flush()
