"""How values and numbers are written: minus signs, rounding to the interval, missing values, durations."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.wording import words


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (True, "on"),
        (False, "off"),
        (3, "3"),
        (0.1, "0.1"),
        (-0.5, "−0.5"),
        ("rmsprop", "RMSprop"),
        ("adamw", "AdamW"),
        ("something_new", "something_new"),
        (None, "none"),
        (math.nan, "none"),
        ((128, 64), "128-64"),
        ((0.9, 0.999), "0.9 and 0.999"),
    ],
)
def test_a_level_is_written_as_a_person_would(value: object, name: str) -> None:
    assert words.level_name(value) == name


def test_a_level_that_explains_itself_stands_without_its_factor() -> None:
    assert words.level_phrase("optimizer", "adam") == "Adam"
    assert words.level_phrase("depth", 5) == "depth 5"
    assert words.level_phrase("augmentation", "none") == "no augmentation"
    assert words.difference_name("augmentation", "none", "shift+zoom") == "shift+zoom − none"
    assert words.difference_name("optimizer", "sgd", "adam") == "Adam − SGD"
    assert words.difference_name("batch_norm", False, True) == "batch norm: on − off"


def test_a_difference_is_rounded_to_what_its_interval_supports() -> None:
    assert words.interval(0.27182, 0.2512, 0.2911) == "+0.272 [0.251, 0.291]"
    assert words.interval(-0.0417, -0.0742, -0.0109) == "−0.04 [−0.07, −0.01]"
    assert words.interval(0.0, 0.0, 0.0) == "0.000 [0.000, 0.000]"
    assert words.interval(0.2, None, None) == "+0.200 [–]"
    assert words.interval(0.2, math.nan, math.nan) == "+0.200 [–]"


def test_rounding_to_zero_leaves_no_sign() -> None:
    assert words.number(-0.0004) == "0.000"
    assert words.signed(-0.0004) == "0.000"
    assert words.signed(0.0004) == "0.000"


@given(st.floats(1e-4, 1e3))
def test_decimals_show_one_or_two_digits_of_the_half_width(half_width: float) -> None:
    shown = round(half_width * 10 ** words.decimals_for(half_width))
    assert 1 <= shown <= 29 or words.decimals_for(half_width) == 1


def test_p_values_are_never_printed_as_zero() -> None:
    assert words.p_value(1e-12) == "<\u202f0.001"
    assert words.p_value(0.0312) == "0.031"
    assert words.p_value(0.449) == "0.45"
    assert words.p_value(math.nan) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0 s"),
        (4.56, "4.6 s"),
        (5.0, "5 s"),
        (9.97, "10 s"),
        (48.2, "48 s"),
        (320.0, "5 min 20 s"),
        (7500.0, "2 h 5 min"),
        (3600.0, "1 h"),
        (259_199.0, "71 h 59 min"),
        (259_200.0, "3 days"),
        (300_000.0, "3 days 11 h"),
        (None, "–"),
    ],
)
def test_durations_use_the_unit_that_suits(seconds: float | None, text: str) -> None:
    assert words.duration(seconds).replace("\u202f", " ") == text


def test_counts_and_shares() -> None:
    assert words.count(3780) == "3\u202f780"
    assert words.percent(0.9753) == "97.5\u202f%"
    assert words.count(None) == words.percent(None) == words.MISSING
    assert words.plural(1, "block") == "1 block"
    assert words.plural(2, "study", "studies") == "2 studies"


@pytest.mark.parametrize(
    ("value", "text"), [(7.1, "7.10"), (64.0, "64.0"), (123.4, "123"), (-0.5, "−0.500"), (None, "–")]
)
def test_a_column_has_as_many_significant_digits_in_each_row(value: float | None, text: str) -> None:
    assert words.significant(value, 3) == text
