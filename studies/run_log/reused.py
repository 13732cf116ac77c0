"""What a study has copied from another one, from its events."""

import json
from collections.abc import Sequence

from studies.base.messages import show
from studies.database.rows import EventRow
from studies.planning.plan import Plan

GROWN = "grown_from"


def describe_growth(plan: Plan, events: Sequence[EventRow]) -> str | None:
    """Return a line about the copied trials and what is left to train; None if nothing was copied."""
    found = [json.loads(event.detail) for event in events if event.kind == GROWN]
    if not found:
        return None
    grown = found[0]
    copied = [json.dumps(cell, sort_keys=True) for cell in grown["cells"]]
    rest = [cell for cell in plan.cells if json.dumps(dict(cell.levels), sort_keys=True) not in copied]
    new = {
        name: [level for level in levels if all(cell[name] != level for cell in grown["cells"])]
        for name, levels in plan.study.factors.items()
    }
    levels = ", ".join(f"{name} {show(level)}" for name, missing in new.items() for level in missing)
    return (
        f"{grown['trials']} trials of {len(copied)} cells copied from {grown['source']}; "
        f"trained here: {len(rest)} cells{f' ({levels})' if levels and copied else ''}"
    )
