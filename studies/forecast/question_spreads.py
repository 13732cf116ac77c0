"""How much the differences that questions at best are about spread over blocks, from a past study or a pilot."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from reports.statistics.best_cells import best_pairs
from search_spaces import Value
from studies.forecast.clear_by_look import Question, in_order, questions_of
from trainables.base.metrics import Direction, Metric

Spreads = Mapping[Question, float]


def spreads_of_past(
    factors: Mapping[str, Sequence[Value]],
    search: pd.DataFrame,
    confirm: pd.DataFrame,
    outcome: str,
    metric: Metric,
    past_factors: Mapping[str, Sequence[Value]],
) -> dict[Question, float]:
    """Return the spread of each question of a plan with these `factors`, in the outcome's unit.

    Where a past study asked the question it is the standard deviation, over blocks, of the difference of the two cells
    that its search selected; another question is given the root mean square of those of its factor, else of all. Empty
    if the past study tells none.

    `search` has the best search trial of each cell, with `objective` to be lowered; `confirm` the networks of the first
    look, with cell and block, scored by `metric` as a report does.
    """
    if search.empty or confirm.empty:
        return {}
    scores = {
        (int(cell), int(block)): metric.score(None if pd.isna(value) else float(value))
        for cell, block, value in confirm[["cell", "block", outcome]].itertuples(index=False)
    }
    blocks = sorted({block for _, block in scores})
    known: dict[Question, float] = {}
    for pair in best_pairs(search, list(past_factors), in_order(past_factors), planned=True):
        if None in pair.cells:
            continue
        cell_a, cell_b = (int(row["cell"]) for row in pair.found)
        differences = [
            scores[cell_b, block] - scores[cell_a, block]
            for block in blocks
            if (cell_a, block) in scores and (cell_b, block) in scores
        ]
        if len(differences) > 1:
            level_a, level_b = pair.levels
            question = Question(factor=pair.factor, level_a=level_a, level_b=level_b)
            known[question] = float(np.std(differences, ddof=1))
    return _filled(factors, known)


def spreads_of_pilot(
    factors: Mapping[str, Sequence[Value]], outcomes: pd.DataFrame, outcome: str, metric: Metric
) -> dict[Question, float]:
    """Return one spread for all questions: that of the best pair of cells that a pilot trained.

    `outcomes` has the factors, block and `outcome`, a score of `metric`; cells that are paired differ in the first
    factor alone. The best pair by its mean is the one most like the cells that a search selects: networks that hardly
    train spread several times as widely. Empty if it has fewer than three blocks, or no spread.
    """
    first, *others = factors
    sign = 1 if metric.direction == Direction.MIN else -1
    pairs = []
    for _, setting in outcomes.groupby(others, dropna=False) if others else [((), outcomes)]:
        by_block = setting.pivot_table(index="block", columns=first, values=outcome)
        if by_block.shape[1] > 1 and len(by_block) > 2:
            differences = by_block.iloc[:, 1] - by_block.iloc[:, 0]
            pairs.append((sign * float(by_block.to_numpy().mean()), float(differences.std(ddof=1))))
    _, spread = min(pairs, default=(0.0, 0.0))
    return dict.fromkeys(questions_of(factors), spread) if spread > 0 else {}


def _filled(factors: Mapping[str, Sequence[Value]], known: Spreads) -> dict[Question, float]:
    """Return a spread for each question of `factors`, those that are not known from the others."""
    if not any(known.values()):
        return {}
    filled = {}
    for question in questions_of(factors):
        alike = [spread for each, spread in known.items() if each.factor == question.factor]
        filled[question] = known.get(question, _typical(alike or list(known.values())))
    return filled


def _typical(spreads: Sequence[float]) -> float:
    return float(np.mean(np.square(spreads)) ** 0.5)
