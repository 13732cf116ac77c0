"""What a replicate's whole gradient does from step to step: not finite, clipped, or suddenly large.

Each function takes norms of shape (steps, replicates) and returns one number for each replicate.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SPIKE = 10.0
"""A step spikes where its norm exceeds this many times the median of the steps before it."""

SPIKE_WINDOW = 50
"""Steps over which that median is taken, or as many as there are."""

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
    """Return the share of steps that spike; `earlier` holds the norms of the steps before these.

    A step with no step before it does not spike. What is not finite is not part of a median.
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
    """Return the few steps and replicates that can be spikes: no median lies below the least norm so far."""
    least = np.fmin.accumulate(known[:-1])[start - 1 :]
    return [
        (step + start, replicate) for step, replicate in np.argwhere(known[start:] > SPIKE * least).tolist()
    ]


SAFE_NORMS = (1e-15, 1e15)
"""Between these no square that matters leaves the range of float32."""


class Measured(IntEnum):
    """What norms are taken of."""

    GRADIENTS = 0
    DELTAS = 1
    WEIGHTS = 2
    UPDATES = 3


class NormSeries:
    """Norms over the steps of an epoch, of each part and replicate, for everything that is `Measured`.

    `precise` ones are summed in float64 wherever that matters, at several times the cost: gradients that vanish or
    explode have squares that float32 has no room for.
    """

    def __init__(
        self, num_steps: int, num_parts: int, replicates: int, *, like: Tensor, precise: bool
    ) -> None:
        """Make room on the device of `like`."""
        self.precise = precise
        self._dtype = torch.float64 if precise else like.dtype
        shape = len(Measured), num_steps, num_parts, replicates
        self._norms = like.new_full(shape, torch.nan, dtype=self._dtype)
        # On a CPU, BLAS takes two thirds of torch's time, and numpy a quarter of what it takes to call torch.
        on_host = like.device.type == "cpu" and like.dtype == self._dtype
        self._squares = self._norms.numpy() if on_host else None

    def write(self, measured: Measured, step: int, runs: Sequence[Tensor]) -> None:
        """Write norms of `step` (0, 1, ...), given runs of shape (parts, replicates, values of a part)."""
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
        """Write precise norms from squares in float32, if it has room for them (on a GPU, looking would cost)."""
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
        """Return the norms, shape (measured, steps, parts, replicates): here they leave the device.

        What was not written is NaN.
        """
        values = self._norms.cpu().numpy().astype(float)
        return values if self._squares is None else np.sqrt(values, out=values)


@np.errstate(over="ignore", invalid="ignore")
def _write_squares(values: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    np.vecdot(values, values, out=out)


def are_safe(norms: NDArray[np.float64]) -> bool:
    """Return whether float32 has room for the squares that make up these norms, which are precise."""
    low, high = SAFE_NORMS
    return bool(((norms == 0) | ((norms > low) & (norms < high))).all())
