"""Intervals look by look: one panel a question, one row a look, and which interval answered it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.inputs.decisions import Standing
from reports.plots.style.axes import limits_of, linear_axis, quiet
from reports.plots.style.marks import mark
from reports.plots.style.theme import GROUND, INK, MUTED, SHADE
from reports.wording.words import difference_name, interval

ROW, LEFT = 26, 54  # points: the height of a row, the room for the names of rows
SPOKEN = {Standing.CLOSED: "which answered the question"}
MOST_SIZES = 6
"""How many smallest effects the scale reaches to each side; an interval that goes on ends in an arrowhead."""
COLUMNS = (
    *(
        "label",
        "same_cells_as",
        "is_turned",
        "look",
        "num_blocks",
        "estimate",
        "low",
        "high",
        "gate",
        "standing",
        "text",
    ),
)


def tidy(readings: pd.DataFrame, at_best: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows to draw: one for each question and look at which it was read.

    - `label` ("depth: 5 − 3"), `look`, `num_blocks`, `estimate`, `low`, `high`, `gate`, `standing`
    - `text` ("+0.02 [0.01, 0.03]")
    - `same_cells_as`: the label of the first question with the same two cells, or ""; `is_turned`: with the other sign

    `readings` as `reports.results.questions` has them, `at_best` the questions in order.
    """
    labels = [_label(row) for row in at_best]
    same = {
        label: "" if row["same_cells_as"] is None else labels[int(row["same_cells_as"])]
        for label, row in zip(labels, at_best, strict=True)
    }
    turned = {
        label
        for label, row in zip(labels, at_best, strict=True)
        if row["same_cells_as"] is not None and row["best_a"] == at_best[int(row["same_cells_as"])]["best_b"]
    }
    rows = [
        {
            "label": _label(row),
            "same_cells_as": same[_label(row)],
            "is_turned": _label(row) in turned,
            "look": int(row["look"]),
            "num_blocks": int(row["num_blocks"]),
            "estimate": row["estimate"],
            "low": row["simultaneous_low"],
            "high": row["simultaneous_high"],
            "gate": str(row["gate"]),
            "standing": str(row["standing"]),
            "text": interval(row["estimate"], row["simultaneous_low"], row["simultaneous_high"]),
        }
        for row in readings.to_dict("records")
    ]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    order = {label: place for place, label in enumerate(labels)}
    return found.sort_values(
        ["label", "look"], key=lambda column: column.map(order).fillna(column)
    ).reset_index(drop=True)


def _label(row: Mapping[Any, Any]) -> str:
    return difference_name(row["factor"], row["level_a"], row["level_b"])


def scale_of(frame: pd.DataFrame, smallest_effect: float | None) -> tuple[float, float]:
    """The scale of all panels: it holds 0, the band and every interval, at most `MOST_SIZES` smallest effects."""
    band = smallest_effect or 0.0
    ends = [*frame["low"], *frame["high"], *frame["estimate"], -1.3 * band, 1.3 * band, 0.0]
    low, high = limits_of([end for end in ends if math.isfinite(end)])
    if band:
        low, high = max(low, -MOST_SIZES * band), min(high, MOST_SIZES * band)
    return low, high


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    looks: Sequence[int],
    notes: Sequence[str],
    limits: tuple[float, float],
    smallest_effect: float | None,
    unit: str,
) -> None:
    """Draw the rows of one question, under its notes; `looks` are the numbers of blocks of the rows, top to bottom."""
    linear_axis(ax, "x", *limits, most=5)
    top = -0.55 - 0.55 * len(notes)
    ax.set_ylim(len(looks) - 0.5, top)
    ax.set_yticks(range(len(looks)), [f"{num} blocks" if num == looks[0] else str(num) for num in looks])
    quiet(ax, grid=None)
    ax.tick_params(axis="y", pad=7)  # an arrowhead stands beside the labels
    ax.spines["left"].set_visible(False)
    for place, note in enumerate(notes):
        y = top + 0.3 + 0.55 * place
        ax.annotate(
            note,
            (0, y),
            xycoords=ax.get_yaxis_transform(),
            xytext=(2 - LEFT, 0),
            textcoords="offset points",
            va="center",
            color=MUTED.light,
            annotation_clip=False,
        )
    rows = np.arange(len(looks))
    band = smallest_effect or 0.0
    ax.barh(rows, 2 * band, 1.0, left=-band, color=SHADE.light, linewidth=0, zorder=0)
    ax.vlines(np.zeros(len(rows)), rows - 0.5, rows + 0.5, color=MUTED.light, linewidth=0.9, zorder=1)
    for row in frame.to_dict("records"):
        _bar(row, ax, looks.index(row["num_blocks"]), limits)
        if math.isfinite(row["low"]) and math.isfinite(row["high"]):
            shown = np.clip([row["low"], row["high"]], *limits)
            said = f"{row['num_blocks']} blocks: {row['text']} {unit}, {SPOKEN.get(row['standing'], row['standing'])}"
            place = looks.index(row["num_blocks"])
            mark(ax, np.clip(row["estimate"], *limits), place, said, ends=(shown[0], shown[1]), across=True)
    ax.set_xlabel(unit)


def _bar(row: Mapping[Any, Any], ax: Axes, place: int, limits: tuple[float, float]) -> None:
    """One interval; thick with a filled diamond where it closed the question, else thin with a hollow circle."""
    low, high = limits
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        ax.text(0.5, place, "no interval", transform=ax.get_yaxis_transform(), va="center", color=MUTED.light)
        return
    closed = row["standing"] == Standing.CLOSED
    shown = np.clip([row["low"], row["high"]], low, high)
    ax.hlines(place, *shown, color=INK.light, linewidth=3.0 if closed else 1.2, zorder=2)
    for end, runs_out, marker in ((low, row["low"] < low, "<"), (high, row["high"] > high, ">")):
        if runs_out:
            ax.plot(end, place, marker, color=INK.light, markersize=6, clip_on=False, zorder=3)
    if low <= row["estimate"] <= high:
        ax.plot(
            row["estimate"],
            place,
            "D" if closed else "o",
            markersize=6.0 if closed else 5.0,
            color=INK.light,
            markerfacecolor=INK.light if closed else GROUND.light,
            zorder=4,
        )
