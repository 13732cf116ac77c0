"""From gated results to sentences: what a report may say about a contrast, in the words that its gate licenses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from reports.inputs.decisions import Standing
from reports.statistics.gates import Gate, Rules, deciding, gate_of
from reports.statistics.paired import blocks_needed
from reports.wording.phrases import (
    Sentence,
    Setting,
    both,
    capital,
    condition,
    configuration,
    counted,
    epochs_spoken,
    factor_spoken,
    listed,
    outcome_spoken,
    rather,
    spelled,
    unit_spoken,
)
from reports.wording.words import (
    count,
    decimals_between,
    decimals_for,
    number,
    p_value,
    percent,
    signed,
    small,
)

__all__ = ["Gate", "Rules", "Sentence", "Setting", "about_contrast", "about_family", "gate_of"]

Row = Mapping[Any, Any]
RIGHT = "test_error"
"""The outcome that is told as the share of right answers, which is what it lacks of 1."""


def about_family(
    family: pd.DataFrame,
    setting: Setting,
    place: str = "",
    simple: Mapping[tuple[str, Any, Any], pd.DataFrame] | None = None,
    changes: Mapping[tuple[str, Any, Any], Row] | None = None,
) -> list[list[Sentence]]:
    """The sentences about each contrast of a family, in its order.

    `family` is a result of `comparison.contrasts` or `at_best`; `place` opens each sentence ("averaged over the
    other factors"); `simple` gives for (factor, level_a, level_b) of a contrast gated INTERACTION its rows of
    `comparison.simple_effects`, `changes` the row of `comparison.interactions` that states on what it depends, if one
    does. A contrast at best that compares the same two cells as an earlier one refers to that.
    """
    found, rows = [], family.to_dict("records")
    for row in rows:
        key = (row["factor"], row["level_a"], row["level_b"])
        same = row.get("same_cells_as")
        if same is not None:
            found.append([_same_cells(row, rows[same], place)])
            continue
        found.append(about_contrast(row, setting, place, (simple or {}).get(key), (changes or {}).get(key)))
    return found


def about_contrast(
    row: Row,
    setting: Setting,
    place: str = "",
    by_level: pd.DataFrame | None = None,
    change: Row | None = None,
) -> list[Sentence]:
    """The sentences about one contrast: one, or for an interaction one and then one per level of the other factor.

    `row` is a row of `comparison.contrasts` as a dict, `change` one of `comparison.interactions`. Raises ValueError for
    an interaction without `by_level`.
    """
    gate = Gate(row["gate"])
    if gate is Gate.INTERACTION:
        if by_level is None:
            raise ValueError(f"{row['factor']} depends on {row['interacts_with']}: give by_level")
        return [_dependence(row, setting, by_level, change), *_by_level(by_level, setting)]
    printed = Printed(row, setting)
    text = _WORDING[gate](printed)
    opened = f"{place}, {text}" if place else text
    extra, tail = _beyond_sample(row, printed, setting)
    gates = ((Gate.EQUIVALENT,) if gate is not Gate.EQUIVALENT and row["equivalent"] else ()) + extra
    whole = f"{capital(opened)}.{tail}{_cells(printed)}{_slices(printed)}"
    return [Sentence(text=whole, gate=gate, gates=gates, numbers=printed.numbers)]


def _direction(printed: Printed) -> str:
    row = printed.row
    lower = printed.shown("estimate") < 0
    text = (
        f"{printed.outcome} is {'lower' if lower else 'higher'} by {printed.value('estimate', flip=lower)}"
        f"{printed.with_unit} {printed.interval(flip=lower)}{printed.as_factor} {printed.pair}{printed.scope} "
        f"({printed.means}{printed.blocks}{printed.adjusted_p})"
    )
    if row["gate"] == Gate.MEANINGFUL:
        return f"{text}, exceeding the smallest effect of interest ({printed.smallest})"
    if row["equivalent"]:
        return f"{text}, and the two are practically equal all the same (within ±{printed.smallest})"
    return text


def _equivalent(printed: Printed) -> str:
    return (
        f"{printed.outcome} is practically equal (within ±{printed.smallest}) {printed.both}{printed.scope}: the "
        f"difference is {printed.value('estimate', sign=True)}{printed.with_unit} {printed.interval()} "
        f"({printed.means}{printed.blocks})"
    )


def _unresolved(printed: Printed) -> str:
    row, difference = printed.row, f"the difference in {_bare(printed.outcome)} {printed.pair}"
    lost = [level for level, cell in _selected(row) if cell is None]
    if lost:
        where = listed([condition(row["factor"], level) for level in lost])
        why = f"every trial of the search failed {where}, so there is nothing to compare"
        return f"{difference} is not resolved: {why}"
    if row["num_blocks"] == 0:
        return f"{difference} is not resolved: no block has both"
    if row["constant"] and printed.setting.failed:
        return f"{difference} is not resolved: every network compared {printed.setting.failed}"
    if row["constant"]:
        return f"{difference} is not resolved: every network compared scores the same"
    if row["num_blocks"] == 1:
        estimate = f"{printed.value('estimate', sign=True)}{printed.with_unit}"
        return f"{difference} is not resolved: one block gives {estimate} and no interval"
    if row["ci_low"] == row["ci_high"]:
        return _without_spread(printed, difference)
    low, high = printed.ends()
    note = "" if row["complete"] else "; cells are missing, so nothing is claimed"
    if row["complete"] and row["fails_sign_flip"]:
        note = f"; it fails the sign-flip check, {printed.p('p_sign_flip')}"
    elif row["complete"] and "p_holm" in row and not row["ci_low"] <= 0 <= row["ci_high"]:
        note = f", {printed.p('p_holm')} within its family of comparisons"
    span = f"{low} to {high}{printed.with_unit}"
    looks, standing = printed.setting.looks, row.get("standing")
    if looks and standing == Standing.UNRESOLVED:
        last, note = f"at {printed.blocks}, the last planned look", note.removeprefix(";").removeprefix(",")
        return f"{difference} is not resolved {last}: compatible with {span}{f' ({note.strip()})' if note else ''}"
    later = next((look for look in looks if look > row["num_blocks"]), None)
    if later and standing == Standing.OPEN and row["outcome"] != RIGHT:
        printed.numbers["next_blocks"] = later
        ahead = f"{printed.blocks}; the next planned look is at {spelled(later)}"
        return f"{difference} is not resolved yet: compatible with {span} ({ahead}{note})"
    return f"{difference} is not resolved: compatible with {span} ({printed.blocks}{note})"


def _without_spread(printed: Printed, difference: str) -> str:
    """Blocks that all give the same difference: no spread, so no interval and no claim."""
    if printed.row["estimate"] == 0:
        printed.numbers["estimate"] = 0.0
        return f"{difference} is exactly 0 in each of {printed.blocks}"
    estimate = f"{printed.value('estimate', sign=True)}{printed.with_unit}"
    return (
        f"{difference} is not resolved: it is {estimate} in each of {printed.blocks}, which leaves no spread to make "
        "an interval from"
    )


def _indicated(printed: Printed) -> str:
    row, rules = printed.row, printed.setting.rules
    low, high = (row[name] for name in deciding(row))
    difference = f"the difference in {_bare(printed.outcome)} {printed.pair}"
    found = (
        f"{printed.value('estimate', sign=True)}{printed.with_unit} {printed.interval()} ({printed.blocks})"
    )
    if row["ci_low"] == row["ci_high"]:
        return _without_spread(printed, difference)
    if low <= 0 <= high:
        printed.numbers["min_blocks"] = rules.min_blocks
        needs = counted(rules.min_blocks, "block", "blocks")
        return f"it is too early to say: {difference} is {found}, and a claim needs {needs} at least"
    alpha = row["share"] / max(1, row["num_hypotheses"])
    alpha = rules.alpha if "p_holm" in row else alpha
    needed = blocks_needed(row["estimate"], row["sd"], alpha, least=rules.min_blocks)
    more = (needed or rules.min_blocks) - row["num_blocks"]
    printed.numbers["more_blocks"] = more
    return (
        f"{difference} points to {found}; {'at least ' if needed is None else ''}"
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


def _dependence(row: Row, setting: Setting, by_level: pd.DataFrame, change: Row | None) -> Sentence:
    """On which factor a contrast depends, where that is licensed; otherwise why no average is given."""
    pair, by = rather(row["factor"], row["level_a"], row["level_b"]), factor_spoken(row["interacts_with"])
    outcome = outcome_spoken(row["outcome"])
    signs = {row["estimate"] > 0 for row in by_level.to_dict("records") if row["direction"]}
    turn = "reverses with" if len(signs) == 2 else "depends on"
    if change is None and len(signs) < 2 and "p_holm" not in row:
        what = f"{_bare(outcome)} {pair}: it may differ by {_bare(by)}"
        text = f"No average over the other factors is given for {what}."
        return Sentence(text=text, gate=Gate.UNRESOLVED, numbers=levels_of(row))
    how = f"How {outcome} changes {pair} {turn} {by}"
    if change is None:
        return Sentence(text=f"{how}.", gate=Gate.INTERACTION, numbers=levels_of(row))
    printed = Printed({**change, "outcome": row["outcome"]}, setting)
    lower = printed.shown("estimate") < 0
    text = (
        f"{how}: {rather(change['by'], change['by_a'], change['by_b'])} the difference "
        f"{rather(change['factor'], change['level_a'], change['level_b'])} is {'lower' if lower else 'higher'} by "
        f"{printed.value('estimate', flip=lower)}{printed.with_unit} {printed.interval(flip=lower)} (on the scale of "
        f"differences, {printed.blocks})."
    )
    return Sentence(text=text, gate=Gate.INTERACTION, numbers={**levels_of(row), **printed.numbers})


def _by_level(by_level: pd.DataFrame, setting: Setting) -> list[Sentence]:
    return [
        sentence
        for row in by_level.to_dict("records")
        for sentence in about_contrast(row, setting, at_level(row))
    ]


def at_level(row: Row) -> str:
    """Where a simple effect holds, and what it averages over."""
    place = condition(row["by"], row["by_level"])
    over = row.get("averages_over", ())
    return f"{place}, averaged over {listed([factor_spoken(name) for name in over])}" if over else place


def _slices(printed: Printed) -> str:
    """What a simple effect is by the levels of the factor that it averages over and differs most by: described."""
    slices = printed.row.get("slices")
    if not slices:
        return ""
    parts = []
    for place, (level, estimate) in enumerate(zip(slices["levels"], slices["estimates"], strict=True)):
        printed.numbers |= {f"slice_{place}": estimate, **_numeric(f"slice_level_{place}", level)}
        parts.append(
            f"{signed(printed.scale * estimate, printed.decimals)}{printed.with_unit} "
            f"{condition(slices['by'], level)}"
        )
    return f" Within that it is {listed(parts)} (described, not claimed)."


def _selected(row: Row) -> list[tuple[Any, Any]]:
    """The two levels of a contrast at best, each with the cell that the search selected for it."""
    return [(row["level_a"], row["best_a"]), (row["level_b"], row["best_b"])] if "best_a" in row else []


def _cells(printed: Printed) -> str:
    """Which two cells are compared at best, and what else differs between them; nothing where a cell is a level."""
    found = [cell for _, cell in _selected(printed.row) if cell is not None]
    if len(found) < 2 or len(found[0]) < 2:
        return ""
    for side, cell in zip(("a", "b"), found, strict=True):
        printed.numbers |= {
            name: value
            for factor, level in cell.items()
            for name, value in _numeric(f"{side}_{factor}", level).items()
        }
    others = [name for name in found[0] if name != printed.row["factor"] and found[0][name] != found[1][name]]
    verb = "differs" if len(others) == 1 else "differ"
    names = listed([factor_spoken(name) for name in others])
    differ = f"{names} {verb}, too" if others else "nothing else differs"
    first, second = (configuration(cell) for cell in found)
    return f" The cells are those that the search selected, {second} against {first}: {differ}."


def _same_cells(row: Row, first: Row, place: str) -> Sentence:
    """A contrast that compares the same two cells as an earlier one."""
    turned = row["best_a"] == first["best_b"]
    pair, other = (rather(each["factor"], each["level_a"], each["level_b"]) for each in (row, first))
    sign = ", with the other sign" if turned else ""
    text = f"{pair} the same two cells are compared as {other}: the difference is the same{sign}"
    return Sentence(
        text=f"{capital(f'{place}, {text}' if place else text)}.",
        gate=Gate(row["gate"]),
        numbers={**levels_of(row), **{f"first_{name}": value for name, value in levels_of(first).items()}},
    )


def _beyond_sample(row: Row, printed: Printed, setting: Setting) -> tuple[tuple[Gate, ...], str]:
    if setting.official_test or not row.get("beyond_sample"):
        return (), ""
    low, high = printed.ends(("sample_low", "sample_high"), sign=True)
    span = f"{low} to {high}{printed.with_unit}"
    if "p_holm" in row:
        return (Gate.BEYOND_SAMPLE,), f" This is expected for new samples of this population, too ({span})."
    return (Gate.BEYOND_SAMPLE,), f" It is also expected for new data from the same source ({span})."


def _bare(outcome: str) -> str:
    return outcome.removeprefix("the ")


class Printed:
    """The parts of a contrast's sentence, rounded to what its interval supports; collects what was printed."""

    def __init__(self, row: Row, setting: Setting) -> None:
        self.row, self.setting = row, setting
        own = setting.units.get(row["outcome"])
        self.scale, self.unit = unit_spoken(row["outcome"]) if own is None else (1.0, own)
        if row["outcome"] == RIGHT:
            self.scale = -self.scale
        self.numbers: dict[str, float] = {**levels_of(row), "num_blocks": row["num_blocks"]}
        low, high = deciding(row)
        ends = sorted(self.scale * row[end] for end in (low, high))
        self.decimals = decimals_between(*ends) if all(map(math.isfinite, ends)) else decimals_for(None)

    @property
    def pair(self) -> str:
        return rather(self.row["factor"], self.row["level_a"], self.row["level_b"])

    @property
    def both(self) -> str:
        return both(self.row["factor"], self.row["level_a"], self.row["level_b"])

    @property
    def outcome(self) -> str:
        epochs, outcome = self.setting.epochs, outcome_spoken(self.row["outcome"])
        if self.row["outcome"] == RIGHT:
            # Networks of later looks answer the validation part, too.
            part = "on the test part" if self.row.get("look", 1) == 1 else "on examples held out"
            outcome = f"the share of right answers {part}"
        if epochs is None:
            return outcome
        self.numbers["epochs"] = epochs
        return f"{outcome} after {epochs_spoken(epochs, at_most=self.setting.stop_early)}"

    @property
    def with_unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    @property
    def scope(self) -> str:
        """For what data a claim at best holds, where it is not expected for new data, too."""
        if "best_a" not in self.row or "p_holm" in self.row or self.row["beyond_sample"]:
            return ""
        return " on this data set"

    @property
    def means(self) -> str:
        """The shares of right answers of the two cells."""
        if self.row["outcome"] != RIGHT or "mean_a" not in self.row:
            return ""
        self.numbers |= {name: 1 - self.row[f"mean_{name[-1]}"] for name in ("right_a", "right_b")}
        after, before = (percent(self.numbers[name]) for name in ("right_b", "right_a"))
        return f"{after} against {before}, "

    def shown(self, name: str) -> float:
        """A number in the unit that is printed."""
        self.numbers[name] = self.row[name]
        return float(self.scale * self.row[name])

    def value(self, name: str, *, flip: bool = False, sign: bool = False) -> str:
        shown = self.shown(name) * (-1 if flip else 1)
        return signed(shown, self.decimals) if sign else number(shown, self.decimals)

    def ends(
        self, names: tuple[str, str] | None = None, *, flip: bool = False, sign: bool = False
    ) -> tuple[str, str]:
        """The ends of an interval, the lower one first; of that which decides unless others are named."""
        low, high = names or deciding(self.row)
        if flip != (self.scale < 0):
            low, high = high, low
        return self.value(low, flip=flip, sign=sign), self.value(high, flip=flip, sign=sign)

    def interval(self, *, flip: bool = False) -> str:
        low, high = self.ends(flip=flip)
        return f"[{low} to {high}]"

    @property
    def blocks(self) -> str:
        return counted(self.row["num_blocks"], "block", "blocks")

    @property
    def adjusted_p(self) -> str:
        """Holm's p value, which the plans have whose claims it licensed."""
        return f", {self.p('p_holm')}" if "p_holm" in self.row else ""

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
        return f"{abs(self.scale) * self.row['smallest_effect']:g}{self.with_unit}"

    def p(self, name: str) -> str:
        self.numbers[name] = self.row[name]
        text = p_value(self.row[name])
        return f"p {text}" if text.startswith("<") else f"p = {text}"


def levels_of(row: Row) -> dict[str, float]:
    """Levels are numbers that a sentence prints, too."""
    names = ("level_a", "level_b", "by_level", "by_a", "by_b")
    return {name: value for name in names for value in _numeric(name, row.get(name)).values()}


def _numeric(name: str, value: Any) -> dict[str, float]:
    return {name: value} if isinstance(value, int | float) else {}
