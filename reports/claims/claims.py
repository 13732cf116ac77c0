"""From gated results to sentences: what a report may say about a contrast, in the words that its gate licenses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.statistics.gates import Gate, Rules, gate_of
from reports.statistics.paired import blocks_needed
from reports.wording.phrases import (
    Sentence,
    Setting,
    both,
    capital,
    condition,
    counted,
    epochs_spoken,
    factor_spoken,
    outcome_spoken,
    rather,
    unit_spoken,
)
from reports.wording.words import count, decimals_for, number, p_value, signed, small

__all__ = ["Gate", "Rules", "Sentence", "Setting", "about_contrast", "about_family", "gate_of"]


def about_family(
    family: pd.DataFrame,
    setting: Setting,
    place: str = "",
    simple: Mapping[tuple[str, Any, Any], pd.DataFrame] | None = None,
) -> list[list[Sentence]]:
    """The sentences about each contrast of a family, in its order.

    `family` is a result of `comparison.contrasts` or `at_best`; `place` opens each sentence ("averaged over the
    other factors"); `simple` gives for (factor, level_a, level_b) of a contrast gated INTERACTION its rows of
    `comparison.simple_effects`.
    """
    found = []
    for row in family.to_dict("records"):
        key = (row["factor"], row["level_a"], row["level_b"])
        by_level = (simple or {}).get(key)
        found.append(about_contrast(row, setting, place, by_level))
    return found


def about_contrast(
    row: Mapping[Any, Any], setting: Setting, place: str = "", by_level: pd.DataFrame | None = None
) -> list[Sentence]:
    """The sentences about one contrast: one, or for an interaction one and then one per level of the other factor.

    `row` is a row of `comparison.contrasts` as a dict. Raises ValueError for an interaction without `by_level`.
    """
    gate = Gate(row["gate"])
    if gate is Gate.INTERACTION:
        if by_level is None:
            raise ValueError(f"{row['factor']} depends on {row['interacts_with']}: give by_level")
        return [_dependence(row), *_by_level(by_level, setting)]
    printed = Printed(row, setting)
    text = _WORDING[gate](printed)
    opened = f"{place}, {text}" if place else text
    extra, tail = _beyond_sample(row, printed, setting)
    gates = ((Gate.EQUIVALENT,) if gate is not Gate.EQUIVALENT and row["equivalent"] else ()) + extra
    return [Sentence(text=capital(opened) + "." + tail, gate=gate, gates=gates, numbers=printed.numbers)]


def _direction(printed: Printed) -> str:
    row = printed.row
    lower = row["estimate"] < 0
    text = (
        f"{printed.outcome} is {'lower' if lower else 'higher'} by {printed.value('estimate', flip=lower)}"
        f"{printed.with_unit} {printed.interval(flip=lower)}{printed.as_factor} {printed.pair} "
        f"({printed.blocks}, {printed.p('p_holm')})"
    )
    if row["gate"] == Gate.MEANINGFUL:
        return f"{text}, exceeding the smallest effect of interest ({printed.smallest})"
    if row["equivalent"]:
        return f"{text}, and the two are practically equal all the same (within ±{printed.smallest})"
    return text


def _equivalent(printed: Printed) -> str:
    return (
        f"{printed.outcome} is practically equal (within ±{printed.smallest}) {printed.both}: the difference is "
        f"{printed.value('estimate', sign=True)}{printed.with_unit} {printed.interval()} ({printed.blocks})"
    )


def _unresolved(printed: Printed) -> str:
    row, difference = printed.row, f"the difference in {_bare(printed.outcome)} {printed.pair}"
    if row["num_blocks"] == 0:
        return f"{difference} is not resolved: no block has both"
    if row["constant"] and printed.setting.failed:
        return f"{difference} is not resolved: every network compared {printed.setting.failed}"
    if row["constant"]:
        return f"{difference} is not resolved: every network compared scores the same"
    if row["num_blocks"] == 1:
        estimate = f"{printed.value('estimate', sign=True)}{printed.with_unit}"
        return f"{difference} is not resolved: one block gives {estimate} and no interval"
    if row["ci_low"] == row["ci_high"] == 0:
        printed.numbers["estimate"] = 0.0
        return f"{difference} is exactly 0 in each of {printed.blocks}"
    span = f"{printed.value('ci_low')} to {printed.value('ci_high')}{printed.with_unit}"
    note = "" if row["complete"] else "; cells are missing, so nothing is claimed"
    if row["complete"] and not row["ci_low"] <= 0 <= row["ci_high"]:
        note = f", {printed.p('p_holm')} within its family of comparisons"
    return f"{difference} is not resolved: compatible with {span} ({printed.blocks}{note})"


def _indicated(printed: Printed) -> str:
    row, rules = printed.row, printed.setting.rules
    needed = blocks_needed(row["estimate"], row["sd"], rules.alpha, least=rules.min_blocks)
    more = (needed or rules.min_blocks) - row["num_blocks"]
    printed.numbers["more_blocks"] = more
    crosses = row["ci_low"] <= 0 <= row["ci_high"]
    return (
        f"the difference in {_bare(printed.outcome)} {printed.pair} points to "
        f"{printed.value('estimate', sign=True)}{printed.with_unit} {printed.interval()} ({printed.blocks}"
        f"{', either direction remaining possible' if crosses else ''}); {'at least ' if needed is None else ''}"
        f"{counted(more, 'more block', 'more blocks')}{_minutes(printed, more)} "
        f"{'is' if more == 1 else 'are'} needed to claim it"
    )


def _minutes(printed: Printed, more: int) -> str:
    seconds = printed.setting.seconds_per_block
    if seconds is None:
        return ""
    minutes = max(1, math.ceil(seconds * more / 60))
    printed.numbers["more_minutes"] = minutes
    return f" (about {counted(minutes, 'minute', 'minutes')})"


def _boundary(printed: Printed) -> str:
    return (
        f"the difference in {_bare(printed.outcome)} {printed.pair} is {printed.value('estimate', sign=True)}"
        f"{printed.with_unit} {printed.interval()} ({printed.blocks}), but limited by the range of learning rates, "
        "so nothing is claimed"
    )


_WORDING = {
    Gate.DIRECTION: _direction,
    Gate.MEANINGFUL: _direction,
    Gate.EQUIVALENT: _equivalent,
    Gate.UNRESOLVED: _unresolved,
    Gate.INDICATED: _indicated,
    Gate.BOUNDARY: _boundary,
}


def _dependence(row: Mapping[Any, Any]) -> Sentence:
    pair = rather(row["factor"], row["level_a"], row["level_b"])
    turn = "depends on and reverses with" if row["reverses"] else "depends on"
    return Sentence(
        text=f"How {outcome_spoken(row['outcome'])} changes {pair} {turn} {factor_spoken(row['interacts_with'])}.",
        gate=Gate.INTERACTION,
        numbers=levels_of(row),
    )


def _by_level(by_level: pd.DataFrame, setting: Setting) -> list[Sentence]:
    return [
        sentence
        for row in by_level.to_dict("records")
        for sentence in about_contrast(row, setting, condition(row["by"], row["by_level"]))
    ]


def _beyond_sample(
    row: Mapping[Any, Any], printed: Printed, setting: Setting
) -> tuple[tuple[Gate, ...], str]:
    if setting.official_test or not row["beyond_sample"]:
        return (), ""
    low, high = printed.value("sample_low", sign=True), printed.value("sample_high", sign=True)
    span = f"{low} to {high}{printed.with_unit}"
    return (Gate.BEYOND_SAMPLE,), f" This is expected for new samples of this population, too ({span})."


def _bare(outcome: str) -> str:
    return outcome.removeprefix("the ")


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
