"""Datasets: what the digits are, and what no dataset may be."""

from dataclasses import replace

import numpy as np
import pytest

from trainables import datasets


def test_the_digits_are_real_and_complete() -> None:
    digits = datasets.load("digits")
    assert digits.inputs.shape == (1797, 64)
    assert (digits.inputs.min(), digits.inputs.max()) == (0.0, 1.0)
    assert (digits.num_classes, digits.num_features) == (10, 64)
    assert np.bincount(digits.targets).min() > 170
    assert digits.licence


def test_the_fingerprint_tells_one_value_apart() -> None:
    digits = datasets.load("digits")
    changed = digits.inputs.copy()
    changed[5, 5] += 1e-6
    assert digits.fingerprint == datasets.load("digits").fingerprint
    assert replace(digits, inputs=changed).fingerprint != digits.fingerprint
    assert len(digits.fingerprint) == 64


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"'digts'; did you mean 'digits'\? \(choices: .*digits"):
        datasets.load("digts")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"inputs": np.zeros((3, 4), np.float32)}, "shape"),
        ({"inputs": np.full((1797, 64), np.nan, np.float32)}, "finite"),
        ({"targets": np.full(1797, 10)}, "0..9"),
        ({"targets": np.full(1797, -1)}, "0..9"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        replace(datasets.load("digits"), **changes)  # type: ignore[arg-type]


def test_the_synthetic_samples_are_the_same_everywhere() -> None:
    synthetic = datasets.load("synthetic")
    assert synthetic.inputs.shape == (1000, 20)
    assert np.bincount(synthetic.targets).tolist() == [503, 497]
    assert synthetic.fingerprint == "14af19edeb0a3bc3e054f4d49039a7bad356d4ca78919cebbf4b929abe42e006"


def test_the_fingerprint_tells_what_is_scaled_and_what_is_the_test_set() -> None:
    synthetic = datasets.load("synthetic")
    variants = [
        synthetic,
        replace(synthetic, groups=None),
        replace(synthetic, groups=np.zeros(20, np.int64)),
        replace(synthetic, official_test=np.arange(200)),
    ]
    assert len({variant.fingerprint for variant in variants}) == 4


@pytest.mark.parametrize("changes", [{"shape": (3, 7)}, {"groups": np.arange(19)}])
def test_a_description_that_does_not_fit_the_inputs_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"20 values|each feature"):
        replace(datasets.load("synthetic"), **changes)  # type: ignore[arg-type]
