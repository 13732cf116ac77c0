"""Keeps OUTPUT/NAME/live.html up to date while a run goes on: once a minute, in a thread, and no run fails by it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol, final

from reports.inputs.measures import objective_of
from reports.pages.live_page import SECONDS_BETWEEN_PAGES, Stage, write_finished, write_live
from studies.base.errors import HeldError, StudiesError
from studies.base.stop_signal import RayLostError, RunInterruptedError
from studies.base.wording import error_line, printable
from studies.execution.live_study import live_study
from studies.planning.plan import Plan
from studies.results.made_report import LIVE, PAGE
from studies.search.progress import Progress
from studies.search.trial_queue import TrialQueue

NICENESS: Final = 10
"""Of the thread that writes the page. Ray's workers have 15: behind them it would hold the driver's interpreter, and
their reports, for longer than the few milliseconds that it works."""
SECONDS_BETWEEN_LOOKS: Final = 1.0
"""How often the thread sees whether a page is due."""
MAX_SECONDS_TO_END: Final = 5.0
"""How long the end of a run waits for a page that is being written, as on a disk that does not answer."""

FindDashboard = Callable[[], tuple[str, str | None] | None]
"""Returns the dashboard's URL and the command that prints its token, None while there is none."""


class Tenure(Protocol):
    """The right to write the study's files: a run's lease."""

    @property
    def lost(self) -> HeldError | None:
        """Return the error of a run that another one took the study from, None for one that has it as far as known."""

    def confirm(self) -> bool:
        """Ask the storage whether the run still has the study."""


