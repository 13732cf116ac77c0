"""Numbers as people write them: every convention gives back the numbers that were written in it."""

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trainables.data.tables.number_formats import COMMA, POINT, read_numbers, written

Write = Callable[[str], str]


def grouped(thousands: str, decimal: str) -> Write:
    """Return what writes a plain number with these separators."""
    marks: dict[str, str | int | None] = {",": thousands, ".": decimal}
    return lambda text: f"{float(text):,.2f}".translate(str.maketrans(marks))


CONVENTIONS: dict[str, tuple[Write, str]] = {
    "decimal comma": (lambda text: text.replace(".", ","), "a decimal comma"),
    "English": (grouped(",", "."), "thousands separators"),
    "German": (grouped(".", ","), "thousands separators"),
    "Swiss": (grouped("'", "."), "thousands separators"),
    "no-break spaces": (grouped("\u00a0", ","), "thousands separators"),
    "narrow spaces": (grouped("\u202f", "."), "thousands separators"),
    "thin spaces": (grouped("\u2009", "."), "thousands separators"),
    "dollars": (lambda text: f"${text}", "$ signs"),
    "euros": (lambda text: f"{text}\u00a0€".replace(".", ","), "€ signs"),
    "percents": (lambda text: f"{text} %", "% signs"),
    "minus": (lambda text: text.replace("-", "−"), "a typographic minus"),
}


def counts(texts: list[str]) -> NDArray[np.int64]:
    return np.ones(len(texts), np.int64)


@pytest.mark.parametrize("name", CONVENTIONS)
@settings(max_examples=20)
@given(numbers=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=3, max_size=20))
def test_a_convention_gives_back_what_was_written_in_it(name: str, numbers: list[object]) -> None:
    write, told = CONVENTIONS[name]
    plain = ["-1234567.25", *map(str, numbers)]
    texts = [write(text) for text in plain]
    read = read_numbers(texts, counts(texts))
    assert read.unsettled is None
    assert read.values.astype(np.float32).tolist() == [np.float32(text) for text in plain]
    assert told in read.note


@settings(max_examples=50)
@given(st.lists(st.floats(width=64, allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_plain_numbers_are_what_pandas_reads(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    expected = pd.read_csv(io.StringIO("\n".join(["x", *texts])), dtype=np.float64)["x"]
    read = read_numbers(texts, counts(texts))
    assert read.values.tobytes() == expected.to_numpy().tobytes()
    assert read.note == ""


@settings(max_examples=60)
@given(st.text(st.sampled_from("0123456789.,-− 'e%$€x\u00a0\u202f"), max_size=12))
def test_any_text_is_a_number_or_none(text: str) -> None:
    read = read_numbers([text], counts([text]))
    form = written(text)
    assert form is None or all(
        np.isfinite(float(value)) or "e" in value.lower() for value in form.readings.values()
    )
    assume(read.unsettled is None)
    assert np.isnan(read.values[0]) or any(sign.isdigit() for sign in text) or "inf" in text.lower()


OPEN = [["1,234", "5"], ["€1.234", "€5"], ["1,234", "1.234"], ["1.234", "2.345", "2,5"]]


@pytest.mark.parametrize("texts", OPEN)
def test_what_may_be_either_is_left_to_the_user(texts: list[str]) -> None:
    assert read_numbers(texts, counts(texts)).unsettled in texts
    for reading, decimal, thousands in ((POINT, ".", ","), (COMMA, ",", ".")):
        read = read_numbers(texts, counts(texts), reading)
        assert read.unsettled is None
        for text, value in zip(texts, read.values, strict=True):
            if not np.isnan(value):
                assert value == float(text.strip("€").replace(thousands, "").replace(decimal, "."))


SETTLED = {
    "another's fraction": (["1,234", "2,5"], [1.234, 2.5]),
    "a leading zero": (["1,234", "0,125"], [1.234, 0.125]),
    "two separators": (["1,234", "1,234,567"], [1234, 1234567]),
    "both marks": (["1,234", "1.234,5"], [1.234, 1234.5]),
    "a point elsewhere": (["1,234", "5.5"], [1234, 5.5]),
    "points that are plain": (["1.234", "5"], [1.234, 5]),
    "no such groups": (["12 34", "1,23,456", "0,123,456", "5"], [np.nan, np.nan, np.nan, 5]),
    "percents beside none": (["5 %", "6 %", "7"], [5, 6, np.nan]),
    "two currencies": (["$5", "$6", "7", "€8"], [5, 6, 7, np.nan]),
    "fractions of texts": (["126/83", "120/80"], [np.nan, np.nan]),
}


@pytest.mark.parametrize("name", SETTLED)
def test_what_other_cells_settle(name: str) -> None:
    texts, expected = SETTLED[name]
    read = read_numbers(texts, counts(texts))
    assert read.unsettled is None
    assert read.values.tolist() == pytest.approx(expected, nan_ok=True, abs=0)
