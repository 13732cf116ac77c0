"""A training step captured as a CUDA graph: the host launches it at once instead of kernel by kernel.

What only a GPU can show is tested where there is one.
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
"""Full batches before a step is captured: they warm up, and a shorter trial would not gain from a capture."""

Replay = Callable[[], None]
"""Repeats the captured work on the device, with the present content of the same tensors."""


Capture = Callable[[Callable[[], None], torch.Generator], Replay]
"""Captures work that draws random numbers from a generator, and returns its replay."""


def capture_graph(work: Callable[[], None], generator: torch.Generator) -> Replay:
    """Capture what `work` launches, without running it; each replay draws new random numbers from `generator`."""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        work()
    return graph.replay


class CapturedStep(TrainingStep):
    """Replays graphs for full batches; other batches, and all if capturing fails, are launched kernel by kernel.

    There are two graphs, one up to the gradients and one for the update, because gradients are measured in between. The
    optimizer's rate is a constant in the second; with a schedule its steps are scaled to each replicate's rate.
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
        """Capture steps over full batches; `generator` is the one that dropout and augmentation draw from."""
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
        # A smaller batch replaces the model's signals; these are the buffers that a replay writes to.
        self._model.outputs = self._graphs.outputs
        self._model.responses.prepare(self._batch_size)
        self._model.deltas.prepare(self._batch_size)

    def update(self) -> None:
        """Update in the same way as the batch went backward."""
        if self._is_replaying:
            assert self._graphs is not None
            self._graphs.update()
        else:
            super().update()

    def _try_to_capture(self, rows: Tensor) -> None:
        """Capture both graphs, or record why that failed; running out of memory raises as elsewhere."""
        held = rows.contiguous().clone()
        try:
            backward = self._capture(lambda: TrainingStep.backward(self, held), self._generator)
            outputs = self._model.outputs
            update = self._capture(lambda: TrainingStep.update(self), self._generator)
        except (RuntimeError, NotImplementedError) as error:
            # A failed capture raises a second error when it is ended.
            if is_out_of_memory(error) or (error.__context__ and is_out_of_memory(error.__context__)):
                raise torch.OutOfMemoryError(str(error)) from error
            self.refusal = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            self._graphs = _Graphs(held, backward, update, outputs)


class _Graphs:
    """Two captured halves of a step, the rows that they read, and the hidden outputs that the first one writes."""

    def __init__(self, rows: Tensor, backward: Replay, update: Replay, outputs: list[Tensor]) -> None:
        self.rows, self.backward, self.update, self.outputs = rows, backward, update, outputs
