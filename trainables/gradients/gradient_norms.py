"""What a replicate's whole gradient does from step to step: not finite, clipped, or suddenly large.

Each function takes norms of shape (steps, replicates) and returns one number for each replicate.
"""

import numpy as np
from numpy.typing import NDArray

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
