"""Processes that draw panels beside the one that makes a page, which draws what they have not begun.

They are programs of their own, started early, so that nothing of the page's process is copied or run again, and each
ends by itself when that process does.
"""

import importlib
import os
import pickle
import pkgutil
import signal
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self, final

from matplotlib.axes import Axes

from reports.plots.style.canvas import Drawing, Drawn, Sheet, finish

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "import sys; sys.path.append(sys.argv[1]); from reports.pages.drawing_processes import serve; serve()"
)
NICENESS = 10
"""Of a process while it loads; what it draws somebody waits for."""
SECONDS_TO_END = 5.0
READY = b"ready"
_LENGTH = struct.Struct(">Q")


@final
class DrawingProcesses:
    """Draws panels in `num` processes (`Drawers` of the canvas): each takes the next drawing when it has finished one.

    What no process has begun when it is needed is drawn here, and so is what a process that dies has not finished;
    `problem` then says so. Leaving the context ends the processes at once.
    """

    def __init__(self, num: int, *, environment: Mapping[str, str] | None = None) -> None:
        """Start loading; `environment` is that of the processes, by default this process's."""
        self.problem: str | None = None
        self._waiting: deque[_Order] = deque()
        self._changed = threading.Condition()
        self._is_over = False
        self._processes = [_started(environment) for _ in range(num)]
        for process in self._processes:
            threading.Thread(target=self._employ, args=(process,), name="drawing", daemon=True).start()

    @property
    def pids(self) -> tuple[int, ...]:
        """The numbers of the processes."""
        return tuple(process.pid for process in self._processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        for process in self._processes:
            process.kill()
            process.wait()

    def give(self, drawing: Drawing) -> Callable[[], Drawn]:
        """Put a drawing at the end of the queue; return what waits for it, or draws it if nobody has begun."""
        order = _Order(drawing)
        if order.sent is None:
            return order.draw
        with self._changed:
            self._waiting.append(order)
            self._changed.notify()

        def find() -> Drawn:
            if self._take_back(order):
                order.draw()
            return order.wait()

        return find

    def help(self) -> None:
        """Draw here, from the end of the queue, until nothing is left that no process has begun."""
        while (order := self._last()) is not None:
            order.draw()

    def _last(self) -> "_Order | None":
        with self._changed:
            return self._waiting.pop() if self._waiting else None

    def _take_back(self, order: "_Order") -> bool:
        with self._changed:
            if order not in self._waiting:
                return False
            self._waiting.remove(order)
            return True

    def _next(self) -> "_Order | None":
        """Wait for a drawing; None once it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._waiting)
            return None if self._is_over else self._waiting.popleft()

    def _employ(self, process: "subprocess.Popen[bytes]") -> None:
        """Hand one process drawing after drawing, in a thread of its own."""
        assert process.stdin is not None
        assert process.stdout is not None
        order: _Order | None = None
        try:
            _read(process.stdout)  # it is ready
            while (order := self._next()) is not None:
                assert order.sent is not None
                _write(process.stdin, order.sent)
                order.finished(pickle.loads(_read(process.stdout)))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if not self._is_over:
                ended = _exit_code(process)
                why = f"{type(error).__name__}: {error}" if ended is None else f"exit code {ended}"
                self.problem = (
                    f"a process that draws figures was lost ({why}); this process draws in its place"
                )
        finally:
            if order is not None:
                order.finished(None)
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    pipe.close()


@final
class _Order:
    """A drawing that is asked for, as it is sent, and its result."""

    def __init__(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._drawn: Drawn | None = None
        self._is_done = threading.Event()
        try:
            self.sent: bytes | None = pickle.dumps(drawing, pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError):
            self.sent = None  # what cannot be sent, as a function inside another, is drawn here

    def draw(self) -> Drawn:
        """Draw here, unless it is drawn already."""
        if self._drawn is None:
            self._drawn = finish(self._drawing)
        self._is_done.set()
        return self._drawn

    def finished(self, drawn: Drawn | None) -> None:
        """Take a process's result, None where it has none, as if drawing failed: what is wrong is then seen here."""
        if self._drawn is None:
            self._drawn = drawn
        self._is_done.set()

    def wait(self) -> Drawn:
        """Return the drawing once it is there; draw it here if it was lost."""
        self._is_done.wait()
        return self.draw()


def _started(environment: Mapping[str, str] | None) -> "subprocess.Popen[bytes]":
    # -P: a module named reports in the current folder is not imported. A session of its own keeps Ctrl-C from it.
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM, str(ROOT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def _exit_code(process: "subprocess.Popen[bytes]") -> int | None:
    """Return how a process ended whose pipes are closed, which is a moment before it has ended; None if it lives on."""
    try:
        return process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        return None


def _write(file: IO[bytes], content: bytes) -> None:
    file.write(_LENGTH.pack(len(content)) + content)
    file.flush()


def _read(file: IO[bytes]) -> bytes:
    """Read one message; raise EOFError if the other side has gone."""
    head = file.read(_LENGTH.size)
    if len(head) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        content = file.read(length)
        if len(content) == length:
            return content
    raise EOFError("it has ended")


def serve() -> None:
    """Draw what comes on standard input until it closes: the program of a drawing process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    loading = threading.Thread(target=_load, name="loading")
    loading.start()
    loading.join()
    with suppress(BrokenPipeError, EOFError):
        _write(answers, READY)
        while True:
            drawing: Drawing = pickle.loads(_read(sys.stdin.buffer))
            try:
                drawn: Drawn | None = finish(drawing)
            except Exception:  # whatever it is, the page's process meets it, too, and says what is wrong
                drawn = None
            _write(answers, pickle.dumps(drawn, pickle.HIGHEST_PROTOCOL))


def _load() -> None:
    """Import every plot, and draw once, as what others do still matters more."""
    from reports import plots

    if sys.platform == "linux":  # where a thread has a niceness of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    for found in pkgutil.iter_modules(plots.__path__):
        importlib.import_module(f"{plots.__name__}.{found.name}")
    finish(Drawing(draw=Axes.grid, sheet=Sheet(), heading="a", note="b", prefix="c"))  # it loads fonts
