"""Values as both databases store them."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.database.values import finite, plain_json, readable


@pytest.mark.parametrize(
    ("given_value", "stored"),
    [(None, None), (nan, None), (inf, None), (-inf, None), (np.float32(0.5), 0.5), (3, 3.0)],
)
def test_numbers_are_python_floats_or_nothing(given_value: float | None, stored: float | None) -> None:
    assert finite(given_value) == stored
    assert type(finite(given_value)) in (float, type(None))


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_stored(text: str) -> None:
    stored = readable(text)
    assert "\0" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored
    is_storable = "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
    assert (stored == text) == is_storable


def test_nested_values_become_plain_json() -> None:
    value = {1: (1, nan, [True, None, "x"]), "y": {"z": inf}}
    assert plain_json(value) == {"1": [1, None, [True, None, "x"]], "y": {"z": None}}
