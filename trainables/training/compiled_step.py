"""Training steps in compiled kernels, and what they measure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.augmentation import Augmentation
from trainables.data.stack_data import StackData
from trainables.gradients import gradient_norms
from trainables.gradients.activations import SATURATION
from trainables.gradients.gradient_norms import Measured
from trainables.gradients.measured_epoch import MeasuredEpoch
from trainables.kernels import updates
from trainables.kernels.layout import Batches, Floats, Measures
from trainables.kernels.updates import Optimizer
from trainables.models.mlp import MLP
from trainables.networks.compiled_mlp import CompiledMLP, Steps, gathered
from trainables.training.gradient_recorder import strides
from trainables.training.training_step import Recorder, TrainingStep

KINDS = {"sgd": updates.SGD, "adam": updates.ADAM, "adamw": updates.ADAMW, "rmsprop": updates.RMSPROP}


class CompiledStep(TrainingStep):
    """Trains an MLP's replicates one after the other in compiled kernels, each through all steps of an epoch.

    The results are those of a plain step but for rounding and for dropout's masks, which come from a generator of their
    own. A replicate that has stopped early is left out. Neither the gradients nor hidden signals of a single step can
    be seen from outside; what is measured of them, a recorder has.
    """

    def __init__(
        self,
        model: MLP,
        networks: CompiledMLP,
        optimizer: torch.optim.Optimizer,
        hyperparameters: Hyperparameters,
        data: StackData,
        augmentation: Augmentation | None = None,
        *,
        generator: torch.Generator,
    ) -> None:
        """Train `model`, whose `networks` share its memory; `generator` has the seed of each epoch's masks."""
        super().__init__(model, optimizer, hyperparameters, data, augmentation)
        self._networks, self._optimizer, self._hyperparameters = networks, optimizer, hyperparameters
        self._mlp, self._generator = model, generator

    def recorder(
        self, num_steps: int, *, precise: bool = True, earlier: NDArray[np.float64] | None = None
    ) -> Recorder:
        """Return a recorder of epochs of `num_steps` steps; norms are always precise."""
        return CompiledRecorder(self._mlp, num_steps, earlier)

    def run(self, batches: Sequence[Tensor], recorder: Recorder | None = None) -> None:
        """Train on the rows of each batch in turn."""
        with torch.no_grad():
            optimizer, count = self._settings()
        self._pass_through(batches, recorder, optimizer, only_measure=False)
        if count is not None:
            count += len(batches)

    def measure(self, batches: Sequence[Tensor], recorder: Recorder) -> None:
        """Measure the batches without any change to weights or running statistics."""
        values = self._mlp.parameters.values.numpy()
        none = values[:0]
        rates = np.zeros(self._mlp.parameters.replicates)
        idle = Optimizer(updates.SGD, none, none, 0.0, 0.0, 0.0, 0.0, rates)
        self._pass_through(batches, recorder, idle, only_measure=True)

    def _pass_through(
        self,
        batches: Sequence[Tensor],
        recorder: Recorder | None,
        optimizer: Optimizer,
        *,
        only_measure: bool,
    ) -> None:
        assert recorder is None or isinstance(recorder, CompiledRecorder), "a recorder of another step"
        values = self._mlp.parameters.values.numpy()
        measures = _nothing(values) if recorder is None else recorder.measures
        sums = np.zeros((2, self._mlp.parameters.replicates))
        trains = np.array(self.rates.trains if not only_measure else [True] * sums.shape[1])
        first = 0 if recorder is None else recorder.num_done
        before = self._updates_made()
        for number, part in self._parts(batches):
            steps = Steps(
                seed=self._generator.initial_seed(),
                first=first + number,
                updates_before=before + number,
                clip_norm=self._hyperparameters.clip_norm,
                only_measure=only_measure,
            )
            self._networks.train(part, optimizer, measures, steps, trains=trains, sums=sums)
        if recorder is not None:
            recorder.note(batches)
        self.sums += torch.from_numpy(sums)

    def _parts(self, batches: Sequence[Tensor]) -> list[tuple[int, Batches]]:
        """Return batches that can be passed through in one call, with the number of the first one's step."""
        data = self._data
        if (
            self._augmentation is None
            and data.texts is None
            and (data.scaling is None or data.scaling.fill is None)
        ):
            rows = torch.cat(list(batches), dim=1)
            ends = np.cumsum([batch.shape[1] for batch in batches])
            return [(0, self._rows(rows, ends))]
        return [
            (number, gathered(self.gather(rows), [rows.shape[1]], data.targets[rows]))
            for number, rows in enumerate(batches)
        ]

    def _rows(self, rows: Tensor, ends: NDArray[np.int64]) -> Batches:
        data, scaling = self._data, self._data.scaling
        inputs = data.inputs.numpy()
        none: Floats = np.zeros((len(rows), 0), inputs.dtype)
        return Batches(
            inputs=inputs,
            targets=data.targets[rows].numpy(),
            rows=rows.numpy(),
            ends=ends,
            is_scaled=scaling is not None,
            mean=none if scaling is None else scaling.mean[:, 0].numpy(),
            factor=none if scaling is None else scaling.factor[:, 0].numpy(),
        )

    def _updates_made(self) -> int:
        state = self._optimizer.state.get(self._mlp.parameters.values, {})
        return int(state["step"]) if "step" in state else 0

    def _settings(self) -> tuple[Optimizer, Tensor | None]:
        """Return the optimizer as kernels take it, sharing the state of torch's, and its counter of updates."""
        hp, flat = self._hyperparameters, self._mlp.parameters.values
        state = self._optimizer.state[flat]
        if not state:
            state.update(_first_state(hp, flat))
        none = flat.numpy()[:0]
        match hp.optimizer:
            case "sgd":
                first, second = state.get("momentum_buffer"), None
                decays = hp.momentum, 0.0
            case "rmsprop":
                first, second = None, state["square_avg"]
                decays = 0.0, hp.alpha
            case _:
                first, second = state["exp_avg"], state["exp_avg_sq"]
                decays = hp.betas
        settings = Optimizer(
            kind=KINDS[hp.optimizer],
            first=none if first is None else first.numpy(),
            second=none if second is None else second.numpy(),
            momentum=decays[0],
            decay=decays[1],
            eps=hp.eps,
            weight_decay=hp.decoupled_weight_decay if hp.optimizer == "adamw" else hp.weight_decay,
            rates=np.array(self.rates.own),
        )
        return settings, state.get("step")


