"""One trial's learning curves: a faint line a network, training dashed and validation solid in front, as means."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import label_right, linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import mark, told, whole
from reports.plots.style.theme import ACCENT, INK
from reports.wording.words import number

COLUMNS = ["part", "replicate", "epoch", "value"]
PARTS = {"training": INK.light, "validation": ACCENT.light}


def tidy(epochs: pd.DataFrame, measures: dict[str, str]) -> pd.DataFrame:
    """Rows to draw: part (a key of `measures`: "training", "validation"), replicate, epoch, value.

    `epochs` has one row per network and epoch of one trial. Values that are not finite are left out.
    """
    parts = [
        epochs[["replicate", "epoch"]].assign(
            part=part, value=pd.to_numeric(epochs[column]).to_numpy(dtype=float, na_value=np.nan)
        )
        for part, column in measures.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    finite: pd.DataFrame = rows.loc[np.isfinite(rows["value"]), COLUMNS].reset_index(drop=True)
    return finite


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    limits: tuple[float, float],
    num_epochs: int,
    log: bool,
    what: str = "",
    unit: str = "",
) -> None:
    """Draw what `tidy` gives; the mean is over the networks that have a value at that epoch.

    `what` is how the curves are called, `unit` that of their values.
    """
    if frame.empty:
        say_empty(ax, "No epoch with a finite value is recorded.")
        return
    linear_axis(ax, "x", 0, float(max(num_epochs, 2)), most=7, whole=True)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    labels = []
    for part, colour in PARTS.items():
        rows = frame[frame["part"] == part]
        if rows.empty:
            continue
        for _, network in rows.groupby("replicate"):
            ax.plot(network["epoch"], network["value"], color=colour, linewidth=0.6, alpha=0.3)
        mean = rows.groupby("epoch")["value"].mean()
        dashes = (3, 2) if part == "training" else (None, None)
        ax.plot(mean.index, mean, color=colour, linewidth=1.7, dashes=dashes)
        if len(mean) == 1:
            ax.plot(mean.index, mean, "o", color=colour, markersize=4)
        labels.append((float(mean.iloc[-1]), part, colour))
        begin, end = f"{part} {what}".rstrip(), f" {unit}".rstrip()
        several = rows["replicate"].nunique() > 1
        shown = "mean " if several else ""
        mark(ax, mean.index, mean, f"{shown}{begin}, epoch ", whole(mean.index), ": ", told(mean), end)
        for name, network in rows.groupby("replicate") if several else ():
            mark(
                ax,
                network["epoch"],
                network["value"],
                f"network {name}, {begin}, epoch ",
                whole(network["epoch"]),
                ": ",
                told(network["value"], number),
                end,
            )
    label_right(ax, labels)
    ax.set_xlabel("epoch")
