"""Levels are spoken of as a person would."""

from __future__ import annotations

from typing import Any

import pytest

from reports.wording.phrases import (
    both,
    condition,
    configuration,
    epochs_spoken,
    factor_spoken,
    listed,
    rather,
    speaking_of,
    unit_spoken,
)


@pytest.mark.parametrize(
    ("factor", "level_a", "level_b", "text"),
    [
        ("depth", 5, 7, "with seven hidden layers rather than five"),
        ("depth", 2, 1, "with one hidden layer rather than two"),
        ("depth", 7, 20, "with 20 hidden layers rather than seven"),
        ("dropout", 0.3, 0.5, "with dropout 0.5 rather than 0.3"),
        ("batch_norm", False, True, "with batch normalisation rather than without"),
        ("optimizer", "sgd", "rmsprop", "with RMSprop rather than SGD"),
        ("activation", "relu", "tanh", "with tanh activations rather than ReLU"),
        ("init", "he_normal", "xavier_normal", "with Xavier initialisation rather than He"),
        ("width", 64, 128, "with width 128 rather than 64"),
        ("init_gain", 1.0, 2.0, "with gain 2 rather than 1"),
        ("augmentation", "none", "shift+zoom", "with shift+zoom augmentation rather than none"),
        ("augmentation", "zoom", "none", "without augmentation rather than with zoom"),
    ],
)
def test_one_level_rather_than_another(factor: str, level_a: Any, level_b: Any, text: str) -> None:
    assert rather(factor, level_a, level_b) == text


@pytest.mark.parametrize(
    ("factor", "level", "text"),
    [
        ("depth", 7, "with seven hidden layers"),
        ("dropout", 0.5, "at dropout 0.5"),
        ("batch_norm", True, "with batch normalisation"),
        ("batch_norm", False, "without batch normalisation"),
        ("optimizer", "adam", "with Adam"),
        ("clip_norm", None, "with no gradient clipping"),
    ],
)
def test_where_a_level_holds(factor: str, level: Any, text: str) -> None:
    assert condition(factor, level) == text


@pytest.mark.parametrize(
    ("factor", "level_a", "level_b", "text"),
    [
        ("depth", 3, 5, "with three and with five hidden layers"),
        ("dropout", 0.1, 0.3, "with dropout 0.1 and with 0.3"),
        ("batch_norm", False, True, "with and without batch normalisation"),
        ("optimizer", "sgd", "adam", "with SGD and with Adam"),
    ],
)
def test_two_levels_on_an_equal_footing(factor: str, level_a: Any, level_b: Any, text: str) -> None:
    assert both(factor, level_a, level_b) == text


def test_a_whole_configuration() -> None:
    levels = {"depth": 5, "dropout": 0.1, "batch_norm": False, "optimizer": "adam"}
    assert configuration(levels) == "five hidden layers, dropout 0.1, no batch normalisation, Adam"


def test_lists() -> None:
    assert [listed("abc"[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert listed(["a and b", "c"]) == "a and b; c"
    assert listed([]) == ""


def test_errors_are_points_and_losses_nats() -> None:
    assert unit_spoken("test_error") == (100.0, "percentage points")
    assert unit_spoken("test_loss") == (1.0, "nats")


def test_how_networks_are_trained_is_spoken_of() -> None:
    assert rather("schedule", "constant", "cosine") == "with the cosine schedule rather than constant"
    assert condition("patience", None) == "with no early stopping"
    assert condition("patience", 5) == "at early-stopping patience 5"
    assert (epochs_spoken(6), epochs_spoken(18, at_most=True)) == ("six epochs", "up to 18 epochs")


def test_what_a_depth_counts_depends_on_the_model() -> None:
    with speaking_of("cnn"):
        assert rather("depth", 2, 3) == "with three convolution blocks rather than two"
        assert factor_spoken("depth") == "the number of convolution blocks"
    with speaking_of("own"):
        assert rather("depth", 2, 3) == "with depth 3 rather than 2"
        assert (condition("depth", 3), factor_spoken("depth")) == ("at depth 3", "depth")
    assert factor_spoken("depth") == "the number of hidden layers"
