"""Ctrl-C, SIGTERM and `studies.stop` as a request to stop: a run looks at it, stops in order, and says how to go on."""

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
SHUT_DOWN = "ray-shutdown"
"""The name of the thread that shuts Ray down."""
SECONDS_TO_END = 14.0
"""How long a command takes at most to stop in order after a signal; then it ends without, within 20 s in all."""


class Interrupted(KeyboardInterrupt):
    """A signal that breaks off what is being done; who does not catch it takes it for Ctrl-C."""

    def __init__(self, received: signal.Signals) -> None:
        super().__init__(received)
        self.received = received


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

    @classmethod
    def by(cls, interrupt: KeyboardInterrupt, command: str) -> "RunInterruptedError":
        """Return what a run that was broken off raises; a plain KeyboardInterrupt is a Ctrl-C."""
        received = interrupt.received if isinstance(interrupt, Interrupted) else signal.SIGINT
        return cls(received, command)


class RayLostError(StudiesError):
    """Ray died or does not answer any more, and with it the run; it can be resumed."""

    def __init__(self, loss: str, command: str = "the same command") -> None:
        super().__init__(f"{loss}; everything recorded is kept", f"Go on with: {command}")
        self.loss = loss


class RunKilledError(StudiesError):
    """The run's own process was killed, which only another one can tell; it can be resumed."""

    def __init__(self, command: str) -> None:
        super().__init__("the run was killed; everything recorded is kept", f"Go on with: {command}")


class StopSignal:
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
        for heeding in _heeding:
            heeding.note(self.received)
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


class Heeding:
    """What came of signals while `heeding_signals` held: the first one breaks off, those after it do not."""

    def __init__(self) -> None:
        """Without a signal yet."""
        self.received: signal.Signals | None = None
        self._num_held, self._is_raised = 0, False

    def note(self, number: int) -> None:
        """Take note of a signal that somebody else breaks off for."""
        self.received = self.received or signal.Signals(number)
        self._is_raised = True

    def receive(self, number: int, frame: FrameType | None = None) -> None:
        """Take note of a signal, and break off what is being done for the first one."""
        self.received = self.received or signal.Signals(number)
        self._raise()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Break off nothing in here, but at its end."""
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
    """Say whether a signal's handler raises KeyboardInterrupt: Python's own, or that of `heeding_signals`."""
    return handler is signal.default_int_handler or isinstance(getattr(handler, "__self__", None), Heeding)


_heeding: list[Heeding] = []
"""Those that hold, the innermost last."""


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Raise Interrupted for the first SIGINT or SIGTERM in here, in the main thread; in another none arrives.

    In a notebook this is what interrupts a cell.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heeding = Heeding()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _heeding.append(heeding)
    for number in SIGNALS:
        signal.signal(number, heeding.receive)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _heeding.remove(heeding)


@contextmanager
def never_broken_off() -> Iterator[None]:
    """Let no signal break off what is done in here: it is heard at the end."""
    if not _heeding or threading.current_thread() is not threading.main_thread():
        yield
        return
    with _heeding[-1].held():
        yield


class Deadline:
    """Ends this process where a signal has not ended it in time: Ray may hang, and a machine be overloaded."""

    def __init__(self, command: str, seconds: float = SECONDS_TO_END) -> None:
        """`command` is what to go on with."""
        self._command, self._seconds = command, seconds
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        self._waiter = threading.Thread(target=self._wait, name="deadline", daemon=True)

    def __enter__(self) -> Self:
        """Hear signals even while Python itself waits, in the main thread; in another none arrives."""
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
    """End this process at once, with all that it has started, and say why."""
    for end in reversed(_at_deadline):
        end()
    os.write(2, f"error: {error}\n".encode(errors="replace"))
    os._exit(exit_code)


_at_deadline: list[Callable[[], None]] = []


@contextmanager
def ended_at_deadline(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` where this process is ended at once while in here."""
    _at_deadline.append(end)
    try:
        yield
    finally:
        _at_deadline.remove(end)


@contextmanager
def watching_signals(is_asked: Callable[[], bool] = lambda: False) -> Iterator[StopSignal]:
    """Turn SIGINT, SIGTERM and being asked into a request to stop.

    Outside the main thread, where Python takes no signals, only `is_asked` makes one.
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
    """Return the exit code, or end the process with it where Ray hangs: it would keep the interpreter from ending."""
    if any(thread.name == SHUT_DOWN for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
    return exit_code
