"""Isolation and forest plots, confirmed configurations, bars: right numbers, untouched input, a reason when empty."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from scipy import stats

from reports.plots import bars, configurations, forest, isolation
from reports.plots.style.canvas import Sheet, draw_panel
from reports.plots.style.theme import Theme
from reports.statistics.intervals import t_band, t_interval
from tests.reports.plots.drawing import texts, unchanged

LEVELS = (3, 7)
THEME = Theme.of({"depth": LEVELS})
SCORES = pd.DataFrame(
    {
        "depth": [3, 3, 3, 3, 7, 7, 7, 7],
        "block": [1, 2, 1, 2, 1, 2, 1, 2],
        "test_loss": [0.1, 0.2, 0.3, 0.4, 1.0, 1.2, 1.4, 1.6],
    }
)
CONTRAST = {
    "factor": "depth",
    "level_a": 3,
    "level_b": 7,
    "estimate": 0.27182,
    "simultaneous_low": 0.25,
    "simultaneous_high": 0.29,
}


def test_intervals_equal_scipys() -> None:
    values = np.array([0.3, 0.1, np.nan, 0.25, 0.5])
    mean, low, high = t_interval(values)
    finite = values[np.isfinite(values)]
    expected = stats.t.interval(0.95, len(finite) - 1, finite.mean(), stats.sem(finite))
    assert (mean, low, high) == pytest.approx((finite.mean(), *expected))


def test_one_value_has_a_mean_and_no_interval_and_equal_values_have_width_zero() -> None:
    assert t_interval(np.array([0.5]))[0] == 0.5
    assert np.isnan(t_interval(np.array([0.5]))[1:]).all()
    mean, low, high = t_interval(np.full(7, 0.1 + 0.2))
    assert mean == low == high == pytest.approx(0.3)
    assert np.isnan(t_band(np.full((3, 2), np.nan))).all()


def test_isolation_averages_cells_within_blocks() -> None:
    frame = isolation.tidy(SCORES, "depth", LEVELS, "test_loss", [0.1, 1.0])
    blocks = frame[frame["kind"] == "block"].set_index(["place", "block"])["value"]
    assert blocks.to_dict() == pytest.approx({(0, 1): 0.2, (0, 2): 0.3, (1, 1): 1.2, (1, 2): 1.4})
    assert frame[frame["kind"] == "mean"]["value"].tolist() == pytest.approx([0.25, 1.3])


def test_isolation_draws_a_line_a_block_and_names_the_star_once() -> None:
    frame = isolation.tidy(SCORES, "depth", LEVELS, "test_loss", [0.1, 1.0])
    ax = unchanged(
        frame,
        lambda f, a: isolation.draw(f, a, theme=THEME, factor="depth", levels=LEVELS, limits=(0.05, 2)),
    )
    lines = [each for each in ax.collections if isinstance(each, LineCollection)]
    assert len(lines[0].get_segments()) == 2
    assert texts(ax) == ["rest tuned"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["3", "7"]


def test_a_star_says_which_cell_it_is_and_its_interval() -> None:
    frame = isolation.tidy(SCORES, "depth", LEVELS, "test_loss", [0.1, 1.0])
    stars = [
        isolation.Star(0.1, 0.08, 0.12, "cell 3: Adam"),
        isolation.Star(1.0, np.nan, np.nan, "cell 5: SGD"),
    ]
    draw = partial(isolation.draw, theme=THEME, factor="depth", levels=LEVELS, limits=(0.05, 2), stars=stars)
    said = draw_panel(partial(draw, frame), Sheet(), prefix="a").marks.texts()
    assert (
        "depth 3 at its best cell (cell 3: Adam): test log-loss 0.100 nats, 95 % interval 0.080 to 0.120"
        in said
    )
    assert "depth 7 at its best cell (cell 5: SGD): test log-loss 1.000 nats" in said


def test_an_empty_isolation_plot_says_why() -> None:
    frame = isolation.tidy(SCORES.iloc[:0], "depth", LEVELS, "test_loss", [])
    ax = unchanged(
        frame,
        lambda f, a: isolation.draw(f, a, theme=THEME, factor="depth", levels=LEVELS, limits=(0.1, 1)),
    )
    assert "No finished network" in texts(ax)[0]


def test_a_forest_row_has_its_name_and_its_rounded_numbers() -> None:
    frame = forest.tidy([CONTRAST, {**CONTRAST, "factor": "optimizer", "level_a": "sgd", "level_b": "adam"}])
    ax = unchanged(frame, lambda f, a: forest.draw(f, a, smallest_effect=0.02, unit="nats"))
    assert texts(ax) == ["depth: 7 − 3", "+0.272 [0.250, 0.290]", "Adam − SGD", "+0.272 [0.250, 0.290]"]
    assert ax.get_xlim()[0] < 0 < 0.29 < ax.get_xlim()[1]


def test_a_forest_shows_an_estimate_without_an_interval_and_says_why_it_is_empty() -> None:
    alone = {**CONTRAST, "simultaneous_low": None, "simultaneous_high": None}
    ax = unchanged(forest.tidy([alone]), lambda f, a: forest.draw(f, a, smallest_effect=None, unit="nats"))
    assert texts(ax)[1] == "+0.272 [–]"
    ax = unchanged(forest.tidy([]), lambda f, a: forest.draw(f, a, smallest_effect=0.02, unit="nats"))
    assert "No contrast" in texts(ax)[0]


def test_configurations_keep_their_order_and_mark_every_block() -> None:
    scores = pd.DataFrame(
        {"trial_number": [5, 5, 9, 9], "block": [1, 2, 1, 2], "test_loss": [1.0, 2.0, 3.0, 4.0]}
    )
    frame = configurations.tidy(scores, [(9, "second"), (5, "first")], "test_loss")
    assert frame[frame["kind"] == "mean"]["value"].tolist() == [3.5, 1.5]
    ax = unchanged(frame, lambda f, a: configurations.draw(f, a, unit="nats"))
    assert texts(ax) == ["second", "first"]
    assert len(ax.lines[0].get_xdata()) == 4  # type: ignore[arg-type]
    ax = unchanged(frame.iloc[:0], lambda f, a: configurations.draw(f, a, unit="nats"))
    assert texts(ax) == ["Nothing is confirmed yet."]


def test_bars_say_their_share_and_an_empty_one_why() -> None:
    frame = bars.tidy(["depth", "width"], [0.75, 0.052], [True, False])
    ax = unchanged(frame, lambda f, a: bars.draw(f, a, why_empty="none"))
    assert texts(ax) == ["depth", "75\u202f%", "width", "5.2\u202f%"]
    assert texts(unchanged(frame.iloc[:0], lambda f, a: bars.draw(f, a, why_empty="none"))) == ["none"]
