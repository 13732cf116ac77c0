"""The floor under training a stack: the matrix products of its forward and backward passes, and nothing else."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from tests.benchmarks.contenders.networks import BATCH_SIZE, WIDTH

NUM_FEATURES = 64
NUM_CLASSES = 10
TRAIN_ROWS = 1077
"""Of the digits: 60 % of 1,797."""


class MatrixProducts:
    """The batched products of one stack of perceptrons, in shapes and layouts of its training, on made-up numbers."""

    def __init__(
        self,
        *,
        depth: int,
        replicates: int,
        width: int = WIDTH,
        batch_sizes: Sequence[int] | None = None,
        num_features: int = NUM_FEATURES,
    ) -> None:
        """Make room for every factor and product; an epoch has the digits' batches unless `batch_sizes` says which."""
        generator = torch.Generator().manual_seed(0)
        widths = [num_features, *[width] * depth, NUM_CLASSES]
        self._batch_sizes = list(batch_sizes or epoch_batches(TRAIN_ROWS))
        self._weights = [
            torch.randn(replicates, out, into, generator=generator)
            for into, out in itertools.pairwise(widths)
        ]
        self._weight_gradients = [torch.empty_like(weight) for weight in self._weights]
        self._signals = {
            size: [torch.randn(replicates, units, size, generator=generator) for units in widths]
            for size in set(self._batch_sizes)
        }
        for signals in self._signals.values():
            # A batch is gathered row by row and handed on as a view.
            signals[0] = signals[0].transpose(1, 2).contiguous().transpose(1, 2)
        self._products = {
            size: [torch.empty_like(signal) for signal in signals] for size, signals in self._signals.items()
        }

    @torch.no_grad()
    def run_epoch(self) -> None:
        """Compute every product of one epoch."""
        for size in self._batch_sizes:
            self._step(self._signals[size], self._products[size])

    def _step(self, signals: list[Tensor], products: list[Tensor]) -> None:
        last = len(self._weights) - 1
        for index, weight in enumerate(self._weights):
            torch.bmm(weight, signals[index], out=products[index + 1])
        for index in range(last, -1, -1):
            delta = signals[index + 1]
            torch.bmm(delta, signals[index].transpose(1, 2), out=self._weight_gradients[index])
            if index:  # nothing asks for the gradient of the data
                torch.bmm(self._weights[index].transpose(1, 2), delta, out=products[index])


def epoch_batches(num_rows: int) -> list[int]:
    """Return the sizes of an epoch's batches, the last one smaller."""
    full, rest = divmod(num_rows, BATCH_SIZE)
    return [BATCH_SIZE] * full + [rest] * (rest > 0)
