"""Scores, calibration and temperature, against scikit-learn, hand-made cases and exact theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from trainables.use.evaluation import (
    calibration,
    calibration_error,
    confidence_facts,
    evaluation,
    fit_temperature,
    most_confident_mistakes,
    probabilities_of,
    sample_of,
)


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_scores_are_scikit_learns(seed: int, num_classes: int) -> None:
    random = np.random.default_rng(seed)
    logits, targets = random.normal(0, 2, (60, num_classes)), random.integers(0, num_classes, 60)
    found = evaluation(logits, targets, [str(place) for place in range(num_classes)], temperature=1.0)
    probabilities, predicted = probabilities_of(logits), logits.argmax(1)
    labels = list(range(num_classes))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(targets, probabilities, labels=labels))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(targets, predicted))
    if num_classes > 2:
        top2 = metrics.top_k_accuracy_score(targets, probabilities, k=2, labels=labels)
        assert found["top2_accuracy"] == pytest.approx(top2)
    else:
        assert found["top2_accuracy"] == 1
    assert found["confusion"] == metrics.confusion_matrix(targets, predicted, labels=labels).tolist()
    assert sum(each["num"] for each in found["by_class"]) == 60


def test_a_class_that_is_never_true_or_predicted_has_no_scores() -> None:
    found = evaluation(
        np.array([[2.0, 0, 0], [0, 2.0, 0]]), np.array([0, 1]), ["a", "b", "c"], temperature=1.0
    )
    assert found["by_class"][2] == {"name": "c", "num": 0, "precision": None, "recall": None, "f1": None}
    assert found["macro_f1"] == 1


def test_calibration_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.93, 0.07], [0.6, 0.4]])
    bins = calibration(probabilities, np.array([0, 1, 0]))
    assert [each["count"] for each in bins] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 2]
    assert bins[9]["accuracy"] == 0.5
    assert bins[9]["confidence"] == pytest.approx(0.94)
    assert calibration_error(bins) == pytest.approx((2 * 0.44 + 0.4) / 3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_logits_that_were_sharpened_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    true = random.normal(0, 2, (40_000, 3))
    cumulated = probabilities_of(true).cumsum(1)
    targets = (random.random((40_000, 1)) > cumulated).sum(1)
    assert fit_temperature(true * temperature, targets) == pytest.approx(temperature, rel=0.05)


def test_a_perfect_classifier_has_the_sharpest_temperature() -> None:
    assert fit_temperature(np.eye(3) / 2, np.arange(3)) == pytest.approx(np.exp(-3), rel=0.01)


def test_confidence_facts_count_what_is_below_a_threshold() -> None:
    facts = confidence_facts(np.array([[0.9, 0.1], [0.69, 0.31], [0.7, 0.3]]))
    assert (facts["num_below"], facts["below"]) == (1, 0.7)
    assert facts["share_below"] == pytest.approx(1 / 3)
    assert (facts["least"], facts["most"]) == (0.69, 0.9)


def test_mistakes_come_surest_first_and_samples_repeat() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]])
    assert most_confident_mistakes(probabilities, np.array([1, 1, 0, 1])).tolist() == [0, 2, 1]
    assert most_confident_mistakes(probabilities, np.array([0, 0, 1, 1])).tolist() == []
    assert sample_of(5, seed=1).tolist() == [0, 1, 2, 3, 4]
    assert sample_of(500, seed=1).tolist() == sample_of(500, seed=1).tolist()
    assert len(set(sample_of(500, seed=1).tolist())) == 12
