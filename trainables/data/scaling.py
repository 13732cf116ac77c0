"""Scaling of inputs: fitted on each block's training part alone, and applied when inputs are gathered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MAX_CHUNK_VALUES = 4_000_000
"""Values of a training part processed at a time: 32 MB of float64."""

MIN_DEVIATION = 1e-6
"""A feature with a smaller ratio of standard deviation to mean is constant except for float32's rounding."""

Values = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """The mean and factor of each replicate's inputs, shapes (replicates, 1, features).

    All replicates share one copy of the inputs, but have different training parts. `fill` replaces missing values
    (NaN) after scaling; None if there are none.
    """

    mean: Tensor
    factor: Tensor
    fill: Tensor | None = None

    @classmethod
    def fit(
        cls,
        inputs: NDArray[np.float32],
        groups: NDArray[np.int64],
        training_parts: Sequence[NDArray[np.int64]],
        device: torch.device,
    ) -> "Scaling":
        """Scale each group to mean 0 and variance 1 over a replicate's training part; no other row is read.

        Features of group -1 are not scaled. A feature that is constant over the training part becomes 0 everywhere,
        because no network could learn what another value means. Missing values are left out of mean and variance, and
        replaced by the median.
        """
        incomplete = np.flatnonzero(np.isnan(inputs.max(0)))
        fitted = [_fit(inputs, groups, rows, incomplete) for rows in training_parts]
        mean, factor, fill = (
            torch.from_numpy(np.stack(values)[:, None, :].astype(np.float32)).to(device)
            for values in zip(*fitted, strict=True)
        )
        return cls(mean=mean, factor=factor, fill=fill if len(incomplete) else None)

    def apply(self, gathered: Tensor) -> Tensor:
        """Return inputs (replicates, examples, features) scaled, in place."""
        gathered.sub_(self.mean).mul_(self.factor)
        return gathered if self.fill is None else torch.where(gathered.isnan(), self.fill, gathered)

    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return what one replicate's network needs besides its weights, with names such as `scaling.mean`."""
        fill = {} if self.fill is None else {"scaling.fill": self.fill[replicate, 0]}
        return {"scaling.mean": self.mean[replicate, 0], "scaling.factor": self.factor[replicate, 0]} | fill

    def part(self, replicates: slice) -> "Scaling":
        """Return the scaling of some replicates, as views."""
        return Scaling(
            mean=self.mean[replicates],
            factor=self.factor[replicates],
            fill=None if self.fill is None else self.fill[replicates],
        )


def _fit(
    inputs: NDArray[np.float32],
    groups: NDArray[np.int64],
    rows: NDArray[np.int64],
    incomplete: NDArray[np.int64],
) -> tuple[Values, Values, Values]:
    """Return mean, factor and fill of each feature; `incomplete` are the features with missing values anywhere."""
    means, variances, counts = _moments(inputs, rows, has_missing=len(incomplete) > 0)
    scaled = groups >= 0
    mean, deviation = np.zeros(len(groups)), np.ones(len(groups))
    if scaled.any():
        members, weights = groups[scaled], counts[scaled]
        count = np.maximum(np.bincount(members, weights), 1)
        group_means = np.bincount(members, weights * means[scaled]) / count
        spread = variances[scaled] + (means[scaled] - group_means[members]) ** 2
        mean[scaled] = group_means[members]
        deviation[scaled] = np.sqrt(np.bincount(members, weights * spread) / count)[members]
    is_constant = np.where(scaled, deviation, np.sqrt(variances)) <= MIN_DEVIATION * np.abs(means)
    with np.errstate(divide="ignore"):
        factor = np.where(is_constant, 0.0, 1 / deviation)
    fill = np.zeros(len(groups))
    for feature in incomplete:
        values = inputs[rows, feature]
        present = values[~np.isnan(values)]
        if len(present):
            fill[feature] = (np.median(present) - mean[feature]) * factor[feature]
    return mean, factor, fill


def _moments(
    inputs: NDArray[np.float32], rows: NDArray[np.int64], *, has_missing: bool
) -> tuple[Values, Values, Values]:
    """Return mean, variance and number of each feature's values, computed relative to the first of `rows`."""
    origin = np.nan_to_num(inputs[rows[0]].astype(np.float64))
    total, squares = np.zeros_like(origin), np.zeros_like(origin)
    counts = np.full_like(origin, len(rows))
    for chunk in _chunks(inputs, rows):
        chunk -= origin
        if has_missing:
            missing = np.isnan(chunk)
            chunk[missing] = 0.0
            counts -= missing.sum(0)
        total += chunk.sum(0)
        squares += np.einsum("ij,ij->j", chunk, chunk)
    counted = np.maximum(counts, 1)
    distance = total / counted
    return origin + distance, np.maximum(squares / counted - distance**2, 0.0), counts


def _chunks(inputs: NDArray[np.float32], rows: NDArray[np.int64]) -> Iterator[Values]:
    size = max(1, MAX_CHUNK_VALUES // inputs.shape[1])
    for start in range(0, len(rows), size):
        yield inputs[rows[start : start + size]].astype(np.float64)
