"""A trial of the plan with its current state, and the ranking of search trials."""

from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces import Value
from studies.base.states import Phase, TrialState
from studies.planning.plan import Cell


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial as the driver knows it: `rung` is the last rung that it reached, `objective` its value there.

    `look` counts the planned looks from 0: a confirm trial trains the blocks that its look adds. `attempt` counts how
    often the trial was started.
    """

    number: int
    phase: Phase
    cell: Cell | None
    params: Mapping[str, Value]
    look: int = 0
    state: TrialState = TrialState.WAITING
    rung: int = 0
    objective: float | None = None
    attempt: int = 0
