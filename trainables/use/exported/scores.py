"""Accuracy, log-loss and calibration of predicted probabilities."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

NUM_BINS = 10
"""Bins of equal width for the expected calibration error, as many as the model's own evaluation has."""

LEAST_PROBABILITY = 1e-12
"""A probability that was rounded to 0 would make the log-loss infinite."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Of predictions on labelled examples: share of right ones, mean log-loss in nats, expected calibration error."""

    accuracy: float
    log_loss: float
    calibration_error: float

    def as_json(self) -> dict[str, float]:
        """Return plain data."""
        return asdict(self)


def scores_of(probabilities: NDArray[np.float32], targets: NDArray[np.int64]) -> Scores:
    """Return the scores of `probabilities` (examples, classes) for the classes `targets`.

    The expected calibration error is the mean, over the examples, of the absolute difference between accuracy and mean
    confidence in an example's bin, where the confidence is the predicted class's probability.
    """
    values = probabilities.astype(np.float64)
    right, confidence = values.argmax(1) == targets, values.max(1)
    bins = np.minimum((confidence * NUM_BINS).astype(np.int64), NUM_BINS - 1)
    gaps = np.bincount(bins, right - confidence, NUM_BINS)
    picked = values[np.arange(len(targets)), targets]
    return Scores(
        accuracy=float(right.mean()),
        log_loss=float(-np.log(np.maximum(picked, LEAST_PROBABILITY)).mean()),
        calibration_error=float(np.abs(gaps).sum() / len(targets)),
    )
