"""Confusion counts and calibration bins, against counting by hand."""

import pytest
import torch

from tests.trainables.small import trial_spec
from trainables.data.stack_data import StackData
from trainables.trials.report_interval import calibration, confusion
from trainables.trials.reporting import train_trial_spec


def test_confusion_counts_true_by_predicted() -> None:
    counts = confusion(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 0]), num_classes=3)
    assert counts == ((1, 1, 0), (0, 1, 0), (1, 0, 0))


def test_calibration_puts_each_example_into_one_bin() -> None:
    bins = calibration(torch.tensor([0.05, 0.95, 1.0, 0.55]), torch.tensor([False, True, False, True]))
    assert [part.count for part in bins] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 2]
    assert bins[9].confidence == pytest.approx(0.975)
    assert bins[9].accuracy == 0.5
    assert (bins[1].confidence, bins[1].accuracy) == (None, None)
    assert [(part.low, part.high) for part in bins][::9] == [(0.0, 0.1), (0.9, 1.0)]


def test_a_confidence_that_is_no_number_is_in_no_bin() -> None:
    assert sum(part.count for part in calibration(torch.tensor([float("nan")]), torch.tensor([False]))) == 0


def test_examination_agrees_with_the_test_scores(digits: StackData) -> None:
    *_, last = train_trial_spec(trial_spec(reads_test=True, keeps_models=True), digits, worker="")
    for record, evaluation in zip(last.replicates, last.evaluations, strict=True):
        total = sum(map(sum, evaluation.confusion))
        right = sum(evaluation.confusion[label][label] for label in range(10))
        assert total == digits.test.shape[1] == sum(part.count for part in evaluation.calibration)
        assert right / total == pytest.approx(record.test_accuracy)
