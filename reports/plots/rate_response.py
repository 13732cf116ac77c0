"""Learning-rate response: loss at the first rung over the rate, a faint line a cell, failures and range ends marked."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reports.inputs.measures import LOG_LOSS, Measure
from reports.plots.style.axes import linear_axis, log_axis, quiet, say_empty
from reports.plots.style.marks import cell, fine, mark, tag_each, told
from reports.plots.style.theme import ACCENT, BAD, FAINT, GROUND, SHADE
from reports.wording.words import percent

COLUMNS = ["trial_number", "cell", "rate", "loss", "failed", "chosen"]
OUTER = 0.1  # of the range on a log scale, as the gate BOUNDARY has it


def tidy(trials: pd.DataFrame, losses: pd.Series, failed: pd.Series, chosen: Sequence[int]) -> pd.DataFrame:
    """Rows to draw: trial_number, cell, rate, loss, failed (share of its networks), chosen.

    `trials` are search trials with `learning_rate`; `losses` (mean loss at the first rung) and `failed` are indexed
    by trial number; `chosen` lists the trials whose rate the confirm phase took.
    """
    if trials.empty or "learning_rate" not in trials:
        return pd.DataFrame(columns=COLUMNS)
    number = trials["number"]
    rows = pd.DataFrame(
        {
            "trial_number": number,
            "cell": trials["cell"],
            "rate": trials["learning_rate"].astype(float),
            "loss": number.map(losses).astype(float),
            "failed": number.map(failed).fillna(0.0).astype(float),
            "chosen": number.isin(chosen),
        }
    )
    return rows.sort_values(["cell", "rate"])[COLUMNS].reset_index(drop=True)


def draw(
    frame: pd.DataFrame,
    ax: Axes,
    *,
    bounds: tuple[float, float],
    limits: tuple[float, float],
    colour: str | None,
    log: bool = True,
    measure: Measure = LOG_LOSS,
) -> None:
    """Draw what `tidy` gives; `bounds` is the range searched, whose outer tenths are shaded."""
    if frame.empty or frame["loss"].isna().all():
        say_empty(ax, "No search trial has reached its first rung yet.")
        return
    low, high = bounds
    log_axis(ax, "x", low * 0.9, high * 1.1, most=5)
    (log_axis if log else linear_axis)(ax, "y", *limits)
    quiet(ax)
    margin = OUTER * math.log(high / low)
    ax.axvspan(low, low * math.exp(margin), color=SHADE.light, linewidth=0, zorder=0)
    ax.axvspan(high * math.exp(-margin), high, color=SHADE.light, linewidth=0, zorder=0)
    seen = frame[frame["loss"].notna()]
    by_cell = list(seen.groupby("cell"))
    lines = [rows[["rate", "loss"]].to_numpy() for _, rows in by_cell]
    faint = LineCollection(lines, colors=FAINT.light, linewidths=0.8, alpha=0.8)
    ax.add_collection(faint, autolim=False)
    tag_each(faint, [cell(name) for name, _ in by_cell], ax)
    chosen = seen[seen["chosen"]]
    (dots,) = ax.plot(
        chosen["rate"],
        chosen["loss"],
        "o",
        markersize=5,
        color=colour or ACCENT.light,
        markeredgecolor=GROUND.light,
        markeredgewidth=0.6,
        zorder=4,
    )
    bad = seen[seen["failed"] > 0]
    (crosses,) = ax.plot(
        bad["rate"], bad["loss"], "x", markersize=5.5, markeredgewidth=1.4, color=BAD.light, zorder=5
    )
    tag_each(dots, map(cell, chosen["cell"]), ax)
    tag_each(crosses, map(cell, bad["cell"]), ax)
    for name, rows in by_cell:
        _mark(ax, rows, name, measure)
    ax.set_xlabel("learning rate")


def _mark(ax: Axes, rows: pd.DataFrame, name: Any, measure: Measure) -> None:
    """Say of every trial of a cell what its rate led to."""
    ends = [
        (", chosen" if chosen else "") + (f", {percent(failed, 0)} of its networks failed" if failed else "")
        for chosen, failed in zip(rows["chosen"], rows["failed"], strict=True)
    ]
    mark(
        ax,
        rows["rate"],
        rows["loss"],
        f"cell {name}, learning rate ",
        told(rows["rate"], fine),
        f": {measure.title} ",
        told(rows["loss"], measure.value),
        ends,
        [f" (trial {number})" for number in rows["trial_number"]],
        of=cell(name),
    )
