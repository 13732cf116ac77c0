"""Verdict bars: shares of every verdict by level, trained (bar) and at the start (ring), with intervals over blocks."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.cube import plain
from reports.plots.style.axes import say_empty
from reports.plots.style.grid import FULL_WIDTH, LETTER
from reports.plots.style.theme import FAINT, INK, MUTED, RULE, Theme
from reports.wording.words import factor_name, percent

COLUMNS = ["factor", "level", "verdict", "when", "count", "num", "share", "low", "high"]
ROW, HEAD = 19.0, 21.0  # points a level and a factor's name
TOP, FEET = 26.0, 18.0  # points for the verdicts' names and for the axes
BAR, NUMBER, GAP = 90.0, 25.0, 20.0  # points: the longest bar, room for its number, between verdicts


def tidy(shares: pd.DataFrame) -> pd.DataFrame:
    """Rows to draw: factor, level, verdict, when ("initial", "trained"), count, num, share, low, high.

    The ends are those of a 95 % interval over blocks. `shares` is `results.verdicts`. A verdict that occurs at one time
    only has share 0 at the other.
    """
    return shares[COLUMNS].reset_index(drop=True)


def size(factors: Mapping[str, Sequence[Any]], theme: Theme, num_verdicts: int) -> tuple[float, float]:
    """Width and height in points that the bars of so many verdicts take."""
    height = TOP + sum(HEAD + ROW * len(levels) for levels in factors.values()) + FEET
    left, bar = _columns(factors, theme, num_verdicts)
    return left + num_verdicts * (bar + NUMBER + GAP) - GAP, height


def _columns(factors: Mapping[str, Sequence[Any]], theme: Theme, num_verdicts: int) -> tuple[float, float]:
    """Room for the levels' names, and the length of a bar of 100 %."""
    names = [theme.style(factor, level).name for factor, levels in factors.items() for level in levels]
    left = 14 + LETTER * max(len(text) for text in [*names, *map(factor_name, factors)])
    return left, min(BAR, (FULL_WIDTH - left + GAP) / num_verdicts - NUMBER - GAP)


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factors: Mapping[str, Sequence[Any]],
    verdicts: Sequence[str],
) -> None:
    """Draw what `tidy` gives, one column a verdict; the axes must have the size that `size` says, in points."""
    if frame.empty:
        say_empty(ax, "No network has a verdict.")
        return
    width, height = size(factors, theme, len(verdicts))
    ax.set_axis_off()
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)
    left, bar = _columns(factors, theme, len(verdicts))
    lefts = {verdict: left + place * (bar + NUMBER + GAP) for place, verdict in enumerate(verdicts)}
    for verdict, x in lefts.items():
        _axis(ax, verdict, x, bar, height)
    rows = {
        (row["factor"], plain(row["level"]), row["verdict"], row["when"]): row
        for row in frame.to_dict("records")
    }
    y = TOP
    for factor, levels in factors.items():
        ax.text(2, y + HEAD - 8, factor_name(factor), va="center", color=MUTED.light)
        y += HEAD
        for level in levels:
            style = theme.style(factor, level)
            ax.text(left - 6, y + ROW / 2, style.name, ha="right", va="center", color=style.text.light)
            for verdict, x in lefts.items():
                trained, initial = (
                    rows.get((factor, plain(level), verdict, when)) for when in ("trained", "initial")
                )
                _bar(ax, trained, x, bar, y + ROW / 2 + 1, style.mark.light)
                _ring(ax, initial, x, bar, y + ROW / 2 - 4)
            y += ROW


def _axis(ax: Axes, verdict: str, left: float, bar: float, height: float) -> None:
    ax.text(left, 9, verdict, weight="bold", va="center")
    lines = [
        [(left + share * bar, TOP + HEAD - 6), (left + share * bar, height - FEET)] for share in (0, 0.5, 1)
    ]
    ax.add_collection(LineCollection(lines, colors=RULE.light, linewidths=0.6, zorder=0), autolim=False)
    for share, side in ((0, "left"), (1, "right")):
        ax.text(left + share * bar, height - 8, f"{100 * share:g}", ha=side, va="center", color=MUTED.light)


def _bar(ax: Axes, row: Mapping[Any, Any] | None, left: float, bar: float, y: float, colour: str) -> None:
    share = 0.0 if row is None else row["share"]
    if row is not None and share > 0:
        ax.barh([y], [share * bar], 7, left=left, color=colour, alpha=0.7, linewidth=0)
        ax.plot([left + row["low"] * bar, left + row["high"] * bar], [y, y], color=INK.light, linewidth=1.1)
    shown = percent(share, 0).removesuffix("%").strip()
    ink = INK if share > 0 else MUTED
    ax.text(left + bar + NUMBER - 4, y, shown, ha="right", va="center", color=ink.light)


def _ring(ax: Axes, row: Mapping[Any, Any] | None, left: float, bar: float, y: float) -> None:
    if row is None or row["share"] == 0:
        return
    ax.plot([left + row["low"] * bar, left + row["high"] * bar], [y, y], color=FAINT.light, linewidth=0.9)
    ax.plot(
        [left + row["share"] * bar],
        [y],
        "o",
        markersize=3.6,
        markerfacecolor="none",
        markeredgecolor=MUTED.light,
        mew=0.9,
    )
