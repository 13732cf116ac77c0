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

MIN_DELTA_STEPS = 20
"""delta_rms is taken at least this often an epoch, or at every step if there are fewer."""

MIN_UPDATE_STEPS = 8
"""weight_rms and update_ratio are taken at least this often: a copy of the weights costs as much as all the rest."""

MOMENT_STEPS = 2
"""Steps of an epoch at which mean and standard deviation of the activations are taken, or all if fewer."""


@dataclass(frozen=True, kw_only=True)
class ReplicateMeasures:
    """One replicate over one epoch: its hidden layers, and what its whole gradient did."""

    layers: tuple[LayerRecord, ...]
    metrics: dict[str, float]


class GradientRecorder:
    """Collects the measures of every hidden layer and replicate over one epoch after the other.

    A step is: backward, `after_backward`, clipping and update if there are any, `after_update` or `after_measure`.
    `measures` ends an epoch; the next one must follow it at once, because spikes are told by the steps before.
    """

    def __init__(
        self, model: StackModel, *, num_steps: int, earlier: NDArray[np.float64] | None = None
    ) -> None:
        """Prepare buffers for epochs of `num_steps` steps; `earlier` is what another recorder had before them."""
        self._model, self._parameters = model, model.parameters
        values = self._parameters.values
        self._weights = self._parameters.weight_runs(values)
        self._before = [torch.empty_like(run) for run in self._weights]
        self._delta_stride = max(1, num_steps // MIN_DELTA_STEPS)
        self._update_stride = max(1, num_steps // MIN_UPDATE_STEPS)
        self._moment_stride = -(-num_steps // MOMENT_STEPS)
        shape = len(self._parameters.weight_sizes), self._parameters.replicates
        self._norms = values.new_empty(num_steps, shape[0] + 1, shape[1])
        self._deltas = values.new_empty(-(-num_steps // self._delta_stride), *shape)
        self._updates = values.new_full((2, -(-num_steps // self._update_stride), *shape), torch.nan)
        self.earlier = np.empty((0, shape[1])) if earlier is None else earlier
        """Norms of the whole gradient at the steps before this epoch, shape (steps, replicates)."""
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._step = 0
        self._examples: list[int] = []
        self._activations = ActivationRecorder(self._model)

    def after_backward(self) -> None:
        """Measure the gradients of the step that just went backward; call it before clipping."""
        self._parameters.gradient_norms_by_part(self._norms[self._step])
        self._activations.note_responses()
        if self._step % self._moment_stride == 0:
            self._activations.note_moments()
        if self._step % self._delta_stride == 0:
            deltas = self._model.deltas
            self._write_norms(
                [run.flatten(2) for run in deltas.runs], self._deltas[self._step // self._delta_stride]
            )
            self._examples.append(deltas.runs[0].shape[3])
        if self._step % self._update_stride == 0:
            for weights, before in zip(self._weights, self._before, strict=True):
                before.copy_(weights)

    def after_update(self) -> None:
        """Measure the update that the optimizer made: weights after it minus weights before it."""
        if self._step % self._update_stride == 0:
            for weights, before in zip(self._weights, self._before, strict=True):
                torch.sub(weights, before, out=before)
            self._write_norms(self._before, self._updates[0, self._step // self._update_stride])
        self.after_measure()

    def after_measure(self) -> None:
        """End a step; by itself one that updates nothing, as at the initialisation."""
        if self._step % self._update_stride == 0:
            self._write_norms(self._weights, self._updates[1, self._step // self._update_stride])
        self._step += 1

    def _write_norms(self, runs: list[Tensor], into: Tensor) -> None:
        for run, rows in zip(runs, torch.split(into, [len(run) for run in runs]), strict=True):
            torch.linalg.vector_norm(run, dim=2, out=rows)

    def measures(self, *, clip_norm: float | None = None) -> list[ReplicateMeasures]:
        """Return each replicate's measures and end the epoch; here its values leave the device."""
        by_part = self._norms.cpu().numpy()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            norms = np.sqrt(np.square(by_part, dtype=float).sum(1))
            by_layer = self._layer_columns(by_part[:, :-1]).transpose(2, 1, 0).tolist()
            metrics = zip(
                gradient_norms.num_nonfinite(norms).tolist(),
                gradient_norms.clip_fraction(norms, clip_norm).tolist(),
                gradient_norms.spike_rate(norms, self.earlier).tolist(),
                strict=True,
            )
        self.earlier = norms[-gradient_norms.SPIKE_WINDOW :]
        self._begin_epoch()
        return [
            ReplicateMeasures(
                layers=tuple(_layer_record(layer, values) for layer, values in enumerate(layers, start=1)),
                metrics={"num_nonfinite": nonfinite, "clip_fraction": clipped, "spike_rate": spikes},
            )
            for layers, (nonfinite, clipped, spikes) in zip(by_layer, metrics, strict=True)
        ]

    def _layer_columns(self, norms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the layers' measures, shape (columns, layers, replicates), given their gradients' norms."""
        roots = np.sqrt(self._parameters.weight_sizes)[:, None]
        updates, weights = self._updates.cpu().numpy()
        sizes = np.outer(self._examples, self._model.deltas.widths)
        deltas = self._deltas.cpu().numpy() / np.sqrt(sizes)[:, :, None]
        mean = norms.mean(0, dtype=float)
        return np.array(
            [
                mean,
                norms.max(0),
                mean / roots,
                _median(deltas),
                *_median(np.stack([weights / roots, updates / weights], axis=1)),
                *self._activations.columns(),
            ]
        )


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median over axis 0; the mean of the middle two where the count is even, NaN where one is."""
    ordered = np.sort(values, axis=0)
    middle = len(ordered) // 2
    # NaN is sorted last.
    return np.where(np.isnan(ordered[-1]), np.nan, (ordered[middle] + ordered[-middle - 1]) / 2)


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
