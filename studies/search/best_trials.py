"""The best trials of a search: by cell, over all, and those that are confirmed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

from search_spaces import Value
from studies.planning.plan import Cell, Plan
from studies.planning.planned_trial import PlannedTrial, rank, rank_key
from studies.planning.trial_numbers import Numbering

Key = tuple[int, float, int]


class Leaders:
    """Knows at any time whom `rank` would put first."""

    def __init__(self, *, mode: str) -> None:
        """Start without trials; `mode` is "min" or "max"."""
        self._mode = mode
        self._standing: dict[int, Key] = {}
        # What a trial came to before stays in the heaps until it gets to their top.
        self._heaps: defaultdict[int | None, list[Key]] = defaultdict(list)

    def reach(self, trial: PlannedTrial) -> None:
        """Take note that a search trial reached a rung."""
        key = self._standing[trial.number] = rank_key(trial, mode=self._mode)
        heappush(self._heaps[None], key)
        if trial.cell is not None:
            heappush(self._heaps[trial.cell.number], key)

    def fail(self, number: int) -> None:
        """Take note that a trial failed, whatever it had reached."""
        self._standing.pop(number, None)

    def first(self, cell: Cell | None = None) -> int | None:
        """Return the number of the best trial, with `cell` of its trials; None without any."""
        heap = self._heaps[None if cell is None else cell.number]
        while heap and self._standing.get(heap[0][2]) != heap[0]:
            heappop(heap)
        return heap[0][2] if heap else None


Configuration = tuple[Cell | None, Mapping[str, Value]]
"""A cell, if the study has cells, and the values that the confirm phase trains it with."""
Numbered = tuple[int, Configuration]


def of_cell(numbering: Numbering, cell: Cell, best: PlannedTrial | None, num_looks: int) -> list[Numbered]:
    """Return what is trained of a cell up to a look, by number; nothing where every search trial of it failed."""
    if best is None:
        return []
    return [(numbering.confirm(cell.number, look=look), (cell, best.params)) for look in range(num_looks)]


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
