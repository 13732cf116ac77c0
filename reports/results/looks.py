"""Planned looks: the numbers of blocks at which claims may be made, and the share of the error each one spends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any

import pandas as pd

from reports.inputs.inputs import ReportInputs
from reports.statistics.gates import Rules

ENDED = ("complete", "failed")
SIMULTANEOUS = 3
"""The first version of plans whose claims are read off simultaneous intervals, with shares of the error rate."""
UNTIL_CLEAR = 4
"""The first version of plans whose later looks train the cells of open questions only."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Which of its planned looks a study has reached, and what it may spend there.

    - `number`: the last look whose trials have all ended, from 1; 0 before the first one is whole
    - `num_looks`, `num_blocks`: how many are planned, and the blocks planned up to the one that is compared
    - `share`: its share of the error rate of the families at best (of plans of versions 1 and 2: of every family)
    - `rules`: the gates there
    - `begun`: whether a later look has begun, whose blocks are left out
    """

    number: int
    num_looks: int
    num_blocks: int
    share: float
    rules: Rules
    begun: bool

    @property
    def confidence(self) -> float:
        """The confidence of the intervals of this look: 0.95 where a single one is planned."""
        return 1 - self.rules.alpha

    def to_dict(self) -> dict[str, Any]:
        """For report.json."""
        return {**asdict(self), "confidence": self.confidence, "rules": asdict(self.rules)}


def planned_looks(plan: Mapping[str, Any]) -> tuple[int, ...]:
    """The numbers of blocks at which claims may be made: the plan's `looks`, or its `replicates` alone."""
    return tuple(plan.get("looks") or [plan["replicates"]])


def trains_until_clear(plan: Mapping[str, Any]) -> bool:
    """Whether a study's later looks train the cells of open questions only (`reports.results.questions`)."""
    return int(plan.get("plan_version", 1)) >= UNTIL_CLEAR


def looks_until_clear(plan: Mapping[str, Any]) -> tuple[int, ...]:
    """The planned numbers of blocks of a study whose later looks train the cells of open questions; else none."""
    looks = planned_looks(plan)
    has_cells = plan["search"].get("trials") is None
    return looks if trains_until_clear(plan) and has_cells and len(looks) > 1 else ()


def rules_of(plan: Mapping[str, Any]) -> Rules:
    """The gates of a plan from version 3 on: no claims before the first look."""
    return Rules(min_blocks=max(Rules().min_blocks, planned_looks(plan)[0]))


def look_of(plan: Mapping[str, Any], number: pd.Series[Any]) -> pd.Series[Any]:
    """The look, from 0, of each confirm trial's number: each look numbers all cells; 0 without cells."""
    if plan["search"].get("trials") is not None:
        return number * 0
    cells = prod(len(levels) for levels in plan["factors"].values())
    first = cells * int(plan["search"]["trials_per_cell"]) + 1
    place: pd.Series[Any] = (number - first) // cells
    return place


def first_look(inputs: ReportInputs) -> ReportInputs:
    """The study without the trials of later looks, which only comparisons at best use from plan version 4 on."""
    if not looks_until_clear(inputs.plan):
        return inputs
    confirm = inputs.trials["phase"] == "confirm"
    later = inputs.trials.loc[confirm & (look_of(inputs.plan, inputs.trials["number"]) > 0), "number"]
    if later.empty:
        return inputs

    def before(frame: pd.DataFrame, column: str) -> pd.DataFrame:
        return frame[~frame[column].isin(set(later))] if column in frame else frame

    return replace(
        inputs,
        trials=before(inputs.trials, "number"),
        replicates=before(inputs.replicates, "trial_number"),
        epochs=before(inputs.epochs, "trial_number"),
        gradients=before(inputs.gradients, "trial_number"),
        evaluation=before(inputs.evaluation, "trial_number"),
    )


def look_reached(plan: Mapping[str, Any], trials: pd.DataFrame, is_complete: bool) -> Look:
    """The last whole look of a study with a plan before version 4, of which a finished one's looks are all whole.

    `trials` as in `reports.inputs.inputs`.

    A look is whole when every cell that the first one confirmed has ended in it. The first is taken as whole
    only when a later one has begun or the study is complete, for until then a cell may be missing.
    """
    looks = planned_looks(plan)
    confirm = trials[trials["phase"] == "confirm"] if len(trials) else trials
    cells: list[set[Any]] = [set() for _ in looks]
    seen: set[int] = set()
    if len(confirm):
        places = look_of(plan, confirm["number"]).clip(0, len(looks) - 1)
        seen = {int(place) for place in places}
        for place, cell, state in zip(places, confirm["cell"], confirm["state"], strict=True):
            cells[int(place)] |= {cell} if state in ENDED else set()
    begun = max(seen, default=-1) + 1
    number = begun
    if not is_complete:
        later = [place for place in range(1, begun) if not cells[0] <= cells[place]]
        number = min(later, default=begun) if begun > 1 else 0
    blocks = looks[max(number, 1) - 1]
    by_holm = plan.get("plan_version", 1) < SIMULTANEOUS
    return Look(
        number=number,
        num_looks=len(looks),
        num_blocks=blocks,
        share=shares(looks)[max(number, 1) - 1] if by_holm else 1 / len(looks),
        rules=rules_at(looks, blocks) if by_holm else rules_of(plan),
        begun=begun > max(number, 1),
    )


def shares(looks: Sequence[int]) -> tuple[float, ...]:
    """The share of each look in plans of versions 1 and 2: half for the last, the rest equally; 1 for a single look.

    >>> shares([10, 20, 40])
    (0.25, 0.25, 0.5)
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < 1:
        raise ValueError(f"looks must be growing numbers of blocks, such as [10, 20, 40], not {list(looks)}")
    if len(looks) == 1:
        return (1.0,)
    return (*[0.5 / (len(looks) - 1)] * (len(looks) - 1), 0.5)


def rules_at(looks: Sequence[int], num_blocks: int, rules: Rules | None = None) -> Rules:
    """The rules of plans of versions 1 and 2 at a look: its share of alpha, and no claims before the first look.

    Bonferroni over the looks: all of them together are wrong at most as often as one would be. Between two
    looks the rules are those of the earlier one, whose blocks alone may be compared.
    """
    rules = rules or Rules()
    reached = [share for look, share in zip(looks, shares(looks), strict=True) if look <= num_blocks]
    share = reached[-1] if reached else shares(looks)[0]
    return replace(rules, alpha=rules.alpha * share, min_blocks=max(rules.min_blocks, looks[0]), holm=True)
