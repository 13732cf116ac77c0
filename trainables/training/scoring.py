"""Top-2 accuracy, macro F1 and ROC AUC of a stack's answers, chunk by chunk, without making the host wait."""

import torch
from torch import Tensor

from trainables.data.stack_data import StackData


class Tally:
    """Counts what the further metrics of a classifier need, over the chunks of one part of the data.

    Logits have shape (replicates, classes, examples), truth and predictions (replicates, examples).
    """

    def __init__(self, replicates: int, num_classes: int, device: torch.device) -> None:
        """Begin without an answer."""
        self._replicates, self._num_classes = replicates, num_classes
        # Of each class: right answers, answers, and true examples.
        self._counts = torch.zeros(3, replicates * num_classes, dtype=torch.int64, device=device)
        self._first = torch.arange(replicates, device=device).unsqueeze(1) * num_classes
        self._in_two = torch.zeros(replicates, dtype=torch.int64, device=device)
        self._num_examples = 0
        self._scores: list[tuple[Tensor, Tensor]] = []

    @classmethod
    def of(cls, data: StackData) -> "Tally":
        """Return one for the replicates and classes of a stack's data."""
        return cls(len(data.train), data.num_classes, data.inputs.device)

    def add(self, logits: Tensor, truth: Tensor, predicted: Tensor) -> None:
        """Count a chunk."""
        right = predicted == truth
        self._num_examples += truth.shape[1]
        # A true class that ties with more than fits into two places counts where it is the answer alone.
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

        Macro F1 is over the classes that are true or answered at least once, as in scikit-learn.
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
    """Return the area under the ROC curve of each replicate, shape (replicates,), NaN where one class is missing.

    It is the share of pairs of a 1 and a 0 that `scores` (replicates, examples) rank rightly, ties a half: the
    Mann-Whitney statistic, from mean ranks.
    """
    ordered = scores.sort(1).values
    below = torch.searchsorted(ordered, scores.contiguous())
    not_above = torch.searchsorted(ordered, scores.contiguous(), right=True)
    ranks = (below + not_above + 1).double() / 2
    positives = truth.sum(1).double()
    negatives = truth.shape[1] - positives
    wins = (ranks * truth).sum(1) - positives * (positives + 1) / 2
    return wins / (positives * negatives)
