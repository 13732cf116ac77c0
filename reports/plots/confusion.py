"""Confusion matrix: how often each true class was taken for each class, right ones on the diagonal."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from reports.plots.style.axes import named_axis, say_empty
from reports.plots.style.marks import mark, told
from reports.plots.style.theme import ACCENT, BAD, INK, MUTED, RULE
from reports.wording.words import count, percent

MOST_NAMED = 20  # classes; more are drawn without numbers
STEPS = (0.002, 0.01, 0.03, 0.1, 0.3)  # shares of a true class at which the shade grows
SHADES = (0.12, 0.22, 0.34, 0.48, 0.62)


def tidy(confusion: Sequence[Sequence[float]], classes: Sequence[str]) -> pd.DataFrame:
    """Rows to draw: true, predicted (names), row, column, count, share (of the true class); zeros left out."""
    counts = np.asarray(confusion, dtype=float)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1) if counts.size else counts
    rows, columns = np.nonzero(counts) if counts.size else (np.array([], int), np.array([], int))
    return pd.DataFrame(
        {
            "true": [classes[int(row)] for row in rows],
            "predicted": [classes[int(column)] for column in columns],
            "row": rows,
            "column": columns,
            "count": counts[rows, columns] if counts.size else [],
            "share": (counts / totals)[rows, columns] if counts.size else [],
        }
    )


def draw(frame: pd.DataFrame, ax: Axes, *, classes: Sequence[str]) -> None:
    """Draw what `tidy` gives: right ones in the accent's colour, wrong ones darker the larger their share."""
    if frame.empty:
        say_empty(ax, "No prediction is recorded for the best configuration.")
        return
    few = len(classes) <= MOST_NAMED
    named_axis(ax, "x", list(classes) if few else [], pad=0.5)
    named_axis(ax, "y", list(classes) if few else [], pad=0.5)
    ax.set_xlim(-0.5, len(classes) - 0.5)
    ax.set_ylim(len(classes) - 0.5, -0.5)
    ax.tick_params(length=0, pad=4)
    for spine in ax.spines.values():
        spine.set_visible(False)
    right = frame["row"] == frame["column"]
    _fill(ax, frame[right], ACCENT.light, (0.28,))
    _fill(ax, frame[~right], BAD.light, SHADES)
    edges = np.arange(len(classes) + 1) - 0.5 if few else np.array([-0.5, len(classes) - 0.5])
    ax.hlines(edges, -0.5, len(classes) - 0.5, color=RULE.light, linewidth=0.6, zorder=0)
    ax.vlines(edges, -0.5, len(classes) - 0.5, color=RULE.light, linewidth=0.6, zorder=0)
    for row, column, num in frame[["row", "column", "count"]].to_numpy() if few else ():
        ax.text(column, row, count(num), ha="center", va="center", color=INK.light)
    mark(
        ax,
        frame["column"],
        frame["row"],
        "true ",
        list(frame["true"]),
        ", predicted ",
        list(frame["predicted"]),
        ": ",
        told(frame["count"], count),
        ", ",
        told(frame["share"], percent),
        " of the true class",
    )
    ax.set_xlabel("predicted", color=MUTED.light)
    ax.set_ylabel("true", color=MUTED.light)


def _fill(ax: Axes, cells: pd.DataFrame, colour: str, shades: Sequence[float]) -> None:
    place = np.digitize(cells["share"].to_numpy(dtype=float), STEPS[1 : len(shades)])
    for step, shade in enumerate(shades):
        boxes = [_box(row, column) for row, column in cells.loc[place == step, ["row", "column"]].to_numpy()]
        if boxes:
            filled = PolyCollection(boxes, facecolors=colour, edgecolors="none", alpha=shade, zorder=1)
            ax.add_collection(filled, autolim=False)


def _box(row: float, column: float) -> npt.NDArray[np.float64]:
    left, top = column - 0.5, row - 0.5
    return np.array([(left, top), (left + 1, top), (left + 1, top + 1), (left, top + 1)], dtype=float)
