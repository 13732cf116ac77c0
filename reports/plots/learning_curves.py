"""Learning curves of one factor: validation (solid) and training (dashed) over the epochs, a band a level."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from reports.inputs.measures import LOG_LOSS, Measure
from reports.plots.style.axes import label_right, linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import levels as of_levels
from reports.plots.style.marks import mark, tag, told, told_intervals, whole
from reports.plots.style.theme import Theme
from reports.statistics.intervals import ANYWHERE, Bounds, t_band
from reports.wording.words import level_phrase

COLUMNS = ["level", "part", "epoch", "mean", "low", "high"]


def tidy(
    curves: pd.DataFrame,
    names: pd.Series,
    measures: dict[str, str],
    within: Mapping[str, Bounds] | None = None,
) -> pd.DataFrame:
    """Rows to draw: level (its name), part (a key of `measures`), epoch, mean, low, high (95 % t over blocks).

    `curves` has one row per network and epoch, with block; `names` gives each row the name of its level;
    `measures` maps "validation" and "training" to the columns. Per block the mean over a level's cells;
    `within` says for a column what its mean can lie between.
    """
    tables = []
    for part, column in measures.items():
        blocks = curves[column].groupby([names, curves["block"], curves["epoch"]], sort=False).mean()
        for level, values in blocks.groupby(level=0, sort=False):
            wide = values.droplevel(0).unstack()
            wide = wide[sorted(wide.columns)]
            mean, low, high = t_band(wide.to_numpy(dtype=float), (within or {}).get(column, ANYWHERE))
            row = {
                "level": level,
                "part": part,
                "epoch": wide.columns,
                "mean": mean,
                "low": low,
                "high": high,
            }
            tables.append(pd.DataFrame(row))
    return pd.concat(tables, ignore_index=True)[COLUMNS] if tables else pd.DataFrame(columns=COLUMNS)


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    theme: Theme,
    factor: str,
    levels: Sequence[Any],
    limits: tuple[float, float],
    log: bool = True,
    measure: Measure = LOG_LOSS,
) -> None:
    """Draw what `tidy` gives, validation with a band and a name at its end; `measure` is what is measured."""
    if frame.empty or frame["mean"].isna().all():
        say_empty(ax, "No epochs recorded in the confirm phase yet.")
        return
    linear_axis(ax, "x", 0, float(max(frame["epoch"].max(), 2)), most=7, whole=True)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    labels, owners = [], []
    for level in levels:
        style = theme.style(factor, level)
        rows = frame[frame["level"] == style.name]
        solid, dashed = rows[rows["part"] == "validation"], rows[rows["part"] == "training"]
        colour = style.mark.light
        band = ax.fill_between(
            solid["epoch"], solid["low"], solid["high"], color=colour, alpha=0.2, linewidth=0
        )
        lines = ax.plot(dashed["epoch"], dashed["mean"], color=colour, linewidth=1, dashes=(3, 2.5))
        every = max(1, len(solid) // 5)
        lines += ax.plot(
            solid["epoch"],
            solid["mean"],
            marker=style.marker,
            markevery=every,
            markersize=4.5,
            linewidth=1.6,
            color=colour,
        )
        of = of_levels(factor, level)
        for artist in (band, *lines):
            tag(artist, of, ax)
        for part, shown in (("validation", solid), ("training", dashed)):
            mark(
                ax,
                shown["epoch"],
                shown["mean"],
                f"{level_phrase(factor, level)}, epoch ",
                whole(shown["epoch"]),
                f": {part} {measure.kind} ",
                told(shown["mean"], measure.value),
                told_intervals(shown["low"], shown["high"], scale=100 if measure.is_share else 1),
                of=of,
            )
        if len(solid):
            labels.append((float(solid["mean"].iloc[-1]), style.name, style.text.light))
            owners.append(of)
    label_right(ax, labels, of=owners)
    ax.set_xlabel("epoch")


def filled(curves: pd.DataFrame, failed: npt.NDArray[np.bool_], chance: dict[str, float]) -> pd.DataFrame:
    """The same rows with chance where a network failed and its measure is not finite, and losses capped at chance.

    `failed` marks rows of diverged or failed networks; `chance` maps each column to its value for guessing.
    """
    result = curves.copy()
    for column, value in chance.items():
        values = result[column].to_numpy(dtype=float)
        values = np.where(failed & ~np.isfinite(values), value, values)
        result[column] = np.minimum(values, value) if column.endswith("loss") else values
    return result
