"""Gradient flow: the signal's gradient by layer, relative to the last hidden layer, with the theory's line dashed."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import Of, fine, mark, tag, told, told_intervals, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import INK, MUTED, Theme
from reports.wording.words import factor_name, level_phrase

NAME_WIDTH = 40.0  # points that "depth 7" takes
COLUMNS = ["panel", "line", "layer", "median", "low", "high", "theory"]


def tidy(
    signal: pd.DataFrame, panels: pd.Series, lines: pd.Series, growths: Mapping[str, float]
) -> pd.DataFrame:
    """Rows to draw: panel, line (their labels), layer, median, low, high (5-95 % over blocks), theory.

    `signal` is `signal.relative_signal` at one epoch; `panels` and `lines` give each of its rows the labels of its
    panel and line. Cells that share a line are averaged in ln within a block. `growths` holds the growth per layer
    that theory predicts for a panel, if it does; the theory's column is growth^(H - layer), else NaN.
    """
    if signal.empty:
        return pd.DataFrame(columns=COLUMNS)
    keys = ["panel", "line", "layer"]
    by_block = signal.assign(panel=panels, line=lines).groupby([*keys, "block"], sort=False)
    blocks = by_block.agg(log_ratio=("log_ratio", "mean"), last=("num_layers", "max")).reset_index()
    groups = blocks.groupby(keys, sort=False)
    quantiles = groups["log_ratio"].quantile(np.array([0.05, 0.5, 0.95])).unstack()
    quantiles.columns = pd.Index(["low", "median", "high"])
    rows = groups.agg(last=("last", "max")).join(quantiles.apply(np.exp)).reset_index()
    growth = rows["panel"].map(growths).astype(float)
    rows["theory"] = (growth ** (rows["last"] - rows["layer"])).where(growth.notna())
    return rows[COLUMNS]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str | None,
    levels: Sequence[Any],
    limits: tuple[float, float],
    num_layers: int,
) -> None:
    """Draw one panel of what `tidy` gives, a line for each level of `factor` (in ink where it is None)."""
    if frame.empty or frame["median"].isna().all():
        say_empty(ax, "No finite gradients: none recorded, or every network diverged.")
        return
    linear_axis(ax, "x", 0.8, max(num_layers, 2) + 0.2, most=8, whole=True)
    log_axis(ax, "y", *limits)
    quiet(ax)
    ax.axhline(1, color=MUTED.light, linewidth=0.8)
    ends: list[tuple[float, str, str]] = []
    drawn: list[Of] = []
    grows: list[bool] = []
    for level in levels or [None]:
        style = theme.style(factor, level) if factor else None
        rows = frame[frame["line"] == (style.name if style else "all")].sort_values("layer")
        colour = style.mark.light if style else INK.light
        marker = style.marker if style else "o"
        artists = [
            ax.fill_between(rows["layer"], rows["low"], rows["high"], color=colour, alpha=0.18, linewidth=0),
            *ax.plot(rows["layer"], rows["theory"], color=colour, linewidth=1.3, dashes=(4, 3)),
            *ax.plot(
                rows["layer"], rows["median"], marker=marker, linewidth=1.4, markersize=4.5, color=colour
            ),
        ]
        of = of_levels(factor if style else None, level)
        for artist in artists:
            tag(artist, of, ax)
        name = f"{level_phrase(factor, level)}, " if factor else ""
        mark(ax, rows["layer"], rows["median"], name, *said_of(rows), of=of)
        if style and len(rows):
            ends.append((float(rows["layer"].iloc[-1]), style.name, style.text.light))
            drawn.append(of)
            grows.append(bool(rows["median"].iloc[0] >= 1))
    if factor:
        _name_ends(ax, factor_name(factor), ends, drawn, below=sum(grows) * 2 >= len(grows))
    ax.set_xlabel("layer, from the input")


def said_of(rows: pd.DataFrame) -> tuple[str | tuple[str, ...], ...]:
    """What is said of each layer of a line."""
    theories = tuple("" if theory != theory else f"; theory {fine(theory)}" for theory in rows["theory"])
    bands = told_intervals(rows["low"], rows["high"], "5–95 % of blocks")
    return (
        "layer ",
        whole(rows["layer"]),
        ": ",
        told(rows["median"], fine),
        " times the last layer's",
        bands,
        theories,
    )


def _name_ends(
    ax: Axes, factor: str, ends: Sequence[tuple[float, str, str]], of: Sequence[Of], *, below: bool
) -> None:
    """Name each line where it ends, at 1, on the side that the lines leave free; `of` is whose each is.

    Where ends stand close, only the last carries the factor's name.
    """
    width = ax.get_window_extent().width * 72 / ax.figure.get_dpi()
    places = [float((ax.transData + ax.transAxes.inverted()).transform((end, 1))[0]) for end, _, _ in ends]
    gaps = [(second - first) * width for first, second in pairwise([0.0, *places])]
    roomy = all(gap >= NAME_WIDTH for gap in gaps[1:])
    for number, (place, name, colour) in enumerate(ends):
        text = f"{factor} {name}" if roomy or number == len(ends) - 1 else name
        written = ax.annotate(
            text,
            (place, 1),
            xytext=(4, -9 if below else 9),
            textcoords="offset points",
            ha="right" if len(text) > len(name) else "center",
            va="center",
            color=colour,
        )
        tag(written, of[number], ax)
