"""The best trials of a search, by cell and over all, and the configurations that are confirmed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import Protocol, TypeVar

from search_spaces import Value
from studies.base.states import Phase, TrialState
from studies.database.rows import TrialRow
from studies.planning.plan import Cell, Plan
from studies.planning.planned_trial import PlannedTrial
from studies.planning.trial_numbers import Numbering

Key = tuple[int, float, int]


class Ranked(Protocol):
    """What trials are ranked by; `rung` is the last rung that a trial reached, and `objective` its value there."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> TrialState: ...
    @property
    def rung(self) -> int | None: ...
    @property
    def objective(self) -> float | None: ...


T = TypeVar("T", bound=Ranked)


def rank(search: Iterable[T], *, mode: str) -> list[T]:
    """Return the trials at the highest rung that any got to, without those that failed, best first.

    `mode` is "min" or "max". Equal objectives keep the order of their numbers.
    """
    candidates = [
        trial for trial in search if trial.state is not TrialState.FAILED and trial.objective is not None
    ]
    furthest = max((trial.rung or 0 for trial in candidates), default=0)
    last = [trial for trial in candidates if (trial.rung or 0) == furthest]
    return sorted(last, key=lambda trial: rank_key(trial, mode=mode))


def rank_key(trial: Ranked, *, mode: str) -> Key:
    """Return what trials that reached a rung are ranked by, least first: rung, objective, number."""
    assert trial.objective is not None, f"trial {trial.number} has not reached a rung"
    return -(trial.rung or 0), trial.objective if mode == "min" else -trial.objective, trial.number


def best_complete(trials: Iterable[TrialRow], *, mode: str) -> TrialRow | None:
    """Return the best of the search trials that came to the last rung, None before there is one."""
    complete = (
        trial for trial in trials if trial.phase is Phase.SEARCH and trial.state is TrialState.COMPLETE
    )
    return next(iter(rank(complete, mode=mode)), None)


class Leaders:
    """Keeps the search trial that `rank` would put first, updated with every result."""

    def __init__(self, *, mode: str) -> None:
        """Start without trials; `mode` is "min" or "max"."""
        self._mode = mode
        self._standing: dict[int, Key] = {}
        # Outdated keys of a trial stay in the heaps until they reach the top.
        self._heaps: defaultdict[int | None, list[Key]] = defaultdict(list)

    def reach(self, trial: PlannedTrial) -> None:
        """Record that a search trial reached a rung."""
        key = self._standing[trial.number] = rank_key(trial, mode=self._mode)
        heappush(self._heaps[None], key)
        if trial.cell is not None:
            heappush(self._heaps[trial.cell.number], key)

    def fail(self, number: int) -> None:
        """Record that a trial failed, which removes it from the ranking."""
        self._standing.pop(number, None)

    def first(self, cell: Cell | None = None) -> int | None:
        """Return the number of the best trial, among those of `cell` if given; None if there is none."""
        heap = self._heaps[None if cell is None else cell.number]
        while heap and self._standing.get(heap[0][2]) != heap[0]:
            heappop(heap)
        return heap[0][2] if heap else None


Configuration = tuple[Cell | None, Mapping[str, Value]]
"""A cell, if the study has cells, and the values that the confirm phase trains it with."""
Numbered = tuple[int, Configuration]


def of_cell(numbering: Numbering, cell: Cell, best: PlannedTrial, *, look: int) -> Numbered:
    """Return a cell's confirm trial of a look, from 0, by number; `best` is the cell's best search trial."""
    return numbering.confirm(cell.number, look=look), (cell, best.params)


def of_sweep(
    numbering: Numbering, plan: Plan, search: Iterable[PlannedTrial], *, mode: str
) -> list[Numbered]:
    """Return the best configurations of a study without cells and the stated default, by number."""
    confirm = plan.study.confirm
    params = [trial.params for trial in rank(search, mode=mode)[: confirm.best]]
    if confirm.default:
        params.append(_default_params(plan))
    return [(numbering.num_search_trials + place, (None, each)) for place, each in enumerate(params, start=1)]


def _default_params(plan: Plan) -> Mapping[str, Value]:
    """Return the stated default of every factor and nuisance."""
    everything = plan.hyperparameters(plan.study.confirm.default)
    return {name: everything[name] for name in (*plan.study.factors, *plan.study.nuisances)}
