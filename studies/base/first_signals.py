"""Ctrl-C and SIGTERM from a command's first moment on: while it loads they end it at once, in words.

It is the first of ours that a command imports, so it imports hardly anything itself.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ERASE_LINE = "\r\x1b[K"
"""What a terminal takes for: write over the line that is there."""


def end_at_once() -> None:
    """End this process at a signal, with what a run says and the exit code of the signal: 130 or 143.

    Until a command's work begins nothing has been started that would have to be ended with it, and an exception in the
    midst of an import might be swallowed there.
    """
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGTERM, _end)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Let signals end this process in here as `end_at_once` does, and what they did before afterwards."""
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
    """Say whether this process is a command of ours that is just starting, and not somebody else's program."""
    return sys.argv[:1] == ["-m"] or os.path.basename((sys.argv or [""])[0]) == "studies"


def format_end(number: int, command: str, kept: str = "everything recorded is kept") -> str:
    """Return what a command that a signal has ended says."""
    what = "interrupted" if number == signal.SIGINT else "terminated"
    return f"error: {what}; {kept}\nGo on with: {command}\n"


def this_command() -> str:
    """Return the command as it was given, for a shell."""
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
