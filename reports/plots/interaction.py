"""Interaction plot: the outcome over one factor's levels, a line for each level of the factor it depends on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.cube import plain
from reports.inputs.measures import TEST_LOG_LOSS, Measure
from reports.plots.style.axes import label_right, linear_axis, log_axis, named_axis, quiet, say_empty
from reports.plots.style.marks import Of, mark, tag, tag_each, told, told_intervals, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import FAINT, MUTED, Theme
from reports.statistics.intervals import ANYWHERE, Bounds, t_interval
from reports.wording.words import factor_name, level_phrase

COLUMNS = ["kind", "place", "line", "level", "by_level", "block", "value", "low", "high"]
APART = 0.05  # so that intervals at the same level do not cover each other


def tidy(
    scores: pd.DataFrame,
    factor: str,
    levels: Sequence[Any],
    by: str,
    by_levels: Sequence[Any],
    outcome: str,
    within: Bounds = ANYWHERE,
) -> pd.DataFrame:
    """Rows to draw: kind ("block", "mean"), place and line (of the two levels), block, value, low, high.

    `scores` has one row per cell and block; values are means over the cells of all other factors, means and their
    95 % t intervals over blocks, which stay `within` what a mean can lie between.
    """
    rows: list[dict[str, Any]] = []
    for line, by_level in enumerate(by_levels):
        for place, level in enumerate(levels):
            there = _at(_at(scores, factor, level), by, by_level)
            blocks = there.groupby("block")[outcome].mean()
            base = {"place": place, "line": line, "level": str(level), "by_level": str(by_level)}
            rows += [{"kind": "block", **base, "block": b, "value": v} for b, v in blocks.items()]
            mean, low, high = t_interval(blocks.to_numpy(), within)
            rows.append({"kind": "mean", **base, "value": mean, "low": low, "high": high})
    return pd.DataFrame(rows, columns=COLUMNS)


def _at(scores: pd.DataFrame, factor: str, level: Any) -> pd.DataFrame:
    return scores[np.array([plain(value) == plain(level) for value in scores[factor]], dtype=bool)]


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str,
    levels: Sequence[Any],
    by: str,
    by_levels: Sequence[Any],
    limits: tuple[float, float],
    log: bool = True,
    measure: Measure = TEST_LOG_LOSS,
) -> None:
    """Draw what `tidy` gives on an axis with these limits."""
    means = frame[(frame["kind"] == "mean") & frame["value"].notna()]
    if means.empty:
        say_empty(ax, "No finished network in the confirm phase yet.")
        return
    named_axis(ax, "x", [theme.style(factor, level).name for level in levels], pad=0.3)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    ax.set_xlabel(factor_name(factor))
    quiet(ax)
    blocks = frame[(frame["kind"] == "block") & frame["value"].notna()]
    by_block = list(blocks.groupby(["line", "block"]))
    lines = [rows[["place", "value"]].to_numpy(dtype=float) for _, rows in by_block]
    faint = LineCollection(lines, colors=FAINT.light, linewidths=0.6, alpha=0.45)
    ax.add_collection(faint, autolim=False)
    tag_each(faint, [of_levels(by, by_levels[int(rows["line"].iloc[0])]) for _, rows in by_block], ax)
    labels, owners = [], []
    for line, by_level in enumerate(by_levels):
        style, mine = theme.style(by, by_level), means[means["line"] == line]
        if mine.empty:
            continue
        places = mine["place"] + APART * (line - (len(by_levels) - 1) / 2)
        of = of_levels(by, by_level)
        of_points = [(*of, *of_levels(factor, levels[int(place)])) for place in mine["place"]]
        (drawn,) = ax.plot(places, mine["value"], color=style.mark.light, linewidth=1.6)
        (dots,) = ax.plot(
            places, mine["value"], style.marker, color=style.mark.light, markersize=6, linestyle=""
        )
        known = (mine["low"].notna() & mine["high"].notna()).to_numpy()
        bars = ax.vlines(
            places[known], mine["low"][known], mine["high"][known], color=style.mark.light, linewidth=2.2
        )
        tag(drawn, of, ax)
        tag_each(dots, of_points, ax)
        tag_each(bars, [each for each, is_known in zip(of_points, known, strict=True) if is_known], ax)
        _mark(ax, mine, places, level_phrase(by, by_level), factor, levels, of, measure)
        labels.append((float(mine["value"].iloc[-1]), style.name, style.text.light))
        owners.append(of)
    label_right(ax, labels, of=owners)
    ax.annotate(
        factor_name(by),
        (1, 1),
        xycoords="axes fraction",
        xytext=(5, 8),
        textcoords="offset points",
        color=MUTED.light,
        annotation_clip=False,
    )
    for line, by_level in enumerate(by_levels):
        mine, name, of = blocks[blocks["line"] == line], level_phrase(by, by_level), of_levels(by, by_level)
        _mark(ax, mine, mine["place"], name, factor, levels, of, measure)


def _mark(
    ax: Axes,
    rows: pd.DataFrame,
    places: "pd.Series[Any]",
    name: str,
    factor: str,
    levels: Sequence[Any],
    of: Of,
    measure: Measure,
) -> None:
    """Say the values of one line: of its means, or of its blocks."""
    at = [levels[int(place)] for place in rows["place"]]
    of_block = bool(rows["block"].notna().any())
    mark(
        ax,
        places,
        rows["value"],
        f"{name}, ",
        [level_phrase(factor, level) for level in at],
        [f", block {each}: " for each in whole(rows["block"])] if of_block else ": mean ",
        told(rows["value"], measure.format),
        "" if of_block else told_intervals(rows["low"], rows["high"], scale=100 if measure.is_share else 1),
        of=of,
        of_each=[of_levels(factor, level) for level in at],
        ends=None if of_block else (rows["low"], rows["high"]),
        faint=of_block,
    )
