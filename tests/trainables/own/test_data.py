"""Arrays that a user's load() returns become a dataset, and every mistake in them is told."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from trainables import datasets
from trainables.own.data import own_dataset

INPUTS = np.arange(24.0).reshape(4, 3, 2)


def test_a_pair_of_arrays_keeps_its_shape_and_sorts_its_labels() -> None:
    found = own_dataset((INPUTS, ["b", "a", "b", "c"]))
    assert (found.shape, found.inputs.shape, str(found.inputs.dtype)) == ((3, 2), (4, 6), "float32")
    assert (found.classes, found.targets.tolist()) == (("a", "b", "c"), [1, 0, 1, 2])
    assert found.groups is None
    np.testing.assert_array_equal(found.inputs[1], INPUTS[1].ravel())


def test_tensors_and_whole_numbers_do() -> None:
    found = own_dataset((torch.from_numpy(INPUTS).flatten(1), torch.tensor([3.0, 7.0, 3.0, 7.0])))
    assert (found.shape, found.classes, found.targets.tolist()) == (None, ("3", "7"), [0, 1, 0, 1])


def test_a_mapping_says_more() -> None:
    found = own_dataset(
        {
            "inputs": INPUTS.reshape(4, 6),
            "targets": [1, 0, 1, 0],
            "classes": ["no", "yes"],
            "official_test": [False, False, True, True],
            "scale": True,
            "about": "made up",
        }
    )
    assert (found.classes, found.targets.tolist(), found.about) == (("no", "yes"), [1, 0, 1, 0], "made up")
    assert found.official_test is not None
    assert found.official_test.tolist() == [2, 3]
    assert found.groups is not None
    assert found.groups.tolist() == [0, 1, 2, 3, 4, 5]


def test_pictures_are_scaled_together_and_named_labels_found_among_classes() -> None:
    found = own_dataset(
        {"inputs": INPUTS, "targets": ["x", "y", "x", "y"], "classes": ("y", "x"), "scale": True}
    )
    assert found.groups is not None
    assert (found.targets.tolist(), set(found.groups.tolist())) == ([1, 0, 1, 0], {0})


def test_pictures_say_which_augmentations_keep_their_labels() -> None:
    own = {"inputs": INPUTS, "targets": [0, 1, 0, 1]}
    assert own_dataset({**own, "augmentations": ["zoom", "flip"]}).augmentations == ("zoom", "flip")
    with pytest.raises(ValueError, match=r"must be a list of kinds, .* got 'flip'"):
        own_dataset({**own, "augmentations": "flip"})
    with pytest.raises(ValueError, match=r"some of shift, .* got 'blur'"):
        own_dataset({**own, "augmentations": ["blur"]})


def test_a_dataset_stays_as_it_is() -> None:
    digits = datasets.load("digits")
    assert own_dataset(digits) is digits


def changed(row: int, value: float) -> np.ndarray[Any, Any]:
    inputs = INPUTS.copy()
    inputs[row, 2, 1] = value
    return inputs


LABELS = [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("loaded", "expected"),
    [
        (None, "must return (inputs, targets), or {"),
        ({"inputs": INPUTS}, "got a dict with inputs"),
        ({"inputs": INPUTS, "targets": LABELS, "labels": 3}, "got a dict with inputs, targets, labels"),
        ((INPUTS, LABELS, INPUTS), "got a tuple"),
        ((INPUTS, LABELS[:3]), "targets must be one class for each of 4 examples; got shape (3,)"),
        ((INPUTS, np.eye(4)), "targets must be one class for each of 4 examples; got shape (4, 4)"),
        (
            (INPUTS, [0.0, 0.5, 1.0, 2.0]),
            "targets must be classes, not measurements, which are for a train() with metrics; row 1 has 0.5",
        ),
        ((INPUTS, [0, 0, 0, 0]), "there must be at least two classes; got 0"),
        ((changed(3, np.nan), LABELS), "inputs must be finite; row 3 has nan at 2, 1 (1 such values in all)"),
        ((changed(0, np.inf), LABELS), "inputs must be finite; row 0 has inf"),
        ((np.arange(4.0), LABELS), "inputs must have shape (examples, ...)"),
        ((np.empty((0, 3)), []), "inputs must have shape (examples, ...)"),
        ((np.array([["a"], ["b"], ["c"], ["d"]]), LABELS), "inputs must be numbers; got <U1"),
        (([[1], [2, 3]], LABELS), "inputs must be an array; got a list"),
        (
            {"inputs": INPUTS, "targets": [0, 1, 2, 1], "classes": ["a", "b"]},
            "targets must be places in classes, 0 to 1; row 2 has 2",
        ),
        (
            {"inputs": INPUTS, "targets": ["a", "b", "z", "b"], "classes": ["a", "b"]},
            "targets must be among classes; row 2 has 'z'",
        ),
        (
            {"inputs": INPUTS, "targets": LABELS, "classes": ["a", "b", "c"]},
            "every class must have examples; c",
        ),
        ({"inputs": INPUTS, "targets": LABELS, "official_test": [0, 4]}, "different rows from 0 to 3"),
        ({"inputs": INPUTS, "targets": LABELS, "official_test": []}, "official_test must be the rows"),
    ],
)
def test_a_mistake_is_told(loaded: object, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        own_dataset(loaded)
