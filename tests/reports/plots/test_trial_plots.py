"""Plots of one trial: curves of its networks and measures of its layers, what is not finite left out."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from reports.plots import layer_measures, trial_curves
from reports.plots.style.chart import draw as draw_chart
from reports.plots.style.theme import Theme
from tests.reports.plots.drawing import texts, unchanged

CURVES = {"training": "train_loss", "validation": "val_loss"}


def epochs() -> pd.DataFrame:
    rows = [
        {"replicate": r, "epoch": e, "train_loss": 2.0 / e, "val_loss": 3.0 / e}
        for r in (0, 1)
        for e in (1, 2)
    ]
    return pd.DataFrame(rows)


def draw_curves(frame: pd.DataFrame, ax: Axes) -> None:
    trial_curves.draw(frame, ax, limits=(0.5, 4), num_epochs=2, log=True)


def test_every_network_has_a_line_and_both_means_a_name() -> None:
    frame = trial_curves.tidy(epochs(), CURVES)
    ax = unchanged(frame, draw_curves)
    assert len(ax.lines) == 2 * (2 + 1)
    assert set(texts(ax)) == {"training", "validation"}


def test_a_loss_that_is_not_finite_ends_its_line() -> None:
    broken = epochs()
    broken.loc[1, ["train_loss", "val_loss"]] = [np.nan, np.inf]
    frame = trial_curves.tidy(broken, CURVES)
    assert len(frame) == 6
    assert np.isfinite(frame["value"]).all()
    empty = trial_curves.tidy(epochs().assign(train_loss=np.nan, val_loss=None), CURVES)
    assert "No epoch" in texts(unchanged(empty, draw_curves))[0]


def gradients(num_layers: int = 3) -> pd.DataFrame:
    rows = [
        {"replicate": r, "epoch": e, "layer": layer, "delta_rms": float(layer + r)}
        for r in (0, 2)
        for e in (0, 1)
        for layer in range(1, num_layers + 1)
    ]
    return pd.DataFrame(rows)


def draw_layers(frame: pd.DataFrame, ax: Axes, num_layers: int = 3) -> None:
    layers = range(1, num_layers + 1)
    theme = Theme.of({"layer": tuple(layers)})
    chart = layer_measures.chart(
        frame, theme=theme, layers=layers, limits=(0.1, 30), num_epochs=1, log=True, guide=1.0
    )
    draw_chart(chart, ax)


def test_a_layer_is_the_median_over_its_networks() -> None:
    frame = layer_measures.tidy(gradients(), "delta_rms", log=True)
    assert frame["median"].tolist() == [2, 2, 3, 3, 4, 4]
    assert frame["num"].tolist() == [2] * 6
    assert set(texts(unchanged(frame, draw_layers))) == {"1", "2", "3"}


@pytest.mark.parametrize(("log", "num"), [(True, 1), (False, 2)])
def test_zero_counts_unless_the_scale_is_logarithmic(log: bool, num: int) -> None:
    frame = gradients()
    frame.loc[(frame["layer"] == 1) & (frame["replicate"] == 0), "delta_rms"] = 0.0
    found = layer_measures.tidy(frame, "delta_rms", log=log)
    assert found.loc[found["layer"] == 1, "num"].tolist() == [num] * 2


def test_of_many_layers_the_first_the_last_and_some_between_are_named() -> None:
    frame = layer_measures.tidy(gradients(20), "delta_rms", log=True)
    names = texts(unchanged(frame, lambda found, ax: draw_layers(found, ax, 20)))
    assert {"1", "20"} <= set(names)
    assert len(names) == layer_measures.MOST_NAMES


@pytest.mark.parametrize("measure", ["delta_rms", "weight_rms"])
def test_a_measure_without_values_says_so(measure: str) -> None:
    frame = layer_measures.tidy(gradients().assign(delta_rms=np.inf), measure, log=True)
    assert "Not recorded" in texts(unchanged(frame, draw_layers))[0]


def test_layers_with_missing_values_are_summarised_over_those_that_remain() -> None:
    frame = gradients().astype({"delta_rms": float})
    frame.loc[(frame["layer"] == 2) & (frame["replicate"] == 2) & (frame["epoch"] == 1), "delta_rms"] = np.nan
    found = layer_measures.tidy(frame, "delta_rms", log=True)
    groups = frame.dropna().groupby(["layer", "epoch"])["delta_rms"]
    expected = groups.quantile(np.array([0.05, 0.5, 0.95])).unstack()
    assert found[["low", "median", "high"]].to_numpy() == pytest.approx(expected.to_numpy())
    assert found["num"].tolist() == groups.size().tolist()
