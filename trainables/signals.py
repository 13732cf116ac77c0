"""Room for what the hidden layers of a stack say in one pass: those of equal width lie side by side.

So a sum or a norm for every layer and replicate takes one operation, and no step asks for memory.
"""

import itertools
from collections.abc import Sequence

from torch import Tensor


class Signals:
    """One signal of every hidden layer: `layers` to write to, and the same memory as `runs` to read from.

    `layers` has a tensor (replicates, units, examples) for each layer, `runs` one of shape (layers, replicates, units,
    examples) for each run of layers of equal width, in order.
    """

    def __init__(self, widths: Sequence[int], like: Tensor, replicates: int) -> None:
        """Make room, on demand, for layers of these widths; `like` gives device and precision."""
        self.widths, self._like, self._replicates = tuple(widths), like, replicates
        self._rooms: dict[int, tuple[list[Tensor], list[Tensor]]] = {}
        self.runs: list[Tensor] = []
        self.layers: list[Tensor] = []

    def prepare(self, examples: int) -> list[Tensor]:
        """Make room for a batch of `examples` and return `layers`; what was written before is given up."""
        if examples not in self._rooms:
            counts = [(width, len(list(equal))) for width, equal in itertools.groupby(self.widths)]
            runs = [self._like.new_empty(count, self._replicates, width, examples) for width, count in counts]
            self._rooms[examples] = runs, [layer for run in runs for layer in run.unbind()]
        self.runs, self.layers = self._rooms[examples]
        return self.layers
