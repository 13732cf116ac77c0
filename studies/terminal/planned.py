"""How much a plan comes to, counted from its dict: a `Plan` would load torch, for which `status` should not wait."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studies.base.states import Phase


def num_cells(plan: Mapping[str, Any]) -> int:
    """Return the number of cells of a plan as `Plan.to_dict` gives it; 0 for a study without cells."""
    return 0 if plan["search"]["trials"] else math.prod(map(len, plan["factors"].values()))


def planned_trials(plan: Mapping[str, Any]) -> dict[Phase, int]:
    """Return the number of trials planned for each phase; in the confirm phase for every look."""
    cells, search, confirm = num_cells(plan), plan["search"], plan["confirm"]
    return {
        Phase.SEARCH: search["trials"] or cells * search["trials_per_cell"],
        Phase.CONFIRM: cells * len(_looks(plan)) or confirm["best"] + bool(confirm["default"]),
    }


def planned_networks(plan: Mapping[str, Any]) -> int:
    """Return the number of networks that both phases train; a cell's last look has all of its blocks."""
    trials = planned_trials(plan)
    in_confirm = num_cells(plan) * _looks(plan)[-1] or trials[Phase.CONFIRM] * plan["replicates"]
    return int(trials[Phase.SEARCH] * plan["replicates"] + in_confirm)


def _looks(plan: Mapping[str, Any]) -> Sequence[int]:
    return plan["looks"] or [plan["replicates"]]
