"""Trial numbers: search trials from 1, round-robin over the cells, then the confirm trials of each look."""

from dataclasses import dataclass
from typing import Self

from studies.planning.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Numbering:
    """Gives each trial its number. Cells count from 1; a study without cells counts as one cell with one look.

    >>> numbering = Numbering(num_cells=2, num_search_trials=6, has_looks=True)
    >>> [numbering.search(cell, place=place) for place in range(3) for cell in (1, 2)]
    [1, 2, 3, 4, 5, 6]
    >>> numbering.confirm(1, look=0), numbering.confirm(2, look=1), numbering.look(10), numbering.look(2)
    (7, 10, 1, 0)
    """

    num_cells: int
    num_search_trials: int
    has_looks: bool

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the numbering of a plan's trials."""
        num_cells = len(plan.cells)
        return cls(
            num_cells=num_cells or 1, num_search_trials=plan.num_search_trials, has_looks=num_cells > 0
        )

    def search(self, cell: int, *, place: int) -> int:
        """Return the number of a cell's search trial; `place` counts its trials from 0."""
        return place * self.num_cells + cell

    def place(self, number: int) -> tuple[int, int]:
        """Return the cell of a search trial, from 1, and its place among the cell's trials, from 0."""
        place, index = divmod(number - 1, self.num_cells)
        return index + 1, place

    def confirm(self, cell: int, *, look: int) -> int:
        """Return the number of a cell's confirm trial at a look, from 0; numbers of trials not trained stay unused."""
        return self.num_search_trials + look * self.num_cells + cell

    def look(self, number: int) -> int:
        """Return the look whose blocks a trial trains, from 0: of a search trial the first."""
        return max(0, (number - self.num_search_trials - 1) // self.num_cells) if self.has_looks else 0
