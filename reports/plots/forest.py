"""Forest plot: one contrast a row with its interval, zero, and the smallest effect of interest as a shaded band."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from reports.plots.style.axes import limits_of, linear_axis, quiet, say_empty
from reports.plots.style.marks import Of, mark, tag, tag_each
from reports.plots.style.theme import INK, MUTED, SHADE
from reports.statistics.gates import deciding
from reports.wording.words import difference_name, interval

ROW = 33  # points


def tidy(contrasts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows to draw, top to bottom: label ("depth: 5 − 3"), estimate, low, high, text ("+0.27 [0.25, 0.29]").

    The interval is the one that decides what is said of the contrast.
    """
    rows = []
    for row in contrasts:
        low, high = (row[name] for name in deciding(row))
        rows.append(
            {
                "label": difference_name(row["factor"], row["level_a"], row["level_b"]),
                "estimate": row["estimate"],
                "low": low,
                "high": high,
                "text": interval(row["estimate"], low, high),
            }
        )
    return pd.DataFrame(rows, columns=["label", "estimate", "low", "high", "text"])


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    smallest_effect: float | None,
    unit: str,
    of: Sequence[Of] = (),
) -> None:
    """Draw what `tidy` gives; the band is plus and minus the smallest effect, in the same unit.

    `of` is whose each row is: of the two levels that it is between.
    """
    if frame.empty or frame["estimate"].isna().all():
        say_empty(ax, "No contrast: that takes a factor with at least two levels and a finished block.")
        return
    band = smallest_effect or 0.0
    ends = [*frame["estimate"], *frame["low"], *frame["high"], -1.3 * band, 1.3 * band, 0.0]
    linear_axis(ax, "x", *limits_of(ends), most=5)
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.set_yticks([])
    quiet(ax, grid=None)
    ax.spines["left"].set_visible(False)
    rows = np.arange(len(frame))
    # The band and the zero line stay below the words of their row.
    ax.barh(rows + 0.2, 2 * band, 0.52, left=-band, color=SHADE.light, linewidth=0, zorder=0)
    ax.vlines(np.zeros(len(rows)), rows - 0.06, rows + 0.46, color=MUTED.light, linewidth=0.9, zorder=1)
    bars = ax.hlines(rows + 0.2, frame["low"], frame["high"], color=INK.light, linewidth=1.8)
    (dots,) = ax.plot(frame["estimate"], rows + 0.2, "o", color=INK.light, markersize=5.5)
    owners = of or [()] * len(frame)
    for row, (label, text) in enumerate(zip(frame["label"], frame["text"], strict=True)):
        left = ax.text(0, row - 0.24, label, transform=ax.get_yaxis_transform(), va="center", color=INK.light)
        right = ax.text(1, row - 0.24, text, transform=ax.get_yaxis_transform(), va="center", ha="right")
        tag(left, owners[row], ax)
        tag(right, owners[row], ax)
    tag_each(bars, owners, ax)
    known = frame["estimate"].notna()
    tag_each(dots, [each for each, is_known in zip(owners, known, strict=True) if is_known], ax)
    mark(
        ax,
        frame["estimate"],
        rows + 0.2,
        list(frame["label"]),
        ": ",
        list(frame["text"]),
        f" {unit}",
        of_each=owners,
        ends=(frame["low"], frame["high"]),
        across=True,
    )
    ax.set_xlabel(unit)
