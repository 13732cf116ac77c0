"""Cross-entropy, accuracy and further metrics of a stack, and the gradient for training."""

from collections.abc import Iterator

import torch
from torch import Tensor

from trainables.data.stack_data import StackData
from trainables.networks.stack_model import StackModel


class Tally:
    """Counts for the further metrics of a classifier, summed over chunks of one part of the data.

    Logits have shape (replicates, classes, examples), truth and predictions (replicates, examples).
    """

    def __init__(self, replicates: int, num_classes: int, device: torch.device) -> None:
        """Start with counts of 0."""
        self._replicates, self._num_classes = replicates, num_classes
        # For each class: correct predictions, predictions, and true examples.
        self._counts = torch.zeros(3, replicates * num_classes, dtype=torch.int64, device=device)
        self._first = torch.arange(replicates, device=device).unsqueeze(1) * num_classes
        self._in_two = torch.zeros(replicates, dtype=torch.int64, device=device)
        self._num_examples = 0
        self._scores: list[tuple[Tensor, Tensor]] = []

    @classmethod
    def of(cls, data: StackData) -> "Tally":
        """Return a tally for the replicates and classes of a stack's data."""
        return cls(len(data.train), data.num_classes, data.inputs.device)

    def add(self, logits: Tensor, truth: Tensor, predicted: Tensor) -> None:
        """Add a chunk."""
        right = predicted == truth
        self._num_examples += truth.shape[1]
        # A true class that ties with too many others for two places counts only if it is the predicted one.
        no_better = (logits >= logits.gather(1, truth.unsqueeze(1))).sum(1)
        self._in_two += (right | (no_better <= 2)).sum(1)
        ones = torch.ones_like(truth)
        for counts, of_class, weights in zip(
            self._counts, (predicted, predicted, truth), (right.long(), ones, ones), strict=True
        ):
            counts.scatter_add_(0, (self._first + of_class).view(-1), weights.view(-1))
        if self._num_classes == 2:
            self._scores.append((logits[:, 1] - logits[:, 0], truth))

    def values(self) -> dict[str, Tensor]:
        """Return each metric's value by replicate, shapes (replicates,), in float64.

        Macro F1 is over the classes that are true or predicted at least once, as in scikit-learn.
        """
        right, answered, true = self._counts.view(3, self._replicates, self._num_classes).double()
        seen = answered + true
        f1 = torch.where(seen > 0, 2 * right / seen, 0.0).sum(1) / (seen > 0).sum(1)
        found = {"top2_accuracy": self._in_two / self._num_examples, "macro_f1": f1}
        if self._num_classes == 2:
            scores, truth = (torch.cat(parts, 1) for parts in zip(*self._scores, strict=True))
            found["roc_auc"] = roc_auc(scores, truth)
        return found


def roc_auc(scores: Tensor, truth: Tensor) -> Tensor:
    """Return the area under the ROC curve of each replicate, shape (replicates,), NaN if one class is missing.

    It is the share of pairs of a 1 and a 0 that `scores` (replicates, examples) rank correctly, ties counting half: the
    Mann-Whitney statistic, computed from mean ranks.
    """
    ordered = scores.sort(1).values
    below = torch.searchsorted(ordered, scores.contiguous())
    not_above = torch.searchsorted(ordered, scores.contiguous(), right=True)
    ranks = (below + not_above + 1).double() / 2
    positives = truth.sum(1).double()
    negatives = truth.shape[1] - positives
    wins = (ranks * truth).sum(1) - positives * (positives + 1) / 2
    return wins / (positives * negatives)


MAX_CHUNK_VALUES = 4_000_000
"""Input values evaluated at a time: about 16 MB of float32."""

MIN_CHUNK = 64
"""Fewest examples evaluated at a time, however wide they are; a training step takes as many."""


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
    """Return the class that each replicate predicts, shape (replicates, examples)."""
    # argmax over the last, contiguous axis is several times faster than over the middle one.
    return logits.transpose(1, 2).contiguous().argmax(2)


def count_correct(logits: Tensor, targets: Tensor) -> Tensor:
    """Return how many examples each replicate classifies correctly, shape (replicates,)."""
    return (predict(logits) == targets).sum(1)


def evaluate(
    model: StackModel, data: StackData, rows: Tensor, tally: Tally | None = None
) -> tuple[Tensor, Tensor]:
    """Return mean log-loss in nats and accuracy of each replicate over its own rows, shapes (replicates,).

    `rows` is (replicates, examples of the part). A `tally`, if given, counts every prediction.
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
