"""Configurations, scores, durations and times as text for the terminal, worded as in the report."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reports.inputs.measures import Measure
from reports.wording import words
from studies.base.states import Phase, TrialState

_STATES = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "stopped early",
    TrialState.FAILED: "failed",
}


def configuration(params: Mapping[str, Any]) -> str:
    """Return a configuration in one line.

    >>> configuration({"depth": 3, "batch_norm": True, "optimizer": "adam", "learning_rate": 0.00423})
    'depth 3, batch norm on, Adam, learning rate 0.0042'
    """
    return ", ".join(_phrase(name, value) for name, value in params.items())


def level(value: Any) -> str:
    """Return a factor level as text; real numbers get two significant digits.

    >>> level(True), level("sgd"), level(0.00423), level((64, 32))
    ('on', 'SGD', '0.0042', '64-32')
    """
    return printable(words.small(value) if isinstance(value, float) else words.level_name(value))


def objective(measure: Measure, value: float | None) -> str:
    """Return an objective with its name and unit; the score of a failed network is called no better than guessing.

    >>> from reports.inputs.measures import classifier_measure
    >>> objective(classifier_measure("val_accuracy"), 0.9713)
    'validation accuracy 97.1 %'
    >>> objective(classifier_measure("val_loss", 10), 2.31)
    'no better than guessing (validation log-loss 2.303 nats)'
    """
    return printable(measure.reached(value))


def count(amount: int) -> str:
    """Return a count with a comma between thousands.

    >>> count(3780)
    '3,780'
    """
    return f"{amount:,}"


def counted(amount: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun.

    >>> counted(1, "trial"), counted(1200, "trial")
    ('1 trial', '1,200 trials')
    """
    return f"{count(amount)} {noun if amount == 1 else nouns or noun + 's'}"


def format_bytes(amount: int) -> str:
    """Return the size of a file.

    >>> format_bytes(3_460_000), format_bytes(1_200), format_bytes(0)
    ('3.5 MB', '2 kB', '0 kB')
    """
    return f"{amount / 1e6:.1f} MB" if amount >= 1e6 else f"{math.ceil(amount / 1e3)} kB"


def percent(share: float | None) -> str:
    """Return a fraction as a percentage: 0.9713 is "97.1 %"."""
    return printable(words.percent(share))


def moment(at: datetime) -> str:
    """Return a time in the local time zone: "2026-05-04 14:30"."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def trial_state(state: TrialState) -> str:
    """Return the name of a trial's state for readers: a pruned trial "stopped early"."""
    return _STATES[state]


def phase_of(phase: Phase, cell: int | None) -> str:
    """Return a trial's phase, with its cell if it has one: "search, cell 3"."""
    return str(phase) if cell is None else f"{phase}, cell {cell}"


def error_line(error: str | None) -> str:
    """Return the line of an error that says what happened: the last line of a traceback, else the first.

    A first line that ends in a colon is joined with the last one.

    >>> error_line("Traceback (most recent call last):\\n  File ...\\nZeroDivisionError: division by zero\\n")
    'ZeroDivisionError: division by zero'
    """
    lines = [line for line in (error or "").splitlines() if line.strip()]
    if not lines:
        return "no reason was recorded"
    first, last = lines[0].strip(), lines[-1].strip()
    if first.startswith("Traceback"):
        return printable(last)
    return printable(f"{first} {last}" if first.endswith(":") and len(lines) > 1 else first)


def printable(text: str) -> str:
    """Return text without control characters, and with plain spaces instead of typographic ones.

    >>> printable("a\\x1b[2Jb\\u202fc")
    'a�[2Jb c'
    """
    spaced = text.replace(words.THIN, " ")
    return "".join(
        char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in spaced
    )


def _phrase(name: str, value: Any) -> str:
    speaks_alone = isinstance(value, str) and name in ("optimizer", "activation")
    return level(value) if speaks_alone else f"{printable(words.factor_name(name))} {level(value)}"
