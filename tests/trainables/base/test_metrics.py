"""The metrics of a classifier: what they are, which is better, and what a failure scores."""

import math

import pytest

from trainables.base.metrics import OBJECTIVES, Direction, Metric, classification, direction, find


@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_a_failure_scores_as_guessing(num_classes: int) -> None:
    failures = {metric.name: metric.failure for metric in classification(num_classes)}
    chance = {"loss": math.log(num_classes), "accuracy": 1 / num_classes, "macro_f1": 1 / num_classes}
    expected = {**chance, "top2_accuracy": 2 / num_classes} | ({"roc_auc": 0.5} if num_classes == 2 else {})
    assert failures == pytest.approx(expected)


def test_of_all_objectives_the_loss_alone_is_to_be_lowered() -> None:
    assert OBJECTIVES == ("val_loss", "val_accuracy", "val_top2_accuracy", "val_macro_f1", "val_roc_auc")
    assert [name for name in OBJECTIVES if direction(name) is Direction.MIN] == ["val_loss"]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_missing_or_not_finite_scores_as_a_failure(value: float | None) -> None:
    for metric in classification(2):
        assert metric.score(value) == metric.failure


def test_no_score_is_worse_than_a_failure_in_either_direction() -> None:
    loss, accuracy, *_ = classification(4)
    assert (loss.score(5.0), loss.score(1.0)) == (math.log(4), 1.0)
    assert (accuracy.score(0.1), accuracy.score(0.5)) == (0.25, 0.5)


def test_an_unknown_name_lists_the_known() -> None:
    own = Metric(name="rmse", direction=Direction.MIN, unit="kg", failure=9.0)
    assert find([own], "test_rmse") is own
    with pytest.raises(ValueError, match=r"unknown objective 'rmse' \(choices: val_rmse\)"):
        find([own], "rmse")
