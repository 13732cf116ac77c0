"""Sizes of a plan, counted from its dict: a `Plan` would import torch, too slow for `studies status`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studies.base.states import Phase


def num_cells(plan: Mapping[str, Any]) -> int:
    """Return the number of cells of a plan (the dict of `Plan.to_dict`); 0 for a study without cells."""
    return 0 if plan["search"]["trials"] else math.prod(map(len, plan["factors"].values()))


def planned_trials(plan: Mapping[str, Any]) -> dict[Phase, int]:
    """Return the number of planned trials by phase, in the confirm phase of all looks."""
    cells, search, confirm = num_cells(plan), plan["search"], plan["confirm"]
    return {
        Phase.SEARCH: search["trials"] or cells * search["trials_per_cell"],
        Phase.CONFIRM: cells * len(_looks(plan)) or confirm["best"] + bool(confirm["default"]),
    }


def planned_networks(plan: Mapping[str, Any]) -> int:
    """Return the number of networks that both phases train; a cell's confirm trials together train its last look."""
    trials = planned_trials(plan)
    in_confirm = num_cells(plan) * _looks(plan)[-1] or trials[Phase.CONFIRM] * plan["replicates"]
    return int(trials[Phase.SEARCH] * plan["replicates"] + in_confirm)


def _looks(plan: Mapping[str, Any]) -> Sequence[int]:
    return plan["looks"] or [plan["replicates"]]
