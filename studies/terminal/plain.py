"""Progress as plain lines for log files and pipes: one every ten seconds, and one for each note."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from studies.base.durations import format_duration
from studies.base.states import Phase, TrialState
from studies.base.wording import count, counted, objective, printable
from studies.run_log.looks import LookSummary
from studies.terminal.output import console_on
from studies.terminal.progress_snapshot import ProgressSnapshot

SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 0.25


def line(snapshot: ProgressSnapshot) -> str:
    """Return the progress of a study as one line: trials of both phases, failures, best objective, time left."""
    elapsed, left = snapshot.elapsed_seconds, snapshot.seconds_left
    parts = [
        f"search {count(snapshot.num_ended(Phase.SEARCH))} of {counted(snapshot.planned[Phase.SEARCH], 'trial')}",
        f"confirm {count(snapshot.num_ended(Phase.CONFIRM))} of {count(snapshot.planned[Phase.CONFIRM])}",
        *_troubles(snapshot),
    ]
    if snapshot.best is not None:
        parts.append(f"best {objective(snapshot.objective, snapshot.best.objective)}")
    if left is not None:
        parts.append(f"about {format_duration(left)} left")
    return printable(("" if elapsed is None else f"{format_duration(elapsed)}: ") + ", ".join(parts))


def look_line(look: LookSummary) -> str:
    """Return how the questions stand after a look as one line."""
    at = f"look {look.look} of {look.num_looks}, {counted(look.num_blocks, 'block')}"
    told = [f"{at}: {len(look.closed)} of {counted(look.num_questions, 'question')} answered"]
    for names, words in ((look.withheld, "withheld"), (look.unresolved, "not resolved"), (look.open, "open")):
        if names:
            told.append(f"{words}: {', '.join(names)}")
    if look.open and look.next_blocks is not None:
        told.append(f"for them {counted(look.num_cells, 'cell')} to {look.next_blocks} blocks")
    return printable("; ".join(told))


@contextmanager
def printing(
    snapshot: Callable[[], ProgressSnapshot],
    places: Callable[[], Sequence[tuple[str, str]]],
    stream: TextIO,
    *,
    troubles: Callable[[], Sequence[str]] = tuple,
    seconds_between_lines: float = SECONDS_BETWEEN_LINES,
    seconds_between_looks: float = _SECONDS_BETWEEN_LOOKS,
) -> Iterator[None]:
    """Print the study's name and places, progress lines until the context ends, and a last line then.

    A place that is known later, as the dashboard's, is printed then, and so is each line of `troubles` that is new.
    """
    console_on(stream)  # so that an encoding that lacks a character does not raise
    first, shown = snapshot(), list(places())
    _print(stream, f"{first.name}: {first.question}", *(f"{label}: {content}" for label, content in shown))
    over, told = threading.Event(), [first.look]

    def tell_places() -> None:
        new = [place for place in places() if place not in shown]
        _print(stream, *(f"{label}: {content}" for label, content in new))
        shown.extend(new)

    known = set(troubles())

    def tell_troubles() -> None:
        new = [trouble for trouble in dict.fromkeys(troubles()) if trouble not in known]
        _print(stream, *new)
        known.update(new)

    def tell_look(look: LookSummary | None) -> None:
        if look is not None and look != told[-1]:
            _print(stream, look_line(look))
            told.append(look)

    def watch() -> None:
        note, waited = None, 0.0
        while not over.wait(seconds_between_looks):
            waited += seconds_between_looks
            now = snapshot()
            tell_places()
            tell_troubles()
            if now.note not in (None, note):
                _print(stream, f"note: {now.note}")
            note = now.note
            tell_look(now.look)
            if waited >= seconds_between_lines:
                _print(stream, line(now))
                waited = 0.0

    thread = threading.Thread(target=watch, name="plain-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        last = snapshot()
        tell_troubles()
        tell_look(last.look)
        _print(stream, line(last))


def _troubles(snapshot: ProgressSnapshot) -> list[str]:
    stopped, failed = snapshot.total(TrialState.PRUNED), snapshot.total(TrialState.FAILED)
    told = [
        (stopped, f"{count(stopped)} stopped early"),
        (failed, f"{count(failed)} failed"),
        (snapshot.num_diverged, f"{counted(snapshot.num_diverged, 'network')} diverged"),
    ]
    return [words for amount, words in told if amount]


def _print(stream: TextIO, *lines: str) -> None:
    stream.write("".join(f"{printable(each)}\n" for each in lines))
    stream.flush()
