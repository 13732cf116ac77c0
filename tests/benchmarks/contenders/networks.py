"""Which networks the contenders train: cells of depth_study, as many of them as one run can afford."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from studies.catalog.depth_study import STUDY

DEPTHS = (3, 5, 7)
BATCH_SIZE = 64
WIDTH = 64
EPOCHS = 18
FIRST_RUNG = 6
REDUCTION_FACTOR = 3
WORKERS = 2

Levels = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The part of depth_study that is trained: factors with their levels, replicates, rates tried in a cell.

    `sample` is how many of the cells the Ray Tune script trains, one network for each: it would take hours for all.
    `repeats` is how many networks Optuna alone trains for each cell.
    """

    factors: Mapping[str, Sequence[Any]]
    trials_per_cell: int
    replicates: int
    sample: int
    repeats: int

    @property
    def cells(self) -> list[Levels]:
        """Every combination of levels."""
        return [dict(zip(self.factors, levels, strict=True)) for levels in product(*self.factors.values())]

    @property
    def sampled_cells(self) -> list[Levels]:
        """A part of the cells in which levels, and pairs of levels, come about equally often."""
        left, chosen = self.cells, list[Levels]()
        taken: Counter[frozenset[tuple[str, Any]]] = Counter()
        while left and len(chosen) < self.sample:
            cell = min(left, key=lambda cell: sum(taken[part] for part in _parts(cell)))
            taken.update(_parts(cell))
            left.remove(cell)
            chosen.append(cell)
        return chosen

    @property
    def settings(self) -> dict[str, Any]:
        """What makes depth_study this part of it."""
        return {
            **{f"factors.{name}": list(levels) for name, levels in self.factors.items()},
            "replicates": self.replicates,
            "search.trials_per_cell": self.trials_per_cell,
        }


def _parts(cell: Levels) -> list[frozenset[tuple[str, Any]]]:
    """Return a cell's levels, and each two of them."""
    return [frozenset(part) for size in (1, 2) for part in combinations(cell.items(), size)]


WHOLE = Networks(factors=STUDY.factors, trials_per_cell=6, replicates=10, sample=18, repeats=2)
"""All of depth_study: 54 cells, 3,780 networks."""

QUICK = Networks(
    factors={"depth": (3, 7), "dropout": (0.3,), "batch_norm": (False, True), "optimizer": ("adam",)},
    trials_per_cell=3,
    replicates=10,
    sample=4,
    repeats=6,
)
"""Four cells, with the depths and batch norms that decide what a network costs."""
