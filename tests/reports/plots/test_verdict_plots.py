"""Plots of verdicts, update ratios and growth compute what they say, draw all of it, and say why they are empty."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from reports.plots import growth_and_loss, update_ratios, verdict_bars, weight_gradients
from reports.plots.style.grid import FULL_WIDTH
from reports.plots.style.theme import Theme
from reports.stability.growth import verdict_shares
from tests.reports.plots.drawing import texts, unchanged

FACTORS = {"depth": (3, 7)}
THEME = Theme.of(FACTORS)


def shares() -> pd.DataFrame:
    networks = pd.DataFrame(
        {"depth": [3, 3, 7, 7], "block": [1, 2, 1, 2], "verdict": ["STABLE", "STABLE", "EXPLODING", "STABLE"]}
    )
    found = verdict_shares(networks, ["depth"], "verdict")
    return pd.concat([found.assign(when=when) for when in ("initial", "trained")], ignore_index=True)


def draw_bars(frame: pd.DataFrame, ax: Axes) -> None:
    verdict_bars.draw(frame, ax, theme=THEME, factors=FACTORS, verdicts=["EXPLODING", "STABLE"])


def test_a_bar_is_the_share_in_training_a_ring_the_one_at_initialisation() -> None:
    ax = unchanged(verdict_bars.tidy(shares()), draw_bars)
    bars = [bar for bar in ax.patches if isinstance(bar, Rectangle)]
    half, whole = sorted({round(bar.get_width(), 6) for bar in bars})
    assert half == pytest.approx(whole / 2)
    assert [round(bar.get_width(), 6) == whole for bar in bars] == [True, False, False]
    rings = [line for line in ax.lines if line.get_marker() == "o"]
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert [float(np.asarray(line.get_xdata())[0]) for line in rings] == pytest.approx(ends)
    assert {"EXPLODING", "STABLE", "depth", "3", "7", "0", "50", "100"} <= set(texts(ax))


def test_bars_of_all_verdicts_fit_a_screen() -> None:
    for num in (1, 11):
        assert verdict_bars.size(FACTORS, THEME, num)[0] <= FULL_WIDTH


def test_networks_without_a_verdict_say_so() -> None:
    assert "No network" in texts(unchanged(verdict_bars.tidy(shares().iloc[:0]), draw_bars))[0]


def layers(**columns: list[float]) -> pd.DataFrame:
    """Two networks of three layers at two epochs."""
    rows = [
        {"trial_number": 1, "replicate": replicate, "epoch": epoch, "layer": layer, "num_layers": 3}
        for replicate in (1, 2)
        for epoch in (1, 2)
        for layer in (1, 2, 3)
    ]
    return pd.DataFrame(rows).assign(**columns)


def draw_ratios(frame: pd.DataFrame, ax: Axes) -> None:
    update_ratios.draw(frame, ax, limits=(1e-5, 1), num_epochs=2, stalled=1e-4, hot=0.1)


def test_update_ratios_show_the_first_and_the_last_layer_only() -> None:
    frame = update_ratios.tidy(layers(update_ratio=[0.01, 9, 0.04] * 2 + [0.03, 9, 0.04] * 2))
    assert frame["part"].unique().tolist() == ["first layer", "last layer"]
    assert frame["median"].tolist() == pytest.approx([0.02, 0.02, 0.04, 0.04])
    assert frame["num"].tolist() == [2] * 4
    ax = unchanged(frame, draw_ratios)
    across = sorted(
        float(np.asarray(line.get_ydata())[0])
        for line in ax.lines
        if np.asarray(line.get_xdata()).tolist() == [0, 1]
    )
    assert across == [1e-4, update_ratios.GUIDE, 0.1]
    assert {"first", "last"} <= set(texts(ax))


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0.0])
def test_an_update_ratio_that_is_no_positive_number_is_left_out(broken: float) -> None:
    frame = update_ratios.tidy(layers(update_ratio=[broken, 1, 0.04] + [0.02, 1, 0.04] * 3))
    first = frame[(frame["part"] == "first layer") & (frame["epoch"] == 1)].iloc[0]
    assert (first["median"], first["num"]) == (0.02, 1)
    assert (
        "No update ratios"
        in texts(unchanged(update_ratios.tidy(layers(update_ratio=[broken] * 12)), draw_ratios))[0]
    )


def test_the_only_layer_of_a_network_is_its_last() -> None:
    one = layers(update_ratio=[0.1] * 12).query("layer == 1").assign(num_layers=1)
    assert update_ratios.tidy(one)["part"].unique().tolist() == ["last layer"]


def draw_association(frame: pd.DataFrame, ax: Axes) -> None:
    growth_and_loss.draw(
        frame, ax, theme=THEME, factor="depth", levels=(3, 7), x_limits=(0.5, 200), y_limits=(0.05, 2)
    )


def test_growth_beside_loss_has_a_dot_a_network_and_a_mark_a_cell() -> None:
    networks = pd.DataFrame({"ln_total_growth": [0.0, np.log(4), np.nan], "test_loss": [0.1, 0.3, 1.0]})
    frame = growth_and_loss.tidy(networks, pd.Series(["3", "3", "7"]), pd.Series([1, 1, 2]))
    assert frame["kind"].tolist() == ["network", "network", "cell"]
    cell = frame.iloc[2]
    assert (cell["total_growth"], cell["loss"]) == pytest.approx((2.0, 0.2))
    assert {"3", "depth"} <= set(texts(unchanged(frame, draw_association)))
    assert "No network" in texts(unchanged(frame.iloc[:0], draw_association))[0]


def test_weights_and_signal_are_relative_to_the_last_layer() -> None:
    frame = weight_gradients.tidy(
        layers(grad_l2=[4.0, 4.0, 2.0] * 4, delta_rms=[9.0, 3.0, 1.0] * 4), pd.Series("3", index=range(12))
    )
    assert frame["weights"].tolist() == [2, 2, 1]
    assert frame["signal"].tolist() == [9, 3, 1]


@pytest.mark.parametrize("measure", ["weights", "signal"])
def test_lines_are_named_at_their_first_layer(measure: str) -> None:
    def draw(frame: pd.DataFrame, ax: Axes) -> None:
        weight_gradients.draw(
            frame, ax, measure=measure, theme=THEME, factor="depth", levels=(3, 7), limits=(0.5, 20)
        )

    found = layers(grad_l2=[4.0, 4.0, 2.0] * 4, delta_rms=[9.0, 3.0, 1.0] * 4)
    frame = weight_gradients.tidy(found, pd.Series("3", index=found.index))
    assert texts(unchanged(frame, draw)) == ["3"]
    dead = weight_gradients.tidy(
        found.assign(grad_l2=0.0, delta_rms=np.inf), pd.Series("3", index=found.index)
    )
    assert "No finite gradients" in texts(unchanged(dead, draw))[0]
    assert "No finite gradients" in texts(unchanged(frame.iloc[:0], draw))[0]


def test_a_number_stands_right_after_its_bar_and_its_intervals() -> None:
    frame = verdict_bars.tidy(shares())
    ax = unchanged(frame, draw_bars)
    numbers = [text.get_position() for text in ax.texts if text.get_text() in ("0", "50", "100")]
    ends = {
        (round(float(max(np.asarray(line.get_xdata()))), 3), round(float(np.asarray(line.get_ydata())[0]), 3))
        for line in ax.lines
    }
    after = [(x, y) for x, y in numbers if (round(x - 4, 3), round(y, 3)) in ends]
    assert len(after) == 3
    lefts = {text.get_text(): text.get_position()[0] for text in ax.texts}
    (none,) = ((x, y) for x, y in numbers if y == min(y for _, y in after) and (x, y) not in after)
    assert none[0] == lefts["EXPLODING"] + 4
