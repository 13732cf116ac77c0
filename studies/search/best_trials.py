"""The best search trial so far, of each cell and of all, without ranking every trial again."""

from collections import defaultdict
from heapq import heappop, heappush

from studies.planning.plan import Cell
from studies.planning.planned_trial import PlannedTrial, rank_key

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
