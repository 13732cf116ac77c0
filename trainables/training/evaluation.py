"""Cross-entropy and accuracy of a stack, with the gradient that training needs."""

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.data.stack_data import StackData
from trainables.networks.stack_model import StackModel
from trainables.training.scoring import Tally

MAX_CHUNK_VALUES = 4_000_000
"""Inputs evaluated in one go: about 16 MB of float32."""

MIN_CHUNK = 64
"""Examples evaluated in one go at least: however wide they are, a training step takes as many."""


def cross_entropy(logits: Tensor, targets: Tensor, *, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return each replicate's summed loss (replicates,) and the gradient of its mean loss w.r.t. the logits.

    `logits` has shape (replicates, classes, examples), `targets` (replicates, examples). With label smoothing s
    the target is (1-s) one-hot + s/classes, as in torch.nn.functional.cross_entropy.
    """
    log_probabilities = torch.log_softmax(logits, 1)
    index = targets.unsqueeze(1)
    picked = log_probabilities.gather(1, index).sum((1, 2))
    loss = -(1 - label_smoothing) * picked
    gradient = log_probabilities.exp()
    if label_smoothing:
        loss = loss - label_smoothing * log_probabilities.mean(1).sum(1)
        gradient.sub_(label_smoothing / logits.shape[1])
    gradient.scatter_add_(1, index, torch.full_like(index, -(1 - label_smoothing), dtype=gradient.dtype))
    return loss, gradient.div_(logits.shape[2])


def predict(logits: Tensor) -> Tensor:
    """Return the class that each replicate answers, shape (replicates, examples)."""
    # argmax over the last, contiguous axis is several times faster than over the middle one.
    return logits.transpose(1, 2).contiguous().argmax(2)


def count_correct(logits: Tensor, targets: Tensor) -> Tensor:
    """Return how many examples each replicate classifies correctly, shape (replicates,)."""
    return (predict(logits) == targets).sum(1)


def evaluate(
    model: StackModel, data: StackData, rows: Tensor, tally: Tally | None = None
) -> tuple[Tensor, Tensor]:
    """Return mean log-loss in nats and accuracy of each replicate over its own rows, shapes (replicates,).

    `rows` is (replicates, examples of the part). A `tally` is told every answer.
    """
    replicates, num_rows = rows.shape
    loss = data.inputs.new_zeros(replicates)
    correct = torch.zeros(replicates, device=rows.device, dtype=torch.int64)
    for logits, targets in answers(model, data, rows):
        predicted = predict(logits)
        loss += cross_entropy(logits, targets)[0]
        correct += (predicted == targets).sum(1)
        if tally is not None:
            tally.add(logits, targets, predicted)
    return loss / num_rows, correct.to(loss.dtype) / num_rows


def answers(model: StackModel, data: StackData, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield logits (replicates, classes, examples) and targets (replicates, examples) over `rows`, chunk by chunk.

    Dropout is off and batch norm uses its running statistics.
    """
    replicates, num_rows = rows.shape
    chunk = max(MIN_CHUNK, MAX_CHUNK_VALUES // (replicates * data.num_features))
    for start in range(0, num_rows, chunk):
        part = rows[:, start : start + chunk]
        yield model.forward(data.gather(part), training=False), data.targets[part]
