"""Norms over the steps of one epoch of a user's training loop, whose number of steps is not known in advance."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainables.gradients.activations import ActivationRecorder
from trainables.gradients.gradient_norms import SPIKE_WINDOW, Measured
from trainables.gradients.hidden_signals import HiddenSignals
from trainables.gradients.measured_epoch import MeasuredEpoch, ReplicateMeasures
from trainables.training.gradient_recorder import strides


class WatchedEpoch:
    """Measures the `parts` of one network from step to step: each hidden layer's weights, and last all the rest.

    `note_gradient` is called when a backward pass has stored a gradient. A step is `note_step`, the update, and
    `note_update`; or without an update `note_step` and `note_weights`. Values stay on the device until the epoch ends.
    """

    def __init__(
        self,
        parts: Sequence[Sequence[nn.Parameter]],
        hidden: HiddenSignals,
        *,
        after: "WatchedEpoch | None" = None,
    ) -> None:
        """Start an epoch; `after` is the previous one."""
        self.parts, self._hidden = parts, hidden
        self._latest: dict[nn.Parameter, Tensor] = {}
        self._norms: dict[Measured, list[Tensor]] = {kind: [] for kind in Measured}
        self._before: list[list[Tensor]] = []
        self._examples: list[int] = []
        self._activations = ActivationRecorder(hidden)
        num_before = 0 if after is None else after.num_steps
        self._stride, self._moment_stride = strides(num_before)
        self._earlier = np.empty((0, 1)) if after is None else after.whole()[-SPIKE_WINDOW:]

    @property
    def num_steps(self) -> int:
        """Number of steps so far."""
        return len(self._norms[Measured.GRADIENTS])

    @property
    def is_pending(self) -> bool:
        """Whether there was a backward pass since the last step."""
        return bool(self._latest)

    def note_gradient(self, parameter: nn.Parameter) -> None:
        """Measure the norm of a gradient that a backward pass has just stored."""
        assert parameter.grad is not None
        self._latest[parameter] = _norm(parameter.grad)

    def note_step(self) -> None:
        """Start a step, whose gradients are those stored since the last one."""
        nothing = self._hidden.deltas.like.new_zeros((), dtype=torch.float64)
        by_part = [[self._latest.get(parameter, nothing) for parameter in part] for part in self.parts]
        self._write(Measured.GRADIENTS, by_part)
        self._latest = {}
        self._activations.note_responses()
        step = self.num_steps - 1
        if step % self._moment_stride == 0:
            self._activations.note_moments()
        self._is_sampled = step % self._stride == 0
        if self._is_sampled:
            buffers = self._hidden.deltas.buffers
            self._write(Measured.DELTAS, [[_norm(delta)] for delta in buffers.layers])
            self._examples.append(buffers.examples)
            self._before = [[parameter.detach().clone() for parameter in part] for part in self.parts[:-1]]

    def note_update(self) -> None:
        """Measure the norms of the step's update."""
        if self._is_sampled:
            pairs = [zip(part, old, strict=True) for part, old in zip(self.parts, self._before, strict=False)]
            self._write(
                Measured.UPDATES, [[_norm(new.detach() - old) for new, old in pair] for pair in pairs]
            )
            self.note_weights()

    def note_weights(self) -> None:
        """Measure the weights and end a step."""
        if self._is_sampled:
            weights = [[_norm(parameter.detach()) for parameter in part] for part in self.parts[:-1]]
            self._write(Measured.WEIGHTS, weights)

    def _write(self, measured: Measured, by_part: Sequence[Sequence[Tensor]]) -> None:
        norms = [torch.linalg.vector_norm(torch.stack(list(part))) for part in by_part if part]
        empty = self._hidden.deltas.like.new_zeros(0, dtype=torch.float64)
        self._norms[measured].append(torch.stack(norms) if norms else empty)

    def whole(self) -> NDArray[np.float64]:
        """Return the norm of the whole gradient at each step, shape (steps, 1)."""
        steps = self._norms[Measured.GRADIENTS]
        return _on_host([torch.linalg.vector_norm(step).view(1) for step in steps])

    def end(self, *, clip_norm: float | None) -> ReplicateMeasures:
        """Return the epoch's measurements, copied from the device."""
        shape = len(Measured), self.num_steps, len(self.parts), 1
        norms = np.full(shape, np.nan)
        for kind, steps in self._norms.items():
            values = _on_host(steps)
            stride = 1 if kind is Measured.GRADIENTS else self._stride
            if len(values):
                norms[kind, ::stride, : values.shape[1], 0] = values
        measured = MeasuredEpoch(
            norms=norms,
            earlier=self._earlier,
            whole=self.whole(),
            stride=self._stride,
            examples=self._examples,
            widths=self._hidden.deltas.widths,
            weight_sizes=[sum(parameter.numel() for parameter in part) for part in self.parts[:-1]],
            activations=self._activations,
            clip_norm=clip_norm,
            seconds=0.0,
        )
        return measured.replicates()[0]


def _norm(tensor: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(tensor, dtype=torch.float64)
    return norm


def _on_host(steps: Sequence[Tensor]) -> NDArray[np.float64]:
    """Return values of shape (values,) at each step as an array (steps, values)."""
    return torch.stack(list(steps)).cpu().numpy() if steps else np.empty((0, 0))
