"""Copies a study's folder to the place of its files in the background while a run goes on; no run fails by it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol, final

from studies.base.errors import StudiesError
from studies.storage.mirror import MODELS, Mirror
from studies.storage.place import PlaceError

SECONDS_BETWEEN_LOOKS: Final = 2.0
"""How often the thread looks what there is to copy."""
SECONDS_BETWEEN_PAGES: Final = 60.0
"""How often files that change all the time are copied."""
CHANGING: Final = ("run.log", "live.html")
MAX_SECONDS_BEFORE_ROW: Final = 10.0
"""How long a model's file is waited for before its row is committed, as for a write to the storage."""
MAX_SECONDS_TO_END: Final = 30.0
"""How long the end of a run waits for what is left to be copied, from the last file that was copied on."""
MAX_SECONDS_OUT_AT_END: Final = 10.0
"""The same for a place that is known to be out by then."""
MAX_SECONDS_TO_STOP: Final = 3.0
"""The same for a run that was interrupted."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_SECONDS_TO_END_THREAD = 0.5

Tell = Callable[[str], None]


class Copying(Protocol):
    """What a run asks of the place of its files; where they lie in a folder, nothing is to be done."""

    def copy_models(self) -> None:
        """Return once the models' files are there, or it is known that they cannot be for now."""

    def begin(self, tell: Tell, is_ours: Callable[[], bool]) -> None:
        """Copy in the background from now on."""

    def finish(self, *, is_stopped: bool = False) -> StudiesError | None:
        """Copy what is left; return an error that says what could not be copied, None if nothing was left.

        A second time nothing is done, and None returned.
        """

    def stop(self) -> None:
        """Copy nothing more."""


@final
class NoCopying:
    """Files lie in a folder, and stay there."""

    def copy_models(self) -> None:
        """Do nothing."""

    def begin(self, tell: Tell, is_ours: Callable[[], bool]) -> None:
        """Do nothing."""

    def finish(self, *, is_stopped: bool = False) -> StudiesError | None:
        """Return None."""
        return None

    def stop(self) -> None:
        """Do nothing."""


