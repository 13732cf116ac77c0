"""What hidden units say over one epoch: how large their outputs are, and which units never respond."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.stack_model import HiddenBlock

SATURATION = 0.97
"""A tanh or sigmoid unit is saturated where its response, scaled to -1..1, is above this in size."""


class ActivationRecorder:
    """Collects what tells mean, standard deviation and dead fraction of every hidden layer and replicate."""

    def __init__(self, blocks: Sequence[HiddenBlock]) -> None:
        """Prepare for one epoch."""
        self._blocks = blocks
        self._responses: list[Tensor] = []
        self._means: list[Tensor] = []
        self._squares: list[Tensor] = []

    def note_responses(self) -> None:
        """Look for a response of every unit in the latest batch: a dead unit gives none in the whole epoch."""
        if not self._responses:
            self._responses = [_response(block) for block in self._blocks]
            return
        for block, known in zip(self._blocks, self._responses, strict=True):
            if block.saturates:
                torch.minimum(known, _response(block), out=known)
            else:
                known.add_(_response(block))

    def note_moments(self) -> None:
        """Take mean and mean square of h_l over the units and examples of the latest batch."""
        for block in self._blocks:
            outputs = block.output
            norm = torch.linalg.vector_norm(outputs, dim=(1, 2))
            self._squares.append(norm / (outputs.shape[1] * outputs.shape[2]) ** 0.5)
            self._means.append(outputs.mean((1, 2)))

    def columns(self) -> list[NDArray[np.float64]]:
        """Return mean and standard deviation of h_l and the dead fraction, each (layers, replicates).

        A standard deviation below a thousandth of the mean is lost to rounding.
        """
        means, roots = self._on_host(self._means), self._on_host(self._squares)
        with np.errstate(invalid="ignore"):  # outputs that are not finite have no deviation
            mean = means.mean(0)
            std = np.sqrt(np.maximum((roots**2).mean(0) - mean**2, 0.0))
        return [mean, std, self._dead_fraction()]

    def _dead_fraction(self) -> NDArray[np.float64]:
        sizes = [known.shape[1] for known in self._responses]
        units = torch.cat(self._responses, dim=1).cpu().numpy()
        saturates = np.repeat([block.saturates for block in self._blocks], sizes)
        dead = np.where(saturates, units > SATURATION, units == 0)
        starts = np.cumsum([0, *sizes[:-1]])
        shares: NDArray[np.float64] = np.add.reduceat(dead, starts, axis=1, dtype=float).T
        shares /= np.array(sizes, dtype=float)[:, None]
        return shares

    def _on_host(self, noted: list[Tensor]) -> NDArray[np.float64]:
        by_batch = torch.stack(noted).cpu().numpy().astype(float)
        return by_batch.reshape(-1, len(self._blocks), by_batch.shape[1])


def _response(block: HiddenBlock) -> Tensor:
    """Return what tells, for every unit, whether it responded: the sum of a ReLU, or the least saturation."""
    if not block.saturates:
        return block.response.sum(2)
    if block.response_is_unipolar:
        return (block.response - 0.5).abs_().amin(2).mul_(2)
    return block.response.abs().amin(2)
