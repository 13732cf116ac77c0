"""What courses show beside what we show: the weights' gradient, or the signal's, by layer at initialisation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty, spread
from reports.plots.style.marks import Of, fine, mark, tag, told, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import GROUND, INK, MUTED, Theme
from reports.wording.words import level_phrase

COLUMNS = ["line", "layer", "weights", "signal"]


def tidy(layers: pd.DataFrame, lines: "pd.Series[Any]") -> pd.DataFrame:
    """Rows to draw: line, layer, weights and signal: mean grad_l2 and delta_rms, each over its last layer's.

    `layers` has one row per network and layer at one epoch, all networks equally deep: layer, grad_l2, delta_rms;
    `lines` gives each row the name of its line. Means over networks, as tools take them; what is not finite is left
    out, and a line whose last layer has no positive mean is NaN.
    """
    if layers.empty:
        return pd.DataFrame(columns=COLUMNS)
    values = {
        name: pd.to_numeric(layers[column]).astype(float).where(lambda each: np.isfinite(each))
        for name, column in (("weights", "grad_l2"), ("signal", "delta_rms"))
    }
    frame = pd.DataFrame({"line": lines, "layer": layers["layer"], **values})
    means = frame.groupby(["line", "layer"], sort=False)[["weights", "signal"]].mean().reset_index()
    last = means[means["layer"] == means["layer"].max()].set_index("line")
    for name in ("weights", "signal"):
        ends = means["line"].map(last[name]).astype(float)
        means[name] = means[name] / ends.where(ends > 0)
    return means[COLUMNS]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    measure: str,
    theme: Theme,
    factor: str | None,
    levels: Sequence[Any],
    limits: tuple[float, float],
) -> None:
    """Draw one `measure` ("weights" or "signal") of what `tidy` gives, one line a level of `factor`."""
    if frame.empty or not np.isfinite(frame[measure].astype(float)).any():
        say_empty(ax, "No finite gradients at initialisation.")
        return
    last = float(max(frame["layer"].max(), 2))
    names = [theme.style(factor, level).name for level in levels] if factor else []
    longest = max((len(name) for name in names), default=0)
    linear_axis(ax, "x", 1 - (0.2 + 0.035 * longest * (last - 1)), last + 0.2, most=8, least=1, whole=True)
    log_axis(ax, "y", *limits)
    quiet(ax)
    ax.plot([1, last], [1, 1], color=MUTED.light, linewidth=0.8)
    firsts, owners = [], []
    for level in levels or [None]:
        style = theme.style(factor, level) if factor else None
        rows = frame[frame["line"] == (style.name if style else "all")].sort_values("layer")
        colour, marker = (style.mark.light, style.marker) if style else (INK.light, "o")
        (drawn,) = ax.plot(
            rows["layer"], rows[measure], marker=marker, linewidth=1.4, markersize=4.5, color=colour
        )
        of = of_levels(factor if style else None, level)
        tag(drawn, of, ax)
        mark(
            ax,
            rows["layer"],
            rows[measure],
            f"{level_phrase(str(factor), level)}, " if style else "",
            "layer ",
            whole(rows["layer"]),
            f": {measure}’ gradient ".replace("signal’", "signal’s"),
            told(rows[measure], fine),
            " times the last layer's",
            of=of,
        )
        if style and len(rows) and np.isfinite(rows[measure].iloc[0]):
            firsts.append((float(rows[measure].iloc[0]), style.name, style.text.light))
            owners.append(of)
    _name_firsts(ax, firsts, owners)
    ax.set_xlabel("layer, from the input")


def _name_firsts(ax: Axes, firsts: Sequence[tuple[float, str, str]], of: Sequence[Of]) -> None:
    """Name each line left of its first layer, where lines part; names that would overlap are moved apart."""
    height = ax.get_window_extent().height * 72 / ax.figure.get_dpi()
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = [float(to_axes.transform((1, value))[1]) for value, _, _ in firsts]
    left = float(to_axes.transform((1, 1))[0])
    for place, (_, name, colour), owner in zip(spread(wanted, 12 / height), firsts, of, strict=True):
        written = ax.annotate(
            name,
            (left, place),
            xycoords="axes fraction",
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
            bbox={"facecolor": GROUND.light, "edgecolor": "none", "pad": 0.8},
        )
        tag(written, owner, ax)
