"""A trial of the plan with its current state, and the ranking of search trials."""

from collections.abc import Iterable, Mapping
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


def rank(search: Iterable[PlannedTrial], *, mode: str) -> list[PlannedTrial]:
    """Return the trials at the highest rung that any reached, without failed ones, best first.

    `mode` is "min" or "max". Equal objectives are ordered by trial number.
    """
    candidates = [
        trial for trial in search if trial.state is not TrialState.FAILED and trial.objective is not None
    ]
    furthest = max((trial.rung for trial in candidates), default=0)
    last = [trial for trial in candidates if trial.rung == furthest]
    return sorted(last, key=lambda trial: rank_key(trial, mode=mode))


def rank_key(trial: PlannedTrial, *, mode: str) -> tuple[int, float, int]:
    """Return the key that ranks trials which reached a rung, the best least: rung, objective, number."""
    assert trial.objective is not None, f"trial {trial.number} has not reached a rung"
    return -trial.rung, trial.objective if mode == "min" else -trial.objective, trial.number
