"""The parts of a contrast's sentence: its numbers, rounded to what its interval supports, and what they are of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reports.wording.phrases import both, counted, epochs_spoken, outcome_spoken, rather, unit_spoken
from reports.wording.sentence import Setting
from reports.wording.words import count, decimals_for, number, p_value, signed, small


class Printed:
    """The parts of a contrast's sentence, rounded to what its interval supports; collects what was printed."""

    def __init__(self, row: Mapping[Any, Any], setting: Setting) -> None:
        self.row, self.setting = row, setting
        own = setting.units.get(row["outcome"])
        self.scale, self.unit = unit_spoken(row["outcome"]) if own is None else (1.0, own)
        self.numbers: dict[str, float] = {**levels_of(row), "num_blocks": row["num_blocks"]}
        half = self.scale * (row["ci_high"] - row["ci_low"]) / 2
        self.decimals = decimals_for(half if math.isfinite(half) else None)

    @property
    def pair(self) -> str:
        return rather(self.row["factor"], self.row["level_a"], self.row["level_b"])

    @property
    def both(self) -> str:
        return both(self.row["factor"], self.row["level_a"], self.row["level_b"])

    @property
    def outcome(self) -> str:
        epochs = self.setting.epochs
        if epochs is None:
            return outcome_spoken(self.row["outcome"])
        self.numbers["epochs"] = epochs
        return f"{outcome_spoken(self.row['outcome'])} after {epochs_spoken(epochs, at_most=self.setting.stop_early)}"

    @property
    def with_unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    def value(self, name: str, *, flip: bool = False, sign: bool = False) -> str:
        self.numbers[name] = self.row[name]
        shown = self.scale * self.row[name] * (-1 if flip else 1)
        return signed(shown, self.decimals) if sign else number(shown, self.decimals)

    def interval(self, *, flip: bool = False) -> str:
        low, high = ("ci_high", "ci_low") if flip else ("ci_low", "ci_high")
        return f"[{self.value(low, flip=flip)} to {self.value(high, flip=flip)}]"

    @property
    def blocks(self) -> str:
        return counted(self.row["num_blocks"], "block", "blocks")

    @property
    def as_factor(self) -> str:
        """What a difference of logarithms is as a factor; nothing for other outcomes."""
        if self.row["outcome"] != "ln_total_growth":
            return ""
        factor = self.numbers["factor"] = math.exp(min(abs(self.row["estimate"]), 700.0))
        shown = (
            number(factor, 2 if factor < 1.2 else 1)
            if factor < 10
            else count(round(factor))
            if factor < 1e5
            else small(factor)
        )
        return f", a factor of {shown},"

    @property
    def smallest(self) -> str:
        self.numbers["smallest_effect"] = self.row["smallest_effect"]
        return f"{self.scale * self.row['smallest_effect']:g}{self.with_unit}"

    def p(self, name: str) -> str:
        self.numbers[name] = self.row[name]
        text = p_value(self.row[name])
        return f"p {text}" if text.startswith("<") else f"p = {text}"


def levels_of(row: Mapping[Any, Any]) -> dict[str, float]:
    """Levels are numbers that a sentence prints, too."""
    names = ("level_a", "level_b", "by_level")
    return {name: row[name] for name in names if isinstance(row.get(name), int | float)}
