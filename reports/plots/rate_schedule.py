"""How learning rates changed while networks trained: the share of its first rate that a network has in each epoch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import label_right, limits_of, linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import fine, mark, tag, told, whole
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.theme import ACCENT, Theme
from reports.wording.words import level_phrase

COLUMNS = ["level", "epoch", "median", "low", "high", "num"]
FACTOR = "schedule"


def tidy(epochs: pd.DataFrame, levels: pd.Series) -> pd.DataFrame:
    """Rows to draw: level, epoch, and the median, least and largest share over so many networks that trained in it.

    `epochs` has trial_number, replicate, epoch, learning_rate; `levels` names each row's level of the schedule.
    """
    rates = epochs.assign(level=levels).dropna(subset="learning_rate").sort_values("epoch")
    if rates.empty:
        return pd.DataFrame(columns=COLUMNS)
    first = rates.groupby(["trial_number", "replicate"])["learning_rate"].transform("first")
    groups = (rates["learning_rate"] / first).groupby([rates["level"], rates["epoch"]])
    table = groups.agg(["median", "min", "max", "size"]).reset_index()
    table.columns = pd.Index(COLUMNS)
    return table


def draw(frame: pd.DataFrame, ax: Axes, *, theme: Theme, levels: Sequence[Any]) -> None:
    """Draw what `tidy` gives: the median of each of `levels`, and from the least to the largest network."""
    if frame.empty:
        say_empty(ax, "No learning rate is recorded.")
        return
    linear_axis(ax, "x", 1, float(max(frame["epoch"].max(), 2)), most=7, whole=True)
    log_axis(ax, "y", *limits_of([*frame["low"], *frame["high"]], log=True))
    quiet(ax)
    labels, owners = [], []
    for level in levels:
        style = None if level is None else theme.style(FACTOR, level)
        name, ink = ("", ACCENT) if style is None else (style.name, style.mark)
        rows = frame[frame["level"] == name].sort_values("epoch")
        of = of_levels(None if level is None else FACTOR, level)
        band = ax.fill_between(
            rows["epoch"], rows["low"], rows["high"], color=ink.light, alpha=0.2, linewidth=0
        )
        (line,) = ax.plot(rows["epoch"], rows["median"], color=ink.light, linewidth=1.6)
        tag(band, of, ax)
        tag(line, of, ax)
        mark(
            ax,
            rows["epoch"],
            rows["median"],
            "" if level is None else f"{level_phrase(FACTOR, level)}, ",
            "epoch ",
            whole(rows["epoch"]),
            ": median learning rate ",
            told(rows["median"], fine),
            " of the first, from ",
            told(rows["low"], fine),
            " to ",
            told(rows["high"], fine),
            of=of,
        )
        if style is not None and len(rows):
            labels.append((float(rows["median"].iloc[-1]), style.name, style.text.light))
            owners.append(of)
    label_right(ax, labels, of=owners)
    ax.set_xlabel("epoch")
