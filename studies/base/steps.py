"""What a command is at before it has anything to show: a line that is written over on a terminal, lines elsewhere.

Told from the first moment on, so without rich, which takes a while to be loaded.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from studies.base.first_signals import ERASE_LINE

Tell = Callable[[str], None]
"""Takes the step that is being taken."""
SECONDS_BETWEEN_UPDATES = 1.0
MIN_SECONDS_TOLD = 2.0
"""From then on a terminal is told how long a step has been taking."""


class Steps:
    """Tells the steps of a command on a stream until it is closed, which wipes out the line on a terminal."""

    def __init__(self, stream: TextIO, *, is_live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Tell nothing yet; `is_live` says whether the stream is a terminal that can write over a line."""
        self._stream, self._is_live, self._clock = stream, is_live, clock
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._step, self._since = "", 0.0
        if is_live:
            threading.Thread(target=self._update, name="steps", daemon=True).start()

    def tell(self, step: str) -> None:
        """Tell the step that begins now."""
        with self._lock:
            if not self._is_over.is_set():
                self._step, self._since = step, self._clock()
                self._write(self._written(f"{step} ...") if self._is_live else f"{step} ...\n")

    def tell_early(self, step: str) -> None:
        """Tell a step that may yet find a mistake: on a terminal alone, as elsewhere a mistake is told by itself."""
        if self._is_live:
            self.tell(step)

    def close(self) -> None:
        """Tell nothing more."""
        with self._lock:
            if not self._is_over.is_set() and self._is_live and self._step:
                self._write(ERASE_LINE)
            self._is_over.set()

    def _update(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_UPDATES):
            with self._lock:
                seconds = self._clock() - self._since
                if self._step and seconds >= MIN_SECONDS_TOLD and not self._is_over.is_set():
                    self._write(self._written(f"{self._step} ... {seconds:.0f} s"))

    def _written(self, line: str) -> str:
        """Return what writes a line over the one that is there, cut to what a line of the terminal holds."""
        return ERASE_LINE + line[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def silent(step: str) -> None:
    """Tell nobody."""


@contextmanager
def telling_steps(stream: TextIO | None = None, *, quiet: bool = False) -> Iterator[Steps]:
    """Tell steps on `stream` (standard error) until the context is left or the steps are closed; no step when quiet."""
    stream = sys.stderr if stream is None else stream
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    steps = Steps(stream, is_live=stream.isatty() and not is_dumb and not quiet)
    if quiet:
        steps.close()
    try:
        yield steps
    finally:
        steps.close()
