"""Numbers in every form that Python has them become an array of examples; what is none is named with its place."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from trainables.base.errors import InputError
from trainables.use.arrays import as_examples, checked, refuse_bytes

ROWS = np.array([[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.5]])


def refused(examples: Any, shape: tuple[int, ...], *words: str) -> None:
    """Check that these examples are refused with these words."""
    with pytest.raises(InputError) as caught:
        as_examples(examples, shape)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "form",
    [
        ROWS,
        ROWS.astype(np.float16),
        ROWS.astype(np.longdouble),
        ROWS.astype(object),
        ROWS.astype(str),
        ROWS.tolist(),
        tuple(map(tuple, ROWS.tolist())),
        list(ROWS),
        np.asfortranarray(ROWS),
        np.repeat(ROWS, 2, axis=1)[:, ::2],
        torch.tensor(ROWS),
        torch.tensor(ROWS, dtype=torch.bfloat16),
        torch.tensor(ROWS, requires_grad=True),
        torch.tensor(ROWS).to_sparse(),
        [torch.tensor(row) for row in ROWS],
        sparse.csr_array(ROWS),
    ],
    ids=lambda form: type(form).__name__,
)
def test_the_same_numbers_are_the_same_examples(form: Any) -> None:
    assert as_examples(form, (4,)).tolist() == ROWS.tolist()
    assert as_examples(form, (2, 2)).tolist() == ROWS.reshape(2, 2, 2).tolist()


def test_whole_numbers_and_truth_values_are_numbers() -> None:
    assert as_examples(ROWS > 3, (4,)).tolist() == (ROWS > 3).astype(float).tolist()
    assert as_examples(torch.tensor([[2**40]]), (1,)).tolist() == [[2.0**40]]


def test_what_is_masked_or_none_is_missing() -> None:
    masked = np.ma.masked_array(ROWS, mask=ROWS > 6)
    assert np.isnan(as_examples(masked, (4,))).tolist() == (ROWS > 6).tolist()
    assert np.isnan(as_examples([[1, None, 3, 4]], (4,))).tolist() == [[False, True, False, False]]


@pytest.mark.parametrize("nothing", [[], np.zeros((0, 4)), np.zeros(0), torch.zeros(0, 4)])
def test_no_examples_are_none(nothing: Any) -> None:
    made = as_examples(nothing, (2, 2))
    assert made.shape == (0, 2, 2)
    assert checked(made, may_miss=False).shape == (0, 2, 2)


def test_one_channel_may_have_an_axis_or_none() -> None:
    pixels = np.arange(24.0).reshape(2, 3, 4)
    for given_shape in ((2, 1, 3, 4), (2, 3, 4, 1), (2, 12)):
        assert as_examples(pixels.reshape(given_shape), (3, 4)).tolist() == pixels.tolist()
    assert as_examples(pixels, (1, 3, 4)).shape == (2, 1, 3, 4)


def test_other_shapes_are_told_with_what_to_do() -> None:
    refused(np.zeros((5, 8, 6, 3)), (3, 8, 6), "its channels are last", "inputs.transpose(0, 3, 1, 2)")
    refused(ROWS[0], (4,), "one example of 4 values was given", "inputs[None]")
    refused(np.zeros((2, 2)), (2, 2), "one example of 2 x 2 values was given")
    refused(np.zeros((2, 5)), (4,), "4 values in the training data, and 5 values here", "(examples, 4)")
    refused(np.zeros(5), (4,), "4 values in the training data, and one value here")
    refused(3.0, (4,), "one number is no array of examples")
    refused([[1, 2], [3]], (2,), "row 2 has one value, and row 1 has 2 values")
    refused([[1, 2], [[3, 4], [5, 6]]], (2,), "row 2 has 2 x 2 values, and row 1 has 2 values")


def test_other_things_are_told_by_their_type_or_place() -> None:
    refused(None, (4,), "NoneType is no array of numbers")
    refused((row for row in ROWS), (4,), "generator is no array of numbers")
    refused({"a": [1]}, (4,), "dict is no array of numbers")
    refused("text", (4,), "str is no array of numbers")
    refused([[1, "x", 3, 4]], (4,), "row 1, column 2: 'x' is no number")
    refused([[1, 2], [3, {}]], (2,), "row 2, column 2: {} is no number")
    refused([[10**400]], (1,), "row 1, column 1: 1000", "is no number")
    for kind in ("M8[s]", "m8[s]", "complex128"):
        refused(np.zeros((2, 4), kind), (4,), "which is no number")
    refused(np.zeros(2, [("a", "f4")]), (4,), "which is no number")


def test_rows_are_counted_from_the_first() -> None:
    with pytest.raises(InputError, match="row 21, column 1: 'x' is no number"):
        as_examples([["1"], ["x"]], (1,), first_row=20)
    with pytest.raises(InputError, match="row 21, column 2: inf"):
        checked(np.array([[0.0, 1.0], [0.0, np.inf]]), may_miss=True, first_row=20)


def test_numbers_too_large_for_float32_are_refused_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"row 1, column 2: 1e\+300"):
            checked(np.array([[1.0, 1e300]]), may_miss=False)


def test_bytes_are_refused_where_training_data_go_to_1() -> None:
    with pytest.raises(
        InputError, match=r"bytes up to 200, and those of the training data numbers up to 1\."
    ):
        refuse_bytes(np.full((1, 4), 200, np.uint8), 0.99999)
    refuse_bytes(np.full((1, 4), 16, np.uint8), 16.0)
    refuse_bytes(np.ones((1, 4), np.uint8), 1.0)
    refuse_bytes(np.zeros((0, 4), np.uint8), 1.0)
    refuse_bytes(np.full((1, 4), 200.0), 1.0)


@given(
    arrays(
        np.float32, st.tuples(st.integers(0, 4), st.just(6)), elements=st.floats(width=32, allow_nan=False)
    )
)
def test_finite_numbers_come_through_exactly(values: np.ndarray[Any, Any]) -> None:
    finite = np.where(np.isfinite(values), values, 0).astype(np.float32)
    assert checked(as_examples(finite, (2, 3)), may_miss=False).tobytes() == finite.tobytes()
