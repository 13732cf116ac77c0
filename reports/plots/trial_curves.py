"""One trial's learning curves: a faint line a network, training dashed and validation solid in front, as means."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.chart import Chart, Line, Told
from reports.plots.style.chart import draw as draw_chart
from reports.plots.style.marks import told, whole
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


def chart(
    frame: pd.DataFrame,
    *,
    limits: tuple[float, float],
    num_epochs: int,
    log: bool,
    what: str = "",
    unit: str = "",
) -> Chart:
    """What `tidy` gives as lines; the mean is over the networks that have a value at that epoch.

    `what` is how the curves are called, `unit` that of their values.
    """
    if frame.empty:
        why = "No epoch with a finite value is recorded."
        return Chart(limits=limits, num_epochs=num_epochs, log=log, empty=why)
    lines, labels, said = [], [], []
    for part, colour in PARTS.items():
        rows = frame[frame["part"] == part]
        if rows.empty:
            continue
        networks, epochs, values = (
            rows[name].to_numpy(dtype=float) for name in ("replicate", "epoch", "value")
        )
        names = np.unique(networks)
        begin, end = f"{part} {what}".rstrip(), f" {unit}".rstrip()
        at, places = np.unique(epochs, return_inverse=True)
        mean = np.bincount(places, weights=values) / np.bincount(places)
        shown = "mean " if len(names) > 1 else ""
        said.append(Told(x=at, y=mean, parts=(f"{shown}{begin}, epoch ", whole(at), ": ", told(mean), end)))
        for network in names:
            x, y = epochs[networks == network], values[networks == network]
            lines.append(Line(x=x, y=y, colour=colour, width=0.6, opacity=0.3))
            if len(names) > 1:
                parts = (f"network {network:g}, {begin}, epoch ", whole(x), ": ", told(y, number), end)
                said.append(Told(x=x, y=y, parts=parts, faint=True))
        dashes = (3.0, 2.0) if part == "training" else None
        marker = "o" if len(at) == 1 else None
        lines.append(Line(x=at, y=mean, colour=colour, width=1.7, dashes=dashes, marker=marker))
        labels.append((float(mean[-1]), part, colour))
    return Chart(limits=limits, num_epochs=num_epochs, log=log, lines=lines, labels=labels, told=said)


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
    """Draw what `chart` gives."""
    draw_chart(chart(frame, limits=limits, num_epochs=num_epochs, log=log, what=what, unit=unit), ax)
