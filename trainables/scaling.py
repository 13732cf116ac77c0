"""Scaling: fitted on each block's training part alone, and applied to inputs as they are gathered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MAX_CHUNK_VALUES = 4_000_000
"""Values of a training part looked at in one go: 32 MB of float64."""

MIN_DEVIATION = 1e-6
"""A feature whose standard deviation is smaller, as a share of its mean, is constant but for float32's rounding."""

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """What is subtracted from each replicate's inputs, and multiplied with: shapes (replicates, 1, features).

    The inputs themselves are one copy for all replicates, whose training parts differ.
    """

    mean: Tensor
    factor: Tensor

    @classmethod
    def fit(
        cls,
        inputs: NDArray[np.float32],
        groups: NDArray[np.int64],
        training_parts: Sequence[NDArray[np.int64]],
        device: torch.device,
    ) -> "Scaling":
        """Bring each group's mean to 0 and variance to 1 over a replicate's training part; no other row is read.

        Features of group -1 stay as they are. One that is constant over the training part becomes 0 everywhere: no
        network could learn what another value of it means.
        """
        fitted = [_fit(inputs, groups, rows) for rows in training_parts]
        mean, factor = (
            torch.from_numpy(np.stack(values)[:, None, :].astype(np.float32)).to(device)
            for values in zip(*fitted, strict=True)
        )
        return cls(mean=mean, factor=factor)

    def apply(self, gathered: Tensor) -> Tensor:
        """Scale inputs (replicates, examples, features) in place, and return them."""
        return gathered.sub_(self.mean).mul_(self.factor)

    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return what one replicate's network needs beside its weights: `scaling.mean` and `scaling.factor`."""
        return {"scaling.mean": self.mean[replicate, 0], "scaling.factor": self.factor[replicate, 0]}

    def part(self, replicates: slice) -> "Scaling":
        """Return the scaling of these replicates, without a copy."""
        return Scaling(mean=self.mean[replicates], factor=self.factor[replicates])


def _fit(
    inputs: NDArray[np.float32], groups: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[Values, Values]:
    means, variances = _moments(inputs, rows)
    scaled = groups >= 0
    mean, deviation = np.zeros(len(groups)), np.ones(len(groups))
    if scaled.any():
        members = groups[scaled]
        count = np.maximum(np.bincount(members), 1)
        group_means = np.bincount(members, means[scaled]) / count
        spread = variances[scaled] + (means[scaled] - group_means[members]) ** 2
        mean[scaled] = group_means[members]
        deviation[scaled] = np.sqrt(np.bincount(members, spread) / count)[members]
    is_constant = np.where(scaled, deviation, np.sqrt(variances)) <= MIN_DEVIATION * np.abs(means)
    with np.errstate(divide="ignore"):
        return mean, np.where(is_constant, 0.0, 1 / deviation)


def _moments(inputs: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[Values, Values]:
    """Return mean and variance of each feature over `rows`, summed from their distance to the first row."""
    origin = inputs[rows[0]].astype(np.float64)
    total, squares = np.zeros_like(origin), np.zeros_like(origin)
    for chunk in _chunks(inputs, rows):
        chunk -= origin
        total += chunk.sum(0)
        squares += np.einsum("ij,ij->j", chunk, chunk)
    distance = total / len(rows)
    return origin + distance, np.maximum(squares / len(rows) - distance**2, 0.0)


def _chunks(inputs: NDArray[np.float32], rows: NDArray[np.int64]) -> Iterator[Values]:
    size = max(1, MAX_CHUNK_VALUES // inputs.shape[1])
    for start in range(0, len(rows), size):
        yield inputs[rows[start : start + size]].astype(np.float64)
