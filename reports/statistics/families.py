"""Families of hypotheses: how many each holds, and what share of a page's 5 % of errors it may spend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy.typing as npt
from scipy import stats

from reports.inputs.cube import Floats, pairs_to_compare
from reports.statistics.paired import standard_error

Levels = Mapping[str, Sequence[Any]]
"""The levels of every factor, as the plan has them."""


@dataclass(frozen=True, kw_only=True)
class ErrorShares:
    """What each family of claims may spend of the error rate of a page; together at most .05.

    The defaults are the plan's (`error_shares`); what an absent family leaves stays unspent.
    """

    loss_at_best: float = 0.025
    error_rate_at_best: float = 0.0025
    averages: float = 0.0075
    simple_effects: float = 0.005
    interactions: float = 0.005
    growth: float = 0.0025
    beyond_sample: float = 0.0025

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> ErrorShares:
        """The shares that a plan states; the default where it states none."""
        stated = plan.get("error_shares", {})
        return cls(**{part.name: stated[part.name] for part in fields(cls) if part.name in stated})

    @property
    def total(self) -> float:
        """The share of studies that may say anything false."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


@dataclass(frozen=True, kw_only=True)
class Family:
    """Hypotheses that share one part of the error rate.

    `num_hypotheses` is fixed before the data that decide them are seen, by the plan or by what the search selected: a
    comparison that turns out to have missing cells, or equal outcomes, still counts.
    """

    share: float = 0.05
    num_hypotheses: int

    def __post_init__(self) -> None:
        """Check that there is something to spend."""
        if not 0 < self.share < 1 or self.num_hypotheses < 0:
            raise ValueError(
                f"a family needs a share between 0 and 1 and a number of hypotheses, not {self.share!r} and "
                f"{self.num_hypotheses!r}"
            )

    @property
    def alpha(self) -> float:
        """The two-sided error rate of one hypothesis (Bonferroni)."""
        return self.share / max(1, self.num_hypotheses)


def simultaneous_half_width(sd: npt.ArrayLike, num_blocks: int, family: Family) -> Floats:
    """Half the width of the simultaneous interval of a mean over blocks; NaN below 2 blocks.

    mean +- t(1 - a / (2 m), n - 1) sd / sqrt(n), with a the family's share of the error rate and m its number of
    hypotheses: Bonferroni's single-step t intervals (Dunn 1961). All intervals of the family hold at once with
    probability at least 1 - a, whatever the correlation between contrasts, where block contrasts are normal.
    """
    error = standard_error(sd, num_blocks)
    if num_blocks < 2:
        return error
    return error * _critical(family.alpha, num_blocks)


@lru_cache(maxsize=256)
def _critical(alpha: float, num_blocks: int) -> float:
    """The two-sided critical value of t over so many blocks: a page asks for few different ones, hundreds of times."""
    return float(stats.t.isf(alpha / 2, num_blocks - 1))


def num_averages(levels: Levels) -> int:
    """Number of contrasts of all factors."""
    return sum(map(_num_pairs, levels.values()))


def num_simple_effects(levels: Levels) -> int:
    """Number of contrasts at every level of every other factor."""
    return sum(
        _num_pairs(levels[factor]) * len(levels[by]) for factor in levels for by in levels if by != factor
    )


def num_interactions(levels: Levels) -> int:
    """Number of pairs of contrasts of two factors."""
    return sum(_num_pairs(first) * _num_pairs(second) for first, second in combinations(levels.values(), 2))


def num_growth(levels: Levels) -> int:
    """Number of hypotheses about growth: averages, simple effects and interactions are one family."""
    return num_averages(levels) + num_simple_effects(levels) + num_interactions(levels)


def _num_pairs(levels: Sequence[Any]) -> int:
    return len(pairs_to_compare(levels)) if levels else 0
