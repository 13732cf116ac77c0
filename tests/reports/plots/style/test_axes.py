"""Ticks are round and within limits, labels keep their distance and their order."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots.style.axes import (
    label_right,
    limits_of,
    linear_axis,
    linear_ticks,
    log_axis,
    log_ticks,
    spread,
    tick_text,
)
from tests.reports.plots.drawing import axes, texts


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(3, 8))
def test_linear_ticks_are_few_and_inside(low: float, span: float, most: int) -> None:
    ticks = linear_ticks(low, low + span, most)
    assert 1 <= len(ticks) <= most
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


@given(st.floats(-12, 6), st.floats(0.05, 10), st.integers(3, 8))
def test_log_ticks_are_few_and_inside(power: float, decades: float, most: int) -> None:
    low, high = 10.0**power, 10.0 ** (power + decades)
    ticks = log_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in ticks)
    assert ticks == sorted(ticks)


def test_log_ticks_of_usual_losses_read_well() -> None:
    assert log_ticks(0.09, 1.1) == [0.1, 0.2, 0.5, 1.0]
    assert [tick_text(tick) for tick in log_ticks(3e-4, 3e-2, 5)] == [
        "0.0003",
        "0.001",
        "0.003",
        "0.01",
        "0.03",
    ]
    assert tick_text(2e-6) == "2·10⁻⁶"
    assert tick_text(1e-5) == "10⁻⁵"


def test_linear_ticks_share_their_decimals_and_have_a_true_minus() -> None:
    ax = axes()
    linear_axis(ax, "x", -0.03, 0.05, most=5)
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["−0.02", "0.00", "0.02", "0.04"]


def test_layers_and_epochs_have_whole_ticks_only() -> None:
    assert linear_ticks(0.8, 3.2, 8, whole=True) == [1, 2, 3]
    assert linear_ticks(0, 10, 5, whole=True) == [0, 5, 10]
    assert linear_ticks(0, 2, 7, whole=True) == [0, 1, 2]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_labels_keep_their_distance_and_their_order(wanted: list[float]) -> None:
    places = spread(wanted, 0.1)
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    gaps = [places[second] - places[first] for first, second in pairwise(order)]
    assert all(gap >= 0.1 - 0.01 for gap in gaps)
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)


def test_labels_that_do_not_touch_stay_where_they_are() -> None:
    assert spread([0.9, 0.1, 0.5], 0.1) == [0.9, 0.1, 0.5]


def test_a_label_without_a_height_is_left_out() -> None:
    ax = axes()
    log_axis(ax, "y", 0.1, 1)
    label_right(ax, [(0.3, "kept", "#000000"), (math.nan, "lost", "#000000")])
    assert texts(ax) == ["kept"]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("values", [[], [math.nan, None], [0.3], [0.3, 0.3 + 1e-13], [0.1, 2.0, math.inf]])
def test_limits_always_span_something(values: list[float | None], log: bool) -> None:
    low, high = limits_of(values, log=log)
    assert low < high
    assert all(low <= value <= high for value in values if value is not None and math.isfinite(value))
    assert not log or low > 0
