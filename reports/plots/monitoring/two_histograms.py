"""A number in two samples: the reference's shares as a filled shape, those of later rows as a line over it."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from reports.plots.monitoring.key import draw_key
from reports.plots.style.axes import linear_axis, quiet, say_empty
from reports.plots.style.marks import mark, told
from reports.plots.style.theme import LevelStyle
from reports.wording.words import percent

COLUMNS = ["low", "high", "before", "after"]


def tidy(edges: Sequence[float], before: Sequence[float], after: Sequence[float]) -> pd.DataFrame:
    """Rows to draw, one a bin: its ends and the share of each sample's rows within."""
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "before": before, "after": after}, columns=COLUMNS
    ).astype(float)


def draw(frame: pd.DataFrame, ax: Axes, *, before: LevelStyle, after: LevelStyle, most: float) -> None:
    """Draw what `tidy` gives; shares from 0 to `most`, in per cent."""
    if frame.empty:
        say_empty(ax, "No row has a value.")
        return
    edges = [*frame["low"], frame["high"].iloc[-1]]
    linear_axis(ax, "x", edges[0], edges[-1], most=5)
    linear_axis(ax, "y", 0, 100 * most * 1.06, most=5, least=0)
    quiet(ax)
    ax.stairs(100 * frame["before"], edges, fill=True, color=before.mark.light, alpha=0.3, linewidth=0)
    ax.stairs(100 * frame["before"], edges, color=before.mark.light, linewidth=1)
    ax.stairs(100 * frame["after"], edges, color=after.mark.light, linewidth=2)
    middles = (frame["low"] + frame["high"]) / 2
    for name, word in (("before", "before"), ("after", "now")):
        low, high = (told(frame[end], lambda value: f"{value:.4g}") for end in ("low", "high"))
        shares = told(frame[name], percent)
        ends = (0 * middles, 100 * frame[name])
        mark(ax, middles, 100 * frame[name], f"{word}, from ", low, " to ", high, ": ", shares, ends=ends)
    draw_key(ax, before=before, after=after, signs=("▮", "━"))
