"""Ctrl-C, SIGTERM and `studies.stop` as a wish: what runs looks at it, stops in order, and says how to go on."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from studies.errors import StudiesError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHUT_DOWN = "ray-shutdown"
"""The name of the thread that shuts Ray down."""


class RunInterruptedError(StudiesError):
    """The run was interrupted and can be resumed; exits as the signal asks, 130 or 143.

    A run that `studies.stop` has asked to stop exits as after SIGTERM. `kept` says where what was recorded is.
    """

    def __init__(
        self,
        received: signal.Signals,
        command: str,
        *,
        is_asked: bool = False,
        kept: str = "everything recorded is kept",
    ) -> None:
        what = "interrupted" if received is signal.SIGINT else "terminated"
        if is_asked:
            what = "stopped, as asked by studies stop"
        super().__init__(f"{what}; {kept}", f"Go on with: {command}")
        self.exit_code = 128 + int(received)


class RayLostError(StudiesError):
    """Ray died or does not answer any more, and with it the run; it can be resumed."""

    def __init__(self, loss: str, command: str = "the same command") -> None:
        super().__init__(f"{loss}; everything recorded is kept", f"Go on with: {command}")
        self.loss = loss


class RunKilledError(StudiesError):
    """The run's own process was killed, which only another one can tell; it can be resumed."""

    def __init__(self, command: str) -> None:
        super().__init__("the run was killed; everything recorded is kept", f"Go on with: {command}")


class Wish:
    """Whether a signal asked the run to stop, and which; being asked in another way counts as SIGTERM."""

    def __init__(self, is_asked: Callable[[], bool] = lambda: False) -> None:
        """Start without one; `is_asked` says whether there is one from elsewhere."""
        self.received: signal.Signals | None = None
        self.is_from_elsewhere = False
        self._is_asked = is_asked
        self._is_impatient = False
        self._may_break_off = False

    def __bool__(self) -> bool:
        """Say whether there is one."""
        if self.received is None and self._is_asked():
            self.received, self.is_from_elsewhere = signal.SIGTERM, True
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
def watching_signals(is_asked: Callable[[], bool] = lambda: False) -> Iterator[Wish]:
    """Turn SIGINT, SIGTERM and being asked into a wish to stop.

    Outside the main thread, where Python takes no signals, only `is_asked` makes one.
    """
    wish = Wish(is_asked)
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


def leave(exit_code: int) -> int:
    """Return the exit code, or end the process with it where Ray hangs: it would keep the interpreter from ending."""
    if any(thread.name == SHUT_DOWN for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    return exit_code
