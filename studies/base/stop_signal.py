"""Ctrl-C, SIGTERM and `studies.stop` as a request to stop, which a run polls, obeys in order and can resume from."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Self

from studies.base.errors import StudiesError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = "run the same cell or script again"
"""How a run that Python began goes on; the command line repeats its command."""
SHUT_DOWN = "ray-shutdown"
"""The name of the thread that shuts Ray down."""
SECONDS_TO_END = 14.0
"""Longest orderly shutdown after a signal, in seconds; after it the process ends abruptly, within 20 s in all."""


class Interrupted(KeyboardInterrupt):
    """A signal interrupted the current work; code that does not catch it sees a KeyboardInterrupt."""

    def __init__(self, received: signal.Signals) -> None:
        super().__init__(received)
        self.received = received


class RunInterruptedError(StudiesError):
    """The run was interrupted and can be resumed; the exit code is the signal's, 130 or 143.

    A run that `studies.stop` stopped exits as after SIGTERM. `kept` says where the recorded results are.
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

    @classmethod
    def by(cls, interrupt: KeyboardInterrupt, command: str) -> "RunInterruptedError":
        """Return the error of a run that `interrupt` ended; a plain KeyboardInterrupt counts as SIGINT."""
        received = interrupt.received if isinstance(interrupt, Interrupted) else signal.SIGINT
        return cls(received, command)


class RayLostError(StudiesError):
    """Ray died or no longer answers, which ends the run; it can be resumed."""

    def __init__(self, loss: str, command: str = "the same command", *, was_joined: bool = False) -> None:
        """`was_joined` says that it was a cluster, of which this machine is a node."""
        where = "Once Ray runs on this machine again, or on another node that reaches the storage, go"
        super().__init__(
            f"{loss}; everything recorded is kept", f"{where if was_joined else 'Go'} on with: {command}"
        )
        self.loss = loss


class RunKilledError(StudiesError):
    """The run's own process was killed, as seen from another process; it can be resumed."""

    def __init__(self, command: str) -> None:
        super().__init__("the run was killed; everything recorded is kept", f"Go on with: {command}")


class StopSignal:
    """Whether the run was asked to stop, and by which signal; a request by other means counts as SIGTERM."""

    def __init__(self, is_asked: Callable[[], bool] = lambda: False) -> None:
        """Start without a request; `is_asked` is polled for one by other means than a signal."""
        self.received: signal.Signals | None = None
        self.is_from_elsewhere = False
        self._is_asked = is_asked
        self._is_impatient = False
        self._may_break_off = False

    def __bool__(self) -> bool:
        """Return whether the run was asked to stop."""
        if self.received is None and self._is_asked():
            self.received, self.is_from_elsewhere = signal.SIGTERM, True
        return self.received is not None

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """Record a signal (the handler); a second SIGINT raises KeyboardInterrupt, once, where that is allowed."""
        is_second = self.received is not None and number == signal.SIGINT
        self.received = self.received or signal.Signals(number)
        for handling in _handling:
            handling.note(self.received)
        if is_second and not self._is_impatient:
            self._is_impatient = True
            if self._may_break_off:
                raise KeyboardInterrupt

    def listen(self) -> None:
        """Install the handler, again after Ray starts, which takes SIGTERM for itself."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self.note)

    @contextmanager
    def may_break_off(self) -> Iterator[None]:
        """Allow a second SIGINT to raise KeyboardInterrupt inside the context; never wrap cleaning up in it."""
        self._may_break_off = True
        try:
            yield
        finally:
            self._may_break_off = False


class SignalHandling:
    """The signals received inside `handling_signals`: the first raises Interrupted, later ones do nothing."""

    def __init__(self) -> None:
        """Start without a signal."""
        self.received: signal.Signals | None = None
        self._num_held, self._is_raised = 0, False

    def note(self, number: int) -> None:
        """Record a signal that another handler reacts to."""
        self.received = self.received or signal.Signals(number)
        self._is_raised = True

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Record a signal (the handler); raise Interrupted for the first one."""
        self.received = self.received or signal.Signals(number)
        self._raise()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Delay the exception of a signal until the context ends."""
        self._num_held += 1
        try:
            yield
        finally:
            self._num_held -= 1
        self._raise()

    def _raise(self) -> None:
        if self.received is not None and not self._is_raised and not self._num_held:
            self._is_raised = True
            raise Interrupted(self.received)


def breaks_off(handler: object) -> bool:
    """Return whether a signal's handler raises KeyboardInterrupt: Python's own, or that of `handling_signals`."""
    return handler is signal.default_int_handler or isinstance(
        getattr(handler, "__self__", None), SignalHandling
    )


_handling: list[SignalHandling] = []
"""The active contexts of `handling_signals`, the innermost last."""


@contextmanager
def handling_signals() -> Iterator[None]:
    """Raise Interrupted for the first SIGINT or SIGTERM inside the context; only the main thread receives signals.

    In a notebook this makes interrupting a cell work.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handling = SignalHandling()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _handling.append(handling)
    for number in SIGNALS:
        signal.signal(number, handling.receive)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _handling.remove(handling)


