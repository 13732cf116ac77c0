"""How one classifier errs on examples that it was not trained on, and how sure it is of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

UNSURE: Final = 0.7
"""A prediction below this confidence is counted as unsure."""

NUM_BINS: Final = 10
"""Bins of equal width over the confidence in the predicted class."""

NUM_MISTAKES, NUM_SAMPLES = 12, 12

MAX_LOG_TEMPERATURE: Final = 3.0


def probabilities_of(logits: Floats, temperature: float = 1.0) -> Floats:
    """Return softmax(logits / temperature), rows (examples, classes)."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def fit_temperature(logits: Floats, targets: Rows) -> float:
    """Return the temperature with the lowest log-loss on these examples (Guo et al. 2017, arXiv:1706.04599).

    It lies between exp(-3), where it goes if every prediction is right, and exp(3), if none is better than chance.
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda power: log_loss(probabilities_of(logits, float(np.exp(power))), targets),
        bounds=(-MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(np.exp(found.x))


def log_loss(probabilities: Floats, targets: Rows) -> float:
    """Return the mean of -ln p(true class) in nats; p is taken as at least 1e-15, as scikit-learn once did."""
    own = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(own, 1e-15)).mean())


def calibration(probabilities: Floats, targets: Rows) -> list[dict[str, Any]]:
    """Return the bins of a reliability diagram: low, high, count, confidence and accuracy (None in an empty bin)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == targets
    index = np.minimum((confidence * NUM_BINS).astype(int), NUM_BINS - 1)
    bins = []
    for number in range(NUM_BINS):
        inside = index == number
        count = int(inside.sum())
        bins.append(
            {
                "low": number / NUM_BINS,
                "high": (number + 1) / NUM_BINS,
                "count": count,
                "confidence": float(confidence[inside].mean()) if count else None,
                "accuracy": float(right[inside].mean()) if count else None,
            }
        )
    return bins


def calibration_error(bins: Sequence[Mapping[str, Any]]) -> float:
    """Return the expected calibration error: the mean of |accuracy - confidence| over examples, by bin (Guo et al.)."""
    total = sum(each["count"] for each in bins)
    gaps = (each["count"] * abs(each["accuracy"] - each["confidence"]) for each in bins if each["count"])
    return float(sum(gaps) / total)


def confidence_facts(probabilities: Floats) -> dict[str, Any]:
    """Return mean, least, most and standard deviation of the confidence, and how many predictions are below UNSURE."""
    confidence = probabilities.max(1)
    num_unsure = int((confidence < UNSURE).sum())
    return {
        "mean": float(confidence.mean()),
        "least": float(confidence.min()),
        "most": float(confidence.max()),
        "spread": float(confidence.std()),
        "below": UNSURE,
        "num_below": num_unsure,
        "share_below": num_unsure / len(confidence),
    }


def evaluation(
    logits: Floats, targets: Rows, classes: Sequence[str], *, temperature: float
) -> dict[str, Any]:
    """Return how a classifier does on examples, as JSON data; counts[true][predicted] in `confusion`.

    Precision, recall and F1 are None for a class that is never predicted or never true. `calibrated` holds loss and
    calibration error with `temperature`.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    probabilities, labels = probabilities_of(logits), np.arange(len(classes))
    predicted = probabilities.argmax(1)
    precision, recall, f1, num = precision_recall_fscore_support(
        targets, predicted, labels=labels, zero_division=np.nan
    )
    bins, softened = calibration(probabilities, targets), probabilities_of(logits, temperature)
    return {
        "num_examples": len(targets),
        "classes": list(classes),
        "accuracy": float((predicted == targets).mean()),
        "log_loss": log_loss(probabilities, targets),
        "top2_accuracy": _top2(probabilities, targets),
        "macro_f1": float(np.nanmean(f1)),
        "confusion": confusion_matrix(targets, predicted, labels=labels).tolist(),
        "by_class": [
            {
                "name": name,
                "num": int(num[place]),
                "precision": _or_none(precision[place]),
                "recall": _or_none(recall[place]),
                "f1": _or_none(f1[place]),
            }
            for place, name in enumerate(classes)
        ],
        "calibration": bins,
        "calibration_error": calibration_error(bins),
        "confidence": confidence_facts(probabilities),
        "temperature": temperature,
        "calibrated": {
            "log_loss": log_loss(softened, targets),
            "calibration_error": calibration_error(calibration(softened, targets)),
            "confidence": confidence_facts(softened),
        },
    }


def _top2(probabilities: Floats, targets: Rows) -> float:
    own = probabilities[np.arange(len(targets)), targets]
    return float(((probabilities > own[:, None]).sum(1) < 2).mean())


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def most_confident_mistakes(probabilities: Floats, targets: Rows, most: int = NUM_MISTAKES) -> Rows:
    """Return the places of wrong predictions, the surest first."""
    confidence, wrong = probabilities.max(1), probabilities.argmax(1) != targets
    order = np.argsort(np.where(wrong, -confidence, 1.0), kind="stable")
    return np.asarray(order[: min(most, int(wrong.sum()))], np.int64)


def sample_of(num_examples: int, *, seed: int, most: int = NUM_SAMPLES) -> Rows:
    """Return the places of a random sample of examples, in ascending order."""
    drawn = np.random.default_rng(seed).choice(num_examples, min(most, num_examples), replace=False)
    return np.sort(drawn).astype(np.int64)
