"""Calls of a user's own code in the command's process: a long call is reported, and Ctrl-C ends it."""

import faulthandler
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from studies.base.stop_signal import SIGNALS, breaks_off, end_process

SECONDS_TO_FIRST_WORD = 30.0
"""A call that takes longer is reported, again each time that its duration has doubled."""
SECONDS_TO_YIELD = 5.0
"""A call that ignores Ctrl-C for this long, as inside compiled code, is ended together with its process."""
STANDARD_ERROR = 2
ENDED = b"\0"


class Call:
    """One call; `is_interrupted` says whether a KeyboardInterrupt raised by it is the user's Ctrl-C."""

    def __init__(self, what: str) -> None:
        """`what` names the call in messages."""
        self.is_interrupted = False
        self._what = what
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        self._watcher = threading.Thread(target=self._watch, name="own-call", daemon=True)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch the call made inside the context; if compiled code crashes, its Python traceback is printed."""
        shows_crashes = not faulthandler.is_enabled()
        if shows_crashes:
            faulthandler.enable(STANDARD_ERROR, all_threads=False)
        # Python handles signals in the main thread only.
        hears = threading.current_thread() is threading.main_thread()
        before = {number: signal.getsignal(number) for number in SIGNALS}
        taken = [number for number in SIGNALS if hears and breaks_off(before[number])]
        # Another program's handler is kept, and may raise KeyboardInterrupt, too; an ignored signal does not.
        self.is_interrupted = hears and signal.SIGINT not in taken and callable(before[signal.SIGINT])
        for number in taken:
            signal.signal(number, self._update(before[number]))
        if taken:
            earlier = signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
        self._watcher.start()
        try:
            yield
        finally:
            if shows_crashes:
                faulthandler.disable()
            if taken:
                signal.set_wakeup_fd(earlier)
            for number in taken:
                signal.signal(number, before[number])
            os.write(
                self._sender, ENDED
            )  # closing would not do: processes that the call has left have it open, too
            self._watcher.join()
            os.close(self._sender)
            os.close(self._receiver)

    def _update(self, handler: Any) -> Callable[[int, FrameType | None], None]:
        def receive(number: int, frame: FrameType | None) -> None:
            self.is_interrupted = True
            handler(number, frame)

        return receive

    def _watch(self) -> None:
        """Wait for the end of the call; a signal is written to the pipe even while Python itself is blocked."""
        started, next_word = time.monotonic(), SECONDS_TO_FIRST_WORD
        ends_at, heard = float("inf"), signal.SIGINT
        while True:
            passed = time.monotonic() - started
            ready, _, _ = select.select([self._receiver], [], [], max(0.0, min(next_word, ends_at) - passed))
            if ready:
                received = os.read(self._receiver, 1)
                if received == ENDED:
                    return
                if received[0] in SIGNALS and ends_at == float("inf"):
                    heard = signal.Signals(received[0])
                    ends_at = time.monotonic() - started + SECONDS_TO_YIELD
            elif time.monotonic() - started >= ends_at:
                self._end_process(heard)
            elif time.monotonic() - started >= next_word:
                print(
                    f"{self._what} has been running for {next_word:.0f} s; Ctrl-C ends it",
                    file=sys.stderr,
                    flush=True,
                )
                next_word *= 2

    def _end_process(self, heard: signal.Signals) -> None:
        what, how = ("interrupted", "Ctrl-C") if heard is signal.SIGINT else ("terminated", heard.name)
        end_process(
            f"{what}; {self._what} did not end within {SECONDS_TO_YIELD:.0f} s of {how}\n"
            "Give the same command again: what was recorded is kept.",
            128 + int(heard),
        )
