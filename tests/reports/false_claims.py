"""Every claim that a page's sentences make about a simulated study, held against what is true of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.claims.answers import Said
from reports.inputs.cube import plain
from reports.wording.phrases import Sentence
from tests.reports.simulated_studies import SMALLEST, SMALLEST_ERROR, Floats, Study

OUTCOMES = {"test_loss": "loss", "test_error": "error", "ln_total_growth": "growth"}
_SMALLEST = {"loss": SMALLEST, "error": SMALLEST_ERROR, "growth": 0.0}
WORDS = {
    "higher": re.compile(r"\bis higher by\b"),
    "lower": re.compile(r"\bis lower by\b"),
    "meaningful": re.compile(r"\bexceed\w* the smallest effect\b"),
    "equivalent": re.compile(r"\bpractically equal\b"),
    "beyond sample": re.compile(r"\bexpected for new\b"),
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
        }
        return wrong[self.kind]

    @property
    def has_wrong_sign(self) -> bool:
        """Whether a direction is claimed and the truth has the other one."""
        return self.kind in ("higher", "lower") and self.is_false and self.truth != 0


def claims_of(family: str, said: Sequence[Said], study: Study) -> Iterator[Claim]:
    """All claims of one family's sentences."""
    for each in said:
        rows: list[Mapping[str, Any]] = [each.row]
        if each.by_level is not None:
            rows += [{str(name): value for name, value in row.items()} for row in each.by_level.to_dict("records")]
        for row, sentence in zip(rows, each.sentences, strict=True):
            yield from _claims(family if row is each.row else f"{family} by level", row, sentence, study)


def _claims(family: str, row: Mapping[str, Any], sentence: Sentence, study: Study) -> Iterator[Claim]:
    outcome = OUTCOMES[row["outcome"]]
    found = [kind for kind, words in WORDS.items() if words.search(sentence.text)]
    truth = _difference(row, study, study.true[outcome])
    signs = {"higher": 1.0, "lower": -1.0}

    def claim(family: str, kind: str, truth: float) -> Claim:
        return Claim(family=family, kind=kind, truth=truth, smallest=_SMALLEST[outcome], text=sentence.text)

    for kind in found:
        if kind == "beyond sample":
            (direction,) = (each for each in found if each in signs)
            yield claim("beyond sample", direction, _difference(row, study, study.of_population[outcome]))
        elif kind == "depends":
            yield claim("interactions", kind, _change(row, study, study.true[outcome]))
        elif kind == "reverses":
            yield claim("interactions", "depends", _reversal(row, study, study.true[outcome]))
        else:
            yield claim(family, kind, truth)


def _difference(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    if "best_a" in row:
        first, second = (truth[_place(study, row[name])] for name in ("best_a", "best_b"))
        return float(second - first)
    if "by_level" in row:
        return _average(row, study, truth, {row["by"]: row["by_level"]})
    return _average(row, study, truth, {})


def _place(study: Study, levels: Mapping[str, Any]) -> int:
    return study.world.cells.index({name: plain(levels[name]) for name in study.world.factors})


def _average(row: Mapping[str, Any], study: Study, truth: Floats, at: Mapping[str, Any]) -> float:
    """The mean of a level's cells less that of the other's, where other factors are held `at` levels."""
    held = [
        np.mean([truth[place] for place, cell in enumerate(study.world.cells) if _agrees(cell, {**at, row["factor"]: level})])
        for level in (row["level_a"], row["level_b"])
    ]
    difference = float(held[1] - held[0])
    return 0.0 if abs(difference) < 1e-12 else difference


def _agrees(cell: Mapping[str, Any], levels: Mapping[str, Any]) -> bool:
    return all(cell[name] == plain(level) for name, level in levels.items())


def _effects(row: Mapping[str, Any], study: Study, truth: Floats) -> list[float]:
    by = row["interacts_with"]
    return [_average(row, study, truth, {by: level}) for level in study.world.factors[by]]


def _change(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    return float(np.ptp(_effects(row, study, truth)))


def _reversal(row: Mapping[str, Any], study: Study, truth: Floats) -> float:
    effects = _effects(row, study, truth)
    return max(0.0, min(max(effects), -min(effects)))
