"""Do the verdicts depend on the thresholds? Each is halved and doubled, and the networks are judged again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from reports.stability.verdicts import Measures, judge, verdict

MULTIPLES = (0.5, 2.0)
"""What each threshold is multiplied by, one at a time."""

PLANNED = "as planned"
"""The name of the variant in which no threshold is changed."""

_SHARES = ["threshold", "multiple", "factor", "level", "verdict", "count", "num", "share"]
_FLIPS = ["factor", "verdict", "level_a", "level_b", "threshold", "multiple"]


def recount(
    replicates: pd.DataFrame, factors: Sequence[str], thresholds: Mapping[str, float], *, when: str
) -> pd.DataFrame:
    """Share of each verdict by level, as planned and with every threshold halved and doubled.

    `replicates` has the factors and `verdicts`, the plain data that a network's verdicts were stored with; `when` is
    "initial" or "trained"; networks without one are left out. Columns: threshold ("as planned" for none), multiple
    (1, 0.5, 2), factor, level, verdict, count, num, share; a verdict that occurs nowhere is left out, one that
    occurs anywhere has a row for every variant and level.
    """
    known = replicates[[_judged(stored, when) for stored in replicates["verdicts"]]]
    measured = [Measures(**stored[when]["measures"]) for stored in known["verdicts"]]
    columns = {
        variant: [verdict(judge(measures, changed)) for measures in measured]
        for variant, changed in _variants(thresholds)
    }
    present = dict.fromkeys(name for names in columns.values() for name in names)
    rows = []
    for factor in factors:
        for level, places in known.groupby(factor, sort=False, observed=True).indices.items():
            for (threshold, multiple), names in columns.items():
                counts, num = Counter(names[place] for place in places), len(places)
                rows += [
                    (threshold, multiple, factor, level, name, counts[name], num, counts[name] / num)
                    for name in present
                ]
    return pd.DataFrame(rows, columns=_SHARES)


def flips(shares: pd.DataFrame) -> pd.DataFrame:
    """Rankings of two levels by the share of a verdict that a changed threshold reverses.

    `shares` is what `recount` returns. Columns: factor, verdict, level_a, level_b, threshold, multiple; one row for
    each reversal, so none means that no ranking depends on a threshold. A tie is not a reversal.
    """
    rows = []
    for (factor, name), group in shares.groupby(["factor", "verdict"], sort=False):
        by_variant = {
            key: dict(zip(part["level"], part["share"], strict=True))
            for key, part in group.groupby(["threshold", "multiple"], sort=False)
        }
        planned = by_variant.pop((PLANNED, 1.0))
        for (threshold, multiple), changed in by_variant.items():
            rows += [
                (factor, name, a, b, threshold, multiple)
                for a, b in combinations(planned, 2)
                if (planned[a] - planned[b]) * (changed[a] - changed[b]) < 0
            ]
    return pd.DataFrame(rows, columns=_FLIPS)


def _judged(stored: Any, when: str) -> bool:
    return isinstance(stored, Mapping) and stored.get(when) is not None


def _variants(
    thresholds: Mapping[str, float],
) -> Iterator[tuple[tuple[str, float], Mapping[str, float]]]:
    yield (PLANNED, 1.0), thresholds
    for name, value in thresholds.items():
        for multiple in MULTIPLES:
            yield (name, multiple), {**thresholds, name: value * multiple}
