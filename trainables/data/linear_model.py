"""The baseline: logistic regression on a block's own features, its penalty chosen on the validation part."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainables.data.dataset import Dataset
from trainables.data.splits import Split
from trainables.data.stack_data import StackData
from trainables.data.text_features import sparse_features

NAME = "logistic regression"

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths of the l2 penalty (scikit-learn's C), tried in order until the validation loss gets worse."""

MAX_ITERATIONS = 1000

Features = Callable[[NDArray[np.int64]], Any]
"""Returns the feature matrix of some rows, in a form that scikit-learn takes."""


@dataclass(frozen=True, kw_only=True)
class LinearScores:
    """Scores of the linear model of one block: mean log-loss in nats and accuracy; `strength` is its C."""

    strength: float
    val_loss: float
    val_accuracy: float
    test_loss: float
    test_accuracy: float


def fit_linear(dataset: Dataset, split: Split) -> LinearScores:
    """Fit on the block's training part, choose the strength by validation log-loss, and use the test part once."""
    from sklearn.linear_model import LogisticRegression

    features, targets = _features(dataset, split), dataset.targets
    train, validation = features(split.train), features(split.validation)
    model = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True)
    best: tuple[float, float, float, Any, Any] | None = None
    for strength in STRENGTHS:
        model.set_params(C=strength).fit(train, targets[split.train])
        loss, accuracy = _scores(model, validation, targets[split.validation])
        if best is not None and loss >= best[0]:
            break
        best = loss, accuracy, strength, model.coef_.copy(), model.intercept_.copy()
    assert best is not None, "no strength was tried"
    val_loss, val_accuracy, strength, model.coef_, model.intercept_ = best
    test_loss, test_accuracy = _scores(model, features(split.test), targets[split.test])
    return LinearScores(
        strength=strength,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        test_loss=test_loss,
        test_accuracy=test_accuracy,
    )


def _scores(model: Any, features: Any, targets: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean log-loss in nats and accuracy."""
    log_probabilities = model.predict_log_proba(features)
    loss = -log_probabilities[np.arange(len(targets)), targets].mean()
    return float(loss), float((log_probabilities.argmax(1) == targets).mean())


def _features(dataset: Dataset, split: Split) -> Features:
    """Return a function that makes the features of a network of this block; those of texts are sparse."""
    if (texts := dataset.texts) is not None:
        vocabulary = texts.fit(split.train, dataset.targets[split.train])
        return lambda rows: sparse_features(texts, vocabulary, rows)
    data = StackData.make(dataset, [split], torch.device("cpu"))
    return lambda rows: data.gather(torch.from_numpy(rows)[None])[0].numpy()
