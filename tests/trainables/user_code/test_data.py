"""Arrays that a user's load() returns become a dataset, and every mistake in them is told."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from trainables import datasets
from trainables.user_code.data import user_dataset

INPUTS = np.arange(24.0).reshape(4, 3, 2)


def test_a_pair_of_arrays_keeps_its_shape_and_sorts_its_labels() -> None:
    found = user_dataset((INPUTS, ["b", "a", "b", "c"]))
    assert (found.shape, found.inputs.shape, str(found.inputs.dtype)) == ((3, 2), (4, 6), "float32")
    assert (found.classes, found.targets.tolist()) == (("a", "b", "c"), [1, 0, 1, 2])
    assert found.groups is None
    np.testing.assert_array_equal(found.inputs[1], INPUTS[1].ravel())


def test_tensors_and_whole_numbers_do() -> None:
    found = user_dataset((torch.from_numpy(INPUTS).flatten(1), torch.tensor([3.0, 7.0, 3.0, 7.0])))
    assert (found.shape, found.classes, found.targets.tolist()) == (None, ("3", "7"), [0, 1, 0, 1])


def test_a_mapping_says_more() -> None:
    found = user_dataset(
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
    found = user_dataset(
        {"inputs": INPUTS, "targets": ["x", "y", "x", "y"], "classes": ("y", "x"), "scale": True}
    )
    assert found.groups is not None
    assert (found.targets.tolist(), set(found.groups.tolist())) == ([1, 0, 1, 0], {0})


def test_pictures_say_which_augmentations_keep_their_labels() -> None:
    own = {"inputs": INPUTS, "targets": [0, 1, 0, 1]}
    assert user_dataset({**own, "augmentations": ["zoom", "flip"]}).augmentations == ("zoom", "flip")
    with pytest.raises(ValueError, match=r"must be a list of kinds, .* got 'flip'"):
        user_dataset({**own, "augmentations": "flip"})
    with pytest.raises(ValueError, match=r"some of shift, .* got 'blur'"):
        user_dataset({**own, "augmentations": ["blur"]})


def test_a_dataset_stays_as_it_is() -> None:
    digits = datasets.load("digits")
    assert user_dataset(digits) is digits


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
            "targets must be classes; row 1 has 0.5, a measurement: for measurements write a train() with metrics",
        ),
        ((INPUTS, [0, 0, 0, 0]), "there must be at least two classes; got 0"),
        ((changed(3, np.nan), LABELS), "inputs must be finite; row 3 has nan at 2, 1 (1 such values in all)"),
        ((changed(0, np.inf), LABELS), "inputs must be finite; row 0 has inf"),
        ((np.arange(4.0), LABELS), "a single feature is inputs.reshape(-1, 1)"),
        ((np.empty((0, 3)), []), "inputs must have shape (examples, ...)"),
        (
            (np.array([["a"], ["b"], ["c"], ["d"]]), LABELS),
            "inputs must be numbers; row 0 has 'a' at 0: make numbers",
        ),
        (([[1], [2, 3]], LABELS), "one shape; row 0 has 1 values, row 1 2 values: pad or cut"),
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
        ({"inputs": INPUTS, "targets": LABELS, "classes": "ab"}, "classes must be a list of names; got 'ab'"),
        ({"inputs": INPUTS, "targets": LABELS, "classes": 2}, "classes must be a list of names; got 2"),
        ({"inputs": INPUTS, "targets": LABELS, "classes": ["a", "a"]}, "'a' is there more than once"),
    ],
)
def test_a_mistake_is_told(loaded: object, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        user_dataset(loaded)


FOR_MEASUREMENTS = "for measurements write a train() with metrics"


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (
            ["a", None, "b", None],
            "targets must all be known; row 1 has None (2 such rows in all): leave them out",
        ),
        (["a", np.nan, "b", "a"], "targets must all be known; row 1 has nan (1 such row in all)"),
        (np.array([0, 1, np.nan, 1]), "targets must all be known; row 2 has nan (1 such row in all)"),
        (np.array([0, 1, np.inf, 1]), "targets must be finite; row 2 has inf"),
        (torch.tensor([0, 1, torch.nan, 1]), "targets must all be known; row 2 has nan"),
        (pd.Series(["a", None, "b", "a"]), "targets must all be known; row 1 has"),
        (pd.Categorical(["a", None, "b", "a"]), "targets must all be known; row 1 has nan"),
        (pd.array([0, None, 1, 1], dtype="Int64"), "targets must all be known; row 1 has nan"),
        (pd.Series([0, pd.NA, 1, 1], dtype=object), "targets must all be known; row 1 has <NA>"),
        (
            pd.Series(np.array(["2020-01-01", "NaT"] * 2, "datetime64[ns]")),
            "targets must all be known; row 1 has NaT",
        ),
        (
            np.arange(4).astype("datetime64[D]"),
            "targets must be classes; got datetime64[D]: name what the dates",
        ),
        (np.arange(4), f"targets are 4 classes of one row each: {FOR_MEASUREMENTS}"),
        (list("abcd"), "targets are 4 classes of one row each: a class is what several rows share"),
        (
            np.array([0, 1, 0, 1.0]) + 1j,
            "targets must be whole numbers, texts, or true and false; got complex128",
        ),
        (["a", 1, "a", 1], "of one kind; row 0 has a text, 'a', and row 1 a number, 1"),
        (np.array([True, 1, True, 1], object), "row 0 has a truth value, True, and row 1 a number, 1"),
        (np.array([{}, {}, {}, {}]), "row 0 has {}, a dict"),
        ([b"a", b"\xff", b"a", b"a"], "targets must be texts in UTF-8"),
        (np.eye(4)[:, :2][[0, 1, 0, 1]], "got shape (4, 2): they are one-hot, give targets.argmax(1)"),
        ([[0], [1, 2], [0], [1]], "targets must all have one shape; row 0 has 1 values, row 1 2 values"),
        (
            [[0], [[1], [2, 3]], [0], [1]],
            "targets must all have one shape; row 0 has 1 values, row 1 uneven ones",
        ),
        (
            np.ma.masked_array([0, 1, 0, 1], [False, False, True, False]),
            "targets must have no masked values; row 2 has one",
        ),
        (iter([0, 1, 0, 1]), "targets must be an array, a tensor or a list; got a list_iterator"),
        (np.array([0, 1, 0, 1e300]), "row 3 has 1e+300, a measurement"),
    ],
)
def test_targets_that_are_no_classes_are_named(targets: object, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        user_dataset((INPUTS, targets))


def test_measured_whole_numbers_are_to_be_real() -> None:
    with pytest.raises(ValueError, match=r"classes of one row each: give measurements as .*astype\(float\)"):
        user_dataset((INPUTS, np.arange(4)), measured=True)
    assert user_dataset((INPUTS, np.arange(4.0)[:, None]), measured=True).targets.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("targets", "classes"),
    [
        (torch.tensor([0, 1, 0, 1]), ("0", "1")),
        (torch.tensor([[0.0], [1.0], [0.0], [1.0]], requires_grad=True), ("0", "1")),
        ([torch.tensor(0), torch.tensor(1)] * 2, ("0", "1")),
        (torch.tensor([0, 1, 0, 1], dtype=torch.bfloat16), ("0", "1")),
        (pd.Series(["a", "b"] * 2), ("a", "b")),
        (pd.DataFrame({"kind": ["a", "b"] * 2}), ("a", "b")),
        (pd.Categorical(["b", "a"] * 2), ("a", "b")),
        (pd.array([3, 5] * 2, dtype="Int64"), ("3", "5")),
        ([True, False] * 2, ("False", "True")),
        ([b"a", b"b"] * 2, ("a", "b")),
        (["None", "NA"] * 2, ("NA", "None")),
        (np.array(["a", "b"] * 2, object), ("a", "b")),
    ],
)
def test_labels_that_are_clear_are_taken(targets: object, classes: tuple[str, ...]) -> None:
    found = user_dataset((INPUTS, targets))
    assert (found.classes, sorted(found.class_counts)) == (classes, [2, 2])


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (
            np.array([[1, None], [2, 3]], object),
            "inputs must be finite; row 0 has None at 1: fill it, or leave",
        ),
        (
            pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
            "row 0 has 'x' at 1: make numbers of it (a table of texts",
        ),
        ([[1, "x"], [2, "y"]], "inputs must be numbers; row 0 has 'x' at 1"),
        (np.ones((2, 2)) * 1j, "got complex128: give the real and the imaginary part as two features"),
        (np.ones((2, 2), "datetime64[D]"), "got datetime64[D]: give a number such as the days since a date"),
        (np.array([[1.0, 1e39], [2, 3]]), "inputs must fit into float32; row 0 has 1e+39: scale them"),
        (np.array([np.ones(2), np.ones(3)], object).reshape(2, 1), "one shape; row 0 has a ndarray at 0"),
    ],
)
def test_inputs_that_are_no_numbers_are_named(inputs: object, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        user_dataset((inputs, [0, 1]))


@pytest.mark.parametrize(
    "inputs",
    [
        pd.DataFrame({"a": [1, 2] * 2, "b": [True, False] * 2, "c": [0.5, 1] * 2}),
        sparse.csr_matrix(np.array([[1, 1, 0.5], [2, 0, 1]] * 2)),
        torch.tensor([[1, 1, 0.5], [2, 0, 1]] * 2, requires_grad=True),
        torch.tensor([[1, 1, 0.5], [2, 0, 1]] * 2).to_sparse(),
        [torch.tensor([1, 1, 0.5]), torch.tensor([2.0, 0, 1])] * 2,
    ],
)
def test_inputs_that_are_clear_are_taken(inputs: object) -> None:
    assert user_dataset((inputs, [0, 1, 0, 1])).inputs.tolist() == [[1, 1, 0.5], [2, 0, 1]] * 2


def test_a_dataset_made_by_hand_has_targets_that_suit_its_classes() -> None:
    digits = datasets.load("digits")
    for changes, expected in (
        (
            {"targets": digits.targets.astype(float)},
            "targets must be places in classes, whole numbers; got float64",
        ),
        ({"classes": ()}, "targets without classes must be real numbers; got int64"),
        ({"targets": digits.targets * 0, "classes": ("all",)}, "at least two classes; got all"),
    ):
        with pytest.raises(ValueError, match=expected):
            user_dataset(replace(digits, **changes))
