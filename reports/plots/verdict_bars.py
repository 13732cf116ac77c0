"""Verdict bars: shares of every verdict by level, trained (bar) and at the start (ring), with intervals over blocks."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.cube import plain
from reports.plots.style.axes import say_empty
from reports.plots.style.grid import FULL_WIDTH, LETTER
from reports.plots.style.marks import Of, mark, tag
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.marks import verdict as of_verdict
from reports.plots.style.theme import FAINT, INK, MUTED, RULE, Theme
from reports.wording.words import count, factor_name, level_phrase, percent

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
            of = of_levels(factor, level)
            name = ax.text(left - 6, y + ROW / 2, style.name, ha="right", va="center", color=style.text.light)
            tag(name, of, ax)
            for verdict, x in lefts.items():
                trained, initial = (
                    rows.get((factor, plain(level), verdict, when)) for when in ("trained", "initial")
                )
                whose = (*of, *of_verdict(verdict))
                _bar(ax, trained, x, bar, y + ROW / 2 + 1, style.mark.light, whose)
                _ring(ax, initial, x, bar, y + ROW / 2 - 4, whose)
                _number(ax, trained, initial, x, bar, y + ROW / 2 + 1, whose)
                for row, height, when in (
                    (trained, y + ROW / 2 + 1, "trained"),
                    (initial, y + ROW / 2 - 4, "at initialisation"),
                ):
                    said = f"{level_phrase(factor, level)}, {verdict} {when}: "
                    _mark(ax, row, x, bar, height, said, whose, is_bar=when == "trained")
            y += ROW


def _axis(ax: Axes, verdict: str, left: float, bar: float, height: float) -> None:
    tag(ax.text(left, 9, verdict, weight="bold", va="center"), of_verdict(verdict), ax)
    lines = [
        [(left + share * bar, TOP + HEAD - 6), (left + share * bar, height - FEET)] for share in (0, 0.5, 1)
    ]
    ax.add_collection(LineCollection(lines, colors=RULE.light, linewidths=0.6, zorder=0), autolim=False)
    for share, side in ((0, "left"), (1, "right")):
        ax.text(left + share * bar, height - 8, f"{100 * share:g}", ha=side, va="center", color=MUTED.light)


def _mark(
    ax: Axes,
    row: Mapping[Any, Any] | None,
    left: float,
    bar: float,
    y: float,
    said: str,
    of: Of,
    *,
    is_bar: bool,
) -> None:
    """Say a share with its counts; a ring is drawn of some share alone, a bar's number even of none."""
    if row is None or (row["share"] == 0 and not is_bar):
        return
    ends = f", 95 % interval {percent(row['low'], 0)} to {percent(row['high'], 0)}"
    counted = f"{percent(row['share'])}, {count(row['count'])} of {count(row['num'])} networks"
    end = left + row["share"] * bar
    mark(ax, end, y, said, [counted + ends], of=of, ends=(left if is_bar else end, end), across=True)


def _bar(
    ax: Axes, row: Mapping[Any, Any] | None, left: float, bar: float, y: float, colour: str, of: Of
) -> None:
    share = 0.0 if row is None else row["share"]
    if row is not None and share > 0:
        (drawn,) = ax.barh([y], [share * bar], 7, left=left, color=colour, alpha=0.7, linewidth=0).patches
        (ends,) = ax.plot(
            [left + row["low"] * bar, left + row["high"] * bar], [y, y], color=INK.light, linewidth=1.1
        )
        tag(drawn, of, ax)
        tag(ends, of, ax)


def _number(
    ax: Axes,
    trained: Mapping[Any, Any] | None,
    initial: Mapping[Any, Any] | None,
    left: float,
    bar: float,
    y: float,
    of: Of,
) -> None:
    """Write a bar's share right after it: behind its interval, and behind the ring's where that is in the way."""
    share = 0.0 if trained is None else trained["share"]
    shown = percent(share, 0).removesuffix("%").strip()
    at = left + 4 + (0.0 if trained is None or share == 0 else max(share, trained["high"]) * bar)
    if initial is not None and initial["share"] > 0:
        low, high = (left + each * bar for each in (initial["low"], max(initial["share"], initial["high"])))
        if low - 4 < at + LETTER * len(shown) and at < high + 4:
            at = high + 4
    ink = INK if share > 0 else MUTED
    tag(ax.text(at, y, shown, ha="left", va="center", color=ink.light), of, ax)


def _ring(ax: Axes, row: Mapping[Any, Any] | None, left: float, bar: float, y: float, of: Of) -> None:
    if row is None or row["share"] == 0:
        return
    lines = ax.plot(
        [left + row["low"] * bar, left + row["high"] * bar], [y, y], color=FAINT.light, linewidth=0.9
    )
    lines += ax.plot(
        [left + row["share"] * bar],
        [y],
        "o",
        markersize=3.6,
        markerfacecolor="none",
        markeredgecolor=MUTED.light,
        mew=0.9,
    )
    for line in lines:
        tag(line, of, ax)
