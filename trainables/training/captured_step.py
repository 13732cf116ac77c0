"""A training step that is captured as a CUDA graph: the host launches it at once instead of kernel by kernel.

It was written without a GPU at hand; what of it a GPU alone can show, tests show where there is one.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.augmentation import Augmentation
from trainables.data.stack_data import StackData
from trainables.networks.memory import is_out_of_memory
from trainables.networks.stack_model import StackModel
from trainables.training.training_step import LearningRates, TrainingStep

STEPS_BEFORE_CAPTURE = 20
"""Steps over full batches before one is captured: they warm up, and a trial shorter than that would not gain by it."""

Replay = Callable[[], None]
"""Does again on the device what was captured, with what the same tensors hold by then."""


Capture = Callable[[Callable[[], None], torch.Generator], Replay]
"""Makes a replay of work that draws random numbers from a generator."""


def capture_graph(work: Callable[[], None], generator: torch.Generator) -> Replay:
    """Capture what `work` would launch, without doing it; its random numbers come from `generator` at each replay."""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def build_step(
    model: StackModel,
    optimizer: torch.optim.Optimizer,
    hyperparameters: Hyperparameters,
    data: StackData,
    augmentation: Augmentation | None = None,
    *,
    generator: torch.Generator,
) -> TrainingStep:
    """Return the step that suits the device: captured on a GPU, where launching kernels takes longer than they run."""
    given = model, optimizer, hyperparameters, data, augmentation
    return (
        CapturedStep(*given, generator=generator)
        if data.inputs.device.type == "cuda" and model.is_capturable
        else TrainingStep(*given)
    )


class CapturedStep(TrainingStep):
    """Replays graphs over full batches; an odd one, and every one where capturing is refused, goes kernel by kernel.

    There are two graphs, one up to the gradients and one for the update, because gradients are measured in between.
    The optimizer's rate is a constant of the second; under a schedule its steps are cut to each replicate's rate.
    """

    def __init__(
        self,
        model: StackModel,
        optimizer: torch.optim.Optimizer,
        hyperparameters: Hyperparameters,
        data: StackData,
        augmentation: Augmentation | None = None,
        *,
        generator: torch.Generator,
        capture: Capture = capture_graph,
    ) -> None:
        """Capture steps over full batches; `generator` is what dropout and augmentation draw from."""
        super().__init__(model, optimizer, hyperparameters, data, augmentation)
        if hyperparameters.schedule != "constant":
            self.rates = LearningRates(optimizer, model.parameters, in_graph=True)
        self._batch_size = hyperparameters.batch_size
        self._generator, self._capture = generator, capture
        self._num_full = 0
        self._graphs: _Graphs | None = None
        self._is_replaying = False

    def backward(self, rows: Tensor) -> None:
        """Go forward and backward, by a replay if the batch is full and there is a graph."""
        is_full = rows.shape[1] == self._batch_size
        if is_full and self._graphs is None and self.refusal is None:
            self._num_full += 1
            if self._num_full > STEPS_BEFORE_CAPTURE:
                self._try_to_capture(rows)
        self._is_replaying = is_full and self._graphs is not None
        if not self._is_replaying:
            super().backward(rows)
            return
        assert self._graphs is not None
        self._graphs.rows.copy_(rows)
        self._graphs.backward()
        # An odd batch leaves the model with its own signals; these are where a replay writes.
        self._model.outputs = self._graphs.outputs
        self._model.responses.prepare(self._batch_size)
        self._model.deltas.prepare(self._batch_size)

    def update(self) -> None:
        """Update as the batch that went backward did."""
        if self._is_replaying:
            assert self._graphs is not None
            self._graphs.update()
        else:
            super().update()

    def _try_to_capture(self, rows: Tensor) -> None:
        """Capture both graphs, or note why not; memory that runs out is an error as elsewhere."""
        held = rows.contiguous().clone()
        try:
            backward = self._capture(lambda: TrainingStep.backward(self, held), self._generator)
            outputs = self._model.outputs
            update = self._capture(lambda: TrainingStep.update(self), self._generator)
        except (RuntimeError, NotImplementedError) as error:
            # A capture that failed on the way raises once more when it is ended.
            if is_out_of_memory(error) or (error.__context__ and is_out_of_memory(error.__context__)):
                raise torch.OutOfMemoryError(str(error)) from error
            self.refusal = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            self._graphs = _Graphs(held, backward, update, outputs)


class _Graphs:
    """Two captured halves of a step, the rows that they read, and where the first one writes the hidden outputs."""

    def __init__(self, rows: Tensor, backward: Replay, update: Replay, outputs: list[Tensor]) -> None:
        self.rows, self.backward, self.update, self.outputs = rows, backward, update, outputs
