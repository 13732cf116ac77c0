"""Which wording the numbers of a contrast license: the gates, and the rules that open them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from statsmodels.stats.multitest import multipletests


class Gate(StrEnum):
    """What may be said; the value is the code printed beside the sentence."""

    DIRECTION = "DIRECTION"
    MEANINGFUL = "MEANINGFUL"
    EQUIVALENT = "EQUIVALENT"
    UNRESOLVED = "UNRESOLVED"
    INDICATED = "INDICATED"
    BEYOND_SAMPLE = "BEYOND SAMPLE"
    INTERACTION = "INTERACTION"
    BOUNDARY = "BOUNDARY"
    BUDGET = "BUDGET"
    SATURATED = "SATURATED"
    ASSOCIATION = "ASSOCIATION"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The numbers behind the gates; the defaults are the published ones.

    `alpha` is the error rate of a family (the share of one look where several are planned), `min_blocks`
    claims need, `indicated_blocks` a hint needs; shares are of a level's cells.
    """

    alpha: float = 0.05
    min_blocks: int = 10
    indicated_blocks: int = 3
    interaction_q: float = 0.10
    interaction_ratio: float = 2.0
    boundary_share: float = 0.20
    budget_share: float = 0.20
    saturated_accuracy: float = 0.97


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one contrast when its gate is chosen; None for what was not given.

    `p_equivalent` and `p_beyond` (one-sided) are adjusted for the family like `p_holm`; `constant`: every
    outcome of the two levels is the same number.
    """

    num_blocks: int
    complete: bool
    p_holm: float
    p_sign_flip: float
    p_equivalent: float = math.nan
    p_beyond: float = math.nan
    beyond_effect: bool = False
    interacts: bool = False
    at_boundary: bool = False
    constant: bool = False


def may_claim(evidence: Evidence, rules: Rules) -> bool:
    """Whether anything at all may be claimed: blocks, cells, a varying outcome, nothing that qualifies it."""
    enough = evidence.num_blocks >= rules.min_blocks and evidence.complete and not evidence.constant
    return enough and not evidence.interacts and not evidence.at_boundary


def has_direction(evidence: Evidence, rules: Rules) -> bool:
    """DIRECTION holds (alone or as the ground of MEANINGFUL)."""
    small = evidence.p_holm < rules.alpha and evidence.p_sign_flip < rules.alpha
    return may_claim(evidence, rules) and small


def is_meaningful(evidence: Evidence, rules: Rules) -> bool:
    """MEANINGFUL holds: a direction, and an interval beyond the smallest effect, in the family too."""
    beyond = evidence.beyond_effect and evidence.p_beyond < rules.alpha / 2
    return has_direction(evidence, rules) and beyond


def is_equivalent(evidence: Evidence, rules: Rules) -> bool:
    """EQUIVALENT holds, with a direction or without."""
    return may_claim(evidence, rules) and evidence.p_equivalent < rules.alpha


def gate_of(evidence: Evidence, rules: Rules) -> Gate:
    """The gate of one contrast: the strongest wording that its numbers license.

    Fewer than 3 blocks or a missing cell leave it unresolved, 3-9 blocks only point. Then an interaction
    comes before a boundary, and a direction before equivalence; where both hold, both are said.
    """
    if evidence.num_blocks < rules.indicated_blocks or not evidence.complete or evidence.constant:
        return Gate.UNRESOLVED
    if evidence.num_blocks < rules.min_blocks:
        return Gate.INDICATED
    if evidence.interacts:
        return Gate.INTERACTION
    if evidence.at_boundary:
        return Gate.BOUNDARY
    if is_meaningful(evidence, rules):
        return Gate.MEANINGFUL
    if has_direction(evidence, rules):
        return Gate.DIRECTION
    return Gate.EQUIVALENT if is_equivalent(evidence, rules) else Gate.UNRESOLVED


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment (1979) within one family; NaN (undefined) stays NaN and takes no part.

    The same numbers as statsmodels' `multipletests(method="holm")`, which runs the garbage collector each time.
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values)[: int(np.isfinite(values).sum())]  # NaN sorts last
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(values), np.nan)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in adjusted]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q values (1995) within one family; NaN stays NaN and takes no part."""
    values = np.asarray(p_values, dtype=float)
    defined = np.isfinite(values)
    if defined.any():
        values[defined] = multipletests(values[defined], method="fdr_bh")[1]
    return [float(value) for value in values]
