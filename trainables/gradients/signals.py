"""Room for what the hidden layers of a stack say in one pass: those of equal width lie side by side.

So a sum or a norm for every layer and replicate takes one operation, and no step asks for memory.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Room:
    """Memory for batches of so many `examples`, seen in three ways.

    `layers` has a tensor (replicates, units, examples) for each layer; `by_layer` one of shape (layers, replicates,
    units x examples) and `by_unit` one of shape (layers x replicates x units, examples) for each run of layers of equal
    width, in order.
    """

    examples: int
    layers: list[Tensor]
    by_layer: list[Tensor]
    by_unit: list[Tensor]


class Signals:
    """One signal of every hidden layer, in the `room` that was prepared for the latest batch.

    `shapes` has (layers, replicates, units) for each run of layers of equal width.
    """

    room: Room

    def __init__(self, widths: Sequence[int], like: Tensor, replicates: int) -> None:
        """Make room, on demand, for layers of these widths; `like` gives device and precision."""
        self.widths, self.like, self.replicates = tuple(widths), like, replicates
        self.shapes = [(len(list(run)), replicates, width) for width, run in itertools.groupby(widths)]
        self._rooms: dict[int, Room] = {}

    def prepare(self, examples: int) -> list[Tensor]:
        """Make room for a batch of `examples` and return its `layers`; what was written before is given up."""
        if examples not in self._rooms:
            runs = [self.like.new_empty(*shape, examples) for shape in self.shapes]
            self._rooms[examples] = Room(
                examples=examples,
                layers=[layer for run in runs for layer in run.unbind()],
                by_layer=[run.flatten(2) for run in runs],
                by_unit=[run.flatten(0, 2) for run in runs],
            )
        self.room = self._rooms[examples]
        return self.room.layers
