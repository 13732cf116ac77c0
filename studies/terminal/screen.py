"""One screen of progress, drawn from a ProgressSnapshot: for the live display and for `studies status`."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from studies.base.durations import format_duration
from studies.base.states import Phase, TrialState
from studies.base.wording import configuration, count, counted, objective
from studies.run_log.looks import LookSummary
from studies.search.progress import RunningTrial
from studies.terminal.output import LABEL_WIDTH, labelled, text
from studies.terminal.progress_snapshot import ProgressSnapshot

_LEAST_BAR_WIDTH = 50
"""Width in columns below which there are counts without bars."""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """A snapshot and, below it, `places` (label and content): where dashboard and report are.

    It shows as many of the running trials as the height allows.
    """

    snapshot: ProgressSnapshot
    places: Sequence[tuple[str, str]] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the screen's lines."""
        above = _lines(console, options, Group(*title(self.snapshot), *progress_parts(self.snapshot)))
        below = _lines(console, options, _below(self.snapshot, self.places))
        room = console.size.height - len(above) - len(below) - 2
        running = _running_lines(console, options, self.snapshot.running, room)
        if not running and self.snapshot.num_networks == 0:
            running = _lines(console, options, Group("", labelled([("running", "the workers are starting")])))
        yield from _joined([*above, *running, *below])


def title(snapshot: ProgressSnapshot) -> list[RenderableType]:
    """Return the study's name and question."""
    return [text(snapshot.name, "bold"), text(snapshot.question), ""]


def progress_parts(snapshot: ProgressSnapshot) -> list[RenderableType]:
    """Return both phases' bars and the counts below them."""
    return [_Bars(snapshot), labelled(count_rows(snapshot))]


def count_rows(snapshot: ProgressSnapshot) -> list[tuple[str, Text]]:
    """Return labels and counts: trials, networks, questions after the last look, time."""
    return [
        ("trials", _trials(snapshot)),
        ("networks", _networks(snapshot)),
        *_questions(snapshot.look),
        *_time(snapshot),
    ]


def _questions(look: LookSummary | None) -> list[tuple[str, Text]]:
    """Return which questions are answered after the last look, and which are open."""
    if look is None:
        return []
    at = f"after look {look.look} of {look.num_looks}, at {counted(look.num_blocks, 'block')}"
    rows = [("answered", f"{len(look.closed)} of {counted(look.num_questions, 'question')} {at}")]
    if look.closed:
        rows[-1] = ("answered", f"{rows[-1][1]}: {', '.join(look.closed)}")
    if look.open and look.next_blocks is not None:
        cells = counted(look.num_cells, "cell")
        rows.append(("open", f"{', '.join(look.open)}; for them {cells} to {look.next_blocks} blocks"))
    for label, names in (("withheld", look.withheld), ("unresolved", look.unresolved)):
        if names:
            rows.append((label, ", ".join(names)))
    return [(label, text(content)) for label, content in rows]


def best_part(snapshot: ProgressSnapshot) -> RenderableType:
    """Return the best search trial so far and its configuration."""
    best = snapshot.best
    if best is None:
        return labelled([("best", text("none yet: no trial has come to the last rung of the search", "dim"))])
    score = Text.assemble(
        (objective(snapshot.objective, best.objective), "bold"), f" in the search, trial {best.number}"
    )
    return labelled([("best", Group(score, text(configuration(best.params))))])


@dataclass(frozen=True)
class _Bars:
    """One line for each phase, with a bar if the width allows."""

    snapshot: ProgressSnapshot

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        has_room = options.max_width >= _LEAST_BAR_WIDTH
        table = Table.grid(padding=(0, 2), expand=has_room)
        table.add_column(style="dim", width=LABEL_WIDTH)
        if has_room:
            table.add_column(ratio=1)
        table.add_column(justify="right" if has_room else "left")
        for phase in Phase:
            done, planned = self.snapshot.num_ended(phase), self.snapshot.planned[phase]
            bar = ProgressBar(
                total=max(1, planned), completed=done, complete_style="cyan", finished_style="green"
            )
            table.add_row(
                phase, *([bar] if has_room else []), f"{count(done)} of {counted(planned, 'trial')}"
            )
        yield table


def _trials(snapshot: ProgressSnapshot) -> Text:
    complete, stopped, failed = (
        snapshot.total(state) for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)
    )
    ended = f"{count(complete)} complete, {count(stopped)} stopped early, "
    return Text.assemble(ended, (f"{count(failed)} failed", "bold red" if failed else ""))


def _networks(snapshot: ProgressSnapshot) -> Text:
    ended = f"{count(snapshot.num_networks)} of {count(snapshot.planned_networks)} ended, "
    return Text.assemble(
        ended, (f"{count(snapshot.num_diverged)} diverged", "yellow" if snapshot.num_diverged else "")
    )


def _time(snapshot: ProgressSnapshot) -> list[tuple[str, Text]]:
    if snapshot.elapsed_seconds is None:
        return []
    is_over = all(snapshot.num_ended(phase) >= snapshot.planned[phase] for phase in Phase)
    left = ""
    if not is_over:
        seconds = snapshot.seconds_left
        left = " so far" + ("" if seconds is None else f", about {format_duration(seconds)} left")
    return [("time", text(f"{format_duration(snapshot.elapsed_seconds)}{left}"))]


def _below(snapshot: ProgressSnapshot, places: Sequence[tuple[str, str]]) -> Group:
    rows = [(label, text(content)) for label, content in places]
    if snapshot.note is not None:
        rows.insert(0, ("note", text(snapshot.note, "yellow")))
    return Group("", best_part(snapshot), "", labelled(rows)) if rows else Group("", best_part(snapshot))


def running_part(running: Sequence[RunningTrial], num_hidden: int = 0) -> RenderableType:
    """Return a line for each running trial: number, last reported epoch, configuration."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", width=LABEL_WIDTH)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for place, trial in enumerate(running):
        epoch = f"epoch {trial.epoch}" if trial.epoch else "starting"
        what = Text.assemble(f"trial {trial.number}  ", (f"{epoch:<9}", "cyan"))
        table.add_row("" if place else "running", what, text(configuration(trial.params)))
    if num_hidden:
        table.add_row(
            "" if running else "running", text(f"and {num_hidden} more" if running else f"{num_hidden}"), ""
        )
    return table


def _running_lines(
    console: Console, options: ConsoleOptions, running: Sequence[RunningTrial], room: int
) -> list[list[Segment]]:
    """Return as many running trials as fit into `room` lines, below an empty line."""
    ordered = sorted(running, key=lambda trial: trial.number)
    for num_shown in range(len(ordered), 0, -1):
        part = running_part(ordered[:num_shown], len(ordered) - num_shown)
        lines = _lines(console, options, Group("", part))
        if len(lines) <= room:
            return lines
    return _lines(console, options, running_part([], len(ordered))) if ordered else []


def _lines(console: Console, options: ConsoleOptions, part: RenderableType) -> list[list[Segment]]:
    return console.render_lines(part, options.update(height=None), pad=False)


def _joined(lines: list[list[Segment]]) -> RenderResult:
    for line in lines:
        yield from line
        yield Segment.line()
