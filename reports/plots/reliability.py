"""Reliability diagram: accuracy over confidence, all examples of a bin together, with the counts below."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import linear_axis, quiet, say_empty
from reports.plots.style.marks import mark, told, told_intervals
from reports.plots.style.theme import ACCENT, FAINT, MUTED
from reports.wording.words import count, percent

COLUMNS = ["low", "high", "count", "confidence", "accuracy", "accuracy_low", "accuracy_high"]
COUNTS = 0.26  # share of the height below the diagram


def tidy(bins: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows to draw, one a bin (see `evaluation.evaluation_record`)."""
    return pd.DataFrame(list(bins), columns=COLUMNS).astype(float)


def draw(frame: pd.DataFrame, ax: Axes) -> None:
    """Draw what `tidy` gives: dots with intervals over blocks on the diagonal's square, bars of counts under it."""
    seen = frame[frame["count"] > 0]
    if seen.empty:
        say_empty(ax, "No prediction is recorded for the best configuration.")
        return
    linear_axis(ax, "x", 0, 1.03)
    ax.set_ylim(-COUNTS, 1.02)
    ax.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    quiet(ax)
    ax.plot([0, 1], [0, 1], color=MUTED.light, linewidth=1, dashes=(4, 3))
    ax.vlines(
        seen["confidence"], seen["accuracy_low"], seen["accuracy_high"], color=ACCENT.light, linewidth=2
    )
    ax.plot(seen["confidence"], seen["accuracy"], "o", color=ACCENT.light, markersize=5.5)
    _draw_counts(ax, seen)
    mark(
        ax,
        seen["confidence"],
        seen["accuracy"],
        "mean confidence ",
        told(seen["confidence"], percent),
        ": ",
        told(seen["accuracy"], percent),
        " of ",
        told(seen["count"], count),
        " examples right",
        told_intervals(seen["accuracy_low"], seen["accuracy_high"], scale=100),
        ends=(seen["accuracy_low"].fillna(seen["accuracy"]), seen["accuracy_high"].fillna(seen["accuracy"])),
    )
    ax.set_xlabel("confidence of the predicted class")


def _draw_counts(ax: Axes, seen: pd.DataFrame) -> None:
    """Bars below the diagram on a log scale, each with its count."""
    heights = np.log1p(seen["count"]) / np.log1p(seen["count"].max()) * (COUNTS - 0.14)
    middles, widths = (seen["low"] + seen["high"]) / 2, 0.8 * (seen["high"] - seen["low"])
    ax.bar(middles, heights, widths, bottom=-COUNTS, color=FAINT.light, linewidth=0)
    mark(
        ax,
        middles,
        -COUNTS + heights,
        "confidence from ",
        told(seen["low"], lambda low: f"{low:g}"),
        " to ",
        told(seen["high"], lambda high: f"{high:g}"),
        ": ",
        told(seen["count"], count),
        " examples",
        ends=(-COUNTS + 0 * heights, -COUNTS + heights),
    )
    for middle, height, num in zip(middles, heights, seen["count"], strict=True):
        ax.text(middle, -COUNTS + height + 0.015, _short(num), ha="center", va="bottom", color=MUTED.light)


def _short(num: float) -> str:
    """A count that fits its bar: below a thousand as it is, else in thousands."""
    return count(num) if num < 1000 else f"{num / 1000:.{1 if num < 9950 else 0}f}k"
