"""Ctrl-C and SIGTERM while a command is still loading: they end the process at once, with a message.

This is the first module that a command imports, so it imports hardly anything itself.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ERASE_LINE = "\r\x1b[K"
"""Moves the cursor to the start of a terminal's line and clears it."""


def end_at_once() -> None:
    """Make SIGINT and SIGTERM end this process at once: with a run's message and exit code 130 or 143.

    While a command loads there is nothing to shut down yet, and an exception raised in the middle of an import might
    be swallowed there.
    """
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Handle signals as `end_at_once` does inside the context, and restore the earlier handlers afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    end_at_once()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def is_a_command() -> bool:
    """Return whether this process is one of our commands starting up, rather than a program that imports us."""
    return sys.argv[:1] == ["-m"] or os.path.basename((sys.argv or [""])[0]) == "studies"


def format_end(number: int, command: str, kept: str = "everything recorded is kept") -> str:
    """Return what a command that a signal has ended says."""
    what = "interrupted" if number == signal.SIGINT else "terminated"
    return f"error: {what}; {kept}\nGo on with: {command}\n"


def this_command() -> str:
    """Return the command line of this process, quoted for a shell."""
    import shlex

    words, given = sys.orig_argv[1:], sys.argv[1:]
    if "-m" in words[: len(words) - len(given)] or sys.argv[:1] == ["-m"]:
        _, door, *given = words[words.index("-m") :]
        given = [*door.split(".")[1:2], *given]
    return shlex.join(["studies", *given])


def _end(number: int, frame: FrameType | None) -> None:
    erase = ERASE_LINE if os.isatty(2) else ""
    os.write(2, (erase + format_end(number, this_command())).encode(errors="replace"))
    os._exit(128 + number)
