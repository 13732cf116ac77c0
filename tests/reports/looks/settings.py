"""Named settings of the simulated looks, and what is counted in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tests.reports.looks.many_studies import Drawn, decide
from tests.reports.looks.rules import Floats, Integers, Rules
from tests.reports.looks.worlds import DELTA, MIXED, RECORDED, WIDE, fixed, one_against_many, searched, spaced

Draw = Callable[[int, np.random.Generator], Drawn]
Setting = tuple[Draw, Rules]

CHUNK = 500
ONE = [(1, 0)]
TINY = 0.1 * DELTA
"""A smallest effect so small that "practically equal" is out of reach: every look is read, the worst case for
directions."""
PLANNED = Rules()
OUT_OF_REACH = Rules(smallest_effect=TINY, smallest_error=TINY / 4)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of simulated studies: false claims, networks beyond the first look, share clear by each look."""

    num: int
    false: int
    networks: Integers
    clear: Floats
    num_hypotheses: Integers

    @property
    def share(self) -> float:
        """Share of studies with any false claim."""
        return self.false / self.num

    def at_most(self, bound: float, errors: float = 3.0) -> bool:
        """Whether the share of false studies keeps within a bound, so many Monte Carlo standard errors allowed."""
        return self.share <= bound + errors * float(np.sqrt(bound * (1 - bound) / self.num))


def tally(setting: Setting, num: int, seed: int = 1) -> Tally:
    """Draw and decide so many studies, 500 at a time."""
    draw, rules = setting
    generator = np.random.default_rng(seed)
    parts = [decide(draw(min(CHUNK, num - start), generator), rules) for start in range(0, num, CHUNK)]
    by_look = [
        np.concatenate([part.clear_by(look) for part in parts]).mean() for look in range(len(rules.looks))
    ]
    return Tally(
        num=num,
        false=sum(int(part.any_false().sum()) for part in parts),
        networks=np.concatenate([part.trained.sum(axis=1) for part in parts]),
        clear=np.array(by_look),
        num_hypotheses=np.concatenate([part.num_hypotheses for part in parts]),
    )


FALSE_CLAIMS: dict[str, Setting] = {
    "one question, null": (partial(fixed, losses=(0, 0), questions=ONE), PLANNED),
    "one question, at the smallest effect": (partial(fixed, losses=(0, 1), questions=ONE), PLANNED),
    "one question, null, equality out of reach": (
        partial(fixed, losses=(0, 0), questions=ONE, smallest=TINY),
        OUT_OF_REACH,
    ),
    "one question, at a smallest effect out of reach": (
        partial(fixed, losses=(0, 1), questions=ONE, smallest=TINY),
        OUT_OF_REACH,
    ),
    "seven questions, null": (partial(fixed, losses=spaced(0)), PLANNED),
    "seven questions, at the smallest effect": (partial(fixed, losses=spaced(1)), PLANNED),
    "seven questions, mixed": (partial(fixed, losses=MIXED), PLANNED),
    "seven questions, null, equality out of reach": (
        partial(fixed, losses=spaced(0), smallest=TINY),
        OUT_OF_REACH,
    ),
    "seven questions, at a smallest effect out of reach": (
        partial(fixed, losses=spaced(1), smallest=TINY),
        OUT_OF_REACH,
    ),
    "seven questions, mixed, equality out of reach": (
        partial(fixed, losses=MIXED, smallest=TINY),
        OUT_OF_REACH,
    ),
    "54 cells searched, null": (partial(searched, step=0.0), PLANNED),
    "54 cells searched, levels a smallest effect apart": (partial(searched, step=1.0), PLANNED),
    "54 cells searched, null, equality out of reach": (
        partial(searched, step=0.0, smallest=TINY),
        OUT_OF_REACH,
    ),
}
"""Under the rules: at most 2.75 % may be false, .025 of the loss and .0025 of the error rate at best."""

STEPS = (0.0, 0.5, 1.0, 2.0)
SPREADS = {"recorded": RECORDED, "wide": WIDE}


def networks(kind: str, step: float, spreads: tuple[float, float]) -> Setting:
    """Studies whose contrasts are all `step` smallest effects; `kind` is a key of the table below."""
    draws: dict[str, Draw] = {
        "one question": partial(fixed, losses=(0, step), questions=ONE, spreads=spreads),
        "seven questions": partial(fixed, losses=spaced(step), spreads=spreads),
        "54 cells searched": partial(searched, step=step, spreads=spreads),
    }
    return draws[kind], PLANNED


_FORTY = partial(
    fixed,
    losses=(0, 0) * 40,
    questions=[(2 * place, 2 * place + 1) for place in range(40)],
    spreads=(0.0145, 0.0145),
)
_MANY = partial(one_against_many, num_cells=162, remembered=0.75)
_WHOLE = Rules(share=0.05, smallest_error=TINY / 4)
"""All of the .05 for the loss at best: a control that the .025 would hide."""
_WHOLE_OUT_OF_REACH = Rules(share=0.05, smallest_effect=TINY, smallest_error=TINY / 4)
_SEVEN_NULL = partial(fixed, losses=spaced(0), smallest=TINY)

CONTROLS: dict[str, tuple[Setting, Setting]] = {
    "unadjusted looks, whole .025 at each, seven questions": (
        (_SEVEN_NULL, OUT_OF_REACH),
        (_SEVEN_NULL, Rules(divides=False, smallest_effect=TINY, smallest_error=TINY / 4)),
    ),
    "unadjusted looks, .05 at each, seven questions": (
        (_SEVEN_NULL, _WHOLE_OUT_OF_REACH),
        (_SEVEN_NULL, Rules(share=0.05, divides=False, smallest_effect=TINY, smallest_error=TINY / 4)),
    ),
    "m shrinks, total .05, forty questions": (
        (_FORTY, _WHOLE),
        (_FORTY, Rules(share=0.05, shrinks=True, smallest_error=TINY / 4)),
    ),
    "cells re-selected at each look, one cell against 27": (
        (one_against_many, PLANNED),
        (partial(one_against_many, reselects=True), PLANNED),
    ),
    "first look scored on validation too, total .05, one candidate against 162": (
        (_MANY, _WHOLE_OUT_OF_REACH),
        (partial(_MANY, pooled_at_first=True), _WHOLE_OUT_OF_REACH),
    ),
}
"""Negative controls: the rules, and their breach in the same studies."""

HIDDEN: dict[str, tuple[Setting, Setting]] = {
    "m shrinks, total .05, seven questions": (
        (partial(fixed, losses=spaced(0), spreads=(0.02, 0.02)), _WHOLE),
        (
            partial(fixed, losses=spaced(0), spreads=(0.02, 0.02)),
            Rules(share=0.05, shrinks=True, smallest_error=TINY / 4),
        ),
    ),
    "first look scored on validation too, one candidate against 162": (
        (_MANY, OUT_OF_REACH),
        (partial(_MANY, pooled_at_first=True), OUT_OF_REACH),
    ),
    "first look scored on validation too, one candidate against 162, correlated by .5": (
        (partial(_MANY, remembered=0.5), OUT_OF_REACH),
        (partial(_MANY, remembered=0.5, pooled_at_first=True), OUT_OF_REACH),
    ),
}
"""Breaches that raise the error where the shares still hide it."""
