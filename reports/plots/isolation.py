"""Isolation plot: one factor alone, a faint line a block over its levels, mean with interval, the best cell marked."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.cube import plain
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.plots.style.axes import linear_axis, log_axis, named_axis, quiet, say_empty
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.marks import mark, tag, tag_each, told, told_intervals, whole
from reports.plots.style.theme import FAINT, GROUND, INK, MUTED, Theme
from reports.statistics.intervals import ANYWHERE, Bounds, t_interval
from reports.wording.words import level_phrase


class Star(NamedTuple):
    """A level's best cell: its mean outcome with the 95 % t interval over blocks, and how the cell is called."""

    value: float
    low: float
    high: float
    cell: str


def tidy(
    scores: pd.DataFrame,
    factor: str,
    levels: Sequence[Any],
    outcome: str,
    best: Sequence[float],
    within: Bounds = ANYWHERE,
) -> pd.DataFrame:
    """Rows to draw: kind ("block", "mean", "best"), place (of the level), level, block, value, low, high.

    `scores` has one row per cell and block; "block" rows are means over the other factors' cells; "mean" rows
    their mean and 95 % t interval over blocks; `best` is each level's mean outcome at its best cell,
    and `within` is what a mean can lie between.
    """
    rows: list[dict[str, Any]] = []
    for place, level in enumerate(levels):
        at_level = scores[np.array([plain(value) == plain(level) for value in scores[factor]], dtype=bool)]
        blocks = at_level.groupby("block")[outcome].mean()
        base = {"place": place, "level": str(level)}
        rows += [{"kind": "block", **base, "block": b, "value": v} for b, v in blocks.items()]
        mean, low, high = t_interval(blocks.to_numpy(), within)
        rows.append({"kind": "mean", **base, "value": mean, "low": low, "high": high})
        rows.append({"kind": "best", **base, "value": best[place] if place < len(best) else np.nan})
    return pd.DataFrame(rows, columns=["kind", "place", "level", "block", "value", "low", "high"])


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str,
    levels: Sequence[Any],
    limits: tuple[float, float],
    line: tuple[str, float] | None = None,
    log: bool = True,
    measure: Measure = TEST_LOG_LOSS,
    stars: Sequence[Star] = (),
) -> None:
    """Draw what `tidy` gives on an axis with these limits; `levels` names the places.

    `line` is the name and the value of a model drawn for comparison; `stars` says more of each level's best cell.
    """
    blocks = frame[(frame["kind"] == "block") & frame["value"].notna()]
    if blocks.empty:
        say_empty(ax, "No finished network in the confirm phase yet.")
        return
    named_axis(ax, "x", [theme.style(factor, level).name for level in levels])
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    if line is not None:
        _draw_comparison(ax, *line)
    lines = [group[["place", "value"]].to_numpy() for _, group in blocks.groupby("block")]
    ax.add_collection(LineCollection(lines, colors=FAINT.light, linewidths=0.7, alpha=0.7), autolim=False)
    means = frame[frame["kind"] == "mean"]
    ax.plot(means["place"], means["value"], color=INK.light, linewidth=1.2, zorder=3)
    for place, mean, low, high in means[["place", "value", "low", "high"]].to_numpy(dtype=float):
        style = theme.style(factor, levels[int(place)])
        (bar,) = ax.plot([place, place], [low, high], color=style.mark.light, linewidth=3, zorder=4)
        (dot,) = ax.plot(place, mean, style.marker, color=style.mark.light, markersize=7, zorder=5)
        tag(bar, of_levels(factor, levels[int(place)]), ax)
        tag(dot, of_levels(factor, levels[int(place)]), ax)
    best = frame[(frame["kind"] == "best") & frame["value"].notna()]
    (drawn,) = ax.plot(
        best["place"], best["value"], "*", ms=9, mfc=GROUND.light, mec=INK.light, mew=0.9, zorder=6
    )
    tag_each(drawn, [of_levels(factor, levels[int(place)]) for place in best["place"]], ax)
    _mark(ax, means, f": mean {measure.title} ", factor, levels, measure)
    _mark_best(ax, best, factor, levels, measure, stars)
    for place, rows in blocks.groupby("place"):
        _mark(ax, rows, ", block ", factor, [levels[int(str(place))]] * len(levels), measure)
    if line is not None:
        mark(ax, 0.0, line[1], f"{line[0]}: {measure.format(line[1])}")
    if len(best):
        _name_star(ax, float(best["place"].iloc[-1]), float(best["value"].iloc[-1]), means)


def _mark(
    ax: Axes, rows: pd.DataFrame, begin: str, factor: str, levels: Sequence[Any], measure: Measure
) -> None:
    """Say the values at the levels, after what they are: means, best cells or single blocks."""
    at = [levels[int(place)] for place in rows["place"]]
    is_mean, of_block = bool(rows["low"].notna().any()), bool(rows["block"].notna().any())
    mark(
        ax,
        rows["place"],
        rows["value"],
        [level_phrase(factor, level) for level in at],
        begin,
        [f"{each}: " for each in whole(rows["block"])] if of_block else "",
        told(rows["value"], measure.value),
        told_intervals(rows["low"], rows["high"], scale=100 if measure.is_share else 1),
        of_each=[of_levels(factor, level) for level in at],
        ends=(rows["low"], rows["high"]) if is_mean else None,
        faint=of_block,
    )


def _mark_best(
    ax: Axes,
    rows: pd.DataFrame,
    factor: str,
    levels: Sequence[Any],
    measure: Measure,
    stars: Sequence[Star],
) -> None:
    """Say which cell a star is, and its mean with the interval, which is not drawn."""
    places = [int(place) for place in rows["place"]]
    known = [stars[place] for place in places] if stars else []
    scale = 100 if measure.is_share else 1
    mark(
        ax,
        rows["place"],
        rows["value"],
        [level_phrase(factor, levels[place]) for place in places],
        " at its best cell",
        [f" ({each.cell})" for each in known] if known else "",
        f": {measure.title} ",
        told(rows["value"], measure.value),
        told_intervals([each.low for each in known], [each.high for each in known], scale=scale)
        if known
        else "",
        of_each=[of_levels(factor, levels[place]) for place in places],
    )


def _draw_comparison(ax: Axes, name: str, value: float) -> None:
    ax.axhline(value, color=MUTED.light, linewidth=1.2, dashes=(5, 3), zorder=2)
    ax.annotate(
        name,
        (0, value),
        xycoords=("axes fraction", "data"),
        xytext=(2, -3),
        textcoords="offset points",
        va="top",
        color=MUTED.light,
    )


def _name_star(ax: Axes, place: float, value: float, means: pd.DataFrame) -> None:
    """Say once what a star is: below it, or above where the mean is not."""
    below = value <= float(means["value"].iloc[-1])
    ax.annotate(
        "rest tuned",
        (place, value),
        xytext=(0, -12 if below else 12),
        textcoords="offset points",
        ha="center",
        va="center",
        color=MUTED.light,
    )
