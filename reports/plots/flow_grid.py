"""Gradient flow of many settings at once: a small picture each in a grid, one line a depth, theory dashed."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PolyCollection

from reports.plots.gradient_flow import said_of
from reports.plots.style.axes import log_ticks, say_empty, tick_text
from reports.plots.style.grid import Column, Grid
from reports.plots.style.marks import Of, mark, tag
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import FAINT, INK, MUTED, RULE, Theme
from reports.wording.words import factor_name, level_phrase

HEIGHT, MOST_HIGH = 84.0, 430.0  # points of a small picture, and of all rows together
TICKS, FEET = 34.0, 40.0  # room for the ticks' labels, and for the legend
Points = npt.NDArray[np.float64]


def layout(rows: Sequence[str], columns: Sequence[Column], of: Mapping[str, Of] | None = None) -> Grid:
    """The grid of these rows and columns, lower where there are many rows, so that it fits a screen.

    `of` is whose a row or a column is, by its name.
    """
    height = min(HEIGHT, MOST_HIGH / len(rows))
    heights = dict.fromkeys(rows, height)
    return Grid(heights=heights, columns=columns, feet=FEET, aside=TICKS, wraps=True, of=of or {})


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    grid: Grid,
    theme: Theme,
    factor: str | None,
    levels: Sequence[Any],
    limits: tuple[float, float],
    num_layers: int,
) -> None:
    """Draw rows of `gradient_flow.tidy` with their place in the grid (row, column), one line a level of `factor`.

    The axes must have the size of `grid`, which `layout` makes.
    """
    if frame.empty or frame["median"].isna().all():
        say_empty(ax, "No finite gradients: none recorded, or every network diverged.")
        return
    grid.prepare(ax)
    grid.own(ax)
    _ground(ax, grid, limits)
    legend = []
    for level in levels or [None]:
        style = theme.style(factor, level) if factor and level is not None else None
        name, colour = (style.name, style.mark.light) if style else ("all", INK.light)
        lines = _Lines(frame[frame["line"] == name], grid, limits, num_layers)
        of = of_levels(factor if style else None, level)
        lines.draw(ax, colour, style.marker if style else "o", of)
        lines.mark(ax, grid, level_phrase(str(factor), level) if style else "", of)
        if style:
            legend.append((f"{factor_name(str(factor))} {style.name}", colour, style.marker))
    grid.name_ends(ax, "layer, from the input", "1", str(num_layers))
    _legend(ax, grid, legend, bool(frame["theory"].notna().any()))


class _Lines:
    """The lines of one depth in all small pictures, as points of the drawing."""

    def __init__(self, rows: pd.DataFrame, grid: Grid, limits: tuple[float, float], num_layers: int) -> None:
        self.medians: list[Points] = []
        self.theories: list[Points] = []
        self.bands: list[Points] = []
        self.parts: list[tuple[str, str, pd.DataFrame]] = []
        for key, part in rows.sort_values("layer").groupby(["row", "column"], sort=False):
            row, column = map(str, key)
            self.parts.append((row, column, part))
            across = (part["layer"].to_numpy() - 1) / max(1, num_layers - 1)
            x = grid.lefts[column] + grid.box * across
            median, low, high, theory = (
                _down(part[name].to_numpy(), grid.tops[row], grid.heights[row], limits)
                for name in ("median", "low", "high", "theory")
            )
            self.medians.append(np.column_stack([x, median]))
            self.theories.append(np.column_stack([x, theory]))
            band = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])])
            self.bands.append(band[np.isfinite(band).all(axis=1)])

    def mark(self, ax: Axes, grid: Grid, name: str, of: Of) -> None:
        """Say what stands behind every point of every line."""
        for (row, column, part), line in zip(self.parts, self.medians, strict=True):
            said = said_of(part)
            where = grid.named(row, column, name)
            mark(ax, line[:, 0], line[:, 1], where, *said, of=(*grid.owner(row, column), *of))

    def draw(self, ax: Axes, colour: str, marker: str, of: Of) -> None:
        """Draw bands, theory, medians, and a marker where the signal arrives: at the first layer."""
        bands = [band for band in self.bands if len(band)]
        collections: list[Collection] = []
        if bands:
            collections.append(PolyCollection(bands, facecolors=colour, alpha=0.18))
        collections.append(LineCollection(self.medians, colors=colour, linewidths=1.4))
        dashed = LineCollection(
            self.theories, colors=FAINT.light, linewidths=0.9, linestyles=[(0, (4, 4))], zorder=3
        )
        collections.append(dashed)
        for collection in collections:
            ax.add_collection(collection, autolim=False)
        first = np.array([line[0] for line in self.medians])
        drawn = [*collections, *ax.plot(first[:, 0], first[:, 1], marker, markersize=4.0, color=colour)]
        for artist in drawn:
            tag(artist, of, ax)


def _down(values: Points, top: float, height: float, limits: tuple[float, float]) -> Points:
    """Values of a log axis from `limits` as distances from the top of the drawing."""
    low, high = map(math.log, limits)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(top + height * (high - np.log(values.astype(float))) / (high - low))


def _ground(ax: Axes, grid: Grid, limits: tuple[float, float]) -> None:
    """Grid lines in every small picture, with ticks left of the first column."""
    ticks = [tick for tick in log_ticks(*limits, most=5) if tick != 1]
    rules, ones = [], []
    for row, top in grid.tops.items():
        at = _down(np.array([*ticks, 1.0]), top, grid.heights[row], limits)
        spans = [[(left, y), (left + grid.box, y)] for y in at[:-1] for left in grid.lefts.values()]
        rules += spans
        ones += [[(left, at[-1]), (left + grid.box, at[-1])] for left in grid.lefts.values()]
        for tick, y in zip([*ticks, 1.0], at, strict=True):
            ax.text(grid.left - 6, y, tick_text(tick), ha="right", va="center", color=MUTED.light)
    ax.add_collection(LineCollection(rules, colors=RULE.light, linewidths=0.6, zorder=0), autolim=False)
    ax.add_collection(LineCollection(ones, colors=MUTED.light, linewidths=0.8, zorder=0), autolim=False)


def _legend(ax: Axes, grid: Grid, lines: Sequence[tuple[str, str, str]], with_theory: bool) -> None:
    y, x = grid.bottom + 26, grid.left
    for name, colour, marker in lines:
        ax.plot([x, x + 22], [y, y], color=colour, linewidth=1.3)
        ax.plot([x], [y], marker, markersize=4.0, color=colour)
        ax.text(x + 28, y, name, va="center", color=colour)
        x += 28 + 5.4 * len(name) + 22
    if with_theory:
        ax.plot([x, x + 22], [y, y], color=FAINT.light, linewidth=0.9, dashes=(4, 4))
        ax.text(x + 28, y, "theory", va="center", color=MUTED.light)
