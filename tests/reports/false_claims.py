"""Every claim that a page's sentences make about a simulated study, held against what is true of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.claims.answers import Key, Said, key_of, records
from reports.inputs.cube import plain
from tests.reports.simulated_studies import SMALLEST, SMALLEST_ERROR, Floats, Study

OUTCOMES = {"test_loss": "loss", "test_error": "error", "ln_total_growth": "growth"}
_SMALLEST = {"loss": SMALLEST, "error": SMALLEST_ERROR, "growth": 0.0}
WORDS = {
    "higher": re.compile(r"\bis higher by\b"),
    "lower": re.compile(r"\bis lower by\b"),
    "meaningful": re.compile(r"\bexceed\w* the smallest effect\b"),
    "equivalent": re.compile(r"\bpractically equal\b"),
    "beyond sample": re.compile(r"\bexpected for new (data|samples)\b"),
    "depends": re.compile(r"\bdepends on\b"),
    "reverses": re.compile(r"\breverses\b"),
}
"""The phrases that claim something; whatever else a sentence says is description."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One thing that one sentence claims; `truth` is the true difference, or the largest true change of one."""

    family: str
    kind: str
    truth: float
    smallest: float
    text: str

    @property
    def is_false(self) -> bool:
        """Whether the truth is otherwise; what lies exactly at a limit is on the wrong side of it."""
        size = abs(self.truth)
        wrong: dict[str, bool] = {
            "higher": self.truth <= 0,
            "lower": self.truth >= 0,
            "meaningful": size <= self.smallest * (1 + 1e-9),
            "equivalent": size >= self.smallest * (1 - 1e-9),
            "depends": size <= 1e-12,
            "reverses": size <= 1e-12,
        }
        return wrong[self.kind]

    @property
    def has_wrong_sign(self) -> bool:
        """Whether a direction is claimed and the truth has the other one."""
        return self.kind in ("higher", "lower") and self.is_false and self.truth != 0


def claims_of(
    family: str, said: Sequence[Said], study: Study, changes: Mapping[Key, Mapping[str, Any]] | None = None
) -> Iterator[Claim]:
    """All claims of one family's sentences; `changes` are the interactions that are stated."""
    for each in said:
        change = (changes or {}).get(key_of(each.row))
        rows: list[Mapping[str, Any]] = [
            each.row if each.by_level is None else {**each.row, "change": change}
        ]
        if each.by_level is not None:
            rows += records(each.by_level)
        for place, (row, sentence) in enumerate(zip(rows, each.sentences, strict=True)):
            yield from _claims(f"{family} by level" if place else family, row, sentence.text, study)


def _claims(family: str, row: Mapping[str, Any], text: str, study: Study) -> Iterator[Claim]:
    outcome = OUTCOMES[row["outcome"]]
    smallest = _SMALLEST[outcome]
    if "change" in row:
        yield from _dependence(
            "interactions" if family == "averages" else f"{family} interactions",
            row,
            text,
            study.true[outcome],
            study,
            smallest,
        )
        return
    sign = -1 if outcome == "error" else 1  # told as the share of right answers
    truth, of_population = (
        sign * _difference(row, study, means[outcome]) for means in (study.true, study.of_population)
    )
    yield from _worded(family, text, truth, of_population, smallest)


def _worded(family: str, text: str, truth: float, of_population: float, smallest: float) -> Iterator[Claim]:
    """The claims of a sentence about one difference."""
    found = [kind for kind, words in WORDS.items() if words.search(text)]
    for kind in found:
        if kind == "beyond sample":
            (direction,) = (each for each in found if each in ("higher", "lower"))
            yield Claim(
                family="beyond sample", kind=direction, truth=of_population, smallest=smallest, text=text
            )
        else:
            yield Claim(family=family, kind=kind, truth=truth, smallest=smallest, text=text)


def _dependence(
    family: str, row: Mapping[str, Any], text: str, truth: Floats, study: Study, smallest: float
) -> Iterator[Claim]:
    """What a sentence claims of how a contrast depends on another factor: that it does, how much, whether it turns."""
    found = [kind for kind, words in WORDS.items() if words.search(text)]
    for kind in found:
        if kind == "depends":
            yield Claim(
                family=family, kind=kind, truth=_spread(row, study, truth), smallest=smallest, text=text
            )
        elif kind == "reverses":
            yield Claim(
                family=family, kind=kind, truth=_reversal(row, study, truth), smallest=smallest, text=text
            )
        else:
            change = _change(row["change"], study, truth)
            yield Claim(family=family, kind=kind, truth=change, smallest=smallest, text=text)
            # What licenses it is an interval beyond the smallest effect.
            yield Claim(family=family, kind="meaningful", truth=change, smallest=smallest, text=text)


def _difference(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    if row["factor"] == "model":  # the best cell against a linear model
        line = study.line_truth if truth is study.true["loss"] else study.world.loss[0] + study.world.line
        return _rounded(float(truth[int(np.argmin(study.objective))] - line))
    if "best_a" in row:
        first, second = (truth[_place(study, row[name])] for name in ("best_a", "best_b"))
        return _rounded(float(second - first))
    if "by_level" in row:
        return _average(row, study, truth, {row["by"]: row["by_level"]})
    return _average(row, study, truth, {})


def _place(study: Study, levels: Mapping[str, Any]) -> int:
    return study.world.cells.index({name: plain(levels[name]) for name in study.world.factors})


def _average(row: Mapping[str, Any], study: Study, truth: Floats, at: Mapping[str, Any]) -> float:
    """The mean of a level's cells less that of the other's, where other factors are held `at` levels."""

    def mean(level: Any) -> float:
        held = {name: plain(value) for name, value in {**at, row["factor"]: level}.items()}
        place = tuple(
            levels.index(held[name]) if name in held else slice(None)
            for name, levels in study.world.factors.items()
        )
        return float(truth.reshape(study.world.shape)[place].mean())

    difference = mean(row["level_b"]) - mean(row["level_a"])
    return _rounded(difference)


def _rounded(difference: float) -> float:
    return 0.0 if abs(difference) < 1e-12 else difference


def _effects(
    row: Mapping[str, Any], study: Study, truth: Floats, by: str, levels: Sequence[Any]
) -> list[float]:
    return [_average(row, study, truth, {by: level}) for level in levels]


def _spread(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    by = row["interacts_with"]
    return float(np.ptp(_effects(row, study, truth, by, study.world.factors[by])))


def _reversal(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    by = row["interacts_with"]
    effects = _effects(row, study, truth, by, study.world.factors[by])
    return max(0.0, min(max(effects), -min(effects)))


def _change(change: Mapping[str, Any], study: Study, truth: Floats) -> float:
    before, after = _effects(change, study, truth, change["by"], (change["by_a"], change["by_b"]))
    return _rounded(after - before)
