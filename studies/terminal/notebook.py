"""A run's progress below a notebook's cell: one output that is updated in place, as text and as HTML with two bars.

It is there from the first second, so nothing heavy is imported before it shows a step. It needs no package: IPython is
used where it is loaded, which it is in every kernel, and a front end that shows no HTML shows the text.
"""

import html
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from studies.base.durations import format_duration
from studies.base.errors import StudiesError
from studies.base.html_rows import html_row
from studies.base.steps import Tell, silent, telling_steps
from studies.base.stop_signal import AGAIN, RunInterruptedError

if TYPE_CHECKING:
    from studies.execution.driver import Dashboard, Show
    from studies.execution.session import Result
    from studies.planning.plan import Plan
    from studies.search.progress import Progress
    from studies.storage.paths import Locations
    from studies.terminal.progress_snapshot import ProgressSnapshot

SECONDS_BETWEEN_UPDATES: Final = 1.0
MOST_RUNNING: Final = 4
"""Running trials that are shown one by one."""
_BAR_WIDTH: Final = 30
"""Characters of a bar in text."""

Rows = Sequence[tuple[str, str]]
Bars = Sequence[tuple[str, int, int, str]]
"""Label, how many have ended, how many are planned, and both in words."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is below the cell: a title, bars, and labelled rows, of which `link` is the place of the page."""

    title: str
    bars: Bars = ()
    rows: Rows = ()
    link: Path | None = None

    def text(self) -> str:
        """Return it as plain text."""
        lines = [self.title]
        for label, ended, planned, words in self.bars:
            filled = _BAR_WIDTH * min(ended, planned) // max(planned, 1)
            lines.append(f"{label:<9} [{'#' * filled}{' ' * (_BAR_WIDTH - filled)}] {words}")
        lines += [f"{label:<9} {content}" for label, content in self._all_rows()]
        return "\n".join(lines)

    def html(self) -> str:
        """Return it as HTML without script or style sheet, for light and dark themes."""
        rows = [
            html_row(label, _bar(min(ended / max(planned, 1), 1.0)) + html.escape(words))
            for label, ended, planned, words in self.bars
        ]
        rows += [html_row(label, html.escape(content)) for label, content in self.rows]
        if self.link is not None:
            place = html.escape(str(self.link), quote=True)
            rows.append(html_row("page", f'<a href="{place}" target="_blank">{place}</a>'))
        return (
            f'<div style="line-height:1.5"><div style="font-weight:600">{html.escape(self.title)}</div>'
            f"{''.join(rows)}</div>"
        )

    def _all_rows(self) -> Rows:
        return self.rows if self.link is None else [*self.rows, ("page", str(self.link))]


def _bar(share: float) -> str:
    return (
        '<span style="display:inline-block;vertical-align:middle;width:16em;max-width:40%;height:.6em;'
        'margin-right:.75em;border-radius:.3em;overflow:hidden;background:rgba(128,128,128,.28)">'
        f'<span style="display:block;width:{100 * share:.1f}%;height:100%;background:#3d7fc4"></span></span>'
    )


def kernel_shell() -> Any | None:
    """Return IPython's shell if this is a notebook's kernel, which shows what is published to it; else None."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


@final
class CellOutput:
    """One output below the running cell, which shows the latest content until it is closed."""

    def __init__(self, shell: Any, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Publish to IPython's `shell`; nothing is shown before the first step."""
        self._shell, self._clock = shell, clock
        self._display_id = f"studies-{id(self):x}-{time.monotonic_ns():x}"
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._step, self._since = "", 0.0
        self._find: Callable[[], Content] | None = None
        self._shown: str | None = None
        self._thread = threading.Thread(target=self._update, name="cell-output", daemon=True)
        self._thread.start()

    def tell(self, step: str) -> None:
        """Show that `step` begins, in place of what is there."""
        with self._lock:
            self._step, self._since, self._find = step, self._clock(), None
        self._show_now()

    @contextmanager
    def following(self, find: Callable[[], Content]) -> Iterator[None]:
        """Show what `find` returns, once a second, until the context ends."""
        with self._lock:
            self._find = find
        self._show_now()
        try:
            yield
        finally:
            self._show_now()

    def close(self, last: Content | None = None) -> None:
        """Show a last content, or leave what is there."""
        self._is_over.set()
        self._thread.join()
        if last is not None:
            self._publish(last)

    def latest(self) -> Content | None:
        """Return what there is to show; None before the first step."""
        with self._lock:
            find, step, since = self._find, self._step, self._since
        if find is not None:
            return find()
        if not step:
            return None
        seconds = self._clock() - since
        return Content(title=f"{step} ..." + (f" {format_duration(seconds)}" if seconds >= 2 else ""))

    def _update(self) -> None:
        while not self._is_over.wait(SECONDS_BETWEEN_UPDATES):
            self._show_now()

    def _show_now(self) -> None:
        content = self.latest()
        if content is not None:
            self._publish(content)

    def _publish(self, content: Content) -> None:
        text = content.text()
        with self._lock:
            if text == self._shown:
                return
            self._shell.display_pub.publish(
                data={"text/plain": text, "text/html": content.html()},
                metadata={},
                transient={"display_id": self._display_id},
                update=self._shown is not None,
            )
            self._shown = text


@dataclass(frozen=True, kw_only=True)
class View:
    """What shows a run to those who call it from Python: `tell` each step, `showing` the progress, `end` the result."""

    tell: Tell
    showing: "Callable[[Locations], Show]"
    end: "Callable[[Result], None]"


