"""The page of `studies status`, and following it with --watch."""

import sys
import time
from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from reports.inputs.measures import Measure, own_measures
from reports.wording.words import number
from studies.base.durations import format_duration
from studies.base.states import StudyState
from studies.base.wording import configuration, counted, error_line, moment, percent, phase_of
from studies.definition.plan_versions import older_rules
from studies.terminal import plain
from studies.terminal.confirmed import Confirmed
from studies.terminal.output import console_on, heading, labelled, text
from studies.terminal.screen import best_part, progress_parts, running_part, title
from studies.terminal.status import Status

SECONDS_BETWEEN_LOOKS = 2.0
_MOST_FAILURES = 10
_MOST_RUNNING = 8
_MOST_NODES = 5


def status_page(status: Status) -> RenderableType:
    """Return the whole page of a status."""
    head, question, empty = title(status.snapshot)
    assert isinstance(head, Text)
    head.append_text(_state(status))
    parts = [
        head,
        question,
        empty,
        *progress_parts(status.snapshot),
        labelled(_times(status)),
        *_running(status),
    ]
    parts += ["", best_part(status.snapshot)]
    if status.best is not None:
        parts.append(labelled([("confirmed", text(scores(status.best, own_measures(status.study.plan))))]))
    if (rules := older_rules(status.study.plan)) is not None:
        parts.append(labelled([("rules", text(rules))]))
    return Group(*parts, *_lost_nodes(status), *_failures(status), *_waiting(status), *_advice(status))


def follow(read: Callable[[], Status], *, seconds_between_looks: float = SECONDS_BETWEEN_LOOKS) -> Status:
    """Show a study's status until no run works on it, and return the last one.

    A terminal is redrawn; elsewhere a line is printed when something has changed.
    """
    console = console_on(sys.stdout)
    status = read()
    if not console.is_terminal or console.is_dumb_terminal:
        return _follow_in_lines(status, read, seconds_between_looks)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(status_page(status), refresh=True)
            if status.is_over:
                return status
            time.sleep(seconds_between_looks)
            status = read()


def scores(result: Confirmed, own: Sequence[Measure] = ()) -> str:
    """Return the test scores of a confirmed configuration, and over how many networks they are means."""
    over = f"over {counted(result.num_networks, 'network')}"
    if result.objective is None:
        least = "a failure" if own else "guessing"
        return f"no score: every network diverged, failed or did no better than {least}, {over}"
    if own:
        return ", ".join([*(each.format(result.scores[each.name]) for each in own), over])
    return f"test log-loss {number(result.test_loss)} nats, test accuracy {percent(result.test_accuracy)}, {over}"


def _follow_in_lines(status: Status, read: Callable[[], Status], seconds_between_looks: float) -> Status:
    said = ""
    while True:
        line = f"{status.study.state}: {plain.line(status.snapshot)}"
        if line != said:
            print(line, flush=True)
        if status.is_over:
            return status
        said = line
        time.sleep(seconds_between_looks)
        status = read()


def _state(status: Status) -> Text:
    styles = {StudyState.COMPLETE: "green", StudyState.FAILED: "bold red", StudyState.INTERRUPTED: "yellow"}
    return Text.assemble("  ", (status.study.state, styles.get(status.study.state, "cyan")))


def _times(status: Status) -> list[tuple[str, RenderableType]]:
    last = (
        f"{format_duration(status.silent_seconds)} ago"
        if status.silent_seconds < 3600
        else moment(status.study.updated_at)
    )
    times: list[tuple[str, RenderableType]] = [
        ("started", text(f"{moment(status.study.created_at)}, last recorded {last}"))
    ]
    if status.holder is not None:
        holder = status.holder
        since = f"process {holder.process} on {holder.host}, since {moment(holder.since)}"
        times.append(("run by", text(since)))
    return [*times, *_places(status)]


