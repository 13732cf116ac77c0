"""One measure of every hidden layer over the epochs of one trial: median over its networks with a 5-95 % band."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import label_right, linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import fine, mark, tag, told, told_intervals, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import MUTED, Theme

COLUMNS = ["layer", "epoch", "median", "low", "high", "num"]
MOST_NAMES = 8


def tidy(gradients: pd.DataFrame, measure: str, *, log: bool) -> pd.DataFrame:
    """Rows to draw: layer, epoch, median, low, high (5-95 % over networks), num (those with a usable value).

    `gradients` are the rows of one trial. Values that are missing or not finite, on a log scale also those not above
    0, are left out.
    """
    if gradients.empty or measure not in gradients:
        return pd.DataFrame(columns=COLUMNS)
    values = pd.to_numeric(gradients[measure]).to_numpy(dtype=float, na_value=np.nan)
    usable = np.isfinite(values) & ((values > 0) | (not log))
    if not usable.any():
        return pd.DataFrame(columns=COLUMNS)
    groups = gradients[usable].assign(value=values[usable]).groupby(["layer", "epoch"])["value"]
    bands = groups.quantile(np.array([0.05, 0.5, 0.95])).unstack()
    bands.columns = ["low", "median", "high"]
    table: pd.DataFrame = bands.assign(num=groups.size()).reset_index()
    return table[COLUMNS]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    layers: Sequence[int],
    limits: tuple[float, float],
    num_epochs: int,
    log: bool,
    guide: float | None = None,
    what: str = "",
) -> None:
    """Draw what `tidy` gives, one line a layer in the theme's colours for the factor "layer"; `guide` lies across.

    `what` is how the measure is called.
    """
    if frame.empty:
        say_empty(ax, "Not recorded, or at no epoch finite.")
        return
    linear_axis(ax, "x", 0, float(max(num_epochs, 2)), most=7, whole=True)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    if guide is not None and limits[0] < guide < limits[1]:
        ax.axhline(guide, color=MUTED.light, linewidth=0.9, dashes=(4, 3))
    labels, owners = [], []
    named = _named(layers)
    for layer in layers:
        rows, style = frame[frame["layer"] == layer].sort_values("epoch"), theme.style("layer", layer)
        if rows.empty:
            continue
        colour = style.mark.light
        of = of_levels("layer", layer)
        band = ax.fill_between(
            rows["epoch"], rows["low"], rows["high"], color=colour, alpha=0.12, linewidth=0
        )
        every = max(1, len(rows) // 4)
        (line,) = ax.plot(
            rows["epoch"],
            rows["median"],
            marker=style.marker,
            markevery=every,
            markersize=4,
            linewidth=1.4,
            color=colour,
        )
        tag(band, of, ax)
        tag(line, of, ax)
        mark(
            ax,
            rows["epoch"],
            rows["median"],
            f"layer {layer}, epoch ",
            whole(rows["epoch"]),
            f": {what} ".replace("  ", " "),
            told(rows["median"], fine),
            told_intervals(rows["low"], rows["high"], "5–95 % of networks"),
            of=of,
        )
        if layer in named:
            labels.append((float(rows["median"].iloc[-1]), style.name, style.text.light))
            owners.append(of)
    label_right(ax, labels, of=owners)
    ax.set_xlabel("epoch")


def _named(layers: Sequence[int]) -> set[int]:
    """The layers that are named: all, or the first, the last and some between."""
    places = np.linspace(0, len(layers) - 1, min(len(layers), MOST_NAMES)).round().astype(int)
    return {layers[place] for place in places}
