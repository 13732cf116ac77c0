"""Learning curves, learning-rate response, search history, parallel coordinates."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from reports.plots import history, learning_curves, parallel, rate_response
from reports.plots.style.theme import Theme
from tests.reports.plots.drawing import texts, unchanged

THEME = Theme.of({"depth": (3, 7)})
CURVES = pd.DataFrame(
    {
        "depth": np.repeat([3, 3, 7, 7], 2),
        "block": np.repeat([1, 2, 1, 2], 2),
        "epoch": [1, 2] * 4,
        "val_loss": [1.0, 0.5, 1.2, 0.7, 2.0, 1.5, 2.2, 1.7],
        "train_loss": [0.9, 0.4, 1.1, 0.6, 1.9, 1.4, 2.1, 1.6],
    }
)
MEASURES = {"validation": "val_loss", "training": "train_loss"}


def curves(rows: pd.DataFrame = CURVES) -> pd.DataFrame:
    return learning_curves.tidy(rows, rows["depth"].map(str), MEASURES)


def draw_curves(frame: pd.DataFrame, ax: Axes) -> None:
    learning_curves.draw(frame, ax, theme=THEME, factor="depth", levels=(3, 7), limits=(0.3, 3))


def test_curves_are_means_over_blocks_by_level_and_part() -> None:
    means = curves().set_index(["level", "part", "epoch"])["mean"]
    assert means["3", "validation", 2] == pytest.approx(0.6)
    assert means["7", "training", 1] == pytest.approx(2.0)


def test_curves_name_each_level_at_its_end_or_say_why_there_are_none() -> None:
    assert texts(unchanged(curves(), draw_curves)) == ["3", "7"]
    assert "No epochs" in texts(unchanged(curves().iloc[:0], draw_curves))[0]


def test_failed_networks_count_as_chance_and_losses_are_capped() -> None:
    rows = pd.DataFrame({"val_loss": [np.nan, np.nan, 9.0, 0.2], "val_accuracy": [np.nan, np.nan, 0.1, 0.9]})
    failed = np.array([True, False, False, False])
    filled = learning_curves.filled(rows, failed, {"val_loss": math.log(10), "val_accuracy": 0.1})
    assert filled["val_loss"].tolist() == pytest.approx(
        [math.log(10), np.nan, math.log(10), 0.2], nan_ok=True
    )
    assert filled["val_accuracy"].tolist() == pytest.approx([0.1, np.nan, 0.1, 0.9], nan_ok=True)
    assert np.isnan(rows["val_loss"][0])


TRIALS = pd.DataFrame(
    {
        "number": [1, 2, 3, 4],
        "cell": [1, 1, 2, 2],
        "depth": [3, 3, 7, 7],
        "learning_rate": [1e-2, 1e-3, 1e-3, 1e-2],
        "objective": [0.5, 0.2, np.nan, 0.3],
        "state": ["complete", "complete", "failed", "pruned"],
    }
)


def draw_rates(frame: pd.DataFrame, ax: Axes) -> None:
    rate_response.draw(frame, ax, bounds=(1e-4, 1e-1), limits=(0.1, 1), colour=None)


def test_rates_are_ordered_within_a_cell_with_failures_and_choices_marked() -> None:
    losses, failed = pd.Series({1: 0.5, 2: 0.2, 4: 0.3}), pd.Series({1: 0.0, 4: 0.5})
    frame = rate_response.tidy(TRIALS, losses, failed, [2])
    assert frame["trial_number"].tolist() == [2, 1, 3, 4]
    assert frame["chosen"].tolist() == [True, False, False, False]
    assert frame["failed"].tolist() == [0.0, 0.0, 0.0, 0.5]
    ax = unchanged(frame, draw_rates)
    chosen, crossed = ax.lines
    assert np.asarray(chosen.get_xdata()).tolist() == [1e-3]
    assert np.asarray(crossed.get_xdata()).tolist() == [1e-2]


def test_the_outer_tenths_of_the_range_are_shaded_on_the_log_scale() -> None:
    frame = rate_response.tidy(TRIALS, pd.Series({1: 0.5}), pd.Series(dtype=float), [])
    ax = unchanged(frame, draw_rates)
    low, high = ax.patches
    assert low.get_x() == pytest.approx(1e-4)  # type: ignore[attr-defined]
    assert low.get_width() == pytest.approx(1e-4 * (10**0.3 - 1))  # type: ignore[attr-defined]
    assert high.get_x() == pytest.approx(10**-1.3)  # type: ignore[attr-defined]


def test_without_a_rung_reached_the_rate_response_says_so() -> None:
    empty = rate_response.tidy(TRIALS.iloc[:0], pd.Series(dtype=float), pd.Series(dtype=float), [])
    assert "No search trial" in texts(unchanged(empty, draw_rates))[0]


def test_the_best_so_far_counts_completed_trials_only() -> None:
    frame = history.tidy(TRIALS.assign(objective=[0.5, 0.2, np.nan, 0.1]))
    assert frame["best_so_far"].tolist() == [0.5, 0.2, 0.2, 0.2]
    unchanged(frame, history.draw)
    assert "No trial" in texts(unchanged(frame.iloc[:0], history.draw))[0]


def test_parallel_heights_lie_between_the_ends_and_the_lowest_come_to_the_front() -> None:
    choices, rates = {"depth": (3, 7)}, ["learning_rate"]
    frame = parallel.tidy(TRIALS, choices, rates)
    assert frame["trial_number"].tolist() == [1, 2, 4]
    assert frame["learning_rate"].tolist() == pytest.approx([1, 0, 1])
    assert frame["objective"].tolist() == pytest.approx([1, 0, np.log(1.5) / np.log(2.5)])
    assert frame["front"].tolist() == [False, True, False]
    ticks = parallel.ticks_of(TRIALS, choices, rates)
    assert list(ticks) == ["depth", "learning_rate", "objective"]
    assert ticks["depth"] == [(0.0, "3"), (1.0, "7")]
    ax = unchanged(frame, lambda f, a: parallel.draw(f, a, ticks=ticks))
    assert texts(ax) == ["3", "7", "0.001", "0.01", "0.2", "0.5"]
    empty = parallel.tidy(TRIALS.iloc[:0], choices, rates)
    assert "No trial" in texts(unchanged(empty, lambda f, a: parallel.draw(f, a, ticks=ticks)))[0]


@pytest.mark.parametrize("num_cells", [1, 4, 54, 55])
def test_of_very_many_trials_an_even_sample_is_drawn(num_cells: int) -> None:
    few = pd.DataFrame({"trial_number": np.arange(1, parallel.MOST_LINES + 1)})
    assert parallel.drawn(few) is few
    many = pd.DataFrame({"trial_number": np.arange(1, 10 * parallel.MOST_LINES + 1)})
    shown = parallel.drawn(many)
    assert len(shown) == pytest.approx(parallel.MOST_LINES, rel=0.01)
    of_cells = np.bincount(shown["trial_number"] % num_cells, minlength=num_cells)
    assert of_cells == pytest.approx(np.full(num_cells, len(shown) / num_cells), rel=0.1)
