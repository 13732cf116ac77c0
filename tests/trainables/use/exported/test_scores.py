"""Scores of predicted probabilities, against scikit-learn and cases that are plain by hand."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from trainables.use.exported.scores import scores_of


def test_accuracy_and_log_loss_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), 200).astype(np.float32)
    targets = random.integers(0, 4, 200)
    found = scores_of(probabilities, targets)
    assert found.accuracy == accuracy_score(targets, probabilities.argmax(1))
    expected = log_loss(
        targets, probabilities.astype(float) / probabilities.astype(float).sum(1, keepdims=True)
    )
    assert found.log_loss == pytest.approx(expected, rel=1e-5)


def test_the_calibration_error_is_the_gap_of_each_bin_weighted_by_its_examples() -> None:
    # Three examples at 0.9 of which two are right, one at 0.6 that is right.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.6, 0.4]], np.float32)
    found = scores_of(probabilities, np.array([0, 0, 1, 0]))
    assert found.calibration_error == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.4)


def test_certainty_that_is_right_is_calibrated_and_one_that_is_wrong_stays_finite() -> None:
    certain = np.array([[1.0, 0.0]] * 5, np.float32)
    assert scores_of(certain, np.zeros(5, np.int64)).calibration_error == 0
    wrong = scores_of(certain, np.ones(5, np.int64))
    assert wrong.calibration_error == 1
    assert math.isfinite(wrong.log_loss)
