"""Verdict bars: the share of one verdict by level, trained (bar) and at the start (ring), with Wilson's intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from reports.cube import plain
from reports.plots.axes import say_empty
from reports.theme import FAINT, INK, MUTED, RULE, Theme
from reports.words import factor_name, percent

COLUMNS = ["factor", "level", "when", "count", "num", "share", "low", "high"]
ROW = 19.0  # points a level
HEAD = 21.0  # points a factor's name
NAME, NUMBER = 0.42, 0.24  # room left and right of 0..1, for names and numbers


def tidy(shares: pd.DataFrame, verdict: str) -> pd.DataFrame:
    """Rows to draw: factor, level, when ("initial", "trained"), count, num, share, low, high (Wilson, 95 %).

    `shares` is `results.verdicts`; `verdict` the one of this panel. A level at which it never occurs has share 0.
    """
    return shares.loc[shares["verdict"] == verdict, COLUMNS].reset_index(drop=True)


def height(factors: Mapping[str, Sequence[Any]]) -> float:
    """Height in points that the rows of all levels take."""
    return sum(HEAD + ROW * len(levels) for levels in factors.values()) + 18


def draw(frame: pd.DataFrame, ax: Axes, *, theme: Theme, factors: Mapping[str, Sequence[Any]]) -> None:
    """Draw what `tidy` gives; the axes must have the height that `height` says, one unit is one point."""
    if frame.empty:
        say_empty(ax, "No network has this verdict.")
        return
    bottom = height(factors)
    ax.set_axis_off()
    ax.set_xlim(-NAME, 1 + NUMBER)
    ax.set_ylim(bottom, 0)
    for share in (0, 0.5, 1):
        ax.plot([share, share], [HEAD - 6, bottom - 16], color=RULE.light, linewidth=0.6, zorder=0)
        ax.text(share, bottom - 7, f"{100 * share:g}", ha="center", va="center", color=MUTED.light)
    rows = {(row["factor"], plain(row["level"]), row["when"]): row for row in frame.to_dict("records")}
    y = 0.0
    for factor, levels in factors.items():
        ax.text(-NAME, y + HEAD - 8, factor_name(factor), va="center", color=MUTED.light)
        y += HEAD
        for level in levels:
            style = theme.style(factor, level)
            ax.text(-0.04, y + ROW / 2, style.name, ha="right", va="center", color=style.text.light)
            _bar(ax, rows.get((factor, plain(level), "trained")), y + ROW / 2, style.mark.light)
            _ring(ax, rows.get((factor, plain(level), "initial")), y + ROW / 2 - 5)
            y += ROW


def _bar(ax: Axes, row: Mapping[Any, Any] | None, y: float, colour: str) -> None:
    if row is None:
        return
    ax.barh([y + 1], [row["share"]], 7, color=colour, alpha=0.7, linewidth=0)
    ax.plot([row["low"], row["high"]], [y + 1, y + 1], color=INK.light, linewidth=1.1)
    shown = percent(row["share"], 0).removesuffix("%").strip()
    ax.text(1 + NUMBER, y + 1, shown, ha="right", va="center", color=INK.light)


def _ring(ax: Axes, row: Mapping[Any, Any] | None, y: float) -> None:
    if row is None:
        return
    ax.plot([row["low"], row["high"]], [y, y], color=FAINT.light, linewidth=0.9)
    ax.plot(
        [row["share"]], [y], "o", markersize=3.6, markerfacecolor="none", markeredgecolor=MUTED.light, mew=0.9
    )
