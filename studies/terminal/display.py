"""Shows a run's progress while it lasts: a live screen on a terminal, plain lines elsewhere, nothing when quiet."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from rich.live import Live

from reports.inputs.measures import LOG_LOSS, Measure, objective_of
from studies.run_log.log_file import RunLog
from studies.search.progress import Progress
from studies.storage.paths import Locations
from studies.terminal import plain
from studies.terminal.output import console_on
from studies.terminal.progress_snapshot import ProgressSnapshot, from_progress
from studies.terminal.screen import Screen

if TYPE_CHECKING:
    from studies.execution.driver import Dashboard, Show
    from studies.planning.plan import Plan

REFRESHES_PER_SECOND = 4


def showing(
    progress: Progress,
    *,
    name: str,
    question: str,
    find_dashboard: Callable[[], str | None],
    token_hint: str | None,
    report_path: Path,
    live_page: Path | None = None,
    objective: Measure = LOG_LOSS,
    stream: TextIO | None = None,
    live: bool | None = None,
    quiet: bool = False,
) -> AbstractContextManager[None]:
    """Show `progress` on `stream` (standard error) until the context ends, and leave its last state there.

    `find_dashboard` returns the dashboard's URL once it has one; `token_hint` is the shell command that prints its
    token. `live_page` is the page that the run keeps up to date, None where it writes none. `live` defaults to whether
    the stream is a terminal that can move its cursor; `quiet` shows nothing.
    """
    if quiet:
        return nullcontext()
    stream = sys.stderr if stream is None else stream
    console = console_on(stream)

    def snapshot() -> ProgressSnapshot:
        elapsed = progress.clock() - progress.command_started
        return from_progress(
            progress, name=name, question=question, objective=objective, elapsed_seconds=elapsed
        )

    def places() -> list[tuple[str, str]]:
        return _places(find_dashboard(), token_hint, live_page, report_path)

    if live if live is not None else console.is_terminal and not console.is_dumb_terminal:
        return _live(snapshot, places, stream)
    return plain.printing(snapshot, places, stream)


def showing_run(
    locations: Locations, *, quiet: bool = False, before: Callable[[], None] = lambda: None
) -> "Show":
    """Return a function that shows a run's progress; it calls `before` first."""

    def show(progress: Progress, plan: "Plan", dashboard: "Dashboard | None") -> AbstractContextManager[None]:
        before()
        token_path = None if dashboard is None else dashboard.token_path
        return showing(
            progress,
            name=plan.name,
            question=plan.study.question,
            objective=objective_of(plan.to_dict(), progress.num_classes),
            find_dashboard=(lambda: None) if dashboard is None else dashboard.find,
            token_hint=None if token_path is None else f"cat {token_path}",
            report_path=locations.folder(plan.name) / "report.html",
            live_page=progress.live_page,
            quiet=quiet,
        )

    return show


def logging_too(show: "Show", locations: Locations) -> "Show":
    """Return a function that shows a run's progress as `show` does, and writes it into the run's log in plain lines."""

    @contextmanager
    def both(progress: Progress, plan: "Plan", dashboard: "Dashboard | None") -> Iterator[None]:
        with ExitStack() as shown:
            if progress.log is not None:
                shown.enter_context(_logged(progress, plan, dashboard, locations, progress.log))
            shown.enter_context(show(progress, plan, dashboard))
            yield

    return both


def _logged(
    progress: Progress, plan: "Plan", dashboard: "Dashboard | None", locations: Locations, log: RunLog
) -> AbstractContextManager[None]:
    objective = objective_of(plan.to_dict(), progress.num_classes)
    report_path = locations.folder(plan.name) / "report.html"

    def snapshot() -> ProgressSnapshot:
        elapsed = progress.clock() - progress.command_started
        return from_progress(
            progress,
            name=plan.name,
            question=plan.study.question,
            objective=objective,
            elapsed_seconds=elapsed,
        )

    def places() -> list[tuple[str, str]]:
        url = None if dashboard is None else dashboard.find()
        return _places(url, None, progress.live_page, report_path)

    def troubles() -> list[str]:
        lost = [f"trial {each.number} lost its worker: {each.words}" for each in list(progress.losses)]
        return [*lost, *(f"trial {each.number} failed: {each.words}" for each in list(progress.failures))]

    return plain.printing(snapshot, places, cast(TextIO, log), troubles=troubles)


@contextmanager
def _live(
    snapshot: Callable[[], ProgressSnapshot], places: Callable[[], list[tuple[str, str]]], stream: TextIO
) -> Iterator[None]:
    """Redraw in rich's own thread; what others print meanwhile appears above the screen."""
    is_over = False
    live = Live(
        console=console_on(stream),
        get_renderable=lambda: Screen(snapshot=snapshot(), places=places()[-1:] if is_over else places()),
        refresh_per_second=REFRESHES_PER_SECOND,
        # Standard output may be redirected to a file that must hold JSON alone.
        redirect_stdout=sys.stdout.isatty(),
    )
    with live:
        try:
            yield
        finally:
            is_over = True  # the dashboard ends with the run, while the last screen stays


def _places(
    dashboard_url: str | None, token_hint: str | None, live_page: Path | None, report_path: Path
) -> list[tuple[str, str]]:
    """Return labels and places: the live page, the dashboard and its token once there is one, and the report."""
    places = [] if live_page is None else [("live", f"{live_page}, a page, new each minute")]
    if dashboard_url is not None:
        places.append(("dashboard", dashboard_url))
        if token_hint is not None:
            places.append(("token", f"the dashboard asks for it: {token_hint}"))
    return [*places, ("report", f"{report_path}, written at the end")]
