"""Ctrl-C and SIGTERM as a wish: what runs looks at it, stops in order, and says how to go on."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from studies.errors import StudiesError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        self._is_impatient = False
        self._may_break_off = False

    def __bool__(self) -> bool:
        """Say whether there is one."""
        return self.received is not None

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """Take note of a signal; a second SIGINT breaks off what may be broken off, once."""
        is_second = self.received is not None and number == signal.SIGINT
        self.received = self.received or signal.Signals(number)
        if is_second and not self._is_impatient:
            self._is_impatient = True
            if self._may_break_off:
                raise KeyboardInterrupt

    def listen(self) -> None:
        """Take the signals (again: Ray takes SIGTERM for itself whenever it starts)."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self.note)

    @contextmanager
    def may_break_off(self) -> Iterator[None]:
        """Let a second SIGINT raise KeyboardInterrupt in here; cleaning up is never broken off."""
        self._may_break_off = True
        try:
            yield
        finally:
            self._may_break_off = False


@contextmanager
def watching_signals() -> Iterator[Wish]:
    """Turn SIGINT and SIGTERM into a wish to stop.

    Outside the main thread, where Python takes no signals, the wish never comes.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    wish.listen()
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