def _first_state(hp: Hyperparameters, flat: Tensor) -> dict[str, Tensor]:
    """Return the state that torch's optimizer has before its first update, by its own names."""
    match hp.optimizer:
        case "sgd":
            return {"momentum_buffer": torch.zeros_like(flat)} if hp.momentum else {}
        case "rmsprop":
            return {"step": torch.zeros(()), "square_avg": torch.zeros_like(flat)}
    return {
        "step": torch.zeros(()),
        "exp_avg": torch.zeros_like(flat),
        "exp_avg_sq": torch.zeros_like(flat),
    }


def _nothing(values: Floats) -> Measures:
    return Measures(0, 1, False, False, np.empty((0, 0, 0, 0)), np.empty((0, 0, 0, 0)), values[:0])


@dataclass(frozen=True, kw_only=True)
class CompiledActivations:
    """What kernels measured of hidden units in an epoch, as ActivationRecorder has it.

    `moments` is (measured steps, layers, 2, replicates), sums of h_l and of its squares over batches of `examples`;
    `responses` has each unit's, layer by layer and replicate by replicate.
    """

    moments: NDArray[np.float64]
    responses: Floats
    widths: Sequence[int]
    examples: Sequence[int]
    saturates: bool

    def columns(self) -> list[NDArray[np.float64]]:
        """Return mean and standard deviation of h_l and the dead fraction, each (layers, replicates)."""
        sizes = np.outer(self.examples, self.widths)[:, :, None]
        mean = (self.moments[:, :, 0] / sizes).mean(0)
        std = np.sqrt(np.maximum((self.moments[:, :, 1] / sizes).mean(0) - mean**2, 0.0))
        replicates = self.moments.shape[-1]
        dead = self.responses > SATURATION if self.saturates else self.responses == 0
        ends = np.cumsum(np.multiply(self.widths, replicates))
        parts = np.split(dead, ends[:-1])
        return [mean, std, np.array([part.reshape(replicates, -1).mean(1) for part in parts])]


class CompiledRecorder:
    """Collects what kernels measure of every hidden layer and replicate, epoch by epoch, like GradientRecorder.

    `seconds` is the time for making an epoch's records ready; what is summed within the passes is not told apart.
    """

    def __init__(self, model: MLP, num_steps: int, earlier: NDArray[np.float64] | None) -> None:
        """Prepare for epochs of `num_steps` steps; `earlier` are the whole gradient's norms before them."""
        self._model, self._num_steps = model, num_steps
        self._replicates = model.parameters.replicates
        self._stride, self._moment_stride = strides(num_steps)
        self.earlier = np.empty((0, self._replicates)) if earlier is None else earlier
        self._begin_epoch()

    def _begin_epoch(self) -> None:
        model, widths = self._model, self._model.responses.widths
        depth, values = len(widths), model.parameters.values.numpy()
        num_moments = -(-self._num_steps // self._moment_stride)
        self.num_done = 0
        """Steps of the epoch that have been measured."""
        self._examples: list[int] = []
        self.measures = Measures(
            stride=self._stride,
            moment_stride=self._moment_stride,
            saturates=model.saturates,
            is_unipolar=model.responses_are_unipolar,
            squares=np.full((len(Measured), self._num_steps, depth + 1, self._replicates), np.nan),
            moments=np.full((num_moments, depth, 2, self._replicates), np.nan),
            responses=np.full(sum(widths) * self._replicates, 1.0 if model.saturates else 0.0, values.dtype),
        )
        """Where kernels put what they measure."""

    def note(self, batches: Sequence[Tensor]) -> None:
        """Record the sizes of batches that have been measured."""
        self._examples += [rows.shape[1] for rows in batches]
        self.num_done += len(batches)

    def end_epoch(self, *, clip_norm: float | None = None) -> MeasuredEpoch:
        """Return the epoch's measurements."""
        started = time.perf_counter()
        measures, model = self.measures, self._model
        squares = measures.squares
        whole = np.sqrt(squares[Measured.GRADIENTS].sum(1))
        measured = MeasuredEpoch(
            norms=np.sqrt(squares),
            earlier=self.earlier,
            whole=whole,
            stride=self._stride,
            examples=self._examples[:: self._stride],
            widths=model.responses.widths,
            weight_sizes=model.parameters.weight_sizes,
            activations=CompiledActivations(
                moments=measures.moments,
                responses=measures.responses,
                widths=model.responses.widths,
                examples=self._examples[:: self._moment_stride],
                saturates=model.saturates,
            ),
            clip_norm=clip_norm,
            seconds=time.perf_counter() - started,
        )
        self.earlier = whole[-gradient_norms.SPIKE_WINDOW :]
        self._begin_epoch()
        return measured
