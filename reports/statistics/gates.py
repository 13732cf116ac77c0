"""Which wording the numbers of a contrast license: the gates, and the rules that open them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np


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

    `alpha` is what the sign-flip check must stay below, `min_blocks` claims need, `indicated_blocks` a hint needs;
    shares are of a level's cells. `holm`: claims are licensed as plans of versions 1 and 2 are
    (`reports.statistics.holm`), where `alpha` is also the error rate of a family at one look.
    """

    alpha: float = 0.05
    min_blocks: int = 10
    indicated_blocks: int = 3
    interaction_q: float = 0.10
    interaction_ratio: float = 2.0
    boundary_share: float = 0.20
    budget_share: float = 0.20
    saturated_accuracy: float = 0.97
    holm: bool = False


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one contrast when its gate is chosen.

    `direction`, `meaningful` and `equivalent` are what its numbers alone say (`read_interval`). `constant`: every
    outcome of the two levels is the same number; `flat`: the difference is the same in every block, so that there is
    no spread to make an interval from.
    """

    num_blocks: int
    complete: bool
    direction: bool = False
    meaningful: bool = False
    equivalent: bool = False
    interacts: bool = False
    at_boundary: bool = False
    constant: bool = False
    flat: bool = False


def read_interval(row: Mapping[str, Any], rules: Rules) -> dict[str, bool]:
    """What the simultaneous interval of a contrast says, read off nothing else; the sign-flip test is a check.

    - `direction`: it excludes 0, and the sign-flip p is below `rules.alpha`
    - `meaningful`: a direction, and it lies wholly beyond the smallest effect
    - `equivalent`: it lies wholly within plus and minus the smallest effect
    - `fails_sign_flip`: it excludes 0, and the sign-flip p is not small

    Comparisons with an undefined number are false, so what is missing opens nothing.
    """
    low, high, size = row["simultaneous_low"], row["simultaneous_high"], row["smallest_effect"]
    excludes, passes = low > 0 or high < 0, row["p_sign_flip"] < rules.alpha
    return {
        "direction": bool(excludes and passes),
        "meaningful": bool(excludes and passes and (low > size or high < -size)),
        "equivalent": bool(-size < low and high < size),
        "fails_sign_flip": bool(excludes and not passes),
    }


def deciding(row: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the ends of the interval that decides a contrast's gate, and is the one printed.

    The simultaneous one; plans of versions 1 and 2, whose contrasts have a Holm-adjusted p value, print the unadjusted.
    """
    return ("ci_low", "ci_high") if "p_holm" in row else ("simultaneous_low", "simultaneous_high")


def may_claim(evidence: Evidence, rules: Rules) -> bool:
    """Whether anything at all may be claimed: blocks, cells, outcomes that vary, nothing that qualifies it."""
    varies = not (evidence.constant or evidence.flat)
    enough = evidence.num_blocks >= rules.min_blocks and evidence.complete and varies
    return enough and not evidence.interacts and not evidence.at_boundary


def has_direction(evidence: Evidence, rules: Rules) -> bool:
    """DIRECTION holds (alone or as the ground of MEANINGFUL)."""
    return may_claim(evidence, rules) and evidence.direction


def is_equivalent(evidence: Evidence, rules: Rules) -> bool:
    """EQUIVALENT holds, with a direction or without."""
    return may_claim(evidence, rules) and evidence.equivalent


def gate_of(evidence: Evidence, rules: Rules) -> Gate:
    """The gate of one contrast: the strongest wording that its numbers license.

    Fewer than 3 blocks or a missing cell leave it unresolved, 3-9 blocks only point. Then an interaction
    comes before a boundary, and a direction before equivalence; where both hold, both are said.
    """
    varies = not (evidence.constant or evidence.flat)
    if evidence.num_blocks < rules.indicated_blocks or not evidence.complete or not varies:
        return Gate.UNRESOLVED
    if evidence.num_blocks < rules.min_blocks:
        return Gate.INDICATED
    if evidence.interacts:
        return Gate.INTERACTION
    if evidence.at_boundary:
        return Gate.BOUNDARY
    if evidence.meaningful:
        return Gate.MEANINGFUL
    if evidence.direction:
        return Gate.DIRECTION
    return Gate.EQUIVALENT if evidence.equivalent else Gate.UNRESOLVED


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's q values (1995) within one family; NaN stays NaN and takes no part."""
    values = np.asarray(p_values, dtype=float)
    defined = np.isfinite(values)
    if defined.any():
        # Imported here, because it takes a second to import, and gates are known where nothing is computed.
        from statsmodels.stats.multitest import multipletests

        values[defined] = multipletests(values[defined], method="fdr_bh")[1]
    return [float(value) for value in values]
