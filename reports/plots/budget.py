"""Budget curve: the loss expected of the best of k search trials, a faint line a cell, their mean in front."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.cube import Floats
from reports.inputs.measures import LOG_LOSS, Measure
from reports.plots.style.axes import linear_axis, quiet, say_empty, value_axis
from reports.plots.style.marks import cell, mark, tag_each, told
from reports.plots.style.theme import ACCENT, FAINT
from reports.statistics.budget_curve import expected_best
from reports.wording.words import plural

COLUMNS = ["kind", "cell", "num_trials", "loss"]
MARKED = 12  # trials up to which each is marked


def tidy(losses: pd.DataFrame, mean: Sequence[float], measure: Measure = LOG_LOSS) -> pd.DataFrame:
    """Rows to draw: kind ("cell", "mean"), cell, num_trials, loss (of whatever is measured).

    `losses` has cell and the measure, one row a trial; `mean` is the curve over cells, from one trial on.
    """
    rows = [
        {"kind": "cell", "cell": cell, "num_trials": place, "loss": loss}
        for cell, trials in losses.groupby("cell")
        for place, loss in enumerate(_expected(trials[measure.name], measure), start=1)
    ]
    rows += [{"kind": "mean", "num_trials": place, "loss": loss} for place, loss in enumerate(mean, start=1)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _expected(values: "pd.Series[Any]", measure: Measure) -> Floats:
    return expected_best(values.to_numpy(dtype=float), lower_is_better=measure.lower_is_better)


def draw(frame: pd.DataFrame, ax: Axes, *, unit: str, log: bool = True, measure: Measure = LOG_LOSS) -> None:
    """Draw what `tidy` gives, on a log scale where that is wanted; faint lines only where there are several cells."""
    mean = frame[frame["kind"] == "mean"]
    if mean.empty:
        say_empty(ax, "No search trial has reached its first rung yet.")
        return
    last = float(mean["num_trials"].max())
    linear_axis(
        ax, "x", 0 if last > MARKED else 0.7, last * 1.02 if last > MARKED else last + 0.3, most=7, whole=True
    )
    if last <= MARKED:
        ax.set_xticks(np.arange(1, last + 1), [str(int(place)) for place in np.arange(1, last + 1)])
    value_axis(ax, "y", list(frame["loss"]), log=log)
    quiet(ax)
    cells = frame[frame["kind"] == "cell"]
    if cells["cell"].nunique() > 1:
        by_cell = [(name, rows) for name, rows in cells.groupby("cell")]
        lines = [rows[["num_trials", "loss"]].to_numpy(dtype=float) for _, rows in by_cell]
        faint = LineCollection(lines, colors=FAINT.light, linewidths=0.7, alpha=0.7)
        ax.add_collection(faint, autolim=False)
        tag_each(faint, [cell(name) for name, _ in by_cell], ax)
    marker = "o" if last <= MARKED else ""
    ax.plot(
        mean["num_trials"],
        mean["loss"],
        marker=marker,
        color=ACCENT.light,
        linewidth=2,
        markersize=5.5,
        zorder=4,
    )
    ax.set_xlabel(unit)
    best = f"{measure.extreme} {measure.title} expected of "
    _mark(ax, mean, f"mean over cells, {best}" if len(cells) else best, measure)
    for name, rows in cells.groupby("cell") if cells["cell"].nunique() > 1 else ():
        _mark(ax, rows, f"cell {name}, {best}", measure, name)


def _mark(ax: Axes, rows: pd.DataFrame, begin: str, measure: Measure, name: Any = None) -> None:
    trials = tuple(plural(int(num), "trial") for num in rows["num_trials"])
    mark(
        ax,
        rows["num_trials"],
        rows["loss"],
        begin,
        trials,
        ": ",
        told(rows["loss"], measure.value),
        of=cell(name),
    )
