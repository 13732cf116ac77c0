"""The chance that each question at best is answered by each planned look, and the networks that later looks train."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from reports.inputs.cube import Floats, are_numbers, pairs_to_compare, plain
from reports.statistics.families import Family, simultaneous_half_width
from reports.statistics.gates import Rules
from search_spaces import Value

POOLED_VARIANCE: Final = 0.57
"""Variance of a block's difference scored on validation and test part together, as an approximate share of that on the
test part alone: twice the examples halve what these contribute, and what the networks themselves differ by stays."""

DIFFERENCES: Final = (0.0, 0.5, 1.0, 2.0)
"""True differences that chances are told for, in smallest effects. At none a question closes as practically equal, from
1 on as a direction; half of one is slowest, for either answer must then be as far from its limit."""

NUM_DRAWS: Final = 4000
"""Simulated studies: a chance has a standard error of at most .008."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One contrast at best: two levels of a factor, each at the cell that the search selects for it."""

    factor: str
    level_a: Value
    level_b: Value


def questions_of(factors: Mapping[str, Sequence[Value]]) -> tuple[Question, ...]:
    """Return the questions of a study with cells: neighbouring levels of numbers, of others each against the first.

    >>> [(each.level_a, each.level_b) for each in questions_of({"depth": (7, 3, 5)})]
    [(3, 5), (5, 7)]
    """
    return tuple(
        Question(factor=factor, level_a=level_a, level_b=level_b)
        for factor, levels in in_order(factors).items()
        if levels
        for level_a, level_b in pairs_to_compare(levels)
    )


def in_order(factors: Mapping[str, Sequence[Value]]) -> dict[str, tuple[Any, ...]]:
    """Return every factor's levels as a report orders them: numbers ascending, others as they are given."""
    known = {factor: [plain(level) for level in levels] for factor, levels in factors.items()}
    return {name: tuple(sorted(each) if are_numbers(each) else each) for name, each in known.items()}


def chance_clear(
    spread: float,
    smallest_effect: float,
    looks: Sequence[int],
    share: float,
    num_hypotheses: int,
    true_difference: float,
    pools_holdout: bool,
    *,
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> tuple[float, ...]:
    """Return the probability that a question is closed at or before each look, from simulated studies.

    Blocks differ by independent normal amounts around `true_difference`, with the standard deviation `spread`; where
    extension blocks, those after the first look, are scored on both held-out parts, theirs has `POOLED_VARIANCE`. At
    each look the question closes where its simultaneous interval (`share` divided by the number of looks, and by
    `num_hypotheses`) excludes 0 (DIRECTION, MEANINGFUL) or lies within plus and minus `smallest_effect` (EQUIVALENT).
    Looks with fewer blocks than claims need close nothing. The sign-flip check is left out: what it withholds is rare
    among normal differences. The same draws serve every call, so that chances differ by what they are asked for alone.
    """
    if spread < 0 or smallest_effect <= 0:
        raise ValueError(f"a chance needs a spread and a smallest effect, not {spread} and {smallest_effect}")
    family = Family(share=share / len(looks), num_hypotheses=num_hypotheses)
    means, deviations = _standard(tuple(looks), pools_holdout, num_draws, seed)
    closed, chances = np.zeros(num_draws, dtype=bool), []
    for num_blocks, mean, deviation in zip(looks, means, deviations, strict=True):
        if num_blocks >= Rules().min_blocks:
            distance = np.abs(true_difference + spread * mean)
            half_width = simultaneous_half_width(spread * deviation, num_blocks, family)
            closed |= (distance > half_width) | (distance + half_width < smallest_effect)
        chances.append(float(closed.mean()))
    return tuple(chances)


@lru_cache(maxsize=8)
def _standard(
    looks: tuple[int, ...], pools_holdout: bool, num_draws: int, seed: int
) -> tuple[Floats, Floats]:
    """Means and standard deviations over blocks of unit spread, up to each look: shapes (looks, draws)."""
    if list(looks) != sorted({*looks}) or looks[0] < 2:
        raise ValueError(f"looks must be growing numbers of blocks, two at least, not {list(looks)}")
    blocks = np.random.default_rng(seed).standard_normal((num_draws, looks[-1]))
    if pools_holdout:
        blocks[:, looks[0] :] *= POOLED_VARIANCE**0.5
    upto = [blocks[:, :num_blocks] for num_blocks in looks]
    return np.array([each.mean(1) for each in upto]), np.array([each.std(1, ddof=1) for each in upto])


def expected_more(
    factors: Mapping[str, Sequence[Value]],
    looks: Sequence[int],
    chances: Mapping[Question, Sequence[float]],
) -> float:
    """Return the mean number of networks that later looks train, from each question's chance of being closed.

    A look trains the cells that open questions compare. The best cell of all is that of one level of each factor, so
    that factors share it; which levels those are the search decides, and here it is the first of each. Questions are
    taken as independent. A question without chances is never closed.
    """
    never = [0.0] * len(looks)
    first = {factor: levels[0] for factor, levels in in_order(factors).items() if levels}
    touching: defaultdict[tuple[str, Value] | None, list[Sequence[float]]] = defaultdict(list)
    for question in questions_of(factors):
        for cell in _cells(question, first[question.factor]):
            touching[cell].append(chances.get(question, never))
    added = np.diff(np.asarray(looks))
    needed = [_any_open(of_cell, len(added)) for of_cell in touching.values()]
    return float(np.sum(np.array(needed) * added)) if needed else 0.0


def _cells(question: Question, first: Value) -> Iterator[tuple[str, Value] | None]:
    """Yield a question's two cells, each named by the level that it is the best of; None is the best of all."""
    for level in (question.level_a, question.level_b):
        yield None if level == first else (question.factor, level)


def _any_open(chances: Sequence[Sequence[float]], num_later: int) -> Floats:
    """The probability that one of these questions is open after each look but the last."""
    closed: Floats = np.prod(np.array(chances)[:, :num_later], axis=0)
    return 1 - closed
