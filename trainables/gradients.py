"""Gradient stability of a stack: what every hidden layer's gradients do over one epoch.

Measured after the backward pass and before clipping. Values stay in buffers on the device and leave it once an
epoch, so measuring never makes the host wait within an epoch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from trainables import gradient_norms
from trainables.activations import ActivationRecorder
from trainables.layer_measures import layer_records, median
from trainables.norm_series import Measured, NormSeries
from trainables.records import LayerRecord
from trainables.stack_model import StackModel

MIN_SAMPLED_STEPS = 20
"""delta_rms, weight_rms and update_ratio are taken this often an epoch at least, or at every step if there are fewer."""

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
        self,
        model: StackModel,
        *,
        num_steps: int,
        precise: bool = True,
        earlier: NDArray[np.float64] | None = None,
    ) -> None:
        """Prepare for epochs of `num_steps` steps; `earlier` is what another recorder had before them.

        Norms are `precise`, summed in float64, unless float32 is known to do.
        """
        self._model, self._parameters = model, model.parameters
        self._num_steps, self._precise = num_steps, precise
        self._weights = self._parameters.weight_runs(self._parameters.values)
        self._before = [torch.empty_like(run) for run in self._weights]
        self._stride = max(1, num_steps // MIN_SAMPLED_STEPS)
        self._moment_stride = -(-num_steps // MOMENT_STEPS)
        self.earlier = np.empty((0, self._parameters.replicates)) if earlier is None else earlier
        """Norms of the whole gradient at the steps before this epoch, shape (steps, replicates)."""
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self._norms = NormSeries(
            self._num_steps,
            len(self._parameters.weight_sizes) + 1,
            self._parameters.replicates,
            like=self._parameters.values,
            precise=self._precise,
        )
        self._step = 0
        self._examples: list[int] = []
        self._activations = ActivationRecorder(self._model)

    def after_backward(self) -> None:
        """Measure the gradients of the step that just went backward; call it before clipping."""
        self._norms.write(Measured.GRADIENTS, self._step, self._parameters.gradient_runs)
        self._activations.note_responses()
        if self._step % self._moment_stride == 0:
            self._activations.note_moments()
        if self._step % self._stride == 0:
            signals = self._model.deltas.room
            self._norms.write(Measured.DELTAS, self._step, signals.by_layer)
            self._examples.append(signals.by_unit[0].shape[1])
            for weights, before in zip(self._weights, self._before, strict=True):
                before.copy_(weights)

    def after_update(self) -> None:
        """Measure the update that the optimizer made: weights after it minus weights before it."""
        if self._step % self._stride == 0:
            for weights, before in zip(self._weights, self._before, strict=True):
                before.sub_(weights)
            self._norms.write(Measured.UPDATES, self._step, self._before)
        self.after_measure()

    def after_measure(self) -> None:
        """End a step; by itself one that updates nothing, as at the initialisation."""
        if self._step % self._stride == 0:
            self._norms.write(Measured.WEIGHTS, self._step, self._weights)
        self._step += 1

    def measures(self, *, clip_norm: float | None = None) -> list[ReplicateMeasures]:
        """Return each replicate's measures and end the epoch; here its values leave the device."""
        norms = self._norms.values()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            whole = np.sqrt(np.square(norms[Measured.GRADIENTS]).sum(1))
            layers = layer_records(self._columns(norms))
            metrics = zip(
                gradient_norms.num_nonfinite(whole).tolist(),
                gradient_norms.clip_fraction(whole, clip_norm).tolist(),
                gradient_norms.spike_rate(whole, self.earlier).tolist(),
                strict=True,
            )
        self.earlier = whole[-gradient_norms.SPIKE_WINDOW :]
        self._begin_epoch()
        return [
            ReplicateMeasures(
                layers=records,
                metrics={"num_nonfinite": nonfinite, "clip_fraction": clipped, "spike_rate": spikes},
            )
            for records, (nonfinite, clipped, spikes) in zip(layers, metrics, strict=True)
        ]

    def _columns(self, norms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one array (layers, replicates) for each field of a layer's record, given the epoch's norms."""
        gradients, sampled = norms[Measured.GRADIENTS, :, :-1], norms[Measured.DELTAS :, :: self._stride, :-1]
        roots = np.sqrt(self._parameters.weight_sizes)[:, None]
        sizes = np.outer(self._examples, self._model.deltas.widths)
        deltas, weights, updates = sampled
        updates /= weights
        weights /= roots
        deltas /= np.sqrt(sizes)[:, :, None]
        mean = gradients.mean(0)
        columns = mean, gradients.max(0), mean / roots, *median(sampled), *self._activations.columns()
        return np.array(columns)
