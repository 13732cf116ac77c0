"""Gradient stability of a stack: measures the gradients of every hidden layer over one epoch.

Gradients are measured after the backward pass and before clipping. Values stay in buffers on the device and are copied
once an epoch, so measuring never synchronizes with the device within an epoch.
"""

import time
from collections.abc import Callable
from functools import wraps

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.gradients import gradient_norms
from trainables.gradients.activations import ActivationRecorder
from trainables.gradients.gradient_norms import Measured, NormSeries
from trainables.gradients.measured_epoch import MeasuredEpoch
from trainables.networks.stack_model import StackModel

MIN_SAMPLED_STEPS = 20
"""Least number of steps of an epoch at which signals, weights and updates are measured, or all if there are fewer."""

MOMENT_STEPS = 2
"""Number of steps of an epoch at which mean and standard deviation of activations are measured, or all if fewer."""


def strides(num_steps: int) -> tuple[int, int]:
    """Return at every how many steps of an epoch signals, weights and updates are measured, and activations.

    >>> strides(68)
    (3, 34)
    """
    return max(1, num_steps // MIN_SAMPLED_STEPS), max(1, -(-num_steps // MOMENT_STEPS))


def _timed(method: Callable[["GradientRecorder"], None]) -> Callable[["GradientRecorder"], None]:
    @wraps(method)
    def timed(self: "GradientRecorder") -> None:
        started = time.perf_counter()
        method(self)
        self.seconds += time.perf_counter() - started

    return timed


class GradientRecorder:
    """Collects the measures of every hidden layer and replicate, epoch by epoch.

    A step is: backward, `after_backward`, clipping and update if there are any, then `after_update` or `after_measure`.
    `end_epoch` ends an epoch; the next one must follow at once, because spikes are found by comparison with earlier
    steps. `seconds` is the host's time for the steps of an epoch; a GPU's own work is not included.
    """

    def __init__(
        self,
        model: StackModel,
        *,
        num_steps: int,
        precise: bool = True,
        earlier: NDArray[np.float64] | None = None,
    ) -> None:
        """Prepare for epochs of `num_steps` steps; `earlier` are the norms of another recorder before them.

        With `precise`, norms are summed in float64; without it, float32 must be known to suffice.
        """
        self._model, self._parameters = model, model.parameters
        self._num_steps, self._precise = num_steps, precise
        self._weights = self._parameters.weight_runs(self._parameters.values)
        self._before = [torch.empty_like(run) for run in self._weights]
        self._stride, self._moment_stride = strides(num_steps)
        self.earlier = np.empty((0, self._parameters.replicates)) if earlier is None else earlier
        """Norms of the whole gradient at the steps before this epoch, shape (steps, replicates)."""
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        self.seconds = 0.0
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

    @_timed
    def after_backward(self) -> None:
        """Measure the gradients of the step that has just gone backward; call it before clipping."""
        self._norms.write(Measured.GRADIENTS, self._step, self._parameters.gradient_runs)
        self._activations.note_responses()
        if self._step % self._moment_stride == 0:
            self._activations.note_moments()
        if self._step % self._stride == 0:
            signals = self._model.deltas.buffers
            self._norms.write(Measured.DELTAS, self._step, signals.by_layer)
            self._examples.append(signals.examples)
            for weights, before in zip(self._weights, self._before, strict=True):
                before.copy_(weights)

    @_timed
    def after_update(self) -> None:
        """Measure the optimizer's update: weights after it minus weights before it."""
        if self._step % self._stride == 0:
            for weights, before in zip(self._weights, self._before, strict=True):
                before.sub_(weights)
            self._norms.write(Measured.UPDATES, self._step, self._before)
        self.after_measure()

    def after_measure(self) -> None:
        """End a step; called directly for one without an update, as at the initialisation."""
        if self._step % self._stride == 0:
            self._norms.write(Measured.WEIGHTS, self._step, self._weights)
        self._step += 1

    def end_epoch(self, *, clip_norm: float | None = None) -> MeasuredEpoch:
        """Return the epoch's measurements, copied from the device."""
        started = time.perf_counter()
        norms = self._norms.values()
        with np.errstate(over="ignore"):
            whole = np.sqrt(np.square(norms[Measured.GRADIENTS]).sum(1))
        measured = MeasuredEpoch(
            norms=norms,
            earlier=self.earlier,
            whole=whole,
            stride=self._stride,
            examples=self._examples,
            widths=self._model.deltas.widths,
            weight_sizes=self._parameters.weight_sizes,
            activations=self._activations,
            clip_norm=clip_norm,
            seconds=self.seconds + time.perf_counter() - started,
        )
        self.earlier = whole[-gradient_norms.SPIKE_WINDOW :]
        self._begin_epoch()
        return measured