@contextmanager
def showing_progress(progress: bool | None) -> Iterator[View]:
    """Yield a view: below the cell in a notebook, on standard error elsewhere where `progress` is True, else none.

    None shows it in notebooks only. A KeyboardInterrupt that leaves the context becomes a RunInterruptedError.
    """
    shell = kernel_shell()
    try:
        if shell is not None and progress is not False:
            with _below_the_cell(shell) as view:
                yield view
        elif progress:
            with telling_steps() as steps:
                yield View(
                    tell=steps.tell,
                    showing=lambda locations: _on_standard_error(locations, steps.close),
                    end=lambda result: None,
                )
        else:
            yield View(tell=silent, showing=lambda locations: _not_shown, end=lambda result: None)
    except KeyboardInterrupt as interrupt:
        raise RunInterruptedError.by(interrupt, AGAIN) from None


def _not_shown(
    progress: "Progress", plan: "Plan", dashboard: "Dashboard | None"
) -> AbstractContextManager[None]:
    return nullcontext()


def _on_standard_error(locations: "Locations", before: Callable[[], None]) -> "Show":
    from studies.terminal.display import showing_run

    return showing_run(locations, before=before)


@contextmanager
def _below_the_cell(shell: Any) -> Iterator[View]:
    output = CellOutput(shell)

    def end(result: "Result") -> None:
        output.close(_answer(result))

    try:
        yield View(tell=output.tell, showing=lambda locations: _in_cell(output, locations), end=end)
    except BaseException as error:
        output.close(_ended(output.latest(), error))
        raise
    finally:
        output.close()


def _ended(content: Content | None, error: BaseException) -> Content | None:
    """Return the last content with how the run ended, without what no longer goes on."""
    if content is None:
        return None
    first = (error.message if isinstance(error, StudiesError) else type(error).__name__).splitlines()[0]
    if not content.rows:
        return Content(title=f"{content.title.partition(' ...')[0]}: ended", rows=[("ended", first)])
    kept = [
        (label, words.partition(" so far")[0])
        for label, words in content.rows
        if label not in ("running", "")
    ]
    return Content(title=content.title, bars=content.bars, rows=[*kept, ("ended", first)], link=content.link)


def _in_cell(output: CellOutput, locations: "Locations") -> "Show":
    from reports.inputs.measures import objective_of
    from studies.terminal.progress_snapshot import from_progress

    def show(
        progress: "Progress", plan: "Plan", dashboard: "Dashboard | None"
    ) -> AbstractContextManager[None]:
        objective = objective_of(plan.to_dict(), progress.num_classes)
        page = locations.folder(plan.name) / "report.html"

        def find() -> Content:
            snapshot = from_progress(
                progress,
                name=plan.name,
                question=plan.study.question,
                objective=objective,
                elapsed_seconds=progress.clock() - progress.command_started,
            )
            url = None if dashboard is None else dashboard.find()
            return content_of(snapshot, page=page, dashboard=url)

        return output.following(find)

    return show


def content_of(snapshot: "ProgressSnapshot", *, page: Path, dashboard: str | None = None) -> Content:
    """Return the progress of a study: both phases, counts, time, the best so far, running trials, and places."""
    from studies.base.states import Phase
    from studies.base.wording import configuration, count, counted, objective, printable
    from studies.planning.in_python import in_python
    from studies.terminal.screen import count_rows

    bars = [
        (
            str(phase),
            snapshot.num_ended(phase),
            snapshot.planned[phase],
            f"{count(snapshot.num_ended(phase))} of {counted(snapshot.planned[phase], 'trial')}",
        )
        for phase in Phase
    ]
    rows = [(label, content.plain) for label, content in count_rows(snapshot)]
    best = snapshot.best
    if best is None:
        rows.append(("best", "none yet: no trial has come to the last rung of the search"))
    else:
        score = objective(snapshot.objective, best.objective)
        rows.append(("best", f"{score} in the search, trial {best.number}: {configuration(best.params)}"))
    running = sorted(snapshot.running, key=lambda trial: trial.number)
    for place, trial in enumerate(running[:MOST_RUNNING]):
        epoch = f"epoch {trial.epoch}" if trial.epoch else "starting"
        what = f"trial {trial.number}, {epoch}: {configuration(trial.params)}"
        rows.append(("" if place else "running", what))
    if len(running) > MOST_RUNNING:
        rows.append(("", f"and {len(running) - MOST_RUNNING} more"))
    if not running and snapshot.num_networks == 0:
        rows.append(("running", "the workers are starting"))
    if snapshot.note is not None:
        rows.append(("note", in_python(printable(snapshot.note))))
    if dashboard is not None:
        rows.append(("dashboard", dashboard))
    rows.append(("page", f"{page}, written at the end"))
    return Content(title=f"{snapshot.name}: {printable(snapshot.question)}", bars=bars, rows=rows)


def _answer(result: "Result") -> Content:
    """Return the answer in plain words, the best configuration, and where the page is."""
    from reports.pages.told_verdict import ToldVerdict
    from studies.base.wording import configuration, printable

    report, verdict = result.report, ToldVerdict.of(result.report)
    rows = [("answer", printable(verdict.sentence)), *(("", printable(fact)) for fact in verdict.facts)]
    if report["best"] is not None:
        rows.append(("best", configuration(report["best"]["params"])))
    if result.was_complete:
        rows.append(("time", "it was finished before; its report was made again"))
    else:
        rows.append(("time", format_duration(report["seconds"]["wall"])))
    return Content(
        title=f"{result.name}: {printable(result.report['question'])}", rows=rows, link=result.report_path
    )
