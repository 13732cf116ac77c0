"""Planned looks: the numbers of blocks at which claims may be made, and the share of the error each one spends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.gates import Rules


def shares(looks: Sequence[int]) -> tuple[float, ...]:
    """The share of the error rate of each look: half for the last, the rest divided equally; 1 for a single look.

    >>> shares([10, 20, 40])
    (0.25, 0.25, 0.5)
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < 1:
        raise ValueError(f"looks must be growing numbers of blocks, such as [10, 20, 40], not {list(looks)}")
    if len(looks) == 1:
        return (1.0,)
    return (*[0.5 / (len(looks) - 1)] * (len(looks) - 1), 0.5)


def rules_at(looks: Sequence[int], num_blocks: int, rules: Rules | None = None) -> Rules:
    """The rules at the look that a study has reached: its share of alpha, and no claims before the first look.

    Bonferroni over the looks: all of them together are wrong at most as often as one would be. Between two
    looks the rules are those of the earlier one, whose blocks alone may be compared.
    """
    rules = rules or Rules()
    reached = [share for look, share in zip(looks, shares(looks), strict=True) if look <= num_blocks]
    share = reached[-1] if reached else shares(looks)[0]
    return replace(rules, alpha=rules.alpha * share, min_blocks=max(rules.min_blocks, looks[0]))
