"""OUTPUT/NAME/run.log: what a run did in plain lines, appended over resumes, whatever its terminal shows.

Progress goes there as text (`studies.terminal.plain` prints it), so a log is a text stream that dates each line. It
never fails a run: what keeps it from being written is told once, on standard error, and the run goes on.
"""

import io
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, final

from studies.base.errors import StudiesError
from studies.base.steps import Tell
from studies.base.wording import printable

FILE_NAME: Final = "run.log"
EARLIER: Final = ".1"
"""What the name of the file before this one ends in, which holds what went before."""
MAX_BYTES: Final = 4 * 2**20
"""Size past which a log becomes the earlier one, whose place it takes: both together never hold more than twice this.

A line every ten seconds makes less than 1 MB a day.
"""
MAX_BUFFERED: Final = 200
"""Most lines kept of what is told before the log has a file."""


@final
class RunLog(io.TextIOBase):
    """The log of one run: told from the first step on, written once `begin` has given it a file.

    Thread-safe. With `takes_output` the standard output and error of this process go to the file from then on, as
    those of a run that has left its terminal; errors, which a command prints there, are then not written twice.
    """

    def __init__(self, *, takes_output: bool = False, now: Callable[[], datetime] | None = None) -> None:
        """Keep what is told in memory until the log begins."""
        super().__init__()
        self.path: Path | None = None
        self._takes_output = takes_output
        self._now = now or (lambda: datetime.now(UTC))
        self._lock = threading.RLock()
        self._waiting: list[str] = []
        self._descriptor: int | None = None
        self._has_told = False
        self._started, self._began_at = time.monotonic(), self._now()

    def telling(self, tell: Tell) -> Tell:
        """Return a function that shows a step with `tell` and notes it here as well."""

        def both(step: str) -> None:
            tell(step)
            self.note(f"{step} ...")

        return both

    def begin(self, folder: Path, *lines: str) -> None:
        """Write `lines` and what was told so far into the log in `folder`, below what earlier runs have left there.

        The lines are dated when this object was made, at the run's own beginning.
        """
        with self._lock:
            self.path = (folder / FILE_NAME).absolute()
            waiting, self._waiting = self._waiting, []
            self._written("".join([*(self._dated(line, self._began_at) for line in lines), *waiting]))

    def note(self, *lines: str) -> None:
        """Add lines, each dated now."""
        with self._lock:
            self._add("".join(map(self._dated, lines)))

    def write(self, text: str) -> int:
        """Add whole lines of text, each dated now."""
        self.note(*text.splitlines())
        return len(text)

    def end(self, error: BaseException | None, *lines: str) -> None:
        """Write how the run ended and close the file; a log that never began writes nothing."""
        with self._lock:
            if self.path is None:
                return
            if error is not None and not self._takes_output:
                self.note(*_words(error))
            self.note(*lines, f"end of the run, after {time.monotonic() - self._started:.0f} s")
            self.path = None
            if self._descriptor is not None and not self._takes_output:
                os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Note how the work inside the context ends."""
        try:
            yield
        except BaseException as error:
            self.end(error)
            raise
        self.end(None)

    def _dated(self, line: str, at: datetime | None = None) -> str:
        return f"{at or self._now():%Y-%m-%d %H:%M:%S} {printable(line)}\n"

    def _add(self, text: str) -> None:
        if self.path is None:
            self._waiting = [*self._waiting, text][-MAX_BUFFERED:]
        else:
            self._written(text)

    def _written(self, text: str) -> None:
        assert self.path is not None
        try:
            self._make_room(self.path)
            if self._descriptor is None:
                self._descriptor = self._open(self.path)
            os.write(self._descriptor, text.encode("utf-8", "replace"))
        except OSError as error:
            self._tell_problem(error)

    def _make_room(self, path: Path) -> None:
        """Let a file that is too long become the earlier one."""
        with suppress(FileNotFoundError):
            if path.lstat().st_size > MAX_BYTES:
                path.replace(path.with_name(path.name + EARLIER))
                if self._descriptor is not None:
                    os.close(self._descriptor)
                    self._descriptor = None

    def _open(self, path: Path) -> int:
        """Open the file for its owner alone; a link that others have put there is not followed."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        if self._takes_output:
            sys.stdout.flush()
            sys.stderr.flush()
            for number in (1, 2):
                os.dup2(descriptor, number)
        return descriptor

    def _tell_problem(self, error: OSError) -> None:
        if not self._has_told:
            self._has_told = True
            reason = (error.strerror or str(error)).lower()
            with suppress(OSError):
                print(
                    f"note: the log {self.path} cannot be written ({reason}); the run goes on without it",
                    file=sys.stderr,
                    flush=True,
                )


def _words(error: BaseException) -> list[str]:
    """Return an error's lines: of ours what is wrong and what to do, of any other its traceback."""
    if isinstance(error, StudiesError):
        return f"error: {error}".splitlines()
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted"]
    return [line for each in traceback.format_exception(error) for line in each.rstrip().splitlines()]


def earlier_lines(path: Path) -> list[str]:
    """Return the lines of the file before a log, which it followed when it was full."""
    earlier = path.with_name(path.name + EARLIER)
    is_there = earlier.is_file() and not earlier.is_symlink()
    return earlier.read_text(encoding="utf-8", errors="replace").split("\n")[:-1] if is_there else []


@final
class Follower:
    """Reads a log and what is added to it, through its change of files."""

    def __init__(self, path: Path) -> None:
        """Begin at the start of the file, which need not be there yet."""
        self._path = path
        self._file = self._opened()
        self._rest = ""

    def new_lines(self) -> list[str]:
        """Return the whole lines that were added since the last call, at first all of them."""
        found = self._rest + self._added()
        if self._is_replaced():
            found += self._added()  # what was written there between the last reading and the change
            self.close()
            self._file = self._opened()
            found += self._added()
        *lines, self._rest = found.split("\n")
        return lines

    def unfinished(self) -> list[str]:
        """Return what follows the last whole line, if anything does."""
        return [self._rest] if self._rest else []

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _added(self) -> str:
        return "" if self._file is None else str(self._file.read())

    def _is_replaced(self) -> bool:
        if self._file is None:
            return self._path.exists()
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except FileNotFoundError:  # its place is taken in a moment
            return False

    def _opened(self) -> Any:
        try:
            return self._path.open(encoding="utf-8", errors="replace", newline="\n")
        except FileNotFoundError:
            return None