@final
class Schedule:
    """When a page is due: as soon as the run's first trial has reported, then a minute after the page before."""

    def __init__(self, has_begun: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        """Start without a page; `has_begun` says whether a trial has reported."""
        self._has_begun, self._clock = has_begun, clock
        self._last: float | None = None

    def is_due(self) -> bool:
        """Return whether a page is due now; one that is counts as written, also where that fails."""
        if self._last is None and not self._has_begun():
            return False
        now = self._clock()
        if self._last is not None and now - self._last < SECONDS_BETWEEN_PAGES:
            return False
        self._last = now
        return True


@final
class LivePage:
    """The page of one run, from its start to its end; only a run that has the study writes it.

    What keeps it from being written is shown with the progress, and never raised.
    """

    def __init__(
        self,
        plan: Plan,
        progress: Progress,
        *,
        folder: Path,
        lease: Tenure,
        resume_command: str,
        arguments: Sequence[str],
        is_wanted: bool = True,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Write nothing yet; where the page is not wanted, nothing is written at all."""
        self._plan, self._progress, self._lease = plan, progress, lease
        self._folder, self._path = folder, folder / LIVE
        self._resume_command, self._arguments = resume_command, arguments
        self._is_wanted, self._clock, self._now = is_wanted, clock, now
        self._queue: TrialQueue | None = None
        self._find_dashboard: FindDashboard | None = None
        self._measure = objective_of(plan.to_dict(), progress.num_classes)
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Say that the run is starting; where no page is wanted, remove what an earlier run left."""
        if self._is_wanted:
            self._progress.live_page = self._path
            self.write(Stage.STARTING)
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            self._progress.page_problem = _problem(self._path, error)

    @contextmanager
    def kept_up_to_date(self, queue: TrialQueue, find_dashboard: FindDashboard | None) -> Iterator[None]:
        """Write the page once a minute in a thread of low priority while the context lasts."""
        self._queue = queue
        if not self._is_wanted:
            yield
            return
        self._find_dashboard = find_dashboard
        over = threading.Event()
        schedule = Schedule(lambda: self._progress.startup_seconds is not None, self._clock)
        self._thread = threading.Thread(
            target=self._keep, args=(schedule, over), name="live-page", daemon=True
        )
        self._thread.start()
        try:
            yield
        finally:
            over.set()
            self._thread.join(MAX_SECONDS_TO_END)
            self._find_dashboard = None  # it ends with the run

    def _keep(self, schedule: Schedule, over: threading.Event) -> None:
        give_way()
        while not over.wait(SECONDS_BETWEEN_LOOKS):
            if schedule.is_due() and self._is_ours():
                self.write(Stage.RUNNING)

    def _is_ours(self) -> bool:
        """Ask whether the run still has the study; what goes wrong with that is shown, and the page waits a minute."""
        try:
            return self._lease.confirm()
        except Exception as error:  # whatever it is: the thread goes on
            self._progress.page_problem = _problem(self._path, error)
            return False

    @contextmanager
    def telling_the_end(self) -> Iterator[None]:
        """Write how the run has ended: complete, so that its report follows, interrupted or failed."""
        try:
            yield
        except HeldError:
            raise  # the study, and the page, are another run's
        except RunInterruptedError as error:
            self._end(Stage.INTERRUPTED, f"The run was {error.message}.")
            raise
        except RayLostError as error:
            self._end(Stage.INTERRUPTED, f"The run has ended: {error.message}.")
            raise
        except StudiesError as error:
            self._end(Stage.FAILED, f"The run has failed: {error.message}. {error.advice}".rstrip())
            raise
        except KeyboardInterrupt:
            self._end(Stage.INTERRUPTED, "The run was interrupted.")
            raise
        except Exception as error:
            self._end(Stage.FAILED, f"The run has failed: {type(error).__name__}: {error_line(str(error))}.")
            raise
        else:
            self._end(Stage.REPORTING, None)

    def _end(self, stage: Stage, why: str | None) -> None:
        if not self._is_wanted or self._progress.live_page is None or self._lease.lost is not None:
            return
        if self._thread is not None and self._thread.is_alive():
            tell_problem(_problem(self._path, TimeoutError("writing it takes too long")))
            return
        self.write(stage, why)
        if self._progress.page_problem is not None:
            tell_problem(self._progress.page_problem)

    def write(self, stage: Stage, why: str | None = None) -> None:
        """Write the page as the run stands now; keep what goes wrong as `page_problem` of the progress."""
        try:
            told = live_study(
                self._plan,
                self._progress,
                [] if self._queue is None else list(self._queue.trials.values()),
                stage=stage,
                as_of=self._now(),
                measure=self._measure,
                report=self._folder / PAGE,
                dashboard=None if self._find_dashboard is None else self._find_dashboard(),
                why=why,
                resume_command=self._resume_command,
                arguments=self._arguments,
            )
            write_live(told, self._path)
        except Exception as error:  # whatever it is: a page is no reason to lose a run
            self._progress.page_problem = _problem(self._path, error)
        else:
            self._progress.page_problem = None


def finish_page(plan: Plan, report: Path, *, is_wanted: bool) -> None:
    """Have the page of a study whose report was made lead there; what goes wrong is told on standard error.

    Where no page is wanted, remove what an earlier run left.
    """
    path = report.with_name(LIVE)
    try:
        if is_wanted:
            write_finished(
                path,
                study=printable(plan.name),
                question=printable(plan.study.question),
                report=report.name,
            )
        else:
            path.unlink(missing_ok=True)
    except Exception as error:  # whatever it is: the report is made
        tell_problem(_problem(path, error))


def give_way() -> None:
    """Lower the priority of the thread that calls this, on Linux, where each thread has one of its own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        is_nice = os.getpriority(os.PRIO_PROCESS, thread) >= NICENESS
        if not is_nice:
            os.setpriority(os.PRIO_PROCESS, thread, NICENESS)


def tell_problem(problem: str) -> None:
    """Print what went wrong with a page as a note on standard error."""
    print(f"note: {problem}", file=sys.stderr)


def _problem(path: Path, error: Exception) -> str:
    reason = getattr(error, "message", None) or str(error) or type(error).__name__
    return printable(f"the page {path} is not up to date: {reason}")
