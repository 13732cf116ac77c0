"""What was decided after each look, recorded as an event before the first trial that follows from it."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.inputs.decisions import LOOK_DECIDED, Decision, Standing
from reports.wording.words import difference_name
from studies.database.rows import EventRow, TrialRow
from studies.definition import plan_versions
from studies.planning.plan import Plan
from studies.planning.trial_numbers import Numbering
from studies.run_log.run_events import Log


def note_decision(log: Log, study_id: int, decision: Decision) -> dict[str, Any]:
    """Record how each question stands after a look, and which cells the next one trains; undefined numbers are null.

    Returns what was recorded, as `decisions` gives it.
    """
    decided: dict[str, Any] = _plain(decision.to_dict())
    log.add_event(study_id, LOOK_DECIDED, None, json.dumps(decided, sort_keys=True))
    return decided


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def decisions(events: Sequence[EventRow]) -> list[dict[str, Any]]:
    """Return what was decided after each look, in order, as `Decision` has it."""
    found = {}
    for event in events:
        if event.kind == LOOK_DECIDED:
            decided = json.loads(event.detail)
            found[int(decided["look"])] = decided
    return [found[look] for look in sorted(found)]


@dataclass(frozen=True, kw_only=True)
class LookSummary:
    """How the questions stand after a look: each as text, by standing.

    `look` counts from 1 to `num_looks`; `num_cells` are the cells that the next look trains, `next_blocks` its blocks,
    None where there is none.
    """

    look: int
    num_looks: int
    num_blocks: int
    closed: tuple[str, ...]
    withheld: tuple[str, ...]
    open: tuple[str, ...]
    unresolved: tuple[str, ...]
    num_cells: int
    next_blocks: int | None

    @property
    def num_questions(self) -> int:
        """How many questions there are."""
        return len(self.closed) + len(self.withheld) + len(self.open) + len(self.unresolved)


def summary(plan: Plan, decided: Sequence[Mapping[str, Any]]) -> LookSummary | None:
    """Return how the questions stand after the last of these decisions; None before there is one."""
    if not decided:
        return None
    last = decided[-1]
    by_standing = {
        standing: tuple(_named(each) for each in last["questions"] if each["standing"] == standing)
        for standing in Standing
    }
    return LookSummary(
        look=last["look"],
        num_looks=len(plan.study.all_looks),
        num_blocks=last["num_blocks"],
        closed=by_standing[Standing.CLOSED],
        withheld=by_standing[Standing.WITHHELD],
        open=by_standing[Standing.OPEN],
        unresolved=by_standing[Standing.UNRESOLVED],
        num_cells=len(last["cells"]),
        next_blocks=last["next_blocks"],
    )


def _named(question: Mapping[str, Any]) -> str:
    return difference_name(question["factor"], question["level_a"], question["level_b"])


def cells_by_look(plan: Plan, trials: Sequence[TrialRow], events: Sequence[EventRow]) -> list[list[int]]:
    """Return the cells that each look trains, for the looks that have begun, the first one always among them.

    Of a later look these are the cells that the decision before it named; plans before version 4 train all at each. A
    study without cells has one look, with no cell.
    """
    every = [cell.number for cell in plan.cells]
    numbering = Numbering.of(plan)
    begun = max((numbering.look(trial.number) for trial in trials), default=0)
    if plan.version < plan_versions.UNTIL_CLEAR:
        return [every] * (begun + 1)
    named = {decided["look"]: list(decided["cells"]) for decided in decisions(events)}
    there = {
        look: [t.cell for t in trials if numbering.look(t.number) == look and t.cell]
        for look in range(1, begun + 1)
    }
    return [every, *(named.get(look, cells) for look, cells in there.items())]
