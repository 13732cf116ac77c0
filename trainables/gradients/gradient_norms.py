"""Events in a replicate's whole gradient from step to step: not finite, clipped, or spiking.

Each function takes norms of shape (steps, replicates) and returns one number for each replicate.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SPIKE = 10.0
"""A step spikes if its norm exceeds this many times the median of the steps before it."""

SPIKE_WINDOW = 50
"""Number of earlier steps in that median, or as many as there are."""

Norms = NDArray[np.float64]


def num_nonfinite(norms: Norms) -> Norms:
    """Return the number of steps whose gradient is not finite."""
    counts: Norms = np.sum(~np.isfinite(norms), axis=0, dtype=float)
    return counts


def clip_fraction(norms: Norms, clip_norm: float | None) -> Norms:
    """Return the share of steps whose gradient was scaled down to `clip_norm`; 0 without clipping."""
    if clip_norm is None:
        return np.zeros(norms.shape[1])
    shares: Norms = np.mean(norms > clip_norm, axis=0)
    return shares


def spike_rate(norms: Norms, earlier: Norms) -> Norms:
    """Return the share of steps that spike; `earlier` holds the norms of the steps before `norms`.

    The very first step does not spike. Norms that are not finite are left out of the median.
    """
    known = np.concatenate([earlier[-SPIKE_WINDOW:], norms])
    start = len(known) - len(norms)
    spikes = np.zeros(norms.shape[1])
    for step, replicate in _candidates(known, max(start, 1)):
        before = known[max(0, step - SPIKE_WINDOW) : step, replicate]
        before = before[np.isfinite(before)]
        spikes[replicate] += before.size > 0 and known[step, replicate] > SPIKE * np.median(before)
    return spikes / len(norms)


def _candidates(known: Norms, start: int) -> list[tuple[int, int]]:
    """Return the few steps and replicates that can be spikes: the median is at least the smallest norm so far."""
    least = np.fmin.accumulate(known[:-1])[start - 1 :]
    return [
        (step + start, replicate) for step, replicate in np.argwhere(known[start:] > SPIKE * least).tolist()
    ]


SAFE_NORMS = (1e-15, 1e15)
"""Norms in this range have squares, and sums of squares, within the range of float32."""


class Measured(IntEnum):
    """What norms are computed of."""

    GRADIENTS = 0
    DELTAS = 1
    WEIGHTS = 2
    UPDATES = 3


class NormSeries:
    """Norms of each part and replicate over the steps of an epoch, for each quantity in `Measured`.

    With `precise` they are summed in float64 where needed, at several times the cost: vanishing or exploding gradients
    have squares outside the range of float32.
    """

    def __init__(
        self, num_steps: int, num_parts: int, replicates: int, *, like: Tensor, precise: bool
    ) -> None:
        """Allocate memory on the device of `like`."""
        self.precise = precise
        self._dtype = torch.float64 if precise else like.dtype
        shape = len(Measured), num_steps, num_parts, replicates
        self._norms = like.new_full(shape, torch.nan, dtype=self._dtype)
        # On a CPU BLAS takes two thirds of torch's time, and calling numpy a quarter of the time of calling torch.
        on_host = like.device.type == "cpu" and like.dtype == self._dtype
        self._squares = self._norms.numpy() if on_host else None

    def write(self, measured: Measured, step: int, runs: Sequence[Tensor]) -> None:
        """Write the norms at `step` (0, 1, ...), given runs of shape (parts, replicates, values of a part)."""
        start = 0
        for run in runs:
            end = start + len(run)
            if self._squares is not None:
                _write_squares(run.numpy(), self._squares[measured, step, start:end])
            elif not self._is_written_quickly(run, self._norms[measured, step, start:end]):
                into = self._norms[measured, step, start:end]
                torch.linalg.vector_norm(run, dim=2, dtype=self._dtype, out=into)
            start = end

    def _is_written_quickly(self, run: Tensor, into: Tensor) -> bool:
        """Write norms from squares in float32 if these are in range; on a CPU only, as checking stalls a GPU."""
        if run.device.type != "cpu" or run.dtype != torch.float32:
            return False
        squares = np.empty(run.shape[:2], np.float32)
        _write_squares(run.numpy(), squares)
        norms = np.sqrt(squares, dtype=float)
        if not ((norms > SAFE_NORMS[0]) & (norms < SAFE_NORMS[1])).all():
            return False
        into.copy_(torch.from_numpy(norms))
        return True

    def values(self) -> NDArray[np.float64]:
        """Return the norms, shape (measured, steps, parts, replicates), copied from the device.

        Norms that were not written are NaN.
        """
        values = self._norms.cpu().numpy().astype(float)
        return values if self._squares is None else np.sqrt(values, out=values)


@np.errstate(over="ignore", invalid="ignore")
def _write_squares(values: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    np.vecdot(values, values, out=out)


def are_safe(norms: NDArray[np.float64]) -> bool:
    """Return whether the squares behind these (precise) norms fit into float32."""
    low, high = SAFE_NORMS
    return bool(((norms == 0) | ((norms > low) & (norms < high))).all())
