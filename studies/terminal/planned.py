"""How much a plan comes to, counted from its dict: a `Plan` would load torch, for which `status` should not wait."""

import math
from collections.abc import Mapping
from typing import Any

from studies.database.states import Phase


def num_cells(plan: Mapping[str, Any]) -> int:
    """Return the number of cells of a plan as `Plan.to_dict` gives it; 0 for a study without cells."""
    return 0 if plan["search"]["trials"] else math.prod(map(len, plan["factors"].values()))


def planned_trials(plan: Mapping[str, Any]) -> dict[Phase, int]:
    """Return the number of trials planned for each phase."""
    cells, search, confirm = num_cells(plan), plan["search"], plan["confirm"]
    return {
        Phase.SEARCH: search["trials"] or cells * search["trials_per_cell"],
        Phase.CONFIRM: cells or confirm["best"] + bool(confirm["default"]),
    }


def planned_networks(plan: Mapping[str, Any]) -> int:
    """Return the number of networks that both phases train."""
    return int(sum(planned_trials(plan).values()) * plan["replicates"])
