"""Computes what is recorded of each replicate, its hidden layers and whole gradient, from the norms of an epoch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainables.base.records import LayerRecord
from trainables.gradients import gradient_norms
from trainables.gradients.gradient_norms import Measured

Values = NDArray[np.float64]


class HasColumns(Protocol):
    """What was measured of hidden units in an epoch."""

    def columns(self) -> list[Values]:
        """Return mean and standard deviation of h_l and the dead fraction, each (layers, replicates)."""


@dataclass(frozen=True, kw_only=True)
class ReplicateMeasures:
    """One replicate over one epoch: its hidden layers' records, and the metrics of its whole gradient."""

    layers: tuple[LayerRecord, ...]
    metrics: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class MeasuredEpoch:
    """The measurements of one epoch of a stack.

    `norms` has shape (measured, steps, parts, replicates); `earlier` holds the whole gradient's norms at the steps
    before this epoch and `whole` those of this epoch, (steps, replicates). Everything but gradients was measured at
    every `stride`-th step, on batches of `examples`; `widths` and `weight_sizes` are those of the hidden layers.
    `seconds` is the host's time for measuring.
    """

    norms: Values
    earlier: Values
    whole: Values
    stride: int
    examples: Sequence[int]
    widths: Sequence[int]
    weight_sizes: Sequence[int]
    activations: HasColumns
    clip_norm: float | None
    seconds: float

    def replicates(self) -> list[ReplicateMeasures]:
        """Return each replicate's measures."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            by_layer = self._columns().transpose(2, 1, 0).tolist()
            metrics = zip(
                gradient_norms.num_nonfinite(self.whole).tolist(),
                gradient_norms.clip_fraction(self.whole, self.clip_norm).tolist(),
                gradient_norms.spike_rate(self.whole, self.earlier).tolist(),
                strict=True,
            )
        return [
            ReplicateMeasures(
                layers=tuple(_layer_record(layer, values) for layer, values in enumerate(layers, start=1)),
                metrics={"num_nonfinite": nonfinite, "clip_fraction": clipped, "spike_rate": spikes},
            )
            for layers, (nonfinite, clipped, spikes) in zip(by_layer, metrics, strict=True)
        ]

    def _columns(self) -> Values:
        """Return one array (layers, replicates) for each field of a layer's record."""
        gradients = self.norms[Measured.GRADIENTS, :, :-1]
        sampled = self.norms[Measured.DELTAS :, :: self.stride, :-1].copy()
        roots = np.sqrt(self.weight_sizes)[:, None]
        sizes = np.outer(self.examples, self.widths)
        deltas, weights, updates = sampled
        updates /= weights
        weights /= roots
        deltas /= np.sqrt(sizes)[:, :, None]
        mean = gradients.mean(0)
        columns = mean, gradients.max(0), mean / roots, *_medians(sampled), *self.activations.columns()
        return np.array(columns)


def _medians(values: Values) -> Values:
    """Return the medians over axis 1 (of an even number the mean of the middle two); NaN if any value is NaN."""
    ordered = np.sort(values, axis=1)
    middle = values.shape[1] // 2
    medians: Values = (ordered[:, middle] + ordered[:, -middle - 1]) / 2
    # NaN is sorted to the end.
    medians[np.isnan(ordered[:, -1])] = np.nan
    return medians


def _layer_record(layer: int, values: Sequence[float]) -> LayerRecord:
    l2, l2_max, rms, delta_rms, weight_rms, update_ratio, mean, std, dead_fraction = values
    return LayerRecord(
        layer=layer,
        grad_l2=l2,
        grad_l2_max=l2_max,
        grad_rms=rms,
        delta_rms=delta_rms,
        weight_rms=weight_rms,
        update_ratio=None if math.isnan(update_ratio) else update_ratio,
        activation_mean=mean,
        activation_std=std,
        dead_fraction=dead_fraction,
    )
