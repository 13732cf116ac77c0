"""One training step of a stack: forward and backward over a batch, then the update."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.base.torch_compiler import step_of
from trainables.data.augmentation import Augmentation
from trainables.data.stack_data import StackData
from trainables.gradients.measured_epoch import MeasuredEpoch
from trainables.networks.parameters import FlatParameters
from trainables.networks.stack_model import StackModel
from trainables.training.evaluation import count_correct, cross_entropy
from trainables.training.gradient_recorder import GradientRecorder


class Recorder(Protocol):
    """Collects what is measured of hidden layers and replicates, epoch by epoch."""

    earlier: NDArray[np.float64]
    """Norms of the whole gradient at the steps before this epoch, shape (steps, replicates)."""

    def end_epoch(self, *, clip_norm: float | None = None) -> MeasuredEpoch:
        """Return the epoch's measurements, and begin the next one, which must follow at once."""


class TrainingStep:
    """Trains a stack batch by batch without synchronizing with the device.

    Between `backward` and `update` the gradients are those of the loss, before clipping. `sums` adds up each
    replicate's loss and number of correct predictions, shape (2, replicates), until it is set to zero. `rates` holds
    the learning rates of the next steps. `refusal` says why steps are launched kernel by kernel, if capturing failed.
    """

    def __init__(
        self,
        model: StackModel,
        optimizer: torch.optim.Optimizer,
        hyperparameters: Hyperparameters,
        data: StackData,
        augmentation: Augmentation | None = None,
    ) -> None:
        """Train `model` on rows of `data`, changed by `augmentation` if there is one."""
        self._model = model
        self.rates = LearningRates(optimizer, model.parameters, in_graph=False)
        self._smoothing, self._clip_norm = hyperparameters.label_smoothing, hyperparameters.clip_norm
        self._data, self._augmentation = data, augmentation
        self.sums = data.inputs.new_zeros(2, model.parameters.replicates)
        self.refusal: str | None = None

    def gather(self, rows: Tensor) -> Tensor:
        """Return the inputs in `rows` (replicates, examples) as a step sees them, augmentation included."""
        inputs = self._data.gather(rows)
        return inputs if self._augmentation is None else self._augmentation.apply(inputs)

    def recorder(
        self, num_steps: int, *, precise: bool = True, earlier: NDArray[np.float64] | None = None
    ) -> Recorder:
        """Return a recorder of epochs of `num_steps` steps; `earlier` are the norms of another one before them.

        With `precise`, norms are summed in float64; without it, float32 must be known to suffice.
        """
        return GradientRecorder(self._model, num_steps=num_steps, precise=precise, earlier=earlier)

    def run(self, batches: Sequence[Tensor], recorder: Recorder | None = None) -> None:
        """Train on batches, each rows of shape (replicates, batch size), measured by `recorder` if there is one."""
        assert recorder is None or isinstance(recorder, GradientRecorder), "a recorder of another step"
        self._model.is_measured = recorder is not None
        for rows in batches:
            self.backward(rows)
            if recorder is not None:
                recorder.after_backward()
            self.update()
            if recorder is not None:
                recorder.after_update()

    def measure(self, batches: Sequence[Tensor], recorder: Recorder) -> None:
        """Measure the batches without any change to weights or running statistics."""
        assert isinstance(recorder, GradientRecorder), "a recorder of another step"
        self._model.is_measured = True
        self._model.track_statistics(False)
        for rows in batches:
            # Launched one by one, because a captured step changes running statistics.
            TrainingStep.backward(self, rows)
            recorder.after_backward()
            recorder.after_measure()
        self._model.track_statistics(True)

    def backward(self, rows: Tensor) -> None:
        """Go forward and backward over the examples in `rows`, shape (replicates, batch size)."""
        targets = self._data.targets[rows]
        logits = self._model.forward(self.gather(rows), training=True)
        losses, gradient = cross_entropy(logits, targets, label_smoothing=self._smoothing)
        self._model.backward(gradient)
        self.sums[0] += losses
        self.sums[1] += count_correct(logits, targets)

    def update(self) -> None:
        """Clip the gradients if configured, and make the optimizer's step."""
        if self._clip_norm is not None:
            self._model.parameters.clip_gradients(self._clip_norm)
        self.rates.step()


class LearningRates:
    """Makes the optimizer's steps with the rates that were set last, before that with the optimizer's own.

    Every standard update is linear in the rate: of a step with rate `lr`, a replicate with a lower rate keeps the share
    rate / lr. That needs a copy of the parameters, and is done only while rates differ.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, parameters: FlatParameters, *, in_graph: bool
    ) -> None:
        """Make steps over `parameters`.

        With `in_graph` steps may be captured, and the optimizer's own rate with them: it then never changes, and no
        other rate may be higher.
        """
        self._optimizer, self._parameters, self._in_graph = optimizer, parameters, in_graph
        self.own: list[float] = [optimizer.param_groups[0]["lr"]] * parameters.replicates
        """Each replicate's rate."""
        self.trains: list[bool] = [True] * parameters.replicates
        """Which replicates train."""
        self._update = step_of(optimizer)
        self._shares: Tensor | None = None
        self._before: Tensor | None = None
        if in_graph:
            self._shares = parameters.values.new_ones(parameters.replicates)
            self._before = torch.empty_like(parameters.values)

    def set(self, rates: Sequence[float], trains: Sequence[bool]) -> None:
        """Use these rates from now on, one for each replicate; that of a replicate that does not train is ignored."""
        group = self._optimizer.param_groups[0]
        highest = max(rate for rate, training in zip(rates, trains, strict=True) if training)
        rates = [rate if training else highest for rate, training in zip(rates, trains, strict=True)]
        self.own, self.trains = list(rates), list(trains)
        if self._in_graph:
            assert self._shares is not None
            self._shares.copy_(self._of(rates, group["lr"]))
            return
        group["lr"] = highest
        if min(rates) == highest:
            self._shares = self._before = None
        else:
            self._shares = self._of(rates, group["lr"]).to(self._parameters.values.device)
            self._before = torch.empty_like(self._parameters.values)

    def step(self) -> None:
        """Make the optimizer's step."""
        if self._shares is None or self._before is None:
            self._update()
            return
        values, before = self._parameters.values, self._before
        before.copy_(values)
        self._update()
        shares = self._shares.view(1, -1, 1)
        for start, end in zip(self._parameters.runs(before), self._parameters.runs(values), strict=True):
            # Where the share is 1 this gives the end itself, bit by bit.
            torch.lerp(start, end, shares, out=end)

    def _of(self, rates: Sequence[float], whole: float) -> Tensor:
        return torch.tensor([rate / whole for rate in rates], dtype=self._parameters.values.dtype)
