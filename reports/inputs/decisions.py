"""What follows from a look: how each question stands, and which cells the next look trains.

It travels from the comparison (`reports.results.questions`) to the event that records it, and back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

LOOK_DECIDED = "look_decided"
"""The kind of the event that records a decision."""


class Standing(StrEnum):
    """How a question stands after a look."""

    OPEN = "open"
    CLOSED = "closed"
    WITHHELD = "withheld"
    """Nothing may be claimed, however many blocks: a rate at the end of its range, a missing cell, equal outcomes."""
    UNRESOLVED = "unresolved"
    """Open at the last planned look."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question after a look: how it stands, and the look, blocks, gate and interval that it was read at last.

    `look` counts from 1. `estimate`, `low` and `high` are in the outcome's unit, of level b minus level a.
    """

    factor: str
    level_a: Any
    level_b: Any
    standing: Standing
    look: int
    num_blocks: int
    gate: str
    estimate: float
    low: float
    high: float

    @property
    def is_open(self) -> bool:
        """Whether more blocks may answer it."""
        return self.standing is Standing.OPEN


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What follows from a look: how each question stands, and the numbers of the cells that the next look trains.

    `look` counts from 1, `num_blocks` are its blocks, `next_blocks` those of the next look. Without open questions, and
    at the last look, `cells` is empty and `next_blocks` None.
    """

    look: int
    num_blocks: int
    questions: tuple[Question, ...]
    cells: tuple[int, ...]
    next_blocks: int | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self) | {"cells": list(self.cells), "questions": list(map(asdict, self.questions))}