@final
class Copier:
    """Copies what is new in a study's folder, in order, from a thread that nobody waits for.

    An outage is told once and retried; nothing here raises. What is not copied when the process dies is copied by the
    next run, or the next report, on this machine.
    """

    def __init__(self, mirror: Mirror, *, command: str) -> None:
        """Copy nothing yet; `command` copies what is left, later."""
        self._mirror, self._command = mirror, command
        self._tell: Tell = lambda text: None
        self._is_ours: Callable[[], bool] = lambda: True
        self._changed = threading.Condition()
        self._over = False
        self._asked = 0
        self._done = 0
        self._outage: StudiesError | None = None
        self._last_success = time.monotonic()
        self._pages_at = -SECONDS_BETWEEN_PAGES
        self._takes_pages = self._is_finished = False
        self._thread = threading.Thread(target=self._work, name="copier", daemon=True)

    def begin(self, tell: Tell, is_ours: Callable[[], bool]) -> None:
        """Copy in the background from now on; `tell` gets messages for the user.

        `is_ours` is asked before each file: a run that another one took the study from copies and removes nothing more.
        """
        self._tell, self._is_ours = tell, is_ours
        with self._changed:
            outage = self._outage
        if outage is not None:
            self._tell_outage(outage)
        self._start()

    def _start(self) -> None:
        if not self._thread.is_alive() and not self._over:
            self._thread.start()

    def copy_models(self) -> None:
        """Return once the models' files are at the place, after 10 s, or at once while the place is out.

        As with a write that goes to the spool: then they are safe in the folder here, from which they are copied later.
        """
        with self._changed:
            if self._outage is not None or not self._thread.is_alive():
                return
            if not self._mirror.pending(f"{MODELS}/"):
                return
        self._wait(MAX_SECONDS_BEFORE_ROW)

    def _wait(self, max_seconds: float, *, through_outages: bool = False) -> bool:
        """Ask for a pass and wait for it; return whether one went through.

        `max_seconds` count from the last file that was copied.
        """
        with self._changed:
            self._asked += 1
            wanted, began = self._asked, time.monotonic()
            self._changed.notify_all()
            while self._done < wanted and self._thread.is_alive():
                if self._outage is not None and not through_outages:
                    return False
                if time.monotonic() - max(began, self._last_success) > max_seconds:
                    return False
                self._changed.wait(0.1)
            return self._done >= wanted

    def finish(self, *, is_stopped: bool = False) -> StudiesError | None:
        """Copy what is left, pages included; return an error that says what could not be copied, None if all was.

        A second time nothing is done, and None returned: what is left has been told.
        """
        if self._is_finished:
            return None
        self._is_finished = True
        with self._changed:
            self._takes_pages = True
        self._start()
        is_out = self._outage is not None
        patience = MAX_SECONDS_OUT_AT_END if is_out else MAX_SECONDS_TO_END
        self._wait(MAX_SECONDS_TO_STOP if is_stopped else patience, through_outages=not is_stopped)
        self.stop()
        self._thread.join(_SECONDS_TO_END_THREAD)  # or it is abandoned, if the place hangs
        return self.left()

    def stop(self) -> None:
        """Copy nothing more; what is being copied just now may still come there."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def left(self) -> StudiesError | None:
        """Return an error that says what is not at the place, None if all is."""
        left = self._mirror.pending()
        if not left:
            return None
        why = "" if self._outage is None else f" ({self._outage.message})"
        named = ", ".join(left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
        return PlaceError(
            f"not copied to {self._mirror.there}{why}: {named}",
            f"All of it is in {self._mirror.folder} on {socket.gethostname()}; copy it later, there: {self._command}",
        )

    def _work(self) -> None:
        pauses = _pauses()
        while True:
            with self._changed:
                if self._over:
                    return
                asked = self._asked
            try:
                self._pass()
            except Exception as error:  # whatever it is: the thread goes on, and the end tells what is left
                self._fail(error)
                pause = next(pauses)
            else:
                self._succeed(asked)
                pauses, pause = _pauses(), SECONDS_BETWEEN_LOOKS
            with self._changed:
                if self._asked == self._done and not self._over:
                    self._changed.wait(pause)
                elif self._outage is not None and not self._over:
                    self._changed.wait(min(pause, 2.0))

    def _pass(self) -> None:
        """Copy what is pending now, in order."""
        wanted, dropped = self._pending(), self._mirror.dropped()
        steps = [
            *((self._mirror.copy, name) for name in wanted),
            *((self._mirror.remove, name) for name in dropped),
        ]
        for step, name in steps:
            if self._over:
                return
            if not self._is_ours():
                self.stop()
                return
            step(name)
            with self._changed:
                self._last_success = time.monotonic()

    def _pending(self) -> list[str]:
        found = self._mirror.pending()
        now = time.monotonic()
        if self._takes_pages or now - self._pages_at >= SECONDS_BETWEEN_PAGES:
            self._pages_at = now if any(name in CHANGING for name in found) else self._pages_at
            return found
        return [name for name in found if name not in CHANGING]

    def _succeed(self, asked: int) -> None:
        with self._changed:
            was_out, self._outage, self._done = self._outage is not None, None, asked
            self._changed.notify_all()
        if was_out:
            self._tell(f"{self._mirror.there} is back; what waited is there")

    def _fail(self, error: Exception) -> None:
        told = (
            error if isinstance(error, StudiesError) else PlaceError(f"{type(error).__name__}: {error}", "")
        )
        with self._changed:
            is_new, self._outage = self._outage is None, told
            self._changed.notify_all()
        if is_new:
            self._tell_outage(told)

    def _tell_outage(self, outage: StudiesError) -> None:
        self._tell(f"{outage.message}; meanwhile files are kept in {self._mirror.folder}")


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE)
