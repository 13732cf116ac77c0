"""Stable, on watch, unstable: the three classes that every confirmed network with a verdict falls into, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

STABLE, WATCH, UNSTABLE = "stable", "on watch", "unstable"
CLASSES = (STABLE, WATCH, UNSTABLE)
_CLASS_OF = {"STABLE": STABLE, "WATCH": WATCH}
LOST = ("diverged", "failed")


@dataclass(frozen=True, kw_only=True)
class Classes:
    """How many networks fall into each class; `unjudged` have no verdict and ended well, and count in no share."""

    counts: Mapping[str, int]
    unjudged: int

    @property
    def num(self) -> int:
        """How many networks the shares are of."""
        return sum(self.counts.values())

    @property
    def shares(self) -> dict[str, float | None]:
        """Each class's share, None of no network."""
        return {name: count / self.num if self.num else None for name, count in self.counts.items()}

    @property
    def percents(self) -> dict[str, float | None]:
        """The shares in percent with one decimal, which add up to 100.0 as printed.

        Rounded down, and a tenth more for those that lost most by it (the method of largest remainders).
        """
        if not self.num:
            return dict.fromkeys(self.counts)
        tenths = {name: divmod(1000 * count, self.num) for name, count in self.counts.items()}
        missing = 1000 - sum(whole for whole, _ in tenths.values())
        raised = sorted(tenths, key=lambda name: -tenths[name][1])[:missing]
        return {name: (whole + (name in raised)) / 10 for name, (whole, _) in tenths.items()}


def class_of(replicates: pd.DataFrame) -> pd.Series[Any]:
    """The class of each network, by its verdict after training; None where it has none and did not diverge or fail.

    `replicates` has outcome and verdict_trained. A network that diverged or failed is unstable whatever its verdict.
    """
    lost, verdict = replicates["outcome"].isin(LOST), replicates["verdict_trained"]
    judged = verdict.map(_CLASS_OF).where(verdict.isna() | verdict.isin(list(_CLASS_OF)), UNSTABLE)
    found: pd.Series[Any] = judged.astype(object).where(~lost, UNSTABLE)
    return found.where(found.notna(), None)


def classes(replicates: pd.DataFrame) -> Classes:
    """Count the networks of each class."""
    found = class_of(replicates) if len(replicates) else pd.Series(dtype=object)
    counts = {name: int((found == name).sum()) for name in CLASSES}
    return Classes(counts=counts, unjudged=int(found.isna().sum()))
