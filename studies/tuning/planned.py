"""A trial as the driver knows it, and which search trials are best."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from search_spaces import Value
from studies.database.states import Phase, TrialState
from studies.planning import Cell


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """A trial as the driver knows it; `rung` is the last rung it reached, `objective` its value there.

    `look` counts the planned looks from 0: a confirm trial trains the blocks that its look adds. `attempt` counts how
    often it was started.
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


def rank(search: Iterable[PlannedTrial], *, mode: str, cell: Cell | None = None) -> list[PlannedTrial]:
    """Return the trials at the highest rung that any got to, without those that failed, best first.

    `mode` is "min" or "max"; with `cell`, its trials alone. Equal objectives keep the order of their numbers.
    """
    candidates = [
        trial
        for trial in search
        if trial.state is not TrialState.FAILED
        and trial.objective is not None
        and (cell is None or (trial.cell is not None and trial.cell.number == cell.number))
    ]
    furthest = max((trial.rung for trial in candidates), default=0)
    sign = 1 if mode == "min" else -1
    last = [trial for trial in candidates if trial.rung == furthest]
    return sorted(last, key=lambda trial: (sign * (trial.objective or 0.0), trial.number))
