"""Forest plot of two studies: every shared contrast a row, the first study's interval above the second's."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import limits_of, linear_axis, quiet, say_empty
from reports.plots.style.marks import mark
from reports.plots.style.theme import ACCENT, INK, MUTED, SHADE
from reports.statistics.gates import deciding
from reports.wording.words import difference_name, interval

ROW = 44  # points
COLUMNS = ["label", "which", "study", "estimate", "low", "high"]
LOOKS = ((0.06, "o", ACCENT.light), (0.32, "s", INK.light))  # height within a row, marker, colour


def tidy(shared: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    """Rows to draw, two a contrast: label, which (0, 1), study, estimate, low, high (of the interval that decides)."""
    rows = [
        {
            "label": difference_name(row["factor"], _level(row["level_a"]), _level(row["level_b"])),
            "which": which,
            "study": names[which],
            "estimate": row[key]["estimate"],
            **dict(zip(("low", "high"), (row[key][name] for name in deciding(row[key])), strict=True)),
        }
        for row in shared
        for which, key in enumerate(("a", "b"))
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COLUMNS[3:], float))


def _level(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def draw(frame: pd.DataFrame, ax: Axes, *, smallest_effect: float | None, unit: str) -> None:
    """Draw what `tidy` gives; the band is plus and minus the smallest effect, in the same unit."""
    if frame["estimate"].isna().all():
        say_empty(ax, "No contrast is known in both studies yet.")
        return
    num, band = len(frame) // 2, smallest_effect or 0.0
    ends = [
        *frame["estimate"],
        *frame["low"],
        *frame["high"],
        -1.3 * band,
        1.3 * band,
    ]
    linear_axis(ax, "x", *limits_of(ends), most=5)
    ax.set_ylim(num - 0.5, -0.5)
    ax.set_yticks([])
    quiet(ax, grid=None)
    ax.spines["left"].set_visible(False)
    rows = np.arange(num)
    ax.barh(rows + 0.19, 2 * band, 0.5, left=-band, color=SHADE.light, linewidth=0, zorder=0)
    ax.vlines(np.zeros(num), rows - 0.08, rows + 0.46, color=MUTED.light, linewidth=0.9, zorder=1)
    for which, (height, marker, colour) in enumerate(LOOKS):
        mine = frame[frame["which"] == which]
        ax.hlines(rows + height, mine["low"], mine["high"], color=colour, linewidth=1.8)
        ax.plot(mine["estimate"], rows + height, marker, color=colour, markersize=5)
        low, high = mine["low"], mine["high"]
        said = [interval(*each) for each in zip(mine["estimate"], low, high, strict=True)]
        names = [f"{study}, {label}: " for study, label in zip(mine["study"], mine["label"], strict=True)]
        mark(ax, mine["estimate"], rows + height, names, said, f" {unit}", ends=(low, high), across=True)
    for row, label in enumerate(frame["label"][::2]):
        ax.text(0, row - 0.28, label, transform=ax.get_yaxis_transform(), va="center", color=INK.light)
    ax.set_xlabel(unit)
