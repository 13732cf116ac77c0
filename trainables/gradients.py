"""Gradient stability of a stack: what every hidden layer's gradients do over one epoch.

Measured after the backward pass and before clipping. Values stay in buffers on the device and leave it once an
epoch, so measuring never makes the host wait within an epoch.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables import gradient_norms
from trainables.activations import ActivationRecorder
from trainables.records import LayerRecord
from trainables.stack_model import StackModel

MIN_MEASURED_STEPS = 20
"""delta_rms, weight_rms and update_ratio are taken at least this often an epoch, or at every step if fewer."""

MOMENT_STEPS = 2
"""Steps of an epoch at which mean and standard deviation of the activations are taken, or all if fewer."""


@dataclass(frozen=True, kw_only=True)
class ReplicateMeasures:
    """One replicate over one epoch: its hidden layers, and what its whole gradient did."""

    layers: tuple[LayerRecord, ...]
    metrics: dict[str, float]


class GradientRecorder:
    """Collects one epoch's measures of every hidden layer and replicate.

    A step is: backward, `after_backward`, clipping and update if there are any, `after_update` or `after_measure`.
    `norms` holds each replicate's whole gradient norm at every step, shape (steps, replicates), at the epoch's end.
    """

    def __init__(self, model: StackModel, *, num_steps: int, earlier_norms: Tensor | None = None) -> None:
        """Prepare buffers for `num_steps` steps; `earlier_norms` are `norms` of the epoch before this one."""
        self._parameters, self._blocks = model.parameters, model.blocks
        self._weights = self._parameters.weight_runs(self._parameters.values)
        self._before = [torch.empty_like(run) for run in self._weights]
        self._counts = [len(run) for run in self._weights]
        self._stride = max(1, num_steps // MIN_MEASURED_STEPS)
        self._moment_stride = -(-num_steps // MOMENT_STEPS)
        layers, replicates = len(model.blocks), self._parameters.replicates
        self._norms = self._parameters.values.new_empty(num_steps, layers + 1, replicates)
        sampled = self._norms.new_full((3, -(-num_steps // self._stride), layers, replicates), torch.nan)
        self._sampled = sampled
        self._deltas, self._updates, self._weight_norms = (list(norms.unbind()) for norms in sampled)
        self._delta_sizes: list[list[int]] = []
        self._earlier = self._norms.new_empty(0, replicates) if earlier_norms is None else earlier_norms
        self._activations = ActivationRecorder(model.blocks)
        self._step = 0

    @property
    def norms(self) -> Tensor:
        """Each replicate's whole gradient norm at every step, shape (steps, replicates)."""
        norms: Tensor = torch.linalg.vector_norm(self._norms, dim=1)
        return norms

    def after_backward(self) -> None:
        """Measure the gradients of the step that just went backward; call it before clipping."""
        self._parameters.gradient_norms_by_part(self._norms[self._step])
        self._activations.note_responses()
        if self._step % self._moment_stride == 0:
            self._activations.note_moments()
        sample, skipped = divmod(self._step, self._stride)
        if not skipped:
            for block, norms in zip(self._blocks, self._deltas[sample], strict=True):
                torch.linalg.vector_norm(block.delta, dim=(1, 2), out=norms)
            self._delta_sizes.append([block.delta[0].numel() for block in self._blocks])
            for weights, before in zip(self._weights, self._before, strict=True):
                before.copy_(weights)

    def after_update(self) -> None:
        """Measure the update that the optimizer made: weights after it minus weights before it."""
        sample, skipped = divmod(self._step, self._stride)
        if not skipped:
            for weights, before in zip(self._weights, self._before, strict=True):
                torch.sub(weights, before, out=before)
            self._write_norms(self._before, self._updates[sample])
        self.after_measure()

    def after_measure(self) -> None:
        """End a step; by itself one that updates nothing, as at the initialisation."""
        sample, skipped = divmod(self._step, self._stride)
        if not skipped:
            self._write_norms(self._weights, self._weight_norms[sample])
        self._step += 1

    def _write_norms(self, runs: list[Tensor], into: Tensor) -> None:
        for run, rows in zip(runs, torch.split(into, self._counts), strict=True):
            torch.linalg.vector_norm(run, dim=2, out=rows)

    def measures(self, *, clip_norm: float | None = None) -> list[ReplicateMeasures]:
        """Return each replicate's measures; this is where the epoch's values leave the device."""
        by_layer = self._layer_columns().transpose(2, 1, 0).tolist()
        norms = self.norms.cpu().numpy()
        metrics = zip(
            gradient_norms.num_nonfinite(norms).tolist(),
            gradient_norms.clip_fraction(norms, clip_norm).tolist(),
            gradient_norms.spike_rate(norms, self._earlier.cpu().numpy()).tolist(),
            strict=True,
        )
        return [
            ReplicateMeasures(
                layers=tuple(_layer_record(layer, values) for layer, values in enumerate(layers, start=1)),
                metrics={"num_nonfinite": nonfinite, "clip_fraction": clipped, "spike_rate": spikes},
            )
            for layers, (nonfinite, clipped, spikes) in zip(by_layer, metrics, strict=True)
        ]

    def _layer_columns(self) -> NDArray[np.float64]:
        """Return the layers' measures, shape (columns, layers, replicates)."""
        gradients = self._norms[:, :-1].cpu().numpy()
        deltas, updates, weights = self._sampled.cpu().numpy()
        roots = np.sqrt(self._parameters.weight_sizes)[:, None]
        deltas = deltas / np.sqrt(self._delta_sizes)[:, :, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            sampled = _medians(np.stack([deltas, weights / roots, updates / weights]))
            mean = gradients.mean(0, dtype=float)
        return np.stack([mean, gradients.max(0), mean / roots, *sampled, *self._activations.columns()])


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the medians over axis 1; the mean of the middle two where the count is even, NaN where one is."""
    ordered = np.sort(values, axis=1)
    middle = ordered.shape[1] // 2
    medians = (ordered[:, middle] + ordered[:, -middle - 1]) / 2
    # NaN is sorted last.
    return np.where(np.isnan(ordered[:, -1]), np.nan, medians)


def _layer_record(layer: int, values: list[float]) -> LayerRecord:
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
