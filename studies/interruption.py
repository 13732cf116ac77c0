"""Ctrl-C and SIGTERM as a wish: what runs looks at it, stops in order, and says how to go on."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from studies.errors import StudiesError


class RunInterruptedError(StudiesError):
    """The run was interrupted and can be resumed; exits as the signal asks, 130 or 143."""

    def __init__(self, received: signal.Signals, command: str) -> None:
        what = "interrupted" if received is signal.SIGINT else "terminated"
        super().__init__(f"{what}; everything recorded is kept", f"Go on with: {command}")
        self.exit_code = 128 + int(received)


class Wish:
    """Whether a signal asked the run to stop, and which."""

    def __init__(self) -> None:
        """Start without one."""
        self.received: signal.Signals | None = None

    def __bool__(self) -> bool:
        """Say whether there is one."""
        return self.received is not None


@contextmanager
def watching_signals() -> Iterator[Wish]:
    """Turn SIGINT and SIGTERM into a wish to stop; a second SIGINT interrupts at once.

    Outside the main thread, where Python takes no signals, the wish never comes.
    """
    wish = Wish()

    def note(number: int, frame: FrameType | None) -> None:
        if wish.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        wish.received = signal.Signals(number)

    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