@contextmanager
def never_broken_off() -> Iterator[None]:
    """Delay the exception of a signal until the context ends, so that the work inside is completed."""
    if not _handling or threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handling[-1].held():
        yield


class Deadline:
    """Ends this process if it has not ended `seconds` after a signal: Ray may hang, or the machine be overloaded."""

    def __init__(self, command: str, seconds: float = SECONDS_TO_END) -> None:
        """`command` is the one that resumes the run, for the message."""
        self._command, self._seconds = command, seconds
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        self._waiter = threading.Thread(target=self._wait, name="deadline", daemon=True)

    def __enter__(self) -> Self:
        """Watch for signals in a thread, even while Python itself is blocked; only in the main thread."""
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._earlier = signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
            self._waiter.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._hears:
            signal.set_wakeup_fd(self._earlier)
            os.write(self._sender, _OVER)
            self._waiter.join()
        os.close(self._sender)
        os.close(self._receiver)

    def _wait(self) -> None:
        received: signal.Signals | None = None
        ends_at = 0.0
        while True:
            patience = None if received is None else max(0.0, ends_at - time.monotonic())
            if not select.select([self._receiver], [], [], patience)[0]:
                assert received is not None
                error = RunInterruptedError(received, self._command)
                end_process(str(error), error.exit_code)
            heard = os.read(self._receiver, 1)
            if heard == _OVER:
                return
            if received is None and heard[0] in SIGNALS:
                received, ends_at = signal.Signals(heard[0]), time.monotonic() + self._seconds


_OVER = b"\0"


def end_process(error: str, exit_code: int) -> NoReturn:
    """End this process and what it started at once, with an error message and an exit code."""
    for end in reversed(_at_deadline):
        end()
    os.write(2, f"error: {error}\n".encode(errors="replace"))
    os._exit(exit_code)


_at_deadline: list[Callable[[], None]] = []


@contextmanager
def ended_at_deadline(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` if `end_process` ends this process inside the context."""
    _at_deadline.append(end)
    try:
        yield
    finally:
        _at_deadline.remove(end)


@contextmanager
def watching_signals(is_asked: Callable[[], bool] = lambda: False) -> Iterator[StopSignal]:
    """Turn SIGINT, SIGTERM and `is_asked` into a StopSignal that the run polls.

    Outside the main thread Python receives no signals, and only `is_asked` counts.
    """
    stop_signal = StopSignal(is_asked)
    if threading.current_thread() is not threading.main_thread():
        yield stop_signal
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    stop_signal.listen()
    try:
        yield stop_signal
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(exit_code: int) -> int:
    """Return `exit_code`, or end the process with it where Ray's shutdown hangs and would block the interpreter."""
    if any(thread.name == SHUT_DOWN for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    return exit_code
