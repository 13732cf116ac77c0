"""A family of contrasts: their numbers, the adjustment for being many, and each one's gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from reports.statistics.gates import Evidence, Rules, gate_of, has_direction, holm, is_equivalent
from reports.statistics.paired import summarise_each

COLUMNS = [
    *("factor", "level_a", "level_b", "estimate", "ci_low", "ci_high", "p", "p_holm", "p_sign_flip"),
    *("num_blocks", "gate", "outcome", "sd", "sample_low", "sample_high", "beyond_sample"),
    *("p_equivalent", "p_beyond", "direction", "equivalent", "probability_lower", "complete"),
    *("constant", "boundary", "interacts_with", "reverses", "smallest_effect"),
]


def gated(
    family: Sequence[Mapping[str, Any]], smallest_effect: float | None, rules: Rules, share: float = 1.0
) -> pd.DataFrame:
    """Numbers, adjustment within the family, gates; laid out as a frame."""
    rows = gate_family(family, smallest_effect, rules, share)
    result = pd.DataFrame(rows, columns=COLUMNS)
    # Levels of any type, and None, stay what they are.
    kept = ("level_a", "level_b", "interacts_with")
    return result.assign(**{name: pd.Series([row[name] for row in rows], dtype=object) for name in kept})


def gate_family(
    family: Sequence[Mapping[str, Any]], smallest_effect: float | None, rules: Rules, share: float = 1.0
) -> list[dict[str, Any]]:
    """Compute, adjust and gate the contrasts of one family; each row gives its `differences` per block.

    `share` is the part of the error rate that the family may spend: adjusted p values are divided by it.
    """
    confidence = 1 - rules.alpha
    numbers = summarise_each([row["differences"] for row in family], smallest_effect, confidence)
    adjusted = {
        name: [min(1.0, p / share) if p == p else p for p in holm([found[name] for found in numbers])]
        for name in ("p", "p_equivalent", "p_beyond")
    }
    return [
        _with_gate(
            {
                **row,
                **found,
                "p_holm": adjusted["p"][place],
                "p_equivalent": adjusted["p_equivalent"][place],
                "p_beyond": adjusted["p_beyond"][place],
                "smallest_effect": np.nan if smallest_effect is None else smallest_effect,
            },
            rules,
        )
        for place, (row, found) in enumerate(zip(family, numbers, strict=True))
    ]


def _with_gate(row: dict[str, Any], rules: Rules) -> dict[str, Any]:
    evidence = _evidence(row)
    direction = has_direction(evidence, rules)
    return {
        **row,
        "gate": gate_of(evidence, rules).value,
        "direction": direction,
        "equivalent": is_equivalent(evidence, rules),
        "beyond_sample": bool(direction and (row["sample_low"] > 0 or row["sample_high"] < 0)),
    }


def _evidence(row: Mapping[str, Any]) -> Evidence:
    size = row["smallest_effect"]
    return Evidence(
        num_blocks=row["num_blocks"],
        complete=row["complete"],
        p_holm=row["p_holm"],
        p_sign_flip=row["p_sign_flip"],
        p_equivalent=row["p_equivalent"],
        p_beyond=row["p_beyond"],
        beyond_effect=bool(row["ci_low"] > size or row["ci_high"] < -size),
        interacts=row["interacts_with"] is not None,
        at_boundary=row["boundary"],
        constant=row["constant"],
    )
