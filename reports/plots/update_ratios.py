"""Update ratios over the epochs: the first and the last hidden layer, with the guide of 1e-3 and the thresholds."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import label_right, linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import fine, mark, told, told_intervals, whole
from reports.plots.style.theme import ACCENT, BAD, INK, MUTED

COLUMNS = ["part", "epoch", "median", "low", "high", "num"]
GUIDE = 1e-3  # Karpathy 2015, "Neural Networks Part 3" (CS231n): about 1e-3, lower is slow, higher is rough
PARTS = {"first layer": ACCENT.light, "last layer": INK.light}


def tidy(layers: pd.DataFrame) -> pd.DataFrame:
    """Rows to draw: part ("first layer", "last layer"), epoch, median, low, high (5-95 % over networks), num.

    `layers` has one row per network, epoch and layer: layer, num_layers, epoch, update_ratio. Values that are missing,
    infinite or not positive are left out; the only layer of a network counts as its last.
    """
    ratios = pd.to_numeric(layers["update_ratio"]).to_numpy(dtype=float, na_value=np.nan)
    usable = layers[np.isfinite(ratios) & (ratios > 0)]
    is_last = usable["layer"] == usable["num_layers"]
    ends = usable[is_last | (usable["layer"] == 1)]
    if ends.empty:
        return pd.DataFrame(columns=COLUMNS)
    parts = np.where(is_last[ends.index], "last layer", "first layer")
    groups = ends.assign(part=parts).groupby(["part", "epoch"], sort=True)["update_ratio"]
    bands = groups.quantile(np.array([0.05, 0.5, 0.95])).unstack()
    bands.columns = ["low", "median", "high"]
    table: pd.DataFrame = bands.assign(num=groups.size()).reset_index()
    return table[COLUMNS]


def draw(
    frame: pd.DataFrame, ax: Axes, *, limits: tuple[float, float], num_epochs: int, stalled: float, hot: float
) -> None:
    """Draw what `tidy` gives; `stalled` and `hot` are the thresholds of these verdicts, drawn where they lie within."""
    if frame.empty:
        say_empty(ax, "No update ratios recorded: no network took a finite step.")
        return
    linear_axis(ax, "x", 1, float(max(num_epochs, 2)), most=6, whole=True)
    log_axis(ax, "y", *limits)
    quiet(ax)
    ax.axhline(GUIDE, color=MUTED.light, linewidth=1, dashes=(4, 3))
    for threshold in (stalled, hot):
        if limits[0] < threshold < limits[1]:
            ax.axhline(threshold, color=BAD.light, linewidth=1, dashes=(1.5, 2))
    labels = []
    for part, colour in PARTS.items():
        rows = frame[frame["part"] == part].sort_values("epoch")
        if rows.empty:
            continue
        ax.fill_between(rows["epoch"], rows["low"], rows["high"], color=colour, alpha=0.16, linewidth=0)
        dashes = (None, None) if part == "first layer" else (5, 1.5)
        ax.plot(rows["epoch"], rows["median"], color=colour, linewidth=1.5, dashes=dashes)
        mark(
            ax,
            rows["epoch"],
            rows["median"],
            f"{part}, epoch ",
            whole(rows["epoch"]),
            ": update ratio ",
            told(rows["median"], fine),
            told_intervals(rows["low"], rows["high"], "5–95 % of networks"),
        )
        labels.append((float(rows["median"].iloc[-1]), part.removesuffix(" layer"), colour))
    label_right(ax, labels)
    ax.set_xlabel("epoch")
