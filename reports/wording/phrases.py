"""How levels are spoken of inside a sentence: "with seven hidden layers rather than five", "at dropout 0.5"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from reports.statistics.gates import Gate, Rules
from reports.wording.words import factor_name, level_name, outcome_name, outcome_unit

_NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_DEPTHS = {"mlp": ("hidden layer", "hidden layers"), "cnn": ("convolution block", "convolution blocks")}
"""What the depth of a model counts; of another one it is a number, as any other."""
_MODEL = ContextVar("model", default="mlp")
_SWITCHES = {"batch_norm": "batch normalisation"}
_KINDS = {
    "activation": "activations",
    "init": "initialisation",
    "residual": "residual connections",
    "augmentation": "augmentation",
}
_WITHOUT = {"patience": "early stopping", "clip_norm": "gradient clipping"}
"""What is left out where a level is none."""
_SPOKEN = {
    "batch_norm": "batch normalisation",
    "optimizer": "the optimizer",
    "learning_rate": "the learning rate",
    "schedule": "the learning-rate schedule",
    "patience": "the patience of early stopping",
    "residual": "residual connections",
}


@contextmanager
def speaking_of(model: str) -> Iterator[None]:
    """Have what is said meanwhile speak of networks of this model.

    >>> with speaking_of("cnn"):
    ...     level_spoken("depth", 3)
    'three convolution blocks'
    """
    token = _MODEL.set(model)
    try:
        yield
    finally:
        _MODEL.reset(token)


def _nouns(factor: str) -> tuple[str, str] | None:
    """What one and several of a factor's number are called, None where it is no count."""
    if factor == "replicates":
        return "replicate", "replicates"
    return _DEPTHS.get(_MODEL.get()) if factor == "depth" else None


def spelled(amount: int) -> str:
    """Whole numbers to twelve as words, others as digits: 7 is "seven", 13 is "13"."""
    return _NUMBERS[amount] if 0 <= amount < len(_NUMBERS) else str(amount)


def counted(amount: int, one: str, many: str) -> str:
    """A spelled count with its noun: "one block", "ten blocks"."""
    return f"{spelled(amount)} {one if amount == 1 else many}"


def span_of_blocks(numbers: Sequence[int]) -> str:
    """Of how many blocks comparisons are: "ten blocks", "ten to 80 blocks" where each was answered at its own look."""
    least, most = min(numbers, default=0), max(numbers, default=0)
    some = counted(most, "block", "blocks")
    return some if least == most else f"{spelled(least)} to {some}"


def epochs_spoken(num: int, *, at_most: bool = False) -> str:
    """How long networks trained: "one epoch", "six epochs", "up to six epochs" where they may stop early."""
    return f"{'up to ' if at_most else ''}{counted(num, 'epoch', 'epochs')}"


def factor_spoken(factor: str) -> str:
    """A factor inside a sentence: "batch normalisation", "the optimizer", "dropout"."""
    if factor == "depth" and (nouns := _nouns(factor)):
        return f"the number of {nouns[1]}"
    return _SPOKEN.get(factor, factor_name(factor))


def level_spoken(factor: str, level: Any) -> str:
    """One level, to follow "with" or "at": "seven hidden layers", "dropout 0.5", "batch normalisation", "SGD"."""
    nouns = _nouns(factor)
    if nouns and isinstance(level, int) and not isinstance(level, bool):
        return counted(level, *nouns)
    if isinstance(level, bool):
        return _SWITCHES.get(factor, factor_name(factor))
    if factor in ("optimizer", "model"):
        return level_name(level)
    if factor == "schedule":
        return f"the {level_name(level)} schedule"
    if factor in _KINDS and isinstance(level, str):
        return f"{'no' if _is_without(factor, level) else level_name(level)} {_KINDS[factor]}"
    if level is None:
        return f"no {_WITHOUT.get(factor, factor_name(factor))}"
    return f"{factor_name(factor)} {level_name(level)}"


def _is_without(factor: str, level: Any) -> bool:
    return level is False or (factor in _KINDS and level == "none")


def condition(factor: str, level: Any) -> str:
    """Where a level holds: "with seven hidden layers", "at dropout 0.5", "without batch normalisation"."""
    if _is_without(factor, level):
        return f"without {_KINDS.get(factor) or level_spoken(factor, level)}"
    numeric = isinstance(level, int | float) and not isinstance(level, bool) and not _nouns(factor)
    return f"{'at' if numeric else 'with'} {level_spoken(factor, level)}"


