"""Progress messages before a command has output: one line that is overwritten on a terminal, plain lines elsewhere.

Shown from the first moment on, so without rich, which is slow to import.
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
"""Shows the name of the step that begins."""
SECONDS_BETWEEN_UPDATES = 1.0
MIN_SECONDS_TOLD = 2.0
"""A terminal shows the elapsed time of a step that takes longer than this."""


class Steps:
    """Shows the steps of a command on a stream until it is closed; closing clears the line on a terminal."""

    def __init__(self, stream: TextIO, *, is_live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Show nothing yet; `is_live` says whether the stream is a terminal whose line can be overwritten."""
        self._stream, self._is_live, self._clock = stream, is_live, clock
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._step, self._since = "", 0.0
        if is_live:
            threading.Thread(target=self._update, name="steps", daemon=True).start()

    def tell(self, step: str) -> None:
        """Show that `step` begins."""
        with self._lock:
            if not self._is_over.is_set():
                self._step, self._since = step, self._clock()
                self._write(self._written(f"{step} ...") if self._is_live else f"{step} ...\n")

    def tell_early(self, step: str) -> None:
        """Show a step during which a mistake may still be found: only on a terminal, as logs need the error alone."""
        if self._is_live:
            self.tell(step)

    def clear(self) -> None:
        """Clear the line on a terminal, so that another can be printed; the next second shows the step again."""
        with self._lock:
            if not self._is_over.is_set() and self._is_live and self._step:
                self._write(ERASE_LINE)

    def close(self) -> None:
        """Show no further steps."""
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
        """Return the characters that overwrite the current line, cut to the terminal's width."""
        return ERASE_LINE + line[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def silent(step: str) -> None:
    """Ignore the step: for callers that show no progress."""


@contextmanager
def telling_steps(stream: TextIO | None = None, *, quiet: bool = False) -> Iterator[Steps]:
    """Show steps on `stream` (default: standard error) until the context ends or they are closed; none if `quiet`."""
    stream = sys.stderr if stream is None else stream
    is_dumb = os.environ.get("TERM", "dumb") in ("dumb", "unknown")
    steps = Steps(stream, is_live=stream.isatty() and not is_dumb and not quiet)
    if quiet:
        steps.close()
    try:
        yield steps
    finally:
        steps.close()
