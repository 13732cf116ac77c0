"""What a report needs besides the results, made ready while trials still run: libraries, and processes that draw."""

import importlib
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Self, final

from studies.base.stop_signal import never_broken_off
from studies.planning.resources import num_cores

if TYPE_CHECKING:
    from reports.pages.drawing_processes import DrawingProcesses

LIBRARIES = (
    "reports.pages.page",
    "reports.pages.drawing_processes",
    "studies.results.report_inputs",
    "studies.search.decision_inputs",
    "sklearn.metrics",
    "trainables.use.making",
    "studies.results.best_model",
)
"""Imported one after the other; what they import in turn takes about 4 s of a core."""
MAX_PROCESSES = 3
"""A page has some 70 drawings of less than .1 s; each process takes 150 MB."""
SECONDS_BETWEEN_LOOKS = 0.1


@final
class ReportAhead:
    """Loads what a report needs in a thread, and starts processes that draw beside it: one a core but one.

    Leaving the context ends them.
    """

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawers: DrawingProcesses | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with never_broken_off():
            self._is_over.set()
            if self._thread is not None:
                self._thread.join()
            if self._drawers is not None:
                self._drawers.__exit__()

    def begin(self, when: Callable[[], bool] = lambda: True) -> None:
        """Begin as soon as `when` returns True, unless it has begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, args=(when,), name="report-ahead", daemon=True)
            self._thread.start()

    def drawers(self) -> "DrawingProcesses | None":
        """Wait until all is loaded; return what draws, None where nothing does."""
        if self._thread is not None:
            self._is_over.set()
            self._thread.join()
        return self._drawers

    def _load(self, when: Callable[[], bool]) -> None:
        while not when():
            if self._is_over.wait(SECONDS_BETWEEN_LOOKS):
                return
        num = min(num_cores() - 1, MAX_PROCESSES)
        if num > 0:
            with suppress(OSError):  # no process can be started: the page is made without, which takes longer
                self._start(num)
        for library in LIBRARIES:
            if self._is_over.is_set():
                return
            importlib.import_module(library)

    def _start(self, num: int) -> None:
        from reports.pages.drawing_processes import DrawingProcesses
        from studies.cluster.cluster import environment_without_secrets

        self._drawers = DrawingProcesses(num, environment=environment_without_secrets())