def rather(factor: str, level_a: Any, level_b: Any) -> str:
    """The second level held against the first: "with dropout 0.5 rather than 0.3", "with RMSprop rather than SGD"."""
    if isinstance(level_a, bool) and isinstance(level_b, bool):
        return f"{condition(factor, level_b)} rather than {'with' if level_a else 'without'}"
    if _is_without(factor, level_b):
        return f"{condition(factor, level_b)} rather than with {level_name(level_a)}"
    if _nouns(factor) and isinstance(level_a, int):
        return f"with {level_spoken(factor, level_b)} rather than {spelled(level_a)}"
    return f"with {level_spoken(factor, level_b)} rather than {level_name(level_a)}"


def both(factor: str, level_a: Any, level_b: Any) -> str:
    """Two levels on an equal footing: "with three and with five hidden layers", "with and without ..."."""
    if isinstance(level_a, bool) and isinstance(level_b, bool):
        return f"with and without {level_spoken(factor, True)}"
    if _nouns(factor) and isinstance(level_a, int):
        return f"with {spelled(level_a)} and with {level_spoken(factor, level_b)}"
    if factor in ("optimizer", "model"):
        return f"with {level_name(level_a)} and with {level_name(level_b)}"
    if _is_without(factor, level_a):
        return f"{condition(factor, level_a)} and with {level_spoken(factor, level_b)}"
    return f"with {level_spoken(factor, level_a)} and with {level_name(level_b)}"


def configuration(levels: Mapping[str, Any]) -> str:
    """A whole configuration: "five hidden layers, dropout 0.1, no batch normalisation, Adam"."""
    parts = [
        f"no {level_spoken(name, level)}" if level is False else level_spoken(name, level)
        for name, level in levels.items()
    ]
    return ", ".join(parts)


def listed(parts: Sequence[str]) -> str:
    """Parts as a person lists them: "a", "a and b", "a, b and c"; with semicolons where a part has its own "and"."""
    if len(parts) > 1 and any(" and " in part for part in parts):
        return "; ".join(parts)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def outcome_spoken(outcome: str) -> str:
    """An outcome inside a sentence, where ln total growth is "the log total gradient growth"."""
    if outcome in ("ln_total_growth", "total_growth"):
        return "the log total gradient growth"
    return f"the {outcome_name(outcome)}"


def unit_spoken(outcome: str) -> tuple[float, str]:
    """The factor by which an outcome is printed and its unit: errors as percentage points, losses in nats."""
    if outcome.endswith("_error") or outcome == "failed":
        return 100.0, "percentage points"
    return 1.0, outcome_unit(outcome)


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence, the gate that licenses it (None: plain description), further gates, and the numbers it prints.

    `numbers` are the values as computed; the text shows roundings of them.
    """

    text: str
    gate: Gate | None
    gates: tuple[Gate, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What every sentence of a study shares: how long networks trained, what a block costs, how data were split.

    `epochs` are at most so many where networks `stop_early`. `seconds_per_block` is the wall time that one more block
    of all cells took; `official_test`: all blocks share one test set, so nothing is said about new samples. `units` are
    those of outcomes that a plan declares. `failed` is what is said of all networks where none has a score of its own.
    `looks` are the planned numbers of blocks where a comparison at best goes on until it is answered.
    """

    epochs: int | None = None
    stop_early: bool = False
    seconds_per_block: float | None = None
    official_test: bool = False
    rules: Rules = field(default_factory=Rules)
    units: Mapping[str, str] = field(default_factory=dict)
    failed: str | None = None
    looks: tuple[int, ...] = ()


OWN = "own"
"""The name of a user's own data, and of the models of a user's own."""


def data_named(plan: Mapping[str, Any]) -> str:
    """Name the data of a plan.

    >>> data_named({"dataset": "digits"}), data_named({"dataset": "own"})
    ('digits', 'your own data')
    """
    return "your own data" if plan["dataset"] == OWN else str(plan["dataset"])


def networks_named(plan: Mapping[str, Any]) -> str:
    """Name the networks of a plan.

    >>> networks_named({"model": "mlp"}), networks_named({"model": "own"})
    ('fully connected networks', 'models of your own')
    """
    names = {"mlp": "fully connected networks", "cnn": "convolutional networks", OWN: "models of your own"}
    return names.get(plan["model"], f"{plan['model']} networks")
