"""What a sentence of a report is, and what all sentences of a study share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.statistics.gates import Gate, Rules


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
    """

    epochs: int | None = None
    stop_early: bool = False
    seconds_per_block: float | None = None
    official_test: bool = False
    rules: Rules = field(default_factory=Rules)
    units: Mapping[str, str] = field(default_factory=dict)
    failed: str | None = None
