"""A closer look at the best cell's networks on the test part: confusion counts and calibration."""

import torch
from torch import Tensor

from trainables.base.records import CalibrationBin, EvaluationRecord
from trainables.training.evaluation import answers
from trainables.training.stack import Stack

NUM_BINS = 10
"""Calibration bins of equal width over the confidence in the predicted class."""


@torch.no_grad()
def examine(stack: Stack) -> tuple[EvaluationRecord, ...]:
    """Return every replicate's confusion counts and calibration bins on its own test part."""
    data = stack.data
    chunks = [(*logits.softmax(1).max(1), truth) for logits, truth in answers(stack.model, data, data.test)]
    confidence, predicted, truth = (torch.cat(values, 1) for values in zip(*chunks, strict=True))
    return tuple(
        EvaluationRecord(
            replicate=replicate,
            confusion=confusion(truth[replicate], predicted[replicate], data.num_classes),
            calibration=calibration(confidence[replicate], predicted[replicate] == truth[replicate]),
        )
        for replicate in range(len(stack.seeds))
    )


def confusion(truth: Tensor, predicted: Tensor, num_classes: int) -> tuple[tuple[int, ...], ...]:
    """Return counts[true][predicted]."""
    counts = torch.bincount(truth * num_classes + predicted, minlength=num_classes**2)
    return tuple(tuple(row) for row in counts.view(num_classes, num_classes).tolist())


def calibration(confidence: Tensor, correct: Tensor) -> tuple[CalibrationBin, ...]:
    """Return the bins of a reliability diagram (Guo et al., 2017); an empty bin has no confidence or accuracy.

    A confidence that is not a number, as a diverged network gives, is counted in no bin.
    """
    index = (confidence.nan_to_num(-1.0) * NUM_BINS).floor().clamp(max=NUM_BINS - 1)
    bins = []
    for number in range(NUM_BINS):
        inside = index == number
        count = int(inside.sum())
        bins.append(
            CalibrationBin(
                low=number / NUM_BINS,
                high=(number + 1) / NUM_BINS,
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(correct[inside].float().mean()) if count else None,
            )
        )
    return tuple(bins)
