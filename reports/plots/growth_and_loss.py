"""Total growth against the final loss: one faint dot a network, one mark a cell; an association, no more."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty
from reports.plots.style.theme import INK, MUTED, Theme
from reports.wording.words import factor_name

COLUMNS = ["kind", "level", "cell", "total_growth", "loss"]


def tidy(
    networks: pd.DataFrame, levels: "pd.Series[Any]", cells: "pd.Series[Any]", outcome: str = "test_loss"
) -> pd.DataFrame:
    """Rows to draw: kind ("network", "cell"), level (name of the colour's level), cell, total_growth, loss (nats).

    `networks` has ln_total_growth and the outcome; those without a finite growth are left out. A cell's mark is its
    geometric mean growth and its mean loss.
    """
    found = pd.DataFrame(
        {
            "level": levels,
            "cell": cells,
            "log": networks["ln_total_growth"],
            "loss": networks[outcome],
        }
    )
    found = found[np.isfinite(found["log"].astype(float)) & np.isfinite(found["loss"].astype(float))]
    means = found.groupby(["level", "cell"], sort=False, as_index=False)[["log", "loss"]].mean()
    both = pd.concat([found.assign(kind="network"), means.assign(kind="cell")], ignore_index=True)
    with np.errstate(over="ignore"):
        return both.assign(total_growth=np.exp(both["log"].astype(float)))[COLUMNS]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str | None,
    levels: Sequence[Any],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    log: bool = True,
) -> None:
    """Draw what `tidy` gives, colour and marker by the level of `factor` (ink and a dot where it is None)."""
    if frame.empty:
        say_empty(ax, "No network has both a finite growth and a loss.")
        return
    log_axis(ax, "x", *x_limits, most=5)
    (log_axis if log else linear_axis)(ax, "y", *y_limits)
    quiet(ax)
    if x_limits[0] < 1 < x_limits[1]:
        ax.axvline(1, color=MUTED.light, linewidth=0.8)
    placed = []
    for level in levels or [None]:
        style = theme.style(factor, level) if factor else None
        rows = frame[frame["level"] == style.name] if style else frame
        colour, marker = (style.mark.light, style.marker) if style else (INK.light, "o")
        networks, cells = rows[rows["kind"] == "network"], rows[rows["kind"] == "cell"]
        ax.plot(
            networks["total_growth"], networks["loss"], ".", markersize=3.4, alpha=0.45, mew=0, color=colour
        )
        ax.plot(
            cells["total_growth"], cells["loss"], marker, linestyle="", markersize=5.5, mew=0, color=colour
        )
        if style and len(cells):
            placed.append((style.name, style.text.light, marker, colour))
    _key(ax, factor, placed)
    ax.set_xlabel("total growth")


def _key(ax: Axes, factor: str | None, placed: Sequence[tuple[str, str, str, str]]) -> None:
    """The markers with their levels in one line above the axes' right end: dots of all levels overlap."""
    if not factor or not placed:
        return
    right = 1.0
    width = ax.get_window_extent().width * 72 / ax.figure.get_dpi()
    for name, ink, marker, colour in reversed(placed):
        ax.text(right, 1.03, name, transform=ax.transAxes, ha="right", va="bottom", color=ink)
        right -= (6 * len(name) + 6) / width
        ax.plot(
            [right], [1.065], marker, transform=ax.transAxes, markersize=5, mew=0, color=colour, clip_on=False
        )
        right -= 9 / width
    ax.text(
        right, 1.03, factor_name(factor), transform=ax.transAxes, ha="right", va="bottom", color=MUTED.light
    )
