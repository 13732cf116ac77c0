"""One training step of a stack: forward and backward over a batch, then the update."""

import torch
from torch import Tensor

from trainables.base.hyperparameters import Hyperparameters
from trainables.data.augmentation import Augmentation
from trainables.data.stack_data import StackData
from trainables.networks.stack_model import StackModel
from trainables.training.evaluation import count_correct, cross_entropy
from trainables.training.learning_rates import LearningRates


class TrainingStep:
    """Trains a stack batch by batch without making the host wait.

    Between `backward` and `update` gradients are as the loss gives them, before clipping. `sums` adds up each
    replicate's loss and number of correct answers, shape (2, replicates), until it is set to zero. `rates` says how
    far the next steps go. `refusal` says why steps are not as fast as they could be, if so.
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

    def backward(self, rows: Tensor) -> None:
        """Go forward and backward over the examples in `rows`, shape (replicates, batch size)."""
        targets = self._data.targets[rows]
        logits = self._model.forward(self.gather(rows), training=True)
        losses, gradient = cross_entropy(logits, targets, label_smoothing=self._smoothing)
        self._model.backward(gradient)
        self.sums[0] += losses
        self.sums[1] += count_correct(logits, targets)

    def update(self) -> None:
        """Clip the gradients if that is wanted, and let the optimizer make its step."""
        if self._clip_norm is not None:
            self._model.parameters.clip_gradients(self._clip_norm)
        self.rates.step()