def _places(status: Status) -> list[tuple[str, RenderableType]]:
    """Return where the latest run's log is, and of one that goes on also its job and Ray's dashboard."""
    where = status.where
    places: list[tuple[str, RenderableType]] = []
    if status.holder is not None and where.job is not None:
        at = "" if where.submitted_to is None else f", submitted to {where.submitted_to}"
        places.append(("Ray job", text(f"{where.job}{at}")))
    if status.holder is not None and where.dashboard is not None:
        places.append(("dashboard", text(f"{where.dashboard}, as {where.host} reaches it")))
    if where.log is not None:
        places.append(("log", text(f"studies logs {status.study.name}: {where.log} on {where.host}")))
    return places


def _running(status: Status) -> list[RenderableType]:
    running = status.snapshot.running
    if not running:
        return []
    if status.is_over:
        numbers = ", ".join(str(trial.number) for trial in running[:_MOST_RUNNING])
        more = f" and {len(running) - _MOST_RUNNING} more" if len(running) > _MOST_RUNNING else ""
        return [labelled([("cut off", f"trial {numbers}{more}: trained again when the study goes on")])]
    names = ", ".join(status.workers) or "starting"
    at_work = max(len(running), len(status.workers))  # a trial may have several, and has one at least
    shown, hidden = running[:_MOST_RUNNING], max(0, len(running) - _MOST_RUNNING)
    return [labelled([("workers", f"{at_work} at work ({names})")]), "", running_part(shown, hidden)]


def _lost_nodes(status: Status) -> list[RenderableType]:
    """Return which nodes were lost lately, whose trials went on elsewhere."""
    if not status.lost_nodes:
        return []
    parts: list[RenderableType] = [
        heading(f"{counted(len(status.lost_nodes), 'node')} lost; the trials there went on elsewhere")
    ]
    parts += [
        text(f"{node['address']} (host {node['host']}, Ray node {node['node_id']})")
        for node in status.lost_nodes[-_MOST_NODES:]
    ]
    hidden = len(status.lost_nodes) - _MOST_NODES
    if hidden > 0:
        parts.append(text(f"and {hidden} before: studies status {status.study.name} --json"))
    return parts


def _failures(status: Status) -> list[RenderableType]:
    if not status.failures:
        return []
    parts: list[RenderableType] = [heading(f"{counted(len(status.failures), 'trial')} failed")]
    for trial in status.failures[:_MOST_FAILURES]:
        where = f"trial {trial.number} ({phase_of(trial.phase, trial.cell)}): {configuration(trial.params)}"
        parts += [text(f"{where}"), text(f"  {error_line(trial.error)}", "red")]
    hidden = len(status.failures) - _MOST_FAILURES
    if hidden > 0:
        parts.append(text(f"and {hidden} more: studies status {status.study.name} --json"))
    return parts


def _doubt(status: Status) -> str:
    if status.holder is None:
        return "No run is at work any more: it was cut off."
    who = f"process {status.holder.process} on {status.holder.host}"
    silent = format_duration(status.silent_seconds)
    silence = f"Nothing was recorded for {silent}; epochs on large data can take as long."
    return f"{silence} If {who} hangs, add --take-over."


def _waiting(status: Status) -> list[RenderableType]:
    """Return a warning if some results are in the spool and not in the storage yet."""
    if status.spool is None:
        return []
    then = "the next run on this machine" if status.holder is None else "its run"
    return [
        "",
        text(f"What the storage could not take waits in {status.spool}; {then} records it.", "yellow"),
    ]


def _advice(status: Status) -> list[RenderableType]:
    """Return what to do next, if there is anything to do."""
    go_on = f"Go on with: {status.command or 'the command that started it'}"
    if status.seems_dead:
        return ["", text(_doubt(status), "yellow"), text(go_on)]
    match status.study.state:
        case StudyState.COMPLETE:
            return ["", text(f"See its results: studies show {status.study.name}")]
        case StudyState.INTERRUPTED | StudyState.FAILED:
            return ["", text(go_on)]
    return []
