"""Counting over a replicate's gradient norms, against a naive count."""

import math
import statistics

import numpy as np
import pytest

from trainables.gradients.gradient_norms import clip_fraction, num_nonfinite, spike_rate


def naive_spikes(line: list[float], start: int) -> float:
    """Share of the steps from `start` on above ten times the median of the up to fifty before."""
    spikes = [
        line[step] > 10 * statistics.median(line[max(0, step - 50) : step])
        for step in range(start, len(line))
        if step > 0
    ]
    return sum(spikes) / (len(line) - start)


@pytest.mark.parametrize("num_earlier", [0, 1, 30, 80])
def test_spikes_are_counted_as_defined(num_earlier: int) -> None:
    norms = np.exp(np.random.default_rng(0).normal(size=(num_earlier + 70, 6)) * np.arange(6))
    found = spike_rate(norms[num_earlier:], norms[:num_earlier])
    expected = [naive_spikes(norms[:, column].tolist(), num_earlier) for column in range(6)]
    assert found.tolist() == expected
    assert found[0] == 0 < found[-1]


def test_a_spike_needs_a_step_before_it() -> None:
    assert spike_rate(np.array([[100.0]]), np.empty((0, 1))).tolist() == [0.0]
    assert spike_rate(np.array([[100.0]]), np.array([[1.0]])).tolist() == [1.0]
    assert spike_rate(np.array([[10.0]]), np.array([[1.0]])).tolist() == [0.0]


def test_a_median_is_of_finite_norms() -> None:
    norms = np.array([[1.0], [math.inf], [math.nan], [1.0], [11.0]])
    assert spike_rate(norms, np.empty((0, 1))).tolist() == [0.4]  # the infinity and the last step


def test_gradients_that_are_not_finite_are_counted() -> None:
    norms = np.array([[1.0, math.inf], [math.nan, 2.0], [3.0, math.inf]])
    assert num_nonfinite(norms).tolist() == [1.0, 2.0]


def test_steps_that_are_clipped() -> None:
    norms = np.array([[1.0, 3.0], [2.0, math.inf], [0.5, 0.1], [1.5, 1.0]])
    assert clip_fraction(norms, 1.0).tolist() == [0.5, 0.5]
    assert clip_fraction(norms, None).tolist() == [0.0, 0.0]
